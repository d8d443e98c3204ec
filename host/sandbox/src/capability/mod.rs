//! What a guest may import, one folder for each capability, all of the same shape.
//!
//! A capability has three lifetimes. The *engine*: every supported interface is linked once, whether anybody was
//! granted it or not. The *plugin*: from its imports follows what it can ever reach. The *call*: the authority is
//! turned into state in the store, and each effect is checked against it at the moment it happens.
//!
//! To add one: its WIT file, its folder, its line in [`each_capability`], its hostile guests.

pub(crate) mod clocks;
pub(crate) mod env;
pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod io;
pub(crate) mod keyvalue;
pub(crate) mod random;
pub(crate) mod sockets;
pub(crate) mod streams;

use std::sync::Arc;

use toolcrib_policy::Authority;
use wasmtime::component::Linker;

use crate::call::{Call, CallState, Record};
use crate::error::SandboxError;
use crate::plugin::Reach;
use crate::steady::Steady;

/// One capability.
pub(crate) trait Capability {
    /// Its name, as it stands in receipts and in what `inspect` prints.
    const NAME: &'static str;
    /// The interfaces that it implements, without their versions.
    const INTERFACES: &'static [&'static str];
    /// Those of them that lead out of the call.
    const REACHING: &'static [&'static str] = Self::INTERFACES;
    /// What a component that imports one of them could reach with every grant, as a plain sentence; `None` where
    /// there is nothing outside the call to reach.
    const REACH: Option<&'static str>;
    /// Its part of a call's state.
    type State;

    /// Links its interfaces, once for each engine.
    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()>;

    /// Its state for one call.
    fn prepare(setup: &Setup<'_>) -> Self::State;
}

/// What a capability prepares a call from.
pub(crate) struct Setup<'a> {
    pub(crate) authority: &'a Arc<Authority>,
    pub(crate) record: &'a Arc<Record>,
    pub(crate) network: &'a Arc<dyn http::Network>,
    /// Values of credentials.
    pub(crate) vault: &'a Arc<dyn http::Vault>,
    /// Keeps count of requests.
    pub(crate) rates: &'a Arc<dyn http::Rates>,
    /// Where buckets are kept.
    pub(crate) keyvalue: &'a Arc<dyn keyvalue::KeyValue>,
    /// Values of environment variables.
    pub(crate) environment: &'a Arc<[(String, String)]>,
    /// The clock and the random numbers of a call that may have to be made again.
    pub(crate) steady: &'a Option<Arc<Steady>>,
    /// What tells the call from every other.
    pub(crate) key: &'a Option<toolcrib_policy::IdempotencyKey>,
}

impl<'a> Setup<'a> {
    pub(crate) fn of(call: &'a Call, record: &'a Arc<Record>, network: &'a Arc<dyn http::Network>) -> Self {
        let Call { authority, vault, rates, keyvalue, environment, steady, key, .. } = call;
        Setup { authority, record, network, vault, rates, keyvalue, environment, steady, key }
    }
}

/// The list of capabilities: the one place where a new one is named.
macro_rules! each_capability {
    ($($module:ident: $capability:ident),* $(,)?) => {
        /// The state of every capability in one call.
        #[allow(dead_code, reason = "a capability without state of its own has the unit here")]
        pub(crate) struct Prepared {
            $( pub(crate) $module: <$module::$capability as Capability>::State, )*
        }

        impl Prepared {
            pub(crate) fn new(setup: &Setup<'_>) -> Self {
                Prepared { $( $module: <$module::$capability as Capability>::prepare(setup), )* }
            }
        }

        /// Links every supported interface.
        pub(crate) fn link_all(linker: &mut Linker<CallState>) -> Result<(), SandboxError> {
            $(
                <$module::$capability as Capability>::link(linker).map_err(|error| SandboxError::Link {
                    interface: <$module::$capability as Capability>::NAME,
                    detail: format!("{error:#}"),
                })?;
            )*
            Ok(())
        }

        /// Every interface that some capability implements, without versions.
        pub(crate) fn interfaces() -> impl Iterator<Item = &'static str> {
            [$( <$module::$capability as Capability>::INTERFACES ),*].into_iter().flatten().copied()
        }

        /// Which capabilities the imports of a component touch.
        pub(crate) fn reach(imports: &[String]) -> Vec<Reach> {
            let mut found = Vec::new();
            $( found.extend(reach_of::<$module::$capability>(imports)); )*
            found
        }
    };
}

each_capability! {
    io: Io,
    clocks: Clocks,
    random: Random,
    streams: Streams,
    env: Env,
    files: Files,
    http: Http,
    keyvalue: Keep,
    sockets: Sockets,
    host: Host,
}

/// Whether some capability implements an interface, in whatever version.
pub(crate) fn supports(import: &str) -> bool {
    let name = without_version(import);
    interfaces().any(|known| known == name)
}

fn reach_of<C: Capability>(imports: &[String]) -> Option<Reach> {
    let interfaces: Vec<String> =
        imports.iter().filter(|i| C::REACHING.contains(&without_version(i))).cloned().collect();
    if interfaces.is_empty() {
        return None;
    }
    Some(Reach { capability: C::NAME.to_owned(), interfaces, sentence: C::REACH.map(str::to_owned) })
}

/// `wasi:http/types` of `wasi:http/types@0.2.3`.
fn without_version(interface: &str) -> &str {
    interface.split_once('@').map_or(interface, |(name, _)| name)
}
