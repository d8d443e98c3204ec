//! Exit codes, and the one line that an error is.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::{CribError, SettingsError, agent::Outcome, policy::RefusalCode};

use crate::render::{errln, outln, plain};

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
        Outcome::Reached { .. } => 0,
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

/// Prints an error and gives its exit code.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let (name, code) = classify(error);
    let message = format!("{error:#}");
    if json {
        outln!("{}", json!({ "outcome": "error", "error": { "code": name, "message": message, "effect": "none" } }));
    } else {
        errln!("error: {}", plain(&message));
    }
    ExitCode::from(code)
}

fn classify(error: &anyhow::Error) -> (&'static str, u8) {
    if error.downcast_ref::<BadInput>().is_some() {
        return ("bad-input", BAD_INPUT);
    }
    if error.downcast_ref::<SettingsError>().is_some() {
        return ("settings", BAD_INPUT);
    }
    match error.downcast_ref::<CribError>() {
        Some(error) => (error.code(), of_crib_error(error)),
        None => ("host", HOST),
    }
}

fn of_crib_error(error: &CribError) -> u8 {
    match error {
        CribError::UnknownTool { .. }
        | CribError::UnknownPlugin(_)
        | CribError::Refused(_)
        | CribError::Load { .. }
        | CribError::Catalog(_)
        | CribError::File { .. }
        | CribError::Model(_) => BAD_INPUT,
        CribError::ImportRejected { .. } => REFUSED,
        CribError::Ledger(_) | CribError::Run { .. } => HOST,
    }
}
