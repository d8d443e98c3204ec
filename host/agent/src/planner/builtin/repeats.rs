//! Further calls that one clause asks for: "the weather in Paris and London", "tax on $30 in Chicago and $52 in Boston".
//!
//! What the first call used tells what belongs to the next ones: another item of the same list, or a value with the same
//! words around it. Only where all parameters agree on how many calls there are, there are more than one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::lists::Of;
use super::matching::{Match, Values, overlaps};
use super::names::{Made, Name};
use super::numbers;
use super::profile::Profile;
use super::quantity::Quantity;
use super::texts;
use super::tokens::{Piece, Token};

/// What one call gets, by parameter.
type Call = BTreeMap<String, Match>;

/// The most calls that one clause is taken to ask for.
const MOST: usize = 16;

/// What must speak for a number in a parameter before it is taken for another value of it.
const SURE: f64 = 5.0;

/// What one parameter gets, call by call.
struct Series<'p> {
    param: &'p str,
    values: Vec<Match>,
    /// Whether they all stand in one list.
    listed: bool,
}

/// Words that begin the next of several requests, behind "and", "also" or a comma.
const AGAIN: &[&str] = &["for", "between", "from", "in", "with", "another", "one", "ones", "repeat"];

/// Whether these words ask for the same once more: "another flight …", "repeat with …", "do the same for …".
pub(super) fn says_again(rest: &[Token]) -> bool {
    let word = |n: usize| rest.get(n).and_then(Token::word).unwrap_or_default();
    matches!(
        (word(0).as_str(), word(1).as_str(), word(2).as_str()),
        ("repeat" | "another", ..)
            | ("the", "same", "for")
            | ("followed", "by", _)
            | ("do", "the", "same")
            | (_, "it" | "this", "again")
    )
}

/// The parts of a clause that each ask for a call, as ranges of tokens; one where it does not come apart.
pub(super) fn parts(values: &Values<'_>) -> Vec<(usize, usize)> {
    let tokens = values.tokens;
    let joins = |token: &Token| {
        matches!(token.piece, Piece::Mark(',' | ';' | '.' | '?'))
            || ["and", "also", "plus", "then", "finally"].iter().any(|word| token.is(word))
    };
    let mut starts = vec![0];
    let mut at = 1;
    while at < tokens.len() {
        // "The first … the second …": one call for each.
        if counts_on(tokens, at) {
            starts.push(at);
            at += 1;
            continue;
        }
        let run = tokens[at..].iter().take_while(|token| joins(token)).count();
        let well =
            ["as", "well", "as"].iter().enumerate().all(|(n, word)| tokens.get(at + n).is_some_and(|t| t.is(word)));
        let begin = at + if well { 3 } else { run };
        let joined =
            well || tokens[at..at + run].iter().any(|token| token.word().is_some()) || says_again(&tokens[begin..]);
        let next = tokens.get(begin).and_then(Token::word);
        let later = tokens[at..at + run].iter().any(|token| token.is("then") || token.is("finally"));
        if later && next.as_deref().is_some_and(|word| ["a", "an", "the"].contains(&word)) {
            starts.push(begin);
            at = begin + 1;
            continue;
        }
        if run > 0 && pairs_again(values, begin) {
            starts.push(begin);
            at = begin + 1;
            continue;
        }
        if begin > at && joined && next.is_some_and(|word| AGAIN.contains(&word.as_str()))
            || (run > 0 && says_again(&tokens[begin..]))
        {
            starts.push(begin);
        }
        at = begin.max(at + 1);
    }
    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    starts.iter().copied().zip(ends).collect()
}

/// Whether the second, third or further one of several is spoken of here for the first time.
fn counts_on(tokens: &[Token], at: usize) -> bool {
    const ORDINALS: &[&str] = &["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
    let ordinal = |at: usize| {
        let word = tokens[at].word()?;
        let place = ORDINALS.iter().position(|ordinal| *ordinal == word)?;
        at.checked_sub(1).filter(|before| tokens[*before].is("the")).map(|_| place)
    };
    let Some(place) = ordinal(at).filter(|place| *place > 0) else { return false };
    let before = |wanted: usize| (0..at).any(|at| ordinal(at) == Some(wanted));
    before(place - 1) && !before(place)
}

/// "USD to AUD and USD to CAD": a name before the same preposition as a name before it.
fn pairs_again(values: &Values<'_>, begin: usize) -> bool {
    const BETWEEN: &[&str] = &["to", "for", "in", "at"];
    let tokens = values.tokens;
    let begin = begin + usize::from(tokens.get(begin).is_some_and(|token| token.is("the")));
    let preposition = |name: &Name| {
        let word = tokens.get(name.end).and_then(Token::word).filter(|word| BETWEEN.contains(&word.as_str()))?;
        // What is behind it is a name as well.
        let object = values.names.iter().any(|other| other.at > name.end && other.at <= name.end + 2);
        object.then_some(word)
    };
    let own = values.names.iter().find(|name| name.at == begin).and_then(preposition);
    own.is_some() && values.names.iter().filter(|name| name.end < begin).any(|name| preposition(name) == own)
}

/// The calls of a clause that comes apart: what a part does not say is as in the part before, and what the first does not
/// say as in the first that does. Nothing where the parts say different things of one call.
pub(super) fn by_parts(tokens: &[Token], calls: Vec<((usize, usize), Call)>) -> Option<(Call, Vec<Call>)> {
    // Ranges of a part become ranges of the clause.
    let moved = |from: usize, call: Call| -> Call {
        let place =
            |matched: Match| Match { tokens: matched.tokens.map(|(at, end)| (at + from, end + from)), ..matched };
        call.into_iter().map(|(name, matched)| (name, place(matched))).collect()
    };
    let calls: Vec<_> = calls.into_iter().map(|((from, _), call)| moved(from, call)).collect();
    debug_assert!(calls.iter().flat_map(Call::values).all(|m| m.tokens.is_none_or(|(_, end)| end <= tokens.len())));
    let said = |matched: &Match| matched.tokens.is_some();
    let mut call = calls.first()?.clone();
    for later in calls.iter().skip(1) {
        for (name, matched) in later {
            call.entry(name.clone()).or_insert_with(|| matched.clone());
        }
    }
    let first = call.clone();
    let mut more = Vec::new();
    for later in calls.iter().skip(1) {
        let mut next = call.clone();
        for (name, matched) in later.iter().filter(|(_, matched)| said(matched) || matched.value == Value::Bool(true)) {
            next.insert(name.clone(), matched.clone());
        }
        let values = |call: &Call| call.values().map(|m| m.value.clone()).collect::<Vec<_>>();
        if values(&next) != values(&call) {
            more.push(next.clone());
            call = next;
        }
    }
    (!more.is_empty()).then_some((first, more))
}

/// The calls behind the first.
pub(super) fn repeats(values: &Values<'_>, open: &[Profile<'_>], first: &Call) -> Vec<Call> {
    if let Some(more) = by_tuples(values, open, first) {
        return more;
    }
    let used: Vec<(usize, usize)> = first.values().filter_map(|matched| matched.tokens).collect();
    let series: Vec<Series<'_>> = open
        .iter()
        .filter(|profile| !profile.param.is_of("array") && !profile.param.is_of("boolean"))
        .filter_map(|profile| Some(series(values, profile, first.get(&profile.param.name)?, &used, open, first)))
        .filter(|series| series.values.len() > 1)
        .collect();
    let Some(count) = series.iter().map(|series| series.values.len()).max() else { return Vec::new() };
    let same = series.iter().all(|series| series.values.len() == count);
    let respectively = values.tokens.iter().any(|token: &Token| token.is("respectively"));
    // A city and its state come from one list.
    let starts: std::collections::BTreeSet<_> = series.iter().map(|series| series.values[0].tokens).collect();
    let across = starts.len() > 1 && series.iter().all(|series| series.listed) && !respectively;
    let rows: Vec<Vec<(&str, &Match)>> = if across {
        every(&series)
    } else if same {
        (0..count).map(|at| series.iter().map(|series| (series.param, &series.values[at])).collect()).collect()
    } else {
        return Vec::new();
    };
    if rows.len() > MOST {
        return Vec::new();
    }
    let call = |row: &Vec<(&str, &Match)>| {
        let mut call = first.clone();
        for (param, matched) in row {
            call.insert((*param).to_owned(), (*matched).clone());
        }
        call
    };
    rows.iter().skip(1).map(call).collect()
}

/// "The divisor of (45, 60) and (81, 27)", "3 and 4, 5 and 12": as many numbers again as the first call took from its list.
fn by_tuples(values: &Values<'_>, open: &[Profile<'_>], first: &Call) -> Option<Vec<Call>> {
    let place = |matched: &Match| values.numbers.iter().position(|n| Some((n.at, n.end)) == matched.tokens);
    let mut taken: Vec<(usize, &Profile<'_>)> = open
        .iter()
        .filter(|profile| profile.param.is_number_only())
        .filter_map(|profile| Some((place(first.get(&profile.param.name)?)?, profile)))
        .collect();
    taken.sort_by_key(|(place, _)| *place);
    let size = taken.len();
    let lists: Vec<&Vec<usize>> =
        values.lists.iter().filter(|list| list.of == Of::Numbers).map(|list| &list.items).collect();
    let own = lists.iter().position(|list| taken.iter().all(|(place, _)| list.contains(place)))?;
    let list = lists[own];
    let begins = size > 1 && taken.iter().zip(list.iter()).all(|((place, _), item)| place == item);
    let further: Vec<usize> = match lists[own..].iter().all(|list| list.len() == size) {
        _ if !begins => return None,
        true if lists.len() > own + 1 => lists[own + 1..].iter().flat_map(|list| list.iter().copied()).collect(),
        false if list.len() > size && list.len().is_multiple_of(size) => list[size..].to_vec(),
        _ => return None,
    };
    let calls: Vec<Call> = further
        .chunks(size)
        .filter_map(|chunk| {
            let mut call = first.clone();
            for (item, (_, profile)) in chunk.iter().zip(&taken) {
                call.insert(profile.param.name.clone(), number_value(values, &values.numbers[*item], profile)?);
            }
            Some(call)
        })
        .collect();
    (!calls.is_empty() && calls.len() < MOST).then_some(calls)
}

/// Every combination of the values of all series.
fn every<'s>(series: &'s [Series<'_>]) -> Vec<Vec<(&'s str, &'s Match)>> {
    series.iter().fold(vec![Vec::new()], |rows, series| {
        let with = |row: &Vec<(&'s str, &'s Match)>, matched: &'s Match| {
            let mut row = row.clone();
            row.push((series.param, matched));
            row
        };
        rows.iter().flat_map(|row| series.values.iter().map(move |matched| with(row, matched))).collect()
    })
}

/// The first value of a parameter, and those behind it that belong to the same parameter.
fn series<'p>(
    values: &Values<'_>,
    profile: &'p Profile<'_>,
    first: &Match,
    used: &[(usize, usize)],
    open: &[Profile<'_>],
    filled: &Call,
) -> Series<'p> {
    let mut series = Series { param: &profile.param.name, values: vec![first.clone()], listed: false };
    let Some((at, end)) = first.tokens else { return series };
    let options = texts::spoken(values, profile);
    if options.iter().any(|(_, range)| *range == (at, end)) {
        // "Rock and jazz": options that stand side by side.
        let joint = |token: &Token| matches!(token.piece, Piece::Mark(',')) || token.is("and") || token.is("or");
        let mut last = end;
        let mut more: Vec<&(String, (usize, usize))> = options.iter().filter(|(_, range)| range.0 >= end).collect();
        more.sort_by_key(|(_, range)| range.0);
        for (option, (from, to)) in more {
            if *from > last && values.tokens[last..*from].iter().all(joint) {
                let value = Value::from(option.as_str());
                series.values.push(Match { value, tokens: Some((*from, *to)), guessed: false });
                last = *to;
            }
        }
        series.listed = series.values.len() > 1;
        return series;
    }
    let number = values.numbers.iter().position(|number| number.at == at && number.end == end);
    let name = values.names.iter().position(|name| name.at == at && name.end == end);
    let free = |at: usize, end: usize| !overlaps(used, at, end);
    let (of, place) = match (number, name) {
        (Some(place), _) => (Of::Numbers, place),
        (None, Some(place)) => (Of::Names, place),
        (None, None) => return series,
    };
    let list = values.lists.iter().find(|list| list.of == of && list.items.contains(&place));
    if let Some(list) = list {
        let others: Vec<usize> = list.items.iter().copied().filter(|item| *item != place).collect();
        let span = |item: usize| match of {
            Of::Numbers => (values.numbers[item].at, values.numbers[item].end),
            Of::Names => (values.names[item].at, values.names[item].end),
        };
        // A list whose items fill several parameters is no list for one of them.
        if others.iter().all(|item| free(span(*item).0, span(*item).1)) {
            let more: Vec<Match> = others.iter().filter_map(|item| value(values, of, *item, profile)).collect();
            if more.len() == others.len() {
                series.values.extend(more);
                series.listed = true;
            }
        }
        return series;
    }
    match of {
        Of::Numbers => {
            let own = &values.numbers[place];
            // Of parameters that are said alike each number belongs to the one that most speaks for it.
            let here = |other: &Quantity| {
                let score = |profile: &Profile<'_>| numbers::score(values, other, profile);
                let own = score(profile);
                let rivals = open.iter().filter(|rival| filled.contains_key(&rival.param.name));
                let best = rivals.filter(|rival| rival.param.name != profile.param.name).filter_map(score);
                own.filter(|own| best.fold(f64::MIN, f64::max) < *own)
            };
            let like = |other: &&Quantity| {
                let told = here(other);
                let enough = told.is_some_and(|told| numbers_alike(own, other) || told >= SURE);
                other.at > own.at && free(other.at, other.end) && enough
            };
            let found = values.numbers.iter().filter(like).filter_map(|other| number_value(values, other, profile));
            series.values.extend(found);
        }
        Of::Names => {
            let own = &values.names[place];
            let like = |other: &&Name| other.at > own.at && free(other.at, other.end) && names_alike(own, other);
            series.values.extend(values.names.iter().filter(like).map(|other| name_value(other, profile)));
        }
    }
    series
}

fn value(values: &Values<'_>, of: Of, item: usize, profile: &Profile<'_>) -> Option<Match> {
    match of {
        Of::Numbers => number_value(values, &values.numbers[item], profile),
        Of::Names => Some(name_value(&values.names[item], profile)),
    }
}

fn number_value(values: &Values<'_>, number: &Quantity, profile: &Profile<'_>) -> Option<Match> {
    let value: Value = numbers::value(values, number, profile)?;
    Some(Match { value, tokens: Some((number.at, number.end)), guessed: false })
}

fn name_value(name: &Name, profile: &Profile<'_>) -> Match {
    Match { value: texts::value(name, profile), tokens: Some((name.at, name.end)), guessed: false }
}

/// Whether two numbers are said in the same way: the same unit, and the same word beside them.
fn numbers_alike(one: &Quantity, two: &Quantity) -> bool {
    let unit = one.unit.map(|unit| unit.measure) == two.unit.map(|unit| unit.measure) && one.is_year() == two.is_year();
    let meaning = |words: &[String]| words.iter().find(|word| super::words::means(word)).cloned();
    let before = meaning(&one.before).is_some() && meaning(&one.before) == meaning(&two.before);
    let behind = !one.behind.is_empty() && one.behind.first() == two.behind.first();
    let measured = one.unit.is_some() && one.unit_text == two.unit_text;
    unit && (before || behind || measured)
}

/// Whether two names are said in the same way: the same kind behind the same preposition, or behind the same word.
fn names_alike(one: &Name, two: &Name) -> bool {
    let kind = one.made == two.made && one.made != Made::Date && one.with_tail.is_some() == two.with_tail.is_some();
    let preposition = one.preposition.is_some() && one.preposition == two.preposition;
    let word = !one.before.is_empty() && one.before.first() == two.before.first();
    kind && (preposition || word)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let tokens = tokens(text);
        let values = Values::read(text, &tokens);
        let part = |(from, to): (usize, usize)| text[tokens[from].start..tokens[to - 1].end].to_owned();
        parts(&values).into_iter().map(part).collect()
    }

    #[test]
    fn a_clause_comes_apart_where_it_asks_for_the_same_once_more() {
        for (text, expected) in [
            ("the weather in Paris and London", 1),
            ("the rate of USD to AUD and USD to CAD", 2),
            ("a flight from Rome to Oslo, and another flight from Oslo to Bonn", 2),
            ("the sum for 3, then do the same for 4, then repeat with 5", 3),
            ("the first is 3 m long and the second is 5 m long", 2),
            ("a base of 3 and a height of 5", 1),
        ] {
            assert_eq!(said(text).len(), expected, "{text}: {:?}", said(text));
        }
    }
}
