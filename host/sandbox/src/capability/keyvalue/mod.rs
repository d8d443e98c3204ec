//! `wasi:keyvalue`: what a plugin keeps from one call to the next, in buckets of its own.
//!
//! ```text
//!  guest ─► view (bytes counted, names checked) ─► authority ─► KeyValue ─► disk
//!                                                     └ refusal ─► error, receipt
//! ```
//!
//! The authority is asked at each operation, not only when a bucket is opened. Quotas are the store's to enforce, where a
//! write and its count are one.

mod store;
mod view;

use std::sync::Arc;

use wasmtime::component::Linker;

use super::{Capability, Setup};
use crate::bindings::keyvalue::wasi::keyvalue::{atomics, batch, store as interface};
use crate::call::CallState;

pub use store::{Bucket, KeyValue, KeyValueError, Keys, NoKeyValue, Quota};

#[expect(unreachable_pub, reason = "the generated bindings re-export the type of a resource")]
pub use view::OpenBucket;

/// The longest key, in bytes: a path or a URL, not a document.
pub(crate) const MAX_KEY_BYTES: usize = 1024;
/// The longest value, in bytes. More is what files are for.
pub(crate) const MAX_VALUE_BYTES: usize = 1 << 20;
/// Keys of one answer to a listing; the guest asks on with the cursor.
pub(crate) const LISTED_KEYS: usize = 256;
/// Keys of one operation on many.
pub(crate) const MANY_KEYS: usize = 1024;

pub(crate) struct Keep;

impl Capability for Keep {
    const NAME: &'static str = "keyvalue";
    const INTERFACES: &'static [&'static str] =
        &["wasi:keyvalue/store", "wasi:keyvalue/atomics", "wasi:keyvalue/batch"];
    const REACH: Option<&'static str> =
        Some("it could keep data from one call to the next, in buckets of its own, where granted");
    type State = Arc<dyn KeyValue>;

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        interface::add_to_linker::<CallState, Keep>(linker, view::view)?;
        atomics::add_to_linker::<CallState, Keep>(linker, view::view)?;
        batch::add_to_linker::<CallState, Keep>(linker, view::view)
    }

    fn prepare(setup: &Setup<'_>) -> Arc<dyn KeyValue> {
        setup.keyvalue.clone()
    }
}
