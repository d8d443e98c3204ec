//! Seams for fuzz targets. Not for products.

use std::path::Path;

use bytes::Bytes;
use toolcrib_policy::{TrustedKey, UnixMillis};

use crate::index::decoded;
use crate::lock::{Lock, LockError};
use crate::record::Outcome;
use crate::signature::{SignatureError, check};
use crate::source::Rank;

/// Checks the signature `text` of `bytes` and says which key made it.
///
/// # Errors
///
/// Why the signature does not count.
pub fn signature(bytes: &[u8], text: &str, keys: &[TrustedKey], now: UnixMillis) -> Result<String, SignatureError> {
    check("plugin.wasm", bytes, Some(text), keys, now)
}

/// Reads the text of a lock file.
///
/// # Errors
///
/// It is none.
pub fn lock(text: &[u8]) -> Result<Lock, LockError> {
    Lock::parse(Path::new("toolcrib.lock"), text)
}

/// The text of a lock, as it is written.
///
/// # Panics
///
/// If it cannot be written.
pub fn lock_text(lock: &Lock) -> Vec<u8> {
    lock.text().expect("a lock is JSON")
}

/// Reads an index (from the length of its table on) and looks at all that stands in it: how many plugins.
pub fn index(file: Vec<u8>) -> Option<usize> {
    let records = decoded(Bytes::from(file), None, Rank::Project, &[])?;
    let mut plugins = 0;
    for record in records.values() {
        let Outcome::Good(plugin) = &record.outcome else { continue };
        plugins += 1;
        let _ = (plugin.manifest(), plugin.imports(), plugin.exports(), plugin.notes());
        for tool in plugin.tools() {
            let _ = (tool.input_schema().value(), tool.output_schema().map(|schema| schema.value()));
        }
    }
    Some(plugins)
}
