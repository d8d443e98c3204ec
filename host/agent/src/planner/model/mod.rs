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
use toolcrib_model::{Model, ModelError, Request, ToolChoice};

use super::{PlanContext, Planned, Planner, PlannerError};
use crate::{Answered, Chain, NoAnswer};

/// The most tokens of one answer.
const MAX_TOKENS: u32 = 8_192;

/// The part of a small context that an answer may take.
const ANSWER_SHARE: u64 = 4;

/// A planner over a language model, and those that stand in for it.
pub struct ModelPlanner {
    chain: Arc<Chain>,
}

impl ModelPlanner {
    /// Plans with `model`.
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self::over(Chain::new(model, None))
    }

    /// Plans with the first model of `chain` that answers.
    pub fn over(chain: impl Into<Arc<Chain>>) -> Self {
        Self { chain: chain.into() }
    }
}

#[async_trait]
impl Planner for ModelPlanner {
    fn name(&self) -> &str {
        self.chain.name()
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let request = |tokens: Option<u64>| Request {
            system: Some(prompt::SYSTEM.to_owned()),
            messages: prompt::messages(context, tokens),
            tools: prompt::functions(context),
            tool_choice: ToolChoice::Auto,
            max_tokens: Some(answer_tokens(tokens)),
            ..Request::default()
        };
        let answered = self.chain.ask(&*context.meter, |link| request(link.context())).await;
        let Answered { response, usage, .. } = answered.map_err(unavailable)?;
        let note = response.text.clone().filter(|_| !response.tool_calls.is_empty()).unwrap_or_default();
        match reply::read(response) {
            Ok(proposal) => Ok(Planned { proposal, usage, note: note.chars().take(500).collect() }),
            Err(faults) => Err(PlannerError::Unusable { faults, usage }),
        }
    }
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
    share.map_or(MAX_TOKENS, |share| share.min(MAX_TOKENS))
}

#[cfg(test)]
mod tests;
