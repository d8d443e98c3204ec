//! From what people and programs write for a time to a moment in time.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toolcrib_sdk::ToolError;

/// A number from here on is in milliseconds: in seconds it would lie beyond the year 5000.
const MILLISECONDS_FROM: f64 = 1e11;

/// A time as it was written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a time as text, or seconds since 1970 as a number")]
pub(crate) enum Moment {
    /// In words and digits.
    Text(String),
    /// Seconds, or milliseconds, since the beginning of 1970 in UTC.
    Number(f64),
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}

impl Moment {
    /// The moment that is meant. `zone` is that of a time without an offset.
    pub(crate) fn resolve(&self, zone: &TimeZone) -> Result<ZonedDateTime, ToolError> {
        match self {
            Self::Text(text) => from_text(text.trim(), zone),
            Self::Number(number) => from_number(*number),
        }
    }
}

fn from_text(text: &str, zone: &TimeZone) -> Result<ZonedDateTime, ToolError> {
    if text.eq_ignore_ascii_case("now") {
        return Ok(Timestamp::now().to_zoned_datetime(zone.clone()));
    }
    // Eight digits are a date, in the basic form of ISO 8601; other digits count from 1970.
    let is_number = text.len() != 8 && text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if let (true, Ok(number)) = (is_number, text.parse()) {
        return from_number(number);
    }
    if let Ok(time) = text.parse::<ZonedDateTime>() {
        return Ok(time);
    }
    match text.parse::<Timestamp>() {
        Ok(time) => return Ok(time.to_zoned_datetime(offset_of(text))),
        Err(error) if text.ends_with(['Z', 'z']) => return Err(not_a_time(text, &error.to_string())),
        Err(_) => {}
    }
    if let Ok(time) = rfc2822::parse(text) {
        return Ok(time);
    }
    let local = match text.parse::<DateTime>() {
        Ok(time) => Ok(time),
        Err(error) => match text.parse::<Date>() {
            Ok(date) => Ok(date.to_datetime(jiff::civil::Time::midnight())),
            Err(_) => Err(error),
        },
    };
    let local = local.map_err(|error| not_a_time(text, &error.to_string()))?;
    local.to_zoned_datetime(zone.clone()).map_err(|error| not_a_time(text, &error.to_string()))
}

/// The offset that the text ends with, so that a time is told back as it was written.
fn offset_of(text: &str) -> TimeZone {
    let start = text.rfind(['+', '-']).unwrap_or(text.len());
    crate::zone::find(&text[start..]).unwrap_or(TimeZone::UTC)
}

fn from_number(number: f64) -> Result<ZonedDateTime, ToolError> {
    let seconds = if number.abs() >= MILLISECONDS_FROM { number / 1000.0 } else { number };
    let out_of_range = |_| not_a_time(&number.to_string(), "it is not within the years -9999 to 9999");
    // Casts of floats saturate, and what saturated is out of range.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let (whole, nanoseconds) = (seconds.floor() as i64, ((seconds - seconds.floor()) * 1e9) as i32);
    let time = Timestamp::new(whole, nanoseconds).map_err(out_of_range)?;
    Ok(time.to_zoned_datetime(TimeZone::UTC))
}

fn not_a_time(text: &str, why: &str) -> ToolError {
    let shown: String = text.chars().take(80).collect();
    let why: String = why.chars().take(300).collect();
    ToolError::invalid_arguments(format!(
        "`{shown}` is not a time: {why}; write it as `2024-05-01T12:00:00Z`, `2024-05-01 12:00` or `2024-05-01`, or as \
         seconds since 1970"
    ))
}
