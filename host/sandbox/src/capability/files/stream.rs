//! Reading and writing a file: directly at an offset, or as a stream.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinHandle;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::descriptor::OpenFile;
use super::error::{FsError, FsResult};
use crate::bindings::filesystem::wasi::filesystem::types::ErrorCode;
use crate::receipt::{Came, Used};

/// Bytes read at once, and the most that a stream holds for a guest that does not take them.
const READ_BYTES: usize = 64 << 10;
/// Bytes that a stream takes before it has written them.
const WRITE_BYTES: usize = 64 << 10;

/// Runs file work where it may block. The call waits for it; work that was begun ends even if the call does not wait.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> FsResult<T> {
    counted(move || Ok(work()?)).await
}

/// As [`blocking`], for work that counts against the limits of the call while it goes on.
pub(super) async fn counted<T: Send + 'static>(work: impl FnOnce() -> FsResult<T> + Send + 'static) -> FsResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(FsError::Trap(wasmtime::Error::new(error))),
    }
}

/// Reads at an offset, counts it, and says whether the end was reached.
pub(super) async fn read_at(file: &Arc<OpenFile>, len: usize, offset: u64) -> FsResult<(Bytes, bool)> {
    let handle = file.clone();
    let used = file.used();
    let bytes = blocking(move || {
        let mut buffer = vec![0; len.min(READ_BYTES)];
        let read = retry(|| handle.file.read_at(&mut buffer, offset))?;
        buffer.truncate(read);
        Ok(Bytes::from(buffer))
    })
    .await?;
    file.mounts.count_read(bytes.len() as u64)?;
    file.mounts.record().add(&used, moved(&used, bytes.len() as u64, None));
    let end = bytes.is_empty() && len > 0;
    Ok((bytes, end))
}

/// Where a write goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    At(u64),
    End,
}

/// Writes all of `bytes`. The guard in the record is held until the system call is back, whatever the call does.
pub(super) async fn write_at(file: &Arc<OpenFile>, bytes: Bytes, place: Place) -> FsResult<u64> {
    file.mounts.count_written(bytes.len() as u64)?;
    let begun = file.mounts.record().begin_write();
    let handle = file.clone();
    counted(move || {
        let _begun = begun;
        let used = handle.used();
        let result = write_within_quota(&handle, &bytes, place);
        // Counted here, so that the receipt has also what was written when the call did not wait for it.
        let (written, error) = result.as_ref().map_or_else(|error| (0, Some(error.name())), |written| (*written, None));
        handle.mounts.record().add(&used, moved(&used, written, error));
        result
    })
    .await
}

fn moved(used: &Used<'_>, bytes: u64, error: Option<&'static str>) -> Came {
    Came { bytes, took: used.began.elapsed(), error }
}

/// Blocks. What a write adds to the file is taken from the mount's quota first. A gap that it leaves counts as written.
fn write_within_quota(file: &OpenFile, bytes: &[u8], place: Place) -> FsResult<u64> {
    let size = file.file.metadata()?.len();
    let at = match place {
        Place::At(offset) => offset,
        Place::End => size,
    };
    let len = bytes.len() as u64;
    let end = at.checked_add(len).ok_or(ErrorCode::FileTooLarge)?;
    let more = end.saturating_sub(size);
    file.take_room(more)?;
    file.mounts.count_written(at.saturating_sub(size))?;
    let result = retry_all(&file.file, bytes, at);
    if result.is_err() {
        file.mount.give_back(more, 0);
    }
    result?;
    Ok(len)
}

/// Changes a file's size. What it grows by counts as written, although the disk may hold less.
pub(super) async fn resize(file: &Arc<OpenFile>, size: u64) -> FsResult<()> {
    let begun = file.mounts.record().begin_write();
    let file = file.clone();
    counted(move || {
        let _begun = begun;
        let before = file.file.metadata()?.len();
        let more = size.saturating_sub(before);
        file.take_room(more)?;
        file.mounts.count_written(more)?;
        file.file.set_len(size).inspect_err(|_| file.mount.give_back(more, 0))?;
        Ok(())
    })
    .await
}

fn retry(mut operation: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn retry_all(file: &std::fs::File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match retry(|| file.write_at(bytes, at))? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => {
                bytes = &bytes[written..];
                at += written as u64;
            }
        }
    }
    Ok(())
}

fn stream_error(error: FsError) -> StreamError {
    match error {
        FsError::Code(code) => StreamError::LastOperationFailed(wasmtime::Error::new(code)),
        FsError::Escape => StreamError::LastOperationFailed(wasmtime::Error::new(ErrorCode::NotPermitted)),
        FsError::Trap(error) => StreamError::Trap(error),
    }
}

/// A file read from an offset on.
pub(super) struct FileInput {
    file: Arc<OpenFile>,
    offset: u64,
    ready: Option<FsResult<(Bytes, bool)>>,
}

impl FileInput {
    pub(super) fn new(file: Arc<OpenFile>, offset: u64) -> Self {
        FileInput { file, offset, ready: None }
    }
}

#[async_trait]
impl Pollable for FileInput {
    async fn ready(&mut self) {
        if self.ready.is_none() {
            self.ready = Some(read_at(&self.file, READ_BYTES, self.offset).await);
        }
    }
}

#[async_trait]
impl InputStream for FileInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.ready.take() {
            None => Ok(Bytes::new()),
            Some(Err(error)) => Err(stream_error(error)),
            Some(Ok((_, true))) => Err(StreamError::Closed),
            Some(Ok((mut bytes, false))) => {
                let taken = bytes.split_to(size.min(bytes.len()));
                self.offset += taken.len() as u64;
                if !bytes.is_empty() {
                    self.ready = Some(Ok((bytes, false)));
                }
                Ok(taken)
            }
        }
    }
}

/// A file written from an offset on, or at its end. One write is under way at a time.
pub(super) struct FileOutput {
    file: Arc<OpenFile>,
    place: Place,
    under_way: Option<JoinHandle<FsResult<u64>>>,
    failed: Option<FsError>,
}

impl FileOutput {
    pub(super) fn new(file: Arc<OpenFile>, place: Place) -> Self {
        FileOutput { file, place, under_way: None, failed: None }
    }

    fn check(&mut self) -> StreamResult<()> {
        match self.failed.take() {
            Some(error) => Err(stream_error(error)),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Pollable for FileOutput {
    async fn ready(&mut self) {
        if let Some(task) = &mut self.under_way {
            let ended = task.await;
            self.under_way = None;
            match ended {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => self.failed = Some(error),
                Err(error) => self.failed = Some(FsError::Trap(wasmtime::Error::new(error))),
            }
        }
    }
}

#[async_trait]
impl OutputStream for FileOutput {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        Ok(if self.under_way.is_some() { 0 } else { WRITE_BYTES })
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if self.under_way.is_some() || bytes.len() > WRITE_BYTES {
            return Err(StreamError::trap("a write without a permit"));
        }
        let place = self.place;
        if let Place::At(offset) = &mut self.place {
            *offset += bytes.len() as u64;
        }
        let file = self.file.clone();
        self.under_way = Some(tokio::spawn(async move { write_at(&file, bytes, place).await }));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    /// A stream that is dropped waits for the write that it began.
    async fn cancel(&mut self) {
        self.ready().await;
    }
}
