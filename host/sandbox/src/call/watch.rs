//! The time of a call, which stands still while the call waits for a person.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Measures how long a call stood still. Clones are the same watch.
#[derive(Clone, Debug, Default)]
pub struct StopWatch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    still: Mutex<Still>,
    changed: Notify,
    /// The watch of the call that this one is inside of: it waits as well.
    above: Option<StopWatch>,
}

#[derive(Debug, Default)]
struct Still {
    /// Who stops it at this moment.
    holders: u32,
    since: Option<Instant>,
    before: Duration,
}

/// The watch stands still as long as this lives.
#[derive(Debug)]
pub struct Paused(StopWatch);

impl StopWatch {
    /// The watch of a call that this one's call makes.
    #[must_use]
    pub fn inside(&self) -> Self {
        Self(Arc::new(Inner { above: Some(self.clone()), ..Inner::default() }))
    }

    /// Stops the watch, and those of the calls that this one is inside of.
    #[must_use]
    pub fn pause(&self) -> Paused {
        for watch in self.chain() {
            let mut still = watch.still();
            still.holders += 1;
            still.since.get_or_insert_with(Instant::now);
            drop(still);
            watch.0.changed.notify_waiters();
        }
        Paused(self.clone())
    }

    /// How long it has stood still until now.
    pub(crate) fn stood(&self) -> Duration {
        let still = self.still();
        still.before + still.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits until the call that began at `started` has taken `wall`, not counting what it stood still.
    pub(crate) async fn past(&self, started: Instant, wall: Duration) {
        loop {
            let changed = self.0.changed.notified();
            if self.still().since.is_some() {
                changed.await;
                continue;
            }
            let deadline = started + wall + self.stood();
            tokio::select! {
                () = tokio::time::sleep_until(deadline.into()) => {
                    if self.still().since.is_none() {
                        return;
                    }
                }
                () = changed => {}
            }
        }
    }

    fn chain(&self) -> impl Iterator<Item = &StopWatch> {
        std::iter::successors(Some(self), |watch| watch.0.above.as_ref())
    }

    fn still(&self) -> MutexGuard<'_, Still> {
        self.0.still.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        for watch in self.0.chain() {
            let mut still = watch.still();
            still.holders = still.holders.saturating_sub(1);
            if still.holders == 0
                && let Some(since) = still.since.take()
            {
                still.before += since.elapsed();
            }
            drop(still);
            watch.0.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_time_that_a_call_waits_is_not_its_own() {
        let (outer, started) = (StopWatch::default(), Instant::now());
        let inner = outer.inside();
        let held = inner.pause();
        let short = Duration::from_millis(40);
        // Both stand still, however long it takes.
        for watch in [&outer, &inner] {
            let past = tokio::time::timeout(Duration::from_millis(120), watch.past(started, short));
            assert!(past.await.is_err());
        }
        drop(held);
        assert!(outer.stood() >= Duration::from_millis(200), "{:?}", outer.stood());
        outer.past(started, short).await;
        assert!(started.elapsed() >= outer.stood() + short);
    }
}
