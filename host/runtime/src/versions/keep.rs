//! Where states are kept: objects by their digest, and what each folder was last seen as.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Digest as _;
use toolcrib_agent::FolderState;
use toolcrib_policy::Digest;

use super::VersionError;
use super::tree::{Stamps, Tree, digest_of, scan};

/// The states of the folders of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    place: PathBuf,
}

/// What a folder was last seen as.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The snapshot of that state.
    pub(super) snapshot: String,
    /// A call that may change it was under way.
    #[serde(default)]
    pub(super) under_way: bool,
    /// It was being put back to this snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restoring: Option<String>,
    #[serde(default)]
    pub(super) stamps: Stamps,
}

impl Keep {
    pub(crate) fn in_data(data: &Path) -> Self {
        Keep { place: data.join("versions") }
    }

    /// Keeps the state that a folder has now. `under_way` says that a call begins that may change it. Blocks.
    pub(crate) fn snapshot(&self, folder: &Path, under_way: bool) -> Result<FolderState, VersionError> {
        let (tree, stamps) = self.look(folder, true)?;
        let snapshot = self.put_tree(&tree)?;
        self.see(folder, &Seen { snapshot: snapshot.clone(), under_way, restoring: None, stamps })?;
        Ok(FolderState { folder: folder.display().to_string(), snapshot })
    }

    /// The state that a folder has now; with `keep`, the bytes of its files are kept.
    pub(super) fn look(&self, folder: &Path, keep: bool) -> Result<(Tree, Stamps), VersionError> {
        let shown = folder.display().to_string();
        let root = Dir::open_ambient_dir(folder, ambient_authority()).map_err(VersionError::io(&shown))?;
        // A stamp says what the bytes are, and that they are kept.
        let known = self.seen(folder).unwrap_or_default().stamps;
        let mut new = |path: &str, file: &mut cap_std::fs::File| {
            if keep { self.put(&mut || file.try_clone(), path) } else { digest_of(path, file) }
        };
        let scanned = scan(&root, &shown, &known, &mut new)?;
        Ok((scanned.tree, if keep { scanned.stamps } else { Stamps::new() }))
    }

    /// Keeps the bytes of a file.
    fn put(
        &self,
        open: &mut dyn FnMut() -> std::io::Result<cap_std::fs::File>,
        path: &str,
    ) -> Result<Digest, VersionError> {
        let failed = |place: &Path| VersionError::io(place.display().to_string());
        let mut file = open().map_err(VersionError::io(path))?;
        let folder = self.folder("objects")?;
        let mut made = tempfile_in(&folder)?;
        let mut hasher = sha2::Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            let length = file.read(&mut piece).map_err(VersionError::io(path))?;
            if length == 0 {
                break;
            }
            hasher.update(&piece[..length]);
            made.file.write_all(&piece[..length]).map_err(failed(&folder))?;
        }
        let digest = Digest::from_bytes(hasher.finalize().into());
        let place = self.object(&digest);
        if !place.exists() {
            made.file.sync_all().map_err(failed(&folder))?;
            made.becomes(&place)?;
        }
        Ok(digest)
    }

    fn put_tree(&self, tree: &Tree) -> Result<String, VersionError> {
        let text = serde_json::to_vec(tree).map_err(|error| VersionError::Lost { what: error.to_string() })?;
        let id = Digest::of(&text).hex();
        let folder = self.folder("snapshots")?;
        let place = folder.join(&id);
        if !place.exists() {
            write_whole(&folder, &place, &text)?;
        }
        Ok(id)
    }

    /// The state of this id.
    pub(super) fn tree(&self, id: &str) -> Result<Tree, VersionError> {
        let lost = || VersionError::Lost { what: format!("snapshot {}", id.chars().take(12).collect::<String>()) };
        let named = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let text = fs::read(self.place.join("snapshots").join(id)).ok().filter(|_| named).ok_or_else(lost)?;
        if Digest::of(&text).hex() != id {
            return Err(lost());
        }
        serde_json::from_slice(&text).map_err(|_| lost())
    }

    /// The bytes of a file that was kept. They are read whole before anything is changed for them.
    pub(super) fn object(&self, digest: &Digest) -> PathBuf {
        self.place.join("objects").join(digest.hex())
    }

    pub(super) fn seen(&self, folder: &Path) -> Option<Seen> {
        serde_json::from_slice(&fs::read(self.seen_place(folder)).ok()?).ok()
    }

    /// Writes down what a folder was seen as.
    pub(super) fn see(&self, folder: &Path, seen: &Seen) -> Result<(), VersionError> {
        let text = serde_json::to_vec(seen).map_err(|error| VersionError::Lost { what: error.to_string() })?;
        write_whole(&self.folder("folders")?, &self.seen_place(folder), &text)
    }

    fn seen_place(&self, folder: &Path) -> PathBuf {
        self.place.join("folders").join(Digest::of(folder.as_os_str().as_encoded_bytes()).hex())
    }

    fn folder(&self, name: &str) -> Result<PathBuf, VersionError> {
        let folder = self.place.join(name);
        private_folder(&folder)?;
        Ok(folder)
    }

    /// Removes every snapshot that is not one of these or the last of a folder, and every object that none of those left
    /// has; says how many files went. Nobody may keep or put back anything meanwhile.
    pub(crate) fn retain(&self, ids: &std::collections::BTreeSet<String>) -> Result<u64, VersionError> {
        let mut keep = ids.clone();
        for place in files_in(&self.place.join("folders")) {
            if let Ok(seen) =
                fs::read(&place).map_err(drop).and_then(|text| serde_json::from_slice::<Seen>(&text).map_err(drop))
            {
                keep.insert(seen.snapshot);
                keep.extend(seen.restoring);
            }
        }
        let mut objects = std::collections::BTreeSet::new();
        let mut removed = 0;
        for place in files_in(&self.place.join("snapshots")) {
            let id = place.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            match self.tree(&id) {
                Ok(tree) if keep.contains(&id) => objects.extend(tree.digests().map(|digest| self.object(&digest))),
                _ => removed += u64::from(fs::remove_file(&place).is_ok()),
            }
        }
        let gone = files_in(&self.place.join("objects")).into_iter().filter(|place| !objects.contains(place));
        removed += gone.filter(|place| fs::remove_file(place).is_ok()).count() as u64;
        Ok(removed)
    }
}

impl Tree {
    /// The digests of its files.
    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.entries.values().filter_map(|entry| match entry {
            super::tree::Entry::File { digest, .. } => Some(*digest),
            _ => None,
        })
    }
}

/// The states that events of a run name.
pub(crate) fn snapshots_in(payload: &Value, found: &mut std::collections::BTreeSet<String>) {
    let lists = [&payload["folders"], &payload["receipt"]["folders"], &payload["from"], &payload["to"]];
    for state in lists.into_iter().filter_map(Value::as_array).flatten() {
        found.extend(state["snapshot"].as_str().map(str::to_owned));
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn private_folder(folder: &Path) -> Result<(), VersionError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(VersionError::io(folder.display()))
}

/// A file that is not there yet, and is removed where it does not become one.
struct Unnamed {
    file: fs::File,
    place: PathBuf,
}

impl Unnamed {
    fn becomes(&self, place: &Path) -> Result<(), VersionError> {
        fs::rename(&self.place, place).map_err(VersionError::io(place.display()))
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        // Fails where it has become a file.
        let _ = fs::remove_file(&self.place);
    }
}

fn tempfile_in(folder: &Path) -> Result<Unnamed, VersionError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("new-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let place = folder.join(name);
    let mut options = fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&place).map_err(VersionError::io(place.display()))?;
    Ok(Unnamed { file, place })
}

/// Writes a file that is there whole or not at all.
fn write_whole(folder: &Path, place: &Path, text: &[u8]) -> Result<(), VersionError> {
    let mut made = tempfile_in(folder)?;
    let failed = |place: &Path| VersionError::io(place.display().to_string());
    made.file.write_all(text).and_then(|()| made.file.sync_all()).map_err(failed(place))?;
    made.becomes(place)
}
