//! What a folder holds: names, kinds, modes, and the digests of the files' bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions};
use serde::{Deserialize, Serialize};
use toolcrib_policy::Digest;

use super::{VERSIONED_BYTES_MAX, VERSIONED_ENTRIES_MAX, VersionError};

/// The names of files that are being put back. They are no part of a state.
pub(super) const PARTIAL: &str = ".toolcrib-rollback-";

/// A file that changed so shortly before it was looked at can change once more within the same tick of the clock.
const TICK: Duration = Duration::from_secs(2);

/// Folders in folders that are looked into.
const DEPTH_MAX: usize = 128;

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub(super) enum Entry {
    /// A folder.
    Folder {
        /// Its permissions.
        mode: u32,
    },
    /// A file.
    File {
        /// Its permissions.
        mode: u32,
        /// Its length.
        bytes: u64,
        /// Its bytes.
        digest: Digest,
    },
    /// A symbolic link. It is never followed.
    Link {
        /// What it says.
        to: String,
    },
}

/// A folder's state. Paths are relative, with `/`, and sorted: a folder comes before what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// What there is, by path.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// What the system says of a file; where it says the same, the bytes are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    bytes: u64,
    inode: u64,
    device: u64,
    changed: (i64, i64),
    modified: (i64, i64),
    digest: Digest,
}

/// The stamps of the files, by path.
pub(super) type Stamps = BTreeMap<String, Stamp>;

/// A folder that was looked at.
pub(super) struct Scanned {
    pub(super) tree: Tree,
    pub(super) stamps: Stamps,
    /// What was left behind by a restoring that was cut off.
    pub(super) partials: Vec<String>,
}

/// Looks at a folder. `known` are stamps of an earlier look; `new` is given each file whose bytes are not known from there.
pub(super) fn scan(
    root: &Dir,
    shown: &str,
    known: &Stamps,
    new: &mut dyn FnMut(&str, &mut File) -> Result<Digest, VersionError>,
) -> Result<Scanned, VersionError> {
    let scanned = Scanned { tree: Tree::default(), stamps: Stamps::new(), partials: Vec::new() };
    let mut scan = Scan { shown, known, new, scanned, bytes: 0, now: SystemTime::now() };
    scan.folder(root, "", 0)?;
    Ok(scan.scanned)
}

struct Scan<'a> {
    shown: &'a str,
    known: &'a Stamps,
    new: &'a mut dyn FnMut(&str, &mut File) -> Result<Digest, VersionError>,
    scanned: Scanned,
    bytes: u64,
    now: SystemTime,
}

impl Scan<'_> {
    fn folder(&mut self, dir: &Dir, prefix: &str, depth: usize) -> Result<(), VersionError> {
        let shown = self.shown;
        let failed = |path: &str| VersionError::io(format!("{shown}/{path}"));
        for found in dir.entries().map_err(failed(prefix))? {
            let name = found.map_err(failed(prefix))?.file_name();
            // A name that is no text cannot be said to a guest, so that no call has changed it.
            let Some(name) = name.to_str() else { continue };
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if name.starts_with(PARTIAL) {
                self.scanned.partials.push(path);
                continue;
            }
            let Some(metadata) = gone_is_none(dir.symlink_metadata(name)).map_err(failed(&path))? else { continue };
            self.too_large(&metadata, depth)?;
            let entry = if metadata.is_dir() {
                let Some(inner) = gone_is_none(dir.open_dir_nofollow(name)).map_err(failed(&path))? else { continue };
                self.scanned.tree.entries.insert(path.clone(), Entry::Folder { mode: mode(&metadata) });
                self.folder(&inner, &path, depth + 1)?;
                continue;
            } else if metadata.is_symlink() {
                let to = dir.read_link_contents(name).map_err(failed(&path))?;
                Entry::Link { to: to.to_string_lossy().into_owned() }
            } else if metadata.is_file() {
                let Some(entry) = self.file(dir, name, &path)? else { continue };
                entry
            } else {
                continue;
            };
            self.scanned.tree.entries.insert(path, entry);
        }
        Ok(())
    }

    fn too_large(&mut self, metadata: &Metadata, depth: usize) -> Result<(), VersionError> {
        if metadata.is_file() {
            self.bytes = self.bytes.saturating_add(metadata.len());
        }
        let entries = self.scanned.tree.entries.len();
        if self.bytes > VERSIONED_BYTES_MAX || entries >= VERSIONED_ENTRIES_MAX || depth > DEPTH_MAX {
            return Err(VersionError::TooLarge { folder: self.shown.to_owned() });
        }
        Ok(())
    }

    fn file(&mut self, dir: &Dir, name: &str, path: &str) -> Result<Option<Entry>, VersionError> {
        let shown = self.shown;
        let failed = |path: &str| VersionError::io(format!("{shown}/{path}"));
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        let Some(mut file) = gone_is_none(dir.open_with(name, &options)).map_err(failed(path))? else {
            return Ok(None);
        };
        // Of what was opened, which may be another file than the one that was listed.
        let metadata = file.metadata().map_err(failed(path))?;
        let known = self.known.get(path).filter(|known| known.is_of(&metadata)).map(|known| known.digest);
        let digest = match known {
            Some(digest) => digest,
            None => (self.new)(path, &mut file)?,
        };
        if !is_fresh(&metadata, self.now) {
            self.scanned.stamps.insert(path.to_owned(), Stamp::of(&metadata, digest));
        }
        Ok(Some(Entry::File { mode: mode(&metadata), bytes: metadata.len(), digest }))
    }
}

impl Stamp {
    fn of(metadata: &Metadata, digest: Digest) -> Self {
        Stamp {
            bytes: metadata.len(),
            inode: metadata.ino(),
            device: metadata.dev(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            digest,
        }
    }

    fn is_of(&self, metadata: &Metadata) -> bool {
        *self == Stamp::of(metadata, self.digest)
    }
}

fn is_fresh(metadata: &Metadata, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let changed = Duration::from_secs(u64::try_from(metadata.ctime().max(metadata.mtime())).unwrap_or(0));
    changed + TICK > now
}

/// Bits that make a program more than its caller are not given back to a file.
fn mode(metadata: &Metadata) -> u32 {
    metadata.mode() & if metadata.is_dir() { 0o7777 } else { 0o777 }
}

/// What disappears while it is looked at was not there.
fn gone_is_none<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The digest of a file's bytes, without keeping them.
pub(super) fn digest_of(path: &str, file: &mut File) -> Result<Digest, VersionError> {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece).map_err(VersionError::io(path))? {
            0 => return Ok(Digest::from_bytes(hasher.finalize().into())),
            length => hasher.update(&piece[..length]),
        }
    }
}
