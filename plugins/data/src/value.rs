//! The value in between: made from JSON, CSV, YAML or TOML, worked on by jq, and written again.

use std::borrow::Cow;

use jaq_json::{Map, Num, Val};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// The largest integer up to which every integer is a 64-bit floating-point number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value as JSON.
///
/// As jq does it, a floating-point number without a fraction is written as an integer.
#[derive(Debug)]
pub(crate) struct Json(pub(crate) Val);

/// A value as JSON in which `1.0` stays `1.0`, as a conversion wants it.
pub(crate) struct Faithful<'a>(pub(crate) &'a Val);

/// A number as the formats know it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// Integers of more than 128 bits, which only a jq program can make, become floating-point numbers.
    pub(crate) fn of(number: &Num) -> Self {
        let float = |text: &str| Self::Float(text.parse().unwrap_or(f64::NAN));
        match number {
            Num::Int(integer) => i128::try_from(*integer).map_or_else(|_| float(&integer.to_string()), Self::Integer),
            Num::BigInt(integer) => {
                let text = integer.to_string();
                text.parse().map_or_else(|_| float(&text), Self::Integer)
            }
            Num::Float(number) => Self::Float(*number),
            Num::Dec(text) => float(text),
        }
    }
}

/// A text value.
pub(crate) fn text(text: impl Into<String>) -> Val {
    Val::utf8_str(text.into().into_bytes())
}

/// An integer of JSON, of any sign.
pub(crate) fn integer(digits: &str) -> Option<Val> {
    let integer: i128 = digits.parse().ok()?;
    Some(Val::Num(Num::from_integral(integer)))
}

/// An object from its members, in their order.
pub(crate) fn object(members: impl IntoIterator<Item = (String, Val)>) -> Val {
    let members: Map = members.into_iter().map(|(key, member)| (text(key), member)).collect();
    Val::obj(members)
}

/// The text of a string value; bytes that are not UTF-8 are replaced.
pub(crate) fn as_text(value: &Val) -> Option<Cow<'_, str>> {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => Some(String::from_utf8_lossy(bytes)),
        _ => None,
    }
}

/// The kind of a value, for messages.
pub(crate) fn kind(value: &Val) -> &'static str {
    match value {
        Val::Null => "null",
        Val::Bool(_) => "a boolean",
        Val::Num(_) => "a number",
        Val::TStr(_) | Val::BStr(_) => "a text",
        Val::Arr(_) => "an array",
        Val::Obj(_) => "an object",
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Val::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { value: &self.0, like_jq: true }.serialize(serializer)
    }
}

impl Serialize for Faithful<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { value: self.0, like_jq: false }.serialize(serializer)
    }
}

struct Written<'a> {
    value: &'a Val,
    like_jq: bool,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = |value| Self { value, like_jq: self.like_jq };
        match self.value {
            Val::Null => serializer.serialize_unit(),
            Val::Bool(value) => serializer.serialize_bool(*value),
            Val::Num(number) => self.number(Number::of(number), serializer),
            Val::TStr(bytes) | Val::BStr(bytes) => serializer.serialize_str(&String::from_utf8_lossy(bytes)),
            Val::Arr(items) => serializer.collect_seq(items.iter().map(inner)),
            Val::Obj(members) => serializer.collect_map(members.iter().map(|(key, member)| {
                // Keys were checked to be text.
                (as_text(key).unwrap_or_default(), inner(member))
            })),
        }
    }
}

impl Written<'_> {
    fn number<S: Serializer>(&self, number: Number, serializer: S) -> Result<S::Ok, S::Error> {
        match number {
            Number::Integer(integer) => match (i64::try_from(integer), u64::try_from(integer)) {
                (Ok(integer), _) => serializer.serialize_i64(integer),
                (_, Ok(integer)) => serializer.serialize_u64(integer),
                _ => serializer.serialize_i128(integer),
            },
            Number::Float(number) if number.is_nan() => serializer.serialize_unit(),
            // JSON has no infinity; jq writes the number that is nearest.
            Number::Float(number) if number.is_infinite() => serializer.serialize_f64(f64::MAX.copysign(number)),
            Number::Float(number) if self.like_jq && number.fract() == 0.0 && number.abs() <= EXACT =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and fits")]
                serializer.serialize_i64(number as i64)
            }
            Number::Float(number) => serializer.serialize_f64(number),
        }
    }
}
