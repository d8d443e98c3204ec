//! Values of a clause for the parameters of a tool, matched by what stands around them: numbers by units and the words
//! beside them, names by prepositions and kinds, lists by their items, flags and options by being spoken of.
//!
//! What it gives is a proposal for each parameter; [`super::fill`] decides what comes before it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::assign::best;
use super::lists::{self, List};
use super::names::{self, Made, Name};
use super::numbers;
use super::phrases;
use super::profile::{Family, Profile, flag_words, speaks_of};
use super::quantity::{self, Quantity};
use super::repeats;
use super::shape::Param;
use super::texts;
use super::tokens::{Kind, Token};
use super::words::stem;

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub(super) value: Value,
    /// The tokens that it stands in, the first and the one behind the last; none where it was only spoken of.
    pub(super) tokens: Option<(usize, usize)>,
    /// Whether nothing but its place speaks for it.
    pub(super) guessed: bool,
}

/// What was matched, by the name of the parameter, and the same for further calls that the clause asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Matches {
    pub(super) first: BTreeMap<String, Match>,
    pub(super) more: Vec<BTreeMap<String, Match>>,
}

/// A clause as values.
pub(super) struct Values<'c> {
    pub(super) text: &'c str,
    pub(super) tokens: &'c [Token],
    pub(super) numbers: Vec<Quantity>,
    pub(super) names: Vec<Name>,
    pub(super) lists: Vec<List>,
    /// The words of the tool's name and description, stemmed.
    pub(super) tool: Vec<String>,
}

impl<'c> Values<'c> {
    pub(super) fn read(text: &'c str, tokens: &'c [Token]) -> Self {
        let mut numbers = quantity::quantities(text, tokens);
        let names = names::names(text, tokens);
        // "Maroon 5" is a band.
        numbers.retain(|number| !names.iter().any(|name| name.at < number.at && number.end <= name.end));
        let lists = lists::lists(tokens, &numbers, &names);
        for list in lists.iter().filter(|list| list.of == lists::Of::Numbers) {
            let before = numbers[list.items[0]].before.clone();
            for item in &list.items {
                numbers[*item].before.clone_from(&before);
                numbers[*item].listed = true;
            }
        }
        Self { text, tokens, numbers, names, lists, tool: Vec::new() }
    }
}

/// Matches the clause with the parameters that belong to nothing more special, such as files or queries.
pub(super) fn matches(values: &Values<'_>, params: &[Param]) -> Matches {
    let mut open: Vec<Profile<'_>> = params.iter().filter(|param| !is_special(param)).map(Profile::of).collect();
    let beside_place = open.iter().any(|profile| profile.family == Family::Place);
    open.iter_mut().for_each(|profile| profile.beside_place = beside_place);
    let parts = repeats::parts(values);
    if parts.len() > 1 {
        let call = |(from, to): (usize, usize)| {
            let begin = values.tokens[from].start;
            let text = &values.text[begin..values.tokens[to - 1].end];
            let inside: Vec<Token> = values.tokens[from..to]
                .iter()
                .map(|token| Token { start: token.start - begin, end: token.end - begin, ..token.clone() })
                .collect();
            let part = Values { tool: values.tool.clone(), ..Values::read(text, &inside) };
            ((from, to), once(&part, &open).first)
        };
        let calls = parts.into_iter().map(call).collect();
        if let Some((first, more)) = repeats::by_parts(values.tokens, calls) {
            return Matches { first, more };
        }
    }
    once(values, &open)
}

fn once(values: &Values<'_>, open: &[Profile<'_>]) -> Matches {
    let mut found = Matches::default();
    let mut used: Vec<(usize, usize)> = Vec::new();
    let put = |found: &mut Matches, used: &mut Vec<(usize, usize)>, param: &Param, matched: Match| {
        used.extend(matched.tokens);
        found.first.insert(param.name.clone(), matched);
    };
    for profile in open.iter().filter(|profile| profile.param.is_of("array")) {
        if let Some(matched) = lists::for_param(values, profile, &used) {
            put(&mut found, &mut used, profile.param, matched);
        }
    }
    let texts: Vec<&Profile<'_>> = open.iter().filter(|profile| is_text(profile.param)).collect();
    for profile in &texts {
        if let Some(matched) = texts::option(values, profile).or_else(|| texts::by_family(values, profile, &used)) {
            put(&mut found, &mut used, profile.param, matched);
        }
    }
    let numeric: Vec<&Profile<'_>> = open
        .iter()
        .filter(|profile| !found.first.contains_key(&profile.param.name))
        .filter(|profile| is_number(profile.param) || is_text(profile.param))
        .collect();
    let free: Vec<&Quantity> =
        values.numbers.iter().filter(|number| !overlaps(&used, number.at, number.at + 1)).collect();
    let rows: Vec<Vec<Option<f64>>> = free
        .iter()
        .enumerate()
        .map(|(row, number)| {
            // Of equal ones the earlier is meant, and the order of the parameters is that of the sentence.
            let place = |column: usize| 0.02 * (row as f64 - column as f64).abs() + 0.1 * row as f64;
            let each = |(column, profile): (usize, &&Profile<'_>)| {
                Some(numbers::score(values, number, profile)? - place(column))
            };
            numeric.iter().enumerate().map(each).collect()
        })
        .collect();
    for (number, column) in free.iter().zip(best(&rows)) {
        let Some(profile) = column.map(|column| numeric[column]) else { continue };
        if let Some(value) = numbers::value(values, number, profile) {
            let matched = Match { value, tokens: Some((number.at, number.end)), guessed: false };
            put(&mut found, &mut used, profile.param, matched);
        }
    }
    let waiting: Vec<&&Profile<'_>> =
        texts.iter().filter(|profile| !found.first.contains_key(&profile.param.name)).collect();
    let free: Vec<&Name> = values.names.iter().filter(|name| !overlaps(&used, name.at, name.end)).collect();
    let rows: Vec<Vec<Option<f64>>> = free
        .iter()
        .enumerate()
        .map(|(row, name)| {
            let place = |column: usize| 0.02 * (row as f64 - column as f64).abs();
            let each =
                |(column, profile): (usize, &&&Profile<'_>)| Some(texts::score(values, name, profile)? - place(column));
            waiting.iter().enumerate().map(each).collect()
        })
        .collect();
    for ((row, name), column) in free.iter().enumerate().zip(best(&rows)) {
        let Some(column) = column else { continue };
        let profile = waiting[column];
        let matched = Match {
            value: texts::value(name, profile),
            tokens: Some((name.at, name.end)),
            guessed: rows[row][column].is_none_or(|score| score < 3.0) && name.made != Made::Quoted,
        };
        put(&mut found, &mut used, profile.param, matched);
    }
    for profile in open {
        if found.first.contains_key(&profile.param.name) {
            continue;
        }
        let matched = if profile.param.is_of("boolean") {
            flag(values, profile)
        } else if is_number(profile.param) {
            numbers::frequency(values, profile)
        } else if is_text(profile.param) {
            phrases::phrase(values, profile, &used)
        } else {
            None
        };
        let matched = matched.or_else(|| {
            let value = profile.default.clone().filter(|_| profile.param.required)?;
            Some(Match { value, tokens: None, guessed: false })
        });
        if let Some(matched) = matched {
            put(&mut found, &mut used, profile.param, matched);
        }
    }
    found.more = repeats::repeats(values, open, &found.first);
    found
}

/// Parameters that are filled by what they are: files, addresses, programs, zones, texts to work on.
pub(super) fn is_special(param: &Param) -> bool {
    let text = param.takes("string");
    let special = param.is_path() || param.is_url() || param.is_zone();
    let worked_on = param.is_content() || param.is_program() || param.is_pattern() || param.is_replacement();
    let plain = param.is_number_only() || param.is_of("array") || param.is_of("boolean");
    let formula = param.is(&["function", "equation", "polynomial"]);
    (text && special && !param.is_of("array")) || (worked_on && text && !plain && !formula) || param.takes_anything()
}

fn is_text(param: &Param) -> bool {
    param.is_of("string") && !param.is_of("array")
}

fn is_number(param: &Param) -> bool {
    param.is_number_only()
}

pub(super) fn overlaps(used: &[(usize, usize)], at: usize, end: usize) -> bool {
    used.iter().any(|(from, to)| at < *to && *from < end)
}

/// A flag is raised where the clause speaks of all that its name says; not where the tool's own name says it already.
fn flag(values: &Values<'_>, profile: &Profile<'_>) -> Option<Match> {
    let own = flag_words(profile.param);
    let spoken: Vec<String> = values.tokens.iter().filter_map(Token::word).map(|word| stem(&word)).collect();
    let said = |own: &String| spoken.iter().any(|word| speaks_of(word, own));
    let raised = !own.is_empty() && own.iter().all(said);
    raised.then_some(Match { value: Value::Bool(true), tokens: None, guessed: false })
}

/// The literals that stand in a range of tokens, by their number among all literals of the clause.
pub(super) fn literals_in(tokens: &[Token], (from, to): (usize, usize)) -> Vec<usize> {
    let before = tokens[..from].iter().filter(|token| token.literal().is_some()).count();
    let inside = tokens[from..to].iter().filter(|token| token.literal().is_some()).count();
    (before..before + inside).collect()
}

/// Whether the family of a parameter wants a name of the clause's capitalised or quoted ones at all.
pub(super) fn takes_names(profile: &Profile<'_>) -> bool {
    profile.param.choices.is_empty()
        && !matches!(profile.family, Family::Moment | Family::Unit | Family::Formula | Family::Currency)
}

/// Literals of this kind that are not used yet, with their tokens.
pub(super) fn of_kind<'v>(
    values: &'v Values<'_>,
    kind: Kind,
    used: &'v [(usize, usize)],
) -> impl Iterator<Item = (usize, &'v super::tokens::Literal)> {
    let tokens = values.tokens.iter().enumerate();
    tokens
        .filter_map(|(at, token)| Some((at, token.literal()?)))
        .filter(move |(at, literal)| literal.kind == kind && !overlaps(used, *at, at + 1))
}

#[cfg(test)]
mod tests {
    use super::super::shape::params;
    use super::super::tokens::tokens;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn card() -> crate::ToolCard {
        let of = |kind: &str, about: &str| json!({ "type": kind, "description": about });
        let list = |kind: &str| json!({ "type": "array", "items": { "type": kind } });
        crate::ToolCard {
            name: "trips.plan".parse().unwrap(),
            title: String::new(),
            description: "Plans a trip.".to_owned(),
            input_schema: json!({ "properties": {
                "from_city": of("string", "The city and state, e.g. 'Boston, MA'."),
                "to_city": of("string", ""),
                "date": of("string", "As MM-DD-YYYY."),
                "days": of("integer", "The number of days. Default is 3."),
                "budget": of("number", "The budget in dollars."),
                "currency": of("string", ""),
                "unit": of("string", "Can be 'km' or 'miles'."),
                "include_hotels": of("boolean", ""),
                "stops": list("string"),
                "ages": list("integer"),
                "function": of("string", ""),
                "color": of("string", ""),
                "state": of("string", "") },
                "required": ["from_city", "to_city", "days", "stops", "ages", "function", "color", "state"] }),
            output_schema: None,
            effect: toolcrib_policy::Effect::Read,
            open_world: false,
        }
    }

    #[test]
    fn one_sentence_fills_parameters_of_every_kind() {
        let text = "Plan a 5 day trip from Boston to Denver on May 3rd, 2026 with a budget of $2,000 and hotels, stops at \
                    Chicago and Omaha, ages 7 and 9, distances in miles";
        let (params, tokens) = (params(&card()), tokens(text));
        let found = matches(&Values::read(text, &tokens), &params).first;
        let value = |name: &str| found.get(name).map(|matched| matched.value.clone());
        assert_eq!(value("from_city"), Some(json!("Boston, MA")));
        assert_eq!(value("to_city"), Some(json!("Denver")));
        assert_eq!(value("date"), Some(json!("05-03-2026")));
        assert_eq!(value("days"), Some(json!(5)));
        assert_eq!(value("budget"), Some(json!(2000)));
        assert_eq!(value("unit"), Some(json!("miles")));
        assert_eq!(value("include_hotels"), Some(json!(true)));
        assert_eq!(value("stops"), Some(json!(["Chicago", "Omaha"])));
        assert_eq!(value("ages"), Some(json!([7, 9])));
        assert_eq!(value("color"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_matched_lies_in_the_text(
            text in "(\\PC{0,6}|the (first|second)|and|for|Paris|\\$?[0-9]{1,4}(,[0-9]{1,3})?( km|%|\\.5)?|to|x\\^2|do the same|, ){0,24}"
        ) {
            let (params, tokens) = (params(&card()), tokens(&text));
            let found = matches(&Values::read(&text, &tokens), &params);
            for call in std::iter::once(&found.first).chain(&found.more) {
                for matched in call.values() {
                    prop_assert!(matched.tokens.is_none_or(|(from, to)| from < to && to <= tokens.len()));
                }
            }
        }
    }
}
