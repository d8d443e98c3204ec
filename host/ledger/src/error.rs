//! What can go wrong, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::event::{MAX_KIND_LEN, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, MAX_STATUS_LEN, MAX_TITLE_BYTES};
use crate::id::{RunId, Seq};

/// Why the ledger refused or failed. After any of these from a write, nothing of that write was acknowledged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another host writes in this folder.
    #[error("{} is in use by {}: one host writes to a folder, so stop that one or use another folder", path.display(), holder(*pid))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, if the lock file says.
        pid: Option<u32>,
    },
    /// There is nothing to read.
    #[error("there is no ledger in {}: it is made by the first run", path.display())]
    NoLedger {
        /// The folder.
        path: PathBuf,
    },
    /// There is a ledger where a new one was to be made.
    #[error("there is a ledger in {} already: name an empty folder", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a ledger ({found}): it was left as it is, move it away or name another folder", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What the file looks like.
        found: &'static str,
    },
    /// A newer toolcrib wrote the file.
    #[error("{} was written by a newer toolcrib (format {found}, this one knows up to {known}): it was left as it is, update toolcrib to use it", path.display())]
    FutureVersion {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The newest format that this build knows.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged ({detail}): it was left as it is: restore a copy, or take what is good of it with `toolcrib repair --output DIR`; if it is moved away, the next run makes a new one", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// No space for the write. Earlier events stay readable, and writing works again once there is space.
    #[error("the disk is full: nothing was written to {}, free some space and resume", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The system failed at a read or a write.
    #[error("{} cannot be used: {detail}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A flush to the disk failed earlier, after which no later flush can be believed.
    #[error("a flush of {} to its disk failed earlier, so nothing more is written: check the disk and start again", path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
    },
    /// A write through a ledger that was opened for reading.
    #[error("the ledger in {} was opened for reading only", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
    },
    /// Another process kept the database busy for longer than a call waits.
    #[error("{} is kept busy by another process: try again, or close what has it open", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// No run has this name.
    #[error("there is no run `{given}` in this ledger")]
    NoRun {
        /// The name, or the part of one.
        given: String,
    },
    /// Several runs fit a shortened name.
    #[error("`{given}` fits {total} runs ({}): give more of the name", list(matches, *total))]
    AmbiguousRun {
        /// The part of a name.
        given: String,
        /// The newest runs that fit.
        matches: Vec<RunId>,
        /// How many fit in all.
        total: u64,
    },
    /// The run has no such event.
    #[error("run {run} has no event {seq}")]
    NoEvent {
        /// The run.
        run: RunId,
        /// The place.
        seq: Seq,
    },
    /// The kind cannot be used.
    #[error(
        "`{given}` cannot be the kind of an event: use 1 to {MAX_KIND_LEN} of a-z A-Z 0-9 . _ - (and not `ledger.` in front, which is the ledger's own)"
    )]
    BadKind {
        /// The kind, cut to a readable length.
        given: String,
    },
    /// The status cannot be used.
    #[error("`{given}` cannot be the status of a run: use 1 to {MAX_STATUS_LEN} of a-z A-Z 0-9 . _ -")]
    BadStatus {
        /// The status, cut to a readable length.
        given: String,
    },
    /// The title is too long.
    #[error(
        "the title of a run can have {MAX_TITLE_BYTES} bytes, and this one has {len}: put the rest into the details"
    )]
    TitleTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The payload is too large.
    #[error("the payload of an event can have {MAX_PAYLOAD_BYTES} bytes, and this one has {len}")]
    PayloadTooLarge {
        /// Its length in bytes, as JSON.
        len: usize,
    },
    /// The payload nests too deeply.
    #[error("the payload of an event can nest {MAX_PAYLOAD_DEPTH} deep, and this one nests deeper")]
    PayloadTooDeep,
    /// The payload cannot be written as JSON.
    #[error("the payload of an event cannot be written as JSON: {detail}")]
    PayloadNotJson {
        /// Why.
        detail: String,
    },
    /// The file of a signing key cannot be used.
    #[error("the key {} {why}", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// The record of an erasure cannot itself be erased.
    #[error("event {seq} of run {run} records an erasure, and such records stay")]
    KeptForever {
        /// The run.
        run: RunId,
        /// The place.
        seq: Seq,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {detail}")]
    NoRandomness {
        /// What the system said.
        detail: String,
    },
    /// Something that SQLite refused and that has no name of its own here.
    #[error("the database {} refused: {source}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) if pid == std::process::id() => format!("this very process ({pid})"),
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

fn list(matches: &[RunId], total: u64) -> String {
    let mut text = matches.iter().map(RunId::to_string).collect::<Vec<_>>().join(", ");
    if total > matches.len() as u64 {
        text.push_str(", …");
    }
    text
}

impl LedgerError {
    /// Whether the cause is the lack of space, after which the same call can succeed.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }

    /// Gives an error of SQLite its name.
    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let rusqlite::Error::SqliteFailure(code, text) = &error else {
            return Self::undecodable(path, error);
        };
        let detail = text.clone().unwrap_or_else(|| code.to_string());
        match (code.code, code.extended_code) {
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::DiskFull { path },
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Self::Corrupt { path, detail },
            (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied, extended) => {
                Self::Io { path, detail: format!("{detail} (sqlite {extended})") }
            }
            (ErrorCode::ReadOnly, _) => {
                Self::Io { path, detail: "the file or its folder cannot be written".to_owned() }
            }
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Busy { path },
            _ => Self::Storage { path, source: error },
        }
    }

    /// A value of a type or range that the schema rules out means that the file was damaged.
    fn undecodable(path: PathBuf, error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match error {
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Self::Corrupt { path, detail: error.to_string() },
            source => Self::Storage { path, source },
        }
    }

    /// Gives an error of the file system its name.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, detail: error.to_string() },
        }
    }
}

/// Whether this is a flush that failed: after it the kernel may have dropped what it could not write.
pub(crate) fn is_failed_flush(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(code, _) = error else {
        return false;
    };
    matches!(code.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
}
