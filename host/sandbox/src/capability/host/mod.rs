//! `toolcrib:host`: progress, other tools, a question to a person, a completion. The process that runs the call does
//! the work; here is the check of the grant.

use std::fmt::Display;
use std::sync::Arc;

use serde_json::Value;
use toolcrib_policy::{Authority, IdempotencyKey, ToolName};
use wasmtime::component::{HasData, Linker};

use super::{Capability, Setup};
use crate::bindings::host::toolcrib::host::{ask, call, model, progress, tools};
use crate::call::{CallState, Record};
use crate::outcome::CallReport;
use crate::plugin::contract;
use crate::receipt::Used;
use crate::services::{Completion, Services};

use super::streams::StreamsState;

/// How a grant that has no more to say stands in the operator's file.
const SWITCH: &str = "true";

pub(crate) struct Host;

impl HasData for Host {
    type Data<'a> = HostView<'a>;
}

impl Capability for Host {
    const NAME: &'static str = "host";
    const INTERFACES: &'static [&'static str] = &[
        "toolcrib:host/call",
        "toolcrib:host/progress",
        "toolcrib:host/tools",
        "toolcrib:host/ask",
        "toolcrib:host/model",
        // Types only: the records of a tool's result.
        "toolcrib:tool/types",
    ];
    const REACHING: &'static [&'static str] = &["toolcrib:host/tools", "toolcrib:host/ask", "toolcrib:host/model"];
    const REACH: Option<&'static str> =
        Some("it could call other tools, ask a person, or ask the language model, each where granted");
    type State = ();

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        call::add_to_linker::<CallState, Host>(linker, view)?;
        progress::add_to_linker::<CallState, Host>(linker, view)?;
        tools::add_to_linker::<CallState, Host>(linker, view)?;
        ask::add_to_linker::<CallState, Host>(linker, view)?;
        model::add_to_linker::<CallState, Host>(linker, view)
    }

    fn prepare(_setup: &Setup<'_>) {}
}

fn view(state: &mut CallState) -> HostView<'_> {
    HostView {
        authority: &state.authority,
        record: &state.record,
        services: &state.services,
        key: state.key.as_ref(),
        streams: &state.capabilities.streams,
    }
}

pub(crate) struct HostView<'a> {
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
    services: &'a Arc<dyn Services>,
    key: Option<&'a IdempotencyKey>,
    streams: &'a StreamsState,
}

impl HostView<'_> {
    fn charge(&self, bytes: usize) -> wasmtime::Result<()> {
        self.record.charge(bytes, &self.authority.limits)
    }
}

impl call::Host for HostView<'_> {
    fn idempotency_key(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.key.map(ToString::to_string))
    }
}

impl progress::Host for HostView<'_> {
    fn report(&mut self, done: u64, total: Option<u64>, message: String) -> wasmtime::Result<()> {
        self.charge(message.len())?;
        let of = total.map(|t| format!("/{t}")).unwrap_or_default();
        self.streams.log.write(format!("progress {done}{of} {message}\n").as_bytes());
        self.services.progress(done, total, &message);
        Ok(())
    }
}

impl tools::Host for HostView<'_> {
    async fn call(&mut self, tool: String, arguments: String) -> wasmtime::Result<Result<tools::Output, tools::Error>> {
        self.charge(tool.len() + arguments.len())?;
        self.record.calling(&self.authority.limits)?;
        let name: ToolName = match tool.parse() {
            Ok(name) => name,
            Err(error) => return Ok(Err(contract::invalid_arguments(format!("`{tool}`: {error}")))),
        };
        if let Err(refusal) = self.authority.tool(&name) {
            self.record.refused("tools", "call", &tool, &refusal);
            return Ok(Err(contract::denied(refusal.to_string())));
        }
        let arguments: Value = match serde_json::from_str(&arguments) {
            Ok(value) => value,
            Err(error) => return Ok(Err(contract::invalid_arguments(format!("arguments of `{tool}`: {error}")))),
        };
        let granted = self.authority.tools.iter().find(|pattern| pattern.matches(&name));
        let used = Used { by: granted.map(|line| line as &(dyn Display + Sync)), ..Used::now("tools", "call", &tool) };
        // Listed first: a call that is cut off here was made all the same.
        self.record.call_begins(&used);
        let CallReport { outcome, receipt } = self.services.call_tool(&name, arguments).await;
        self.record.came(&used, None);
        self.record.called(&tool, used.began, &outcome, receipt);
        Ok(match outcome {
            Ok(output) => Ok(contract::output_to_guest(output)),
            Err(error) => Err(contract::error_to_guest(error)),
        })
    }
}

impl ask::Host for HostView<'_> {
    async fn text(
        &mut self,
        question: String,
        choices: Vec<String>,
    ) -> wasmtime::Result<Result<String, ask::AskError>> {
        self.charge(question.len() + choices.iter().map(String::len).sum::<usize>())?;
        if let Err(refusal) = self.authority.ask() {
            self.record.refused("ask", "ask", "person", &refusal);
            return Ok(Err(ask::AskError::Denied(refusal.to_string())));
        }
        let used = Used::now("ask", "ask", "person").by(&SWITCH);
        self.record.allowed(&used, false);
        let answer = self.services.ask(&question, &choices).await;
        self.record.came(&used, answer.is_none().then_some("unattended"));
        Ok(answer.filter(|a| choices.is_empty() || choices.contains(a)).ok_or(ask::AskError::Unattended))
    }
}

impl model::Host for HostView<'_> {
    async fn complete(
        &mut self,
        request: model::Request,
    ) -> wasmtime::Result<Result<model::Completion, model::ModelError>> {
        self.charge(request.prompt.len() + request.system.as_ref().map_or(0, String::len))?;
        if let Err(refusal) = self.authority.model() {
            self.record.refused("model", "complete", "model", &refusal);
            return Ok(Err(model::ModelError::Denied(refusal.to_string())));
        }
        let used = Used::now("model", "complete", "model").by(&SWITCH);
        self.record.allowed(&used, false);
        let request = Completion { system: request.system, prompt: request.prompt, max_tokens: request.max_tokens };
        let done = self.services.complete(request).await;
        self.record.came(&used, done.is_err().then_some("unavailable"));
        Ok(match done {
            Ok(done) => Ok(model::Completion {
                text: done.text,
                input_tokens: done.input_tokens,
                output_tokens: done.output_tokens,
            }),
            Err(why) => Err(model::ModelError::Unavailable(why)),
        })
    }
}
