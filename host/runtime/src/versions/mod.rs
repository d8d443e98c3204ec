//! Folders whose states are kept, so that they can be rolled back.
//!
//! ```text
//!  call ─► Tree::scan ─► Keep (objects by digest, snapshots, what was last seen) ─► snapshot ids in the ledger
//!  rollback ─► Tree::scan ─► has somebody else changed it? ─► restore ─► snapshot ids in the ledger
//! ```
//!
//! Everything is below the data folder:
//!
//! | place | what |
//! |---|---|
//! | `versions/objects/…` | the bytes of a file, by their digest |
//! | `versions/snapshots/…` | a [`Tree`], by its digest |
//! | `versions/folders/…` | what a folder was last seen as, by the digest of its place |
//!
//! No link is ever followed. A file is never written in place: a new one takes its name, so that what else has the old
//! one's bytes keeps them.

mod keep;
mod restore;
mod rollback;
#[cfg(test)]
mod tests;
mod tree;

use thiserror::Error;

pub(crate) use keep::{Keep, snapshots_in};
pub use restore::{Change, ChangeKind};
pub(crate) use rollback::put_back_states;
pub use rollback::{RollbackReport, RollbackRequest, RolledFolder, rollback, sweep_states};

/// The most files and folders of one folder that is versioned.
pub(crate) const VERSIONED_ENTRIES_MAX: usize = 100_000;
/// The most bytes of the files of one folder that is versioned.
pub(crate) const VERSIONED_BYTES_MAX: u64 = 4 << 30;

/// Why the state of a folder could not be kept or put back.
#[derive(Debug, Error)]
pub enum VersionError {
    /// The folder, or a place in it, cannot be read or written.
    #[error("`{path}`: {source}")]
    Io {
        /// The place.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder is larger than can be kept.
    #[error(
        "the folder `{folder}` has more than {VERSIONED_ENTRIES_MAX} entries or {VERSIONED_BYTES_MAX} bytes: it cannot be \
         versioned; take `versioned` out of its grant, or grant a smaller folder"
    )]
    TooLarge {
        /// The folder.
        folder: String,
    },
    /// What was kept is gone or damaged.
    #[error("`{what}` was not kept, or is damaged: the folder cannot be put back to that state")]
    Lost {
        /// The snapshot or object.
        what: String,
    },
    /// Somebody else changed the folder since.
    #[error("{why}")]
    Foreign {
        /// What they changed, and where.
        why: String,
    },
}

impl VersionError {
    fn io(path: impl ToString) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_string();
        move |source| Self::Io { path, source }
    }
}
