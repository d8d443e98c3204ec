//! Text from tools, made safe for a terminal, and numbers made readable.

use std::time::Duration;

/// One line without anything that a terminal obeys or a person cannot see: control characters, escape sequences,
/// bidirectional marks and zero-width characters are written out.
pub(crate) fn plain(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t')
}

/// The same for text of several lines, which keeps its line breaks and tabs.
pub(crate) fn plain_lines(text: &str) -> String {
    escape(text, |_| false)
}

fn escape(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let line = matches!(c, '\n' | '\t');
        if also(c) || (c.is_control() && !line) || is_hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Variation selectors stay: they choose between two looks of a character that is there.
fn is_hidden(c: char) -> bool {
    !matches!(c, '\u{fe0e}' | '\u{fe0f}') && toolcrib_runtime::policy::is_hidden(c)
}

/// `1.2 ms`, `3.4 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// `950`, `12.3 k`, `4.5 M`.
pub(crate) fn count(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{:.1} k", number as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", number as f64 / 1e6),
        _ => format!("{:.1} G", number as f64 / 1e9),
    }
}

/// `1 run`, `2 runs`, `12.3 k runs`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {one}s", count(number)) }
}

/// `950 B`, `1.1 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = number as f64;
    let mut unit = "B";
    for next in UNITS {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{number} B") } else { format!("{size:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::{bytes, plain, plain_lines};

    #[test]
    fn escape_sequences_are_written_out() {
        assert_eq!(plain("a\x1b[31mred\x07"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(plain("x\u{202e}y\u{200b}z\u{e0041}"), "x\\u{202e}y\\u{200b}z\\u{e0041}");
    }

    #[test]
    fn lines_stay_lines_only_where_they_are_wanted() {
        assert_eq!(plain("a\nb"), "a\\nb");
        assert_eq!(plain_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(bytes(950), "950 B");
        assert_eq!(bytes(1_114_936), "1.1 MiB");
    }
}
