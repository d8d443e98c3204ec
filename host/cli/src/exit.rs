//! Exit codes, and the one line that an error is.

use std::io::IsTerminal;
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::catalog::LockError;
use toolcrib_runtime::ledger_store::LedgerError;
use toolcrib_runtime::sandbox::LoadError;
use toolcrib_runtime::secrets::StoreError;
use toolcrib_runtime::{CribError, InboxError, SettingsError, agent::Outcome, policy::RefusalCode};

use crate::commands::is_bad_input;
use crate::render::{errln, outln, plain, print_raw};

/// The goal was not reached, or the call failed.
pub(crate) const FAILED: u8 = 1;
/// What was given is wrong.
pub(crate) const BAD_INPUT: u8 = 2;
/// Policy refused.
pub(crate) const REFUSED: u8 = 3;
/// A question stayed unanswered.
pub(crate) const ASKED: u8 = 4;
/// A budget ended.
pub(crate) const BUDGET: u8 = 5;
/// The host itself failed.
pub(crate) const HOST: u8 = 6;
/// Somebody cancelled.
pub(crate) const CANCELLED: u8 = 130;

/// The exit code of a run.
pub(crate) fn of_run(outcome: &Outcome) -> u8 {
    match outcome {
        // What is held was wanted so.
        Outcome::Reached { .. } | Outcome::Held => 0,
        Outcome::Failed { .. } => FAILED,
        Outcome::Refused { .. } => REFUSED,
        Outcome::Asked { .. } => ASKED,
        Outcome::Budget { .. } => BUDGET,
        Outcome::Cancelled { .. } => CANCELLED,
    }
}

/// The exit code of a call that failed with this code.
pub(crate) fn of_call(code: &str) -> u8 {
    match code {
        "invalid-arguments" | "no-such-tool" => BAD_INPUT,
        "cancelled" => CANCELLED,
        code if RefusalCode::is_denial(code) => REFUSED,
        _ => FAILED,
    }
}

/// What was given on the command line is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

/// There is no ledger, and so no run of that name.
pub(crate) fn no_ledger(run: &str) -> BadInput {
    BadInput(format!("there is no run `{run}`, and no ledger yet: it is made by the first run"))
}

/// The host failed while a run was under way: what its last step did may not be known.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct MidRun {
    pub(crate) run: String,
    pub(crate) error: CribError,
}

/// Prints an error and gives its exit code.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let (name, code) = classify(error);
    let message = message(error);
    if !json {
        errln!("error: {}", plain(&message));
        return ExitCode::from(code);
    }
    let run = error.downcast_ref::<MidRun>().map(|error| &error.run);
    let effect = if run.is_some() { "unknown" } else { "none" };
    let mut shown = json!({ "outcome": "error", "error": { "code": name, "message": message, "effect": effect } });
    if let Some(run) = run {
        shown["run"] = json!(run);
    }
    outln!("{shown}");
    ExitCode::from(code)
}

/// Prints what is wrong with the command line; or the help and the version, which arrive here too.
pub(crate) fn report_usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        // What follows is for people: the usage, and where to read more.
        let message = text.split("\n\nUsage:").next().unwrap_or(text);
        let message = message.split("\n\nFor more information").next().unwrap_or(message).trim();
        let error = json!({ "code": "bad-input", "message": message, "effect": "none" });
        outln!("{}", json!({ "outcome": "error", "error": error }));
        return ExitCode::from(BAD_INPUT);
    }
    if error.use_stderr() {
        let _ = error.print();
        return ExitCode::from(BAD_INPUT);
    }
    if std::io::stdout().is_terminal() {
        // With its colours.
        let _ = error.print();
    } else {
        print_raw(error.render().to_string().as_bytes());
    }
    ExitCode::SUCCESS
}

/// The error and its causes, each said once: many name their cause themselves.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    message
}

fn classify(error: &anyhow::Error) -> (&'static str, u8) {
    if error.downcast_ref::<BadInput>().is_some() {
        return ("bad-input", BAD_INPUT);
    }
    if error.downcast_ref::<SettingsError>().is_some() {
        return ("settings", BAD_INPUT);
    }
    if error.downcast_ref::<StoreError>().is_some() {
        return ("secrets", HOST);
    }
    if let Some(error) = error.downcast_ref::<InboxError>() {
        return if is_bad_input(error) { ("approval", BAD_INPUT) } else { ("ledger", HOST) };
    }
    let mid_run = error.downcast_ref::<MidRun>().map(|error| &error.error);
    match mid_run.or_else(|| error.downcast_ref::<CribError>()) {
        Some(error) => (error.code(), of_crib_error(error)),
        None => ("host", HOST),
    }
}

fn of_crib_error(error: &CribError) -> u8 {
    match error {
        CribError::Ledger(
            LedgerError::NoRun { .. }
            | LedgerError::AmbiguousRun { .. }
            | LedgerError::NoEvent { .. }
            | LedgerError::NoLedger { .. }
            | LedgerError::Exists { .. },
        ) => BAD_INPUT,
        CribError::Load { source: LoadError::Engine(_) | LoadError::Worker(_), .. } => HOST,
        CribError::UnknownTool { .. }
        | CribError::UnknownPlugin(_)
        | CribError::Refused(_)
        | CribError::Load { .. }
        | CribError::Catalog(_)
        | CribError::Lock(LockError::Malformed { .. } | LockError::Future { .. })
        | CribError::File { .. }
        | CribError::Policy(_)
        | CribError::Flow(_)
        | CribError::Plan(_)
        | CribError::NotHeld { .. }
        | CribError::Over { .. }
        | CribError::Fork { .. }
        | CribError::Rollback { .. }
        | CribError::Model(_)
        | CribError::Prices(_) => BAD_INPUT,
        CribError::ImportRejected { .. } | CribError::Held { .. } => REFUSED,
        CribError::Ledger(_) | CribError::Lock(_) | CribError::Run { .. } | CribError::Place { .. } => HOST,
    }
}
