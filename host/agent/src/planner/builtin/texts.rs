//! Which name, option or phrase of a clause suits a text parameter.

use serde_json::Value;

use super::matching::{Match, Values, of_kind, overlaps, takes_names};
use super::names::{Made, Name};
use super::places;
use super::profile::{Family, Profile, speaks_of};
use super::tokens::{Kind, Piece, Token};
use super::units;
use super::words::{means, stem};

/// What speaks for a parameter that must be filled, before anything else does.
const REQUIRED: f64 = 1.5;
/// What an optional one must be spoken for with.
const OPTIONAL: f64 = -1.8;
/// Words of parameter names that no text repeats.
pub(super) const BARE: &[&str] = &["name", "type", "full", "text", "value", "string"];

/// A value that the description names and the clause speaks of.
pub(super) fn option(values: &Values<'_>, profile: &Profile<'_>) -> Option<Match> {
    let examples = matches!(profile.family, Family::Source | Family::Target | Family::Place | Family::Identifier);
    if examples && profile.param.choices.is_empty() {
        // What stands there are examples.
        return None;
    }
    let (option, tokens) = spoken(values, profile).into_iter().next()?;
    Some(Match { value: Value::from(option), tokens: Some(tokens), guessed: false })
}

/// All options that the clause speaks of, in its order.
pub(super) fn options_spoken(values: &Values<'_>, profile: &Profile<'_>) -> Vec<String> {
    let mut found = spoken(values, profile);
    found.sort_by_key(|(_, (at, _))| *at);
    found.into_iter().map(|(option, _)| option).collect()
}

/// The choices of a list's items that the clause speaks of, in its order.
pub(super) fn choices_spoken(values: &Values<'_>, choices: &[Value]) -> Vec<String> {
    let options: Vec<String> = choices.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut found = spoken_of(values, &options);
    found.sort_by_key(|(_, (at, _))| *at);
    found.into_iter().map(|(option, _)| option).collect()
}

pub(super) fn spoken(values: &Values<'_>, profile: &Profile<'_>) -> Vec<(String, (usize, usize))> {
    spoken_of(values, &profile.options)
}

/// A word, or a quoted one.
fn heard(token: &Token) -> Option<String> {
    let quoted = token.literal().filter(|literal| literal.kind == Kind::Quoted).map(|literal| literal.text.clone());
    // A single letter is an option where it is quoted.
    token.word().filter(|word| word.len() > 1).or(quoted)
}

fn spoken_of(values: &Values<'_>, options: &[String]) -> Vec<(String, (usize, usize))> {
    let said: Vec<Option<String>> = values.tokens.iter().map(|token| heard(token).map(|word| stem(&word))).collect();
    let place = |option: &String| {
        let own: Vec<Option<String>> =
            option.split([' ', '_', '-']).filter(|word| !word.is_empty()).map(|word| Some(stem(word))).collect();
        let at = said.windows(own.len().max(1)).position(|window| window == own.as_slice())?;
        Some((option.clone(), (at, at + own.len())))
    };
    let mut found: Vec<(String, (usize, usize))> = options.iter().filter_map(place).collect();
    // "lightly active" before "active": the longer one is meant.
    found.sort_by_key(|(_, (at, end))| (std::cmp::Reverse(end - at), *at));
    let mut kept: Vec<(String, (usize, usize))> = Vec::new();
    for (option, range) in found {
        if !kept.iter().any(|(_, (from, to))| range.0 < *to && *from < range.1) {
            kept.push((option, range));
        }
    }
    kept
}

/// Dates, units and formulas: what the family of the parameter says is enough.
pub(super) fn by_family(values: &Values<'_>, profile: &Profile<'_>, used: &[(usize, usize)]) -> Option<Match> {
    match profile.family {
        Family::Moment => {
            let found = of_kind(values, Kind::Date, used).find(|(_, literal)| !literal.text.contains(':'));
            let Some((at, literal)) = found else { return spoken_day(values, profile) };
            let iso = literal.value.as_str()?;
            let value = Value::from(in_format(iso, &profile.param.description).unwrap_or_else(|| iso.to_owned()));
            Some(Match { value, tokens: Some((at, at + 1)), guessed: false })
        }
        Family::Formula => {
            let (at, literal) = of_kind(values, Kind::Formula, used).next()?;
            Some(Match { value: literal.value.clone(), tokens: Some((at, at + 1)), guessed: false })
        }
        Family::Currency => currency(values, profile, used),
        Family::Unit => {
            unit(values, profile).map(|text| Match { value: Value::from(text), tokens: None, guessed: false })
        }
        _ => None,
    }
}

/// "Next Friday", "tomorrow": as it was said, where no form is asked for.
fn spoken_day(values: &Values<'_>, profile: &Profile<'_>) -> Option<Match> {
    const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let lower = profile.param.description.to_lowercase();
    if ["yyyy", "iso", "format"].iter().any(|form| lower.contains(form)) {
        return None;
    }
    let tokens = values.tokens;
    let word = |at: usize| tokens.get(at).and_then(Token::word).unwrap_or_default();
    let begins = (0..tokens.len()).find_map(|at| match word(at).as_str() {
        "today" | "tomorrow" | "tonight" => Some((at, at + 1)),
        "next" | "this" if DAYS.contains(&word(at + 1).as_str()) || word(at + 1) == "weekend" => Some((at, at + 2)),
        _ => None,
    });
    let (at, end) = begins?;
    let value = Value::from(&values.text[tokens[at].start..tokens[end - 1].end]);
    Some(Match { value, tokens: Some((at, end)), guessed: false })
}

/// The unit that the clause asks for ("in miles"), else the only one that it uses.
fn unit(values: &Values<'_>, profile: &Profile<'_>) -> Option<String> {
    let word = |at: usize| match values.tokens.get(at).map(|token| &token.piece) {
        Some(Piece::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let prepositions: &[&str] = if profile.param.is(&["from"]) { &["from"] } else { &["in", "to", "into", "as"] };
    let places = (0..values.tokens.len()).filter(|at| prepositions.iter().any(|word| values.tokens[*at].is(word)));
    for at in places {
        let start = values.tokens[at].end;
        let Some((_, said)) = units::after(&values.text[start..]) else { continue };
        if word(at + 1).is_some_and(|word| said.starts_with(word)) {
            return Some(said.to_owned());
        }
    }
    if profile.param.is(&["to", "target"]) {
        return None;
    }
    let mut said = values.numbers.iter().filter_map(|number| number.unit_text.as_ref());
    let first = said.next()?;
    said.all(|other| other == first).then(|| first.clone())
}

/// Currencies by their names.
const CURRENCIES: &[&str] = &[
    "dollar", "euro", "pound", "yen", "yuan", "rupee", "franc", "peso", "won", "krona", "krone", "zloty", "lira",
    "ruble", "rand", "real", "bitcoin",
];
const CODES: &[&str] = &[
    "USD", "EUR", "GBP", "JPY", "CNY", "INR", "CHF", "AUD", "CAD", "NZD", "MXN", "BRL", "KRW", "SEK", "NOK", "DKK",
    "PLN", "TRY", "RUB", "ZAR", "SGD", "HKD", "BTC",
];

/// A currency: behind "to" or "in" where it is what comes out, else the first that is named.
fn currency(values: &Values<'_>, profile: &Profile<'_>, used: &[(usize, usize)]) -> Option<Match> {
    let tokens = values.tokens;
    let is = |at: usize| {
        let Some(Piece::Word(word)) = tokens.get(at).map(|token| &token.piece) else { return false };
        CODES.contains(&word.as_str()) || CURRENCIES.contains(&stem(word).as_str())
    };
    let out = profile.param.is(&["to", "target", "into", "quote", "destination"]);
    let behind = |at: usize| {
        let before = tokens[..at].iter().rev().take(3).filter_map(Token::word).find(|word| word != "us");
        before.is_some_and(|word| ["to", "in", "into"].contains(&word.as_str()))
    };
    let mut found = (0..tokens.len()).filter(|at| is(*at) && !overlaps(used, *at, at + 1));
    let at = found.find(|at| behind(*at) == out)?;
    // "US dollars": whose they are belongs to the name.
    let from = at
        - usize::from(
            at > 0 && ["us", "canadian", "australian", "british", "swiss"].iter().any(|w| tokens[at - 1].is(w)),
        );
    let value = Value::from(&values.text[tokens[from].start..tokens[at].end]);
    Some(Match { value, tokens: Some((from, at + 1)), guessed: false })
}

/// A day in the form that a description asks for.
fn in_format(iso: &str, description: &str) -> Option<String> {
    let [year, month, day] = iso.get(..10)?.split('-').collect::<Vec<_>>().try_into().ok()?;
    if year.len() != 4 {
        return None;
    }
    let lower = description.to_lowercase();
    [
        ("mm-dd-yyyy", format!("{month}-{day}-{year}")),
        ("mm/dd/yyyy", format!("{month}/{day}/{year}")),
        ("dd-mm-yyyy", format!("{day}-{month}-{year}")),
        ("dd/mm/yyyy", format!("{day}/{month}/{year}")),
        ("yyyy/mm/dd", format!("{year}/{month}/{day}")),
    ]
    .into_iter()
    .find(|(format, _)| lower.contains(format))
    .map(|(_, text)| text)
}

/// Whether a name may stand in the parameter at all: it is no unit, day or formula.
pub(super) fn may_be_a_name(param: &super::shape::Param) -> bool {
    takes_names(&Profile::of(param))
}

/// What speaks for the name in this parameter; nothing where it cannot stand there.
pub(super) fn score(_values: &Values<'_>, name: &Name, profile: &Profile<'_>) -> Option<f64> {
    // "In Joules" names a unit.
    if name.made == Made::Date || !takes_names(profile) || units::unit(&name.text).is_some() {
        return None;
    }
    let behind = |words: &[&str]| name.preposition.as_deref().is_some_and(|own| words.contains(&own));
    let known = name.made == Made::Words && (name.with_tail.is_some() || places::is_place(&name.text));
    let mut score = if profile.param.required { REQUIRED } else { OPTIONAL };
    score += match profile.family {
        Family::Source if behind(&["from", "between"]) => 3.5,
        Family::Source if behind(&["to", "and"]) => -3.0,
        Family::Target if behind(&["to", "into"]) => 3.5,
        Family::Target if behind(&["and"]) => 2.0,
        Family::Target if behind(&["from", "between"]) => -3.0,
        Family::Place if behind(&["in", "at", "near", "around"]) => 2.5,
        Family::Place if behind(&["for", "of", "from", "to"]) => 1.0,
        Family::Place if behind(&["by", "with", "between"]) => -1.0,
        Family::Called if behind(&["in", "at", "near", "from"]) && profile.beside_place => -1.5,
        Family::Called if behind(&["by", "for", "of"]) => 0.5,
        _ => 0.0,
    };
    score += match (profile.family, name.made) {
        // A state is what the city lies in; its name is found there.
        (Family::Place, Made::Words) if profile.param.is(&["state"]) && name.with_tail.is_some() => -6.0,
        (Family::Place | Family::Source | Family::Target, Made::Words) if known => 1.5,
        (Family::Called | Family::Other, Made::Words) if known && profile.beside_place => -1.5,
        (Family::Called, Made::Quoted) => 1.5,
        (Family::Identifier, Made::Identifier) => 3.0,
        (Family::Identifier, Made::Quoted) => 1.0,
        (Family::Identifier, Made::Words) => -1.0,
        (Family::Place, Made::Identifier) => -2.0,
        _ => 0.0,
    };
    // "Orange County Court" is a court.
    let mut own = name.text.split_whitespace().map(stem);
    if own.any(|word| profile.param.words.contains(&word) && !BARE.contains(&word.as_str())) {
        score += 3.0;
    }
    let person = ["actor", "artist", "author", "player", "person", "director", "composer", "president", "scientist"];
    if name.made == Made::Quoted && profile.param.is(&person) {
        score -= 1.5;
    }
    score += beside(&name.before, profile, 4.0) + beside(&name.behind, profile, 2.5);
    // A place is no name of anything else by itself.
    (score >= 1.0).then_some(score)
}

fn beside(context: &[String], profile: &Profile<'_>, most: f64) -> f64 {
    let mut told = 0.0;
    let mut heard: Vec<&String> = Vec::new();
    for (far, word) in context.iter().enumerate() {
        let near = 0.7_f64.powi(far as i32);
        let own = profile.param.words.iter().find(|own| speaks_of(word, own) && !heard.contains(own));
        if let Some(own) = own.filter(|own| !BARE.contains(&own.as_str())) {
            heard.push(own);
            told += near * most;
        } else if means(word) && profile.about.contains(word) {
            told += near * 0.8;
        }
    }
    told
}

/// What stands in the parameter: a city with its state where an address is asked for.
pub(super) fn value(name: &Name, profile: &Profile<'_>) -> Value {
    match &name.with_tail {
        Some((_, tail)) if profile.param.is(&["state", "country"]) => Value::from(tail.clone()),
        Some((whole, _)) if !only_city(profile) => Value::from(whole.clone()),
        None if wants_state(profile) && places::state_of(&name.text).is_some() => {
            Value::from(format!("{}, {}", name.text, places::state_of(&name.text).unwrap_or_default()))
        }
        _ => Value::from(name.text.clone()),
    }
}

/// Whether a city is asked for together with its state.
fn wants_state(profile: &Profile<'_>) -> bool {
    let about = profile.param.description.to_lowercase();
    about.contains("city and state") || about.contains("city, state") || about.contains("state and city")
}

fn only_city(profile: &Profile<'_>) -> bool {
    let about = profile.param.description.to_lowercase();
    profile.param.is(&["city"]) && !about.contains("state") && !about.contains(", ")
}
