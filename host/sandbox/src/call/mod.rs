//! One call: a fresh store, a deadline, and a receipt whatever happens.
//!
//! ```text
//! arguments ─► checked ─► store (fuel, memory, handles) ─► instance ─► guest ─► result
//!                              │                                        │ │
//!                              └── record ◄── capabilities ◄────────────┘ └─► trap, limit, deadline, cancel
//!                                    └─► receipt
//! ```

mod classify;
mod limiter;
mod record;
mod refusals;
mod run;
mod state;
mod stop;
mod watch;
mod words;

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use toolcrib_policy::{Authority, IdempotencyKey, Limits};

use crate::capability::http::{NoRates, NoVault, Rates, Vault};
use crate::capability::keyvalue::{KeyValue, NoKeyValue};
use crate::outcome::CallError;
use crate::services::{Alone, Services};
use crate::steady::Steady;

pub(crate) use classify::{from_tool, from_trap};
pub(crate) use record::Record;
#[cfg(feature = "measure")]
pub(crate) use run::engine_path;
pub(crate) use run::{list_tools, run};
pub(crate) use state::CallState;
pub(crate) use stop::Stop;
pub use watch::{Paused, StopWatch};
pub(crate) use words::cause;

/// What to call, with what, and what it may do.
#[derive(Clone)]
pub struct Call {
    /// The tool's name inside its plugin.
    pub tool: String,
    /// The arguments: an object.
    pub arguments: Value,
    /// What the call may do. Everything that it lists was granted by the operator.
    pub authority: Arc<Authority>,
    /// Gives the values of the credentials that the authority has. No guest sees one.
    pub vault: Arc<dyn Vault>,
    /// Keeps count of the requests that lines with a rate allow.
    pub rates: Arc<dyn Rates>,
    /// Keeps the buckets that the authority has.
    pub keyvalue: Arc<dyn KeyValue>,
    /// Values of environment variables. Only names that the authority lists are shown.
    pub environment: Arc<[(String, String)]>,
    /// What the call may ask of the process around it.
    pub services: Arc<dyn Services>,
    /// Ends the call early.
    pub cancel: CancellationToken,
    /// How many calls this one is inside of.
    pub depth: usize,
    /// Stands still while the call waits for a person: that is not its time.
    pub watch: StopWatch,
    /// The clock and the random numbers of a call that may have to be made again; those of the machine without.
    pub steady: Option<Arc<Steady>>,
    /// What tells this call from every other. Without one, no line that wants a key with its requests allows any.
    pub key: Option<IdempotencyKey>,
}

impl Call {
    /// A call that may do what `authority` says, on its own, and is not cancelled.
    pub fn new(tool: impl Into<String>, arguments: Value, authority: Arc<Authority>) -> Self {
        Call {
            tool: tool.into(),
            arguments,
            authority,
            vault: Arc::new(NoVault),
            rates: Arc::new(NoRates),
            keyvalue: Arc::new(NoKeyValue),
            environment: Arc::new([]),
            services: Arc::new(Alone),
            cancel: CancellationToken::new(),
            depth: 0,
            watch: StopWatch::default(),
            steady: None,
            key: None,
        }
    }
}

/// Checks the arguments before anything is made for the call, and says how long they are as JSON.
pub(crate) fn check_arguments(arguments: &Value, limits: &Limits) -> Result<String, CallError> {
    use toolcrib_policy::LimitName;
    if !arguments.is_object() {
        return Err(CallError::invalid_arguments(format!(
            "the arguments must be a JSON object, such as {{}}; this is {}",
            kind_of(arguments)
        )));
    }
    if !within_depth(arguments, limits.argument_depth.as_usize()) {
        return Err(too_much(LimitName::ArgumentDepth, limits));
    }
    // Writing a value of bounded depth to memory cannot fail.
    let text = serde_json::to_string(arguments).map_err(|e| CallError::invalid_arguments(e.to_string()))?;
    if text.len() as u64 > limits.argument_bytes.get() {
        return Err(too_much(LimitName::ArgumentBytes, limits));
    }
    Ok(text)
}

fn too_much(limit: toolcrib_policy::LimitName, limits: &Limits) -> CallError {
    let stop = Stop::limit(limit, limits);
    CallError::new(stop.code(), stop.to_string())
}

/// Whether nothing in `value` is nested deeper than `depth`. Recurses no further than that.
pub(crate) fn within_depth(value: &Value, depth: usize) -> bool {
    let inside = |v: &Value| depth > 0 && within_depth(v, depth - 1);
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(inside),
        Value::Object(fields) => depth > 0 && fields.values().all(inside),
        _ => true,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
