//! Secrets: a text that cannot be printed, the forms in which it could leak, and where secrets are kept.
//!
//! ```text
//!  store (feature `store`) ─► Secret ─► whoever adds it to a request
//!                               └────► forms ─► whoever searches for it, or masks it
//! ```

mod forms;
mod name;
mod secret;
mod source;
#[cfg(feature = "store")]
mod store;

pub use forms::{MIN_SECRET_BYTES, forms, percent_encoded};
pub use name::{SecretName, SecretNameError};
pub use secret::Secret;
pub use source::{SecretSource, SecretSourceError, VARIABLE_PREFIX, variable};
#[cfg(feature = "store")]
pub use store::{Listed, SecretStore, StoreConfig, StoreError};
