//! How a moment is written.

use jiff::ZonedDateTime;
use jiff::civil::Weekday;
use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};
use toolcrib_sdk::{ToolError, value};

use crate::zone;

/// Where a time is converted to.
pub(crate) enum Notation {
    /// RFC 3339 in another zone.
    Zone(TimeZone),
    /// Seconds since 1970.
    Unix,
    /// RFC 3339 in the zone that it has.
    Rfc3339,
    /// As in the header of a mail.
    Rfc2822,
}

/// How much of a second is written.
#[derive(Clone, Copy)]
pub(crate) enum Precision {
    /// None of it.
    Seconds,
    /// What there is.
    Full,
}

/// A converted time.
#[value(output)]
pub(crate) struct Converted {
    /// The time in the notation that was asked for.
    time: String,
    /// The zone that it is in.
    zone: String,
    /// Whole seconds since the beginning of 1970 in UTC.
    unix_seconds: i64,
    /// The day of the week there, in English.
    weekday: String,
}

impl Notation {
    pub(crate) fn parse(text: &str) -> Result<Self, ToolError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "unix" => Ok(Self::Unix),
            "rfc3339" => Ok(Self::Rfc3339),
            "rfc2822" => Ok(Self::Rfc2822),
            _ => zone::find(text).map(Self::Zone),
        }
    }
}

pub(crate) fn convert(time: ZonedDateTime, to: &Notation) -> Result<Converted, ToolError> {
    let time = match to {
        Notation::Zone(zone) => time.with_time_zone(zone.clone()),
        Notation::Unix => time.with_time_zone(TimeZone::UTC),
        Notation::Rfc3339 | Notation::Rfc2822 => time,
    };
    let unix_seconds = time.timestamp().as_second();
    let written = match to {
        Notation::Zone(_) | Notation::Rfc3339 => rfc3339(&time, Precision::Full),
        Notation::Unix => unix_seconds.to_string(),
        Notation::Rfc2822 => rfc2822::to_string(&time).map_err(|error| {
            ToolError::invalid_arguments(format!("the time cannot be written as in RFC 2822: {error}"))
        })?,
    };
    Ok(Converted { time: written, zone: zone::name(&time), unix_seconds, weekday: weekday(&time).to_owned() })
}

/// `2024-05-01T12:00:00+02:00`, and `Z` for UTC.
pub(crate) fn rfc3339(time: &ZonedDateTime, precision: Precision) -> String {
    let timestamp = match precision {
        Precision::Seconds => {
            let nanosecond = i64::from(time.timestamp().subsec_nanosecond());
            time.timestamp() - jiff::SignedDuration::from_nanos(nanosecond)
        }
        Precision::Full => time.timestamp(),
    };
    if zone::name(time) == "UTC" {
        return timestamp.to_string();
    }
    // RFC 3339 has no seconds in an offset; before 1972 some zones had. The moment stays the same.
    let minutes = (time.offset().seconds() + 30).div_euclid(60);
    let offset = Offset::from_seconds(minutes * 60).unwrap_or(time.offset());
    timestamp.display_with_offset(offset).to_string()
}

/// The day in English.
pub(crate) fn weekday(time: &ZonedDateTime) -> &'static str {
    match time.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
