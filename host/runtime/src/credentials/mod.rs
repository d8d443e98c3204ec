//! The values of credentials: secrets of the store, and tokens that are got for them.

mod oauth;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use toolcrib_policy::{OAuthClient, OperatorFile, SecretName, SecretReference};
use toolcrib_sandbox::{Network, Unavailable, Vault};
use toolcrib_secrets::{Secret, SecretStore};

use oauth::Tokens;

/// What the host gives to requests of plugins.
#[derive(Debug)]
pub(crate) struct Safe {
    secrets: Secrets,
    clients: BTreeMap<SecretName, Tokens>,
}

/// The store, read off the runtime's workers.
#[derive(Clone, Debug)]
pub(crate) struct Secrets(pub(crate) Arc<SecretStore>);

impl Secrets {
    /// The value of a name.
    pub(crate) async fn get(&self, name: &SecretName) -> Result<Secret, Unavailable> {
        let (store, wanted) = (self.0.clone(), name.clone());
        let read = tokio::task::spawn_blocking(move || store.get(&wanted)).await;
        match read {
            Ok(Ok(Some(secret))) => Ok(secret),
            Ok(Ok(None)) => Err(Unavailable(format!(
                "the secret `{name}` is in none of the places for secrets: `toolcrib secret set {name}`"
            ))),
            Ok(Err(error)) => Err(Unavailable(error.to_string())),
            Err(_) => Err(Unavailable("the store of secrets could not be read".to_owned())),
        }
    }

    async fn set(&self, name: &SecretName, value: Secret) -> Result<(), Unavailable> {
        let (store, wanted) = (self.0.clone(), name.clone());
        match tokio::task::spawn_blocking(move || store.set(&wanted, &value)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Unavailable(error.to_string())),
            Err(_) => Err(Unavailable("the store of secrets could not be written".to_owned())),
        }
    }
}

impl Safe {
    pub(crate) fn new(store: Arc<SecretStore>, operator: &OperatorFile, network: &Arc<dyn Network>) -> Self {
        let secrets = Secrets(store);
        let tokens = |(name, client): (&SecretName, &Arc<OAuthClient>)| {
            (name.clone(), Tokens::new(name.clone(), client.clone(), secrets.clone(), network.clone()))
        };
        Self { clients: operator.oauth_clients().map(tokens).collect(), secrets }
    }
}

#[async_trait]
impl Vault for Safe {
    async fn reveal(&self, reference: &SecretReference) -> Result<Secret, Unavailable> {
        match reference {
            SecretReference::Secret(name) => self.secrets.get(name).await,
            SecretReference::OAuth(name) => match self.clients.get(name) {
                Some(tokens) => tokens.access().await,
                // A grant from the command line can name one that no file has.
                None => Err(Unavailable(format!("there is no `[oauth.{name}]` in the operator's file"))),
            },
        }
    }

    async fn rejected(&self, reference: &SecretReference) {
        if let SecretReference::OAuth(name) = reference
            && let Some(tokens) = self.clients.get(name)
        {
            tokens.rejected().await;
        }
    }
}

#[cfg(test)]
mod tests;
