//! A small HTTP client.
//!
//! ```text
//! Request ─► Url (checked, normalised) ─► transport (the host, or the test) ─► Response ─► body, up to a limit
//! ```
//!
//! The host decides on every request, also on each redirect, and adds the credentials that the operator configured: a
//! plugin neither has nor needs them. A refusal comes back as an [`Error`] with the host's words.

mod error;
mod request;
mod response;
mod url;

#[cfg(not(target_family = "wasm"))]
#[path = "http/native.rs"]
pub(crate) mod transport;
#[cfg(target_family = "wasm")]
#[path = "http/wasi.rs"]
mod transport;

pub use error::{Cause, Error};
pub use request::Request;
pub use response::Response;
pub use url::Url;
