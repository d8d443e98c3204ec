//! Standard streams and `wasi:logging`: what a guest prints goes into the receipt, up to a size, and nowhere else.
//! Needs no grant.

mod capture;
mod output;

use std::sync::Arc;

use bytes::Bytes;
use toolcrib_policy::Authority;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::cli::{
    stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::{Capability, Setup};
use crate::bindings::logging::wasi::logging::logging;
use crate::call::{CallState, Record};
pub(crate) use capture::Capture;
use output::CapturedStream;

pub(crate) struct Streams;

impl HasData for Streams {
    type Data<'a> = StreamsView<'a>;
}

/// The captured streams of one call.
pub(crate) struct StreamsState {
    pub(crate) stdin: Bytes,
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    pub(crate) log: Capture,
}

impl Capability for Streams {
    const NAME: &'static str = "streams";
    const INTERFACES: &'static [&'static str] = &[
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/stderr",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:cli/terminal-stderr",
        "wasi:logging/logging",
    ];
    const REACH: Option<&'static str> = None;
    type State = StreamsState;

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        stdin::add_to_linker::<CallState, Streams>(linker, view)?;
        stdout::add_to_linker::<CallState, Streams>(linker, view)?;
        stderr::add_to_linker::<CallState, Streams>(linker, view)?;
        terminal_input::add_to_linker::<CallState, Streams>(linker, view)?;
        terminal_output::add_to_linker::<CallState, Streams>(linker, view)?;
        terminal_stdin::add_to_linker::<CallState, Streams>(linker, view)?;
        terminal_stdout::add_to_linker::<CallState, Streams>(linker, view)?;
        terminal_stderr::add_to_linker::<CallState, Streams>(linker, view)?;
        logging::add_to_linker::<CallState, Streams>(linker, view)
    }

    fn prepare(setup: &Setup<'_>) -> StreamsState {
        let limits = &setup.authority.limits;
        let output = || Capture::new(limits.output.as_usize(), limits.output_lines.get());
        StreamsState {
            stdin: Bytes::new(),
            stdout: output(),
            stderr: output(),
            log: Capture::new(limits.log.as_usize(), limits.log_lines.get()),
        }
    }
}

fn view(state: &mut CallState) -> StreamsView<'_> {
    StreamsView {
        table: &mut state.table,
        state: &mut state.capabilities.streams,
        authority: &state.authority,
        record: &state.record,
    }
}

pub(crate) struct StreamsView<'a> {
    table: &'a mut ResourceTable,
    state: &'a mut StreamsState,
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
}

impl StreamsView<'_> {
    fn output(&mut self, capture: Capture) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(CapturedStream::new(capture));
        Ok(self.table.push(stream)?)
    }
}

impl stdin::Host for StreamsView<'_> {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(MemoryInputPipe::new(self.state.stdin.clone()));
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for StreamsView<'_> {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let capture = self.state.stdout.clone();
        self.output(capture)
    }
}

impl stderr::Host for StreamsView<'_> {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let capture = self.state.stderr.clone();
        self.output(capture)
    }
}

impl logging::Host for StreamsView<'_> {
    fn log(&mut self, level: logging::Level, context: String, message: String) -> wasmtime::Result<()> {
        self.record.charge(context.len() + message.len(), &self.authority.limits)?;
        let level = format!("{level:?}").to_lowercase();
        let level = level.strip_prefix("level::").unwrap_or(&level);
        let line =
            if context.is_empty() { format!("{level} {message}\n") } else { format!("{level} {context}: {message}\n") };
        self.state.log.write(line.as_bytes());
        Ok(())
    }
}

/// No stream of a guest is a terminal.
impl terminal_input::Host for StreamsView<'_> {}
impl terminal_input::HostTerminalInput for StreamsView<'_> {
    fn drop(&mut self, input: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        self.table.delete(input)?;
        Ok(())
    }
}
impl terminal_output::Host for StreamsView<'_> {}
impl terminal_output::HostTerminalOutput for StreamsView<'_> {
    fn drop(&mut self, output: Resource<terminal_output::TerminalOutput>) -> wasmtime::Result<()> {
        self.table.delete(output)?;
        Ok(())
    }
}
impl terminal_stdin::Host for StreamsView<'_> {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<terminal_input::TerminalInput>>> {
        Ok(None)
    }
}
impl terminal_stdout::Host for StreamsView<'_> {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}
impl terminal_stderr::Host for StreamsView<'_> {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}
