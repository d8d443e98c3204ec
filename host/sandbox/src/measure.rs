//! Anchors for benches: what the same guest costs on the same engine without the host around it.

use wasmparser::{Parser, Payload};
use wasmtime::{Config, Engine, InstancePre, Linker, Module, OptLevel, Store, TypedFunc};

use crate::call::{self, Call};
use crate::engine::Profile;
use crate::outcome::CallError;
use crate::plugin::Plugin;
use crate::sandbox::Sandbox;

/// Why an anchor could not be made or run.
#[derive(Debug, thiserror::Error)]
#[error("the anchor failed: {0}")]
pub struct AnchorError(String);

fn failed(error: impl std::fmt::Display) -> AnchorError {
    AnchorError(error.to_string())
}

/// Anchor A: the core module inside a describing component, on the sandbox's own tuned engine, with no limits but the
/// engine's, no component around it and no host functions behind it.
pub struct RawModule {
    engine: Engine,
    pre: InstancePre<()>,
}

impl RawModule {
    /// Takes the largest core module out of a component.
    ///
    /// # Errors
    ///
    /// The bytes are no component with a core module.
    pub fn of(sandbox: &Sandbox, component: &[u8]) -> Result<Self, AnchorError> {
        let engine = sandbox.engine(Profile::Small).map_err(failed)?.clone();
        let bytes = largest_module(component)?;
        let module = Module::new(&engine, bytes).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&module).map_err(failed)?;
        let pre = linker.instantiate_pre(&module).map_err(failed)?;
        Ok(RawModule { engine, pre })
    }

    /// One call of `call-tool` through the canonical ABI by hand: instantiate, copy the arguments in, call, read the
    /// length of the result.
    ///
    /// # Errors
    ///
    /// The guest trapped or has no such export.
    pub async fn call(&self, tool: &str, arguments: &str) -> Result<u32, AnchorError> {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(u64::MAX / 2).map_err(failed)?;
        let instance = self.pre.instantiate_async(&mut store).await.map_err(failed)?;
        let missing = |what: &str| AnchorError(format!("the module has no `{what}`"));
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| missing("memory"))?;
        if let Ok(start) = instance.get_typed_func::<(), ()>(&mut store, "_initialize") {
            start.call_async(&mut store, ()).await.map_err(failed)?;
        }
        let realloc: TypedFunc<(u32, u32, u32, u32), u32> =
            instance.get_typed_func(&mut store, "cabi_realloc").map_err(failed)?;
        let mut placed = [0; 2];
        for (place, text) in placed.iter_mut().zip([tool, arguments]) {
            let len = u32::try_from(text.len()).map_err(failed)?;
            *place = realloc.call_async(&mut store, (0, 0, 1, len)).await.map_err(failed)?;
            memory.write(&mut store, *place as usize, text.as_bytes()).map_err(failed)?;
        }
        let call: TypedFunc<(u32, u32, u32, u32), u32> =
            instance.get_typed_func(&mut store, "toolcrib:tool/tools@0.1.0#call-tool").map_err(failed)?;
        let lengths = [tool.len() as u32, arguments.len() as u32];
        let result =
            call.call_async(&mut store, (placed[0], lengths[0], placed[1], lengths[1])).await.map_err(failed)?;
        Ok(result)
    }
}

fn largest_module(component: &[u8]) -> Result<&[u8], AnchorError> {
    let mut largest: &[u8] = &[];
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ModuleSection { unchecked_range, .. } = payload.map_err(failed)? {
            let module = component.get(unchecked_range).unwrap_or_default();
            if module.len() > largest.len() {
                largest = module;
            }
        }
    }
    if largest.is_empty() { Err(AnchorError("there is no core module in it".to_owned())) } else { Ok(largest) }
}

/// The engine's part of a call with every limit on: no JSON, no receipt. Gives the size of the result.
///
/// # Errors
///
/// The call failed.
pub async fn engine_path(sandbox: &Sandbox, plugin: &Plugin, call: &Call, arguments: &str) -> Result<u64, CallError> {
    let engine = sandbox.engine(plugin.profile).map_err(|e| CallError::new("engine", e.to_string()))?;
    call::engine_path(engine, &plugin.template, sandbox.network(), call, arguments).await
}

/// How guest code is metered, for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metering {
    /// Not at all.
    None,
    /// Fuel, as in the sandbox.
    Fuel,
    /// Epochs.
    Epochs,
}

/// A tight loop under one way of metering.
pub struct TightLoop {
    engine: Engine,
    pre: InstancePre<()>,
    metering: Metering,
}

impl TightLoop {
    /// Compiles a loop of integer arithmetic and memory accesses. `wat` is its text.
    ///
    /// # Errors
    ///
    /// The text is no module.
    pub fn new(metering: Metering, module: &[u8]) -> Result<Self, AnchorError> {
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .cranelift_opt_level(OptLevel::Speed)
            .consume_fuel(metering == Metering::Fuel)
            .epoch_interruption(metering == Metering::Epochs);
        let engine = Engine::new(&config).map_err(failed)?;
        let module = Module::new(&engine, module).map_err(failed)?;
        let pre = Linker::new(&engine).instantiate_pre(&module).map_err(failed)?;
        Ok(TightLoop { engine, pre, metering })
    }

    /// Runs the exported `run` with a number of rounds.
    ///
    /// # Errors
    ///
    /// The guest trapped.
    pub fn run(&self, rounds: u32) -> Result<u32, AnchorError> {
        let mut store = Store::new(&self.engine, ());
        match self.metering {
            Metering::None => {}
            Metering::Fuel => store.set_fuel(u64::MAX / 2).map_err(failed)?,
            Metering::Epochs => store.set_epoch_deadline(u64::MAX / 2),
        }
        let instance = self.pre.instantiate(&mut store).map_err(failed)?;
        let run = instance.get_typed_func::<u32, u32>(&mut store, "run").map_err(failed)?;
        run.call(&mut store, rounds).map_err(failed)
    }
}
