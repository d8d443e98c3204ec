//! Places for calls, kept apart by how deep calls nest: a call that waits for one inside of it can never take the place
//! that it waits for.

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use super::Profile;

/// How deep calls nest at most: a call, and four inside each other.
pub(crate) const DEPTHS: usize = 5;
/// Memories that calls of nobody's can have at once. Each memory slot reserves address space (not memory) of 4 GiB and its
/// guards.
const SMALL_OUTER: u32 = 256;
const LARGE_OUTER: u32 = 32;
/// The same for each depth below: fewer, because those who wait for them hold a place above.
const SMALL_INNER: u32 = 64;
const LARGE_INNER: u32 = 8;
/// The same for plugins that are asked for their tools.
const LISTING: u32 = 8;

/// The places of one engine, counted in memories: most components have one.
#[derive(Debug)]
pub(crate) struct Slots {
    depths: [Semaphore; DEPTHS],
    listing: Semaphore,
}

/// What a depth has, and what that makes for the whole engine.
const fn sizes(profile: Profile) -> (u32, u32) {
    match profile {
        Profile::Small => (SMALL_OUTER, SMALL_INNER),
        Profile::Large => (LARGE_OUTER, LARGE_INNER),
    }
}

/// Memories of one profile's engine, all depths together.
pub(crate) const fn total(profile: Profile) -> u32 {
    let (outer, inner) = sizes(profile);
    outer + inner * (DEPTHS as u32 - 1) + LISTING
}

impl Slots {
    pub(crate) fn new(profile: Profile) -> Self {
        let (outer, inner) = sizes(profile);
        let of = |depth| Semaphore::new(if depth == 0 { outer } else { inner } as usize);
        Self { depths: std::array::from_fn(of), listing: Semaphore::new(LISTING as usize) }
    }

    /// A place for a call that is not inside another; none where all are taken.
    pub(crate) fn outer(&self, memories: u32) -> Option<SemaphorePermit<'_>> {
        self.depths[0].try_acquire_many(memories).ok()
    }

    /// Waits for a place for a call at this depth. Deeper ones than there are get none for ever, which nobody asks for.
    pub(crate) async fn inner(&self, depth: usize, memories: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.depths[depth.min(DEPTHS - 1)].acquire_many(memories).await
    }

    /// Waits for a place for asking a plugin for its tools.
    pub(crate) async fn listing(&self, memories: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.listing.acquire_many(memories).await
    }
}
