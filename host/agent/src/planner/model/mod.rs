//! The planner that asks a language model.
//!
//! ```text
//! goal + what was done ─► messages ─┐                    ┌─► tool calls ─► steps, then asked again
//! tools ─► functions ────────────────├─► model ─► reply ─┼─► propose_plan ─► a tree
//! propose_plan, search_tools, … ─────┘                    ├─► search_tools, recall ─► looked up, then asked again
//!                                                         ├─► ask_person, give_up
//!                                                         └─► text ─► the answer
//! ```
//!
//! A model that always answers with one call makes a reason-act loop; one that proposes a tree plans hierarchically. What
//! tools returned is handed over as data, fenced and capped, and never becomes part of the instructions.

mod functions;
mod history;
mod prompt;
mod reply;
mod situation;
mod view;

use std::sync::Arc;

use async_trait::async_trait;
use toolcrib_model::{Model, ModelError, Usage};

use super::{PlanContext, Planned, Planner, PlannerError};

pub use view::{ModelView, tokens};

/// A planner over a language model.
pub struct ModelPlanner {
    model: Arc<dyn Model>,
    view: ModelView,
}

impl ModelPlanner {
    /// Plans with `model`, to which so much is shown at once.
    pub fn new(model: Arc<dyn Model>, view: ModelView) -> Self {
        let view = ModelView { context: view.context.max(ModelView::CONTEXT_MIN), ..view };
        Self { model, view }
    }
}

#[async_trait]
impl Planner for ModelPlanner {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let offer = functions::offer(context, &self.view);
        let request = prompt::request(context, &self.view, &offer);
        let shown = tokens(&request);
        tracing::debug!(node = %context.node, tokens = shown, most = self.view.context, "the model is asked");
        let response = self.model.complete(&request, &mut |_| {}).await.map_err(unavailable)?;
        let usage = counted(response.usage, shown);
        let note = response.text.clone().filter(|_| !response.tool_calls.is_empty()).unwrap_or_default();
        match reply::read(response, &offer.own) {
            Ok(proposal) => Ok(Planned { proposal, usage, note: note.chars().take(500).collect() }),
            Err(faults) => Err(PlannerError::Unusable { faults, usage }),
        }
    }
}

/// What an answer cost. A model that does not say what it read is counted by the estimate, so that a budget of tokens holds
/// for it too.
fn counted(usage: Usage, shown: u64) -> Usage {
    if usage.input == 0 { Usage { input: shown, ..usage } } else { usage }
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
