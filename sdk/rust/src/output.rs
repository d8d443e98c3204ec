//! What a call gives back.

use serde::Serialize;
use serde_json::Value;

use crate::ToolError;

/// One piece of a result, for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Text, in Markdown or plain.
    Text(String),
    /// A picture.
    Image {
        /// The bytes of the file.
        data: Vec<u8>,
        /// The media type, such as `image/png`.
        media_type: String,
    },
    /// A sound.
    Audio {
        /// The bytes of the file.
        data: Vec<u8>,
        /// The media type, such as `audio/ogg`.
        media_type: String,
    },
    /// A reference that the reader may follow by other means.
    Link {
        /// The URI.
        uri: String,
        /// A name for people.
        title: Option<String>,
        /// The media type of what the URI leads to.
        media_type: Option<String>,
    },
}

/// A result that is put together block by block, for tools that give back more than one JSON value.
///
/// ```
/// use toolcrib_sdk::Output;
///
/// let output = Output::new().text("the chart").image(vec![0x89, b'P'], "image/png");
/// assert_eq!(output.content().len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    content: Vec<Content>,
    structured: Option<String>,
}

impl Output {
    /// An empty result.
    #[must_use]
    pub const fn new() -> Self {
        Self { content: Vec::new(), structured: None }
    }

    /// Adds a block of text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.push(Content::Text(text.into()))
    }

    /// Adds a picture.
    #[must_use]
    pub fn image(self, data: Vec<u8>, media_type: impl Into<String>) -> Self {
        self.push(Content::Image { data, media_type: media_type.into() })
    }

    /// Adds a sound.
    #[must_use]
    pub fn audio(self, data: Vec<u8>, media_type: impl Into<String>) -> Self {
        self.push(Content::Audio { data, media_type: media_type.into() })
    }

    /// Adds a link.
    #[must_use]
    pub fn link(self, uri: impl Into<String>, title: Option<String>) -> Self {
        self.push(Content::Link { uri: uri.into(), title, media_type: None })
    }

    /// Adds any block.
    #[must_use]
    pub fn push(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// Sets the result for programs.
    ///
    /// # Errors
    ///
    /// `failed` when the value cannot be written as JSON, as a map whose keys are not strings cannot.
    pub fn structured(mut self, value: &impl Serialize) -> Result<Self, ToolError> {
        let text = serde_json::to_string(value)
            .map_err(|error| ToolError::failed(format!("the result cannot be written as JSON: {error}")))?;
        self.structured = Some(text);
        Ok(self)
    }

    /// The blocks, in order.
    #[must_use]
    pub fn content(&self) -> &[Content] {
        &self.content
    }

    /// The result for programs, read back. For tests.
    #[must_use]
    pub fn to_value(&self) -> Option<Value> {
        let text = self.structured.as_deref()?;
        serde_json::from_str(text).ok()
    }

    /// The text blocks, one after the other. For tests.
    #[must_use]
    pub fn to_text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The blocks and the JSON text.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Content>, Option<String>) {
        (self.content, self.structured)
    }
}
