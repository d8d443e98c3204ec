//! `list`: what is in a folder.

use toolcrib_sdk::fs::EntryKind;
use toolcrib_sdk::{ToolError, value};

use crate::glob::Glob;
use crate::location::Location;
use crate::walk::Walk;

/// The most entries in one result: some hundred bytes each, and a result has 4 MiB.
const LIMIT_MAX: usize = 10_000;

/// What is in a folder.
#[value(output)]
pub(crate) struct Listing {
    /// Files and folders, in the order of their names.
    entries: Vec<Listed>,
    /// Whether there is more than is listed.
    truncated: bool,
}

/// One file or folder.
#[value(output)]
struct Listed {
    /// The whole path.
    path: String,
    /// What it is. `other` is a link, a device or a socket.
    kind: Kind,
    /// The size in bytes; 0 for everything but files.
    size: u64,
}

#[value(output)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Directory,
    Other,
}

impl From<EntryKind> for Kind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::File => Self::File,
            EntryKind::Directory => Self::Directory,
            EntryKind::Other => Self::Other,
        }
    }
}

/// Lists `folder`.
pub(crate) fn list(folder: &Location, recursive: bool, glob: Option<&str>, limit: usize) -> Result<Listing, ToolError> {
    let glob = glob.map(Glob::parse).transpose()?;
    let deep = recursive || glob.as_ref().is_some_and(Glob::is_deep);
    let mut walk = Walk::begin(folder, deep)?;
    let mut entries = Vec::new();
    let limit = limit.min(LIMIT_MAX);
    while let Some(met) = walk.next()? {
        if glob.as_ref().is_some_and(|glob| !glob.matches(&met.path, folder)) {
            continue;
        }
        if entries.len() == limit {
            return Ok(Listing { entries, truncated: true });
        }
        entries.push(Listed { path: met.path.to_string(), kind: met.kind.into(), size: met.size });
    }
    Ok(Listing { entries, truncated: walk.is_incomplete() })
}
