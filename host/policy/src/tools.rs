//! Lines about tools that a plugin may call, and about the names of variables and configuration keys.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::line::LineError;
use crate::names::{PluginName, ToolName, shortened};

/// Which tools a line speaks of: `files.read`, `files.*`, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ToolPattern {
    /// Every tool.
    Any,
    /// Every tool of a plugin.
    Plugin(PluginName),
    /// One tool.
    Exactly(ToolName),
}

impl ToolPattern {
    /// Reads a pattern.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        match line.trim() {
            "*" => Ok(Self::Any),
            text => match text.strip_suffix(".*") {
                Some(plugin) => Ok(Self::Plugin(plugin.parse()?)),
                None => Ok(Self::Exactly(text.parse()?)),
            },
        }
    }

    /// Whether some tool is matched by both patterns.
    pub(crate) fn meets(&self, other: &ToolPattern) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Exactly(tool), pattern) | (pattern, Self::Exactly(tool)) => pattern.matches(tool),
            (Self::Plugin(one), Self::Plugin(two)) => one == two,
        }
    }

    /// Whether every tool of `other` is matched by this pattern.
    pub fn covers(&self, other: &ToolPattern) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (pattern, Self::Exactly(tool)) => pattern.matches(tool),
            (one, two) => one == two,
        }
    }

    /// Whether the pattern matches.
    pub fn matches(&self, tool: &ToolName) -> bool {
        match self {
            Self::Any => true,
            Self::Plugin(plugin) => plugin == tool.plugin(),
            Self::Exactly(wanted) => wanted == tool,
        }
    }
}

impl TryFrom<String> for ToolPattern {
    type Error = LineError;

    fn try_from(line: String) -> Result<Self, LineError> {
        Self::parse(&line)
    }
}

impl From<ToolPattern> for String {
    fn from(pattern: ToolPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for ToolPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Plugin(plugin) => write!(f, "{plugin}.*"),
            Self::Exactly(tool) => tool.fmt(f),
        }
    }
}

/// Which names a list speaks of: a name, or `*` for all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NamePattern {
    /// Every name.
    Any,
    /// One name, in exactly this case.
    Exactly(String),
}

impl NamePattern {
    /// Reads a name or `*`.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        match text.trim() {
            "*" => Ok(Self::Any),
            name => check_name(name).map(Self::Exactly),
        }
    }

    /// Whether the pattern matches.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => wanted == name,
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exactly(name) => f.write_str(name),
        }
    }
}

/// Checks the name of an environment variable or configuration key.
pub(crate) fn check_name(text: &str) -> Result<String, LineError> {
    let fits = (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'=' | b'*' | b'"' | b'\'' | b'`' | b'\\'));
    if fits { Ok(text.to_owned()) } else { Err(LineError::Name(shortened(text))) }
}
