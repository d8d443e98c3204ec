//! Where the values come from.

use std::fmt;

use async_trait::async_trait;
use toolcrib_policy::SecretReference;
use toolcrib_secrets::Secret;

/// Gives the values that credentials are made of. It is asked when a request that was let through is about to leave, and
/// only for what the operator granted to the plugin that sends it.
#[async_trait]
pub trait Vault: Send + Sync + fmt::Debug {
    /// The value of a reference.
    ///
    /// # Errors
    ///
    /// It cannot be had now.
    async fn reveal(&self, reference: &SecretReference) -> Result<Secret, Unavailable>;

    /// A server did not accept the value of a reference (status 401): what was kept of it is not worth keeping.
    async fn rejected(&self, _reference: &SecretReference) {}
}

/// Why a value cannot be had, in words for the operator and the author of the tool: they hold no part of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// A vault with nothing in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoVault;

#[async_trait]
impl Vault for NoVault {
    async fn reveal(&self, _reference: &SecretReference) -> Result<Secret, Unavailable> {
        Err(Unavailable("this host has no store of secrets".to_owned()))
    }
}
