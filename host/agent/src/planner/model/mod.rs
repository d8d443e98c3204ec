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
use crate::{Answered, Chain, NoAnswer};

pub(crate) use prompt::fenced;
pub use view::{ModelView, tokens};

/// The part of a small context that an answer may take.
const ANSWER_SHARE: u64 = 4;

/// A planner over a language model, and those that stand in for it.
pub struct ModelPlanner {
    chain: Arc<Chain>,
    view: ModelView,
}

impl ModelPlanner {
    /// Plans with `model`, to which so much is shown at once.
    pub fn new(model: Arc<dyn Model>, view: ModelView) -> Self {
        Self::over(Chain::new(model, None), view)
    }

    /// Plans with the first model of `chain` that answers; so much is shown at once, or what a model of it says for itself.
    pub fn over(chain: impl Into<Arc<Chain>>, view: ModelView) -> Self {
        let view = ModelView { context: view.context.max(ModelView::CONTEXT_MIN), ..view };
        Self { chain: chain.into(), view }
    }
}

#[async_trait]
impl Planner for ModelPlanner {
    fn name(&self) -> &str {
        self.chain.name()
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let offer = functions::offer(context, &self.view);
        let request = |link: Option<u64>| {
            let most = link.unwrap_or(self.view.context).max(ModelView::CONTEXT_MIN);
            let view = ModelView { context: most, ..self.view };
            let offer = functions::offer(context, &view);
            let mut request = prompt::request(context, &view, &offer);
            request.max_tokens = request.max_tokens.map(|tokens| tokens.min(answer_tokens(link)));
            request
        };
        let shown = tokens(&request(None));
        tracing::debug!(node = %context.node, tokens = shown, most = self.view.context, "the model is asked");
        let answered = self.chain.ask(&*context.meter, |link| request(link.context())).await;
        let Answered { response, usage, .. } = answered.map_err(unavailable)?;
        let usage = counted(usage, shown);
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
fn unavailable(none: NoAnswer) -> PlannerError {
    let (why, usage) = (none.to_string(), none.usage);
    match none.errors.last() {
        Some((_, ModelError::Empty { .. } | ModelError::Malformed { .. })) => {
            PlannerError::Unusable { faults: vec![why], usage }
        }
        _ => PlannerError::Unavailable { why, usage },
    }
}

/// The most tokens of an answer of a model that can read so many.
fn answer_tokens(context: Option<u64>) -> u32 {
    let share = context.map(|tokens| tokens / ANSWER_SHARE).and_then(|tokens| u32::try_from(tokens).ok());
    share.unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
