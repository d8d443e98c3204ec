//! Compiled code on disk, by digest, profile and engine; authenticated, so that a planted or altered file is not run.
//!
//! An entry is `mac ‖ contents`, where `mac` is keyed BLAKE3 over the engine, the profile, the entry's kind, the
//! digest and the contents. The key is random, lies in a file that only its owner may read, and never leaves it. An
//! entry whose code does not fit is treated as absent: compiled again, and replaced.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use toolcrib_policy::Digest;
use wasmtime::Engine;

use crate::engine::Profile;

const MAC_BYTES: usize = 32;
const KEY_BYTES: usize = 32;

/// The cache of one engine.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
    domain: String,
}

impl Cache {
    /// Opens the cache in `folder`; the key lies in `key_file`, and is made if there is none.
    pub(crate) fn open(folder: &Path, key_file: &Path, profile: Profile, engine: &Engine) -> io::Result<Self> {
        let domain = format!("{}-{:016x}", profile.as_str(), engine_hash(engine));
        let folder = folder.join(&domain);
        fs::create_dir_all(&folder)?;
        Ok(Cache { folder, key: load_or_make_key(key_file)?, domain })
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
        Some(contents)
    }

    /// Writes an entry. A failure costs the next start some time, nothing else; it is logged.
    pub(crate) fn put(&self, kind: &str, digest: &Digest, contents: &[u8]) {
        let path = self.path(kind, digest);
        if let Err(error) = self.write(&path, kind, digest, contents) {
            tracing::warn!(path = %path.display(), %error, "cache entry not written");
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
