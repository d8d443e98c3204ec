//! What is wrong with a plugin, for people: one line with its path and a way out.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toolcrib_policy::PluginName;

/// How much a problem takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A plugin or a directory is not in the catalog, or only in an older version.
    Refused,
    /// A tool of a plugin is missing.
    Partial,
    /// Everything works, and somebody should know.
    Note,
}

/// One thing that is wrong. Its [`Display`](fmt::Display) is `path: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Problem {
    /// What it takes away.
    pub severity: Severity,
    /// The file or folder, or `embedded:NAME`.
    pub path: PathBuf,
    /// The plugin, where its name is known.
    pub plugin: Option<PluginName>,
    /// A stable code for programs, such as `name-taken`.
    pub code: Cow<'static, str>,
    /// The cause and the way out, in one line.
    pub message: String,
}

impl Problem {
    pub(crate) fn refused(path: &Path, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Refused, path, code, message)
    }

    pub(crate) fn partial(path: &Path, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Partial, path, code, message)
    }

    pub(crate) fn note(path: &Path, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, path, code, message)
    }

    pub(crate) fn of(mut self, plugin: &PluginName) -> Self {
        self.plugin = Some(plugin.clone());
        self
    }

    fn new(severity: Severity, path: &Path, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        // Messages quote what untrusted files say; a problem stays one plain line whatever that is.
        let message = crate::text::one_line(&message.into());
        Self { severity, path: path.to_owned(), plugin: None, code: code.into(), message }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = crate::text::one_line(&self.path.display().to_string());
        write!(f, "{path}: {}", self.message)
    }
}
