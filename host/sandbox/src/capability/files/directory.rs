//! Listing a folder.

use std::io;

use cap_std::fs::Dir;

use super::metadata::type_of;
use super::mount::{Mount, OpenGuard};
use crate::bindings::filesystem::wasi::filesystem::types::{DescriptorType, DirectoryEntry};

/// Entries that one listing may give. A folder with more is listed in part, and the listing ends with an error.
const MAX_ENTRIES: usize = 100_000;

/// The entries of a folder that a guest has not read yet, in the order of their names.
pub struct Entries {
    left: std::vec::IntoIter<io::Result<DirectoryEntry>>,
    /// A listing counts as open until it is dropped: the host holds its entries.
    _open: OpenGuard,
}

impl Entries {
    /// Reads a folder. Blocks. Names that are not UTF-8 cannot be said to a guest and are left out.
    pub(super) fn read(dir: &Dir, open: OpenGuard) -> io::Result<Self> {
        let mut entries = Vec::new();
        for entry in dir.entries()? {
            if entries.len() >= MAX_ENTRIES {
                let error = io::Error::other(format!("the folder has more than {MAX_ENTRIES} entries"));
                return Ok(Entries { left: with_error(entries, error).into_iter(), _open: open });
            }
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirectoryEntry { type_: type_of(entry.file_type()?), name });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self::of(entries, open))
    }

    /// What lies on the way at `path`: the next part of each mount below it.
    pub(super) fn of_way(path: &str, mounts: &[std::sync::Arc<Mount>], open: OpenGuard) -> Self {
        let inside = format!("{}/", path.trim_end_matches('/'));
        let next = |mount: &std::sync::Arc<Mount>| {
            let rest = mount.guest.strip_prefix(&inside)?;
            rest.split('/').next().filter(|part| !part.is_empty()).map(str::to_owned)
        };
        let mut names: Vec<String> = mounts.iter().filter_map(next).collect();
        names.sort();
        names.dedup();
        let entry = |name| DirectoryEntry { type_: DescriptorType::Directory, name };
        Self::of(names.into_iter().map(entry).collect(), open)
    }

    fn of(entries: Vec<DirectoryEntry>, open: OpenGuard) -> Self {
        Entries { left: entries.into_iter().map(Ok).collect::<Vec<_>>().into_iter(), _open: open }
    }

    /// What the entries take in the host, in bytes.
    pub(super) fn size(&self) -> usize {
        let name = |entry: &io::Result<DirectoryEntry>| entry.as_ref().map_or(0, |entry| entry.name.len());
        self.left.as_slice().iter().map(|entry| size_of::<DirectoryEntry>() + name(entry)).sum()
    }

    pub(super) fn next(&mut self) -> io::Result<Option<DirectoryEntry>> {
        self.left.next().transpose()
    }
}

fn with_error(entries: Vec<DirectoryEntry>, error: io::Error) -> Vec<io::Result<DirectoryEntry>> {
    entries.into_iter().map(Ok).chain([Err(error)]).collect()
}
