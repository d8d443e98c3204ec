//! Files that a call began to write beside their place, to put them there in one step: none is left behind by a call
//! that failed.
//!
//! A guest that is stopped by a limit, a trap, the deadline or a cancel cannot remove anything any more. So a file that a
//! call creates under a name such as `.report.txt.0.partial` (a dot in front, `.partial` at the end) is removed by the
//! host when the call fails, unless it was renamed or removed before. Only the very file that the call made is meant.

use std::sync::{Arc, Mutex, PoisonError};

use cap_std::fs::{Dir, File, MetadataExt};

use super::descriptor::Folder;
use super::mount::{Mount, Mounts};

/// The files of one call that may have to go.
#[derive(Debug, Default)]
pub(super) struct Unfinished(Mutex<Vec<Partial>>);

#[derive(Debug)]
struct Partial {
    mount: Arc<Mount>,
    dir: Arc<Dir>,
    /// Below `dir`.
    path: String,
    /// As the guest names it.
    shown: String,
    device: u64,
    inode: u64,
}

impl Unfinished {
    /// Keeps a file that was just created in mind, if its name says that it is unfinished.
    pub(super) fn note(&self, folder: &Folder, path: &str, file: &File) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !(name.starts_with('.') && name.ends_with(".partial")) {
            return;
        }
        let Ok(metadata) = file.metadata() else { return };
        let partial = Partial {
            mount: folder.mount.clone(),
            dir: folder.dir.clone(),
            path: path.to_owned(),
            shown: folder.path_of(path),
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(partial);
    }

    fn take(&self) -> Vec<Partial> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Partial {
    /// Whether the file is still there under its unfinished name, and no other file.
    fn is_there(&self) -> bool {
        let found = self.dir.symlink_metadata(&self.path);
        found.is_ok_and(|found| found.is_file() && (found.dev(), found.ino()) == (self.device, self.inode))
    }
}

impl Mounts {
    /// Ends the call's files: after a failed call, what it left unfinished is removed.
    pub(crate) async fn sweep(self: &Arc<Self>, failed: bool) {
        let partials = self.unfinished.take();
        if partials.is_empty() || !failed {
            return;
        }
        let mounts = self.clone();
        // Fails only if the removal panics, and then the files stay.
        let _ = tokio::task::spawn_blocking(move || mounts.remove(&partials)).await;
    }

    /// Blocks.
    fn remove(&self, partials: &[Partial]) {
        for partial in partials.iter().filter(|partial| partial.is_there()) {
            let used = partial.mount.used("remove unfinished", &partial.shown);
            let removed = partial.dir.remove_file(&partial.path);
            self.record().done(&used, true, removed.is_err().then_some("io"));
        }
    }
}

/// A call whose future was dropped was ended as well.
impl Drop for Mounts {
    fn drop(&mut self) {
        let partials = self.unfinished.take();
        self.remove(&partials);
    }
}
