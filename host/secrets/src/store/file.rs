//! The encrypted file: [age](https://age-encryption.org/v1), to an X25519 identity that lies elsewhere. What is encrypted is
//! JSON: `{"version": 1, "secrets": {"name": "value"}}`, so that `age -d -i IDENTITY secrets.age` reads it without us.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::StoreError;
use crate::name::SecretName;
use crate::secret::Secret;

/// The version of what is encrypted.
const VERSION: u32 = 1;

type Secrets = BTreeMap<SecretName, Secret>;

/// The file, and what was read of it.
pub(super) struct EncryptedFile {
    path: PathBuf,
    identity: PathBuf,
    kept: Mutex<Option<(Stamp, Secrets)>>,
}

/// What tells one version of the file from the next: each is a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

#[derive(Serialize, Deserialize)]
struct Plain {
    version: u32,
    secrets: BTreeMap<String, Zeroizing<String>>,
}

impl EncryptedFile {
    pub(super) fn new(path: PathBuf, identity: PathBuf) -> Self {
        Self { path, identity, kept: Mutex::default() }
    }

    pub(super) fn get(&self, name: &SecretName) -> Result<Option<Secret>, StoreError> {
        self.with(|secrets| secrets.get(name).cloned())
    }

    pub(super) fn names(&self) -> Result<Vec<SecretName>, StoreError> {
        self.with(|secrets| secrets.keys().cloned().collect())
    }

    /// Reads the file, unless it is the one that was read last.
    fn with<T>(&self, use_it: impl FnOnce(&Secrets) -> T) -> Result<T, StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path)?;
        if kept.as_ref().map(|(stamp, _)| *stamp) != now {
            *kept = match now {
                Some(now) => Some((now, self.read()?)),
                None => None,
            };
        }
        let empty = Secrets::new();
        Ok(use_it(kept.as_ref().map_or(&empty, |(_, secrets)| secrets)))
    }

    /// Changes what the file holds: one writer at a time, and whoever reads sees the old file or the new one.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Secrets) -> T) -> Result<T, StoreError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        make_private(folder)?;
        let lock_path = self.path.with_extension("lock");
        let lock = private().open(&lock_path).map_err(StoreError::written(&lock_path))?;
        lock.lock().map_err(StoreError::written(&lock_path))?;
        let there = stamp(&self.path)?.is_some();
        let identity = if there { self.identity()? } else { self.identity_or_new()? };
        let mut secrets = if there { self.decrypt(&identity)? } else { Secrets::new() };
        let result = change(&mut secrets);
        self.write(folder, &identity, &secrets)?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(result)
    }

    fn read(&self) -> Result<Secrets, StoreError> {
        self.decrypt(&self.identity()?)
    }

    fn decrypt(&self, identity: &Identity) -> Result<Secrets, StoreError> {
        let damaged = |why: String| StoreError::Damaged { path: self.path.clone(), why };
        let bytes = std::fs::read(&self.path).map_err(StoreError::read(&self.path))?;
        let plain = age::decrypt(identity, &bytes).map_err(|error| damaged(error.to_string()))?;
        let plain = Zeroizing::new(plain);
        // Its error could show a part of the text.
        let plain: Plain = serde_json::from_slice(&plain).map_err(|_| damaged("it holds no secrets".to_owned()))?;
        if plain.version != VERSION {
            return Err(damaged(format!("it is of version {}, and this program reads {VERSION}", plain.version)));
        }
        let secret = |(name, value): (String, Zeroizing<String>)| {
            let name = name.parse().map_err(|error: crate::SecretNameError| damaged(error.to_string()))?;
            Ok((name, Secret::new(value.to_string())))
        };
        plain.secrets.into_iter().map(secret).collect()
    }

    fn write(&self, folder: &Path, identity: &Identity, secrets: &Secrets) -> Result<(), StoreError> {
        let value = |(name, secret): (&SecretName, &Secret)| {
            (name.as_str().to_owned(), Zeroizing::new(secret.reveal().to_owned()))
        };
        let plain = Plain { version: VERSION, secrets: secrets.iter().map(value).collect() };
        let failed = StoreError::written(&self.path);
        let plain = match serde_json::to_vec(&plain) {
            Ok(plain) => Zeroizing::new(plain),
            Err(error) => return Err(failed(error.into())),
        };
        let sealed = match age::encrypt(&identity.to_public(), &plain) {
            Ok(sealed) => sealed,
            Err(error) => return Err(failed(std::io::Error::other(error))),
        };
        replace(folder, &self.path, &sealed).map_err(failed)
    }

    fn identity(&self) -> Result<Identity, StoreError> {
        match read_identity(&self.identity)? {
            Some(identity) => Ok(identity),
            None => Err(StoreError::NoIdentity { file: self.path.clone(), identity: self.identity.clone() }),
        }
    }

    fn identity_or_new(&self) -> Result<Identity, StoreError> {
        if let Some(identity) = read_identity(&self.identity)? {
            return Ok(identity);
        }
        let folder = self.identity.parent().unwrap_or(Path::new("."));
        make_private(folder)?;
        let identity = Identity::generate();
        let text = Zeroizing::new(format!(
            "# The identity that the secrets of toolcrib are encrypted to. Keep a copy where nobody else reads it.\n{}\n",
            identity.to_string().expose_secret()
        ));
        replace(folder, &self.identity, text.as_bytes()).map_err(StoreError::written(&self.identity))?;
        Ok(identity)
    }
}

/// The identity in a file, if there is one and nobody else can read it.
fn read_identity(path: &Path) -> Result<Option<Identity>, StoreError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::read(path)(error)),
    };
    #[cfg(unix)]
    {
        let found = std::fs::metadata(path).map_err(StoreError::read(path))?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(StoreError::Exposed { path: path.to_owned(), mode });
        }
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let identity = line.and_then(|line| line.parse().ok());
    identity.map(Some).ok_or_else(|| StoreError::BadIdentity(path.to_owned()))
}

fn stamp(path: &Path) -> Result<Option<Stamp>, StoreError> {
    match std::fs::metadata(path) {
        Ok(found) => {
            #[cfg(unix)]
            let inode = std::os::unix::fs::MetadataExt::ino(&found);
            #[cfg(not(unix))]
            let inode = 0;
            Ok(Some(Stamp { inode, length: found.len(), modified: found.modified().ok() }))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::read(path)(error)),
    }
}

fn make_private(folder: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(StoreError::written(folder))
}

/// A file for its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Puts a whole file in the place of another: on the disk before it has its name. Temporary files are for their owner only.
fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
