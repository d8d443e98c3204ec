//! What a plugin asks for. Asking grants nothing; what is not asked for is not got, even where it is granted.

use crate::credential::CredentialPattern;
use crate::files::FileRequest;
use crate::http::HttpPattern;
use crate::keyvalue::KeyValueRule;
use crate::limits::LimitRequest;
use crate::tools::{NamePattern, ToolPattern};

/// Everything that a plugin asks for. Empty lists ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests on the network.
    pub http: Vec<HttpPattern>,
    /// Requests that may get credentials.
    pub credentials: Vec<CredentialPattern>,
    /// Places for folders.
    pub files: Vec<FileRequest>,
    /// Buckets.
    pub keyvalue: Vec<KeyValueRule>,
    /// Environment variables.
    pub env: Vec<NamePattern>,
    /// Configuration keys.
    pub config: Vec<NamePattern>,
    /// Other tools.
    pub tools: Vec<ToolPattern>,
    /// Questions to a person.
    pub ask: bool,
    /// Completions by a language model.
    pub model: bool,
    /// Limits that suffice, where they are lower than the host's own.
    pub limits: LimitRequest,
}

impl Requests {
    /// Asks for nothing: what a manifest without `[requests]` means.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Asks for everything.
    pub fn everything() -> Self {
        Self {
            http: vec![HttpPattern::everything()],
            credentials: vec![CredentialPattern::everything()],
            files: vec![FileRequest::everything()],
            keyvalue: vec![KeyValueRule::everything()],
            env: vec![NamePattern::Any],
            config: vec![NamePattern::Any],
            tools: vec![ToolPattern::Any],
            ask: true,
            model: true,
            limits: LimitRequest::default(),
        }
    }

    /// Asks for everything that the imports of a component could use: what a plugin without a manifest means. Imports
    /// are written `wasi:http/outgoing-handler@0.2.0`; the version plays no part.
    pub fn from_imports<S: AsRef<str>>(imports: &[S]) -> Self {
        let mut requests = Self::nothing();
        let everything = Self::everything();
        for import in imports {
            let name = import.as_ref().split('@').next().unwrap_or_default();
            match name {
                "wasi:http/outgoing-handler" | "wasi:http/handler" | "wasi:http/client" => {
                    requests.http.clone_from(&everything.http);
                    requests.credentials.clone_from(&everything.credentials);
                }
                "wasi:filesystem/preopens" | "wasi:filesystem/types" => requests.files.clone_from(&everything.files),
                _ if name.starts_with("wasi:keyvalue/") => requests.keyvalue.clone_from(&everything.keyvalue),
                "wasi:cli/environment" => requests.env.clone_from(&everything.env),
                _ if name.starts_with("wasi:config/") => requests.config.clone_from(&everything.config),
                "toolcrib:host/tools" => requests.tools.clone_from(&everything.tools),
                "toolcrib:host/ask" => requests.ask = true,
                "toolcrib:host/model" => requests.model = true,
                _ => {}
            }
        }
        requests
    }

    /// Every request as a capability with its line, as they stand in a manifest.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        lines.extend(self.http.iter().map(|pattern| ("http", pattern.to_string())));
        lines.extend(self.credentials.iter().map(|pattern| ("credentials", pattern.to_string())));
        lines.extend(self.files.iter().map(|request| ("files", request.to_string())));
        lines.extend(self.keyvalue.iter().map(|rule| ("keyvalue", rule.to_string())));
        lines.extend(self.env.iter().map(|name| ("env", name.to_string())));
        lines.extend(self.config.iter().map(|key| ("config", key.to_string())));
        lines.extend(self.tools.iter().map(|pattern| ("tools", pattern.to_string())));
        lines.extend(self.ask.then(|| ("ask", true.to_string())));
        lines.extend(self.model.then(|| ("model", true.to_string())));
        lines
    }
}
