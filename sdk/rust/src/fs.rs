//! Files, with typed errors that name the path.
//!
//! A plugin sees the directories that it was granted, under the names that the grant gave them, and nothing else.
//! [`std::fs`] works on them as anywhere; what is here adds the path to the error and a limit to the size.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::ToolError;

/// What an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link, a device, or whatever else the host has.
    Other,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the directory.
    pub name: String,
    /// What it is. A link is not followed.
    pub kind: EntryKind,
    /// The size in bytes; 0 where the host does not tell.
    pub size: u64,
}

/// Text of a file, perhaps not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capped {
    /// The bytes that were read.
    pub bytes: Vec<u8>,
    /// Whether the file goes on.
    pub truncated: bool,
}

/// Lists a directory, sorted by name.
///
/// # Errors
///
/// `not-found`, `denied` or another kind by the cause, with the path.
pub fn list(path: impl AsRef<Path>) -> Result<Vec<Entry>, ToolError> {
    let path = path.as_ref();
    let entries = named(path, entries(path))?;
    Ok(entries)
}

/// Reads a whole file of UTF-8 text of at most `limit` bytes.
///
/// # Errors
///
/// As [`read`]; `failed` when the file is longer or not text.
pub fn read_text(path: impl AsRef<Path>, limit: usize) -> Result<String, ToolError> {
    let path = path.as_ref();
    let capped = read(path, limit)?;
    if capped.truncated {
        let message = format!("`{}` is longer than {limit} bytes", path.display());
        return Err(ToolError::failed(message));
    }
    String::from_utf8(capped.bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        ToolError::failed(format!("`{}` is not UTF-8 text (byte {at} does not fit)", path.display()))
    })
}

/// Reads at most `limit` bytes of a file, and says whether there is more.
///
/// # Errors
///
/// `not-found`, `denied` or another kind by the cause, with the path.
pub fn read(path: impl AsRef<Path>, limit: usize) -> Result<Capped, ToolError> {
    let path = path.as_ref();
    named(path, capped(path, limit))
}

/// Writes a whole file, replacing what was there.
///
/// # Errors
///
/// `not-found` when the directory does not exist, `denied`, or another kind by the cause, with the path. When the file
/// was opened and the writing failed, the effect is unknown.
pub fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Result<(), ToolError> {
    let path = path.as_ref();
    let mut file = named(path, fs::File::create(path))?;
    let written = io::Write::write_all(&mut file, contents.as_ref());
    named(path, written).map_err(ToolError::effect_unknown)
}

/// Puts the path in front of an error of [`std::io`].
///
/// # Errors
///
/// The error itself, typed.
pub fn named<T>(path: impl AsRef<Path>, result: io::Result<T>) -> Result<T, ToolError> {
    result.map_err(|error| ToolError::from(error).context(format_args!("`{}`", path.as_ref().display())))
}

fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let kind = match kind {
            kind if kind.is_file() => EntryKind::File,
            kind if kind.is_dir() => EntryKind::Directory,
            _ => EntryKind::Other,
        };
        let size = match kind {
            EntryKind::File => entry.metadata().map_or(0, |data| data.len()),
            _ => 0,
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push(Entry { name, kind, size });
    }
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(entries)
}

fn capped(path: &Path, limit: usize) -> io::Result<Capped> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(Capped { bytes, truncated })
}
