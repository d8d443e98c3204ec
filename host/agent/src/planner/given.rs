//! The planner of a plan that was given: it plans nothing anew.

use async_trait::async_trait;

use super::{PlanContext, Planned, Planner, PlannerError, Proposal};
use crate::{Answer, PlanReason, Status};

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

#[async_trait]
impl Planner for GivenPlanner {
    fn name(&self) -> &str {
        self.name
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let state = &context.state;
        let failed = state.plan().nodes().iter().rev().find_map(|node| match &node.status {
            Status::Failed { why, .. } => Some(why.clone()),
            _ => None,
        });
        Ok(Planned::from(match (context.reason, failed) {
            (PlanReason::Review, _) => Proposal::Answer(state.partial_answer().unwrap_or_else(|| Answer::text("done"))),
            (_, why) => Proposal::Fail(why.unwrap_or_else(|| "there is no step".to_owned())),
        }))
    }
}
