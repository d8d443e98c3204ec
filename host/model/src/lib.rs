//! Language-model back ends behind one trait.
//!
//! ```text
//! spec ─► ModelConfig ─► connect ─► Retrying ─► HttpModel
//!                                                  │
//! Request ─► names ─► wires::encode ─► HTTP ─► framing ─► Decoder ─► Delta, Delta, … ─► Response
//!                                        └─► failure ─────────┴────────────────────────► ModelError
//! ```
//!
//! Everything that crosses [`Model`] is plain data that serialises, so that an exchange can stand in a ledger;
//! no secret is ever part of it. A wire is two pure halves, a writer of requests and a reader of streams, so
//! that it is tested without a network. All I/O is in one place, and everything that a server can do wrong
//! (fall silent, cut the stream, flood, answer nothing) is an error with a name there.
//!
//! # Why the wires are written here
//!
//! Client crates were weighed against five wires. `genai` comes closest: it streams on all five, takes a base
//! URL and a ready `reqwest` client, and keeps the headers of a failed request. But it sorts no error further than its
//! status, bounds neither a frame nor a whole stream, and leaves it to the caller to notice that a stream ended
//! without its end mark; what a caller of it has to add is about as much as a wire. `async-openai` speaks
//! OpenAI's wires alone. `llm` and `rig-core` bring agents, servers and stores of their own, and a second
//! conversation model to convert from and to. A wire is some two hundred lines; these are held by tests
//! against scripted servers.
//!
//! Without the feature `client` only the trait and its types remain.

// What crosses the trait.
mod model;

mod request;

mod response;

mod error;

mod millis;

// From settings to a model.
#[cfg(feature = "client")]
mod config;

#[cfg(feature = "client")]
mod secret;

#[cfg(feature = "client")]
mod connect;

#[cfg(feature = "client")]
mod retry;

// One exchange.
#[cfg(feature = "client")]
mod transport;

#[cfg(feature = "client")]
mod tls;

#[cfg(feature = "client")]
mod names;

#[cfg(feature = "client")]
mod wires;

#[cfg(feature = "client")]
mod framing;

#[cfg(feature = "client")]
mod failure;

pub use error::{ModelError, Phase};
pub use model::Model;
pub use request::{Arguments, Continuation, Message, Part, Request, ToolCall, ToolChoice, ToolSpec};
pub use response::{Delta, Response, StopReason, Usage};

#[cfg(feature = "client")]
pub use config::{ConfigError, ModelConfig, ProxySettings, Timeouts, Wire};
#[cfg(feature = "client")]
pub use connect::connect;
#[cfg(feature = "client")]
pub use retry::{Jitter, RetryPolicy, Retrying};
#[cfg(feature = "client")]
pub use secret::ApiKey;
