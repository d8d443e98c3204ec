//! Scripts and recordings as files: reading within a limit, names, and what is wrong with one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why a script or a recording cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened, read or made.
    #[error("the {kind} `{file}` cannot be {act}: {detail}; check the path and its permissions")]
    Access {
        /// `script` or `recording`.
        kind: &'static str,
        /// Its path.
        file: String,
        /// What was tried: `read` or `written`.
        act: &'static str,
        /// What the system says.
        detail: String,
    },
    /// It is larger than any that a person or a run makes.
    #[error("the {kind} `{file}` has more than {limit} bytes; split it")]
    TooLarge {
        /// `script` or `recording`.
        kind: &'static str,
        /// Its path.
        file: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// It does not hold what it should.
    #[error("`{file}`, line {line}: {problem}; {advice}")]
    Invalid {
        /// Its path.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        problem: String,
        /// The way out.
        advice: String,
    },
}

/// A file of one kind, for its messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) kind: &'static str,
    pub(crate) path: &'a Path,
}

impl Named<'_> {
    pub(crate) fn access(self, act: &'static str, error: &io::Error) -> FileError {
        FileError::Access { kind: self.kind, file: self.shown(), act, detail: error.to_string() }
    }

    pub(crate) fn too_large(self, limit: u64) -> FileError {
        FileError::TooLarge { kind: self.kind, file: self.shown(), limit }
    }

    pub(crate) fn invalid(self, line: u64, problem: impl Into<String>, advice: impl Into<String>) -> FileError {
        FileError::Invalid { file: self.shown(), line, problem: problem.into(), advice: advice.into() }
    }

    pub(crate) fn shown(self) -> String {
        self.path.display().to_string()
    }

    /// The whole text, if it is UTF-8 of at most `limit` bytes.
    pub(crate) fn read(self, limit: u64) -> Result<String, FileError> {
        let file = File::open(self.path).map_err(|error| self.access("read", &error))?;
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| self.access("read", &error))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
            return Err(self.too_large(limit));
        }
        String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count();
            self.invalid(line as u64 + 1, "these bytes are not UTF-8", "save the file as UTF-8")
        })
    }
}

/// The name of a model that is a file: `script:demo` for `tests/demo.yaml`.
pub(crate) fn name(word: &str, path: &Path) -> String {
    format!("{word}:{}", path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy())
}

/// The most characters of a text that a message shows.
const SHOWN_CHARS: usize = 80;

/// The beginning of `text` in quotes, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut begin: String = text.chars().take(SHOWN_CHARS).collect();
    if begin.len() < text.len() {
        begin.push('…');
    }
    format!("{begin:?}")
}
