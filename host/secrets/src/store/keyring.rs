//! The kernel's keyring of the user (`@u` of keyctl), which every process of the user sees, and which forgets at a restart.

use linux_keyutils::{Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};
use zeroize::Zeroizing;

use super::error::StoreError;
use crate::name::SecretName;
use crate::secret::Secret;

/// What our entries are called there.
fn description(name: &SecretName) -> String {
    format!("toolcrib:{name}")
}

fn ring() -> Result<KeyRing, StoreError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, false).map_err(failed)
}

fn find(name: &SecretName) -> Result<Option<Key>, StoreError> {
    match ring()?.search(&description(name)) {
        Ok(key) => Ok(Some(key)),
        Err(KeyError::KeyDoesNotExist | KeyError::KeyRevoked | KeyError::KeyExpired) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

pub(super) fn get(name: &SecretName) -> Result<Option<Secret>, StoreError> {
    let Some(key) = find(name)? else { return Ok(None) };
    let bytes = Zeroizing::new(key.read_to_vec().map_err(failed)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| StoreError::Keyring("the value is not UTF-8"))?;
    Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
}

/// Sets a value, and says whether there was one.
pub(super) fn set(name: &SecretName, value: &Secret) -> Result<bool, StoreError> {
    if let Some(key) = find(name)? {
        key.update(&value.reveal().as_bytes()).map_err(failed)?;
        return Ok(true);
    }
    // Only who possesses a key may say who else of the user's processes reads it, so that it is made in a keyring of this process.
    let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true).map_err(failed)?;
    let key = own.add_key(&description(name), value.reveal().as_bytes()).map_err(failed)?;
    let everything = KeyPermissionsBuilder::builder().posessor(Permission::ALL).user(Permission::ALL).build();
    key.set_perms(everything).map_err(failed)?;
    ring()?.link_key(key).map_err(failed)?;
    Ok(false)
}

/// Removes a value, and says whether there was one.
pub(super) fn remove(name: &SecretName) -> Result<bool, StoreError> {
    let Some(key) = find(name)? else { return Ok(false) };
    ring()?.unlink_key(key).map_err(failed)?;
    Ok(true)
}

fn failed(error: KeyError) -> StoreError {
    StoreError::Keyring(match error {
        KeyError::AccessDenied | KeyError::PermissionDenied => "the kernel does not let this process use it",
        KeyError::QuotaExceeded => "the user's quota of keys is used up",
        KeyError::OperationNotSupported => "this kernel has none",
        _ => "the kernel refused",
    })
}
