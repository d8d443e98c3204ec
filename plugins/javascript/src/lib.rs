//! A tool that runs JavaScript.
//!
//! ```text
//! code ─► program (script, or body of an async function) ─► engine ─► convert ─► value
//! input ─► convert ─► global `input` ────────────────────────┤├─► console ─► stdout
//!                                                            │├─► calls (other tools, where granted)
//!                                                            └┴─► jobs (promises, timers)
//! ```
//!
//! The engine is inside of the component. Code can compute, and call the tools that the operator granted; without a grant,
//! computing is all it can do.
//! How long and with how much memory is the host's to bound; here only recursion is, so that it ends in an error with a
//! place and not in a crash.

use serde_json::Value;
use toolcrib_sdk::{ToolError, plugin, tool, value};

mod engine;

mod program;

mod calls;
mod console;
mod jobs;
mod timers;

mod convert;
mod failure;

/// What came of a program.
#[value(output)]
struct Ran {
    /// The value, as JSON: that of `return`, or else of the last expression.
    value: Value,
    /// What `console` wrote, line by line.
    stdout: Vec<String>,
}

/// Runs JavaScript and gives back the value of the last expression, or of `return`, and what `console.log` wrote.
///
/// The argument `input` is the global variable `input`. `await` works at the top, and a promise as the value is waited
/// for. Timers fire in order, without waiting. There are no modules, files or network, and no page.
///
/// Where it is granted, `await tools.call("plugin.tool", arguments)`, or `await tools.plugin.tool(arguments)`, calls another
/// tool and gives its result. A failure is thrown as a `ToolError` with `code`, `effect` and `tool`.
///
/// The value becomes JSON as `JSON.stringify` does it; a `Map` becomes an object, a `Set` an array, a `BigInt` a string.
#[tool(effect = read, title = "Run JavaScript")]
fn run(
    /// The program.
    code: &str,
    /// Any JSON for the program to work on: its variable `input`, `null` where absent.
    input: Option<Value>,
) -> Result<Ran, ToolError> {
    let (value, stdout) = engine::run(code, &input.unwrap_or_default())?;
    Ok(Ran { value, stdout })
}

plugin!(run);

#[cfg(test)]
mod tests;
