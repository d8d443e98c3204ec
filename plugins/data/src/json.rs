//! JSON in and out, without loss.

use std::fmt;

use jaq_json::{Num, Val, read};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toolcrib_sdk::ToolError;

use crate::limits::{Sink, check_depth};

/// Below this, a float without a fraction is a whole number exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads one value or several after each other.
pub(crate) fn read(text: &str) -> Result<Vec<Val>, ToolError> {
    // Twice: serde knows lines, columns, depth and the standard; the other reader keeps numbers exact.
    for checked in serde_json::Deserializer::from_str(text).into_iter::<Checked>() {
        checked.map_err(|error| ToolError::invalid_arguments(format!("not JSON: {error}")))?;
    }
    let values: Result<Vec<Val>, _> = read::parse_many(text.as_bytes()).collect();
    let values = values.map_err(|error| ToolError::invalid_arguments(format!("not JSON: {error}")))?;
    if values.is_empty() {
        return Err(ToolError::invalid_arguments("not JSON: there is nothing but white space"));
    }
    Ok(values)
}

/// Writes on one line.
pub(crate) fn write(value: &Val) -> Result<String, ToolError> {
    let mut sink = Sink::default();
    put(&mut sink, value, None, 0)?;
    Ok(sink.finish())
}

/// Writes with two spaces of indentation.
pub(crate) fn write_pretty(value: &Val) -> Result<String, ToolError> {
    let mut sink = Sink::default();
    put(&mut sink, value, Some(2), 0)?;
    sink.push("\n")?;
    Ok(sink.finish())
}

fn put(sink: &mut Sink, value: &Val, indent: Option<usize>, depth: usize) -> Result<(), ToolError> {
    check_depth(depth)?;
    match value {
        Val::Null => sink.push("null"),
        Val::Bool(true) => sink.push("true"),
        Val::Bool(false) => sink.push("false"),
        Val::Num(number) => sink.push(&self::number(number)),
        Val::TStr(bytes) | Val::BStr(bytes) => sink.push(&quoted(&String::from_utf8_lossy(bytes))),
        Val::Arr(items) => {
            sink.push("[")?;
            for (at, item) in items.iter().enumerate() {
                separate(sink, at, indent, depth)?;
                put(sink, item, indent, depth + 1)?;
            }
            end(sink, items.is_empty(), indent, depth)?;
            sink.push("]")
        }
        Val::Obj(members) => {
            sink.push("{")?;
            for (at, (key, item)) in members.iter().enumerate() {
                separate(sink, at, indent, depth)?;
                sink.push(&quoted(&text_of(key)?))?;
                sink.push(if indent.is_some() { ": " } else { ":" })?;
                put(sink, item, indent, depth + 1)?;
            }
            end(sink, members.is_empty(), indent, depth)?;
            sink.push("}")
        }
    }
}

fn separate(sink: &mut Sink, at: usize, indent: Option<usize>, depth: usize) -> Result<(), ToolError> {
    if at > 0 {
        sink.push(",")?;
    }
    line(sink, indent, depth + 1)
}

fn end(sink: &mut Sink, empty: bool, indent: Option<usize>, depth: usize) -> Result<(), ToolError> {
    if empty {
        return Ok(());
    }
    line(sink, indent, depth)
}

fn line(sink: &mut Sink, indent: Option<usize>, depth: usize) -> Result<(), ToolError> {
    let Some(indent) = indent else {
        return Ok(());
    };
    sink.push("\n")?;
    sink.indent(indent * depth)
}

/// A number as JSON has it: what is not a number is null, as jq writes it.
pub(crate) fn number(number: &Num) -> String {
    match number {
        Num::Float(float) if !float.is_finite() => "null".to_owned(),
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
        Num::Float(float) if float.fract() == 0.0 && float.abs() < EXACT => (*float as i64).to_string(),
        other => other.to_string(),
    }
}

/// A string with quotes and escapes.
pub(crate) fn quoted(text: &str) -> String {
    // A string is always serialisable.
    serde_json::to_string(text).unwrap_or_default()
}

/// A scalar, or anything as JSON: for keys and cells, which are text in every format.
pub(crate) fn text_of(value: &Val) -> Result<String, ToolError> {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        other => write(other),
    }
}

/// A number as text, read exactly, where it is one by the grammar of JSON.
pub(crate) fn parse_number(text: &str) -> Option<Num> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = unsigned.len() - unsigned.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let leading_zero = digits > 1 && unsigned.starts_with('0');
    if digits == 0 || leading_zero || !is_tail(&unsigned[digits..]) {
        return None;
    }
    read::parse_single_num(text.as_bytes())
}

/// Fraction and exponent of a number, both optional.
fn is_tail(text: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (fraction, exponent) = match text.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (text, None),
    };
    let fraction_fits = fraction.is_empty() || fraction.strip_prefix('.').is_some_and(all_digits);
    let exponent_fits =
        exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    fraction_fits && exponent_fits
}

/// Reads any JSON and keeps nothing: for the errors, and for the limit of serde on depth.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
