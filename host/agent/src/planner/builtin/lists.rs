//! Lists in a clause: `3, 4 and 5`, `Paris, London and Rome`, `[1, 2]`; and which list parameter gets which.

use serde_json::Value;

use super::matching::{Match, Values, of_kind, overlaps};
use super::names::{Made, Name};
use super::profile::{Profile, speaks_of};
use super::quantity::{Quantity, json};
use super::texts;
use super::tokens::{Kind, Piece, Token};
use super::words::stem;

/// What a list is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Numbers,
    Names,
}

/// A list of two or more.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) of: Of,
    /// The places of its items among the numbers or names of the clause.
    pub(super) items: Vec<usize>,
    /// Its first token and the one behind its last.
    pub(super) at: usize,
    pub(super) end: usize,
}

/// All lists of a clause.
pub(super) fn lists(tokens: &[Token], numbers: &[Quantity], names: &[Name]) -> Vec<List> {
    let numbers: Vec<(usize, usize)> = numbers.iter().map(|number| (number.at, number.end)).collect();
    let names: Vec<(usize, usize)> =
        names.iter().map(|name| (name.at, if name.made == Made::Date { name.at } else { name.end })).collect();
    let mut found = runs(tokens, &numbers, Of::Numbers);
    found.extend(runs(tokens, &names, Of::Names));
    found
}

fn runs(tokens: &[Token], spans: &[(usize, usize)], of: Of) -> Vec<List> {
    let joined = |one: &(usize, usize), two: &(usize, usize)| {
        let joint = |token: &Token| {
            matches!(token.piece, Piece::Mark(',' | '&' | '$' | '€' | '£'))
                || ["and", "or", "the", "a", "an", "also"].iter().any(|word| token.is(word))
        };
        let speaks = |token: &Token| matches!(token.piece, Piece::Mark(',' | '&')) || token.is("and") || token.is("or");
        one.1 < two.0 && tokens[one.1..two.0].iter().all(joint) && tokens[one.1..two.0].iter().any(speaks)
    };
    let mut found: Vec<List> = Vec::new();
    for (place, span) in spans.iter().enumerate().filter(|(_, span)| span.0 < span.1) {
        match found.last_mut().filter(|last| place > 0 && last.items.last() == Some(&(place - 1))) {
            Some(last) if joined(&spans[place - 1], span) => {
                last.items.push(place);
                last.end = span.1;
            }
            _ => found.push(List { of, items: vec![place], at: span.0, end: span.1 }),
        }
    }
    found.retain(|list| list.items.len() > 1);
    found
}

/// What a list parameter gets: a list in brackets, a list in words, the options that are spoken of, or one item alone.
pub(super) fn for_param(values: &Values<'_>, profile: &Profile<'_>, used: &[(usize, usize)]) -> Option<Match> {
    let param = profile.param;
    let enough = if param.required { 0.0 } else { 1.5 };
    let fits = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(|item| takes(profile, item)));
    let written = of_kind(values, Kind::Json, used).filter(|(_, literal)| fits(&literal.value));
    let written = written.map(|(at, literal)| (told(values, at, profile), literal.value.clone(), (at, at + 1)));
    let spoken = values.lists.iter().filter(|list| !overlaps(used, list.at, list.end)).filter_map(|list| {
        let items: Vec<Value> = list.items.iter().map(|item| item_value(values, list.of, *item)).collect();
        let value = Value::Array(items);
        fits(&value).then(|| (told(values, list.at, profile), value, (list.at, list.end)))
    });
    let mut all: Vec<(f64, Value, (usize, usize))> =
        written.chain(spoken).filter(|(told, ..)| *told >= enough).collect();
    // The best told of; of equal ones the first.
    all.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    let range = || {
        let name = ["range", "interval", "limit", "bound"];
        if !param.is(&name) {
            return None;
        }
        let ends = values.numbers.windows(2).find(|pair| {
            let joint = values.tokens[pair[0].end..pair[1].at].iter().any(|token| token.is("to") || token.is("and"));
            joint && !overlaps(used, pair[0].at, pair[1].end)
        })?;
        let value = Value::Array(ends.iter().map(|number| json(number.value)).collect());
        fits(&value).then(|| Match { value, tokens: Some((ends[0].at, ends[1].end)), guessed: false })
    };
    let listed = all.into_iter().next().map(|(_, value, tokens)| Match { value, tokens: Some(tokens), guessed: false });
    let of_text = profile.param.items.iter().any(|kind| kind == "string");
    // Items of a fixed choice are those and nothing else.
    let choices = &param.item_choices;
    if !choices.is_empty() {
        let found = texts::choices_spoken(values, choices);
        return (!found.is_empty()).then(|| Match { value: Value::from(found), tokens: None, guessed: false });
    }
    let options = || Some(texts::options_spoken(values, profile)).filter(|found| of_text && !found.is_empty());
    let chosen = || options().map(|found| Match { value: Value::from(found), tokens: None, guessed: false });
    let one_name = || {
        let free = values.names.iter().filter(|name| !overlaps(used, name.at, name.end) && name.made != Made::Date);
        let scored = free.filter_map(|name| Some((texts::score(values, name, profile)?, name)));
        let (_, name) = scored.filter(|(score, _)| *score >= 4.5 && of_text).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        let value = Value::from(vec![name.text.clone()]);
        Some(Match { value, tokens: Some((name.at, name.end)), guessed: false })
    };
    listed.or_else(range).or_else(chosen).or_else(one_name)
}

fn takes(profile: &Profile<'_>, item: &Value) -> bool {
    let kinds = &profile.param.items;
    let is = |kind: &str| kinds.is_empty() || kinds.iter().any(|own| own == kind);
    match item {
        Value::Number(number) => is("number") || (is("integer") && !number.is_f64()),
        Value::String(_) => is("string"),
        Value::Array(_) => is("array"),
        Value::Object(_) => is("object"),
        Value::Bool(_) => is("boolean"),
        Value::Null => false,
    }
}

fn item_value(values: &Values<'_>, of: Of, item: usize) -> Value {
    match of {
        Of::Numbers => values.numbers.get(item).map_or(Value::Null, |number| json(number.value)),
        Of::Names => values.names.get(item).map_or(Value::Null, |name| Value::from(name.text.clone())),
    }
}

/// What the words before a list say for a parameter.
fn told(values: &Values<'_>, at: usize, profile: &Profile<'_>) -> f64 {
    let near = values.tokens[..at].iter().rev().take(6).take_while(|token| token.literal().is_none());
    let spoken = near.enumerate();
    spoken
        .filter_map(|(far, token)| Some((far, stem(&token.word()?))))
        .map(|(far, word)| {
            let near = 0.8_f64.powi(far as i32);
            if profile.param.words.iter().any(|own| speaks_of(&word, own)) {
                3.0 * near
            } else if profile.about.contains(&word) {
                near
            } else {
                0.0
            }
        })
        .sum()
}
