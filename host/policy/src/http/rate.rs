//! How often a line allows a request: `10 per minute`.

use std::fmt;
use std::time::Duration;

use crate::line::LineError;
use crate::names::shortened;

/// So many requests in so much time, over all calls of the plugin on this installation. They may come all at once; what was
/// spent comes back evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    per: Period,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Period {
    Second,
    Minute,
    Hour,
    Day,
}

impl Rate {
    /// Reads `10 per minute`: a whole number above zero, and `second`, `minute`, `hour` or `day`.
    pub(crate) fn parse(text: &str) -> Result<Self, LineError> {
        let wrong = || LineError::Rate(shortened(text.trim()));
        let words: Vec<&str> = text.split_whitespace().collect();
        let [count, "per", per] = words[..] else {
            return Err(wrong());
        };
        let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(wrong());
        }
        let count: u32 = count.parse().map_err(|_| LineError::RateTooHigh(shortened(text.trim())))?;
        let per = match per {
            "second" => Period::Second,
            "minute" => Period::Minute,
            "hour" => Period::Hour,
            "day" => Period::Day,
            _ => return Err(wrong()),
        };
        if count == 0 { Err(wrong()) } else { Ok(Self { count, per }) }
    }

    /// Whether a text is meant as a rate, right or wrong: `per` is one of its words.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.split_whitespace().any(|word| word == "per")
    }

    /// How many.
    pub fn count(self) -> u32 {
        self.count
    }

    /// In how much time.
    pub fn period(self) -> Duration {
        Duration::from_secs(match self.per {
            Period::Second => 1,
            Period::Minute => 60,
            Period::Hour => 60 * 60,
            Period::Day => 24 * 60 * 60,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Period::Second => "second",
            Period::Minute => "minute",
            Period::Hour => "hour",
            Period::Day => "day",
        };
        write!(f, "{} per {per}", self.count)
    }
}
