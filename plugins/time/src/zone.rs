//! Time zones by name.

use jiff::ZonedDateTime;
use jiff::tz::{self, Offset, TimeZone};
use toolcrib_sdk::{ToolError, nearest};

/// Finds a zone by its name in the IANA database, or by its offset.
pub(crate) fn find(name: &str) -> Result<TimeZone, ToolError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(unknown(name));
    }
    if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("gmt") || name.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        return offset(name).map(TimeZone::fixed).ok_or_else(|| unknown(name));
    }
    tz::db().get(name).map_err(|_| unknown(name))
}

/// What the zone of a time is called: its name in the database, or its offset.
pub(crate) fn name(time: &ZonedDateTime) -> String {
    match time.time_zone().iana_name() {
        Some(name) => name.to_owned(),
        None if time.offset() == Offset::UTC => "UTC".to_owned(),
        None => {
            let minutes = time.offset().seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    }
}

/// `+02`, `+0200` or `+02:00`, to 25 hours either way.
fn offset(text: &str) -> Option<Offset> {
    let digits = text[1..].replace(':', "");
    let is_offset = matches!(digits.len(), 1 | 2 | 4) && digits.chars().all(|digit| digit.is_ascii_digit());
    if !is_offset {
        return None;
    }
    let (hours, minutes) = digits.split_at(digits.len().min(2));
    let hours: i32 = hours.parse().ok()?;
    let minutes: i32 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    if minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Offset::from_seconds(if text.starts_with('-') { -seconds } else { seconds }).ok()
}

#[cold]
fn unknown(name: &str) -> ToolError {
    let shown: String = name.chars().take(80).collect();
    let names: Vec<String> = tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let wanted = name.replace(' ', "_").to_lowercase();
    let by_city = |zone: &&String| {
        let city = zone.rsplit('/').next().unwrap_or_default();
        city.eq_ignore_ascii_case(&wanted)
    };
    let near = match names.iter().find(by_city) {
        Some(zone) => Some(zone.as_str()),
        None => nearest(&wanted, names.iter().map(String::as_str)),
    };
    let hint = match near {
        Some(zone) => format!("did you mean `{zone}`?"),
        None => "write a name of the IANA database such as `Europe/Berlin`, or an offset such as `+02:00`".to_owned(),
    };
    ToolError::invalid_arguments(format!("there is no time zone `{shown}`: {hint}"))
}
