//! From untrusted bytes to code that may run.
//!
//! ```text
//! bytes ─► size and kind ─► cache (by digest, profile, engine; authenticated) ─► compiled
//!                               │ miss                                   ▲
//!                               └─► child process: limits, confinement ──┘
//! ```
//!
//! The parent never parses a component that the child has not accepted, and never loads compiled code that it did not
//! get from its own child or find, with a valid authentication code, in its own cache.

mod cache;
mod client;
mod confine;
mod protocol;
mod worker;

use toolcrib_policy::Digest;

use crate::engine::Profile;
use crate::error::LoadError;

pub use client::WorkerCommand;
pub use worker::compile_worker;

pub(crate) use cache::Cache;
pub(crate) use client::Compiler;
pub(crate) use protocol::{Compiled, Facts};

/// The most bytes that a component may have. CPython with its standard library stays below 50 MiB.
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// What the first bytes say: only a component is handed to the compiler.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit: MAX_COMPONENT_BYTES });
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled);
    }
    if bytes.len() < 8 || &bytes[..4] != b"\0asm" {
        return Err(LoadError::Invalid(format!(
            "{} bytes that do not begin with the WebAssembly magic `\\0asm` (at offset 0)",
            bytes.len()
        )));
    }
    // Bytes 6 and 7 are the layer: 0 for a core module, 1 for a component.
    match bytes[6..8] {
        [1, 0] => Ok(()),
        [0, 0] => Err(LoadError::CoreModule),
        _ => Err(LoadError::Invalid("an unknown WebAssembly layer (at offset 6)".to_owned())),
    }
}

/// Compiled code by digest: from the cache, or from a child.
pub(crate) async fn compile(
    compiler: &Compiler,
    cache: Option<&Cache>,
    profile: Profile,
    digest: &Digest,
    bytes: &[u8],
) -> Result<Compiled, LoadError> {
    if let Some(found) = cache.and_then(|c| c.get("code", digest)).and_then(Compiled::decode) {
        return Ok(found);
    }
    check_kind(bytes)?;
    // Several processes that start together find the same new file: one compiles, the others wait for its entry.
    let _turn = match cache {
        Some(cache) => cache.turn(digest).await,
        None => None,
    };
    if let Some(found) = cache.and_then(|c| c.get("code", digest)).and_then(Compiled::decode) {
        return Ok(found);
    }
    let compiled = compiler.compile(profile, bytes).await?;
    if let Some(cache) = cache {
        cache.put("code", digest, &compiled.encode());
    }
    Ok(compiled)
}
