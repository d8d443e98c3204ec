//! `wasi:io`: streams and polling. The engine's own implementation does the work; here every byte is counted.

use std::sync::Arc;

use toolcrib_policy::Authority;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi_io::bindings::wasi::io::{error, poll, streams};

use super::{Capability, Setup};
use crate::call::{CallState, Record};

/// Bytes that one read may give, whatever the guest asks for: what the host allocates before it knows what is there.
const READ_CHUNK: u64 = 1 << 20;

pub(crate) struct Io;

impl HasData for Io {
    type Data<'a> = IoView<'a>;
}

impl Capability for Io {
    const NAME: &'static str = "io";
    const INTERFACES: &'static [&'static str] = &["wasi:io/error", "wasi:io/poll", "wasi:io/streams"];
    const REACH: Option<&'static str> = None;
    type State = ();

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        error::add_to_linker::<CallState, Io>(linker, view)?;
        poll::add_to_linker::<CallState, Io>(linker, view)?;
        streams::add_to_linker::<CallState, Io>(linker, view)
    }

    fn prepare(_setup: &Setup<'_>) {}
}

fn view(state: &mut CallState) -> IoView<'_> {
    IoView { table: &mut state.table, authority: &state.authority, record: &state.record }
}

pub(crate) struct IoView<'a> {
    table: &'a mut ResourceTable,
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
}

impl IoView<'_> {
    fn charge(&self, bytes: usize) -> wasmtime::Result<()> {
        self.record.charge(bytes, &self.authority.limits)
    }

    fn charge_stream(&self, bytes: usize) -> StreamResult<()> {
        self.charge(bytes).map_err(StreamError::Trap)
    }
}

impl error::Host for IoView<'_> {}

impl error::HostError for IoView<'_> {
    /// The error's own words, without the causes and places that a debug print would show.
    fn to_debug_string(&mut self, error: Resource<error::Error>) -> wasmtime::Result<String> {
        let text = self.table.get(&error)?.to_string();
        self.charge(text.len())?;
        Ok(text)
    }

    fn drop(&mut self, error: Resource<error::Error>) -> wasmtime::Result<()> {
        error::HostError::drop(self.table, error)
    }
}

impl poll::Host for IoView<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.charge(pollables.len() * size_of::<u32>())?;
        poll::Host::poll(self.table, pollables).await
    }
}

impl poll::HostPollable for IoView<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(self.table, pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::block(self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}

impl streams::Host for IoView<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.table, error)
    }
}

impl streams::HostInputStream for IoView<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        let bytes = streams::HostInputStream::read(self.table, stream, len.min(READ_CHUNK))?;
        self.charge_stream(bytes.len())?;
        Ok(bytes)
    }

    async fn blocking_read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        let bytes = streams::HostInputStream::blocking_read(self.table, stream, len.min(READ_CHUNK)).await?;
        self.charge_stream(bytes.len())?;
        Ok(bytes)
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        streams::HostInputStream::skip(self.table, stream, len.min(READ_CHUNK))
    }

    async fn blocking_skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        streams::HostInputStream::blocking_skip(self.table, stream, len.min(READ_CHUNK)).await
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostInputStream::subscribe(self.table, stream)
    }

    async fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        streams::HostInputStream::drop(self.table, stream).await
    }
}

impl streams::HostOutputStream for IoView<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.charge_stream(bytes.len())?;
        streams::HostOutputStream::write(self.table, stream, bytes)
    }

    async fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.charge_stream(bytes.len())?;
        streams::HostOutputStream::blocking_write_and_flush(self.table, stream, bytes).await
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        streams::HostOutputStream::flush(self.table, stream)
    }

    async fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        streams::HostOutputStream::blocking_flush(self.table, stream).await
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostOutputStream::subscribe(self.table, stream)
    }

    /// The permit is asked first: the engine's implementation allocates the zeroes, and the permit bounds them.
    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        self.charge_stream(usize::try_from(len).unwrap_or(usize::MAX))?;
        streams::HostOutputStream::write_zeroes(self.table, stream, len)
    }

    async fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        self.charge_stream(usize::try_from(len).unwrap_or(usize::MAX))?;
        streams::HostOutputStream::blocking_write_zeroes_and_flush(self.table, stream, len).await
    }

    fn splice(&mut self, to: Resource<DynOutputStream>, from: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        let moved = streams::HostOutputStream::splice(self.table, to, from, len.min(READ_CHUNK))?;
        self.charge_stream(usize::try_from(moved).unwrap_or(usize::MAX))?;
        Ok(moved)
    }

    async fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        let moved = streams::HostOutputStream::blocking_splice(self.table, to, from, len.min(READ_CHUNK)).await?;
        self.charge_stream(usize::try_from(moved).unwrap_or(usize::MAX))?;
        Ok(moved)
    }

    async fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        streams::HostOutputStream::drop(self.table, stream).await
    }
}
