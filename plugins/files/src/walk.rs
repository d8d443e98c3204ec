//! A folder and all folders below it, in the order of names, within bounds.

use std::vec;

use toolcrib_sdk::fs::{self, Entry, EntryKind};
use toolcrib_sdk::{ErrorKind, ToolError};

use crate::location::Location;

/// How many folders deep. Deeper trees are machine-made, and each level keeps a list in memory.
const DEPTH_MAX: usize = 64;
/// How many names in all. As many as a large source tree has.
const ENTRIES_MAX: usize = 100_000;

/// One name that was met.
pub(crate) struct Met {
    pub(crate) path: Location,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
}

/// Goes through a tree. Links are met and not followed.
pub(crate) struct Walk {
    folders: Vec<(Location, vec::IntoIter<Entry>)>,
    recursive: bool,
    left: usize,
    incomplete: bool,
}

impl Walk {
    /// Opens a folder.
    pub(crate) fn begin(folder: &Location, recursive: bool) -> Result<Self, ToolError> {
        let entries = fs::list(folder)?;
        let folders = vec![(folder.clone(), entries.into_iter())];
        Ok(Self { folders, recursive, left: ENTRIES_MAX, incomplete: false })
    }

    /// The next name, a folder before what is in it.
    pub(crate) fn next(&mut self) -> Result<Option<Met>, ToolError> {
        while let Some((folder, entries)) = self.folders.last_mut() {
            let Some(entry) = entries.next() else {
                self.folders.pop();
                continue;
            };
            if self.left == 0 {
                self.incomplete = true;
                return Ok(None);
            }
            self.left -= 1;
            let path = folder.join(&entry.name);
            if self.recursive && entry.kind == EntryKind::Directory {
                self.enter(&path)?;
            }
            return Ok(Some(Met { path, kind: entry.kind, size: entry.size }));
        }
        Ok(None)
    }

    /// Whether there is something that was not met: too deep, too much, or not allowed.
    pub(crate) const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    fn enter(&mut self, folder: &Location) -> Result<(), ToolError> {
        if self.folders.len() >= DEPTH_MAX {
            self.incomplete = true;
            return Ok(());
        }
        match fs::list(folder) {
            Ok(entries) => self.folders.push((folder.clone(), entries.into_iter())),
            // Somebody may take a folder away meanwhile, and one closed folder does not close the others.
            Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::NotFound) => self.incomplete = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
