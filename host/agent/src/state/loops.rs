//! Detectors for runs that go round in circles. Each cuts only the circle: the call that would go on with it is not made, or
//! the goal that only talks is given up; whatever is beside it goes on, and what was reached stays.
//!
//! | detector | what it sees, in the calls of one goal |
//! |---|---|
//! | `repeat` | the very same call again, when it gave the same each time and no other call gave anything new since |
//! | `ping-pong` | two to four calls in turn, whole rounds of them with the same results |
//! | `fruitless` | many calls in a row of which none gave anything new |
//! | `monologue` | a planner that is asked about one goal again and again without a call in between |
//!
//! New is a result that the very same call did not give the last time. So a poll whose result changes is no circle, and neither
//! is a loop over different items. Calls that go on side by side are no sequence and are not looked at together. The plan of a
//! flow is a person's, who said how often what is done.

use serde::{Deserialize, Serialize};
use toolcrib_policy::{Digest, canonical};

use super::State;
use super::apply::Applied;
use crate::{EventKind, NodeId, Order, Status, StepOutcome};

/// The longest round that counts as one.
const ROUND_MAX: usize = 4;

/// What saw a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// The same call with the same result.
    Repeat,
    /// Calls in turn with the same results.
    PingPong,
    /// Calls that give nothing new.
    Fruitless,
    /// A planner that does nothing.
    Monologue,
}

/// One call on the way of a goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tread {
    /// The step.
    step: NodeId,
    /// Tool and arguments.
    call: Digest,
    /// What came of it.
    gave: Digest,
    /// Whether that was new.
    news: bool,
    /// The event that recorded it, by its number in the run.
    event: u64,
}

/// A circle.
pub(super) struct Circle {
    detector: Detector,
    why: String,
    shown: Vec<u64>,
}

impl State {
    /// Whether circles are looked for: not where a person said how often what is done.
    fn watches(&self) -> bool {
        self.caps.repeats != u32::MAX
    }

    /// Takes note of a call that is over, for every goal in whose sequence it stands.
    pub(super) fn tread(&mut self, step: NodeId, outcome: &StepOutcome) {
        let Some(call) = self.records.get(&step).map(|record| record.key).filter(|_| self.watches()) else { return };
        // Of a call that was cut off nothing is learned.
        let Some(gave) = digest(outcome) else { return };
        let calls = self.calls.entry(call).or_default();
        let news = calls.gave.replace(gave) != Some(gave);
        let event = self.events;
        let longest = ROUND_MAX.saturating_mul(self.caps.rounds.max(2) as usize);
        let most = longest.max(self.caps.fruitless as usize).max(self.caps.repeats as usize).min(256) + 1;
        for goal in self.sequence_above(step) {
            let trail = self.trails.entry(goal).or_default();
            match trail.last_mut().filter(|last| last.step == step) {
                // Tries of one step are one call.
                Some(last) => *last = Tread { step, call, gave, news: last.news || news, event },
                None => trail.push(Tread { step, call, gave, news, event }),
            }
            let over = trail.len().saturating_sub(most);
            trail.drain(..over);
        }
        for goal in self.plan.path(step) {
            if let Some(goal) = self.plan.goal_mut(goal) {
                goal.talks.clear();
            }
        }
    }

    /// The goals above a step, the nearest first, as far as their calls come one after the other.
    fn sequence_above(&self, step: NodeId) -> Vec<NodeId> {
        let above = self.plan.path(step).into_iter().rev().skip(1);
        let beside =
            |id: &NodeId| self.plan.goal(*id).is_none_or(|goal| goal.order == Order::Parallel || goal.each.is_some());
        above.take_while(|id| !beside(id)).collect()
    }

    /// What follows where this call would only go on with a circle. None also where it has to be waited for first.
    pub(super) fn circle(&self, step: NodeId, call: &Digest) -> Option<Result<EventKind, ()>> {
        if !self.watches() {
            return None;
        }
        let above = self.sequence_above(step);
        let (goal, circle) =
            above.iter().find_map(|goal| Some((*goal, self.circle_in(self.trails.get(goal)?, call)?)))?;
        let Circle { detector, why, shown } = circle;
        if self.cut_ends(goal) && !self.is_quiet(goal) {
            return Some(Err(()));
        }
        Some(Ok(EventKind::LoopCut { node: goal, step: Some(step), detector, why, shown }))
    }

    fn circle_in(&self, trail: &[Tread], next: &Digest) -> Option<Circle> {
        let caps = &self.caps;
        // Back to the last call that gave anything new, and that call.
        let stale = trail.iter().rev().take_while(|tread| !tread.news).count();
        let since = &trail[trail.len().saturating_sub(stale + 1)..];
        let events = |treads: &[Tread]| treads.iter().map(|tread| tread.event).collect::<Vec<_>>();
        let same: Vec<_> = since.iter().filter(|tread| tread.call == *next).cloned().collect();
        if same.len() >= caps.repeats as usize {
            let why = format!("the very same call was made {} times already, and gave the same each time", same.len());
            return Some(Circle { detector: Detector::Repeat, why, shown: events(&same) });
        }
        let rounds = caps.rounds.max(2) as usize;
        for length in 2..=ROUND_MAX {
            let Some(from) = trail.len().checked_sub(length * rounds) else { break };
            let turns = &trail[from..];
            let same = |at: usize| {
                let (one, two) = (&turns[at], &turns[at - length]);
                (one.call, one.gave) == (two.call, two.gave)
            };
            let in_turn = turns[..length].iter().any(|turn| turn.call != *next);
            if in_turn && turns[0].call == *next && (length..turns.len()).all(same) {
                let why = format!("{length} calls were made in turn {rounds} times, and gave the same each time");
                return Some(Circle { detector: Detector::PingPong, why, shown: events(turns) });
            }
        }
        if stale >= caps.fruitless as usize {
            let why = format!("the last {stale} calls gave nothing that was not known");
            return Some(Circle { detector: Detector::Fruitless, why, shown: events(&trail[trail.len() - stale..]) });
        }
        None
    }

    /// What follows where a planner only talks about a goal.
    pub(super) fn monologue(&self, node: NodeId) -> Option<EventKind> {
        let talks = &self.plan.goal(node)?.talks;
        if talks.len() < self.caps.monologue.max(1) as usize || !self.watches() {
            return None;
        }
        let why = format!("the planner was asked {} times about this goal, and nothing was called", talks.len());
        let (detector, shown) = (Detector::Monologue, talks.clone());
        Some(EventKind::LoopCut { node, step: None, detector, why, shown })
    }

    /// Whether the next circle that is cut in this goal ends it.
    fn cut_ends(&self, goal: NodeId) -> bool {
        self.plan.goal(goal).is_some_and(|goal| goal.cuts >= self.caps.cuts)
    }

    /// Whether nothing at or below a goal is under way or waits for a person.
    pub(super) fn is_quiet(&self, goal: NodeId) -> bool {
        let quiet = |id: NodeId| {
            self.plan.node(id).is_none_or(|node| {
                !matches!(
                    node.status,
                    Status::Running | Status::Planning | Status::Finished | Status::Asking { .. } | Status::Waiting
                )
            })
        };
        self.plan.subtree(goal).into_iter().all(quiet)
    }

    pub(super) fn loop_cut(&mut self, node: NodeId, step: Option<NodeId>, why: &str) -> Applied {
        self.expect_goal(node)?;
        let ends = step.is_none() || self.cut_ends(node);
        if let Some(step) = step {
            self.expect(step, "open", |status| *status == Status::Open)?;
            self.plan.step(step).ok_or_else(|| format!("{step} is not a step"))?;
            self.set(step, Status::Failed { why: why.to_owned(), replan: false });
        }
        if let Some(goal) = self.plan.goal_mut(node) {
            goal.cuts = goal.cuts.saturating_add(1);
            goal.talks.clear();
        }
        if ends { self.end_goal(node, why) } else { Ok(()) }
    }

    /// Gives up a goal at which nothing is under way. What was reached below it stays.
    pub(super) fn end_goal(&mut self, node: NodeId, why: &str) -> Applied {
        self.expect(node, "at work", |status| matches!(status, Status::Open | Status::Active))?;
        if !self.is_quiet(node) {
            return Err(format!("something is under way below {node}"));
        }
        self.plan.skip(node);
        self.set(node, Status::Failed { why: why.to_owned(), replan: false });
        Ok(())
    }
}

/// What came of a call, without what it cost; none where nobody knows.
fn digest(outcome: &StepOutcome) -> Option<Digest> {
    let text = match outcome {
        StepOutcome::Done { output } => match &output.structured {
            Some(value) => canonical(value).to_string(),
            None => output.text.clone(),
        },
        StepOutcome::Failed { failure } => format!("{}: {}", failure.code, failure.message),
        StepOutcome::NotStarted { .. } | StepOutcome::Unknown { .. } => return None,
    };
    Some(Digest::of(text.as_bytes()))
}
