//! Compiled code on disk, by digest, profile and engine; authenticated, so that a planted or altered file is not run.
//!
//! An entry is `mac ‖ contents`, where `mac` is keyed BLAKE3 over the engine, the profile, the entry's kind, the
//! digest and the contents. The key is random, lies in a file that only its owner may read, and never leaves it. An
//! entry whose code does not fit is treated as absent: compiled again, and replaced.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use toolcrib_policy::Digest;
use wasmtime::Engine;

use crate::engine::Profile;

const MAC_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
/// What compiled code may take on disk, for all engines together. A language runtime takes 60 MiB.
const MAX_CACHE_BYTES: u64 = 1 << 30;
/// How often a process that waits for another one's work looks whether it is done.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The cache of one engine.
#[derive(Debug)]
pub(crate) struct Cache {
    /// The folder of all engines.
    root: PathBuf,
    /// The folder of this engine.
    folder: PathBuf,
    most_bytes: u64,
    key: [u8; KEY_BYTES],
    domain: String,
}

impl Cache {
    /// Opens the cache in `folder`; the key lies in `key_file`, and is made if there is none.
    pub(crate) fn open(folder: &Path, key_file: &Path, profile: Profile, engine: &Engine) -> io::Result<Self> {
        let domain = format!("{}-{:016x}", profile.as_str(), engine_hash(engine));
        let root = folder.to_owned();
        let folder = folder.join(&domain);
        fs::create_dir_all(&folder)?;
        Ok(Cache { root, folder, most_bytes: MAX_CACHE_BYTES, key: load_or_make_key(key_file)?, domain })
    }

    /// The entry's contents, if there is one that this cache wrote.
    pub(crate) fn get(&self, kind: &str, digest: &Digest) -> Option<Bytes> {
        let path = self.path(kind, digest);
        let mut contents = Bytes::from(fs::read(&path).ok()?);
        if contents.len() < MAC_BYTES {
            tracing::warn!(path = %path.display(), "cache entry cut short, ignored");
            return None;
        }
        let mac = contents.split_to(MAC_BYTES);
        let expected = self.mac(kind, digest, &contents);
        // `blake3::Hash` compares in constant time.
        if blake3::Hash::from_slice(&mac).ok()? != expected {
            tracing::warn!(path = %path.display(), "cache entry was not written by this cache, ignored");
            return None;
        }
        // The time of an entry is that of its last use, for `trim`. It is only a hint.
        let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(contents)
    }

    /// Waits until no other process makes the entry of `digest`. Where no lock can be had, nobody waits: two then do the
    /// same work.
    pub(crate) async fn turn(&self, digest: &Digest) -> Option<Turn> {
        let path = self.path("lock", digest);
        let file = fs::File::options().create(true).append(true).open(&path).ok()?;
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Turn { file, path }),
                Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_LOOKS).await,
                Err(fs::TryLockError::Error(_)) => return None,
            }
        }
    }

    /// Writes an entry. A failure costs the next start some time, nothing else; it is logged.
    pub(crate) fn put(&self, kind: &str, digest: &Digest, contents: &[u8]) {
        let path = self.path(kind, digest);
        if let Err(error) = self.write(&path, kind, digest, contents) {
            tracing::warn!(path = %path.display(), %error, "cache entry not written");
        }
        self.trim(&path);
    }

    /// Removes what was not used for longest, whatever engine it was for, until the rest is within the limit. `fresh`
    /// stays. Errors are ignored: another process may be doing the same, and each next entry tries again.
    fn trim(&self, fresh: &Path) {
        let mut entries = entries(&self.root);
        entries.sort();
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        for entry in entries.iter().filter(|entry| entry.path != fresh) {
            if total <= self.most_bytes {
                return;
            }
            if fs::remove_file(&entry.path).is_ok() {
                total -= entry.bytes;
            }
        }
    }

    fn write(&self, path: &Path, kind: &str, digest: &Digest, contents: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(self.mac(kind, digest, contents).as_bytes())?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, kind: &str, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.{kind}", digest.to_string().replace(':', "-")))
    }

    fn mac(&self, kind: &str, digest: &Digest, contents: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        for part in [self.domain.as_bytes(), kind.as_bytes(), digest.to_string().as_bytes(), contents] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize()
    }
}

/// The right to make one entry, among all processes. The system takes it back from a process that dies.
#[derive(Debug)]
pub(crate) struct Turn {
    file: fs::File,
    path: PathBuf,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The name goes first: whoever waits for the file behind it then finds the entry.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// A file of the cache, ordered by its last use.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

/// What the caches of all engines hold, and what a write that was cut off left. Nothing else that lies there is looked at.
fn entries(root: &Path) -> Vec<Entry> {
    let within = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let files = within(root).flat_map(|engine| within(&engine.path()));
    let entry = |file: fs::DirEntry| {
        let name = file.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with("sha256-") || name.starts_with(".tmp"));
        let metadata = file.metadata().ok().filter(|metadata| ours && metadata.is_file())?;
        Some(Entry { used: metadata.modified().ok()?, bytes: metadata.len(), path: file.path() })
    };
    files.filter_map(entry).collect()
}

/// What makes compiled code of one engine unfit for another: version, flags, processor features.
fn engine_hash(engine: &Engine) -> u64 {
    let mut hasher = blake3::Hasher::new();
    engine.precompile_compatibility_hash().hash(&mut HashInto(&mut hasher));
    let bytes = hasher.finalize();
    u64::from_le_bytes(bytes.as_bytes()[..8].try_into().unwrap_or_default())
}

/// Feeds a [`Hash`] value to BLAKE3: the standard hasher's result may differ from one release to the next.
struct HashInto<'a>(&'a mut blake3::Hasher);

impl Hasher for HashInto<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn load_or_make_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    match read_key(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(path),
        other => other,
    }
}

fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = fs::File::open(path)?;
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Written beside its place and linked there, so that two first starts agree on one key.
fn make_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut key = [0; KEY_BYTES];
    rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty())?;
    // `NamedTempFile` is created for its owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => read_key(path),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_entry_is_made_by_one_at_a_time_and_others_are_not_held_up() {
        let home = tempfile::tempdir().unwrap();
        let open = || Cache::open(home.path(), &home.path().join("key"), Profile::Small, &Engine::default()).unwrap();
        let (one, other) = (open(), open());
        let (digest, unrelated) = (Digest::of(b"a"), Digest::of(b"b"));
        let turn = one.turn(&digest).await.unwrap();
        let soon = |digest| tokio::time::timeout(BETWEEN_LOOKS * 3, other.turn(digest));
        assert!(soon(&digest).await.is_err(), "somebody else has it");
        assert!(soon(&unrelated).await.unwrap().is_some());
        drop(turn);
        assert!(other.turn(&digest).await.is_some());
        assert_eq!(fs::read_dir(&one.folder).unwrap().count(), 0, "no lock is left behind");
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("compiled");
        let engine = Engine::default();
        let mut cache = Cache::open(&root, &home.path().join("key"), Profile::Small, &engine).unwrap();
        let digests: Vec<Digest> = (0..4u8).map(|number| Digest::of(&[number])).collect();
        let age = |digest: &Digest, seconds: u64| {
            let file = fs::File::open(cache.path("code", digest)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        };
        // An engine that is not used any more, and what is none of the cache's business.
        let old = root.join("small-0/sha256-00.code");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, [0; 1000]).unwrap();
        fs::File::open(&old).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        fs::write(cache.folder.join("notes.txt"), [0; 5000]).unwrap();
        for (digest, seconds) in digests[..3].iter().zip([300, 200, 100]) {
            cache.put("code", digest, &[0; 1000]);
            age(digest, seconds);
        }
        assert!(old.exists(), "there is room for all");
        // The oldest is used again.
        assert!(cache.get("code", &digests[0]).is_some());
        cache.most_bytes = 3200;
        cache.put("code", &digests[3], &[0; 1000]);
        let left: Vec<bool> = digests.iter().map(|digest| cache.get("code", digest).is_some()).collect();
        assert_eq!(left, [true, false, true, true]);
        assert!(!old.exists() && cache.folder.join("notes.txt").exists());
        // One that is larger than all room is kept until the next comes.
        cache.put("code", &digests[1], &[0; 9000]);
        assert!(cache.get("code", &digests[1]).is_some() && cache.get("code", &digests[3]).is_none());
    }
}
