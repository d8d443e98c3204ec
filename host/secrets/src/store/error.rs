//! What can be wrong with a place for secrets.

use std::io;
use std::path::{Path, PathBuf};

/// Why secrets cannot be read or written. No message holds a value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The value is shorter than this many bytes.
    #[error("a secret of less than {0} bytes cannot be masked where an answer repeats it, and is not taken")]
    TooShort(usize),
    /// None of the places can be written.
    #[error("no place for secrets here can be written: add `file` to `sources` in `[secrets]`")]
    NotWritable,
    /// The keyring of the operating system cannot be used.
    #[error("the keyring of the operating system cannot be used: {0}")]
    Keyring(&'static str),
    /// A file cannot be read or written.
    #[error("`{}` cannot be {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read the identity.
    #[error(
        "`{}` can be read by others (mode {mode:03o}): nothing is decrypted with it; make it yours alone with \
         `chmod 600`, and think about new secrets if somebody may have read it", path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There are secrets and no identity for them.
    #[error(
        "`{}` is encrypted, and there is no identity at `{}`: put it back from where you keep it, name its place with \
         `identity` in `[secrets]`, or move the file away and set the secrets anew", file.display(), identity.display()
    )]
    NoIdentity {
        /// The encrypted file.
        file: PathBuf,
        /// Where the identity would be.
        identity: PathBuf,
    },
    /// The identity is none.
    #[error("`{}` holds no age identity: the line that begins with `AGE-SECRET-KEY-1` is missing or damaged", .0.display())]
    BadIdentity(PathBuf),
    /// The file is damaged, or was encrypted to another identity.
    #[error(
        "`{}` cannot be decrypted ({why}): it is damaged, or was encrypted to another identity; it is left as it is", path.display()
    )]
    Damaged {
        /// The encrypted file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A mounted file lies elsewhere than it seems.
    #[error("`{}` leads out of its folder, and is not read", .0.display())]
    Outside(PathBuf),
    /// A value is longer than any credential.
    #[error("`{}` is longer than {most} bytes, and no secret", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that a value can have.
        most: u64,
    },
    /// A value is no text.
    #[error("`{}` is not UTF-8, and cannot stand in a request", .0.display())]
    NotText(PathBuf),
}

impl StoreError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), what: "read", source }
    }

    pub(super) fn written(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), what: "written", source }
    }
}
