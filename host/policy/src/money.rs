//! Money, in billionths of whatever currency the operator names: sums are exact, and nothing is ever rounded down.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many parts the unit of the currency has.
const PARTS: u64 = 1_000_000_000;

/// The digits behind the point that an amount can have.
const DIGITS: usize = 9;

/// An amount of money. It is written as a decimal number in a text (`"0.0021"`), which no reader turns into a float.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(u64);

/// A text that is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// It is no decimal number.
    #[error("write an amount such as `3`, `0.50` or `0.0021`, without the currency")]
    Malformed,
    /// It is finer than what can be counted.
    #[error("an amount has at most {DIGITS} digits behind the point")]
    TooFine,
    /// It does not fit 64 bits.
    #[error("the amount is too large")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many billionths of the currency's unit.
    pub const fn from_nano(nano: u64) -> Self {
        Self(nano)
    }

    /// The billionths of the currency's unit.
    pub const fn nano(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// The sum; the largest amount where it does not fit, so that no sum ever looks affordable by wrapping.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left; nothing where `other` is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = self.plus(other);
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let text = text.trim();
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(MoneyError::Malformed);
        }
        let part = part.trim_end_matches('0');
        if part.len() > DIGITS {
            return Err(MoneyError::TooFine);
        }
        let nano = format!("{part:0<DIGITS$}").parse::<u64>().map_err(|_| MoneyError::Malformed)?;
        let whole = whole.parse::<u64>().map_err(|_| MoneyError::TooLarge)?;
        let sum = whole.checked_mul(PARTS).and_then(|whole| whole.checked_add(nano));
        sum.map(Self).ok_or(MoneyError::TooLarge)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / PARTS, self.0 % PARTS);
        let part = format!("{part:0DIGITS$}");
        // Two digits are how people write money; more only where they say something.
        let shown = part.trim_end_matches('0');
        write!(f, "{whole}.{shown:0<2}")
    }
}

impl TryFrom<String> for Money {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_exactly_or_not_at_all() {
        let nano = |text: &str| text.parse::<Money>().map(Money::nano);
        assert_eq!(nano("3"), Ok(3_000_000_000));
        assert_eq!(nano(" 0.50 "), Ok(500_000_000));
        assert_eq!(nano("0.000000001"), Ok(1));
        assert_eq!(nano("1.1000000000000"), Ok(1_100_000_000));
        assert_eq!(nano("18446744073.709551615"), Ok(u64::MAX));
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1 EUR", "1.2.3", "٣", "inf", "NaN"] {
            assert_eq!(nano(bad), Err(MoneyError::Malformed), "{bad}");
        }
        assert_eq!(nano("0.0000000001"), Err(MoneyError::TooFine));
        assert_eq!(nano("18446744073.709551616"), Err(MoneyError::TooLarge));
        assert_eq!(nano("99999999999999999999"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for nano in [0, 1, 10, 500_000_000, 3_000_000_000, 12_345_678_901, u64::MAX] {
            let money = Money::from_nano(nano);
            assert_eq!(money.to_string().parse(), Ok(money));
            let json = serde_json::to_string(&money).unwrap();
            assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }
        assert_eq!(Money::from_nano(500_000_000).to_string(), "0.50");
        assert_eq!(Money::from_nano(2_100_000).to_string(), "0.0021");
        assert!(serde_json::from_str::<Money>("0.5").is_err());
    }

    #[test]
    fn no_sum_wraps() {
        let most = Money::from_nano(u64::MAX);
        assert_eq!(most.plus(Money::from_nano(1)), most);
        assert_eq!(Money::ZERO.minus(most), Money::ZERO);
    }
}
