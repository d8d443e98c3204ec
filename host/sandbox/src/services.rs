//! What a call may ask of the process that it runs in, beyond the capabilities: the other side of `toolcrib:host`.

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_policy::ToolName;

use crate::outcome::{CallError, CallReport};

/// The host's side of `toolcrib:host`. Grants are checked before any of these is called.
#[async_trait]
pub trait Services: Send + Sync {
    /// The tool reports how far it is. `total` is absent where it does not know.
    fn progress(&self, done: u64, total: Option<u64>, message: &str);

    /// The tool calls another tool. The report's receipt becomes a part of the caller's.
    async fn call_tool(&self, tool: &ToolName, arguments: Value) -> CallReport;

    /// The tool asks the person who started the run. `None`: nobody can be asked.
    async fn ask(&self, question: &str, choices: &[String]) -> Option<String>;

    /// The tool asks the language model. `Err` says why there is no completion.
    async fn complete(&self, request: Completion) -> Result<Completed, String>;
}

/// What a tool asks of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The system prompt.
    pub system: Option<String>,
    /// The user's message.
    pub prompt: String,
    /// The most tokens that may come back.
    pub max_tokens: u32,
}

/// What the model said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The text.
    pub text: String,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// A process in which a tool is on its own: nobody watches, answers, or completes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

#[async_trait]
impl Services for Alone {
    fn progress(&self, _done: u64, _total: Option<u64>, _message: &str) {}

    async fn call_tool(&self, tool: &ToolName, _arguments: Value) -> CallReport {
        let why = format!("`{tool}` cannot be called: this call runs outside a run");
        CallReport::not_made(CallError::unavailable(why))
    }

    async fn ask(&self, _question: &str, _choices: &[String]) -> Option<String> {
        None
    }

    async fn complete(&self, _request: Completion) -> Result<Completed, String> {
        Err("no model is configured".to_owned())
    }
}
