//! Tools for time: the present, another zone or notation, the time between two moments.
//!
//! ```text
//! text ─► moment (what is meant) ─► zone ─► now │ convert │ difference ─► JSON
//! ```
//!
//! The rules of the world's time zones are part of the component. The only thing asked of the host is its clock.

use jiff::{Timestamp, ZonedDateTime};
use toolcrib_sdk::{ToolError, plugin, tool, value};

mod moment;
mod zone;

mod difference;
mod notation;
mod quantity;

use difference::Difference;
use moment::Moment;
use notation::{Converted, Notation};

/// The present.
#[value(output)]
struct Now {
    /// Date and time with the offset of the zone, as in RFC 3339, to the second.
    time: String,
    /// The zone.
    zone: String,
    /// Whole seconds since the beginning of 1970 in UTC.
    unix_seconds: i64,
    /// The day of the week in English.
    weekday: String,
    /// The week of the year by ISO 8601, 1 to 53.
    week: i8,
}

/// Tells the date and time now, in any time zone, with weekday and week.
#[tool(effect = read, title = "Date and time now")]
fn now(
    /// A zone of the IANA database such as `Europe/Berlin`, or an offset such as `+02:00`.
    #[arg(default = "UTC")]
    zone: &str,
) -> Result<Now, ToolError> {
    Ok(present(&Timestamp::now().to_zoned_datetime(zone::find(zone)?)))
}

/// Converts a time to another time zone or notation.
#[tool(effect = read, title = "Convert a time")]
fn convert(
    /// The time: `2024-05-01T12:00:00+02:00`, `2024-05-01 12:00`, `2024-05-01`, `Wed, 01 May 2024 12:00:00 GMT`, seconds
    /// or milliseconds since 1970, or `now`.
    time: Moment,
    /// Where to: a zone such as `America/New_York`, an offset such as `-05:00`, or one of `unix`, `rfc3339`, `rfc2822`.
    to: &str,
    /// The zone of a time that has no offset of its own.
    #[arg(default = "UTC")]
    from: &str,
) -> Result<Converted, ToolError> {
    let time = time.resolve(&zone::find(from)?)?;
    notation::convert(time, &Notation::parse(to)?)
}

/// Computes the time from one moment to another, in seconds, in days, and in years, months, days and hours of the
/// calendar. Negative where the second moment comes first.
#[tool(effect = read, title = "Time between two moments")]
fn difference(
    /// The first moment, in any form that `convert` understands. Without an offset it is in UTC.
    from: Moment,
    /// The second moment.
    to: Moment,
) -> Result<Difference, ToolError> {
    let utc = jiff::tz::TimeZone::UTC;
    difference::between(&from.resolve(&utc)?, &to.resolve(&utc)?)
}

plugin!(now, convert, difference);

fn present(now: &ZonedDateTime) -> Now {
    Now {
        time: notation::rfc3339(now, notation::Precision::Seconds),
        zone: zone::name(now),
        unix_seconds: now.timestamp().as_second(),
        weekday: notation::weekday(now).to_owned(),
        week: now.iso_week_date().week(),
    }
}

#[cfg(test)]
mod tests;
