//! Where secrets are kept: an encrypted file, variables, mounted files, the system's keyring. The first place that has a name counts.

mod error;
mod file;
mod folder;
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod keyring;
#[cfg(not(all(feature = "keyring", target_os = "linux")))]
#[path = "no_keyring.rs"]
mod keyring;

use std::path::PathBuf;
use std::sync::Arc;

use crate::forms::MIN_SECRET_BYTES;
use crate::name::SecretName;
use crate::secret::Secret;
use crate::source::{SecretSource, VARIABLE_PREFIX, variable};

use file::EncryptedFile;

pub use error::StoreError;

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The places, the first one first.
    pub sources: Vec<SecretSource>,
    /// The encrypted file.
    pub file: PathBuf,
    /// The identity that it is encrypted to, in a file for its owner only. Made where there is none and it is needed.
    pub identity: PathBuf,
    /// The variables of the process.
    pub environment: Arc<[(String, String)]>,
}

/// The secrets of an installation.
pub struct SecretStore {
    sources: Vec<SecretSource>,
    file: EncryptedFile,
    environment: Arc<[(String, String)]>,
}

/// A secret that is there, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub name: SecretName,
    /// The place whose value counts.
    pub source: SecretSource,
    /// Other places that have a value of the same name, which does not count.
    pub shadowed: Vec<SecretSource>,
}

impl std::fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretStore").field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl SecretStore {
    /// The store at these places. Nothing is read yet.
    pub fn new(config: StoreConfig) -> Self {
        let StoreConfig { sources, file, identity, environment } = config;
        Self { sources, file: EncryptedFile::new(file, identity), environment }
    }

    /// The value of a name, from the first place that has one.
    ///
    /// # Errors
    ///
    /// A place before it cannot be read: what it holds might be what counts.
    pub fn get(&self, name: &SecretName) -> Result<Option<Secret>, StoreError> {
        for source in &self.sources {
            if let Some(secret) = self.read(source, name)? {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }

    /// The place whose value of a name counts.
    ///
    /// # Errors
    ///
    /// As [`SecretStore::get`].
    pub fn holder(&self, name: &SecretName) -> Result<Option<&SecretSource>, StoreError> {
        for source in &self.sources {
            if self.read(source, name)?.is_some() {
                return Ok(Some(source));
            }
        }
        Ok(None)
    }

    fn read(&self, source: &SecretSource, name: &SecretName) -> Result<Option<Secret>, StoreError> {
        match source {
            SecretSource::File => self.file.get(name),
            SecretSource::Folder(folder) => folder::get(folder, name),
            SecretSource::Keyring => keyring::get(name),
            SecretSource::Environment => {
                let wanted = variable(name);
                let found = self.environment.iter().find(|(variable, value)| *variable == wanted && !value.is_empty());
                Ok(found.map(|(_, value)| Secret::new(value.clone())))
            }
        }
    }

    /// Puts a value into the first place that can be written, and says whether there was one of that name before.
    ///
    /// # Errors
    ///
    /// The value is too short to be masked, no place can be written, or the first that can be fails.
    pub fn set(&self, name: &SecretName, value: &Secret) -> Result<bool, StoreError> {
        if value.reveal().len() < MIN_SECRET_BYTES {
            return Err(StoreError::TooShort(MIN_SECRET_BYTES));
        }
        match self.writable() {
            Some(SecretSource::Keyring) => keyring::set(name, value),
            Some(_) => self.file.change(|secrets| secrets.insert(name.clone(), value.clone()).is_some()),
            None => Err(StoreError::NotWritable),
        }
    }

    /// Removes a value from the first place that can be written, and says whether there was one.
    ///
    /// # Errors
    ///
    /// No place can be written, or the first that can be fails.
    pub fn remove(&self, name: &SecretName) -> Result<bool, StoreError> {
        match self.writable() {
            Some(SecretSource::Keyring) => keyring::remove(name),
            Some(_) => self.file.change(|secrets| secrets.remove(name).is_some()),
            None => Err(StoreError::NotWritable),
        }
    }

    /// The place that [`SecretStore::set`] writes.
    pub fn writable(&self) -> Option<&SecretSource> {
        self.sources.iter().find(|source| matches!(source, SecretSource::File | SecretSource::Keyring))
    }

    /// Every name that is there, in order. What only the system's keyring has is not among them: it does not say what it has.
    ///
    /// # Errors
    ///
    /// A place cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut found = std::collections::BTreeMap::<SecretName, Listed>::new();
        for source in &self.sources {
            for name in self.names(source)? {
                found
                    .entry(name.clone())
                    .and_modify(|listed| listed.shadowed.push(source.clone()))
                    .or_insert_with(|| Listed { name, source: source.clone(), shadowed: Vec::new() });
            }
        }
        Ok(found.into_values().collect())
    }

    fn names(&self, source: &SecretSource) -> Result<Vec<SecretName>, StoreError> {
        match source {
            SecretSource::File => self.file.names(),
            SecretSource::Folder(folder) => folder::names(folder),
            // It does not say which entries it has.
            SecretSource::Keyring => Ok(Vec::new()),
            SecretSource::Environment => {
                let name = |(variable, value): &(String, String)| {
                    let end = variable.strip_prefix(VARIABLE_PREFIX).filter(|_| !value.is_empty())?;
                    end.to_ascii_lowercase().replace('_', "-").parse().ok()
                };
                Ok(self.environment.iter().filter_map(name).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
