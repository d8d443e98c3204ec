//! `toolcrib runs`: the runs in the ledger.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::agent::State;
use toolcrib_runtime::ledger_store::{RunFilter, RunSummary};
use toolcrib_runtime::{CribError, RunLog};

use crate::args::{Common, RunsArgs};
use crate::render::{bills_json, errln, outln, plain};
use crate::setup;

pub(crate) fn runs(common: &Common, args: RunsArgs) -> anyhow::Result<ExitCode> {
    let filter = RunFilter { status: args.status.clone(), ..RunFilter::default() };
    let ledger = setup::ledger(common)?;
    let (runs, driven) = match &ledger {
        Some(ledger) => (ledger.runs(&filter, args.limit).map_err(CribError::from)?, ledger.has_writer()),
        None => (Vec::new(), false),
    };
    // A run that is open while no process writes was cut off.
    let cut_off = |run: &RunSummary| !run.ended && !driven && run.status == "running";
    // What was erased, or is of a later version, can be listed all the same.
    let state = |run: &RunSummary| -> Option<State> {
        let ledger = ledger.as_ref()?;
        RunLog::state(ledger, run.run).ok()
    };
    if args.json {
        let listed = |run: &RunSummary| {
            let mut listed = json!(run);
            listed["cut_off"] = json!(cut_off(run));
            if let Some(state) = state(run) {
                listed["spent"] = bills_json(&state);
            }
            listed
        };
        outln!("{}", json!({ "runs": runs.iter().map(listed).collect::<Vec<_>>() }));
        return Ok(ExitCode::SUCCESS);
    }
    for run in &runs {
        let status = if cut_off(run) { "cut off" } else { &run.status };
        let purse = state(run).map(|state| state.purse().clone()).unwrap_or_default();
        let sum = purse.spent.plus(purse.reserved());
        let cost = if sum.is_zero() { String::new() } else { format!("  ({sum} {})", plain(&purse.currency)) };
        outln!("{}  {}  {:9}  {}{cost}", run.run, run.started_at, plain(status), plain(&run.title));
    }
    if runs.iter().any(cut_off) {
        errln!("`toolcrib resume RUN` goes on with what was cut off, `toolcrib cancel RUN` closes it");
    }
    match &args.status {
        _ if args.limit == 0 => errln!("none is shown with `--limit 0`"),
        Some(status) if runs.is_empty() => errln!("no run is {status}; `toolcrib runs` lists them all"),
        None if runs.is_empty() => errln!("no runs yet; `toolcrib run GOAL` makes one"),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}
