//! Reads TOML into checked values with the place of each, so that every complaint points at its line and column.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use crate::error::{Place, PolicyError, PolicyProblem};
use crate::line::LineError;
use crate::names::{NAME_MAX, shortened};

/// The largest policy file, in bytes. A larger one is not something a person wrote or can review.
pub(crate) const FILE_MAX: usize = 1024 * 1024;

/// The text that places are found in.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) origin: &'a str,
}

impl<'a> Source<'a> {
    /// The table that the text is.
    pub(crate) fn parse(self) -> Result<Spanned<DeTable<'a>>, PolicyError> {
        if self.text.len() > FILE_MAX {
            return Err(PolicyProblem::TooLarge(FILE_MAX).at(self.whole()));
        }
        DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or_else(|| self.whole(), |span| self.place(span));
            let found = error.span().and_then(|span| self.text.get(span)).unwrap_or_default();
            let mut message = error.message().trim().replace('\n', ", ");
            if !found.trim().is_empty() && found.len() <= NAME_MAX {
                message = format!("{message}: `{}`", shortened(found.trim()));
            }
            PolicyProblem::Syntax(message).at(at)
        })
    }

    /// The file as a whole.
    pub(crate) fn whole(self) -> Place {
        Place { origin: self.origin.to_owned(), line: 0, column: 0 }
    }

    fn place(self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { origin: self.origin.to_owned(), line, column }
    }
}

/// A value with its key and place.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    source: Source<'a>,
    key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

/// A table whose keys are taken one by one; what is not taken is unknown.
pub(crate) struct Table<'a> {
    source: Source<'a>,
    /// What the table is called in messages.
    name: String,
    entries: &'a DeTable<'a>,
    known: BTreeSet<&'static str>,
}

impl<'a> Table<'a> {
    pub(crate) fn root(source: Source<'a>, entries: &'a DeTable<'a>) -> Self {
        Self { source, name: "the file".to_owned(), entries, known: BTreeSet::new() }
    }

    /// The value of `key`, if it is there. The key counts as known from here on.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.known.insert(key);
        let (found, value) = self.entries.iter().find(|(found, _)| found.get_ref() == key)?;
        Some(Node { source: self.source, key: found.get_ref(), value })
    }

    /// Every entry, where the keys are names that someone chose.
    pub(crate) fn all(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let source = self.source;
        self.entries.iter().map(move |(key, value)| Node { source, key: key.get_ref(), value })
    }

    /// Refuses every key that was not taken.
    pub(crate) fn finish(self) -> Result<(), PolicyError> {
        self.finish_or(|_| None)
    }

    /// Refuses every key that was not taken; `meant` may know better than the nearest key what somebody meant.
    pub(crate) fn finish_or(self, meant: impl Fn(Node<'a>) -> Option<String>) -> Result<(), PolicyError> {
        let known: Vec<&str> = self.known.iter().copied().collect();
        self.refuse_unknown(&known, meant)
    }

    /// Refuses every key that is none of `known`, before a key that it was written for is missed.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), PolicyError> {
        self.refuse_unknown(known, |_| None)
    }

    fn refuse_unknown(&self, known: &[&str], meant: impl Fn(Node<'a>) -> Option<String>) -> Result<(), PolicyError> {
        let unknown = self.entries.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref()));
        // The first in the file, not in the alphabet.
        let Some((key, value)) = unknown.min_by_key(|(key, _)| key.span().start) else {
            return Ok(());
        };
        let node = Node { source: self.source, key: key.get_ref(), value };
        let nearest = meant(node).or_else(|| nearest(key.get_ref(), known.iter().copied()));
        let problem = PolicyProblem::UnknownKey { key: shortened(key.get_ref()), table: self.name.clone(), nearest };
        Err(problem.at(self.source.place(key.span())))
    }
}

/// The known word nearest to `word`, if it is near: what a person may have meant.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('_', "-");
    let scored = known.map(|known| (strsim::jaro_winkler(&word, known), known));
    let best = scored.max_by(|one, two| one.0.total_cmp(&two.0))?;
    (best.0 > 0.75).then(|| best.1.to_owned())
}

impl<'a> Node<'a> {
    pub(crate) fn key(&self) -> &'a str {
        self.key
    }

    pub(crate) fn place(&self) -> Place {
        self.source.place(self.value.span())
    }

    fn wrong_type(&self, expected: &'static str) -> PolicyError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        PolicyProblem::WrongType { key: shortened(self.key), found, expected }.at(self.place())
    }

    /// A complaint about the value.
    pub(crate) fn wrong(&self, value: &str, problem: impl ToString) -> PolicyError {
        let (key, value) = (shortened(self.key), shortened(value));
        PolicyProblem::Value { key, value, problem: problem.to_string() }.at(self.place())
    }

    pub(crate) fn text(&self) -> Result<&'a str, PolicyError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type("a string")),
        }
    }

    /// A quantity: a string with a unit, or a plain number.
    pub(crate) fn quantity(&self) -> Result<&'a str, PolicyError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str()),
            _ => Err(self.wrong_type("a number, or a string with a unit")),
        }
    }

    /// A decimal number as it stands in the file, with or without quotes: whoever reads it loses no digit.
    pub(crate) fn decimal(&self) -> Result<&'a str, PolicyError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str()),
            DeValue::Float(number) => Ok(number.as_str()),
            _ => Err(self.wrong_type("a number")),
        }
    }

    pub(crate) fn boolean(&self) -> Result<bool, PolicyError> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            DeValue::String(text) if matches!(text.as_ref(), "true" | "false") => {
                Err(self.wrong_type("`true` or `false`: write it without quotes"))
            }
            _ => Err(self.wrong_type("`true` or `false`")),
        }
    }

    /// The value as it stands in the file, quotes included.
    pub(crate) fn raw(&self) -> &'a str {
        self.source.text.get(self.value.span()).unwrap_or_default()
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Table(_))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Array(_))
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    pub(crate) fn table(&self, name: String) -> Result<Table<'a>, PolicyError> {
        match self.value.get_ref() {
            DeValue::Table(entries) => Ok(Table { source: self.source, name, entries, known: BTreeSet::new() }),
            _ => Err(self.wrong_type("a table")),
        }
    }

    /// A date, a time, or both.
    pub(crate) fn date(&self) -> Result<Datetime, PolicyError> {
        match self.value.get_ref() {
            DeValue::Datetime(date) => Ok(*date),
            DeValue::String(_) => Err(self.wrong_type("a date: write it without quotes, such as 2027-01-31")),
            _ => Err(self.wrong_type("a date")),
        }
    }

    /// The value as JSON, a date as text.
    pub(crate) fn json(&self) -> Result<Json, PolicyError> {
        let within = |value: &'a Spanned<DeValue<'a>>| Node { value, ..*self };
        Ok(match self.value.get_ref() {
            DeValue::String(text) => Json::from(text.as_ref()),
            DeValue::Boolean(value) => Json::from(*value),
            DeValue::Datetime(date) => Json::from(date.to_string()),
            DeValue::Integer(number) => {
                let signed = i64::from_str_radix(number.as_str(), number.radix()).map(Json::from);
                signed.map_err(|_| self.wrong(number.as_str(), "the number does not fit 64 bits"))?
            }
            DeValue::Float(number) => {
                let value = number.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                Json::Number(value.ok_or_else(|| self.wrong(number.as_str(), "JSON has no such number"))?)
            }
            DeValue::Array(items) => items.iter().map(|item| within(item).json()).collect::<Result<Json, _>>()?,
            DeValue::Table(entries) => {
                let field = |(key, value): (&'a Spanned<_>, _)| -> Result<(String, Json), PolicyError> {
                    let key: &std::borrow::Cow<'a, str> = key.get_ref();
                    Ok((key.to_string(), within(value).json()?))
                };
                Json::Object(entries.iter().map(field).collect::<Result<_, _>>()?)
            }
        })
    }

    /// The entries of a list, each under the key of the list.
    pub(crate) fn items(&self) -> Result<Vec<Node<'a>>, PolicyError> {
        match self.value.get_ref() {
            DeValue::Array(items) => Ok(items.iter().map(|value| Node { value, ..*self }).collect()),
            _ => Err(self.wrong_type("a list")),
        }
    }

    /// A list of tables, each with its place, all called `name` in messages.
    pub(crate) fn tables(&self, name: &str) -> Result<Vec<(Node<'a>, Table<'a>)>, PolicyError> {
        self.items()?.into_iter().map(|item| Ok((item, item.table(name.to_owned())?))).collect()
    }

    /// A list of lines, each read by `parse`.
    pub(crate) fn lines<T>(&self, parse: impl Fn(&str) -> Result<T, LineError>) -> Result<Vec<T>, PolicyError> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return Err(self.wrong_type("a list of strings"));
        };
        let line = |value: &'a Spanned<DeValue<'a>>| {
            let item = Node { value, ..*self };
            let text = item.text()?;
            parse(text).map_err(|source| {
                PolicyProblem::Line { key: shortened(self.key), line: shortened(text), source }.at(item.place())
            })
        };
        items.iter().map(line).collect()
    }
}
