//! `toolcrib verify`: the chain of proofs.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::{KeptCheckpoint, Ledger, PublicKey, SigningKey, Trust, UnixMicros, VerifyReport};

use crate::args::{Common, VerifyArgs};
use crate::render::{counted, errln, outln, plain};
use crate::{exit, setup};

pub(crate) fn verify(common: &Common, args: VerifyArgs) -> anyhow::Result<ExitCode> {
    if args.public_key {
        return public_key(common, args.json);
    }
    let against: Option<KeptCheckpoint> = match &args.against {
        None => None,
        Some(text) => Some(text.parse().map_err(|e| exit::BadInput(format!("--against: {e}")))?),
    };
    let trust = against.map(|kept| trust(common, &args, &kept)).transpose()?;
    let Some(ledger) = setup::ledger(common)? else {
        return no_ledger(&args);
    };
    if args.checkpoint {
        return checkpoint(common, &ledger, &args);
    }
    let report = match &against {
        None => ledger.verify(|_| ()),
        Some(kept) => ledger.verify_against(kept.checkpoint(), |_| ()),
    }
    .map_err(CribError::from)?;
    let sound = report.is_sound() && trust.is_none_or(|trust| trust.is_sound());
    if args.json {
        outln!("{}", json!({ "sound": sound, "report": report, "signature": trust }));
    } else {
        show(&report);
        if let Some(trust) = &trust {
            outln!("signature: {trust}");
        }
    }
    Ok(ExitCode::from(if sound { 0 } else { exit::FAILED }))
}

/// What the signature of a kept line is worth: held against the key that was given, else against the installation's own.
fn trust(common: &Common, args: &VerifyArgs, kept: &KeptCheckpoint) -> anyhow::Result<Trust> {
    if let Some(text) = &args.key {
        let key: PublicKey = text.parse().map_err(|e| exit::BadInput(format!("--key: {e}")))?;
        if matches!(kept, KeptCheckpoint::Unsigned(_)) {
            return Err(exit::BadInput("--key: the checkpoint is not signed".to_owned()).into());
        }
        return Ok(kept.trust(Some(&key)));
    }
    let own = SigningKey::open(&setup::settings(common)?.folders.signing_key()).map_err(CribError::from)?;
    Ok(kept.trust(own.map(|key| key.public()).as_ref()))
}

fn signing_key(common: &Common) -> anyhow::Result<SigningKey> {
    let path = setup::settings(common)?.folders.signing_key();
    Ok(SigningKey::open_or_make(&path).map_err(CribError::from)?)
}

fn public_key(common: &Common, as_json: bool) -> anyhow::Result<ExitCode> {
    let key = signing_key(common)?.public();
    if as_json {
        outln!("{}", json!({ "key": key }));
    } else {
        outln!("{key}");
    }
    Ok(ExitCode::SUCCESS)
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
fn checkpoint(common: &Common, ledger: &Ledger, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let (mut checkpoint, mut behind) = ledger.standing_checkpoint().map_err(CribError::from)?;
    if behind > 0
        && let Ok(writing) = Ledger::open(setup::settings(common)?.folders.data)
        && let Ok(newer) = writing.checkpoint()
    {
        (checkpoint, behind) = (newer, 0);
    }
    let line = match args.unsigned {
        true => checkpoint.to_string(),
        false => signing_key(common)?.sign(checkpoint, UnixMicros::now()).to_string(),
    };
    if args.json {
        outln!("{}", json!({ "checkpoint": line, "runs_behind": behind }));
        return Ok(ExitCode::SUCCESS);
    }
    outln!("{line}");
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
