//! Budgets of single goals: taken from the parent's, and their end is the end of one goal.

use super::State;
use super::apply::Applied;
use crate::plan::{PlanFault, over_share};
use crate::{BudgetKind, Draft, EventKind, Millis, NodeId, Share, Status, Step};

impl State {
    /// What a goal may still spend: the least that it and the goals above it, and the run, have left.
    pub fn left(&self, goal: NodeId) -> Share {
        let passed = self.now.0.saturating_sub(self.started.unwrap_or_default().0).saturating_sub(self.paused_ms);
        let run = Share {
            steps: Some(self.budget.steps.saturating_sub(self.spent.steps)),
            tokens: Some(self.budget.tokens.saturating_sub(self.spent.tokens)),
            wall_ms: Some(self.budget.wall_ms.saturating_sub(passed)),
            money: self.budget.money.map(|most| most.minus(self.purse.spent).minus(self.purse.reserved())),
        };
        self.plan.path(goal).into_iter().filter_map(|id| self.left_of_own(id)).fold(run, Share::least)
    }

    /// What is left of a goal's own budget.
    fn left_of_own(&self, id: NodeId) -> Option<Share> {
        let goal = self.plan.goal(id)?;
        let (share, used) = (goal.budget?, &goal.used);
        Some(Share {
            steps: share.steps.map(|steps| steps.saturating_sub(used.steps)),
            tokens: share.tokens.map(|tokens| tokens.saturating_sub(used.tokens)),
            wall_ms: share.wall_ms.map(|wall| wall.saturating_sub(self.time_of(id))),
            money: share.money.map(|most| most.minus(used.money)),
        })
    }

    /// How long a goal has been at work, pauses left out, in milliseconds.
    fn time_of(&self, id: NodeId) -> u64 {
        let Some(used) = self.plan.goal(id).map(|goal| &goal.used) else { return 0 };
        let running = used.since.map_or(0, |since| {
            let paused = self.paused_ms.saturating_sub(used.paused_ms);
            self.now.0.saturating_sub(since.0).saturating_sub(paused)
        });
        used.wall_ms.saturating_add(running)
    }

    /// What new children of a goal want and it has not left.
    pub fn beyond(&self, goal: NodeId, drafts: &[Draft]) -> Vec<PlanFault> {
        let mut faults = Vec::new();
        over_share(&self.left(goal), drafts, &mut faults);
        faults
    }

    /// The goal at or above this node whose own budget of this kind has ended, with calls that are about to be made.
    pub(super) fn spent_above(&self, node: NodeId, kind: BudgetKind, calls: &[NodeId]) -> Option<NodeId> {
        self.plan.path(node).into_iter().find(|id| {
            let Some(left) = self.left_of_own(*id) else { return false };
            match kind {
                BudgetKind::Steps => {
                    let here = calls.iter().filter(|call| self.plan.path(**call).contains(id)).count();
                    left.steps.is_some_and(|steps| here >= steps as usize)
                }
                BudgetKind::Tokens => left.tokens == Some(0),
                BudgetKind::Wall => left.wall_ms == Some(0),
                BudgetKind::Money => left.money.is_some_and(|money| money.is_zero()),
            }
        })
    }

    /// The earliest end of a budget of time at or above this node.
    pub(super) fn share_deadline(&self, node: NodeId) -> Option<Millis> {
        let ends = self.plan.path(node).into_iter().filter_map(|id| {
            self.plan.goal(id)?.used.since?;
            let left = self.left_of_own(id)?.wall_ms?;
            Some(Millis(self.now.0.saturating_add(left)))
        });
        ends.min()
    }

    /// The most time that one call of a step may take, where a goal has less than the plan says.
    pub(super) fn call_time(&self, node: NodeId, step: &Step) -> Option<u64> {
        let left = self.plan.path(node).into_iter().filter_map(|id| self.left_of_own(id)?.wall_ms).min();
        left.into_iter().chain(step.trying.wall_ms).min()
    }

    /// The end of a goal whose budget has ended, where it can end now and nothing is under way in it.
    pub(crate) fn goal_spent_event(&self, node: NodeId, kind: BudgetKind) -> Option<EventKind> {
        let ends = self.plan.node(node).is_some_and(|node| can_end(&node.status));
        (ends && self.is_quiet(node)).then_some(EventKind::GoalSpent { node, kind })
    }

    pub(super) fn goal_spent(&mut self, node: NodeId, kind: BudgetKind) -> Applied {
        self.expect_goal(node)?;
        self.end_goal(node, &format!("the budget of {kind} that this goal had is spent"))
    }

    /// Counts a call, or tokens, for every goal above that has a budget.
    pub(super) fn charge(&mut self, node: NodeId, steps: u32, tokens: u64) {
        for id in self.plan.path(node) {
            if let Some(goal) = self.plan.goal_mut(id).filter(|goal| goal.budget.is_some()) {
                goal.used.steps = goal.used.steps.saturating_add(steps);
                goal.used.tokens = goal.used.tokens.saturating_add(tokens);
            }
        }
    }

    /// Work begins at this node: from here on the time of the goals above it counts.
    pub(super) fn begin_time(&mut self, node: NodeId) {
        let (now, paused_ms) = (self.now, self.paused_ms);
        for id in self.plan.path(node) {
            if let Some(goal) = self.plan.goal_mut(id).filter(|goal| goal.budget.is_some() && goal.used.since.is_none())
            {
                (goal.used.since, goal.used.paused_ms) = (Some(now), paused_ms);
            }
        }
    }

    /// The run stood still: what was used so far is kept, and time counts again once work begins again.
    pub(super) fn stop_time(&mut self) {
        let running: Vec<NodeId> = self
            .plan
            .nodes()
            .iter()
            .filter(|node| !node.status.is_over())
            .filter(|node| self.plan.goal(node.id).is_some_and(|goal| goal.used.since.is_some()))
            .map(|node| node.id)
            .collect();
        for id in running {
            let used = self.time_of(id);
            if let Some(goal) = self.plan.goal_mut(id) {
                (goal.used.wall_ms, goal.used.since) = (used, None);
            }
        }
    }
}

/// Whether a goal is one that can end for its budget now.
pub(super) fn can_end(status: &Status) -> bool {
    matches!(status, Status::Open | Status::Active)
}
