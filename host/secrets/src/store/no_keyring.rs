//! Without the feature `keyring`, and on systems other than Linux, the keyring of the operating system is a place that cannot be used.

use super::error::StoreError;
use crate::name::SecretName;
use crate::secret::Secret;

const ABSENT: StoreError =
    StoreError::Keyring("this program was built without it, or this system's is not known to it");

pub(super) fn get(_name: &SecretName) -> Result<Option<Secret>, StoreError> {
    Err(ABSENT)
}

pub(super) fn set(_name: &SecretName, _value: &Secret) -> Result<bool, StoreError> {
    Err(ABSENT)
}

pub(super) fn remove(_name: &SecretName) -> Result<bool, StoreError> {
    Err(ABSENT)
}
