//! Environment, arguments, exit, and `wasi:config`: names and values that the operator granted, and no others.

use std::sync::Arc;

use toolcrib_policy::Authority;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::p2::bindings::cli::{environment, exit};

use super::{Capability, Setup};
use crate::bindings::config::wasi::config::store;
use crate::call::{CallState, Record, Stop};
use crate::receipt::Used;

pub(crate) struct Env;

impl HasData for Env {
    type Data<'a> = EnvView<'a>;
}

/// The environment of one call.
pub(crate) struct EnvState {
    /// Values of variables. Which of them are shown is the authority's word.
    values: Arc<[(String, String)]>,
    /// Arguments of a command, without the name of the program.
    pub(crate) arguments: Vec<String>,
}

impl Capability for Env {
    const NAME: &'static str = "env";
    const INTERFACES: &'static [&'static str] = &["wasi:cli/environment", "wasi:cli/exit", "wasi:config/store"];
    const REACHING: &'static [&'static str] = &["wasi:cli/environment", "wasi:config/store"];
    const REACH: Option<&'static str> = Some("it could read environment variables and settings, each by its name");
    type State = EnvState;

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        environment::add_to_linker::<CallState, Env>(linker, view)?;
        exit::add_to_linker::<CallState, Env>(linker, view)?;
        store::add_to_linker::<CallState, Env>(linker, view)
    }

    fn prepare(setup: &Setup<'_>) -> EnvState {
        EnvState { values: setup.environment.clone(), arguments: Vec::new() }
    }
}

fn view(state: &mut CallState) -> EnvView<'_> {
    EnvView { authority: &state.authority, record: &state.record, state: &state.capabilities.env }
}

pub(crate) struct EnvView<'a> {
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
    state: &'a EnvState,
}

impl environment::Host for EnvView<'_> {
    /// The granted names that are set. Each is listed: whatever the guest looks at, it was handed the value.
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let granted = |(name, _): &&(String, String)| self.authority.env.contains(name);
        let shown: Vec<_> = self.state.values.iter().filter(granted).cloned().collect();
        for (name, _) in &shown {
            self.record.allowed(&Used::now("env", "read", name).by(name), false);
        }
        Ok(shown)
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        let program = std::iter::once(self.authority.plugin().to_string());
        Ok(program.chain(self.state.arguments.iter().cloned()).collect())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for EnvView<'_> {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        Err(self.record.stop(Stop::Exit(u8::from(status.is_err()))))
    }

    fn exit_with_code(&mut self, status_code: u8) -> wasmtime::Result<()> {
        Err(self.record.stop(Stop::Exit(status_code)))
    }
}

impl store::Host for EnvView<'_> {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, store::Error>> {
        self.record.charge(key.len(), &self.authority.limits)?;
        match self.authority.config(&key) {
            Ok(value) => {
                self.record.allowed(&Used::now("config", "read", &key).by(&key), false);
                Ok(Ok(value.map(str::to_owned)))
            }
            Err(refusal) => {
                self.record.refused("config", "read", &key, &refusal);
                Ok(Err(store::Error::Upstream(refusal.to_string())))
            }
        }
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, store::Error>> {
        let all: Vec<_> = self.authority.config.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        self.record.allowed(&Used::now("config", "read", "*"), false);
        Ok(Ok(all))
    }
}
