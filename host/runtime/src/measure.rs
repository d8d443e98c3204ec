//! The inside of the crib for benches: one call through every gate without a run around it, a run of a plan that is given, and a
//! run whose parts can be exchanged.

use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_agent::plan::check;
use toolcrib_agent::{
    Budget, Cancel, Caps, Draft, GivenPlanner, NodeId, Order, Patch, Plan, Planner, Ports, Run, Then, Tools,
};
use toolcrib_ledger::RunId;
use toolcrib_policy::Labels;
use toolcrib_sandbox::CancellationToken;

use crate::call::{Asked, CallReport, Caller};
use crate::crib::Crib;
use crate::error::CribError;
use crate::run::{Errand, RunResult};
use crate::tools::CribTools;

/// Calls a tool as a step of a run does. Nothing of it is in a ledger.
///
/// # Errors
///
/// There is no such tool, or its plugin cannot be loaded.
pub async fn call(crib: &Crib, tool: &str, arguments: Value) -> Result<CallReport, CribError> {
    let asked = Asked::of(tool, arguments, Labels::new());
    crib.call_inside(asked, Caller::default(), CancellationToken::new()).await
}

/// Runs this plan with these caps, every event in the ledger.
///
/// # Errors
///
/// A tool is not there, arguments do not fit, or the ledger cannot be written.
pub async fn run(crib: &Crib, plan: Vec<Draft>, budget: Budget, caps: Caps) -> Result<RunResult, CribError> {
    const NAME: &str = "measured";
    let tools = CribTools { crib: crib.clone(), caller: Caller::default(), meters: None, last: None };
    let (node, order, then) = (NodeId::ROOT, Order::Sequence, Then::Review);
    let patches = vec![Patch::Expand { node, order, then, children: plan }];
    let checked = check(&Plan::new(NAME), node, patches, &caps, &|name| tools.get(name));
    let checked = checked.map_err(|faults| CribError::Flow(faults.iter().map(ToString::to_string).collect()))?;
    let (run, ports) = ports(crib, NAME, Arc::new(GivenPlanner::new(NAME))).await?;
    let steps = checked.into_iter().flat_map(|patch| patch.drafts().to_vec()).collect();
    crib.drive(run, Run::given(ports, NAME, budget, caps, steps), &Cancel::new()).await
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
        models: None,
        judge: None,
        person: None,
        observer: Arc::new(()),
        progress: None,
        last: None,
    };
    // Nothing is paid for here.
    let (run, (ports, _)) = crib.begin(errand, goal, json!({ "planner": "measured" })).await?;
    Ok((run, ports))
}
