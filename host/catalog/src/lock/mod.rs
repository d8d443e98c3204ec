//! The lock: what each plugin was when a person last looked at it.
//!
//! A lock holds the digest of each plugin's component and everything that the plugin says of itself: description, tools,
//! schemas, what it asks for. What is different now is named, place by place ([`Difference`]), so that a person can see a
//! change before it counts, also one of words alone: a description is read by a language model.
//!
//! The file is JSON, sorted and indented, so that a version control system shows its changes line by line.

mod difference;
mod pinned;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toolcrib_policy::PluginName;

pub use difference::Difference;
pub use pinned::{Pinned, PinnedTool};

/// The version of the file's shape.
const VERSION: u32 = 1;

/// The largest file that is read: a thousand plugins with ten tools each fit.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What plugins were when a person last looked.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    path: PathBuf,
    plugins: BTreeMap<PluginName, Pinned>,
}

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file cannot be read.
    #[error("the lock file `{path}` cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The file is no lock.
    #[error(
        "`{path}` is no lock file ({why}): restore it, or remove it and look at every plugin again with `toolcrib update`"
    )]
    Malformed {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The file was written by a later version.
    #[error(
        "the lock file `{path}` was written by a later version of toolcrib (format {found}, this one knows {VERSION})"
    )]
    Future {
        /// The file.
        path: String,
        /// Its version.
        found: u32,
    },
    /// The file cannot be written.
    #[error("the lock file `{path}` cannot be written: {why}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    plugins: BTreeMap<PluginName, Pinned>,
}

impl Lock {
    /// Reads the lock at `path`. Where there is no file, nothing is pinned yet.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no lock.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let shown = || path.display().to_string();
        let unreadable = |error: std::io::Error| LockError::Unreadable { path: shown(), why: error.to_string() };
        let text = match std::fs::metadata(path) {
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                return Err(LockError::Malformed { path: shown(), why: "it is too large".to_owned() });
            }
            Ok(_) => std::fs::read(path).map_err(unreadable)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { path: path.to_owned(), plugins: BTreeMap::new() });
            }
            Err(error) => return Err(unreadable(error)),
        };
        Self::parse(path, &text)
    }

    /// Reads the text of the file at `path`.
    pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Self, LockError> {
        let shown = || path.display().to_string();
        let malformed = |error: serde_json::Error| LockError::Malformed { path: shown(), why: error.to_string() };
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_slice(text).map_err(malformed)?;
        if head.version > VERSION {
            return Err(LockError::Future { path: shown(), found: head.version });
        }
        let written: Written = serde_json::from_slice(text).map_err(malformed)?;
        Ok(Self { path: path.to_owned(), plugins: written.plugins })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the plugin was.
    pub fn get(&self, name: &PluginName) -> Option<&Pinned> {
        self.plugins.get(name)
    }

    /// The plugins that are pinned.
    pub fn names(&self) -> impl Iterator<Item = &PluginName> {
        self.plugins.keys()
    }

    /// Pins a plugin as it is now.
    pub fn pin(&mut self, name: PluginName, pinned: Pinned) {
        self.plugins.insert(name, pinned);
    }

    /// Forgets a plugin.
    pub fn forget(&mut self, name: &PluginName) -> bool {
        self.plugins.remove(name).is_some()
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    ///
    /// It cannot be written; the old one is as it was.
    pub fn write(&self) -> Result<(), LockError> {
        let unwritable = |error: std::io::Error| LockError::Unwritable {
            path: self.path.display().to_string(),
            why: error.to_string(),
        };
        let text = self.text().map_err(|error| unwritable(error.into()))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
        file.persist(&self.path).map_err(|error| unwritable(error.error))?;
        Ok(())
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> serde_json::Result<Vec<u8>> {
        let written = Written { version: VERSION, plugins: self.plugins.clone() };
        let mut text = serde_json::to_vec_pretty(&written)?;
        text.push(b'\n');
        Ok(text)
    }
}
