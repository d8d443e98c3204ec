//! Which model, where, with which key, and within which limits.
//!
//! A configuration is read once, at the edge, from a short text such as `anthropic:claude-sonnet-4-5`,
//! `openai-chat:qwen3@http://127.0.0.1:9000/v1`, `script:demo.yaml` or `replay:demo.jsonl`, and from the
//! variables that people already have set. Reading the environment is the caller's act: it passes a function
//! that looks a variable up.

use std::path::{Path, PathBuf};

use crate::{FileError, files};

mod http;
mod wire;

pub use http::{HttpConfig, ProxySettings, Timeouts};
pub use wire::Wire;

/// The variable that names the file into which every exchange is recorded.
const RECORD: &str = "TOOLCRIB_MODEL_RECORD";

/// Everything that [`connect`](crate::connect) needs.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// What answers.
    pub backend: Backend,
    /// Where each exchange is recorded, if anywhere.
    pub record: Option<PathBuf>,
}

/// What answers.
#[derive(Debug, Clone)]
pub enum Backend {
    /// A model behind HTTP.
    Http(Box<HttpConfig>),
    /// `script:FILE`: a [`ScriptedModel`](crate::ScriptedModel).
    Script(PathBuf),
    /// `replay:FILE`: a [`ReplayModel`](crate::ReplayModel).
    Replay(PathBuf),
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not `wire:model` or `wire:model@url`.
    #[error("`{spec}` names no model: write `wire:model`, such as `openai:gpt-5`, or `wire:model@url`")]
    Spec {
        /// The text.
        spec: String,
    },
    /// There is no such wire.
    #[error(
        "no wire is called `{word}`: use `openai`, `openai-chat`, `anthropic`, `gemini` or `ollama`, or `script` or `replay` with a file"
    )]
    UnknownWire {
        /// The word.
        word: String,
    },
    /// The base URL cannot be used.
    #[error("the base URL from {origin} cannot be used: {reason}")]
    BaseUrl {
        /// Where it came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The vendor's service needs a key.
    #[error("`{wire}` needs a key: set {variables}")]
    MissingKey {
        /// The wire.
        wire: String,
        /// The variables that are looked at.
        variables: String,
    },
    /// The key holds characters that no header can carry.
    #[error("the key holds characters that cannot be sent: copy it again")]
    Key,
    /// A key would travel unencrypted over a public network.
    #[error("the key would go to {host} unencrypted: use https, or leave the key out")]
    KeyInTheClear {
        /// The host.
        host: String,
    },
    /// The address of the proxy cannot be used.
    #[error("the address of the proxy cannot be used: write it as http://host:port")]
    Proxy,
    /// The additional certificates cannot be used.
    #[error("the additional root certificates cannot be used: {detail}; give them in PEM")]
    Roots {
        /// What is wrong with them.
        detail: String,
    },
    /// `script:` or `replay:` without a file.
    #[error("`{word}:` names no file: write `{word}:FILE`")]
    NoFile {
        /// `script` or `replay`.
        word: &'static str,
    },
    /// A script or a recording cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {detail}")]
    Client {
        /// What is wrong.
        detail: String,
    },
}

impl ModelConfig {
    /// Reads `spec`, which is `wire:model`, `wire:model@url`, `script:FILE` or `replay:FILE`, and looks up what
    /// it leaves open. `TOOLCRIB_MODEL_RECORD` names a file into which each exchange is recorded. No file is
    /// opened yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the text or a variable cannot be used, or where a vendor's service lacks its key.
    pub fn parse(spec: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let spec = spec.trim();
        let backend = match spec.split_once(':') {
            Some(("script", file)) => Backend::Script(named("script", file)?),
            Some(("replay", file)) => Backend::Replay(named("replay", file)?),
            _ => Backend::Http(Box::new(HttpConfig::parse(spec, lookup)?)),
        };
        Ok(Self { backend, record: lookup(RECORD).map(PathBuf::from) })
    }

    /// The name that stands in the ledger: `wire:model`, or `script:` or `replay:` with the file's name.
    pub fn name(&self) -> String {
        match &self.backend {
            Backend::Http(config) => config.name(),
            Backend::Script(file) => files::name("script", file),
            Backend::Replay(file) => files::name("replay", file),
        }
    }

    /// The TCP ports that a request goes to: the model's, and the proxy's where there is one.
    pub fn ports(&self) -> Vec<u16> {
        match &self.backend {
            Backend::Http(config) => config.ports(),
            Backend::Script(_) | Backend::Replay(_) => Vec::new(),
        }
    }

    /// The file that [`connect`](crate::connect) reads.
    pub fn reads(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Http(_) => None,
            Backend::Script(file) | Backend::Replay(file) => Some(file),
        }
    }

    /// The file that is made or appended to while the model answers.
    pub fn writes(&self) -> Option<&Path> {
        self.record.as_deref()
    }
}

impl From<HttpConfig> for ModelConfig {
    fn from(config: HttpConfig) -> Self {
        Self { backend: Backend::Http(Box::new(config)), record: None }
    }
}

fn named(word: &'static str, file: &str) -> Result<PathBuf, ConfigError> {
    if file.is_empty() {
        return Err(ConfigError::NoFile { word });
    }
    Ok(PathBuf::from(file))
}
