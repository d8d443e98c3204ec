//! Calls that serve a step and are no steps of the plan themselves: its check, its undo, another look at its result.
//!
//! Each is a step with an outcome of its own, below the step that it serves, and no child of any goal: nothing waits for it
//! but what it serves.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toolcrib_policy::{Effect, ToolName};

use super::{Body, Expectation, NodeId, Plan, Status, Step, StepName, Trying};

/// What expressions of a check may speak of besides everything else: the arguments and the result of the step that it
/// checks.
pub const CHECK_NAMES: [&str; 2] = ["arguments", "result"];

/// A call that reads back what a step did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The tool. The call must only read.
    pub tool: ToolName,
    /// Its arguments, with expressions: `arguments` and `result` are those of the step.
    #[serde(default = "nothing")]
    pub arguments: Value,
    /// What its result must meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
}

fn nothing() -> Value {
    json!({})
}

/// What a call is to the step that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The check that the plan has for it.
    Check,
    /// The same check once more, because the result was doubted.
    CheckAgain,
    /// The same call once more, because the result was doubted.
    ReadAgain,
    /// It takes the step back.
    Undo,
}

/// Whom a call serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serves {
    /// The step.
    pub of: NodeId,
    /// As what.
    pub service: Service,
}

impl Service {
    /// What the name of the call ends with.
    fn suffix(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::CheckAgain => "check_again",
            Self::ReadAgain => "again",
            Self::Undo => "undo",
        }
    }

    /// Whether it is a look at the world that must not change it.
    pub fn only_reads(self) -> bool {
        self != Self::Undo
    }

    /// Whether expressions in it speak of the step's arguments and result.
    pub(crate) fn is_check(self) -> bool {
        matches!(self, Self::Check | Self::CheckAgain)
    }
}

impl Plan {
    /// Adds a call that serves the step `of`.
    pub(crate) fn add_aside(&mut self, of: NodeId, service: Service, call: Check, effect: Effect) -> NodeId {
        let wish = self.step(of).map_or("step", |step| step.name.as_str());
        let name = self.free_name(&StepName::nearest(&format!("{wish}__{}", service.suffix())), &[]);
        let Check { tool, arguments, expect } = call;
        let (trying, attempts, check) = (Trying::default(), 0, None);
        let id =
            self.add(Some(of), Body::Step(Step { name, tool, arguments, expect, trying, effect, attempts, check }));
        if let Some(node) = self.node_mut(id) {
            node.serves = Some(Serves { of, service });
        }
        id
    }

    /// The check that the plan has for this step.
    pub fn check_of(&self, step: NodeId) -> Option<NodeId> {
        // It is made right behind the step.
        let next = self.node(NodeId(step.0.checked_add(1)?))?;
        (next.serves == Some(Serves { of: step, service: Service::Check })).then_some(next.id)
    }

    /// The steps that somebody planned, in order of creation.
    pub fn planned_steps(&self) -> impl DoubleEndedIterator<Item = (&super::Node, &Step)> {
        self.steps().filter(|(node, _)| node.serves.is_none())
    }

    /// The nearest goal above that is not over; the run's own where all are.
    pub(crate) fn goal_at_work(&self, id: NodeId) -> NodeId {
        let open = |id: &NodeId| self.goal(*id).is_some() && self.node(*id).is_some_and(|node| !node.status.is_over());
        self.path(id).into_iter().rev().find(open).unwrap_or(NodeId::ROOT)
    }

    /// Lets a step that was over be done again, and the goals above it that were reached because of it.
    pub(crate) fn reopen(&mut self, id: NodeId, status: Status) {
        let above = self.path(id);
        for goal in above.iter().rev().skip(1).copied().filter(|goal| *goal != NodeId::ROOT) {
            if let Some(node) = self.node_mut(goal)
                && node.status == Status::Done
            {
                node.status = Status::Active;
            }
        }
        if let Some(node) = self.node_mut(id) {
            node.status = status;
        }
        if let Some(check) = self.check_of(id)
            && let Some(node) = self.node_mut(check)
        {
            node.status = Status::Open;
        }
    }
}
