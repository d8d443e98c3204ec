//! One program in one engine, from the code to the value.

use std::rc::Rc;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::context::HostHooks;
use boa_engine::object::builtins::JsPromise;
use boa_engine::property::Attribute;
use boa_engine::{Context, JsResult, JsValue, js_string};
use serde_json::Value;
use toolcrib_sdk::ToolError;

use crate::console::Console;
use crate::failure::Failure;
use crate::jobs::Loop;
use crate::program::Program;
use crate::{calls, console, convert, timers};

/// How many calls may be open. One that goes through the engine, as from `map` or `sort`, counts twice and takes up to 2 KiB
/// of the stack, which has 1 MiB.
const RECURSION_MAX: usize = 1000;
/// How many values those calls may hold.
const VALUES_MAX: usize = 1 << 20;
/// The largest buffer, in bytes.
const BUFFER_MAX: u64 = 64 * 1024 * 1024;

/// What the engine asks of its surroundings.
struct Hooks;

impl HostHooks for Hooks {
    /// Programs give the same result everywhere.
    fn local_timezone_offset_seconds(&self, _: i64) -> i32 {
        0
    }

    fn max_buffer_size(&self, _: &mut Context) -> u64 {
        BUFFER_MAX
    }
}

/// Runs a program; gives back its value and what it printed.
pub(crate) fn run(code: &str, input: &Value) -> Result<(Value, Vec<String>), ToolError> {
    let program = Program::read(code)?;
    let mut context = engine().map_err(|error| ToolError::failed(format!("the engine did not start: {error}")))?;
    let result = evaluate(&program, input, &mut context);
    let result = result.map_err(|failure| failure.told(&program, &mut context));
    let stdout = context.get_data::<Console>().map(Console::lines).unwrap_or_default();
    // The instance ends with the call: nothing is gained by taking the heap apart first.
    if cfg!(target_family = "wasm") {
        std::mem::forget(context);
    }
    match result {
        Ok(value) => Ok((value, stdout)),
        Err(message) => Err(ToolError::failed(with_output(message, &stdout))),
    }
}

fn engine() -> JsResult<Context> {
    let jobs = Rc::new(Loop::default());
    let builder = Context::builder().host_hooks(Rc::new(Hooks)).clock(Rc::clone(&jobs)).job_executor(jobs);
    let mut context = builder.build()?;
    let limits = context.runtime_limits_mut();
    limits.set_recursion_limit(RECURSION_MAX);
    limits.set_stack_size_limit(VALUES_MAX);
    console::install(&mut context)?;
    timers::install(&mut context)?;
    calls::install(&mut context)?;
    Ok(context)
}

fn evaluate(program: &Program, input: &Value, context: &mut Context) -> Result<Value, Failure> {
    let input = JsValue::from_json(input, context)?;
    context.register_global_property(js_string!("input"), input, Attribute::all())?;
    let value = context.eval(program.source())?;
    context.run_jobs()?;
    let value = settled(value)?;
    convert::to_json(&value, context)
}

/// What a promise promised.
fn settled(value: JsValue) -> Result<JsValue, Failure> {
    let Some(promise) = value.as_object().and_then(|object| JsPromise::from_object(object).ok()) else {
        return Ok(value);
    };
    match promise.state() {
        PromiseState::Fulfilled(value) => Ok(value),
        PromiseState::Rejected(reason) => Err(boa_engine::JsError::from_opaque(reason).into()),
        PromiseState::Pending => Err(Failure::Forever),
    }
}

/// The message with the end of what was printed: often the way to the mistake.
fn with_output(message: String, stdout: &[String]) -> String {
    const SHOWN: usize = 10;
    if stdout.is_empty() {
        return message;
    }
    let last = &stdout[stdout.len().saturating_sub(SHOWN)..];
    let shown: String = last.join("\n").chars().take(1000).collect();
    format!("{message}\nprinted before:\n{shown}")
}
