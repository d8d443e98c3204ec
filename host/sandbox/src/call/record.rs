//! What a call did, written down as it happens, by the store and by the tasks that work for it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use toolcrib_policy::{LimitName, Limits, Refusal};

use super::refusals::{Refusals, Said};
use super::stop::Stop;
use crate::outcome::{CallError, ToolOutput};
use crate::receipt::{Came, InnerCallLog, InnerCalls, Receipt, Used, Uses};

/// Uses that a receipt lists one by one, as many that change nothing and as many others; further ones are counted. A tool
/// that opens ten thousand files needs a sum, not a list.
const MAX_LISTED_USES: usize = 256;

/// How many more uses may be listed.
#[derive(Debug)]
struct Room {
    quiet: usize,
    /// Possible writes and refusals.
    loud: usize,
}

impl Default for Room {
    fn default() -> Self {
        Room { quiet: MAX_LISTED_USES, loud: MAX_LISTED_USES }
    }
}

/// The shared notebook of one call.
#[derive(Debug)]
pub(crate) struct Record {
    started: Instant,
    host_bytes: AtomicU64,
    host_bytes_limit: u64,
    inner: Mutex<Inner>,
    begun_writes: AtomicUsize,
    write_settled: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    uses: Uses,
    room: Room,
    inner_calls: InnerCallLog,
    refusals: Refusals,
    memory_refused: bool,
    stop: Option<Stop>,
    possible_write: bool,
    /// Calls of other tools: how many there were, and how many have not come back.
    calls: u64,
    calls_open: u64,
}

impl Record {
    pub(crate) fn new(limits: &Limits) -> Self {
        Record {
            started: Instant::now(),
            host_bytes: AtomicU64::new(0),
            host_bytes_limit: limits.host_call_bytes.get(),
            inner: Mutex::default(),
            begun_writes: AtomicUsize::new(0),
            write_settled: Notify::new(),
        }
    }

    /// A panic elsewhere must not take the record with it: what was written stays readable.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Counts bytes that the guest handed to the host or got from it, over the whole call.
    pub(crate) fn charge(&self, bytes: usize, limits: &Limits) -> Result<(), wasmtime::Error> {
        let before = self.host_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) > self.host_bytes_limit {
            return Err(self.stop(Stop::limit(LimitName::HostCallBytes, limits)));
        }
        Ok(())
    }

    /// Bytes that may still cross the boundary.
    pub(crate) fn host_bytes_left(&self) -> u64 {
        self.host_bytes_limit.saturating_sub(self.host_bytes())
    }

    pub(crate) fn host_bytes(&self) -> u64 {
        self.host_bytes.load(Ordering::Relaxed)
    }

    /// Notes why the call ends; the first reason counts. Returns the error that traps the guest.
    pub(crate) fn stop(&self, stop: Stop) -> wasmtime::Error {
        self.inner().stop.get_or_insert_with(|| stop.clone());
        wasmtime::Error::new(stop)
    }

    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.inner().stop.clone()
    }

    /// Lists an allowed use of a capability. `write` says whether it may have changed something outside.
    pub(crate) fn allowed(&self, used: &Used<'_>, write: bool) {
        let inner = &mut *self.inner();
        inner.possible_write |= write;
        let room = if write { &mut inner.room.loud } else { &mut inner.room.quiet };
        inner.uses.list(used, None, self.started, room);
    }

    /// Counts a call of another tool. One that does not come back may have changed anything.
    pub(crate) fn calling(&self, limits: &Limits) -> Result<(), wasmtime::Error> {
        let mut inner = self.inner();
        inner.calls += 1;
        if inner.calls > limits.tool_calls.get() {
            drop(inner);
            return Err(self.stop(Stop::limit(LimitName::ToolCallCount, limits)));
        }
        Ok(())
    }

    /// Lists a call of another tool that is about to be made.
    pub(crate) fn call_begins(&self, used: &Used<'_>) {
        let inner = &mut *self.inner();
        inner.calls_open += 1;
        inner.uses.list(used, None, self.started, &mut inner.room.loud);
    }

    /// Lists a refusal, and keeps it: it may explain why the call fails.
    pub(crate) fn refused(&self, capability: &'static str, access: &str, target: &str, refusal: &Refusal) {
        let inner = &mut *self.inner();
        let used = Used::now(capability, access, target);
        inner.uses.list(&used, Some(refusal), self.started, &mut inner.room.loud);
        inner.refusals.push(capability, target, refusal);
    }

    /// Adds to the allowed use of the same capability, access and target that was listed last.
    pub(crate) fn add(&self, used: &Used<'_>, came: Came) {
        self.inner().uses.add(used, came);
    }

    /// Adds the time from the beginning of a listed use until now, and the code of its error if it failed.
    pub(crate) fn came(&self, used: &Used<'_>, error: Option<&'static str>) {
        self.add(used, Came { took: used.began.elapsed(), error, bytes: 0 });
    }

    /// Lists a use that is over.
    pub(crate) fn done(&self, used: &Used<'_>, write: bool, error: Option<&'static str>) {
        self.allowed(used, write);
        self.came(used, error);
    }

    /// Lists the call of another tool that is over. `began` is when it did.
    pub(crate) fn called(&self, tool: &str, began: Instant, outcome: &Result<ToolOutput, CallError>, receipt: Receipt) {
        let inner = &mut *self.inner();
        inner.calls_open = inner.calls_open.saturating_sub(1);
        inner.possible_write |= receipt.may_have_changed;
        inner.inner_calls.push(tool, began.saturating_duration_since(self.started), outcome, receipt);
    }

    /// The refusal that explains a failure, if one does.
    pub(crate) fn explaining(&self, said: &Said<'_>) -> Option<Refusal> {
        self.inner().refusals.explaining(said).cloned()
    }

    #[cfg(test)]
    pub(crate) fn last_refusal(&self) -> Option<Refusal> {
        self.inner().refusals.last().cloned()
    }

    /// Notes that the guest asked for more memory than it may have, which it may survive or not.
    pub(crate) fn refused_memory(&self) {
        self.inner().memory_refused = true;
    }

    pub(crate) fn memory_refused(&self) -> bool {
        self.inner().memory_refused
    }

    pub(crate) fn possible_write(&self) -> bool {
        let inner = self.inner();
        inner.possible_write || inner.calls_open > 0
    }

    pub(crate) fn take_uses(&self) -> Uses {
        std::mem::take(&mut self.inner().uses)
    }

    pub(crate) fn take_inner_calls(&self) -> InnerCalls {
        self.inner().inner_calls.take()
    }

    /// Marks a write to the outside as begun until the guard is dropped, which the writing task does when it ends.
    pub(crate) fn begin_write(self: &std::sync::Arc<Self>) -> BegunWrite {
        self.begun_writes.fetch_add(1, Ordering::SeqCst);
        BegunWrite(self.clone())
    }

    /// Waits until no write is under way any more.
    pub(crate) async fn writes_settled(&self) {
        loop {
            let settled = self.write_settled.notified();
            if self.begun_writes.load(Ordering::SeqCst) == 0 {
                return;
            }
            settled.await;
        }
    }
}

/// A write that has begun. Held by the task that does it, also when the call is gone.
#[derive(Debug)]
pub(crate) struct BegunWrite(std::sync::Arc<Record>);

impl Drop for BegunWrite {
    fn drop(&mut self) {
        if self.0.begun_writes.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.write_settled.notify_waiters();
        }
    }
}
