//! How far a long call has come.

/// Tells whoever waits how far the call has come. `done` and `total` share a unit of your choice.
///
/// Needs no grant. Reports beyond the log limit of the call are counted and dropped. On other targets than wasm it does
/// nothing.
pub fn progress(done: u64, total: Option<u64>, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::toolcrib::host::progress::report(done, total, message);
    #[cfg(not(target_family = "wasm"))]
    let _ = (done, total, message);
}
