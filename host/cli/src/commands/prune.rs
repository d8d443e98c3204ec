//! `toolcrib prune`: the values of old runs go, their events stay.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::ledger_store::{Ledger, RunId, UnixMicros};
use toolcrib_runtime::{CribError, sweep_states};

use crate::args::{Common, PruneArgs};
use crate::commands::erase::report_log;
use crate::render::{counted, outln, plain};
use crate::{exit, setup, when};

pub(crate) fn prune(common: &Common, args: &PruneArgs) -> anyhow::Result<ExitCode> {
    let before = match (&args.before, &args.older_than) {
        (Some(text), _) => when::point("--before", text)?,
        (None, Some(text)) => UnixMicros::now().before(when::length("--older-than", text)?),
        // The parser asks for one of them.
        (None, None) => return Err(exit::BadInput("give --before or --older-than".to_owned()).into()),
    };
    if args.dry_run {
        let runs = match setup::ledger(common)? {
            Some(ledger) => chosen(&ledger, before, &args.runs)?,
            None => Vec::new(),
        };
        show(
            &runs,
            args.json,
            || json!({ "would_prune": runs }),
            &format!("would prune the values of {}", counted(runs.len() as u64, "run")),
        );
        return Ok(ExitCode::SUCCESS);
    }
    let ledger = setup::ledger_for_writing(common)?;
    let runs = chosen(&ledger, before, &args.runs)?;
    let erased = ledger.prune(&runs, &args.reason).map_err(CribError::from)?;
    let states = sweep_states(&setup::settings(common)?.folders.data, &ledger)?;
    tracing::debug!(states, "states of folders that no run needs any more are removed");
    let said = format!("pruned {} of {}", counted(erased.values, "value"), counted(erased.runs, "run"));
    show(&runs, args.json, || json!({ "pruned": runs, "erased": erased }), &said);
    Ok(report_log(&erased))
}

/// The runs that are old enough, of those that were named.
fn chosen(ledger: &Ledger, before: UnixMicros, named: &[String]) -> anyhow::Result<Vec<RunId>> {
    let old = ledger.prunable(before).map_err(CribError::from)?;
    if named.is_empty() {
        return Ok(old);
    }
    let named =
        named.iter().map(|name| ledger.resolve(name)).collect::<Result<Vec<_>, _>>().map_err(CribError::from)?;
    Ok(old.into_iter().filter(|run| named.contains(run)).collect())
}

fn show(runs: &[RunId], as_json: bool, object: impl Fn() -> serde_json::Value, said: &str) {
    if as_json {
        outln!("{}", object());
        return;
    }
    for run in runs {
        outln!("{run}");
    }
    outln!("{}", plain(said));
}
