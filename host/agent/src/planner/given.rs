//! The planner of a plan that was given: it plans nothing anew.

use async_trait::async_trait;

use super::{PlanContext, Planned, Planner, PlannerError, Proposal};
use crate::flow::RESULT;
use crate::plan::refs;
use crate::{Answer, PlanReason, State, Status, StepName};

/// Answers with what the given steps came to, and gives up where one failed.
#[derive(Debug, Clone, Copy)]
pub struct GivenPlanner {
    name: &'static str,
}

impl GivenPlanner {
    /// The planner, under the name that stands in the run's first event.
    pub fn new(name: &'static str) -> Self {
        Self { name }
    }
}

/// The value that is called the result, where there is one, else what the last steps gave.
fn answer(state: &State) -> Answer {
    let result = StepName::try_from(RESULT.to_owned()).ok().and_then(|name| state.result(&name).cloned());
    match result {
        Some(value) => Answer { text: refs::as_text(&value), value: Some(value) },
        None => state.partial_answer().unwrap_or_else(|| Answer::text("done")),
    }
}

#[async_trait]
impl Planner for GivenPlanner {
    fn name(&self) -> &str {
        self.name
    }

    fn goes_around(&self) -> bool {
        false
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let state = &context.state;
        let failed = state.plan().nodes().iter().rev().find_map(|node| match &node.status {
            Status::Failed { why, .. } => Some(why.clone()),
            _ => None,
        });
        Ok(Planned::from(match (context.reason, failed) {
            (PlanReason::Review, _) => Proposal::Answer(answer(state)),
            (_, why) => Proposal::Fail(why.unwrap_or_else(|| "there is no step".to_owned())),
        }))
    }
}
