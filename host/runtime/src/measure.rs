//! One call through every gate, without a run around it: what benches measure.

use serde_json::Value;
use toolcrib_policy::{Label, Labels};
use toolcrib_sandbox::CancellationToken;

use crate::call::{Asked, CallReport, Caller};
use crate::crib::Crib;
use crate::error::CribError;

/// Calls a tool as a step of a run does. Nothing of it is in a ledger.
///
/// # Errors
///
/// There is no such tool, or its plugin cannot be loaded.
pub async fn call(crib: &Crib, tool: &str, arguments: Value) -> Result<CallReport, CribError> {
    let asked = Asked {
        tool,
        arguments,
        labels: Labels::new(),
        under: Label::TRUSTED,
        approval: None,
        delegated: None,
        depth: 0,
        wall_ms: None,
        key: None,
    };
    crib.call_inside(asked, Caller::default(), CancellationToken::new()).await
}
