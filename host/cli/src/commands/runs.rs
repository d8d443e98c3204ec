//! `toolcrib runs`: the runs in the ledger.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::ledger_store::{RunFilter, RunSummary};

use crate::args::{Common, RunsArgs};
use crate::render::{errln, outln, plain};
use crate::setup;

pub(crate) async fn runs(common: &Common, args: RunsArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    let ledger = crib.ledger_read_only()?;
    let filter = RunFilter { status: args.status, ..RunFilter::default() };
    let runs = ledger.runs(&filter, args.limit).map_err(toolcrib_runtime::CribError::from)?;
    if args.json {
        outln!("{}", json!({ "runs": runs }));
        return Ok(ExitCode::SUCCESS);
    }
    for run in &runs {
        outln!("{}  {}  {:9}  {}", run.run, run.started_at, status(run), plain(&run.title));
    }
    if runs.is_empty() {
        errln!("no runs yet; `toolcrib run GOAL` makes one");
    }
    Ok(ExitCode::SUCCESS)
}

/// A run that has not ended is running now, or was cut off.
fn status(run: &RunSummary) -> String {
    plain(&run.status)
}
