//! The store of a call, from its making to its end.

use std::sync::Arc;
use std::time::Duration;

use toolcrib_policy::LimitName;
use wasmtime::{Engine, Store};

use super::classify::from_trap;
use super::record::Record;
use super::state::{CallState, on_transition};
use super::stop::Stop;
use super::{Call, check_arguments};
use crate::capability::{Prepared, Setup, http::Network};
use crate::info::ToolInfo;
use crate::outcome::{CallError, CallReport, EffectState, ToolOutput};
use crate::plugin::{Describing, Template};
use crate::receipt::{Receipt, micros};

/// Fuel between two points at which a guest lets others run and the deadline is looked at: some milliseconds. Short
/// calls end before the first one and never touch a timer.
const YIELD_FUEL: u64 = 10_000_000;

/// How long the end of a call waits for a write that has begun. Past it, the effect is reported as unknown.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// Runs one call. Every path ends in a report with a receipt.
pub(crate) async fn run(engine: &Engine, template: &Template, network: &Arc<dyn Network>, call: Call) -> CallReport {
    let record = Arc::new(Record::new(&call.authority.limits));
    let arguments = match check_arguments(&call.arguments, &call.authority.limits) {
        Ok(text) => text,
        Err(error) => return refused_before(&record, error),
    };
    let argument_bytes = arguments.len() as u64;
    let mut store = match make_store(engine, network, &call, &record) {
        Ok(store) => store,
        Err(error) => return refused_before(&record, error),
    };
    let outcome = drive(&mut store, template, &call, &arguments).await;
    let mut receipt = receipt_of(&store, &record, &call);
    let files = store.data().capabilities.files.clone();
    // Never reused: after a trap, a time-out or a cancel nothing in it can be relied on.
    drop(store);
    let outcome = settle(outcome, &record).await;
    files.sweep(outcome.is_err()).await;
    receipt.uses = record.take_uses();
    receipt.inner = record.take_inner_calls();
    receipt.argument_bytes = argument_bytes;
    receipt.result_bytes = outcome.as_ref().map_or(0, |(_, bytes)| *bytes);
    receipt.wall_us = micros(record.started().elapsed().saturating_sub(call.watch.stood()));
    CallReport { outcome: outcome.map(|(output, _)| output), receipt }
}

/// The part of a call that the engine has a share in: the store with every limit, the instance, the guest. No JSON on
/// either side, no receipt.
#[cfg(feature = "measure")]
pub(crate) async fn engine_path(
    engine: &Engine,
    template: &Template,
    network: &Arc<dyn Network>,
    call: &Call,
    arguments: &str,
) -> Result<u64, CallError> {
    let record = Arc::new(Record::new(&call.authority.limits));
    let mut store = make_store(engine, network, call, &record)?;
    let Template::Describing(plugin) = template else {
        return template.call(&mut store, call, arguments).await.map(|(_, bytes)| bytes);
    };
    let answer = plugin.invoke(&mut store, &call.tool, arguments).await?;
    Ok(answer.map_or(0, |output| output.structured.map_or(0, |text| text.len() as u64)))
}

/// Asks a describing plugin for its tools, under the same limits as any call.
pub(crate) async fn list_tools(
    engine: &Engine,
    plugin: &Describing,
    network: &Arc<dyn Network>,
    call: &Call,
) -> Result<Vec<ToolInfo>, CallError> {
    let limits = &call.authority.limits;
    let record = Arc::new(Record::new(limits));
    let mut store = make_store(engine, network, call, &record)?;
    match tokio::time::timeout(limits.wall.get(), plugin.list(&mut store)).await {
        Ok(listed) => listed,
        Err(_) => Err(CallError::new(LimitName::WallTime.code(), Stop::limit(LimitName::WallTime, limits).to_string())),
    }
}

fn refused_before(record: &Record, error: CallError) -> CallReport {
    let receipt = Receipt { wall_us: micros(record.started().elapsed()), ..Receipt::default() };
    CallReport { outcome: Err(error), receipt }
}

fn make_store(
    engine: &Engine,
    network: &Arc<dyn Network>,
    call: &Call,
    record: &Arc<Record>,
) -> Result<Store<CallState>, CallError> {
    let limits = &call.authority.limits;
    let state = CallState::new(call, record.clone(), Prepared::new(&Setup::of(call, record, network)));
    let broken =
        |e: wasmtime::Error| CallError::new("engine", "the call could not be set up").with_detail(e.to_string());
    let mut store = Store::try_new(engine, state).map_err(broken)?;
    store.limiter(|state| &mut state.limiter);
    store.call_hook(on_transition);
    store.set_fuel(limits.fuel.get()).map_err(broken)?;
    store.fuel_async_yield_interval(Some(YIELD_FUEL)).map_err(broken)?;
    store.set_max_component_handles(limits.handles.as_usize());
    store.set_hostcall_fuel(limits.result.as_usize());
    Ok(store)
}

/// Runs the guest until it ends, the deadline passes, or the caller cancels. Most calls end in the first poll, before
/// either of the others is looked at.
async fn drive(
    store: &mut Store<CallState>,
    template: &Template,
    call: &Call,
    arguments: &str,
) -> Result<(ToolOutput, u64), CallError> {
    let record = store.data().record.clone();
    let limits = &call.authority.limits;
    let stop = {
        let guest = template.call(store, call, arguments);
        tokio::pin!(guest);
        tokio::select! {
            biased;
            ended = &mut guest => return ended,
            () = call.cancel.cancelled() => Stop::Cancelled,
            () = call.watch.past(record.started(), limits.wall.get()) => Stop::limit(LimitName::WallTime, limits),
        }
    };
    let error = record.stop(stop);
    // What it printed explains no limit.
    Err(from_trap(&error, &record, limits, ""))
}

/// Waits for what has begun and cannot be called back.
async fn settle<T>(outcome: Result<T, CallError>, record: &Record) -> Result<T, CallError> {
    let settled = tokio::time::timeout(SETTLE_TIME, record.writes_settled()).await.is_ok();
    outcome.map_err(|mut error| {
        if !settled || (error.effect == EffectState::None && record.possible_write()) {
            error.effect = EffectState::Unknown;
        }
        error
    })
}

fn receipt_of(store: &Store<CallState>, record: &Record, call: &Call) -> Receipt {
    let state = store.data();
    let given = call.authority.limits.fuel.get();
    let streams = &state.capabilities.streams;
    Receipt {
        fuel: given.saturating_sub(store.get_fuel().unwrap_or(0)),
        peak_memory_bytes: state.limiter.peak() as u64,
        host_calls: state.host_calls(),
        host_call_bytes: record.host_bytes(),
        may_have_changed: record.possible_write(),
        stdout: streams.stdout.take(),
        stderr: streams.stderr.take(),
        log: streams.log.take(),
        ..Receipt::default()
    }
}
