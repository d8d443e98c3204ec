//! Text: names that are the same to a reader, bytes as text or base64, and how much room a string takes in JSON.

/// Whether two names are the same but for case, hyphens, underscores and spaces: `user-id`, `user_id`, `userId`.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')).map(|byte| byte.to_ascii_lowercase())
}

/// The one name among `names` that a caller meant: the exact one, else the only one that reads the same.
pub(super) fn find_name<'n>(names: impl Iterator<Item = &'n str> + Clone, given: &str) -> Option<usize> {
    if let Some(index) = names.clone().position(|name| name == given) {
        return Some(index);
    }
    let mut alike = names.enumerate().filter(|(_, name)| same_name(name, given)).map(|(index, _)| index);
    let first = alike.next()?;
    alike.next().is_none().then_some(first)
}

/// Bytes that read as text: UTF-8 without control characters other than tab and line ends.
pub(super) fn as_text(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    if bytes.iter().any(|byte| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127)) {
        return Err(bytes);
    }
    String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 (RFC 4648, section 4, padded).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let sextet = (group >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}

/// Reads base64 in the standard and the URL alphabet, with or without padding, across line breaks.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut group, mut bits, mut digits, mut padding) = (0u32, 0u32, 0usize, 0usize);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        digits += 1;
        group = group << 6 | u32::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
            group &= (1 << bits) - 1;
        }
    }
    let whole = group == 0 && digits % 4 != 1 && (padding == 0 || (digits + padding).is_multiple_of(4) && padding <= 2);
    whole.then_some(bytes)
}

/// Bytes that a string takes as JSON text, its quotes included.
pub(super) fn json_len(text: &str) -> usize {
    let escaped = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..=31 => 6,
        _ => 1usize,
    });
    2 + escaped.sum::<usize>()
}
