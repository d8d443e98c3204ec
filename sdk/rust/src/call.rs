//! What the host knows of this call.

/// The call's idempotency key: the same for each try of this call, also after the host died and went on, and no other
/// call's. Hand it to a service that does the same wish once.
///
/// Needs no grant. Where the operator's grant says `idempotency-key`, the host itself sends a key with requests, and
/// nothing is to be done. On other targets than wasm there is none.
pub fn idempotency_key() -> Option<String> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::toolcrib::host::call::idempotency_key();
    #[cfg(not(target_family = "wasm"))]
    None
}
