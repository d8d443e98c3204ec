//! `toolcrib why`: which gate, which rule, and the smallest grant.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::agent::{NodeId, State, Status, Step};
use toolcrib_runtime::ledger_store::RunFilter;
use toolcrib_runtime::{CribError, OPERATOR_FILE, RunLog, Why};

use crate::args::{Common, WhyArgs};
use crate::render::{advise, errln, outln, plain, plain_lines};
use crate::{exit, setup};

pub(crate) fn why(common: &Common, args: WhyArgs) -> anyhow::Result<ExitCode> {
    let none = || exit::BadInput("there is no ledger yet: it is made by the first call or run".to_owned());
    let ledger = setup::ledger(common)?.ok_or_else(none)?;
    let run = match &args.run {
        Some(run) => ledger.resolve(run).map_err(CribError::from)?,
        None => ledger.runs(&RunFilter::default(), 1).map_err(CribError::from)?.first().ok_or_else(none)?.run,
    };
    let (events, state) = RunLog::read(&ledger, run)?;
    let (node, step) = find(&state, args.step.as_deref())?;
    let why = Why::of(&events, &state, node, step.name.as_str(), &step.tool);
    if args.json {
        outln!("{}", json!({ "run": run, "why": why }));
        return Ok(ExitCode::SUCCESS);
    }
    let word = if why.allowed { "allowed" } else { "refused" };
    let at = ledger.run(run).map_err(CribError::from)?.started_at;
    outln!("{} (step {} of run {run}, {at}): {word}", why.tool, plain(&why.step));
    for gate in &why.gates {
        let mark = if gate.allowed { '✓' } else { '✗' };
        outln!("  {mark} {:6}  {}", gate.gate, plain(&gate.said));
    }
    if let Some(failed) = &why.failed {
        outln!("  it failed all the same: {}", plain(failed));
    }
    show_labels(common, &why);
    if let Some(grant) = &why.grant {
        let operator = setup::settings(common)?.operator;
        advise(common, &operator, [(why.plugin(), grant.as_str())]);
    }
    Ok(ExitCode::SUCCESS)
}

/// The labels that stopped it, and the ways out: each of them is an operator's or a person's act.
fn show_labels(common: &Common, why: &Why) {
    for said in &why.labels {
        outln!("  label   `{}` is {}", plain(&said.argument), said.label);
        said.said.iter().for_each(|line| outln!("          {}", plain(line)));
    }
    if let Some(id) = &why.question {
        errln!("to let this one call pass: `toolcrib approvals approve {id}`, and start the run again");
    }
    let name = common.policy.as_ref().map_or_else(|| OPERATOR_FILE.to_owned(), |path| path.display().to_string());
    if !why.relabel.is_empty() {
        errln!("to vouch for where it came from, in {}:", plain(&name));
        why.relabel.iter().for_each(|offer| errln!("{}", plain_lines(&offer.toml())));
    }
    let setting = match why.label_rule {
        Some("untrusted-leak") => "leak",
        Some("untrusted-recipient") => "recipient",
        Some("private-outward") => "private",
        _ => return,
    };
    let lenient = if why.question.is_some() { "allow" } else { "ask" };
    errln!("to have all such calls otherwise: `{setting} = \"{lenient}\"` in [labels] of {}", plain(&name));
}

/// The step of that name; without one the last that failed, else the last that anything happened to.
fn find<'s>(state: &'s State, name: Option<&str>) -> anyhow::Result<(NodeId, &'s Step)> {
    let steps: Vec<_> = state.plan().steps().collect();
    let found = match name {
        Some(name) => steps.iter().find(|(_, step)| step.name.as_str() == name),
        None => {
            let begun = || steps.iter().rev().filter(|(node, _)| node.status != Status::Open);
            begun()
                .find(|(node, _)| node.status.is_failed() || matches!(node.status, Status::Waiting | Status::Parked))
                .or_else(|| begun().next())
        }
    };
    let names: Vec<_> = steps.iter().map(|(_, step)| step.name.to_string()).collect();
    let (node, step) = found.ok_or_else(|| match (name, names.is_empty()) {
        (_, true) => exit::BadInput("this run made no call".to_owned()),
        (Some(name), _) => {
            exit::BadInput(format!("there is no step `{}`; there are {}", plain(name), names.join(", ")))
        }
        (None, _) => exit::BadInput("no step of this run has begun".to_owned()),
    })?;
    Ok((node.id, step))
}
