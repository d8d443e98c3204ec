//! `toolcrib show`: one run, step by step.

use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::agent::{Event, Node, State};
use toolcrib_runtime::ledger_store::{Ledger, RunId};
use toolcrib_runtime::{CribError, RunLog};

use crate::args::{Common, ShowArgs};
use crate::commands::erased::Erasures;
use crate::render::{Costs, bills, bills_json, counted, outln, plain_lines, tree};
use crate::{exit, setup};

pub(crate) fn show(common: &Common, args: ShowArgs) -> anyhow::Result<ExitCode> {
    let ledger = setup::ledger(common)?.ok_or_else(|| exit::no_ledger(&args.run))?;
    let run = ledger.resolve(&args.run).map_err(CribError::from)?;
    if args.events {
        show_events(&ledger, run, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let summary = ledger.run(run).map_err(CribError::from)?;
    if let Some(erasures) = Erasures::of(&ledger, &summary)? {
        erasures.show(&ledger, &summary, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (events, state) = RunLog::read(&ledger, run)?;
    if args.json {
        outln!(
            "{}",
            json!({ "run": summary, "plan": state.plan(), "steps": steps(&state), "spent": bills_json(&state), "result": state.outcome() })
        );
        return Ok(ExitCode::SUCCESS);
    }
    outln!("run {run}  {}  {}  {}", summary.started_at, summary.status, counted(summary.last_seq.get(), "event"));
    for line in tree(&state, &costs(&events), '·') {
        outln!("{line}");
    }
    let bills = bills(&state);
    if !bills.is_empty() {
        outln!("");
        bills.iter().for_each(|line| outln!("{line}"));
    }
    if let Some(answer) = state.outcome().and_then(|outcome| outcome.answer()) {
        outln!("\n{}", plain_lines(&answer.text));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every event as a line of its own, or all in one object.
fn show_events(ledger: &Ledger, run: RunId, one_object: bool) -> anyhow::Result<()> {
    let events = ledger.events(run).map_err(CribError::from)?.map(|event| event.map_err(CribError::from));
    if one_object {
        let events = events.collect::<Result<Vec<_>, _>>()?;
        outln!("{}", json!({ "run": run, "events": events }));
        return Ok(());
    }
    for event in events {
        outln!("{}", serde_json::to_string(&event?)?);
    }
    Ok(())
}

fn costs(events: &[Event]) -> Costs {
    let mut costs = Costs::default();
    events.iter().for_each(|event| costs.note(event));
    costs
}

fn steps(state: &State) -> Vec<Value> {
    let nodes = state.plan().nodes().iter();
    let step = |node: &Node| {
        let labels = node.body.name().and_then(|name| state.marks(name));
        let mut step = json!({ "node": node.id, "record": state.record(node.id)?, "labels": labels });
        if let Some(journal) = state.journal(node.id) {
            step["program"] = json!(journal);
        }
        Some(step)
    };
    nodes.filter_map(step).collect()
}
