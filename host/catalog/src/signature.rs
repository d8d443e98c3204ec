//! Signatures of plugins: minisign (Ed25519), checked offline against the operator's keys.
//!
//! The signature of `NAME.wasm` lies beside it as `NAME.wasm.minisig`, that of a `plugin.toml` as `plugin.toml.minisig`. Both
//! formats of minisign are read, the prehashed one and the older one. The format: <https://jedisct1.github.io/minisign/>.

use std::path::Path;

use minisign_verify::{Error, PublicKey, Signature};
use toolcrib_policy::{TrustedKey, UnixMillis};

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("`{file}` has no signature: there is no `{file}.minisig` beside it")]
    Missing {
        /// What should be signed.
        file: String,
    },
    /// It is no signature.
    #[error("`{file}.minisig` is no signature of minisign")]
    Malformed {
        /// What should be signed.
        file: String,
    },
    /// Its key is not among the operator's.
    #[error("`{file}` is signed with a key that is not in `trusted-keys`")]
    Untrusted {
        /// What is signed.
        file: String,
    },
    /// The key was trusted until a time that is over.
    #[error("`{file}` is signed with the key `{key}`, which is trusted no longer than its `until` in `trusted-keys`")]
    Expired {
        /// What is signed.
        file: String,
        /// The key.
        key: String,
    },
    /// The key is right and the signature belongs to other bytes.
    #[error("the signature of `{file}` is not one of these bytes: the file or the signature was changed")]
    Wrong {
        /// What should be signed.
        file: String,
    },
}

impl SignatureError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "signature-missing",
            Self::Malformed { .. } => "signature-malformed",
            Self::Untrusted { .. } => "signature-untrusted",
            Self::Expired { .. } => "signature-expired",
            Self::Wrong { .. } => "signature-wrong",
        }
    }
}

/// The largest signature that is read: one has four lines.
const SIGNATURE_BYTES_MAX: u64 = 8 * 1024;

/// Checks the signature that lies beside `path`. Blocks.
pub(crate) fn check_file(
    path: &Path,
    bytes: &[u8],
    keys: &[TrustedKey],
    now: UnixMillis,
) -> Result<String, SignatureError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".minisig");
    let small = std::fs::metadata(&beside).is_ok_and(|found| found.is_file() && found.len() <= SIGNATURE_BYTES_MAX);
    let text = small.then(|| std::fs::read_to_string(&beside).ok()).flatten();
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    check(&crate::text::one_line(&file), bytes, text.as_deref(), keys, now)
}

/// Checks the signature `text` of `bytes`, which messages call `file`, and says which key made it.
pub(crate) fn check(
    file: &str,
    bytes: &[u8],
    text: Option<&str>,
    keys: &[TrustedKey],
    now: UnixMillis,
) -> Result<String, SignatureError> {
    let file = file.to_owned();
    let Some(text) = text else { return Err(SignatureError::Missing { file }) };
    let Ok(signature) = Signature::decode(text) else { return Err(SignatureError::Malformed { file }) };
    for trusted in keys {
        let Ok(key) = PublicKey::from_base64(trusted.key()) else { continue };
        match key.verify(bytes, &signature, true) {
            Err(Error::UnexpectedKeyId) => {}
            Err(_) => return Err(SignatureError::Wrong { file }),
            Ok(()) if trusted.is_valid_at(now) => return Ok(trusted.key().to_owned()),
            Ok(()) => return Err(SignatureError::Expired { file, key: trusted.key().to_owned() }),
        }
    }
    Err(SignatureError::Untrusted { file })
}
