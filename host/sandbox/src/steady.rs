//! A clock and random numbers that come out the same each time: for calls that may have to be made again.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What the key of the random numbers is derived for.
const CONTEXT: &str = "toolcrib 2026 random numbers of a program that can be run again";

/// What a look at the clock takes, so that a program which looks until time has passed ends.
const LOOK: Duration = Duration::from_micros(1);

/// The clock and the random numbers of one call.
///
/// The clock goes on when it is looked at, by waiting, and by what the host says of when other calls were over. It never
/// goes on by itself, so that the same program sees the same times.
pub struct Steady {
    begins: Duration,
    /// Nanoseconds since then.
    since: AtomicU64,
    random: Mutex<blake3::OutputReader>,
}

impl fmt::Debug for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steady").field("begins", &self.begins).finish_non_exhaustive()
    }
}

impl Steady {
    /// A clock that begins so many milliseconds after 1970, and random numbers that follow from `seed`.
    pub fn new(begins_ms: u64, seed: &str) -> Self {
        let random = blake3::Hasher::new_derive_key(CONTEXT).update(seed.as_bytes()).finalize_xof();
        Self { begins: Duration::from_millis(begins_ms), since: AtomicU64::new(0), random: Mutex::new(random) }
    }

    /// It is this late at least, in milliseconds since 1970.
    pub fn advance_to(&self, ms: u64) {
        self.pass(Duration::from_millis(ms).saturating_sub(self.begins));
    }

    /// This long has passed at least since the clock began.
    pub(crate) fn pass(&self, since: Duration) {
        self.since.fetch_max(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What time it is, since 1970.
    pub(crate) fn now(&self) -> Duration {
        self.begins + self.elapsed()
    }

    /// How much time has passed.
    pub(crate) fn elapsed(&self) -> Duration {
        let look = u64::try_from(LOOK.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.since.fetch_add(look, Ordering::Relaxed))
    }

    /// The next random bytes.
    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_program_sees_the_same_times_and_numbers() {
        let seen = |seed| {
            let steady = Steady::new(5_000, seed);
            let mut bytes = [0; 40];
            steady.fill(&mut bytes[..3]);
            steady.fill(&mut bytes[3..]);
            let first = steady.now();
            steady.advance_to(6_000);
            steady.advance_to(5_500);
            std::thread::sleep(Duration::from_millis(2));
            (bytes, first, steady.now(), steady.elapsed())
        };
        assert_eq!(seen("a"), seen("a"));
        assert_ne!(seen("a").0, seen("b").0);
        let (_, first, later, elapsed) = seen("a");
        assert_eq!(first, Duration::from_secs(5));
        assert_eq!((later, elapsed), (Duration::from_secs(6), Duration::from_secs(1) + LOOK));
    }
}
