//! Hashes of text.

use sha2::Digest;
use toolcrib_sdk::value;

/// A hash function.
#[value]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1, for old checksums.
    Sha1,
    /// MD5, for old checksums.
    Md5,
    /// BLAKE3, 256 bits.
    Blake3,
}

/// A hash and the function that made it.
#[value(output)]
pub(crate) struct Hash {
    /// The hash function.
    algorithm: Algorithm,
    /// The hash in lower-case hexadecimal.
    hash: String,
}

pub(crate) fn of(text: &str, algorithm: Algorithm) -> Hash {
    let hash = match algorithm {
        Algorithm::Sha256 => hex(&sha2::Sha256::digest(text)),
        Algorithm::Sha512 => hex(&sha2::Sha512::digest(text)),
        Algorithm::Sha1 => hex(&sha1::Sha1::digest(text)),
        Algorithm::Md5 => hex(&md5::Md5::digest(text)),
        Algorithm::Blake3 => blake3::hash(text.as_bytes()).to_hex().to_string(),
    };
    Hash { algorithm, hash }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    let pairs = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    pairs.collect()
}
