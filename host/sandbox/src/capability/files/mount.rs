//! The granted folders, opened when a guest first asks for them, and what may still be done in each.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use toolcrib_policy::{Access, Authority, FileGrant, FileWriteBytes, LimitName, Refusal, RefusalCode};

use super::error::{FsError, FsResult};
use crate::bindings::filesystem::wasi::filesystem::types::ErrorCode;
use crate::call::{Record, Stop};
use crate::receipt::Used;

use super::unfinished::Unfinished;

/// The files of one call.
#[derive(Debug)]
pub(crate) struct Mounts {
    authority: Arc<Authority>,
    record: Arc<Record>,
    opened: OnceLock<Vec<Arc<Mount>>>,
    read: AtomicU64,
    written: AtomicU64,
    open: AtomicU64,
    created: AtomicU64,
    pub(super) unfinished: Unfinished,
}

impl Mounts {
    pub(super) fn new(authority: Arc<Authority>, record: Arc<Record>) -> Self {
        Mounts {
            authority,
            record,
            opened: OnceLock::new(),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            open: AtomicU64::new(0),
            created: AtomicU64::new(0),
            unfinished: Unfinished::default(),
        }
    }

    /// The granted folders, opened now if they were not yet.
    pub(super) fn mounts(&self) -> Result<&[Arc<Mount>], wasmtime::Error> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened: Result<Vec<_>, _> = self.authority.files.iter().map(|grant| self.open(grant)).collect();
        let opened = opened?;
        Ok(self.opened.get_or_init(|| opened))
    }

    /// Opens a folder. One that is not there is the operator's slip, and ends the call: a plugin must not mistake it
    /// for an empty one.
    fn open(&self, grant: &FileGrant) -> Result<Arc<Mount>, wasmtime::Error> {
        match Dir::open_ambient_dir(&grant.host, ambient_authority()) {
            Ok(dir) => Ok(Arc::new(Mount::new(grant, dir))),
            Err(error) => {
                let message = format!(
                    "the folder `{}`, granted as `{}`, cannot be opened: {error}; create it or change the grant",
                    grant.host.display(),
                    grant.guest
                );
                Err(self.record.stop(Stop::Broken(message)))
            }
        }
    }

    pub(super) fn count_read(&self, bytes: u64) -> FsResult<()> {
        self.count(&self.read, bytes, self.authority.limits.file_bytes_read.get(), LimitName::FileReadBytes)
    }

    pub(super) fn count_written(&self, bytes: u64) -> FsResult<()> {
        self.count(&self.written, bytes, self.authority.limits.file_bytes_written.get(), LimitName::FileWriteBytes)
    }

    pub(super) fn count_created(&self) -> FsResult<()> {
        self.count(&self.created, 1, self.authority.limits.files_created.get(), LimitName::CreatedFiles)
    }

    /// Counts an open descriptor; the guard counts it back.
    pub(super) fn count_open(self: &Arc<Self>) -> FsResult<OpenGuard> {
        self.count(&self.open, 1, self.authority.limits.files_open.get(), LimitName::OpenFiles)?;
        Ok(OpenGuard(self.clone()))
    }

    fn count(&self, counter: &AtomicU64, more: u64, most: u64, limit: LimitName) -> FsResult<()> {
        let total = counter.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if total > most {
            return Err(FsError::Trap(self.record.stop(Stop::limit(limit, &self.authority.limits))));
        }
        Ok(())
    }

    /// Refuses an access that no grant covers, and says which one would.
    pub(super) fn refuse(&self, path: &str, access: Access) -> FsError {
        let refusal = self.authority.file_refusal(path, access);
        self.refused(path, access.as_str(), &refusal);
        FsError::Code(match access {
            Access::Read => ErrorCode::Access,
            Access::ReadWrite => ErrorCode::ReadOnly,
        })
    }

    /// Refuses what nobody can be granted.
    pub(super) fn forbid(&self, path: &str, what: &str, why: &str) -> FsError {
        let refusal = Refusal::new(RefusalCode::FileDenied, format!("plugin `{}` {why}", self.authority.plugin()));
        self.refused(path, what, &refusal);
        FsError::Code(ErrorCode::NotPermitted)
    }

    /// Lists that a folder holds as much as its grant lets it.
    pub(super) fn full(&self, mount: &Mount, path: &str, limit: LimitName) {
        let message = format!(
            "plugin `{}` asked to write `{path}`: the folder `{}` may hold {} and no more",
            self.authority.plugin(),
            mount.guest,
            mount.quota.shown(limit)
        );
        self.refused(path, "write", &Refusal::new(RefusalCode::Limit(limit), message));
    }

    fn refused(&self, path: &str, access: &str, refusal: &Refusal) {
        self.record.refused("files", access, path, refusal);
    }

    pub(super) fn record(&self) -> &Arc<Record> {
        &self.record
    }
}

/// A descriptor that counts as open until it is dropped.
#[derive(Debug)]
pub(super) struct OpenGuard(Arc<Mounts>);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One granted folder.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) guest: String,
    pub(super) access: Access,
    pub(super) dir: Arc<Dir>,
    /// The operator's line, as far as it reaches here.
    line: String,
    quota: Quota,
}

impl Mount {
    fn new(grant: &FileGrant, dir: Dir) -> Self {
        Mount {
            guest: grant.guest.to_string(),
            access: grant.access,
            dir: Arc::new(dir),
            line: grant.to_string(),
            quota: Quota {
                host: grant.host.clone(),
                max_bytes: grant.max_bytes,
                max_files: grant.max_files,
                usage: OnceLock::new(),
            },
        }
    }

    /// A use of something in the folder that begins now.
    pub(super) fn used<'a>(&'a self, access: &'a str, path: &'a str) -> Used<'a> {
        Used::now("files", access, path).by(&self.line)
    }

    /// The folder and whatever lies below it, as the guest names it.
    pub(super) fn path_of(&self, relative: &str) -> String {
        match relative {
            "" | "." => self.guest.clone(),
            relative => format!("{}/{relative}", self.guest.trim_end_matches('/')),
        }
    }

    /// Takes room for `bytes` more bytes and `files` more files from what the grant allows. Runs where blocking is
    /// allowed: the first time, it measures the folder.
    pub(super) fn take_room(&self, bytes: u64, files: u64) -> io::Result<()> {
        self.quota.take(bytes, files)
    }

    /// Gives back what [`Mount::take_room`] took for something that then failed.
    pub(super) fn give_back(&self, bytes: u64, files: u64) {
        self.quota.give_back(bytes, files);
    }
}

/// A limit on what a folder holds. It is measured once in a call, at the first write; calls that write to the same
/// folder at the same time each measure for themselves.
#[derive(Debug)]
struct Quota {
    host: PathBuf,
    max_bytes: Option<u64>,
    max_files: Option<u64>,
    usage: OnceLock<Usage>,
}

#[derive(Debug, Default)]
struct Usage {
    bytes: AtomicU64,
    files: AtomicU64,
}

impl Quota {
    /// What the grant allows, in words.
    fn shown(&self, limit: LimitName) -> String {
        match limit {
            LimitName::CreatedFiles => format!("{} files", self.max_files.unwrap_or_default()),
            _ => FileWriteBytes::new(self.max_bytes.unwrap_or_default()).to_string(),
        }
    }

    fn take(&self, bytes: u64, files: u64) -> io::Result<()> {
        if self.max_bytes.is_none() && self.max_files.is_none() {
            return Ok(());
        }
        let usage = self.usage();
        let bytes_after = usage.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let files_after = usage.files.fetch_add(files, Ordering::Relaxed).saturating_add(files);
        let too_many = |after: u64, most: Option<u64>| most.is_some_and(|most| after > most);
        if (bytes > 0 && too_many(bytes_after, self.max_bytes)) || (files > 0 && too_many(files_after, self.max_files))
        {
            self.give_back(bytes, files);
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(())
    }

    fn give_back(&self, bytes: u64, files: u64) {
        if let Some(usage) = self.usage.get() {
            usage.bytes.fetch_sub(bytes, Ordering::Relaxed);
            usage.files.fetch_sub(files, Ordering::Relaxed);
        }
    }

    fn usage(&self) -> &Usage {
        self.usage.get_or_init(|| {
            let usage = Usage::default();
            measure(&self.host, &usage);
            usage
        })
    }
}

/// Adds up the files below a folder, without following links.
fn measure(root: &Path, usage: &Usage) {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.path().symlink_metadata() else { continue };
            usage.files.fetch_add(1, Ordering::Relaxed);
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                usage.bytes.fetch_add(metadata.len(), Ordering::Relaxed);
            }
        }
    }
}
