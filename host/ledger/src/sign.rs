//! Checkpoints that are signed: whoever holds the public key can tell one of this installation from a forged one.
//!
//! A plain [`Checkpoint`] proves something only where it was kept out of the forger's reach. A signed one may also travel
//! through places that others write to, such as a mailbox or a log. The key is no protection against somebody who
//! can read it: with the key, a new line can be signed for a ledger that was written anew, but none that was kept
//! elsewhere can be changed.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Serialize, Serializer};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::error::LedgerError;
use crate::folder::private;
use crate::id::LedgerId;
use crate::proof::{Digest, checkpoint_message, checksum, from_hex};
use crate::stamp::UnixMicros;

const PREFIX: &str = "toolcrib-checkpoint:2";
const KEY_PREFIX: &str = "toolcrib-key:1";
/// An ed25519 seed (RFC 8032).
const SEED_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;

/// The key of an installation. It shows nothing of itself.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads the key in the file `path`, and makes one where there is none: 32 random bytes, for the owner only.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`] if the file is no key or others may read it, and what the system says.
    pub fn open_or_make(path: &Path) -> Result<Self, LedgerError> {
        if let Some(key) = Self::open(path)? {
            return Ok(key);
        }
        make(path)?;
        let gone = || LedgerError::Io { path: path.to_owned(), detail: "the key that was made is gone".to_owned() };
        Self::open(path)?.ok_or_else(gone)
    }

    /// Reads the key in the file `path`; `None` where there is no file.
    ///
    /// # Errors
    /// As [`SigningKey::open_or_make`].
    pub fn open(path: &Path) -> Result<Option<Self>, LedgerError> {
        let failed = |error| LedgerError::io(path, &error);
        let bad = |why| LedgerError::BadKey { path: path.to_owned(), why };
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if is_open_to_others(&file.metadata().map_err(failed)?) {
            return Err(bad("may be read or written by others: if nobody did, `chmod 600` it, else remove it"));
        }
        let mut seed = Vec::with_capacity(SEED_BYTES + 1);
        file.take(SEED_BYTES as u64 + 1).read_to_end(&mut seed).map_err(failed)?;
        if seed.len() != SEED_BYTES {
            return Err(bad("is no key of 32 bytes: restore it, or remove it and the next checkpoint makes a new one"));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| bad("is no ed25519 key"))?;
        Ok(Some(Self(pair)))
    }

    /// What others check signatures with.
    pub fn public(&self) -> PublicKey {
        PublicKey(fixed(self.0.public_key().as_ref()))
    }

    /// Signs a checkpoint that was taken at this time.
    pub fn sign(&self, checkpoint: Checkpoint, at: UnixMicros) -> SignedCheckpoint {
        let key = self.public();
        let signed = self.0.sign(checkpoint_message(&checkpoint, at, &key.0).as_bytes());
        SignedCheckpoint { checkpoint, at, key, signature: fixed(signed.as_ref()) }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

/// The bytes of something whose length RFC 8032 fixes.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_metadata: &fs::Metadata) -> bool {
    false
}

/// Makes the file. It appears under its name in one moment, complete and flushed; one that another process made meanwhile
/// stays.
fn make(path: &Path) -> Result<(), LedgerError> {
    let failed = |error| LedgerError::io(path, &error);
    let mut random = [0; SEED_BYTES + 8];
    getrandom::fill(&mut random).map_err(|error| LedgerError::NoRandomness { detail: error.to_string() })?;
    let (seed, suffix) = random.split_at(SEED_BYTES);
    if let Some(folder) = path.parent() {
        crate::folder::Folder::new(folder).make()?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let mut file = private().create_new(true).open(&beside).map_err(failed)?;
    let linked = file.write_all(seed).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&beside, path));
    fs::remove_file(&beside).map_err(failed)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => Ok(()),
    }
}

/// The public part of a key: `toolcrib-key:1:<64 hexadecimal digits>:<checksum>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_checksum(format!("{KEY_PREFIX}:{}", Hex(&self.0))))
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let fail = |why| PublicKeyError { why };
        let text = text.trim().to_ascii_lowercase();
        let rest = text.strip_prefix(KEY_PREFIX).and_then(|rest| rest.strip_prefix(':'));
        let (key, _) = rest
            .and_then(|rest| rest.split_once(':'))
            .ok_or_else(|| fail("it is not `toolcrib-key:1:` and then a key and a checksum"))?;
        let key = from_hex(key).map(Self).ok_or_else(|| fail("its key is not 64 hexadecimal digits"))?;
        if key.to_string() != text {
            return Err(fail("its checksum does not fit, so it was mistyped or cut"));
        }
        Ok(key)
    }
}

/// Why a text is not a [`PublicKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a public key: {why}")]
pub struct PublicKeyError {
    /// What is wrong with it.
    pub why: &'static str,
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A checkpoint with the time at which it was taken, the key and the signature, in one line of text:
/// `toolcrib-checkpoint:2:<ledger>:<n>:<digest>:<time>:<public key>:<signature>:<checksum>`. What is signed is in
/// [`crate::proof`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The place in the chain of heads.
    pub checkpoint: Checkpoint,
    /// What the clock of the signer said.
    pub at: UnixMicros,
    /// Whose key it was, as the line says: trust it only where it is known from elsewhere.
    pub key: PublicKey,
    signature: [u8; SIGNATURE_BYTES],
}

impl SignedCheckpoint {
    /// Whether the signature is one by [`SignedCheckpoint::key`] over all the rest of the line.
    pub fn is_genuine(&self) -> bool {
        let message = checkpoint_message(&self.checkpoint, self.at, &self.key.0);
        UnparsedPublicKey::new(&ED25519, &self.key.0).verify(message.as_bytes(), &self.signature).is_ok()
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { ledger, n, chain } = self.checkpoint;
        let (at, key, signature) = (self.at.get(), Hex(&self.key.0), Hex(&self.signature));
        f.write_str(&with_checksum(format!("{PREFIX}:{ledger}:{n}:{chain}:{at}:{key}:{signature}")))
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let fail = |why| CheckpointError { why };
        let text = text.trim().to_ascii_lowercase();
        let rest = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix(':'))
            .ok_or_else(|| fail("it does not begin with `toolcrib-checkpoint:2:`"))?;
        let parts: Vec<&str> = rest.split(':').collect();
        let [ledger, n, chain, at, key, signature, _] = parts[..] else {
            return Err(fail("it has not the seven parts ledger, number, digest, time, key, signature and checksum"));
        };
        let ledger = from_hex(ledger).map(LedgerId).ok_or_else(|| fail("its ledger is not 32 hexadecimal digits"))?;
        let n = n.parse().map_err(|_| fail("its number is not a number"))?;
        let chain = Digest::from_hex(chain).ok_or_else(|| fail("its digest is not 64 hexadecimal digits"))?;
        let at = at.parse().map(UnixMicros::new).map_err(|_| fail("its time is not a number of microseconds"))?;
        let key = from_hex(key).map(PublicKey).ok_or_else(|| fail("its key is not 64 hexadecimal digits"))?;
        let signature = from_hex(signature).ok_or_else(|| fail("its signature is not 128 hexadecimal digits"))?;
        let signed = Self { checkpoint: Checkpoint { ledger, n, chain }, at, key, signature };
        if signed.to_string() != text {
            return Err(fail("its checksum does not fit, so it was mistyped or cut"));
        }
        Ok(signed)
    }
}

impl Serialize for SignedCheckpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A line that was kept elsewhere, signed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptCheckpoint {
    /// Without a signature: it proves something only where nobody else could write.
    Unsigned(Checkpoint),
    /// With one.
    Signed(SignedCheckpoint),
}

impl KeptCheckpoint {
    /// The place in the chain of heads.
    pub fn checkpoint(&self) -> &Checkpoint {
        match self {
            Self::Unsigned(checkpoint) => checkpoint,
            Self::Signed(signed) => &signed.checkpoint,
        }
    }

    /// What the signature is worth, where `trusted` is the key that is known from elsewhere.
    pub fn trust(&self, trusted: Option<&PublicKey>) -> Trust {
        match (self, trusted) {
            (Self::Unsigned(_), _) => Trust::Unsigned,
            (Self::Signed(signed), _) if !signed.is_genuine() => Trust::Forged,
            (Self::Signed(_), None) => Trust::NoKey,
            (Self::Signed(signed), Some(key)) if signed.key == *key => Trust::Signed { at: signed.at },
            (Self::Signed(signed), Some(_)) => Trust::OtherKey { key: signed.key },
        }
    }
}

impl FromStr for KeptCheckpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        if text.trim().to_ascii_lowercase().starts_with(PREFIX) {
            return text.parse().map(Self::Signed);
        }
        text.parse().map(Self::Unsigned)
    }
}

/// What the signature of a checkpoint is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "trust")]
pub enum Trust {
    /// Signed by the trusted key.
    Signed {
        /// What the clock of the signer said.
        at: UnixMicros,
    },
    /// Not signed.
    Unsigned,
    /// Signed, and no key is known to hold it against.
    NoKey,
    /// Signed by somebody else.
    OtherKey {
        /// Whose key it is, as the line says.
        key: PublicKey,
    },
    /// The signature does not fit the line.
    Forged,
}

impl Trust {
    /// Whether the line may be believed as far as it goes: one that is forged, or by a stranger's key, may not.
    pub fn is_sound(&self) -> bool {
        matches!(self, Self::Signed { .. } | Self::Unsigned)
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed { at } => write!(f, "signed by the trusted key on {at}"),
            Self::Unsigned => {
                f.write_str("not signed: it proves something only if nobody could change it where it was kept")
            }
            Self::NoKey => f.write_str(
                "signed, but there is no key to hold it against: give the public key that was kept with it (--key)",
            ),
            Self::OtherKey { key } => write!(
                f,
                "signed by another key than the trusted one: whoever has {key} made it, and it proves nothing here"
            ),
            Self::Forged => f.write_str("forged: its signature does not fit what it says, so it proves nothing"),
        }
    }
}

fn with_checksum(body: String) -> String {
    let sum = u32::from_be_bytes(checksum(&body));
    format!("{body}:{sum:08x}")
}

/// Bytes as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn key() -> (tempfile::TempDir, SigningKey) {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::open_or_make(&dir.path().join("keys/checkpoint.key")).unwrap();
        (dir, key)
    }

    fn signed(key: &SigningKey) -> SignedCheckpoint {
        let checkpoint = Checkpoint { ledger: LedgerId([9; 16]), n: 12, chain: Digest([1; 32]) };
        key.sign(checkpoint, UnixMicros::new(1_790_000_000_000_000))
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let (dir, key) = key();
        let path = dir.path().join("keys/checkpoint.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::open_or_make(&path).unwrap().public(), key.public());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        let seed: String = fs::read(&path).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!format!("{key:?}").contains(&seed));
    }

    #[test]
    fn a_key_that_others_may_read_or_that_was_cut_is_refused() {
        let (dir, _key) = key();
        let path = dir.path().join("keys/checkpoint.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("may be read or written by others"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [7; 31]).unwrap();
        let error = SigningKey::open_or_make(&path).unwrap_err().to_string();
        assert!(error.contains("is no key of 32 bytes"), "{error}");
    }

    #[test]
    fn a_signed_checkpoint_comes_back_from_its_text() {
        let (_dir, key) = key();
        let signed = signed(&key);
        let back: KeptCheckpoint = format!(" {}\n", signed.to_string().to_uppercase()).parse().unwrap();
        assert_eq!(back, KeptCheckpoint::Signed(signed));
        assert_eq!(back.trust(Some(&key.public())), Trust::Signed { at: signed.at });
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        assert!(key.public().to_string()[..70].parse::<PublicKey>().is_err());
    }

    #[test]
    fn a_line_in_which_anything_was_changed_is_forged() {
        let (_dir, key) = key();
        let good = signed(&key);
        let n = SignedCheckpoint { checkpoint: Checkpoint { n: 13, ..good.checkpoint }, ..good };
        let ledger = Checkpoint { ledger: LedgerId([8; 16]), ..good.checkpoint };
        let chain = Checkpoint { chain: Digest([2; 32]), ..good.checkpoint };
        let forged = [
            n,
            SignedCheckpoint { checkpoint: ledger, ..good },
            SignedCheckpoint { checkpoint: chain, ..good },
            SignedCheckpoint { at: UnixMicros::new(0), ..good },
            SignedCheckpoint { key: self::key().1.public(), ..good },
        ];
        for line in forged {
            // The forger writes a checksum that fits.
            let kept: KeptCheckpoint = line.to_string().parse().unwrap();
            assert_eq!(kept.trust(Some(&key.public())), Trust::Forged, "{line}");
        }
    }

    #[test]
    fn a_line_by_another_key_is_told_from_ours() {
        let ((_dir, ours), (_other, theirs)) = (key(), key());
        let kept = KeptCheckpoint::Signed(signed(&theirs));
        assert_eq!(kept.trust(Some(&ours.public())), Trust::OtherKey { key: theirs.public() });
        assert_eq!(kept.trust(None), Trust::NoKey);
        assert!(!kept.trust(None).is_sound() && !kept.trust(Some(&ours.public())).is_sound());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "(toolcrib-(checkpoint:2|key:1):)?[0-9a-f:é]{0,300}") {
            let _ = text.parse::<KeptCheckpoint>();
            let _ = text.parse::<PublicKey>();
        }
    }
}
