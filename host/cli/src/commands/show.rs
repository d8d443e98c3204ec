//! `toolcrib show`: one run, step by step.

use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::agent::{Event, State};
use toolcrib_runtime::{CribError, RunLog};

use crate::args::{Common, ShowArgs};
use crate::render::{Costs, outln, plain_lines, tree};
use crate::setup;

pub(crate) async fn show(common: &Common, args: ShowArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    let ledger = crib.ledger_read_only()?;
    let run = ledger.resolve(&args.run).map_err(CribError::from)?;
    if args.events {
        for event in ledger.events(run).map_err(CribError::from)? {
            outln!("{}", serde_json::to_string(&event.map_err(CribError::from)?)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let summary = ledger.run(run).map_err(CribError::from)?;
    let events = RunLog::events(&ledger, run)?;
    let state = State::fold(&events).map_err(|e| CribError::Run { run: run.to_string(), why: e.to_string() })?;
    if args.json {
        outln!(
            "{}",
            json!({ "run": summary, "plan": state.plan(), "steps": steps(&state), "result": state.outcome() })
        );
        return Ok(ExitCode::SUCCESS);
    }
    outln!("run {run}  {}  {}  {} events", summary.started_at, summary.status, summary.last_seq);
    for line in tree(&state, &costs(&events), '·') {
        outln!("{line}");
    }
    if let Some(answer) = state.outcome().and_then(|outcome| outcome.answer()) {
        outln!("\n{}", plain_lines(&answer.text));
    }
    Ok(ExitCode::SUCCESS)
}

fn costs(events: &[Event]) -> Costs {
    let mut costs = Costs::default();
    events.iter().for_each(|event| costs.note(event));
    costs
}

fn steps(state: &State) -> Vec<Value> {
    let nodes = state.plan().nodes().iter();
    nodes.filter_map(|node| Some(json!({ "node": node.id, "record": state.record(node.id)? }))).collect()
}
