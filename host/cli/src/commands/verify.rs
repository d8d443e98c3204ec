//! `toolcrib verify`: the chain of proofs.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::{Checkpoint, VerifyReport};

use crate::args::{Common, VerifyArgs};
use crate::render::{count, errln, outln, plain};
use crate::{exit, setup};

pub(crate) async fn verify(common: &Common, args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    if args.checkpoint {
        let checkpoint = crib.ledger()?.checkpoint().map_err(CribError::from)?;
        outln!("{checkpoint}");
        return Ok(ExitCode::SUCCESS);
    }
    let against: Option<Checkpoint> = match &args.against {
        None => None,
        Some(text) => Some(text.parse().map_err(|e| exit::BadInput(format!("--against: {e}")))?),
    };
    let ledger = crib.ledger_read_only()?;
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

fn show(report: &VerifyReport) {
    for finding in &report.findings {
        errln!("{}", plain(&finding.to_string()));
    }
    let checked = format!(
        "{} runs, {} events, {} values, {} heads",
        count(report.runs),
        count(report.events),
        count(report.values),
        count(report.heads)
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
