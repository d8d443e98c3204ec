//! `wasi:clocks`: what time it is, and waiting. Needs no grant; waiting counts as time of the call.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::{Capability, Setup};
use crate::call::CallState;
use crate::steady::Steady;

pub(crate) struct Clocks;

impl HasData for Clocks {
    type Data<'a> = ClocksView<'a>;
}

impl Capability for Clocks {
    const NAME: &'static str = "clocks";
    const INTERFACES: &'static [&'static str] = &["wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock"];
    const REACH: Option<&'static str> = None;
    /// The monotonic clock begins with the call, so that it says nothing about the machine.
    type State = (Instant, Option<Arc<Steady>>);

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        monotonic_clock::add_to_linker::<CallState, Clocks>(linker, view)?;
        wall_clock::add_to_linker::<CallState, Clocks>(linker, view)
    }

    fn prepare(setup: &Setup<'_>) -> Self::State {
        (setup.record.started(), setup.steady.clone())
    }
}

fn view(state: &mut CallState) -> ClocksView<'_> {
    let (start, steady) = &state.capabilities.clocks;
    ClocksView { table: &mut state.table, start: *start, steady }
}

pub(crate) struct ClocksView<'a> {
    table: &'a mut ResourceTable,
    start: Instant,
    steady: &'a Option<Arc<Steady>>,
}

impl wall_clock::Host for ClocksView<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = match self.steady {
            Some(steady) => steady.now(),
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        Ok(wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1 })
    }
}

impl ClocksView<'_> {
    fn elapsed(&self) -> u64 {
        let elapsed = self.steady.as_ref().map_or_else(|| self.start.elapsed(), |steady| steady.elapsed());
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }

    /// `when` is the time to wake on the call's own clock.
    fn wake(&mut self, nanoseconds: u64, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        // A time too far ahead to be told apart from for ever; the call's own deadline comes first.
        let until = tokio::time::Instant::now().checked_add(Duration::from_nanos(nanoseconds));
        let steady = self.steady.clone().map(|steady| (steady, Duration::from_nanos(when)));
        let alarm = self.table.push(Alarm { until, polled: false, steady })?;
        subscribe(self.table, alarm)
    }
}

impl monotonic_clock::Host for ClocksView<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.elapsed())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let wait = when.saturating_sub(self.elapsed());
        self.wake(wait, when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let when = self.elapsed().saturating_add(duration);
        self.wake(duration, when)
    }
}

struct Alarm {
    until: Option<tokio::time::Instant>,
    polled: bool,
    /// The clock that does not go on by itself, and how far it has gone once the time is up.
    steady: Option<(Arc<Steady>, Duration)>,
}

#[async_trait]
impl Pollable for Alarm {
    async fn ready(&mut self) {
        match self.until {
            // A guest that polls with a time-out of zero in a loop must let the runtime's own work through.
            Some(until) if until <= tokio::time::Instant::now() && !self.polled => {
                self.polled = true;
                tokio::task::yield_now().await;
            }
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
        if let Some((steady, since)) = &self.steady {
            steady.pass(*since);
        }
    }
}
