//! The time between two moments.

use jiff::tz::TimeZone;
use jiff::{Span, Unit, ZonedDateTime, ZonedDateTimeDifference};
use schemars::JsonSchema;
use serde::Serialize;
use toolcrib_sdk::ToolError;

use crate::quantity::Quantity;

/// Seconds in a day of 24 hours.
const DAY: f64 = 86_400.0;

/// The time between two moments.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// Seconds.
    pub(crate) seconds: Quantity,
    /// In words, such as `1 year, 2 months, 3 days`. Years and months are those of the calendar.
    pub(crate) human: String,
    /// As a duration of ISO 8601, such as `P1Y2M3D`.
    pub(crate) iso8601: String,
    /// Days of 24 hours, to a thousandth.
    pub(crate) days: Quantity,
}

pub(crate) fn between(from: &ZonedDateTime, to: &ZonedDateTime) -> Result<Difference, ToolError> {
    let (from, to) = (from.with_time_zone(TimeZone::UTC), to.with_time_zone(TimeZone::UTC));
    let seconds = to.duration_since(&from).as_secs_f64();
    let span = from
        .until(ZonedDateTimeDifference::new(&to).largest(Unit::Year))
        .map_err(|error| ToolError::invalid_arguments(format!("the time between is out of range: {error}")))?;
    Ok(Difference {
        seconds: Quantity(seconds),
        human: human(&span),
        iso8601: span.to_string(),
        days: Quantity((seconds / DAY * 1000.0).round() / 1000.0),
    })
}

fn human(span: &Span) -> String {
    let span_abs = span.abs();
    let parts = [
        (i64::from(span_abs.get_years()), "year"),
        (i64::from(span_abs.get_months()), "month"),
        (i64::from(span_abs.get_days()), "day"),
        (i64::from(span_abs.get_hours()), "hour"),
        (span_abs.get_minutes(), "minute"),
        (span_abs.get_seconds(), "second"),
        (span_abs.get_milliseconds(), "millisecond"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| {
        let plural = if *count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return "no time".to_owned();
    }
    let sign = if span.is_negative() { "minus " } else { "" };
    format!("{sign}{}", parts.join(", "))
}
