//! Components that were not written for this host: their exported functions are their tools.

use bytes::Bytes;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Val};

use super::describing::{trapped, weighed};
use crate::call::{Call, CallState, Stop, cause};
use crate::compile::Facts;
use crate::error::LoadError;
use crate::info::ToolInfo;
use crate::outcome::{CallError, Content, ToolOutput};
use crate::reflect::{self, CommandInput, Entry, Export, Failure, Reflection, ResultError, Returned, Signature};
use toolcrib_policy::LimitName;

/// A component and how its functions are called.
pub(crate) struct Reflected {
    pre: InstancePre<CallState>,
    functions: Vec<(Export, ComponentExportIndex)>,
}

impl Reflected {
    /// Reads the exports of a component: its tools, and what is none, each as `path: why`.
    pub(crate) fn new(
        component: &Component,
        pre: InstancePre<CallState>,
        facts: &Facts,
    ) -> Result<(Self, Vec<ToolInfo>, Vec<String>), LoadError> {
        let engine = component.engine();
        let ty = component.component_type();
        let rejected = |e: reflect::ReflectError| LoadError::Rejected(e.to_string());
        let reflection = Reflection::of(engine, &ty).map_err(rejected)?;
        let descriptions = reflect::describe(engine, &ty, &reflection, &facts.docs);
        let info = |(export, described): (&Export, reflect::Description)| ToolInfo {
            name: export.name.clone(),
            title: Some(described.title),
            description: described.text,
            input_schema: described.input_schema,
            output_schema: described.output_schema,
            effect: None,
            open_world: false,
        };
        let tools = reflection.tools.iter().zip(descriptions).map(info).collect();
        let skipped = reflection.skipped.iter().map(|(path, why)| format!("{path}: {why}")).collect();
        let functions = reflection
            .tools
            .into_iter()
            .filter_map(|export| export.path.index(component).map(|index| (export, index)))
            .collect();
        Ok((Reflected { pre, functions }, tools, skipped))
    }

    /// Calls a function; gives the result and its size in bytes.
    pub(crate) async fn call(&self, store: &mut Store<CallState>, call: &Call) -> Result<(ToolOutput, u64), CallError> {
        let found = self.functions.iter().find(|(export, _)| export.name == call.tool);
        let (export, index) = found.ok_or_else(|| self.no_such_tool(&call.tool))?;
        let (signature, arguments) = match &export.entry {
            Entry::Function(signature) => {
                let arguments = signature.arguments(&call.arguments);
                (signature, arguments.map_err(|e| CallError::invalid_arguments(e.to_string()))?)
            }
            Entry::Command(signature) => {
                let input = CommandInput::read(&call.arguments);
                command_input(store, input.map_err(|e| CallError::invalid_arguments(e.to_string()))?);
                (signature, Vec::new())
            }
        };
        let returned = self.run(store, *index, signature, &arguments).await;
        match &export.entry {
            Entry::Function(_) => finished(returned?, store),
            // A program that ends itself and says that all went well has done what it should.
            Entry::Command(_) if store.data().record.stopped() == Some(Stop::Exit(0)) => {
                command_finished(Returned::Ok(None), store)
            }
            Entry::Command(_) => command_finished(returned?, store),
        }
    }

    async fn run(
        &self,
        store: &mut Store<CallState>,
        index: ComponentExportIndex,
        signature: &Signature,
        arguments: &[Val],
    ) -> Result<Returned, CallError> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(|e| trapped(store, &e))?;
        store.data_mut().limiter.instantiated();
        let gone = || CallError::new("engine", "the function is not where it was when the component was read");
        let function = instance.get_func(&mut *store, index).ok_or_else(gone)?;
        let mut results = signature.result_slots();
        let called = function.call_async(&mut *store, arguments, &mut results).await;
        called.map_err(|e| trapped(store, &e))?;
        let limits = &store.data().authority.limits;
        signature.returned(results, limits.result.get()).map_err(|error| match error {
            ResultError::TooLarge { .. } => CallError::new(LimitName::ResultBytes.code(), error.to_string()),
            other => CallError::new("result-invalid", other.to_string()),
        })
    }

    fn no_such_tool(&self, name: &str) -> CallError {
        let names: Vec<&str> = self.functions.iter().map(|(export, _)| export.name.as_str()).collect();
        CallError::new(
            "no-such-tool",
            format!("there is no tool `{}` here; there is {}", name.escape_debug(), names.join(", ")),
        )
    }
}

fn command_input(store: &mut Store<CallState>, input: CommandInput) {
    let capabilities = &mut store.data_mut().capabilities;
    capabilities.env.arguments = input.args;
    capabilities.streams.stdin = Bytes::from(input.stdin);
}

/// A function's own result.
fn finished(returned: Returned, store: &Store<CallState>) -> Result<(ToolOutput, u64), CallError> {
    match returned {
        Returned::Ok(value) => {
            let bytes = value.as_ref().map_or(0, |value| value.to_string().len()) as u64;
            Ok((ToolOutput { content: Vec::new(), structured: value }, bytes))
        }
        Returned::Err(failure) => {
            let said = if failure.data.is_null() { String::new() } else { failure.message.clone() };
            Err(weighed(failed(failure), &said, store))
        }
    }
}

/// A command's result is what it printed.
fn command_finished(returned: Returned, store: &Store<CallState>) -> Result<(ToolOutput, u64), CallError> {
    let streams = &store.data().capabilities.streams;
    let printed = streams.stdout.peek();
    match returned {
        Returned::Ok(_) => {
            let bytes = printed.len() as u64;
            let structured = serde_json::json!({ "stdout": printed, "stderr": streams.stderr.peek() });
            let content = vec![Content::Text { text: printed }];
            Ok((ToolOutput { content, structured: Some(structured) }, bytes))
        }
        Returned::Err(_) => {
            let cause = cause(&streams.stderr.peek());
            let cause = cause.as_deref().unwrap_or("it said nothing");
            let error = CallError::new("failed", format!("the program ended with an error: {cause}"));
            Err(weighed(error, "", store))
        }
    }
}

/// The case of a function's error is kept in the detail; the code is one of the contract's where it has that name.
fn failed(failure: Failure) -> CallError {
    const KINDS: &[&str] = &["invalid-arguments", "denied", "not-found", "needs-auth", "rate-limited", "unavailable"];
    let code = failure.case.as_deref().and_then(|case| KINDS.iter().find(|kind| **kind == case)).unwrap_or(&"failed");
    CallError::new(code, failure.message).with_detail(failure.data.to_string())
}
