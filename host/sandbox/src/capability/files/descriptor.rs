//! What a guest's descriptor stands for.

use std::fs::File;
use std::io;
use std::sync::Arc;

use cap_std::fs::Dir;
use toolcrib_policy::{Access, LimitName};

use super::error::{FsError, FsResult};
use super::mount::{Mount, Mounts, OpenGuard};
use crate::bindings::filesystem::wasi::filesystem::types::{DescriptorFlags, ErrorCode};

/// A descriptor in a guest's table.
pub enum Descriptor {
    /// A folder that no grant shows: nothing but the way to the mounts below it.
    Way(Way),
    /// A folder below a mount, or the mount itself.
    Folder(Arc<Folder>),
    /// A file.
    File(Arc<OpenFile>),
}

/// A folder on the way to mounts, by its absolute path.
#[derive(Clone, Debug)]
pub struct Way {
    pub(super) path: String,
}

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    pub(super) mounts: Arc<Mounts>,
    pub(super) mount: Arc<Mount>,
    pub(super) dir: Arc<Dir>,
    /// Its path below the mount; empty for the mount itself.
    pub(super) relative: String,
    pub(super) _open: OpenGuard,
}

/// An open file.
#[derive(Debug)]
pub struct OpenFile {
    pub(super) mounts: Arc<Mounts>,
    pub(super) mount: Arc<Mount>,
    pub(super) file: File,
    /// Its whole path, as the guest names it.
    pub(super) path: String,
    pub(super) flags: DescriptorFlags,
    /// How its opening stands in the receipt; what moves through it is added there.
    pub(super) access: &'static str,
    pub(super) _open: OpenGuard,
}

impl Folder {
    /// The path of something in this folder, below the mount.
    pub(super) fn below(&self, path: &str) -> String {
        match (self.relative.as_str(), path) {
            ("", path) => path.to_owned(),
            (folder, "" | ".") => folder.to_owned(),
            (folder, path) => format!("{folder}/{path}"),
        }
    }

    /// The path of something in this folder, as the guest names it.
    pub(super) fn path_of(&self, path: &str) -> String {
        self.mount.path_of(&self.below(path))
    }

    /// Refuses a change in a folder that may only be read.
    pub(super) fn writable(&self, path: &str) -> FsResult<()> {
        match self.mount.access {
            Access::ReadWrite => Ok(()),
            Access::Read => Err(self.mounts.refuse(&self.path_of(path), Access::ReadWrite)),
        }
    }

    /// Takes room for one more file or folder.
    pub(super) fn take_room(&self, path: &str) -> io::Result<()> {
        let full = |_: &io::Error| self.mounts.full(&self.mount, &self.path_of(path), LimitName::CreatedFiles);
        self.mount.take_room(0, 1).inspect_err(full)
    }

    /// Refuses a change of a file with several names.
    pub(super) fn refuse_linked(&self, path: &str) -> FsError {
        let why = "may not write to a file that has other names: one of them may lie outside the folder";
        self.mounts.forbid(&self.path_of(path), "write", why)
    }
}

impl OpenFile {
    /// What moves through the file from now on.
    pub(super) fn used(&self) -> crate::receipt::Used<'_> {
        self.mount.used(self.access, &self.path)
    }

    /// Takes room for so many more bytes.
    pub(super) fn take_room(&self, bytes: u64) -> io::Result<()> {
        let full = |_: &io::Error| self.mounts.full(&self.mount, &self.path, LimitName::FileWriteBytes);
        self.mount.take_room(bytes, 0).inspect_err(full)
    }

    pub(super) fn readable(&self) -> FsResult<()> {
        if self.flags.contains(DescriptorFlags::READ) { Ok(()) } else { Err(ErrorCode::BadDescriptor.into()) }
    }

    pub(super) fn writable(&self) -> FsResult<()> {
        if self.flags.contains(DescriptorFlags::WRITE) {
            return Ok(());
        }
        match self.mount.access {
            Access::ReadWrite => Err(ErrorCode::BadDescriptor.into()),
            Access::Read => Err(self.mounts.refuse(&self.path, Access::ReadWrite)),
        }
    }
}

impl Descriptor {
    pub(super) fn folder(&self) -> FsResult<&Arc<Folder>> {
        match self {
            Descriptor::Folder(folder) => Ok(folder),
            Descriptor::Way(_) => Err(FsError::Code(ErrorCode::Access)),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    pub(super) fn file(&self) -> FsResult<&Arc<OpenFile>> {
        match self {
            Descriptor::File(file) => Ok(file),
            Descriptor::Folder(_) | Descriptor::Way(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }
}
