//! Points in time and lengths of time, as people write them.

use std::time::Duration;

use toolcrib_runtime::ledger_store::UnixMicros;

use crate::exit::BadInput;

/// Reads `12h`, `30d`, `4w`, `90m` or `10s`.
pub(crate) fn length(option: &str, text: &str) -> Result<Duration, BadInput> {
    let wrong =
        || BadInput(format!("{option} `{text}` is no length of time: write a number and s, m, h, d or w, as in 30d"));
    let text = text.trim();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].trim().parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// Reads a day or a point in time.
pub(crate) fn point(option: &str, text: &str) -> Result<UnixMicros, BadInput> {
    UnixMicros::parse(text).ok_or_else(|| {
        BadInput(format!("{option} `{text}` is no time: write a day as 2026-09-21, or a time as 2026-09-21T14:13:20Z"))
    })
}

/// Reads a day, a point in time, or how long ago it was.
pub(crate) fn point_or_age(option: &str, text: &str) -> Result<UnixMicros, BadInput> {
    match length(option, text) {
        Ok(age) => Ok(UnixMicros::now().before(age)),
        Err(_) => point(option, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_a_number_and_a_unit() {
        for (text, seconds) in [("10s", 10), ("90m", 5400), ("12h", 43_200), (" 30 d", 2_592_000), ("1w", 604_800)] {
            assert_eq!(length("--older-than", text).ok(), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "30", "-1d", "1.5h", "30é", "99999999999999999999d", "18446744073709551615w"] {
            let error = length("--older-than", text).map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with("--older-than `"), "{error}");
        }
    }
}
