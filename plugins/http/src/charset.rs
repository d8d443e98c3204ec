//! Bytes to text, in the character sets that pages on the web still have: UTF-8, UTF-16 and Windows-1252, which is what
//! browsers read where a page says Latin-1 or ASCII.

/// Where a page may say its character set, in bytes. The standard gives it that much.
const META: usize = 1024;

/// What the bytes 0x80 to 0x9F are in Windows-1252. Five of them are nothing and stand for themselves.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The text of a body, or nothing where it is no text. `declared` is what the header says.
pub(crate) fn text(bytes: &[u8], declared: Option<&str>, html: bool) -> Option<String> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return utf8(rest);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return Some(utf16(rest, u16::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return Some(utf16(rest, u16::from_be_bytes));
    }
    let in_page = if html && declared.is_none() { meta(bytes) } else { None };
    match declared.or(in_page.as_deref()) {
        Some("utf-16" | "utf-16le") => Some(utf16(bytes, u16::from_le_bytes)),
        Some("utf-16be") => Some(utf16(bytes, u16::from_be_bytes)),
        Some("iso-8859-1" | "latin1" | "iso8859-1" | "windows-1252" | "cp1252" | "us-ascii" | "ascii") => {
            Some(windows_1252(bytes))
        }
        // A page without a word about it that is no UTF-8 is an old one.
        None if html && !is_text(bytes) => Some(windows_1252(bytes)),
        _ => utf8(bytes),
    }
}

/// Whether the bytes are UTF-8 text, the last character perhaps cut.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole && !bytes.contains(&0)
}

/// UTF-8, where it is text for the most part. Single wrong bytes become replacement characters.
fn utf8(bytes: &[u8]) -> Option<String> {
    if is_text(bytes) {
        // A character that was cut off is left out.
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if std::str::from_utf8(bytes).is_err() {
            text.pop();
        }
        return Some(text);
    }
    if bytes.contains(&0) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let wrong = text.matches('\u{FFFD}').count();
    (wrong * 10 <= text.chars().count()).then_some(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{FFFD}')).collect()
}

fn windows_1252(bytes: &[u8]) -> String {
    let letter = |&byte: &u8| match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        byte => char::from(byte),
    };
    bytes.iter().map(letter).collect()
}

/// The character set in `<meta charset=…>` or `<meta http-equiv content="…; charset=…">`.
fn meta(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(META)]).to_ascii_lowercase();
    let tag = head.split("<meta").skip(1).find_map(|tag| {
        let tag = tag.split('>').next()?;
        let value = tag.split("charset").nth(1)?.trim_start().strip_prefix('=')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        let end = value.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').unwrap_or(value.len());
        (end > 0).then(|| value[..end].to_owned())
    })?;
    // The head was readable byte by byte, so it is none of these, whatever it says.
    Some(if tag.starts_with("utf-16") { "utf-8".to_owned() } else { tag })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_header_says_the_character_set() {
        assert_eq!(text(b"Gr\xFC\xDFe \x80 \x96", Some("iso-8859-1"), false).unwrap(), "Grüße € –");
        assert_eq!(text("Grüße €".as_bytes(), Some("utf-8"), false).unwrap(), "Grüße €");
        assert_eq!(text(b"a\0\xFC\0", Some("utf-16le"), false).unwrap(), "aü");
        assert_eq!(text("grün".as_bytes(), Some("unheard-of"), false).unwrap(), "grün");
    }

    #[test]
    fn a_byte_order_mark_outranks_the_header() {
        assert_eq!(text(b"\xEF\xBB\xBFgr\xC3\xBCn", Some("latin1"), false).unwrap(), "grün");
        assert_eq!(text(b"\xFF\xFEa\0", None, false).unwrap(), "a");
        assert_eq!(text(b"\xFE\xFF\0a", None, false).unwrap(), "a");
    }

    #[test]
    fn a_page_says_its_character_set_in_its_head() {
        for head in ["<meta charset=\"latin1\">", "<META content='text/html; Charset = windows-1252'>"] {
            let page = [head.as_bytes(), b"gr\xFCn"].concat();
            assert!(text(&page, None, true).unwrap().ends_with("grün"), "{head}");
        }
        assert!(text(b"<p>gr\xFCn", None, true).unwrap().ends_with("grün"));
        assert_eq!(text(b"<meta charset=utf-16>x", None, true).unwrap(), "<meta charset=utf-16>x");
        assert_eq!(meta(b"<meta charset="), None);
    }

    #[test]
    fn bytes_are_no_text_and_one_wrong_byte_is() {
        assert_eq!(text(b"\x89PNG\r\n\x00", None, false), None);
        assert_eq!(text(b"\xFF\xFA\xFB\xFF\xFA", None, false), None);
        assert_eq!(
            text(b"nearly all of this \xFF is text", None, false).unwrap(),
            "nearly all of this \u{FFFD} is text"
        );
        assert_eq!(text("aü".as_bytes().get(..2).unwrap(), None, false).unwrap(), "a");
        assert_eq!(text(b"", None, false).unwrap(), "");
    }

    proptest! {
        #[test]
        fn text_in_utf_8_comes_through(it in "[^\\x00\u{FEFF}\u{FFFD}]{0,60}") {
            prop_assert_eq!(text(it.as_bytes(), None, false).unwrap(), it);
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80), html: bool) {
            let _ = text(&bytes, None, html);
        }
    }
}
