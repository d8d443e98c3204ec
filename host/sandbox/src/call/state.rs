//! What the store of one call holds: the authority, the limits, and each capability's part.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use toolcrib_policy::{Authority, IdempotencyKey, LimitName};
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, StoreContextMut};

use super::Call;
use super::limiter::Limiter;
use super::record::Record;
use super::stop::Stop;
use super::watch::StopWatch;
use crate::capability::Prepared;
use crate::services::Services;

/// The data of a store.
pub(crate) struct CallState {
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    pub(crate) authority: Arc<Authority>,
    pub(crate) record: Arc<Record>,
    pub(crate) services: Arc<dyn Services>,
    pub(crate) capabilities: Prepared,
    pub(crate) key: Option<IdempotencyKey>,
    cancel: CancellationToken,
    watch: StopWatch,
    host_calls: u64,
}

impl CallState {
    pub(crate) fn new(call: &Call, record: Arc<Record>, capabilities: Prepared) -> Self {
        let authority = call.authority.clone();
        let mut table = ResourceTable::new();
        table.set_max_capacity(authority.limits.handles.as_usize());
        CallState {
            table,
            limiter: Limiter::new(authority.clone(), record.clone()),
            authority,
            record,
            services: call.services.clone(),
            capabilities,
            key: call.key.clone(),
            cancel: call.cancel.clone(),
            watch: call.watch.clone(),
            host_calls: 0,
        }
    }

    pub(crate) fn host_calls(&self) -> u64 {
        self.host_calls
    }
}

/// Runs at each step between guest and host: counts the calls, looks at the deadline, and bounds what the engine may
/// copy on the way.
///
/// The engine's own bound is per lift. Here it is what is left of the whole call's bytes while a host function's
/// arguments are read, and the size of a result while the call's result is.
pub(crate) fn on_transition(mut store: StoreContextMut<'_, CallState>, transition: CallHook) -> wasmtime::Result<()> {
    match transition {
        CallHook::CallingHost => {
            let state = store.data_mut();
            state.host_calls += 1;
            let limits = &state.authority.limits;
            if state.host_calls > limits.host_calls.get() {
                return Err(state.record.stop(Stop::limit(LimitName::HostCallCount, limits)));
            }
            // Host functions that never wait give neither the timer nor a cancel its turn, and cost the guest no fuel.
            let (elapsed, wall) = (state.record.started().elapsed(), limits.wall.get());
            if elapsed > wall && elapsed.saturating_sub(state.watch.stood()) > wall {
                return Err(state.record.stop(Stop::limit(LimitName::WallTime, limits)));
            }
            if state.cancel.is_cancelled() {
                return Err(state.record.stop(Stop::Cancelled));
            }
            let left = usize::try_from(state.record.host_bytes_left()).unwrap_or(usize::MAX);
            store.set_hostcall_fuel(left);
        }
        CallHook::ReturningFromHost => {
            let result = store.data().authority.limits.result.as_usize();
            store.set_hostcall_fuel(result);
        }
        CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
    }
    Ok(())
}
