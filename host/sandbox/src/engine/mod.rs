//! The engines: one per profile, made when first needed, nothing ever passed between them.

mod config;
mod host_memory;
mod slots;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::error::SandboxError;

pub use config::Pooling;
pub(crate) use config::{MEMORIES_MAX, engine_config};
pub(crate) use slots::Slots;

/// What kind of guest an engine is tuned for.
///
/// Pool sizes, kept-resident memory and stack sizes belong to a whole engine, so that a tool of a few kilobytes and
/// a language runtime of tens of megabytes each need their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Compiled tools: many at once, little memory each, reset with `memset`.
    Small,
    /// Language runtimes and other large components: few at once, much memory each.
    Large,
}

/// A component larger than this many bytes gets [`Profile::Large`]. First-party tools are well below it, language
/// runtimes are well above it.
pub(crate) const LARGE_COMPONENT_BYTES: usize = 6 << 20;

impl Profile {
    /// The profile for a component of `bytes` bytes.
    pub fn for_component(bytes: usize) -> Self {
        if bytes > LARGE_COMPONENT_BYTES { Profile::Large } else { Profile::Small }
    }

    /// The profile's name, as it stands in cache paths and on the command line of the compile worker.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Small => "small",
            Profile::Large => "large",
        }
    }

    /// The profile with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Profile::Small, Profile::Large].into_iter().find(|p| p.as_str() == name)
    }
}

/// The engines of one sandbox.
#[derive(Debug)]
pub(crate) struct Engines {
    pooling: Pooling,
    small: OnceLock<Engine>,
    large: OnceLock<Engine>,
    small_slots: Slots,
    large_slots: Slots,
}

impl Engines {
    pub(crate) fn new(pooling: Pooling) -> Self {
        Engines {
            pooling,
            small: OnceLock::new(),
            large: OnceLock::new(),
            small_slots: Slots::new(Profile::Small),
            large_slots: Slots::new(Profile::Large),
        }
    }

    /// The places for calls of a profile's engine.
    pub(crate) fn slots(&self, profile: Profile) -> &Slots {
        match profile {
            Profile::Small => &self.small_slots,
            Profile::Large => &self.large_slots,
        }
    }

    /// The engine of a profile, made now if this is the first time it is asked for.
    pub(crate) fn get(&self, profile: Profile) -> Result<&Engine, SandboxError> {
        let slot = match profile {
            Profile::Small => &self.small,
            Profile::Large => &self.large,
        };
        if let Some(engine) = slot.get() {
            return Ok(engine);
        }
        let engine = Engine::new(&engine_config(profile, self.pooling))
            .map_err(|source| SandboxError::Engine { profile, detail: format!("{source:#}") })?;
        Ok(slot.get_or_init(|| engine))
    }
}
