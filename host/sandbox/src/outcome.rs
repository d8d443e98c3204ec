//! What a call comes to: a result, or an error with a stable code and the state of its effect.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::Refusal;

use crate::receipt::Receipt;

/// What a call gave and what it cost.
#[derive(Clone, Debug)]
pub struct CallReport {
    /// The result or the error.
    pub outcome: Result<ToolOutput, CallError>,
    /// The receipt; there is one for every call.
    pub receipt: Receipt,
}

impl CallReport {
    /// The report of a call that was not made.
    pub fn not_made(error: CallError) -> Self {
        CallReport { outcome: Err(error), receipt: Receipt::default() }
    }
}

/// A result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolOutput {
    /// What a reader sees, in order.
    pub content: Vec<Content>,
    /// The result as JSON, where the tool gives one.
    pub structured: Option<Value>,
}

impl ToolOutput {
    /// A result that is JSON alone.
    pub fn structured(value: Value) -> Self {
        ToolOutput { content: Vec::new(), structured: Some(value) }
    }
}

/// A piece of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Content {
    /// Text, in Markdown or plain.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image(Blob),
    /// A sound.
    Audio(Blob),
    /// A reference by URI.
    Link {
        /// The URI.
        uri: String,
        /// A name for people.
        title: Option<String>,
        /// The media type of what it leads to.
        media_type: Option<String>,
    },
}

/// Bytes and their media type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blob {
    /// The bytes, in base64 (RFC 4648) wherever they are written as JSON.
    #[serde(with = "base64_bytes")]
    pub data: Vec<u8>,
    /// The media type.
    pub media_type: String,
}

mod base64_bytes {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(input)?).map_err(D::Error::custom)
    }
}

/// Whether the outside effect of a failed call happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectState {
    /// It did not.
    None,
    /// It did.
    Done,
    /// Nobody can tell.
    Unknown,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// A stable code, such as `invalid-arguments`, `net-denied`, `limit-fuel`, `trap`.
    pub code: String,
    /// One plain sentence for people: what was wrong, and by which rule.
    pub message: String,
    /// Whether the outside effect happened.
    pub effect: EffectState,
    /// More for the log: the engine's or the tool's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The refusal behind it, with the smallest grant that would have allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Seconds to wait before the next try, where a service said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl CallError {
    /// An error that stopped the call before it could have any effect.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        CallError {
            code: code.to_owned(),
            message: message.into(),
            effect: EffectState::None,
            detail: None,
            refusal: None,
            retry_after_s: None,
        }
    }

    /// The arguments do not fit.
    pub fn invalid_arguments(message: impl Into<String>) -> Self {
        Self::new("invalid-arguments", message)
    }

    /// What the call needs is not there.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new("unavailable", message)
    }

    pub(crate) fn with_effect(mut self, effect: EffectState) -> Self {
        self.effect = effect;
        self
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
