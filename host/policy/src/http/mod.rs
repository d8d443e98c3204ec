//! Web addresses: what a request asks for, normalised once, and the patterns that allow it.

mod grant;
mod host;
mod path;
mod pattern;
mod rate;
mod target;
mod wire;

pub use grant::HttpGrant;
pub use host::Host;
pub use pattern::HttpPattern;
pub use rate::Rate;
pub use target::{HttpTarget, Method, Scheme, TargetError};
pub use wire::PathError;
