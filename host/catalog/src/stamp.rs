//! Whether a file may have changed, without reading it, and reading it so that what is checked is what is used.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What the system says about a file. Equal stamps mean that the file was not touched; the change time is among them,
/// since, unlike the modification time, a program cannot set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    device: u64,
    inode: u64,
}

impl Stamp {
    /// The stamp of the regular file at `path`, following links.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Self::from_metadata(&std::fs::metadata(path)?)
    }

    /// The size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &Metadata) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        regular(metadata)?;
        Ok(Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    #[cfg(not(unix))]
    fn from_metadata(metadata: &Metadata) -> io::Result<Self> {
        regular(metadata)?;
        let since = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let modified = (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()));
        Ok(Self { size: metadata.len(), modified, changed: modified, device: 0, inode: 0 })
    }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")) }
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The system refused, or it is no regular file.
    Io(io::Error),
    /// It has more bytes than are accepted.
    TooLarge(u64),
    /// It changed while it was read.
    Changing,
}

/// The bytes of a file and the stamp that belongs to exactly these bytes.
pub(crate) fn read(path: &Path, max: u64) -> Result<(Vec<u8>, Stamp), ReadError> {
    let mut file = open(path).map_err(ReadError::Io)?;
    let stamp = |file: &File| file.metadata().and_then(|m| Stamp::from_metadata(&m)).map_err(ReadError::Io);
    let before = stamp(&file)?;
    if before.size > max {
        return Err(ReadError::TooLarge(before.size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0));
    // One byte more than stated shows a file that grows.
    file.by_ref().take(before.size + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() as u64 != before.size || stamp(&file)? != before {
        return Err(ReadError::Changing);
    }
    Ok((bytes, before))
}

/// Opens a file for reading. A named pipe in a plugin directory must not hold the host up until somebody writes to it.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_a_changed_file_from_an_untouched_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let (bytes, stamp) = read(&path, 10).unwrap();
        assert_eq!((bytes.as_slice(), stamp), (b"one".as_slice(), Stamp::of(&path).unwrap()));
        // The same length and even the same modification time: the inode and the change time tell.
        let other = dir.path().join("b");
        std::fs::write(&other, "two").unwrap();
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), stamp);
    }

    #[test]
    fn large_files_folders_and_pipes_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("large"), [0; 11]).unwrap();
        assert!(matches!(read(&dir.path().join("large"), 10), Err(ReadError::TooLarge(11))));
        assert!(matches!(read(dir.path(), 10), Err(ReadError::Io(_))));
        assert!(matches!(read(Path::new("/dev/zero"), 10), Err(ReadError::Io(_))));
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(read(&pipe, 10), Err(ReadError::Io(_))));
        }
    }
}
