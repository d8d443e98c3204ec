//! Errors of `wasi:filesystem`.

use std::io;

use crate::bindings::filesystem::wasi::filesystem::types::ErrorCode;
use wasmtime::component::ResourceTableError;

/// An error code for the guest, or a trap.
#[derive(Debug)]
pub enum FsError {
    Code(ErrorCode),
    /// A path led out of its folder. Whoever knows the path puts a refusal in its place.
    Escape,
    Trap(wasmtime::Error),
}

pub(crate) type FsResult<T> = Result<T, FsError>;

impl FsError {
    /// The code as `wasi:filesystem` names it, for receipts; `stopped` where a limit ended the call.
    pub(super) fn name(&self) -> &'static str {
        match self {
            FsError::Code(code) => code.name(),
            FsError::Escape => ErrorCode::NotPermitted.name(),
            FsError::Trap(_) => "stopped",
        }
    }
}

impl From<ErrorCode> for FsError {
    fn from(code: ErrorCode) -> Self {
        FsError::Code(code)
    }
}

impl From<ResourceTableError> for FsError {
    fn from(error: ResourceTableError) -> Self {
        FsError::Trap(error.into())
    }
}

impl From<io::Error> for FsError {
    /// `cap-std` reports a path that leads out of its folder as a refusal that no system call made.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
            return FsError::Escape;
        }
        FsError::Code(code_of(&error))
    }
}

/// The code of a system error. One that has none is `io`: which one it was stays on this machine.
pub(super) fn code_of(error: &io::Error) -> ErrorCode {
    use io::ErrorKind as Kind;
    if let Some(code) = error.raw_os_error().and_then(code_of_number) {
        return code;
    }
    match error.kind() {
        Kind::NotFound => ErrorCode::NoEntry,
        Kind::PermissionDenied => ErrorCode::NotPermitted,
        Kind::AlreadyExists => ErrorCode::Exist,
        Kind::InvalidInput => ErrorCode::Invalid,
        Kind::NotADirectory => ErrorCode::NotDirectory,
        Kind::IsADirectory => ErrorCode::IsDirectory,
        Kind::DirectoryNotEmpty => ErrorCode::NotEmpty,
        Kind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
        Kind::StorageFull => ErrorCode::InsufficientSpace,
        Kind::QuotaExceeded => ErrorCode::Quota,
        Kind::FileTooLarge => ErrorCode::FileTooLarge,
        Kind::Interrupted => ErrorCode::Interrupted,
        Kind::InvalidFilename => ErrorCode::NameTooLong,
        _ => ErrorCode::Io,
    }
}

fn code_of_number(number: i32) -> Option<ErrorCode> {
    Some(match number {
        libc::EACCES => ErrorCode::Access,
        libc::EPERM => ErrorCode::NotPermitted,
        libc::ENOENT => ErrorCode::NoEntry,
        libc::EEXIST => ErrorCode::Exist,
        libc::ENOTDIR => ErrorCode::NotDirectory,
        libc::EISDIR => ErrorCode::IsDirectory,
        libc::ENOTEMPTY => ErrorCode::NotEmpty,
        libc::ELOOP => ErrorCode::Loop,
        libc::ENAMETOOLONG => ErrorCode::NameTooLong,
        libc::ENOSPC => ErrorCode::InsufficientSpace,
        libc::EDQUOT => ErrorCode::Quota,
        libc::EROFS => ErrorCode::ReadOnly,
        libc::EXDEV => ErrorCode::CrossDevice,
        libc::EINVAL => ErrorCode::Invalid,
        libc::EFBIG => ErrorCode::FileTooLarge,
        libc::ENOSYS | libc::EOPNOTSUPP => ErrorCode::Unsupported,
        _ => return None,
    })
}
