//! One call of one component under limits, with only the capabilities it is handed. All of the engine lives here.
//!
//! ```text
//!  bytes ─► compile (child, cache) ─► plugin (template, tools) ─┐
//!                                                               ▼
//!  arguments + authority ───────────────────────────────────► call ─► outcome + receipt
//!                                                               │ ▲
//!                                                   capability ◄┘ └ services
//! ```
//!
//! What is deliberately absent: a way to give a call authority that is not in its [`Authority`](toolcrib_policy::Authority),
//! a way to use a store twice, and a way to run compiled code that this crate did not make itself.

mod bindings;
mod call;
mod capability;
mod compile;
mod engine;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod info;
#[cfg(feature = "measure")]
pub mod measure;
mod outcome;
mod plugin;
mod receipt;
mod reflect;
mod sandbox;
mod services;
mod steady;

pub use call::{Call, Paused, StopWatch};
pub use capability::http::{
    Connection, Network, NoRates, NoVault, OwnRequestError, RatedLine, Rates, SystemNetwork, Trust, TrustError,
    Unavailable, Vault, own_request,
};
pub use capability::keyvalue::{Bucket, KeyValue, KeyValueError, Keys, NoKeyValue, Quota};
pub use compile::{MAX_COMPONENT_BYTES, WorkerCommand, compile_worker};
pub use engine::{Pooling, Profile};
pub use error::{LoadError, SandboxError};
pub use info::{PluginInfo, PluginKind, ToolInfo};
pub use outcome::{Blob, CallError, CallReport, Content, EffectState, ToolOutput};
pub use plugin::{Plugin, Reach, interfaces, reach};
pub use receipt::{CapabilityUse, Captured, InnerCall, InnerCalls, Receipt, Uses};
pub use sandbox::{CacheConfig, Sandbox, SandboxConfig};
pub use services::{Alone, Completed, Completion, Services};
pub use steady::Steady;
pub use tokio_util::sync::CancellationToken;
