//! Credentials: which secret goes into which requests, and where in them. The values are never here, only their names.
//!
//! ```text
//!  { for = "https://api.github.com/**", header = "Authorization", value = "Bearer {secret:github}" }
//!          pattern                      placement                  template
//! ```

mod grant;
mod oauth;
mod pattern;
mod template;

pub use grant::{CredentialGrant, Placement, Signature};
pub use oauth::{ClientAuthentication, OAuthClient, OAuthFlow};
pub use template::{SecretReference, Template, TemplateError, TemplatePart};

pub(crate) use oauth::{OAuthClients, read as read_oauth};
pub(crate) use pattern::CredentialPattern;
