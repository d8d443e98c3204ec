//! `toolcrib cancel`: a run is to end.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::Cancelled;

use crate::args::{CancelArgs, Common};
use crate::render::{errln, outln};
use crate::setup;

pub(crate) async fn cancel(common: &Common, args: CancelArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::quiet_crib(common).await?;
    let cancelled = crib.cancel(&args.run).await?;
    if args.json {
        let shown = match &cancelled {
            Cancelled::Over(outcome) => json!({ "ended": true, "result": outcome }),
            Cancelled::Told { pid } => json!({ "ended": false, "pid": pid }),
        };
        outln!("{shown}");
        return Ok(ExitCode::SUCCESS);
    }
    match cancelled {
        Cancelled::Over(outcome) => {
            outln!("the run is over: {}", outcome.name());
            if outcome.is_resumable() {
                errln!("`toolcrib resume {}` goes on with it", args.run);
            }
        }
        Cancelled::Told { pid } => {
            let process = pid.map_or_else(|| "the process that drives it".to_owned(), |pid| format!("process {pid}"));
            outln!("{process} was told, and has not ended the run yet; it does once its calls are over");
        }
    }
    Ok(ExitCode::SUCCESS)
}
