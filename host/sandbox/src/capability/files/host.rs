//! The functions of `wasi:filesystem`.

use std::sync::Arc;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Metadata, MetadataExt, OpenOptions};
use toolcrib_policy::Access;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::descriptor::{Descriptor, Folder, OpenFile, Way};
use super::directory::Entries;
use super::error::{FsError, FsResult, code_of};
use super::mount::Mount;
use super::open::{Opening, open, several_names};
use super::stream::{FileInput, FileOutput, Place, blocking, read_at, resize, write_at};
use super::way::{Leads, leads};
use super::{FilesView, metadata};
use crate::bindings::filesystem::wasi::filesystem::preopens;
use crate::bindings::filesystem::wasi::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};

/// The longest path that a guest may hand over. Linux takes no longer one.
const MAX_PATH_BYTES: usize = 4096;

type Handle = Resource<Descriptor>;

/// What a path is relative to.
enum Base {
    /// The path is a folder on the way to mounts.
    Way(Way),
    /// A folder, and the path below it.
    Folder(Arc<Folder>, String),
}

impl FilesView<'_> {
    fn charge(&self, bytes: usize) -> FsResult<()> {
        self.record.charge(bytes, &self.authority.limits).map_err(FsError::Trap)
    }

    /// What a path is relative to, and the path from there.
    fn base(&self, handle: &Handle, path: String, access: Access) -> FsResult<Base> {
        self.charge(path.len())?;
        if path.len() > MAX_PATH_BYTES {
            return Err(ErrorCode::NameTooLong.into());
        }
        let way = match self.table.get(handle)? {
            Descriptor::Way(way) => way,
            other => return Ok(Base::Folder(other.folder()?.clone(), path)),
        };
        let mounts = self.mounts.mounts().map_err(FsError::Trap)?;
        match leads(&way.path, &path, mounts.iter().map(|mount| mount.guest.as_str())) {
            Some(Leads::Mount(at, below)) => Ok(Base::Folder(Arc::new(self.folder_of(&mounts[at])?), below)),
            Some(Leads::Way(path)) if access == Access::Read => Ok(Base::Way(Way { path })),
            _ => Err(self.mounts.refuse(&way_path(way, &path), access)),
        }
    }

    /// The folder that a path is relative to. A path that leads to no mount is refused here.
    fn folder(&self, handle: &Handle, path: String, access: Access) -> FsResult<(Arc<Folder>, String)> {
        match self.base(handle, path, access)? {
            Base::Folder(folder, path) => Ok((folder, path)),
            Base::Way(way) => Err(self.mounts.refuse(&way.path, access)),
        }
    }

    fn writable_folder(&self, handle: &Handle, path: String) -> FsResult<(Arc<Folder>, String)> {
        let (folder, path) = self.folder(handle, path, Access::ReadWrite)?;
        folder.writable(&path)?;
        Ok((folder, path))
    }

    fn file(&self, handle: &Handle) -> FsResult<Arc<OpenFile>> {
        Ok(self.table.get(handle)?.file()?.clone())
    }

    fn folder_of(&self, mount: &Arc<Mount>) -> FsResult<Folder> {
        Ok(Folder {
            mounts: self.mounts.clone(),
            mount: mount.clone(),
            dir: mount.dir.clone(),
            relative: String::new(),
            _open: self.mounts.count_open()?,
        })
    }

    fn push_mount(&mut self, mount: &Arc<Mount>) -> wasmtime::Result<Handle> {
        let folder = self.folder_of(mount).map_err(trap)?;
        Ok(self.table.push(Descriptor::Folder(Arc::new(folder)))?)
    }
}

/// A change in a folder, done where blocking is allowed and known to the record until it is done.
async fn change<T: Send + 'static>(
    folder: Arc<Folder>,
    access: &str,
    path: String,
    work: impl FnOnce(&Folder, &str) -> std::io::Result<T> + Send + 'static,
) -> FsResult<T> {
    let shown = folder.path_of(&path);
    let (mount, record) = (folder.mount.clone(), folder.mounts.record().clone());
    let used = mount.used(access, &shown);
    // Listed first: a change that has begun is made, whatever becomes of the call.
    record.allowed(&used, true);
    let begun = record.begin_write();
    let (inside, name) = (folder.clone(), path.clone());
    let result = blocking(move || {
        let _begun = begun;
        work(&inside, &name)
    })
    .await;
    record.came(&used, result.as_ref().err().map(FsError::name));
    result.map_err(|error| beneath(&folder, &path, error))
}

/// Looks at a path without changing anything.
async fn look<T: Send + 'static>(
    folder: Arc<Folder>,
    access: &str,
    path: String,
    work: impl FnOnce(&Folder, &str) -> std::io::Result<T> + Send + 'static,
) -> FsResult<T> {
    let shown = folder.path_of(&path);
    let used = folder.mount.used(access, &shown);
    let (inside, name) = (folder.clone(), path.clone());
    let result = blocking(move || work(&inside, &name)).await;
    if !matches!(result, Err(FsError::Escape)) {
        folder.mounts.record().done(&used, false, result.as_ref().err().map(FsError::name));
    }
    result.map_err(|error| beneath(&folder, &path, error))
}

/// A path that leads out of its folder is refused, whatever is there.
fn beneath(folder: &Folder, path: &str, error: FsError) -> FsError {
    match error {
        FsError::Escape => {
            let why =
                format!("may not leave the folder `{}` by the path `{}`", folder.path_of(""), path.escape_debug());
            folder.mounts.forbid(&folder.path_of(path), "open", &why)
        }
        other => other,
    }
}

fn metadata_of(file: &OpenFile) -> std::io::Result<Metadata> {
    Metadata::from_file(&file.file)
}

fn stat_at(folder: &Folder, flags: PathFlags, path: &str) -> std::io::Result<Metadata> {
    match follow(flags) {
        FollowSymlinks::Yes => folder.dir.metadata(path),
        FollowSymlinks::No => folder.dir.symlink_metadata(path),
    }
}

fn file_times(access: NewTimestamp, modified: NewTimestamp) -> FsResult<std::fs::FileTimes> {
    let mut times = std::fs::FileTimes::new();
    if let Some(time) = metadata::new_time(access)? {
        times = times.set_accessed(time);
    }
    if let Some(time) = metadata::new_time(modified)? {
        times = times.set_modified(time);
    }
    Ok(times)
}

/// A path that ends in a slash names a folder, never the link to one: `cap-std` drops the slash and would rename the link.
fn refuse_link_as_folder(folder: &Folder, path: &str) -> std::io::Result<()> {
    let name = path.trim_end_matches('/');
    if name.len() < path.len() && folder.dir.symlink_metadata(name).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(std::io::ErrorKind::NotADirectory.into());
    }
    Ok(())
}

/// Whether a file has several names, one of which may lie outside its folder.
enum Linked {
    Yes,
    No,
}

/// Blocks. The times belong to the file, whatever it is called: one with other names keeps its own.
fn set_times(
    folder: &Folder,
    path: &str,
    follow: FollowSymlinks,
    times: std::fs::FileTimes,
) -> std::io::Result<Linked> {
    let mut options = OpenOptions::new();
    // A pipe in a granted folder must not hold the call.
    options.read(true).follow(follow).nonblock(true);
    let file = folder.dir.open_with(path, &options)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && several_names(&metadata) {
        return Ok(Linked::Yes);
    }
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    file.into_std().set_times(times)?;
    Ok(Linked::No)
}

fn trap(error: FsError) -> wasmtime::Error {
    match error {
        FsError::Trap(error) => error,
        FsError::Code(code) => wasmtime::Error::new(code),
        FsError::Escape => wasmtime::Error::new(ErrorCode::NotPermitted),
    }
}

fn way_path(way: &Way, path: &str) -> String {
    match path {
        "" | "." => way.path.clone(),
        path => format!("{}/{path}", way.path.trim_end_matches('/')),
    }
}

fn follow(flags: PathFlags) -> FollowSymlinks {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) { FollowSymlinks::Yes } else { FollowSymlinks::No }
}

impl preopens::Host for FilesView<'_> {
    async fn get_directories(&mut self) -> wasmtime::Result<Vec<(Handle, String)>> {
        let mounts: Vec<Arc<Mount>> = self.mounts.mounts()?.to_vec();
        let mut preopens = Vec::with_capacity(mounts.len() + 1);
        if mounts.iter().all(|mount| mount.guest != "/") {
            let root = Descriptor::Way(Way { path: "/".to_owned() });
            preopens.push((self.table.push(root)?, "/".to_owned()));
        }
        for mount in &mounts {
            preopens.push((self.push_mount(mount)?, mount.guest.clone()));
        }
        Ok(preopens)
    }
}

impl types::Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        match error {
            FsError::Code(code) => Ok(code),
            FsError::Escape => Ok(ErrorCode::NotPermitted),
            FsError::Trap(error) => Err(error),
        }
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime_wasi_io::streams::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        Ok(error.downcast_ref::<ErrorCode>().copied().or_else(|| error.downcast_ref::<std::io::Error>().map(code_of)))
    }
}

impl types::HostDescriptor for FilesView<'_> {
    fn read_via_stream(&mut self, handle: Handle, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let file = self.file(&handle)?;
        file.readable()?;
        let stream: DynInputStream = Box::new(FileInput::new(file, offset));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(&mut self, handle: Handle, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        let file = self.file(&handle)?;
        file.writable()?;
        let stream: DynOutputStream = Box::new(FileOutput::new(file, Place::At(offset)));
        Ok(self.table.push(stream)?)
    }

    fn append_via_stream(&mut self, handle: Handle) -> FsResult<Resource<DynOutputStream>> {
        let file = self.file(&handle)?;
        file.writable()?;
        let stream: DynOutputStream = Box::new(FileOutput::new(file, Place::End));
        Ok(self.table.push(stream)?)
    }

    /// Advice is taken and not followed.
    async fn advise(&mut self, handle: Handle, _offset: u64, _len: u64, _advice: Advice) -> FsResult<()> {
        self.file(&handle)?;
        Ok(())
    }

    async fn sync_data(&mut self, handle: Handle) -> FsResult<()> {
        self.sync(handle).await
    }

    async fn sync(&mut self, handle: Handle) -> FsResult<()> {
        let Descriptor::File(file) = self.table.get(&handle)? else { return Ok(()) };
        let file = file.clone();
        // A file that was opened for reading has nothing to bring to the disk.
        if !file.flags.contains(DescriptorFlags::WRITE) {
            return Ok(());
        }
        blocking(move || file.file.sync_all()).await
    }

    async fn get_flags(&mut self, handle: Handle) -> FsResult<DescriptorFlags> {
        Ok(match self.table.get(&handle)? {
            Descriptor::Way(_) => DescriptorFlags::READ,
            Descriptor::File(file) => file.flags,
            Descriptor::Folder(folder) => match folder.mount.access {
                Access::Read => DescriptorFlags::READ,
                Access::ReadWrite => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
            },
        })
    }

    async fn get_type(&mut self, handle: Handle) -> FsResult<DescriptorType> {
        Ok(match self.table.get(&handle)? {
            Descriptor::Way(_) | Descriptor::Folder(_) => DescriptorType::Directory,
            Descriptor::File(_) => DescriptorType::RegularFile,
        })
    }

    async fn set_size(&mut self, handle: Handle, size: u64) -> FsResult<()> {
        let file = self.file(&handle)?;
        file.writable()?;
        resize(&file, size).await
    }

    async fn set_times(&mut self, handle: Handle, access: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        let file = self.file(&handle)?;
        file.writable()?;
        let times = file_times(access, modified)?;
        blocking(move || file.file.set_times(times)).await
    }

    async fn read(&mut self, handle: Handle, len: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        let file = self.file(&handle)?;
        file.readable()?;
        let (bytes, end) = read_at(&file, usize::try_from(len).unwrap_or(usize::MAX), offset).await?;
        self.charge(bytes.len())?;
        Ok((bytes.into(), end))
    }

    async fn write(&mut self, handle: Handle, buffer: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.charge(buffer.len())?;
        let file = self.file(&handle)?;
        file.writable()?;
        write_at(&file, buffer.into(), Place::At(offset)).await
    }

    async fn read_directory(&mut self, handle: Handle) -> FsResult<Resource<Entries>> {
        let open = self.mounts.count_open()?;
        let entries = match self.table.get(&handle)? {
            Descriptor::Way(way) => Entries::of_way(&way.path, self.mounts.mounts().map_err(FsError::Trap)?, open),
            other => {
                let folder = other.folder()?.clone();
                let (mount, shown) = (folder.mount.clone(), folder.path_of(""));
                let used = mount.used("list", &shown);
                let listed = blocking(move || Entries::read(&folder.dir, open)).await;
                self.record.done(&used, false, listed.as_ref().err().map(FsError::name));
                listed?
            }
        };
        self.charge(entries.size())?;
        Ok(self.table.push(entries)?)
    }

    async fn create_directory_at(&mut self, handle: Handle, path: String) -> FsResult<()> {
        let (folder, path) = self.writable_folder(&handle, path)?;
        // What is there is not created, and libraries ask all the same.
        let there =
            look(folder.clone(), "stat", path.clone(), |folder, path| folder.dir.symlink_metadata(path).map(drop))
                .await;
        if there.is_ok() {
            return Err(ErrorCode::Exist.into());
        }
        self.mounts.count_created()?;
        change(folder, "create", path, |folder, path| {
            folder.take_room(path)?;
            folder.dir.create_dir(path).inspect_err(|_| folder.mount.give_back(0, 1))
        })
        .await
    }

    async fn stat(&mut self, handle: Handle) -> FsResult<DescriptorStat> {
        match self.table.get(&handle)? {
            Descriptor::Way(_) => Ok(metadata::stat_of_way()),
            Descriptor::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.dir.dir_metadata().map(|m| metadata::stat_of(&m))).await
            }
            Descriptor::File(file) => {
                let file = file.clone();
                blocking(move || metadata_of(&file).map(|m| metadata::stat_of(&m))).await
            }
        }
    }

    async fn stat_at(&mut self, handle: Handle, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        let (folder, path) = match self.base(&handle, path, Access::Read)? {
            Base::Folder(folder, path) => (folder, path),
            Base::Way(_) => return Ok(metadata::stat_of_way()),
        };
        let stat = look(folder, "stat", path, move |folder, path| stat_at(folder, flags, path)).await?;
        Ok(metadata::stat_of(&stat))
    }

    async fn set_times_at(
        &mut self,
        handle: Handle,
        flags: PathFlags,
        path: String,
        access: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (folder, path) = self.writable_folder(&handle, path)?;
        let times = file_times(access, modified)?;
        let inside = folder.clone();
        let linked = change(folder, "set times", path.clone(), move |folder, path| {
            set_times(folder, path, follow(flags), times)
        });
        match linked.await? {
            Linked::No => Ok(()),
            Linked::Yes => Err(inside.refuse_linked(&path)),
        }
    }

    /// A second name would carry a file from one grant into another.
    async fn link_at(
        &mut self,
        handle: Handle,
        _flags: PathFlags,
        old_path: String,
        _new: Handle,
        _new_path: String,
    ) -> FsResult<()> {
        let (folder, old_path) = self.folder(&handle, old_path, Access::ReadWrite)?;
        Err(self.mounts.forbid(&folder.path_of(&old_path), "link", "may not make links: no tool may"))
    }

    async fn open_at(
        &mut self,
        handle: Handle,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Handle> {
        let mut opening = Opening { path, follow: follow(path_flags), open: open_flags, flags };
        let wants = opening.access();
        let folder = match self.base(&handle, std::mem::take(&mut opening.path), wants)? {
            Base::Way(way) => return Ok(self.table.push(Descriptor::Way(way))?),
            Base::Folder(folder, path) => {
                opening.path = path;
                folder
            }
        };
        if wants == Access::ReadWrite {
            folder.writable(&opening.path)?;
        }
        let guard = self.mounts.count_open()?;
        let path = opening.path.clone();
        let opened = open(&folder, opening, guard).await.map_err(|error| beneath(&folder, &path, error))?;
        Ok(self.table.push(opened)?)
    }

    async fn readlink_at(&mut self, handle: Handle, path: String) -> FsResult<String> {
        let (folder, path) = self.folder(&handle, path, Access::Read)?;
        let target = look(folder, "read link", path, |folder, path| folder.dir.read_link(path)).await?;
        target.into_os_string().into_string().map_err(|_| ErrorCode::IllegalByteSequence.into())
    }

    async fn remove_directory_at(&mut self, handle: Handle, path: String) -> FsResult<()> {
        let (folder, path) = self.writable_folder(&handle, path)?;
        change(folder, "remove", path, |folder, path| folder.dir.remove_dir(path)).await
    }

    async fn rename_at(&mut self, handle: Handle, old_path: String, new: Handle, new_path: String) -> FsResult<()> {
        let (from, old_path) = self.writable_folder(&handle, old_path)?;
        let (to, new_path) = self.writable_folder(&new, new_path)?;
        if !Arc::ptr_eq(&from.mount, &to.mount) {
            return Err(ErrorCode::CrossDevice.into());
        }
        change(from, "rename", old_path, move |from, path| {
            refuse_link_as_folder(from, path)?;
            refuse_link_as_folder(&to, &new_path)?;
            from.dir.rename(path, &to.dir, new_path)
        })
        .await
    }

    /// A link could point out of its folder for whoever follows it from outside.
    async fn symlink_at(&mut self, handle: Handle, _old_path: String, new_path: String) -> FsResult<()> {
        let (folder, new_path) = self.folder(&handle, new_path, Access::ReadWrite)?;
        Err(self.mounts.forbid(&folder.path_of(&new_path), "link", "may not make links: no tool may"))
    }

    async fn unlink_file_at(&mut self, handle: Handle, path: String) -> FsResult<()> {
        let (folder, path) = self.writable_folder(&handle, path)?;
        change(folder, "remove", path, |folder, path| folder.dir.remove_file_or_symlink(path)).await
    }

    async fn is_same_object(&mut self, a: Handle, b: Handle) -> wasmtime::Result<bool> {
        let hash = |view: &Self, handle: &Handle| -> wasmtime::Result<Option<(u64, u64)>> {
            Ok(match view.table.get(handle)? {
                Descriptor::Way(_) => None,
                Descriptor::Folder(folder) => folder.dir.dir_metadata().ok().map(|m| (m.dev(), m.ino())),
                Descriptor::File(file) => metadata_of(file).ok().map(|m| (m.dev(), m.ino())),
            })
        };
        Ok(match (hash(self, &a)?, hash(self, &b)?) {
            (Some(a), Some(b)) => a == b,
            _ => a.rep() == b.rep(),
        })
    }

    async fn metadata_hash(&mut self, handle: Handle) -> FsResult<MetadataHashValue> {
        match self.table.get(&handle)? {
            Descriptor::Way(_) => Ok(MetadataHashValue { lower: 0, upper: 0 }),
            Descriptor::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.dir.dir_metadata().map(|m| metadata::hash_of(&m))).await
            }
            Descriptor::File(file) => {
                let file = file.clone();
                blocking(move || metadata_of(&file).map(|m| metadata::hash_of(&m))).await
            }
        }
    }

    async fn metadata_hash_at(
        &mut self,
        handle: Handle,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let (folder, path) = match self.base(&handle, path, Access::Read)? {
            Base::Folder(folder, path) => (folder, path),
            Base::Way(_) => return Ok(MetadataHashValue { lower: 0, upper: 0 }),
        };
        let stat = look(folder, "stat", path, move |folder, path| stat_at(folder, flags, path)).await?;
        Ok(metadata::hash_of(&stat))
    }

    fn drop(&mut self, handle: Handle) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl types::HostDirectoryEntryStream for FilesView<'_> {
    fn read_directory_entry(&mut self, entries: Resource<Entries>) -> FsResult<Option<DirectoryEntry>> {
        Ok(self.table.get_mut(&entries)?.next()?)
    }

    fn drop(&mut self, entries: Resource<Entries>) -> wasmtime::Result<()> {
        self.table.delete(entries)?;
        Ok(())
    }
}
