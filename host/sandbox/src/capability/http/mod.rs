//! `wasi:http`: requests to hosts that the operator granted. The engine keeps the guest's tables; the host connects.
//!
//! ```text
//!  guest ─► view (bytes counted) ─► hooks ─► check ─► client ─► connect ─► meter ─► server
//!                                             │ gate    │ limits   │ resolve once, check, pin, TLS
//!                                             ▼         ▼          ▼
//!                                           refusal ─► error ─► guest, receipt
//!
//!  vault ─► credential (after the gate, before the connection)
//!
//!  guest ◄─ mask ◄─ body (deadline) ◄─────────────────────────────────── meter ◄─ server
//! ```
//!
//! What is deliberately absent: a second resolution of a name that was checked, a proxy, a redirect that is followed, a
//! connection that is used twice, and the decompression of an answer. What leaves is rebuilt from what was checked; the
//! guest's own text goes no further than the gate.

mod body;
mod check;
mod client;
mod connect;
mod credential;
mod error;
mod exchange;
mod fields;
mod hooks;
mod meter;
mod network;
mod own;
mod pass;
mod rates;
mod request;
mod view;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};

use super::{Capability, Setup};
use crate::call::CallState;
use body::Finished;
use client::Client;
use hooks::Hooks;

#[cfg(feature = "fuzzing")]
pub(crate) use credential::masked_pieces;
pub use credential::{NoVault, Unavailable, Vault};
pub use network::{Connection, Network, SystemNetwork, Trust, TrustError};
pub use own::{OwnRequestError, own_request};
pub use rates::{NoRates, RatedLine, Rates};

pub(crate) struct Http;

/// The part of one call's state: the engine's settings, the sender behind them, and the bodies that a guest is writing.
pub(crate) struct HttpState {
    context: WasiHttpCtx,
    hooks: Hooks,
    /// By the number of their handle.
    bodies: HashMap<u32, Finished>,
}

impl Capability for Http {
    const NAME: &'static str = "http";
    const INTERFACES: &'static [&'static str] = &["wasi:http/types", "wasi:http/outgoing-handler"];
    const REACH: Option<&'static str> =
        Some("it could send requests over the network, each method, host and path where granted");
    type State = HttpState;

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        outgoing_handler::add_to_linker::<CallState, Http>(linker, view::view)?;
        types::add_to_linker::<CallState, Http>(linker, &Default::default(), view::view)
    }

    fn prepare(setup: &Setup<'_>) -> HttpState {
        let client = Client::new(
            setup.authority.clone(),
            setup.record.clone(),
            setup.network.clone(),
            setup.vault.clone(),
            setup.rates.clone(),
        )
        .with_key(setup.key.clone());
        let mut context = WasiHttpCtx::new();
        // The engine adds some seventy bytes of its own for each header, so that this is stricter than the wire.
        context.set_field_size_limit(setup.authority.limits.http_header_bytes.as_usize());
        HttpState { context, hooks: Hooks::new(Arc::new(client)), bodies: HashMap::new() }
    }
}
