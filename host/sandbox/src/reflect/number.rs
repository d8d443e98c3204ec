//! Numbers: every integer width with its range, and floats that JSON cannot write.

use serde_json::{Number, Value};
use wasmtime::component::Val;

/// The largest integer that every JSON reader keeps exactly, 2^53 - 1. Larger ones travel as strings.
pub(super) const EXACT: i128 = (1 << 53) - 1;

/// An integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Int {
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
}

impl Int {
    pub(super) fn name(self) -> &'static str {
        match self {
            Int::U8 => "u8",
            Int::U16 => "u16",
            Int::U32 => "u32",
            Int::U64 => "u64",
            Int::S8 => "s8",
            Int::S16 => "s16",
            Int::S32 => "s32",
            Int::S64 => "s64",
        }
    }

    /// The smallest and the largest value.
    pub(super) fn range(self) -> (i128, i128) {
        match self {
            Int::U8 => (0, u8::MAX.into()),
            Int::U16 => (0, u16::MAX.into()),
            Int::U32 => (0, u32::MAX.into()),
            Int::U64 => (0, u64::MAX.into()),
            Int::S8 => (i8::MIN.into(), i8::MAX.into()),
            Int::S16 => (i16::MIN.into(), i16::MAX.into()),
            Int::S32 => (i32::MIN.into(), i32::MAX.into()),
            Int::S64 => (i64::MIN.into(), i64::MAX.into()),
        }
    }

    /// Whether JSON numbers may not hold every value.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Int::U64 | Int::S64)
    }

    /// The value, or nothing if it is out of range.
    pub(super) fn val(self, number: i128) -> Option<Val> {
        Some(match self {
            Int::U8 => Val::U8(number.try_into().ok()?),
            Int::U16 => Val::U16(number.try_into().ok()?),
            Int::U32 => Val::U32(number.try_into().ok()?),
            Int::U64 => Val::U64(number.try_into().ok()?),
            Int::S8 => Val::S8(number.try_into().ok()?),
            Int::S16 => Val::S16(number.try_into().ok()?),
            Int::S32 => Val::S32(number.try_into().ok()?),
            Int::S64 => Val::S64(number.try_into().ok()?),
        })
    }
}

/// An integer, written as a number or as a string of digits. `3.0` is an integer as well; a float beyond 2^53 is
/// not, because its digits may already be lost.
pub(super) fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => {
            number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from)).or_else(|| {
                number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT as f64).map(|f| f as i128)
            })
        }
        Value::String(text) => integer_text(text),
        _ => None,
    }
}

/// An integer written in digits.
pub(super) fn integer_text(text: &str) -> Option<i128> {
    text.trim().parse().ok()
}

/// A float, written as a number or as a string: that is how `NaN` and the infinities travel.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The nearest `f32`, or nothing where a finite number is beyond its range.
pub(super) fn narrow(float: f64) -> Option<f32> {
    let narrow = float as f32;
    (narrow.is_infinite() == float.is_infinite()).then_some(narrow)
}

/// The integer inside a value of any integer type.
pub(super) fn integer_of(val: &Val) -> Option<i128> {
    Some(match val {
        Val::U8(number) => (*number).into(),
        Val::U16(number) => (*number).into(),
        Val::U32(number) => (*number).into(),
        Val::U64(number) => (*number).into(),
        Val::S8(number) => (*number).into(),
        Val::S16(number) => (*number).into(),
        Val::S32(number) => (*number).into(),
        Val::S64(number) => (*number).into(),
        _ => return None,
    })
}

/// The canonical JSON of an integer: a number where every reader keeps it exactly, else its digits.
pub(super) fn integer_json(number: i128) -> Value {
    if number.abs() > EXACT {
        return Value::String(number.to_string());
    }
    // Within 2^53 either conversion holds.
    match u64::try_from(number) {
        Ok(number) => Value::Number(number.into()),
        Err(_) => Value::Number((number as i64).into()),
    }
}

/// The canonical JSON of a float.
pub(super) fn float_json(float: f64) -> Value {
    match Number::from_f64(float) {
        Some(number) => Value::Number(number),
        None if float.is_nan() => Value::String("NaN".to_owned()),
        None if float > 0.0 => Value::String("Infinity".to_owned()),
        None => Value::String("-Infinity".to_owned()),
    }
}

/// The canonical JSON of an `f32`: `0.1` is written `0.1`, not as the sixteen digits of its widening.
pub(super) fn narrow_json(float: f32) -> Value {
    if !float.is_finite() {
        return float_json(float.into());
    }
    let short: f64 = float.to_string().parse().unwrap_or(float.into());
    let same = (short as f32).to_bits() == float.to_bits();
    float_json(if same { short } else { float.into() })
}
