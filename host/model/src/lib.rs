//! Language-model back ends behind one trait.
//!
//! ```text
//! spec ─► ModelConfig ─► connect ─┬─► Retrying ─► HttpModel ──┐
//!                                 ├─► ScriptedModel ─────────┼─► Recorder ─► a file
//!                                 └─► ReplayModel ◄──────────│───────────── a file
//!                                                            │
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
//! # Models that are files
//!
//! A [`ScriptedModel`] answers as a person wrote it down, for tests and demonstrations; a [`ReplayModel`] answers
//! as a model once did while a [`Recorder`] listened. Neither needs a key or a network, and a request that the file
//! does not foresee is an error that says where it departs.
//!
//! The feature `script` has these and the trait with its types; `client` has everything; without both, only the
//! trait and its types remain.

// What crosses the trait.
mod model;

mod meter;

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

#[cfg(feature = "script")]
#[cfg_attr(not(feature = "client"), expect(dead_code, reason = "a script needs nothing of it but new call ids"))]
mod names;

#[cfg(feature = "client")]
mod wires;

#[cfg(feature = "client")]
mod framing;

#[cfg(feature = "client")]
mod failure;

// Models that are files.
#[cfg(feature = "script")]
mod files;

#[cfg(feature = "script")]
mod deliver;

#[cfg(feature = "script")]
mod script;

#[cfg(feature = "script")]
mod recording;

pub use error::{ModelError, Phase};
pub use meter::{Meter, Ticket};
pub use model::Model;
pub use request::{Arguments, Continuation, Message, Part, Request, ToolCall, ToolChoice, ToolSpec};
pub use response::{Delta, Response, StopReason, Usage};

#[cfg(feature = "client")]
pub use config::{Backend, ConfigError, HttpConfig, ModelConfig, ProxySettings, Timeouts, Wire};
#[cfg(feature = "client")]
pub use connect::connect;
#[cfg(feature = "script")]
pub use files::FileError;
#[cfg(feature = "script")]
pub use recording::{RECORDING_VERSION, Recorder, ReplayModel};
#[cfg(feature = "client")]
pub use retry::{Jitter, RetryPolicy, Retrying};
#[cfg(feature = "script")]
pub use script::{SCRIPT_VERSION, ScriptedModel, Unused};
#[cfg(feature = "client")]
pub use secret::ApiKey;
