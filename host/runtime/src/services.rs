//! What a call may ask of the crib around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_model::{Message, Meter, Request};
use toolcrib_policy::{Authority, IdempotencyKey, Label, Labels, ToolName};
use toolcrib_sandbox::{CallError, CallReport, CancellationToken, Completed, Completion, Services};

use crate::call::{Asked, Caller};
use crate::crib::Crib;

/// Calls inside calls. Deeper ones are refused: a chain this long is a loop.
const MAX_DEPTH: u8 = 4;

/// The crib, as one call sees it.
pub(crate) struct CallServices {
    pub(crate) crib: Crib,
    pub(crate) authority: Arc<Authority>,
    pub(crate) caller: Caller,
    pub(crate) cancel: CancellationToken,
    pub(crate) depth: u8,
    pub(crate) key: Option<IdempotencyKey>,
    /// How many calls it has made so far.
    pub(crate) inner: AtomicU64,
}

#[async_trait]
impl Services for CallServices {
    fn progress(&self, done: u64, total: Option<u64>, message: &str) {
        if let Some(progress) = &self.caller.progress {
            progress(done, total, message);
        }
    }

    /// An inner call has no more authority than the caller, and ends with it.
    async fn call_tool(&self, tool: &ToolName, arguments: Value) -> CallReport {
        if self.depth >= MAX_DEPTH {
            let why = format!("`{tool}` was not called: calls nest at most {MAX_DEPTH} deep");
            return CallReport::not_made(CallError::new("denied", why));
        }
        if !self.caller.may_call(tool) {
            let why = format!("`{tool}` was not called: it is none of the tools of the agent");
            return CallReport::not_made(CallError::new("denied", why));
        }
        let name = tool.to_string();
        // Whatever the program has received may be in what it passes on.
        let labels = labels_of(&arguments);
        let asked = Asked {
            tool: &name,
            arguments,
            labels,
            under: Label::TRUSTED,
            approval: None,
            delegated: Some(&self.authority),
            depth: self.depth + 1,
            wall_ms: None,
            key: self.key.as_ref().map(|key| key.of_inner(self.inner.fetch_add(1, Ordering::Relaxed))),
        };
        let inner = self.crib.call_inside(asked, self.caller.clone(), self.cancel.child_token());
        inner.await.unwrap_or_else(|error| CallReport::not_made(CallError::new(error.code(), error.to_string())))
    }

    async fn ask(&self, question: &str, choices: &[String]) -> Option<String> {
        let person = self.caller.person.as_ref()?;
        let question =
            toolcrib_agent::Question { choices: choices.to_vec(), ..toolcrib_agent::Question::open(question) };
        person.ask(&question).await
    }

    async fn complete(&self, request: Completion) -> Result<Completed, String> {
        let models = self.caller.models.as_ref().ok_or("no model is configured")?;
        let meter: &dyn Meter = self.caller.meter.as_deref().unwrap_or(&());
        let request = Request {
            system: request.system,
            messages: vec![Message::user(request.prompt)],
            max_tokens: Some(request.max_tokens),
            ..Request::default()
        };
        let answered = models.ask(meter, |_| request.clone()).await.map_err(|none| none.to_string())?;
        let response = answered.response;
        Ok(Completed {
            text: response.text.unwrap_or_default(),
            input_tokens: response.usage.input,
            output_tokens: response.usage.output,
        })
    }
}

fn labels_of(arguments: &Value) -> Labels {
    let names = arguments.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    names.map(|name| (name, Label::UNKNOWN)).collect()
}
