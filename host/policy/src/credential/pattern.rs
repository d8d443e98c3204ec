//! To which requests a credential may be added: an address, with methods where not every one is meant.

use std::fmt;

use crate::http::{HttpPattern, HttpTarget};
use crate::line::LineError;

/// Requests that a credential may be added to: `https://api.example.com/**`, or `GET https://api.example.com/**`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialPattern(HttpPattern);

impl CredentialPattern {
    /// Reads a pattern as a line of `http`, without `via`; without methods it means every one.
    pub(crate) fn parse(line: &str) -> Result<Self, LineError> {
        let line = line.trim();
        let bare = !line.is_empty() && !line.contains(|c: char| c.is_ascii_whitespace());
        let pattern =
            if bare && line != "*" { HttpPattern::parse(&format!("* {line}")) } else { HttpPattern::parse(line) };
        pattern.map(Self)
    }

    pub(crate) fn everything() -> Self {
        Self(HttpPattern::everything())
    }

    pub(crate) fn http(&self) -> &HttpPattern {
        &self.0
    }

    pub(crate) fn denies(&self, target: &HttpTarget) -> bool {
        self.0.denies(target)
    }

    pub(crate) fn matches(&self, target: &HttpTarget) -> bool {
        self.0.matches(target)
    }
}

impl From<HttpPattern> for CredentialPattern {
    fn from(pattern: HttpPattern) -> Self {
        Self(pattern)
    }
}

impl fmt::Display for CredentialPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.strip_prefix("* ").unwrap_or(&text))
    }
}
