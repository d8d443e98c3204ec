//! From the engine's errors to one stable code and one plain sentence.

use toolcrib_policy::{LimitName, Limits};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use super::record::Record;
use super::stop::Stop;
use crate::outcome::{CallError, EffectState};

/// What an error of the engine means for the call.
pub(crate) fn from_trap(error: &wasmtime::Error, record: &Record, limits: &Limits) -> CallError {
    let detail = format!("{error:#}");
    let effect = effect_of_failure(record, EffectState::None);
    let found = match record.stopped() {
        Some(stop) => from_stop(&stop),
        None => from_engine(error, limits, &detail),
    };
    refused_behind(found, record).with_effect(effect).with_detail(detail)
}

fn from_stop(stop: &Stop) -> CallError {
    CallError::new(stop.code(), stop.to_string())
}

fn from_engine(error: &wasmtime::Error, limits: &Limits, detail: &str) -> CallError {
    let limit = |name| from_stop(&Stop::limit(name, limits));
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => limit(LimitName::Fuel),
            Trap::StackOverflow => limit(LimitName::StackBytes),
            other => CallError::new("trap", format!("the tool crashed: {other}")),
        };
    }
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return limit(LimitName::HandleCount);
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return CallError::new("busy", "all places for calls are taken at this moment; try again");
    }
    // An error with the guest's functions below it came up while the guest was handing values to the host; without them,
    // while the host was reading the call's result.
    let in_host = error.downcast_ref::<WasmBacktrace>().is_some();
    // These errors of the engine have no public type; a test for each holds their words.
    let words: [(&str, Option<LimitName>); 4] = [
        ("store handle limit exceeded", Some(LimitName::HandleCount)),
        (
            "too much data is being copied",
            Some(if in_host { LimitName::HostCallBytes } else { LimitName::ResultBytes }),
        ),
        ("resource limit exceeded", Some(LimitName::InstanceCount)),
        ("handle index", None),
    ];
    match words.iter().find(|(part, _)| detail.contains(part)) {
        Some((_, Some(name))) => limit(*name),
        Some((_, None)) => CallError::new("bad-handle", "the tool used a handle that it does not hold"),
        None => CallError::new("trap", format!("the tool crashed: {}", error.root_cause())),
    }
}

/// A failure behind which a refusal stands is explained by the refusal.
fn refused_behind(mut error: CallError, record: &Record) -> CallError {
    if error.code != "trap" && error.code != "exit" {
        return error;
    }
    if let Some(refusal) = record.last_refusal() {
        error.code = refusal.code.as_str().to_owned();
        error.message = refusal.message.clone();
        error.refusal = Some(refusal);
    }
    error
}

/// Whether the effect of a failed call happened, as far as the record allows to say so: a possible write turns a
/// reported `none` into `unknown`.
pub(crate) fn effect_of_failure(record: &Record, reported: EffectState) -> EffectState {
    match reported {
        EffectState::None if record.possible_write() => EffectState::Unknown,
        other => other,
    }
}
