//! Time that does not go back.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::Clock;
use crate::Millis;

/// The clock of the machine, which never shows less than the time that has passed since it was first read: setting it back
/// moves no deadline. It must run inside a tokio runtime with time enabled.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Millis {
        static BEGAN: OnceLock<(Instant, Duration)> = OnceLock::new();
        let shown = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let (began, at) = BEGAN.get_or_init(|| (Instant::now(), shown));
        // A machine that slept shows more than what its processes counted.
        Millis::default().plus(shown.max(at.saturating_add(began.elapsed())))
    }

    async fn sleep_until(&self, until: Millis) {
        tokio::time::sleep(until - self.now()).await;
    }
}

/// A clock that is ahead of another. A run that goes on after the machine's clock was set back has its own time, which
/// goes on where it was: its deadlines are as far away as they were.
struct Ahead {
    of: Arc<dyn Clock>,
    by: Duration,
}

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Millis {
        self.of.now().plus(self.by)
    }

    async fn sleep_until(&self, until: Millis) {
        let by = u64::try_from(self.by.as_millis()).unwrap_or(u64::MAX);
        self.of.sleep_until(Millis(until.0.saturating_sub(by))).await;
    }
}

/// The clock for a run that has come to this time.
pub(super) fn not_before(clock: Arc<dyn Clock>, reached: Millis) -> Arc<dyn Clock> {
    match reached - clock.now() {
        Duration::ZERO => clock,
        by => Arc::new(Ahead { of: clock, by }),
    }
}
