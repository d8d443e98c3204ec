//! What planners looked up, for as long as their goal is open.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toolcrib_model::Usage;
use toolcrib_policy::{Label, ToolName};

use super::State;
use crate::look::Look;
use crate::{NodeId, Status};

/// The most of one goal that are kept: what is older was seen, and can be looked up again.
const KEPT_MAX: usize = 32;

/// One look, and when it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// What was looked up and found.
    pub look: Arc<Look>,
    /// The first node that was planned after it.
    pub before: NodeId,
    /// Tells it from the others of its goal.
    pub number: u32,
}

impl State {
    /// What was looked up for this goal, oldest first.
    pub fn looked(&self, goal: NodeId) -> &[Looked] {
        self.looks.get(&goal).map_or(&[], Vec::as_slice)
    }

    /// The tools that were found for this goal and those above it, the latest first.
    pub fn tools_found(&self, goal: NodeId) -> Vec<ToolName> {
        let mut seen = BTreeSet::new();
        let path = self.plan.path(goal);
        let looks = path.iter().rev().flat_map(|goal| self.looked(*goal).iter().rev());
        looks.flat_map(|looked| &looked.look.tools).filter(|tool| seen.insert(*tool)).cloned().collect()
    }

    /// Whether the planner has looked up so much in a row that it has to decide.
    pub fn is_looked_out(&self, goal: NodeId) -> bool {
        self.plan.goal(goal).is_some_and(|goal| goal.looked >= self.caps.looks)
    }

    /// The label of what a step or a goal came to. An answer, or a failure, may be made of all that was seen.
    pub(crate) fn label_of(&self, node: NodeId) -> Label {
        match self.answer(node).is_none() && self.result_of(node).is_some() {
            true => self.result_marks(node).all(),
            false => self.seen_label(),
        }
    }

    pub(super) fn note_looked(&mut self, node: NodeId, looks: &[Look], usage: &Usage) -> Result<(), String> {
        self.expect(node, "being planned", |status| *status == Status::Planning)?;
        if self.is_looked_out(node) {
            return Err(format!("{node} was looked up for {} times in a row", self.caps.looks));
        }
        self.spend(node, usage);
        let before = NodeId(u32::try_from(self.plan.nodes().len()).unwrap_or(u32::MAX));
        // What an earlier run came to was not seen in this one before.
        looks.iter().flat_map(|look| &look.results).for_each(|found| self.see(found.label, None));
        let kept = self.looks.entry(node).or_default();
        let numbers = kept.last().map_or(1, |last| last.number.saturating_add(1))..;
        let looked = |(number, look): (u32, &Look)| Looked { look: Arc::new(look.clone()), before, number };
        kept.extend(numbers.zip(looks).map(looked));
        kept.drain(..kept.len().saturating_sub(KEPT_MAX));
        if let Some(goal) = self.plan.goal_mut(node) {
            goal.looked = goal.looked.saturating_add(1);
            // Looking up has a bound of its own, and is no talk.
            goal.talks.pop();
        }
        self.rest(node);
        Ok(())
    }

    /// A goal that is over takes what was looked up for it, and for what is below it, along.
    pub(super) fn forget_looks(&mut self, goal: NodeId) {
        if !self.looks.is_empty() {
            for below in self.plan.subtree(goal) {
                self.looks.remove(&below);
            }
        }
    }
}
