//! Text in other clothes, and back.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use toolcrib_sdk::{ToolError, value};

use crate::hash::hex;

/// Base64 as RFC 4648 writes it; padding may be missing on the way back.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 for URLs, written without padding.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An encoding.
#[value(input)]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// Base64 with `+` and `/`, padded.
    Base64,
    /// Base64 with `-` and `_`, not padded.
    Base64Url,
    /// Two hexadecimal digits for each byte.
    Hex,
    /// Percent-encoding of everything but letters, digits and `-._~`.
    Url,
    /// `&amp;` and its like.
    Html,
}

/// Which way.
#[value(input)]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    /// From text to the encoding.
    #[default]
    Encode,
    /// From the encoding to text.
    Decode,
}

/// A text that was encoded or decoded.
#[value(output)]
pub(crate) struct Encoded {
    /// The text.
    pub(crate) text: String,
}

pub(crate) fn encode(text: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Base64 => BASE64.encode(text),
        Encoding::Base64Url => BASE64_URL.encode(text),
        Encoding::Hex => hex(text.as_bytes()),
        Encoding::Url => percent(text),
        Encoding::Html => entities(text),
    }
}

pub(crate) fn decode(text: &str, encoding: Encoding) -> Result<String, ToolError> {
    let bytes = match encoding {
        Encoding::Base64 => from_base64(text, &BASE64)?,
        Encoding::Base64Url => from_base64(text, &BASE64_URL)?,
        Encoding::Hex => from_hex(text)?,
        Encoding::Url => from_percent(text)?,
        Encoding::Html => return Ok(htmlize::unescape(text).into_owned()),
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let start = hex(&bytes[..bytes.len().min(16)]);
        ToolError::invalid_arguments(format!(
            "what `text` decodes to is not UTF-8 text but {} bytes, which begin with hexadecimal {start} (byte {at} does not fit)",
            bytes.len()
        ))
    })
}

fn from_base64(text: &str, engine: &GeneralPurpose) -> Result<Vec<u8>, ToolError> {
    // Mail and certificates break the lines.
    let text: String = text.split_ascii_whitespace().collect();
    engine.decode(text).map_err(|error| ToolError::invalid_arguments(format!("`text` is not Base64: {error}")))
}

fn from_hex(text: &str) -> Result<Vec<u8>, ToolError> {
    let digits: Vec<char> = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    if digits.len() % 2 == 1 {
        let message = format!("`text` is not hexadecimal: {} digits are not a whole number of bytes", digits.len());
        return Err(ToolError::invalid_arguments(message));
    }
    let digit = |letter: char| {
        letter.to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or_else(|| {
            ToolError::invalid_arguments(format!(
                "`text` is not hexadecimal: `{}` is not a digit",
                letter.escape_debug()
            ))
        })
    };
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

/// `+` stays what it is: it stands for a space in forms only, and a form decodes differently.
fn from_percent(text: &str) -> Result<Vec<u8>, ToolError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            let value = char::from(bytes.next()?.1).to_digit(16)?;
            u8::try_from(value).ok()
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            let message = format!("`text` is not percent-encoded: no two digits after the `%` at byte {at}");
            return Err(ToolError::invalid_arguments(message));
        };
        decoded.push(high << 4 | low);
    }
    Ok(decoded)
}

fn entities(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '>' => encoded.push_str("&gt;"),
            '"' => encoded.push_str("&quot;"),
            '\'' => encoded.push_str("&#39;"),
            other => encoded.push(other),
        }
    }
    encoded
}
