//! Runs that wait for a person to see their plan, and what the person changes in it.

use toolcrib_policy::Label;

use super::State;
use super::apply::Applied;
use crate::{NodeId, Patch, Status};

impl State {
    /// Whether the run stops before its first call, so that a person sees the plan.
    pub fn is_holding(&self) -> bool {
        self.holding
    }

    /// Whether a planner may ask a person again.
    pub fn may_ask(&self) -> bool {
        self.questions < self.caps.questions
    }

    /// Whether a person wrote this node: what is literal in it is then the person's word.
    pub fn is_by_person(&self, node: NodeId) -> bool {
        self.by_person.iter().any(|(from, to)| (*from..*to).contains(&node))
    }

    pub(super) fn plan_edited(&mut self, node: NodeId, patches: &[Patch]) -> Applied {
        self.expect_goal(node)?;
        self.expect(node, "open or at work", |status| matches!(status, Status::Open | Status::Active))?;
        let (first, from) = (self.plan.next_id(), self.plan.nodes().len());
        self.plan.set_failed_aside(node);
        self.plan.drop_open_below(node);
        for patch in patches {
            self.plan.apply(patch).map_err(|error| error.to_string())?;
        }
        self.note_written(node, from, Some(Label::TRUSTED));
        self.by_person.push((first, self.plan.next_id()));
        self.rest(node);
        Ok(())
    }
}
