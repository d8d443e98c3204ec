//! What the critic does to the state: checks, reviews, other looks, undo.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{Effect, Scores, ToolName};

use super::{Pending, State};
use crate::critic::{Checked, Follow, GIVE_UP, Grounding, KEEP, MAKE_IT, Missing, is_repeatable};
use crate::plan::refs;
use crate::{Answer, Check, EventKind, NodeId, Question, Service, Status, StepName, StepOutcome, Unfounded};

/// The most that a run has stood at, once something that it rested on fell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    accepted: usize,
    answer: Answer,
}

/// Whether an alternative may be tried in place of something that failed.
pub(super) enum WayBack {
    /// Nothing below it has changed the world, or all of that was taken back.
    Clear,
    /// This step is to be taken back first.
    Undo(NodeId),
    /// This call is under way, which takes one back.
    Under(NodeId),
    /// Something below it cannot be taken back.
    None,
}

impl State {
    /// How results are judged.
    pub fn critic(&self) -> &toolcrib_policy::CriticSettings {
        &self.critic
    }

    /// The check of this step that is still to be made, while the step waits for its verdict.
    pub(super) fn pending_check(&self, step: NodeId) -> Option<NodeId> {
        let done = matches!(self.records.get(&step)?.outcome, Some(StepOutcome::Done { .. }));
        let check = self.plan.check_of(step).filter(|_| done && !self.critic.is_off())?;
        let status = &self.plan.node(check)?.status;
        let begun = matches!(status, Status::Running | Status::Finished);
        (begun || (!status.is_over() && !self.is_ending())).then_some(check)
    }

    /// What came of the step's check; none where it has none.
    pub fn checked(&self, step: NodeId) -> Option<Checked> {
        let check = self.plan.check_of(step)?;
        Some(match &self.plan.node(check)?.status {
            Status::Done => Checked::Passed,
            Status::Failed { why, replan: false } if self.answered_at_all(check) => Checked::Failed(why.clone()),
            // Nothing there is an answer as well.
            Status::Failed { why, .. } if self.found_nothing(check) => Checked::Failed(why.clone()),
            Status::Failed { why, .. } => Checked::NotMade(why.clone()),
            _ => Checked::NotMade("it was not made".to_owned()),
        })
    }

    /// The event with the outcome of the step's check.
    pub(crate) fn check_event(&self, step: NodeId) -> Option<u64> {
        self.plan.check_of(step).and_then(|check| Some(self.records.get(&check)?.over_by))
    }

    /// The numbers of the events that are about what a step read and gave.
    pub fn evidence_events(&self, step: NodeId) -> Vec<u64> {
        let Some(record) = self.records.get(&step) else { return Vec::new() };
        let read = record.from.iter().filter_map(|name| Some(self.records.get(&self.plan.holder(name)?.id)?.over_by));
        read.chain([record.begun_by, record.over_by]).chain(self.check_event(step)).filter(|event| *event > 0).collect()
    }

    pub(super) fn ungrounded(
        &mut self,
        node: NodeId,
        score: u8,
        missing: &[Missing],
        then: Unfounded,
    ) -> Result<(), String> {
        self.expect(node, "open", |status| *status == Status::Open)?;
        let why = Grounding::complaint(missing);
        self.grounding.insert(node, score);
        if then == Unfounded::Ask {
            let goal = self.plan.goal_at_work(node);
            let tool = self.plan.step(node).map(|step| step.tool.to_string()).unwrap_or_default();
            let text =
                format!("{tool} is to be called with something that was made up: {why}; is the call to be made?");
            let choices = [MAKE_IT, GIVE_UP].map(str::to_owned).to_vec();
            let question = Question { text, about: Some("made up".to_owned()), choices, approval: None };
            self.pending.push(Pending { goal, step: node, question });
        }
        if then != Unfounded::Made {
            self.objected.extend(missing.iter().map(|missing| missing.text.clone()));
            self.set(node, Status::Failed { why, replan: true });
        }
        Ok(())
    }

    /// Whether somebody has said that this call may be made with what it has.
    pub fn is_vouched(&self, step: NodeId) -> bool {
        self.vouched.contains(&step)
    }

    /// Whether the planner was told of all these, and writes them again: then it means them.
    pub fn is_meant(&self, missing: &[Missing]) -> bool {
        missing.iter().all(|missing| self.objected.contains(&missing.text))
    }

    /// How well the arguments of this step are grounded, where that is less than wholly.
    pub fn grounding_of(&self, step: NodeId) -> u8 {
        self.grounding.get(&step).copied().unwrap_or(100)
    }

    /// What a person's word on a doubt does.
    pub(super) fn settle_doubt(&mut self, step: NodeId, word: &str) {
        let status = self.plan.node(step).map(|node| node.status.clone());
        if word.eq_ignore_ascii_case(MAKE_IT) && !self.records.contains_key(&step) {
            self.vouched.insert(step);
            self.set(step, Status::Open);
        } else if word.eq_ignore_ascii_case(KEEP) && status.as_ref().is_some_and(Status::is_failed) {
            if let Some(record) = self.records.get_mut(&step)
                && let Some(StepOutcome::Done { output }) = &record.outcome
            {
                record.value = Some(Arc::new(output.value()));
                self.set(step, Status::Done);
            }
        } else if word.eq_ignore_ascii_case(GIVE_UP) && status == Some(Status::Done) {
            self.fall(step, "a person gave it up".to_owned(), true);
        }
    }

    // Reviews.

    /// The accepted results that nobody has reviewed, where they are reviewed.
    pub(super) fn unreviewed(&self) -> impl Iterator<Item = NodeId> + '_ {
        let steps = self.critic.reviews().then(|| self.plan.planned_steps()).into_iter().flatten();
        steps
            .filter(|(node, step)| node.status == Status::Done && self.reviewed.get(&node.id) != Some(&step.attempts))
            .map(|(node, _)| node.id)
    }

    /// Whether what cannot be taken back has to wait: a result is not reviewed yet, or is being looked at again.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.critic.wait && self.critic.reviews() && (!self.looking.is_empty() || self.unreviewed().next().is_some())
    }

    /// Whether there is a way to look at the result again that changes nothing.
    pub(crate) fn can_look_again(&self, step: NodeId) -> bool {
        let reads = self.records.get(&step).is_some_and(|record| record.effect == Effect::Read);
        reads || self.plan.check_of(step).is_some()
    }

    pub(super) fn result_reviewed(
        &mut self,
        node: NodeId,
        scores: Option<Scores>,
        then: Follow,
        why: &str,
    ) -> Result<(), String> {
        self.expect(node, "done", |status| *status == Status::Done)?;
        let step = self.plan.step(node).ok_or_else(|| format!("{node} is not a step"))?.clone();
        self.reviewed.insert(node, step.attempts);
        let record = self.records.get_mut(&node).ok_or_else(|| format!("{node} was never started"))?;
        record.scores = scores;
        match then {
            Follow::Stands => {}
            Follow::LookAgain => {
                let (service, call) = match &step.check {
                    Some(check) => (Service::CheckAgain, (**check).clone()),
                    None if record.effect == Effect::Read => {
                        let arguments = refs::literal((*record.arguments).clone());
                        (Service::ReadAgain, Check { tool: step.tool, arguments, expect: step.expect })
                    }
                    None => return Err(format!("there is no way to look at {node} again")),
                };
                let by = self.plan.add_aside(node, service, call, Effect::Read);
                self.note_aside(node, by);
                self.looking.insert(node, by);
            }
            Follow::Alternative | Follow::Replan => {
                if !is_repeatable(&record.effect) {
                    return Err(format!("{node} cannot be taken back"));
                }
                self.fall(node, why.to_owned(), then == Follow::Replan);
            }
            Follow::Ask => {
                let goal = self.plan.goal_at_work(node);
                let text =
                    format!("the result of {} (step {}) is doubted: {why}; is it to count?", step.tool, step.name);
                let choices = [KEEP, GIVE_UP].map(str::to_owned).to_vec();
                let question = Question { text, about: Some("doubtful result".to_owned()), choices, approval: None };
                self.pending.push(Pending { goal, step: node, question });
            }
        }
        Ok(())
    }

    /// What another look has come to, once it is over.
    pub(super) fn second_look(&self) -> Option<EventKind> {
        self.looking.iter().find_map(|(node, by)| {
            let (node, by) = (*node, *by);
            let look = self.plan.node(by).filter(|look| look.status.is_over())?;
            if self.plan.node(node)?.status != Status::Done {
                return Some(looked(node, by, true, "the step is not what it was"));
            }
            let same = || self.result_of(by) == self.result_of(node);
            Some(match (&look.status, look.serves?.service) {
                (Status::Done, Service::ReadAgain) if same() => looked(node, by, true, "it reads the same again"),
                (Status::Done, Service::CheckAgain) => looked(node, by, true, "the check of it passed again"),
                (Status::Failed { why, replan: false }, Service::CheckAgain) if self.answered_at_all(by) => {
                    self.fallen(node, by, why)?
                }
                (Status::Failed { why, .. }, Service::CheckAgain) if self.found_nothing(by) => {
                    self.fallen(node, by, why)?
                }
                (Status::Done, _) => self.fallen(node, by, "it reads otherwise now")?,
                (Status::Failed { why, .. }, _) => looked(node, by, true, &format!("nothing new: {why}")),
                _ => looked(node, by, true, "nothing new"),
            })
        })
    }

    fn found_nothing(&self, node: NodeId) -> bool {
        let outcome = self.records.get(&node).and_then(|record| record.outcome.as_ref());
        matches!(outcome, Some(StepOutcome::Failed { failure }) if failure.code == "not-found")
    }

    /// Whether a call gave a result, whatever became of that.
    fn answered_at_all(&self, node: NodeId) -> bool {
        self.records.get(&node).is_some_and(|record| matches!(record.outcome, Some(StepOutcome::Done { .. })))
    }

    /// The result falls, unless something rests on it already that cannot be done again. None as long as something that
    /// rests on it is under way.
    fn fallen(&self, node: NodeId, by: NodeId, why: &str) -> Option<EventKind> {
        let resting = self.resting_on(node);
        if resting.iter().any(|id| matches!(self.status(*id), Ok(Status::Running | Status::Finished | Status::Waiting)))
        {
            return None;
        }
        let bound = |id: &NodeId| {
            !self.plan.node(*id).is_some_and(|found| match &found.body {
                crate::Body::Step(_) => self.records.get(id).is_none_or(|record| is_repeatable(&record.effect)),
                crate::Body::Value(_) => true,
                crate::Body::Goal(_) => false,
            })
        };
        match resting.iter().find(|id| bound(id)) {
            Some(late) => {
                let name = self.plan.node(*late).and_then(|late| late.body.name().cloned());
                let name = name.map_or_else(|| late.to_string(), |name| name.to_string());
                Some(looked(node, by, true, &format!("{why}, too late: `{name}` rests on it")))
            }
            None => Some(looked(node, by, false, why)),
        }
    }

    /// Whatever was done with the result of this step, at any remove.
    fn resting_on(&self, node: NodeId) -> Vec<NodeId> {
        let mut names: Vec<&StepName> = self.plan.node(node).and_then(|node| node.body.name()).into_iter().collect();
        let mut found: Vec<NodeId> = Vec::new();
        loop {
            let reads = |from: &[StepName]| from.iter().any(|name| names.contains(&name));
            let records = self.records.iter().filter(|(_, record)| reads(&record.from)).map(|(id, _)| *id);
            let computed = self.computed.iter().filter(|(_, (_, from))| reads(from)).map(|(id, _)| *id);
            let rounds = self.rounds.iter().filter(|(_, (_, from))| reads(from)).map(|(id, _)| *id);
            let planned = |id: &NodeId| self.plan.node(*id).is_some_and(|node| node.serves.is_none());
            let more: Vec<NodeId> =
                records.chain(computed).chain(rounds).filter(|id| planned(id) && !found.contains(id)).collect();
            if more.is_empty() {
                return found;
            }
            names.extend(more.iter().filter_map(|id| self.plan.node(*id)?.body.name()));
            found.extend(more);
        }
    }

    pub(super) fn looked_again(&mut self, node: NodeId, by: NodeId, holds: bool, why: &str) -> Result<(), String> {
        if self.looking.get(&node) != Some(&by) {
            return Err(format!("{by} does not look at {node}"));
        }
        self.looking.remove(&node);
        if holds {
            return Ok(());
        }
        self.expect(node, "done", |status| *status == Status::Done)?;
        self.note_best();
        let service = self.plan.node(by).and_then(|node| node.serves).map(|serves| serves.service);
        for id in self.resting_on(node) {
            self.open_again(id);
        }
        if service == Some(Service::ReadAgain) {
            let new = self.records.get(&by).cloned().ok_or_else(|| format!("{by} was never started"))?;
            let record = self.records.get_mut(&node).ok_or_else(|| format!("{node} was never started"))?;
            (record.value, record.outcome, record.over_by) = (new.value, new.outcome, new.over_by);
            self.note_replaced(node, by);
            return Ok(());
        }
        let effect = self.records.get(&node).map(|record| record.effect.clone());
        let tries = self.plan.step(node).map_or(0, |step| step.attempts);
        match effect {
            Some(effect) if is_repeatable(&effect) && tries < self.caps.attempts => self.open_again(node),
            Some(Effect::Irreversible) | None => self.fall(node, why.to_owned(), true),
            Some(_) => self.fall(node, why.to_owned(), false),
        }
        Ok(())
    }

    /// A result that counted does not count any more.
    fn fall(&mut self, node: NodeId, why: String, replan: bool) {
        self.note_best();
        if let Some(record) = self.records.get_mut(&node) {
            record.value = None;
        }
        self.plan.reopen(node, Status::Failed { why, replan });
    }

    /// Lets a step be done again, also one that failed with what it had.
    fn open_again(&mut self, id: NodeId) {
        let listed = |node: &crate::Node| {
            let goal = node.parent.and_then(|parent| self.plan.goal(parent));
            goal.is_some_and(|goal| goal.children.contains(&id))
        };
        let over = |node: &crate::Node| node.status == Status::Done || (node.status.is_failed() && listed(node));
        if !self.plan.node(id).is_some_and(over) {
            return;
        }
        if let Some(record) = self.records.get_mut(&id) {
            record.value = None;
        }
        self.computed.remove(&id);
        self.plan.reopen(id, Status::Open);
    }

    // The best that a run has stood at.

    pub(super) fn note_best(&mut self) {
        let accepted = self.results().len();
        if self.best.as_ref().is_none_or(|best| best.accepted < accepted)
            && let Some(answer) = self.partial_answer()
        {
            self.best = Some(Best { accepted, answer });
        }
    }

    /// What there is to show of a run without an end: where it stands, or where it stood when it stood better.
    pub(super) fn best_answer(&self) -> Option<Answer> {
        match &self.best {
            Some(best) if best.accepted > self.results().len() => Some(best.answer.clone()),
            _ => self.partial_answer(),
        }
    }

    // Undo.

    /// Whether an alternative to this node may be tried, and what has to happen before.
    pub(super) fn way_back(&self, node: NodeId) -> WayBack {
        let touched: Vec<_> = self
            .plan
            .subtree(node)
            .into_iter()
            .filter_map(|id| Some((id, self.records.get(&id).filter(|record| record.has_touched())?)))
            .collect();
        let returns = |(_, record): &(NodeId, &super::Record)| {
            let undo = record.undo.and_then(|undo| self.plan.node(undo));
            matches!(record.effect, Effect::Reversible { .. })
                && matches!(record.outcome, Some(StepOutcome::Done { .. }))
                && !record.fixed
                && !undo.is_some_and(|undo| undo.status.is_failed())
        };
        if !touched.iter().all(returns) {
            return WayBack::None;
        }
        // The last that was done goes first.
        match touched.into_iter().max_by_key(|(_, record)| record.over_by) {
            None => WayBack::Clear,
            Some((_, super::Record { undo: Some(undo), .. })) => WayBack::Under(*undo),
            Some((step, _)) => WayBack::Undo(step),
        }
    }

    pub(super) fn undoing(
        &mut self,
        node: NodeId,
        tool: &ToolName,
        arguments: &Value,
        effect: &Effect,
    ) -> Result<(), String> {
        let record = self.records.get(&node).filter(|record| record.has_touched() && record.undo.is_none());
        record.ok_or_else(|| format!("there is nothing of {node} to take back"))?;
        let call = Check { tool: tool.clone(), arguments: refs::escape(arguments.clone()), expect: Vec::new() };
        let undo = self.plan.add_aside(node, Service::Undo, call, effect.clone());
        self.note_aside(node, undo);
        if let Some(record) = self.records.get_mut(&node) {
            record.undo = Some(undo);
        }
        Ok(())
    }

    pub(super) fn not_undone(&mut self, node: NodeId) -> Result<(), String> {
        let record = self.records.get_mut(&node).ok_or_else(|| format!("{node} was never started"))?;
        record.fixed = true;
        Ok(())
    }

    /// Takes note of what a call that serves a step has done, once it counts.
    pub(super) fn served(&mut self, by: NodeId) {
        let Some(serves) = self.plan.node(by).and_then(|node| node.serves) else { return };
        if serves.service != Service::Undo {
            return;
        }
        // The world is as it was: the call may be made again, and so may what took it back.
        for id in [serves.of, by] {
            let calls = self.records.get(&id).and_then(|record| self.calls.get_mut(&record.key));
            if let Some(calls) = calls {
                calls.settled = None;
            }
        }
        if let Some(record) = self.records.get_mut(&serves.of) {
            (record.undone, record.value) = (true, None);
        }
        self.best = None;
    }
}

fn looked(node: NodeId, by: NodeId, holds: bool, why: &str) -> EventKind {
    EventKind::LookedAgain { node, by, holds, why: why.to_owned() }
}
