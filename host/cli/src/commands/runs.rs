//! `toolcrib runs`: the runs in the ledger.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::RunFilter;

use crate::args::{Common, RunsArgs};
use crate::render::{errln, outln, plain};
use crate::setup;

pub(crate) fn runs(common: &Common, args: RunsArgs) -> anyhow::Result<ExitCode> {
    let filter = RunFilter { status: args.status.clone(), ..RunFilter::default() };
    let runs = match setup::ledger(common)? {
        Some(ledger) => ledger.runs(&filter, args.limit).map_err(CribError::from)?,
        None => Vec::new(),
    };
    if args.json {
        outln!("{}", json!({ "runs": runs }));
        return Ok(ExitCode::SUCCESS);
    }
    for run in &runs {
        outln!("{}  {}  {:9}  {}", run.run, run.started_at, plain(&run.status), plain(&run.title));
    }
    match &args.status {
        Some(status) if runs.is_empty() => errln!("no run is {status}; `toolcrib runs` lists them all"),
        None if runs.is_empty() => errln!("no runs yet; `toolcrib run GOAL` makes one"),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}
