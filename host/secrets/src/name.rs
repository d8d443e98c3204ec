//! Names of secrets, as `{secret:NAME}` refers to them.

use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes.
const MAX_BYTES: usize = 64;

/// The name of a secret: a lower-case letter, then lower-case letters, digits, `-` and `_`, at most 64. So it is also a
/// file name, and the end of a variable's name in capitals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// The text is no name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a secret: begin with a lower-case letter, go on with lower-case letters, digits, `-` and `_`, \
     64 at most"
)]
pub struct SecretNameError(String);

impl SecretName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = SecretNameError;

    fn from_str(text: &str) -> Result<Self, SecretNameError> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        let fits = text.len() <= MAX_BYTES
            && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
            && text.bytes().all(inner);
        if fits { Ok(Self(text.to_owned())) } else { Err(SecretNameError(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names_and_ends_of_variables() {
        for good in ["github", "a", "api-key_2"] {
            assert!(good.parse::<SecretName>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "2fa", "-x", "Github", "a/b", "..", "a b", "a\n", "ä", &long] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad}");
        }
    }
}
