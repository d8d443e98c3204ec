//! Points in time, as the clock of the writing machine told them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// Microseconds since 1970-01-01T00:00:00Z.
///
/// For people and for pruning only: the clock of a machine can be set back, so events are ordered by their
/// [`Seq`](crate::Seq), never by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMicros(i64);

impl UnixMicros {
    /// The point this many microseconds after (or, negative, before) the epoch.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// What the clock says.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Reads a day (`2026-09-21`, its beginning in UTC) or a point in time (RFC 3339, `2026-09-21T14:13:20Z`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let day = format_description!("[year]-[month]-[day]");
        let time = match Date::parse(text, day) {
            Ok(day) => day.midnight().assume_utc(),
            Err(_) => OffsetDateTime::parse(text, &Rfc3339).ok()?,
        };
        i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).ok().map(Self)
    }

    /// The point this much earlier.
    #[must_use]
    pub fn before(self, gap: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(gap.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The number of microseconds.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<SystemTime> for UnixMicros {
    fn from(time: SystemTime) -> Self {
        let micros = |gap: Duration| i64::try_from(gap.as_micros()).unwrap_or(i64::MAX);
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => -micros(before.duration()),
        })
    }
}

/// RFC 3339 in UTC, or the bare number where the calendar ends.
impl fmt::Display for UnixMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok());
        match text {
            Some(text) => f.pad(&text),
            None => write!(f, "{} µs", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_as_a_date_and_never_panics() {
        assert_eq!(UnixMicros::new(1_790_000_000_000_000).to_string(), "2026-09-21T14:13:20Z");
        assert_eq!(UnixMicros::new(-1_000_000).to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(UnixMicros::new(i64::MAX).to_string(), format!("{} µs", i64::MAX));
        for text in ["2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00"] {
            assert_eq!(UnixMicros::parse(text), Some(UnixMicros::new(1_790_000_000_000_000)), "{text}");
        }
        assert_eq!(UnixMicros::parse(" 1970-01-02 "), Some(UnixMicros::new(86_400_000_000)));
        for text in ["", "yesterday", "2026-13-01", "2026-09-21T14:13:20", "21.9.2026"] {
            assert_eq!(UnixMicros::parse(text), None, "{text}");
        }
        let before = UNIX_EPOCH - Duration::from_micros(5);
        assert_eq!(UnixMicros::from(before).get(), -5);
    }
}
