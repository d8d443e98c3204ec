//! The inside of the crib for benches: one call through every gate without a run around it, and a run whose parts can be
//! exchanged.

use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_agent::{Planner, Ports};
use toolcrib_ledger::RunId;
use toolcrib_policy::{Label, Labels};
use toolcrib_sandbox::CancellationToken;

use crate::call::{Asked, CallReport, Caller};
use crate::crib::Crib;
use crate::error::CribError;
use crate::run::Errand;

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

/// Begins a run of `goal` in the ledger, and gives everything that it needs from the world, so that some of it can be put in
/// the place of other. Nobody answers questions, and nobody reviews.
///
/// # Errors
///
/// The ledger cannot be written.
pub async fn ports(crib: &Crib, goal: &str, planner: Arc<dyn Planner>) -> Result<(RunId, Ports), CribError> {
    let errand = Errand {
        goal: goal.to_owned(),
        planner,
        model: None,
        judge: None,
        person: None,
        observer: Arc::new(()),
        progress: None,
        last: None,
    };
    crib.begin(errand, goal, json!({ "planner": "measured" })).await
}
