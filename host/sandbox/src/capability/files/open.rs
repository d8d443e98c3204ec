//! Opening a path below a folder.

use std::io;
use std::sync::Arc;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions};
use toolcrib_policy::Access;

use super::descriptor::{Descriptor, Folder, OpenFile};
use super::error::{FsError, FsResult};
use super::mount::OpenGuard;
use super::stream::counted;
use crate::bindings::filesystem::wasi::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags};

/// What a guest wants to open, and how.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) path: String,
    pub(super) follow: FollowSymlinks,
    pub(super) open: OpenFlags,
    pub(super) flags: DescriptorFlags,
}

impl Opening {
    /// The access that it needs. Creating and truncating are writing, whatever the descriptor is for afterwards.
    pub(super) fn access(&self) -> Access {
        let changes = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        if self.flags.contains(DescriptorFlags::WRITE) || self.open.intersects(changes) {
            Access::ReadWrite
        } else {
            Access::Read
        }
    }

    fn options(&self, create: bool) -> OpenOptions {
        let writes = self.access() == Access::ReadWrite;
        let mut options = OpenOptions::new();
        options
            .read(self.flags.contains(DescriptorFlags::READ) || !writes)
            .write(writes)
            .create_new(create)
            .follow(self.follow)
            // A pipe in a granted folder must not hold the call.
            .nonblock(true);
        options
    }
}

/// What was found at a path.
enum Found {
    Folder(Dir),
    File(std::fs::File),
    /// A device, socket or pipe.
    Other,
    /// A file with several names, one of which may lie outside.
    Linked,
}

/// Opens a path. `open` is counted already, and counted back when the descriptor is dropped.
pub(super) async fn open(folder: &Arc<Folder>, opening: Opening, open: OpenGuard) -> FsResult<Descriptor> {
    let path = folder.path_of(&opening.path);
    let writes = opening.access() == Access::ReadWrite;
    let begun = writes.then(|| folder.mounts.record().begin_write());
    let (inside, wanted, shown) = (folder.clone(), opening.clone(), path.clone());
    let access = if writes { "write" } else { "read" };
    let found = counted(move || {
        let _begun = begun;
        let used = inside.mount.used(access, &shown);
        let found = find(&inside, &wanted);
        // Listed here, so that a file which was made is in the receipt also when the call did not wait for it.
        match &found {
            // What leads out of the folder is refused by the caller, and is no use of it.
            Err(FsError::Escape) => {}
            Err(error) => inside.mounts.record().done(&used, false, Some(error.name())),
            Ok(_) => inside.mounts.record().done(&used, writes, None),
        }
        found
    })
    .await;
    match found? {
        Found::Folder(dir) => Ok(Descriptor::Folder(Arc::new(Folder {
            mounts: folder.mounts.clone(),
            mount: folder.mount.clone(),
            dir: Arc::new(dir),
            relative: folder.below(&opening.path),
            _open: open,
        }))),
        Found::File(file) => Ok(Descriptor::File(Arc::new(OpenFile {
            mounts: folder.mounts.clone(),
            mount: folder.mount.clone(),
            file,
            path,
            flags: opening.flags & (DescriptorFlags::READ | DescriptorFlags::WRITE),
            access,
            _open: open,
        }))),
        Found::Other => Err(folder.mounts.forbid(&path, "open", "may open files and folders only")),
        Found::Linked => Err(folder.refuse_linked(&opening.path)),
    }
}

/// Blocks. Truncating waits until the file is known to be one that may be written.
fn find(folder: &Folder, opening: &Opening) -> FsResult<Found> {
    let file = match folder.dir.open_with(&opening.path, &opening.options(false)) {
        Ok(file) if opening.open.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => {
            drop(file);
            return Err(ErrorCode::Exist.into());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && opening.open.contains(OpenFlags::CREATE) => {
            create(folder, opening)?
        }
        other => other?,
    };
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(Found::Folder(Dir::from_std_file(file.into_std())));
    }
    if opening.open.contains(OpenFlags::DIRECTORY) {
        return Err(ErrorCode::NotDirectory.into());
    }
    if !metadata.is_file() {
        return Ok(Found::Other);
    }
    if opening.access() == Access::ReadWrite {
        if several_names(&metadata) {
            return Ok(Found::Linked);
        }
        if opening.open.contains(OpenFlags::TRUNCATE) {
            file.set_len(0)?;
        }
    }
    Ok(Found::File(file.into_std()))
}

fn create(folder: &Folder, opening: &Opening) -> FsResult<File> {
    folder.mounts.count_created()?;
    folder.take_room(&opening.path)?;
    let created = folder.dir.open_with(&opening.path, &opening.options(true));
    let file = created.inspect_err(|_| folder.mount.give_back(0, 1))?;
    folder.mounts.unfinished.note(folder, &opening.path, &file);
    Ok(file)
}

pub(super) fn several_names(metadata: &Metadata) -> bool {
    metadata.nlink() > 1
}
