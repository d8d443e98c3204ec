//! Metadata, as `wasi:filesystem` writes it.

use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_fs_ext::MetadataExt;
use cap_std::fs::{FileType, Metadata};

use super::error::FsResult;
use crate::bindings::filesystem::wasi::filesystem::types::{
    Datetime, DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue, NewTimestamp,
};

pub(super) fn type_of(kind: FileType) -> DescriptorType {
    if kind.is_file() {
        DescriptorType::RegularFile
    } else if kind.is_dir() {
        DescriptorType::Directory
    } else if kind.is_symlink() {
        DescriptorType::SymbolicLink
    } else {
        DescriptorType::Unknown
    }
}

pub(super) fn stat_of(metadata: &Metadata) -> DescriptorStat {
    let time = |time: std::io::Result<cap_std::time::SystemTime>| time.ok().and_then(|t| datetime(t.into_std()));
    DescriptorStat {
        type_: type_of(metadata.file_type()),
        link_count: metadata.nlink(),
        size: metadata.len(),
        data_access_timestamp: time(metadata.accessed()),
        data_modification_timestamp: time(metadata.modified()),
        status_change_timestamp: None,
    }
}

/// A folder that is not there, only the way to others.
pub(super) fn stat_of_way() -> DescriptorStat {
    DescriptorStat {
        type_: DescriptorType::Directory,
        link_count: 1,
        size: 0,
        data_access_timestamp: None,
        data_modification_timestamp: None,
        status_change_timestamp: None,
    }
}

/// Tells files apart without telling the machine's inode numbers.
pub(super) fn hash_of(metadata: &Metadata) -> MetadataHashValue {
    let half = |salt: u8| {
        let mut hasher = std::hash::DefaultHasher::new();
        (salt, metadata.dev(), metadata.ino()).hash(&mut hasher);
        hasher.finish()
    };
    MetadataHashValue { lower: half(0), upper: half(1) }
}

fn datetime(time: SystemTime) -> Option<Datetime> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(Datetime { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() })
}

/// The time that a guest wants a file to have; nothing where it stays.
pub(super) fn new_time(time: NewTimestamp) -> FsResult<Option<SystemTime>> {
    match time {
        NewTimestamp::NoChange => Ok(None),
        NewTimestamp::Now => Ok(Some(SystemTime::now())),
        NewTimestamp::Timestamp(at) if at.nanoseconds >= 1_000_000_000 => Err(ErrorCode::Invalid.into()),
        NewTimestamp::Timestamp(at) => {
            let since = Duration::new(at.seconds, at.nanoseconds);
            UNIX_EPOCH.checked_add(since).map(Some).ok_or_else(|| ErrorCode::Overflow.into())
        }
    }
}
