//! The forms in which a secret could leak: as it is, and as programs encode it.

/// Shortest text that is looked for, in bytes: a shorter one is in nearly every text.
pub const MIN_SECRET_BYTES: usize = 4;
/// Shortest encoded form: what is left of a short text in base64 could be anything.
const MIN_FORM_BYTES: usize = 6;

/// The forms of `text`: as it is, in JSON strings (also JSON inside JSON, and with everything escaped that some writers
/// escape), in HTML, in base64 at any place of a longer text, in hexadecimal digits, and percent-encoded. Each once; none for a text shorter than [`MIN_SECRET_BYTES`].
pub fn forms(text: &str) -> Vec<String> {
    if text.len() < MIN_SECRET_BYTES {
        return Vec::new();
    }
    let once = escaped(text);
    let twice = escaped(&once);
    let slashes = once.replace('/', "\\/");
    let mut forms = vec![text.to_owned(), ascii(&once), ascii(&slashes), slashes, once, twice];
    forms.extend([html(text, "&#39;"), html(text, "&#x27;"), html(text, "'")]);
    let hex = |byte: &u8| format!("{byte:02x}");
    let lower: String = text.as_bytes().iter().map(hex).collect();
    forms.extend([lower.to_uppercase(), lower]);
    let percent = percent_encoded(text);
    forms.extend([percent.to_lowercase(), percent.replace("%20", "+"), percent]);
    for offset in 0..3 {
        let standard = base64_inside(text.as_bytes(), offset);
        if standard.len() >= MIN_FORM_BYTES {
            forms.extend([standard.replace('+', "-").replace('/', "_"), standard]);
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// As it stands in a JSON string, without the quotes around.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The text of a JSON string in ASCII alone.
fn ascii(escaped: &str) -> String {
    let mut out = String::new();
    for c in escaped.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// As it stands in HTML, with this for an apostrophe.
fn html(text: &str, apostrophe: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', apostrophe)
}

/// Percent-encoded, but for what no reader takes for something else (RFC 3986, 2.3).
pub fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What of the base64 (RFC 4648) of a longer text is the same whatever stands around `bytes`, where they begin `offset`
/// bytes after a multiple of three.
fn base64_inside(bytes: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    // The first digit that holds no bit of what stands before.
    let skipped = (6 - offset * 8 % 6) % 6;
    let digits = (bytes.len() * 8 - skipped) / 6;
    let digit = |nth: usize| (0..6).fold(0, |value, place| value << 1 | bit(skipped + nth * 6 + place));
    (0..digits).map(|nth| char::from(ALPHABET[usize::from(digit(nth))])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(secret: &str, hay: &str) -> bool {
        forms(secret).iter().any(|form| hay.contains(form))
    }

    #[test]
    fn writers_that_escape_more_are_known() {
        for hay in [r"a\/b", r"a\/b\u00f6", r"a/b\u00f6", "a/bö&amp;&#x27;", "a/bö&amp;&#39;", "a/bö&amp;'"] {
            let secret = ["a/b", "a/bö", "a/bö", "a/bö&'", "a/bö&'", "a/bö&'"];
            assert!(secret.iter().any(|secret| is_in(&format!("pre{secret}"), &format!("pre{hay}"))), "{hay}");
        }
    }

    /// Base64 by the definition, digit by digit, to hold the search against.
    fn base64(bytes: &[u8]) -> String {
        let whole = base64_inside(bytes, 0);
        let rest = bytes.len() * 8 - whole.len() * 6;
        if rest == 0 {
            return whole;
        }
        let mut padded = bytes.to_vec();
        padded.extend([0, 0]);
        base64_inside(&padded, 0)[..=whole.len()].to_owned() + "="
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        assert!(base64(b"foobar") == "Zm9vYmFy" && base64(b"foob").starts_with("Zm9vYg="));
        assert_eq!(base64(b"\xff\xfe\xfd"), "//79");
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_found_in_base64_wherever_it_stands(
            before in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..20),
            secret in "[ -~]{8,30}",
            after in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..20),
        ) {
            let whole = [&before[..], secret.as_bytes(), &after[..]].concat();
            let text = base64(&whole);
            proptest::prop_assert!(is_in(&secret, &text));
            proptest::prop_assert!(is_in(&secret, &text.replace('+', "-").replace('/', "_")));
        }
    }
}
