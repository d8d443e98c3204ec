//! The folder of a ledger: where its files lie, and the lock that keeps it to one writing host.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::LedgerError;

const DB_FILE: &str = "ledger.db";
/// A new database is made under this name and renamed, so that `ledger.db` is never half made.
const NEW_FILE: &str = "ledger.db.new";
const LOCK_FILE: &str = "ledger.lock";
/// A process number fits; whatever else stands in the lock file does not matter.
const PID_BYTES: u64 = 32;

/// The paths of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    pub(crate) db: PathBuf,
    pub(crate) new_db: PathBuf,
}

impl Folder {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), db: dir.join(DB_FILE), new_db: dir.join(NEW_FILE) }
    }

    /// Makes the folder, for its owner only: payloads are private data.
    pub(crate) fn make(&self) -> Result<(), LedgerError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(|error| LedgerError::io(&self.dir, &error))
    }

    /// Flushes the names in the folder, without which a new file can be gone after a loss of power.
    pub(crate) fn flush_names(&self) -> Result<(), LedgerError> {
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(|error| LedgerError::io(&self.dir, &error))
    }

    /// Whether some process has the lock now. It is looked at, not taken.
    pub(crate) fn is_locked(&self) -> bool {
        let Ok(file) = File::open(self.dir.join(LOCK_FILE)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Takes the lock for as long as the returned value lives.
    ///
    /// It is a lock of the kernel on an open file, so it dies with the process that holds it, however that dies; the
    /// file and the process number in it stay and mean nothing by themselves.
    pub(crate) fn lock(&self) -> Result<FolderLock, LedgerError> {
        let path = self.dir.join(LOCK_FILE);
        let failed = |error| LedgerError::io(&path, &error);
        let mut file = private().truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Locked { path: self.dir.clone(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The number is for people: a full disk must not keep the ledger from being opened.
        if let Err(error) = write_pid(&mut file) {
            tracing::warn!(path = %path.display(), %error, "the lock is held, but its file does not name this process");
        }
        Ok(FolderLock { _file: file })
    }
}

/// Opens for writing, making the file readable by its owner only.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Held while a host writes in a folder.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_with_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let first = folder.lock().unwrap();
        let refused = folder.lock().unwrap_err();
        assert!(matches!(refused, LedgerError::Locked { pid: Some(pid), .. } if pid == std::process::id()));
        drop(first);
        assert!(folder.lock().is_ok());
    }

    #[test]
    fn a_lock_file_that_nobody_holds_means_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCK_FILE), "1\n").unwrap();
        let folder = Folder::new(dir.path());
        let held = folder.lock().unwrap();
        let text = fs::read_to_string(dir.path().join(LOCK_FILE)).unwrap();
        assert_eq!(text.trim(), std::process::id().to_string());
        drop(held);
    }
}
