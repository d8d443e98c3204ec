//! A folder is made what a snapshot says. Doing it again, or going on with it after it was cut off, comes to the same.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use toolcrib_policy::Digest;

use super::tree::{Entry, PARTIAL, Stamps, Tree, digest_of, scan};
use super::{Keep, VersionError};

/// What becomes of one place in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The place, below the folder.
    pub path: String,
    /// What becomes of it.
    pub change: ChangeKind,
}

/// What becomes of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is there again.
    Created,
    /// It goes.
    Removed,
    /// It has other bytes, another kind or another target.
    Content,
    /// It has other permissions alone.
    Mode,
}

impl ChangeKind {
    /// The change in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "create",
            Self::Removed => "remove",
            Self::Content => "change",
            Self::Mode => "mode",
        }
    }
}

/// What makes `from` into `to`.
pub(super) fn changes(from: &Tree, to: &Tree) -> Vec<Change> {
    let paths: BTreeSet<&String> = from.entries.keys().chain(to.entries.keys()).collect();
    let change = |path: &String| {
        let change = match (from.entries.get(path), to.entries.get(path)) {
            (Some(one), Some(two)) if one == two => return None,
            (Some(one), Some(two)) if one.same_content(two) => ChangeKind::Mode,
            (Some(_), Some(_)) => ChangeKind::Content,
            (None, _) => ChangeKind::Created,
            (_, None) => ChangeKind::Removed,
        };
        Some(Change { path: path.clone(), change })
    };
    paths.into_iter().filter_map(change).collect()
}

impl Entry {
    fn same_content(&self, other: &Entry) -> bool {
        match (self, other) {
            (Entry::Folder { .. }, Entry::Folder { .. }) => true,
            (Entry::File { digest: one, .. }, Entry::File { digest: two, .. }) => one == two,
            (one, two) => one == two,
        }
    }

    fn same_kind(&self, other: &Entry) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Makes the folder what `to` says. Everything that it needs is looked at before anything is changed.
pub(super) fn restore(keep: &Keep, folder: &Path, to: &Tree) -> Result<(), VersionError> {
    let shown = folder.display().to_string();
    let root = Dir::open_ambient_dir(folder, ambient_authority()).map_err(VersionError::io(&shown))?;
    let scanned = scan(&root, &shown, &Stamps::new(), &mut |path, file| digest_of(path, file))?;
    let now = scanned.tree;
    let changed: Vec<Change> = changes(&now, to);
    for change in &changed {
        if let (ChangeKind::Created | ChangeKind::Content, Some(Entry::File { digest, .. })) =
            (change.change, to.entries.get(&change.path))
        {
            bytes_of(keep, digest)?;
        }
    }
    let restoring = Restoring { keep, root: &root, shown: &shown };
    restoring.open_up(&now)?;
    for partial in &scanned.partials {
        restoring.at(partial, |dir, name| dir.remove_file(name))?;
    }
    // What is deepest goes first, so that a folder is empty when its turn comes.
    for (path, entry) in now.entries.iter().rev() {
        let stays = to.entries.get(path).is_some_and(|wanted| wanted.same_kind(entry));
        match entry {
            _ if stays => {}
            Entry::Folder { .. } => restoring.at(path, |dir, name| dir.remove_dir(name))?,
            Entry::File { .. } | Entry::Link { .. } => restoring.at(path, |dir, name| dir.remove_file(name))?,
        }
    }
    for (path, wanted) in &to.entries {
        let there = now.entries.get(path).filter(|entry| entry.same_kind(wanted));
        match (wanted, there) {
            (Entry::Folder { .. }, Some(_)) => {}
            (Entry::Folder { .. }, None) => restoring.at(path, |dir, name| dir.create_dir(name))?,
            (wanted, Some(there)) if wanted == there => {}
            (Entry::File { mode, digest, .. }, there) => match there {
                Some(there) if there.same_content(wanted) => restoring.mode(path, *mode)?,
                _ => restoring.file(path, *mode, digest)?,
            },
            (Entry::Link { to }, there) => restoring.at(path, |dir, name| {
                if there.is_some() {
                    dir.remove_file(name)?;
                }
                dir.symlink_contents(to, name)
            })?,
        }
    }
    // A folder that may not be written is made so once nothing more is to be written in it.
    for (path, entry) in to.entries.iter().rev() {
        if let Entry::Folder { mode } = entry {
            restoring.mode(path, *mode)?;
        }
    }
    Ok(())
}

/// The bytes that were kept, which are what their name says.
fn bytes_of(keep: &Keep, digest: &Digest) -> Result<std::fs::File, VersionError> {
    let lost = || VersionError::Lost { what: format!("the file {}", digest.short()) };
    let mut file = std::fs::File::open(keep.object(digest)).map_err(|_| lost())?;
    let mut hasher = sha2::Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece).map_err(|_| lost())? {
            0 => break,
            length => hasher.update(&piece[..length]),
        }
    }
    if Digest::from_bytes(hasher.finalize().into()) != *digest {
        return Err(lost());
    }
    std::io::Seek::rewind(&mut file).map_err(|_| lost())?;
    Ok(file)
}

struct Restoring<'a> {
    keep: &'a Keep,
    root: &'a Dir,
    shown: &'a str,
}

impl Restoring<'_> {
    /// Does something to a place, by its name in the folder that holds it. No folder on the way is a link.
    fn at<T>(&self, path: &str, act: impl FnOnce(&Dir, &str) -> std::io::Result<T>) -> Result<T, VersionError> {
        let failed = VersionError::io(format!("{}/{path}", self.shown));
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut parts = parts(parents).map(str::to_owned);
        let opened = match parts.next() {
            None => return act(self.root, name).map_err(failed),
            Some(first) => self.root.open_dir_nofollow(first),
        };
        let dir =
            parts.try_fold(opened.map_err(VersionError::io(self.shown))?, |dir, part| dir.open_dir_nofollow(part));
        dir.and_then(|dir| act(&dir, name)).map_err(failed)
    }

    /// Makes folders writable for as long as they are worked in.
    fn open_up(&self, now: &Tree) -> Result<(), VersionError> {
        for (path, entry) in &now.entries {
            if let Entry::Folder { mode } = entry
                && mode & 0o700 != 0o700
            {
                self.mode(path, mode | 0o700)?;
            }
        }
        Ok(())
    }

    /// Sets permissions of a file or folder, never through a link.
    fn mode(&self, path: &str, mode: u32) -> Result<(), VersionError> {
        self.at(path, |dir, name| {
            if dir.symlink_metadata(name)?.is_symlink() {
                return Ok(());
            }
            dir.set_permissions(name, Permissions::from_mode(mode))
        })
    }

    /// A new file takes the name; the old one, which may have other names, keeps its bytes.
    fn file(&self, path: &str, mode: u32, digest: &Digest) -> Result<(), VersionError> {
        let mut bytes = bytes_of(self.keep, digest)?;
        self.at(path, |dir, name| {
            let partial = format!("{PARTIAL}{}", digest.short());
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            let there = dir.symlink_metadata(name);
            if there.is_ok_and(|there| !there.is_file() && !there.is_symlink()) {
                return Err(std::io::Error::other("neither a file nor a link stands there: remove it"));
            }
            // One of the same name was left by a try that was cut off.
            let _ = dir.remove_file(&partial);
            let mut made = dir.open_with(&partial, &options)?;
            let mut piece = vec![0; 1 << 16];
            loop {
                match bytes.read(&mut piece)? {
                    0 => break,
                    length => made.write_all(&piece[..length])?,
                }
            }
            made.set_permissions(Permissions::from_mode(mode))?;
            made.sync_all()?;
            dir.rename(&partial, dir, name)
        })
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
