//! From the engine's errors to one stable code and one plain sentence.

use toolcrib_policy::{LimitName, Limits, Refusal};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use super::record::Record;
use super::refusals::Said;
use super::stop::Stop;
use super::words::{cause, has_traceback, last_lines};
use crate::outcome::{CallError, EffectState};

/// What an error of the engine means for the call. `stderr` is what the guest printed there.
pub(crate) fn from_trap(error: &wasmtime::Error, record: &Record, limits: &Limits, stderr: &str) -> CallError {
    let detail = format!("{error:#}");
    let effect = effect_of_failure(record, EffectState::None);
    let found = match record.stopped() {
        Some(stop) => from_stop(&stop),
        None => from_engine(error, limits, &detail),
    };
    let found = found.with_effect(effect).with_detail(detail);
    if found.code != "trap" && found.code != "exit" {
        return found;
    }
    let said = Said { code: &found.code, message: "", stderr: &last_lines(stderr), traceback: has_traceback(stderr) };
    let explaining = record.explaining(&said);
    let mut found = found;
    if let Some(cause) = cause(stderr) {
        found.message = format!("{}; it said: {cause}", found.message);
    }
    match explaining {
        Some(refusal) => refused(found, refusal),
        None => short_of_memory(found, record, limits),
    }
}

/// A tool's own error, seen beside the record: a refusal may explain it better than the tool can, and a possible write
/// is not believed away. `said` is what the error says in the tool's own words, nothing where it has none.
pub(crate) fn from_tool(mut error: CallError, said: &str, record: &Record, limits: &Limits, stderr: &str) -> CallError {
    error.effect = effect_of_failure(record, error.effect);
    // The other codes say what to do about it, which a refusal would hide.
    if !matches!(error.code.as_str(), "denied" | "failed" | "unavailable") {
        return error;
    }
    let words =
        Said { code: &error.code, message: said, stderr: &last_lines(stderr), traceback: has_traceback(stderr) };
    if let Some(refusal) = record.explaining(&words) {
        return refused(error, refusal);
    }
    let nothing = said.trim().is_empty() && stderr.trim().is_empty();
    let of_memory = ["memory", "Memory", "alloc"].iter().any(|word| said.contains(word) || words.stderr.contains(word));
    if nothing || of_memory { short_of_memory(error, record, limits) } else { error }
}

/// The refusal takes the place of what the tool said, which stays in the detail.
fn refused(mut error: CallError, refusal: Refusal) -> CallError {
    let detail = error.detail.take().filter(|detail| !error.message.contains(detail.as_str()));
    error.detail = Some(match detail {
        Some(detail) => format!("{}\n{detail}", error.message),
        None => error.message,
    });
    error.code = refusal.code.as_str().to_owned();
    error.message = refusal.message.clone();
    error.refusal = Some(refusal);
    error
}

/// Guests seldom say that they ran out of memory: most just crash.
fn short_of_memory(mut error: CallError, record: &Record, limits: &Limits) -> CallError {
    if record.memory_refused() {
        let (key, most) = (LimitName::MemoryBytes.key(), limits.shown(LimitName::MemoryBytes));
        error.message = format!("{}; it was refused memory (limit `{key}` = {most})", error.message);
    }
    error
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

/// Whether the effect of a failed call happened, as far as the record allows to say so: a possible write turns a
/// reported `none` into `unknown`.
fn effect_of_failure(record: &Record, reported: EffectState) -> EffectState {
    match reported {
        EffectState::None if record.possible_write() => EffectState::Unknown,
        other => other,
    }
}
