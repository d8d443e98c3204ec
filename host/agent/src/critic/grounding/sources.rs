//! Where things may come from: what a person said, and what tools gave.

use std::cell::OnceCell;

use serde_json::Value;

use super::numbers::{adds_up, follows, in_text, same};
use super::things::{Thing, is_date};
use crate::planner::builtin::units;

/// The most numbers of results that are kept: the latest results come first.
const NUMBERS_MAX: usize = 4_000;

/// How much of one text numbers are looked for in, in bytes: a call is not to wait for all of a large file.
const NUMBER_TEXT_MAX: usize = 64 * 1024;

/// Words that dates follow from.
const DAYS: [&str; 24] = [
    "today",
    "tomorrow",
    "yesterday",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekend",
    "now",
    "morning",
    "evening",
    "tonight",
    "noon",
];

/// How a thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It stands there.
    Said,
    /// It follows from what stands there.
    Follows,
    /// It does not.
    Nowhere,
}

/// Where things may come from.
#[derive(Default)]
pub struct Sources<'s> {
    /// What a person said: the goal, answers, texts of inputs.
    said: Vec<&'s str>,
    /// What a person gave as values, and what tools gave, the latest first.
    values: Vec<&'s Value>,
    /// What tools said in words, such as why they failed.
    told: Vec<&'s str>,
    numbers: OnceCell<Vec<f64>>,
}

impl<'s> Sources<'s> {
    /// With a person's words.
    #[must_use]
    pub fn said(mut self, text: &'s str) -> Self {
        self.said.push(text);
        self
    }

    /// With a value: one that a person gave, or a result.
    #[must_use]
    pub fn value(mut self, value: &'s Value) -> Self {
        self.values.push(value);
        self
    }

    /// With the words of a tool.
    #[must_use]
    pub fn told(mut self, text: &'s str) -> Self {
        self.told.push(text);
        self
    }

    pub(super) fn find(&self, thing: &Thing, schema: Option<&Value>, name: &str) -> Found {
        match thing {
            Thing::Number { number, .. } => self.number(*number, schema, name),
            Thing::Name(text) => found(self.has(text), false),
            Thing::Date(text) => {
                let day = text.get(..10).unwrap_or(text);
                found(self.has(text), self.has(day) || self.speaks_of_days())
            }
            Thing::Path(text) => {
                let plain = text.trim_start_matches(['.', '~']).trim_matches('/');
                let parts = || plain.split('/').filter(|part| !part.is_empty()).all(|part| self.has(part));
                found(plain.is_empty() || self.has(plain), parts())
            }
            Thing::Url(text) => self.url(text),
        }
    }

    fn url(&self, text: &str) -> Found {
        let plain = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
        if self.has(text) || self.has(plain) {
            return Found::Said;
        }
        let end = plain.find(['/', '?', '#']).unwrap_or(plain.len());
        let (authority, rest) = plain.split_at(end);
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let host = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host);
        // The names of parameters and versions are the service's own and need not be said.
        let value = |part: &str| part.split_once('=').map_or(part, |(_, value)| value).to_owned();
        let parts = rest.split(['/', '?', '&', '#']).map(|part| decoded(&value(part))).filter(|part| !part.is_empty());
        let known = |part: String| {
            is_version(&part)
                || self.has(&part)
                || is_date(&part) && self.find(&Thing::Date(part.clone()), None, "") != Found::Nowhere
                || part.parse().is_ok_and(|number| self.number(number, None, "") != Found::Nowhere)
                || part.split(|c: char| !c.is_alphanumeric()).all(|one| self.has(one))
        };
        found(false, self.has(host) && parts.into_iter().all(known))
    }

    fn number(&self, number: f64, schema: Option<&Value>, name: &str) -> Found {
        if let Some(found) = self.quantity(number, schema, name) {
            return found;
        }
        // Nothing is said by "none" and "one".
        if same(number, 0.0) || same(number.abs(), 1.0) {
            return Found::Said;
        }
        let numbers = self.numbers();
        if numbers.iter().any(|known| same(*known, number)) {
            return Found::Said;
        }
        found(false, follows(number, numbers) || self.values.iter().any(|value| adds_up(number, value)))
    }

    /// Where the tool wants a unit: what a person said with a unit has to fit it.
    fn quantity(&self, number: f64, schema: Option<&Value>, name: &str) -> Option<Found> {
        let described = schema.and_then(|schema| schema.get("description")?.as_str()).and_then(units::named_in);
        let wanted = described.or_else(|| {
            let (_, last) = name.rsplit_once(['_', '-'])?;
            units::unit(last).or_else(|| units::unit(&last.to_uppercase()))
        })?;
        let mut other = false;
        for (said, unit) in self.said.iter().flat_map(|text| quantities(text)) {
            match unit.and_then(|unit| unit.in_terms_of(&wanted)) {
                Some(factor) if same(said * factor, number) => {
                    return Some(if same(factor, 1.0) { Found::Said } else { Found::Follows });
                }
                // The number is there, in another unit of the same measure: it was copied without a look at the unit.
                Some(_) if same(said, number) => other = true,
                _ if same(said, number) => return None,
                _ => {}
            }
        }
        other.then_some(Found::Nowhere)
    }

    /// Every number that is known, what a person said first.
    fn numbers(&self) -> &[f64] {
        self.numbers.get_or_init(|| {
            let mut numbers: Vec<f64> = self.said.iter().flat_map(|text| in_text(text)).collect();
            self.values.iter().for_each(|value| numbers_of(value, &mut numbers));
            numbers.extend(self.told.iter().flat_map(|text| in_text(beginning(text))));
            numbers
        })
    }

    fn speaks_of_days(&self) -> bool {
        let day = |text: &&str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
            words.any(|word| is_date(word) || DAYS.contains(&word.to_ascii_lowercase().as_str()))
        };
        self.said.iter().any(day) || self.values.iter().any(|value| strings(value, &mut |text| day(&text)))
    }

    /// Whether a text stands there as words of its own, whatever its case and however it is encoded.
    fn has(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let plain = decoded(&lower);
        let stands = |hay: &str| {
            stands_in(hay, &lower) || (plain != lower && stands_in(hay, &plain)) || {
                hay.contains('%') && stands_in(&decoded(hay), &plain)
            }
        };
        self.said.iter().chain(&self.told).any(|hay| stands(hay))
            || self.values.iter().any(|value| strings(value, &mut |hay| stands(hay)) || number_is(value, &lower))
    }
}

fn found(said: bool, follows: bool) -> Found {
    match (said, follows) {
        (true, _) => Found::Said,
        (false, true) => Found::Follows,
        (false, false) => Found::Nowhere,
    }
}

/// `v1`, `v2`: the name of an interface.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// Each number of a text with the unit behind it.
fn quantities(text: &str) -> impl Iterator<Item = (f64, Option<units::Unit>)> + '_ {
    let starts = text.char_indices().filter(|(at, c)| {
        let before = text[..*at].chars().next_back();
        c.is_ascii_digit() && !before.is_some_and(|c| c.is_alphanumeric() || c == '.')
    });
    starts.filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let digits = rest[..end].trim_end_matches('.');
        Some((digits.parse().ok()?, units::after(&rest[digits.len()..]).map(|(unit, _)| unit)))
    })
}

fn numbers_of(value: &Value, into: &mut Vec<f64>) {
    if into.len() >= NUMBERS_MAX {
        return;
    }
    match value {
        Value::Number(number) => into.extend(number.as_f64()),
        Value::String(text) => into.extend(in_text(beginning(text)).take(NUMBERS_MAX - into.len())),
        Value::Array(items) => items.iter().for_each(|item| numbers_of(item, into)),
        Value::Object(map) => map.values().for_each(|item| numbers_of(item, into)),
        Value::Bool(_) | Value::Null => {}
    }
}

/// As much of a text as numbers are looked for in.
fn beginning(text: &str) -> &str {
    let end = (0..=text.len().min(NUMBER_TEXT_MAX)).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Whether some text of the value, keys included, does.
fn strings(value: &Value, does: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => does(text),
        Value::Array(items) => items.iter().any(|item| strings(item, does)),
        Value::Object(map) => map.iter().any(|(key, item)| does(key) || strings(item, does)),
        _ => false,
    }
}

/// Whether a number of the value is written so: ids are numbers as well.
fn number_is(value: &Value, text: &str) -> bool {
    match value {
        Value::Number(number) => number.to_string() == text,
        Value::Array(items) => items.iter().any(|item| number_is(item, text)),
        Value::Object(map) => map.values().any(|item| number_is(item, text)),
        _ => false,
    }
}

/// Whether `needle`, which is in lower case, stands in the text and is no part of a longer word there.
fn stands_in(hay: &str, needle: &str) -> bool {
    if needle.is_empty() {
        return true;
    }
    let lower;
    let hay = if hay.is_ascii() && hay.bytes().all(|b| !b.is_ascii_uppercase()) {
        hay
    } else {
        lower = hay.to_lowercase();
        &lower
    };
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    hay.match_indices(needle).any(|(at, found)| {
        let (before, after) = (hay[..at].chars().next_back(), hay[at + found.len()..].chars().next());
        let (first, last) = (needle.chars().next(), needle.chars().next_back());
        !(inside(before) && inside(first) || inside(after) && inside(last))
    })
}

/// A text without its percent-encoding, where it has one.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
