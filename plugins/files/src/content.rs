//! What is in a file: text or bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use toolcrib_sdk::{ToolError, value};

/// How many bytes tell text from binary data. A zero byte in them is what `grep` and `git` look for as well.
pub(crate) const SNIFF: usize = 8 * 1024;

/// How bytes become text in JSON.
#[value(input)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// UTF-8 text, as it is.
    #[default]
    Text,
    /// Any bytes, in Base64.
    Base64,
}

impl Encoding {
    /// The bytes that a caller means.
    pub(crate) fn decode(self, text: &str) -> Result<Vec<u8>, ToolError> {
        match self {
            Self::Text => Ok(text.as_bytes().to_vec()),
            Self::Base64 => {
                let packed: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
                let wrong = |error| ToolError::invalid_arguments(format!("`text` is not Base64: {error}"));
                STANDARD.decode(packed).map_err(wrong)
            }
        }
    }
}

/// Bytes in Base64.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Whether a file that begins like this is no text.
pub(crate) fn is_binary(beginning: &[u8]) -> bool {
    beginning[..beginning.len().min(SNIFF)].contains(&0)
}

/// The text, cut before a character that `cut` bytes have only a part of; nothing where it is no UTF-8.
pub(crate) fn text(mut bytes: Vec<u8>, cut: bool) -> Option<String> {
    if cut && let Err(error) = std::str::from_utf8(&bytes) {
        // `error_len` is absent where the end came too early.
        if error.error_len().is_none() {
            bytes.truncate(error.valid_up_to());
        }
    }
    if is_binary(&bytes) { None } else { String::from_utf8(bytes).ok() }
}
