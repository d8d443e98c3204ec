//! What the driver does for child agents: their planners, their tools, and the end of what they may spend.

use std::sync::Arc;

use super::{Run, RunError};
use crate::plan::agent;
use crate::planner::{PlanContext, Planner};
use crate::{Agents, BudgetKind, NodeId, Patch, PlanReason, Scoped, Tools};

impl Run {
    /// The same run with child agents that can have these planners.
    #[must_use]
    pub fn with_agents(mut self, agents: Arc<dyn Agents>) -> Self {
        self.agents = Some(agents);
        self
    }

    /// Who plans this goal.
    pub(super) fn planner_of(&self, node: NodeId) -> Result<Arc<dyn Planner>, String> {
        let plan = self.state.plan();
        if plan.scope_of(node) == NodeId::ROOT {
            return Ok(Arc::clone(&self.ports.planner));
        }
        match (&self.agents, plan.model_at(node)) {
            (Some(agents), model) => agents.planner(model),
            (None, None) => Ok(Arc::clone(&self.ports.planner)),
            (None, Some(model)) => Err(format!("there is no model `{model}` for child agents here")),
        }
    }

    /// The tools of the agent in whose scope this goal is.
    pub(super) fn tools_of(&self, node: NodeId) -> Arc<dyn Tools> {
        let lists = self.state.plan().tool_lists(node);
        match lists.is_empty() {
            true => Arc::clone(&self.ports.tools),
            false => Arc::new(Scoped::new(Arc::clone(&self.ports.tools), lists)),
        }
    }

    /// What the planner of this goal sees.
    pub(super) fn context(&self, node: NodeId, reason: PlanReason) -> PlanContext {
        let (state, meter, tools) = (Arc::clone(&self.state), self.till.meter(node), self.tools_of(node));
        PlanContext { state, node, reason, tools, meter }
    }

    /// Models that a planner names for agents and that these cannot have.
    pub(super) fn unknown_models(&self, patches: &[Patch]) -> Vec<String> {
        let named = patches.iter().flat_map(|patch| agent::models(patch.drafts()));
        let unknown = named.filter_map(|model| match &self.agents {
            Some(agents) => agents.planner(Some(model)).err(),
            None => Some(format!("there is no model `{model}` for child agents here")),
        });
        unknown.collect()
    }

    /// Ends goals whose own budget in money has ended, once nothing is under way in them; tells whether one was.
    pub(super) async fn end_short(&mut self) -> Result<bool, RunError> {
        let over = |node: &NodeId| self.state.plan().node(*node).is_none_or(|node| node.status.is_over());
        let short: Vec<_> = self.short.iter().copied().filter(|node| !over(node)).collect();
        self.short = short.iter().copied().collect();
        let event = short.into_iter().find_map(|node| self.state.goal_spent_event(node, BudgetKind::Money));
        match event.filter(|_| !self.state.is_ending()) {
            None => Ok(false),
            Some(event) => {
                self.record(event).await?;
                Ok(true)
            }
        }
    }
}
