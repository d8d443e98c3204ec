//! Numbers as JSON has them: a whole number and a fraction compare by value, whatever each was written as.

use std::cmp::Ordering;

/// A whole number of at most 64 bits, with or without sign, or a fraction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(i128),
    Fraction(f64),
}

/// The largest power of two that every fraction below it can be compared exactly as a whole number.
const EXACT: f64 = (1u64 << 63) as f64 * 4.0;

impl Number {
    pub(crate) fn of_json(number: &serde_json::Number) -> Self {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map_or_else(|| Self::Fraction(number.as_f64().unwrap_or(f64::NAN)), Self::Whole)
    }

    /// The whole number, if it fits the 64 bits that CEL has for one.
    pub(crate) fn whole(value: i128) -> Option<Self> {
        (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(Self::Whole(value))
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Fraction(fraction) => fraction,
        }
    }

    /// The order of two numbers; none where one is not a number.
    pub(crate) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(two)) => Some(one.cmp(&two)),
            (Self::Fraction(one), Self::Fraction(two)) => one.partial_cmp(&two),
            (Self::Whole(whole), Self::Fraction(fraction)) => against(whole, fraction),
            (Self::Fraction(fraction), Self::Whole(whole)) => against(whole, fraction).map(Ordering::reverse),
        }
    }
}

/// Compares exactly: as fractions, large whole numbers would fall together.
fn against(whole: i128, fraction: f64) -> Option<Ordering> {
    match fraction {
        _ if fraction.is_nan() => None,
        _ if fraction >= EXACT => Some(Ordering::Less),
        _ if fraction <= -EXACT => Some(Ordering::Greater),
        _ => {
            let floor = fraction.floor();
            Some(whole.cmp(&(floor as i128)).then(if fraction > floor { Ordering::Less } else { Ordering::Equal }))
        }
    }
}
