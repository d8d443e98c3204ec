//! `toolcrib replay`: a run as it was.

use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::agent::{Command, Event, State};
use toolcrib_runtime::{CribError, RunLog};

use crate::args::{Common, ReplayArgs};
use crate::render::{Costs, outln, plain, tree};
use crate::{exit, setup};

pub(crate) fn replay(common: &Common, args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let ledger = setup::ledger(common)?.ok_or_else(|| exit::no_ledger(&args.run))?;
    let run = ledger.resolve(&args.run).map_err(CribError::from)?;
    let mut numbered = RunLog::numbered(&ledger, run)?;
    if let Some(until) = args.until {
        numbered.retain(|(seq, _)| seq.get() <= until);
    }
    let Some((last, _)) = numbered.last() else {
        return Err(exit::BadInput(format!(
            "run {run} has no event by then; `toolcrib show {run} --events` lists them"
        ))
        .into());
    };
    let last = last.get();
    let events: Vec<Event> = numbered.into_iter().map(|(_, event)| event).collect();
    let state = RunLog::fold(run, &events)?;
    let next: Vec<String> = state.decide().iter().map(|command| said(&state, command)).collect();
    if args.json {
        outln!("{}", json!({ "run": run, "event": last, "plan": state.plan(), "spent": state.spent(), "next": next }));
        return Ok(ExitCode::SUCCESS);
    }
    let mut costs = Costs::default();
    events.iter().for_each(|event| costs.note(event));
    outln!("run {run} after event {last} ({})", events.last().map_or("", |event| event.kind.name()));
    for line in tree(&state, &costs, '·') {
        outln!("{line}");
    }
    match (state.outcome(), next.as_slice()) {
        (Some(outcome), _) => outln!("over: {}", outcome.name()),
        (None, []) => outln!("next: wait for what is under way"),
        (None, next) => next.iter().for_each(|line| outln!("next: {}", plain(line))),
    }
    Ok(ExitCode::SUCCESS)
}

/// A command in words.
fn said(state: &State, command: &Command) -> String {
    let text = |node| {
        let plan = state.plan();
        let goal = plan.goal(node).map(|goal| format!("\"{}\"", goal.text));
        goal.or_else(|| plan.step(node).map(|step| format!("step {}", step.name))).unwrap_or_default()
    };
    match command {
        Command::Record(kind) => match serde_json::to_value(kind) {
            Ok(Value::Object(map)) => format!("record {}", Value::Object(map)),
            _ => format!("record {}", kind.name()),
        },
        Command::CallPlanner { node, reason } => format!("plan {} ({reason:?})", text(*node)).to_lowercase(),
        Command::CallTool { node, attempt, tool, arguments, .. } => {
            format!("call {tool} {arguments} ({}, try {attempt})", text(*node))
        }
        Command::Judge { node } => format!("judge {}", text(*node)),
        Command::Review { node } => format!("review {}", text(*node)),
        Command::Undo { node } => format!("take back {}", text(*node)),
        Command::Rerun { node, .. } => format!("run the program of {} again", text(*node)),
        Command::Approve { node, request } => format!("wait for a word on {} (question {})", text(*node), request.id),
        Command::Ask { question, .. } => format!("ask: {}", question.text),
        Command::Wait { until } => format!("wait until {}", toolcrib_runtime::at_time(until.0)),
        Command::Finish { result } => format!("finish: {}", result.name()),
    }
}
