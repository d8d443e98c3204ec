//! The planner that asks a language model.
//!
//! ```text
//! goal + what was done ─► messages ─┐                    ┌─► tool calls ─► steps, then asked again
//! tools found by search ─► functions ├─► model ─► reply ─┼─► propose_plan ─► a tree
//! propose_plan, ask_person, give_up ─┘                    ├─► ask_person, give_up
//!                                                         └─► text ─► the answer
//! ```
//!
//! A model that always answers with one call makes a reason-act loop; one that proposes a tree plans hierarchically. What
//! tools returned is handed over as data, fenced and capped, and never becomes part of the instructions.

mod prompt;
mod reply;
mod situation;

use std::sync::Arc;

use async_trait::async_trait;
use toolcrib_model::{Model, ModelError, Request, ToolChoice, Usage};

use super::{PlanContext, Planned, Planner, PlannerError};

/// The most tokens of one answer.
const MAX_TOKENS: u32 = 8_192;

/// A planner over a language model.
pub struct ModelPlanner {
    model: Arc<dyn Model>,
}

impl ModelPlanner {
    /// Plans with `model`.
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self { model }
    }
}

#[async_trait]
impl Planner for ModelPlanner {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let request = Request {
            system: Some(prompt::SYSTEM.to_owned()),
            messages: prompt::messages(context),
            tools: prompt::functions(context),
            tool_choice: ToolChoice::Auto,
            max_tokens: Some(MAX_TOKENS),
            ..Request::default()
        };
        let response = self.model.complete(&request, &mut |_| {}).await.map_err(unavailable)?;
        let usage = response.usage;
        let note = response.text.clone().filter(|_| !response.tool_calls.is_empty()).unwrap_or_default();
        match reply::read(response) {
            Ok(proposal) => Ok(Planned { proposal, usage, note: note.chars().take(500).collect() }),
            Err(faults) => Err(PlannerError::Unusable { faults, usage }),
        }
    }
}

/// An answer that makes no sense may be repaired; a model that does not answer was already tried again.
fn unavailable(error: ModelError) -> PlannerError {
    let usage = Usage::default();
    match error {
        ModelError::Empty { .. } | ModelError::Malformed { .. } => {
            PlannerError::Unusable { faults: vec![error.to_string()], usage }
        }
        other => PlannerError::Unavailable { why: other.to_string(), usage },
    }
}

#[cfg(test)]
mod tests;
