//! `toolcrib verify`: the chain of proofs.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::{Checkpoint, Ledger, VerifyReport};

use crate::args::{Common, VerifyArgs};
use crate::render::{counted, errln, outln, plain};
use crate::{exit, setup};

pub(crate) fn verify(common: &Common, args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let against: Option<Checkpoint> = match &args.against {
        None => None,
        Some(text) => Some(text.parse().map_err(|e| exit::BadInput(format!("--against: {e}")))?),
    };
    let Some(ledger) = setup::ledger(common)? else {
        return no_ledger(&args);
    };
    if args.checkpoint {
        return checkpoint(common, &ledger, args.json);
    }
    let report = match &against {
        None => ledger.verify(|_| ()),
        Some(checkpoint) => ledger.verify_against(checkpoint, |_| ()),
    }
    .map_err(CribError::from)?;
    if args.json {
        outln!("{}", json!({ "sound": report.is_sound(), "report": report }));
    } else {
        show(&report);
    }
    Ok(ExitCode::from(if report.is_sound() { 0 } else { exit::FAILED }))
}

/// A ledger that a checkpoint was taken of and that is gone is no ledger that was never there.
fn no_ledger(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    if args.checkpoint {
        return Err(exit::BadInput(
            "there is no ledger yet to take a checkpoint of: it is made by the first run".to_owned(),
        )
        .into());
    }
    let sound = args.against.is_none();
    if args.json {
        outln!("{}", json!({ "sound": sound, "report": null }));
    } else if sound {
        outln!("no ledger yet: it is made by the first run");
    } else {
        outln!("the ledger is NOT sound: there is none, and the checkpoint is of one");
    }
    Ok(ExitCode::from(if sound { 0 } else { exit::FAILED }))
}

/// Prints the end of the chain. Only what a run wrote since its last link makes a new one necessary, and only where
/// nobody else writes just now.
fn checkpoint(common: &Common, ledger: &Ledger, as_json: bool) -> anyhow::Result<ExitCode> {
    let (mut checkpoint, mut behind) = ledger.standing_checkpoint().map_err(CribError::from)?;
    if behind > 0
        && let Ok(writing) = Ledger::open(setup::settings(common)?.folders.data)
        && let Ok(newer) = writing.checkpoint()
    {
        (checkpoint, behind) = (newer, 0);
    }
    if as_json {
        outln!("{}", json!({ "checkpoint": checkpoint, "runs_behind": behind }));
        return Ok(ExitCode::SUCCESS);
    }
    outln!("{checkpoint}");
    if behind > 0 {
        errln!("it does not hold the newest events of {}, which may be under way", counted(behind, "run"));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(report: &VerifyReport) {
    for finding in &report.findings {
        errln!("{}", plain(&finding.to_string()));
    }
    let checked = format!(
        "{}, {}, {}, {}",
        counted(report.runs, "run"),
        counted(report.events, "event"),
        counted(report.values, "value"),
        counted(report.heads, "head")
    );
    match report.findings_total {
        0 if report.is_sound() => outln!("the ledger is sound: {checked}"),
        0 => outln!("the ledger is NOT sound: it does not hold the checkpoint; nothing else was found in {checked}"),
        1 => outln!("the ledger is NOT sound: 1 finding in {checked}"),
        findings => outln!("the ledger is NOT sound: {findings} findings in {checked}"),
    }
    if let Some(verdict) = &report.checkpoint {
        outln!("checkpoint: {verdict}");
    }
}
