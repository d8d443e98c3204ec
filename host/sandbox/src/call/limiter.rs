//! One limit over all linear memories and tables of a call together.

use std::sync::Arc;

use toolcrib_policy::{Authority, LimitName};
use wasmtime::ResourceLimiter;

use super::record::Record;
use super::stop::Stop;

/// What one element of a table costs the host.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// Counts the guest's memory. The engine asks it before each growth and tells it when a growth failed after all.
#[derive(Debug)]
pub(crate) struct Limiter {
    used: usize,
    peak: usize,
    /// What the last growth added, to be taken back if it fails: the engine's report of a failure carries no size.
    last: usize,
    most: usize,
    instances: usize,
    instantiating: bool,
    authority: Arc<Authority>,
    record: Arc<Record>,
}

impl Limiter {
    pub(crate) fn new(authority: Arc<Authority>, record: Arc<Record>) -> Self {
        let limits = &authority.limits;
        Limiter {
            used: 0,
            peak: 0,
            last: 0,
            most: limits.memory.as_usize(),
            instances: limits.instances.as_usize(),
            instantiating: true,
            authority,
            record,
        }
    }

    pub(crate) fn peak(&self) -> usize {
        self.peak
    }

    /// From now on a refused growth is the guest's to handle.
    pub(crate) fn instantiated(&mut self) {
        self.instantiating = false;
    }

    /// Refusing the memory that instantiation asks for ends the call, and the record says why. A later growth just
    /// fails, which guests know how to handle; it is noted for those that do not.
    fn grow(&mut self, current: usize, desired: usize, element: usize) -> bool {
        self.last = 0;
        let more = desired.saturating_sub(current).saturating_mul(element);
        let total = self.used.saturating_add(more);
        if total > self.most {
            if self.instantiating {
                self.record.stop(Stop::limit(LimitName::MemoryBytes, &self.authority.limits));
            } else {
                self.record.refused_memory();
            }
            return false;
        }
        self.last = more;
        self.used = total;
        self.peak = self.peak.max(total);
        true
    }

    fn refund(&mut self) {
        self.used -= self.last;
        self.last = 0;
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refund();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, TABLE_ELEMENT_BYTES))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refund();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }
}
