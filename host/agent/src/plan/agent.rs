//! Child agents: a goal that is done by a planner of its own, with narrower tools.
//!
//! The goal and everything below it is a scope. What is in it sees the tools that every agent above it may use, what it was
//! given, and its own results; what is outside of it sees what it came to and not how.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{ToolName, ToolPattern};

use super::{Draft, NodeId, Patch, Plan, PlanFault, StepName};
use crate::Caps;

/// The most lines in a list of tools.
const TOOLS_MAX: usize = 64;

/// The most characters of the name of a model.
const MODEL_CHARS_MAX: usize = 200;

/// Who does a goal in the place of the run's own planner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildAgent {
    /// The name by which its result is referred to.
    #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<StepName>,
    /// Which tools it may use: `files.read`, `files.*` or `*`. It never has more than its parent.
    pub tools: Vec<ToolPattern>,
    /// Which model plans for it; none for its parent's planner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it is given, with expressions. It sees no other result of its parent.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub given: Value,
}

impl ChildAgent {
    /// Whether it may use this tool, as far as its own list goes.
    pub fn lists(&self, tool: &ToolName) -> bool {
        self.tools.iter().any(|pattern| pattern.matches(tool))
    }
}

impl Plan {
    /// The agent that does this goal, where one does.
    pub fn agent(&self, id: NodeId) -> Option<&ChildAgent> {
        self.goal(id)?.agent.as_deref()
    }

    /// The goal of the agent in whose scope this node is: the nearest one at or above it.
    pub fn scope_of(&self, id: NodeId) -> NodeId {
        self.path(id).into_iter().rev().find(|id| self.agent(*id).is_some()).unwrap_or(NodeId::ROOT)
    }

    /// The scope in which the result of this node is seen: an agent's own result is its parent's to see.
    pub fn seen_in(&self, id: NodeId) -> NodeId {
        match self.node(id).and_then(|node| node.parent) {
            Some(parent) => self.scope_of(parent),
            None => NodeId::ROOT,
        }
    }

    /// The lists of tools that this node stands under, the outermost first: a tool has to be on each.
    pub fn tool_lists(&self, id: NodeId) -> Vec<Vec<ToolPattern>> {
        self.path(id).into_iter().filter_map(|id| Some(self.agent(id)?.tools.clone())).collect()
    }

    /// Whether the agents at and above this node may all use this tool.
    pub fn may_call(&self, id: NodeId, tool: &ToolName) -> bool {
        self.path(id).into_iter().filter_map(|id| self.agent(id)).all(|agent| agent.lists(tool))
    }

    /// The model that is named for this node: by its own agent, else by the nearest above that names one.
    pub fn model_at(&self, id: NodeId) -> Option<&str> {
        self.path(id).into_iter().rev().find_map(|id| self.agent(id)?.model.as_deref())
    }

    /// Where new children of a patch come to stand.
    pub(super) fn target(&self, patch: &Patch) -> NodeId {
        match patch {
            Patch::Replace { node, .. } | Patch::Remove { node } => {
                self.node(*node).and_then(|node| node.parent).unwrap_or(NodeId::ROOT)
            }
            Patch::Expand { node, .. } | Patch::Append { node, .. } => *node,
        }
    }

    /// What a planner may not change: an agent changes nothing outside of its own goal.
    pub(super) fn outside(&self, planner_of: NodeId, patches: &[Patch]) -> Vec<PlanFault> {
        let scope = self.scope_of(planner_of);
        if scope == NodeId::ROOT {
            return Vec::new();
        }
        let outside = patches.iter().filter(|patch| !self.path(self.target(patch)).contains(&scope));
        let fault = |patch: &Patch| PlanFault::Patch { why: format!("{} is not a part of this goal", patch.node()) };
        outside.map(fault).collect()
    }
}

/// What is wrong with the agents among the nodes from `old` on.
pub(super) fn faults(plan: &Plan, old: usize, caps: &Caps, faults: &mut Vec<PlanFault>) {
    let agents = plan.nodes().iter().filter(|node| plan.agent(node.id).is_some()).count();
    let new: Vec<_> = plan.nodes().iter().skip(old).filter(|node| plan.agent(node.id).is_some()).collect();
    let mut fault = |why: String| faults.push(PlanFault::Agent { why });
    if !new.is_empty() && agents > caps.agents as usize {
        return fault(format!("there would be {agents} in this run, at most {} are allowed", caps.agents));
    }
    for node in new {
        let (Some(agent), Some(goal)) = (plan.agent(node.id), plan.goal(node.id)) else { continue };
        let above: Vec<&ChildAgent> =
            plan.path(node.id).into_iter().rev().skip(1).filter_map(|id| plan.agent(id)).collect();
        if above.len() >= usize::from(caps.agent_depth) {
            fault(format!("they nest deeper than {}", caps.agent_depth));
        }
        if !goal.children.is_empty() || goal.each.is_some() {
            fault("its goal is planned by itself: leave `children` and `each` out".to_owned());
        }
        if agent.tools.len() > TOOLS_MAX
            || agent.model.as_ref().is_some_and(|model| model.chars().count() > MODEL_CHARS_MAX)
        {
            fault(format!(
                "it has at most {TOOLS_MAX} lines of tools, and a model's name at most {MODEL_CHARS_MAX} characters"
            ));
        }
        for pattern in &agent.tools {
            let covered = |above: &&ChildAgent| above.tools.iter().any(|wider| wider.covers(pattern));
            if !above.iter().all(covered) {
                fault(format!("it asks for `{pattern}`, which its parent does not have itself"));
            }
        }
    }
}

/// The models that drafts name for agents.
pub fn models(drafts: &[Draft]) -> Vec<&str> {
    let mut models = Vec::new();
    for draft in drafts {
        if let Draft::Goal(goal) = draft {
            models.extend(goal.agent.as_ref().and_then(|agent| agent.model.as_deref()));
            models.extend(self::models(&goal.children));
        }
    }
    models
}
