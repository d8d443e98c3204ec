//! The child's side: read a component, give everything up, compile it, answer.

use std::io::{Read, Write};
use std::process::ExitCode;

use wasmtime::Engine;

use super::protocol::{Answer, Facts, encode};
use super::{MAX_COMPONENT_BYTES, confine};
use crate::engine::{Pooling, Profile, engine_config};
use crate::reflect::Docs;

/// Runs the compile worker: the whole life of the child process.
///
/// Reads a component from standard input and writes the answer to standard output. `profile` is the engine profile's
/// name. An embedder calls this first thing in a process of its own, before any thread is started.
///
/// # Errors
///
/// The exit code is not zero where the worker itself could not run; a component that is refused is an answer.
pub fn compile_worker(profile: &str) -> ExitCode {
    match serve(profile) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(profile: &str) -> Result<(), String> {
    confine::end_with_parent()?;
    let profile = Profile::from_name(profile).ok_or_else(|| format!("unknown profile `{profile}`"))?;
    // The pools are the parent's; code is the same without them.
    let engine = Engine::new(&engine_config(profile, Pooling::OnDemand)).map_err(|e| format!("{e:#}"))?;
    let mut component = Vec::new();
    std::io::stdin()
        .take(MAX_COMPONENT_BYTES as u64 + 1)
        .read_to_end(&mut component)
        .map_err(|e| format!("reading the component: {e}"))?;
    confine::give_up_everything().map_err(|e| format!("confining the worker: {e}"))?;
    let answer = match compile(&engine, &component) {
        Ok((facts, code)) => encode(&Answer::Compiled(facts), &code),
        Err(refused) => encode(&refused, &[]),
    };
    std::io::stdout().write_all(&answer).map_err(|e| format!("writing the answer: {e}"))
}

fn compile(engine: &Engine, component: &[u8]) -> Result<(Facts, Vec<u8>), Answer> {
    let code = engine.precompile_component(component).map_err(|e| Answer::Invalid(format!("{e:#}")))?;
    Ok((Facts { docs: Docs::read(component) }, code))
}
