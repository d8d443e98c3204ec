//! `wasi:filesystem`: the folders that the operator granted, and nothing beside them.
//!
//! ```text
//!  path ─► longest mount ─► access ─► open below the folder ─► descriptor ─► read, write ─► quota, record
//!               │ none         │ write on a read mount
//!               └──────────────┴─► refusal that names the grant
//! ```
//!
//! The traits are implemented here, over `cap-std`: a read mount opens everything read-only, so that not even a defect
//! in a check could write; no link of any kind is made, and a file with several names is not written; every path that
//! lies in no mount reaches the gate, so that its refusal can say what is missing.
//!
//! Guests with no mount at the root see one that contains nothing but the way to the mounts.

#![expect(unreachable_pub, reason = "the generated bindings export the descriptors again")]

mod descriptor;
mod directory;
mod error;
mod host;
mod metadata;
mod mount;
mod open;
mod stream;
mod unfinished;
mod way;

use std::sync::Arc;

use toolcrib_policy::Authority;
use wasmtime::component::{HasData, Linker, ResourceTable};

use super::{Capability, Setup};
use crate::bindings::filesystem::wasi::filesystem::{preopens, types};
use crate::call::{CallState, Record};

// The generated bindings export these two again, so that they are `pub` inside this private module.
pub use descriptor::Descriptor;
pub use directory::Entries;
pub use error::FsError;
pub(crate) use mount::Mounts;

pub(crate) struct Files;

impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}

impl Capability for Files {
    const NAME: &'static str = "files";
    const INTERFACES: &'static [&'static str] = &["wasi:filesystem/types", "wasi:filesystem/preopens"];
    const REACH: Option<&'static str> = Some("it could read and write files in folders that are granted");
    type State = Arc<Mounts>;

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        types::add_to_linker::<CallState, Files>(linker, view)?;
        preopens::add_to_linker::<CallState, Files>(linker, view)
    }

    fn prepare(setup: &Setup<'_>) -> Arc<Mounts> {
        Arc::new(Mounts::new(setup.authority.clone(), setup.record.clone()))
    }
}

fn view(state: &mut CallState) -> FilesView<'_> {
    FilesView {
        table: &mut state.table,
        authority: &state.authority,
        record: &state.record,
        mounts: &state.capabilities.files,
    }
}

/// What the interfaces see of a call.
pub(crate) struct FilesView<'a> {
    pub(super) table: &'a mut ResourceTable,
    pub(super) authority: &'a Arc<Authority>,
    pub(super) record: &'a Arc<Record>,
    pub(super) mounts: &'a Arc<Mounts>,
}
