//! The wires and what is particular to each.

use std::fmt;
use std::str::FromStr;

use crate::ConfigError;

/// How a back end is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// `openai`: OpenAI Responses.
    Responses,
    /// `openai-chat`: OpenAI Chat Completions, which most compatible servers speak.
    Chat,
    /// `anthropic`: Anthropic Messages.
    Messages,
    /// `gemini`: Gemini `streamGenerateContent`.
    Gemini,
    /// `ollama`: Ollama's `/api/chat`.
    Ollama,
}

/// What is particular to a wire: its word, address, path and variables.
pub(super) struct Facts {
    pub(super) word: &'static str,
    pub(super) base_url: &'static str,
    /// The version segment that people may or may not write at the end of a base URL.
    pub(super) version: &'static str,
    pub(super) keys: &'static [&'static str],
    pub(super) base_urls: &'static [&'static str],
}

impl Wire {
    /// Every wire.
    pub const ALL: [Self; 5] = [Self::Responses, Self::Chat, Self::Messages, Self::Gemini, Self::Ollama];

    pub(super) fn facts(self) -> Facts {
        let openai = |word| Facts {
            word,
            base_url: "https://api.openai.com/v1",
            // Compatible servers use any path: what is written is taken.
            version: "",
            keys: &["OPENAI_API_KEY"],
            base_urls: &["OPENAI_BASE_URL", "OPENAI_API_BASE"],
        };
        match self {
            Self::Responses => openai("openai"),
            Self::Chat => openai("openai-chat"),
            Self::Messages => Facts {
                word: "anthropic",
                base_url: "https://api.anthropic.com",
                version: "v1",
                keys: &["ANTHROPIC_API_KEY"],
                base_urls: &["ANTHROPIC_BASE_URL"],
            },
            Self::Gemini => Facts {
                word: "gemini",
                base_url: "https://generativelanguage.googleapis.com",
                version: "v1beta",
                keys: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
                base_urls: &[],
            },
            Self::Ollama => Facts {
                word: "ollama",
                base_url: "http://127.0.0.1:11434",
                version: "",
                keys: &["OLLAMA_API_KEY"],
                base_urls: &["OLLAMA_HOST"],
            },
        }
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().word)
    }
}

impl FromStr for Wire {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let found = Self::ALL.into_iter().find(|wire| wire.facts().word == text);
        found.ok_or_else(|| ConfigError::UnknownWire { word: text.to_owned() })
    }
}
