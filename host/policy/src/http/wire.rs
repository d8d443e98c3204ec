//! Paths in one spelling: what is checked is what is sent.

use crate::names::shortened;

/// The longest path with its query, in bytes. Servers commonly refuse more than 8 KiB; signed addresses stay below.
pub(crate) const PATH_MAX: usize = 16 * 1024;

/// Why a path cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path does not begin with `/`.
    #[error("the path `{0}` does not begin with `/`")]
    Relative(String),
    /// The path has a character that has no place in one.
    #[error("the path `{0}` has a space, a control character, a backslash or a fragment")]
    Character(String),
    /// A percent sign without two hexadecimal digits.
    #[error("the path `{0}` has a percent sign without two hexadecimal digits")]
    Escape(String),
    /// The path is longer than 16 KiB.
    #[error("the path and query are longer than 16 KiB")]
    TooLong,
}

/// A path in its one spelling, and what servers could read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NormalPath {
    /// Begins with `/`. Dot segments are resolved, unreserved characters unescaped, escapes in upper case.
    pub(crate) text: String,
    /// There were dot segments, however they were written.
    pub(crate) dots: bool,
}

/// Brings a path (no query, no fragment) into its one spelling.
pub(crate) fn normal_path(raw: &str) -> Result<NormalPath, PathError> {
    if raw.len() > PATH_MAX {
        return Err(PathError::TooLong);
    }
    let Some(rest) = raw.strip_prefix('/') else {
        return Err(PathError::Relative(shortened(raw)));
    };
    let mut segments: Vec<String> = Vec::new();
    let mut dots = false;
    let mut pieces = rest.split('/').peekable();
    while let Some(piece) = pieces.next() {
        let segment = escaped(piece, raw, false)?;
        let last = pieces.peek().is_none();
        dots |= matches!(segment.as_str(), "." | "..");
        match segment.as_str() {
            "." if last => segments.push(String::new()),
            "." => {}
            ".." => {
                segments.pop();
                if last {
                    segments.push(String::new());
                }
            }
            _ => segments.push(segment),
        }
    }
    Ok(NormalPath { text: format!("/{}", segments.join("/")), dots })
}

/// Brings a query (without `?`) into its one spelling.
pub(crate) fn normal_query(raw: &str) -> Result<String, PathError> {
    if raw.len() > PATH_MAX {
        return Err(PathError::TooLong);
    }
    escaped(raw, raw, true)
}

/// Unescapes unreserved characters, writes other escapes in upper case, escapes what is not ASCII.
fn escaped(piece: &str, whole: &str, query: bool) -> Result<String, PathError> {
    let mut out = String::with_capacity(piece.len());
    let mut bytes = piece.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let value = hex(bytes.next()).zip(hex(bytes.next()));
                let (high, low) = value.ok_or_else(|| PathError::Escape(shortened(whole)))?;
                let value = high << 4 | low;
                // In a query `%2B` and `+` differ, and so may others: only the spelling of the escape is settled.
                if !query && is_unreserved(value) {
                    out.push(char::from(value));
                } else {
                    push_escape(&mut out, value);
                }
            }
            b'\\' | b'#' | 0..=0x20 | 0x7f => return Err(PathError::Character(shortened(whole))),
            b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => push_escape(&mut out, byte),
            _ => out.push(char::from(byte)),
        }
    }
    Ok(out)
}

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn push_escape(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// A path that is in its one spelling, as people write it: without escapes. `None` where some server finds another
/// structure in it, or drops a part of it (`/people;x/ann`).
pub(crate) fn plain_path(path: &str) -> Option<String> {
    let plain = String::from_utf8(unescaped(path)).ok()?;
    (!is_ambiguous_path(path) && !plain.contains(';')).then_some(plain)
}

/// Whether some server finds another structure in a path that is in its one spelling.
pub(crate) fn is_ambiguous_path(path: &str) -> bool {
    path.contains(['%', ';']) && path.split('/').any(is_ambiguous)
}

/// Whether some server finds another structure in the segment once it has unescaped it: separators (`%2F`, `%5C`), an end
/// (`%00`), a second layer of escapes (`%252F`), bytes that are not UTF-8 (old decoders read `%C0%AF` as `/`), and dots
/// that some trim to a dot segment (`..;x`, `..%20`).
fn is_ambiguous(segment: &str) -> bool {
    if !segment.contains(['%', ';']) {
        return false;
    }
    let Ok(text) = String::from_utf8(unescaped(segment)) else {
        return true;
    };
    let layered = text.match_indices('%').any(|(at, _)| {
        let code = text.as_bytes().get(at + 1..at + 3);
        code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    });
    let after_dots = text.strip_prefix("..").or_else(|| text.strip_prefix('.'));
    let dotted = after_dots.is_some_and(|rest| rest.starts_with([';', ' ', '%']));
    layered || dotted || text.contains(|c: char| c.is_control() || c == '/' || c == '\\')
}

/// The bytes that the escapes in `segment` stand for.
pub(crate) fn unescaped(segment: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let value = hex(bytes.next()).zip(hex(bytes.next()));
                out.push(value.map_or(b'%', |(high, low)| high << 4 | low));
            }
            _ => out.push(byte),
        }
    }
    out
}
