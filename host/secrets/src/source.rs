//! The places where secrets are kept.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::name::SecretName;

/// What the names of variables with secrets begin with.
pub const VARIABLE_PREFIX: &str = "TOOLCRIB_SECRET_";

/// The variable that holds a secret: `TOOLCRIB_SECRET_API_KEY` for `api-key`.
pub fn variable(name: &SecretName) -> String {
    format!("{VARIABLE_PREFIX}{}", name.as_str().to_ascii_uppercase().replace('-', "_"))
}

/// A place where secrets are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The encrypted file of this installation, which `toolcrib secret set` writes.
    File,
    /// Variables of the process, see [`variable`].
    Environment,
    /// The keyring of the operating system.
    Keyring,
    /// A folder with a file for each secret, as orchestrators mount them.
    Folder(PathBuf),
}

/// The text names no place for secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write `file` (the encrypted file of this installation), `env` (`TOOLCRIB_SECRET_…`), `keyring` (the kernel's, \
     of the user), or `folder PATH`"
)]
pub struct SecretSourceError;

impl SecretSource {
    /// Reads `file`, `env`, `keyring`, or `folder PATH`. A relative path is taken from `base`.
    ///
    /// # Errors
    ///
    /// It is none of them.
    pub fn parse(text: &str, base: &Path) -> Result<Self, SecretSourceError> {
        match text.trim() {
            "file" => Ok(Self::File),
            "env" => Ok(Self::Environment),
            "keyring" => Ok(Self::Keyring),
            other => match other.strip_prefix("folder ").map(str::trim) {
                Some(path) if !path.is_empty() => Ok(Self::Folder(base.join(path))),
                _ => Err(SecretSourceError),
            },
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::Environment => f.write_str("env"),
            Self::Keyring => f.write_str("keyring"),
            Self::Folder(path) => write!(f, "folder {}", path.display()),
        }
    }
}
