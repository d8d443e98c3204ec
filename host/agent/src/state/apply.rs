//! Folding one event into the state.

use std::sync::Arc;

use serde_json::Value;
use toolcrib_model::Usage;
use toolcrib_policy::Label;

use super::{Exchange, Pending, Record, State, StateError};
use crate::critic::{IT_DID_NOT, IT_HAPPENED, Verdict, is_repeatable};
use crate::{
    Anew, Answer, Body, Each, Event, EventKind, InnerPath, Millis, NodeId, Outcome, Patch, Plan, PlanReason, Question,
    Status, StepName, StepOutcome, ToolFailure,
};

/// What is wrong with an event, without its place.
pub(super) type Applied = Result<(), String>;

impl State {
    /// Folds one event in.
    ///
    /// # Errors
    ///
    /// The event cannot have happened here. The state must not be used afterwards.
    pub fn apply(&mut self, event: &Event) -> Result<(), StateError> {
        self.events += 1;
        let (number, name) = (self.events, event.kind.name());
        let idle_since = self.idle_since.take();
        self.try_apply(event).map_err(|why| StateError { number, event: name, why })?;
        self.now = self.now.max(event.at);
        if let EventKind::PlanAsked { node, .. } | EventKind::StepStarted { node, .. } = &event.kind {
            self.begin_time(*node);
        }
        self.note_idle(idle_since, matches!(event.kind, EventKind::Resumed { .. }));
        Ok(())
    }

    fn try_apply(&mut self, event: &Event) -> Applied {
        match (&event.kind, self.started, &self.outcome) {
            (EventKind::RunStarted { .. }, Some(_), _) => return Err("the run has begun already".to_owned()),
            (EventKind::RunStarted { .. }, None, _) | (EventKind::Resumed { .. }, Some(_), _) => {}
            (_, None, _) => return Err("the run has not begun".to_owned()),
            (EventKind::ApprovalRevoked { .. } | EventKind::RolledBack { .. }, Some(_), _) => {}
            // A person may answer while nobody drives the run.
            (EventKind::ApprovalAnswered { .. }, _, Some(outcome)) if outcome.is_resumable() => {}
            (EventKind::PlanEdited { .. }, _, Some(Outcome::Held)) => {}
            (_, _, Some(_)) => return Err("the run is over".to_owned()),
            _ => {}
        }
        match &event.kind {
            EventKind::RunStarted { goal, planner, budget, caps, inputs, critic, hold, version: _ } => {
                *self =
                    Self { events: self.events, plan: Plan::new(goal), planner: planner.clone(), ..Self::default() };
                (self.budget, self.caps, self.started, self.now) = (*budget, *caps, Some(event.at), event.at);
                (self.inputs, self.critic, self.holding) = (inputs.clone(), critic.clone(), *hold);
                Ok(())
            }
            EventKind::PlanAsked { node, reason } => self.plan_asked(*node, *reason),
            EventKind::PlanRejected { node, faults, usage } => self.plan_rejected(*node, faults, usage),
            EventKind::Expanded { node, patches, usage, note, label, given } => {
                let before = self.plan.nodes().len();
                self.expanded(*node, patches, note, usage, *label)?;
                if *given {
                    self.note_persons(before);
                }
                Ok(())
            }
            EventKind::PlanEdited { node, patches, by: _ } => self.plan_edited(*node, patches),
            EventKind::Looked { node, looks, usage } => self.note_looked(*node, looks, usage),
            EventKind::GoalReached { node, answer, usage } => self.goal_reached(*node, answer.as_ref(), usage),
            EventKind::GoalFailed { node, why, usage } => self.goal_failed(*node, why, usage),
            EventKind::Asked { node, question, about, usage } => self.asked(*node, question, *about, usage),
            EventKind::Answered { node, answer } => self.answered(*node, answer.as_deref()),
            EventKind::Unanswered { node } => self.left_unanswered(*node),
            EventKind::ApprovalAsked { node, from, request, inside } => {
                self.approval_asked(*node, from, request, inside)
            }
            EventKind::ApprovalAnswered { node, id, answer } => self.approval_answered(*node, id, answer, event.at),
            EventKind::ApprovalUsed { node, id, inside } if inside.is_root() => {
                self.used.insert(*node, id.clone());
                self.expect(*node, "open", |status| *status == Status::Open)
            }
            EventKind::ApprovalUsed { node, id, inside } => self.used_inside(*node, inside, id),
            EventKind::ApprovalRevoked { .. } | EventKind::RolledBack { .. } => Ok(()),
            EventKind::StepStarted { .. } => self.step_started(event),
            EventKind::StepFinished { node, outcome, label, receipt: _ } => {
                self.step_finished(*node, outcome, event.at)?;
                self.note_result(*node, outcome, label.as_ref());
                Ok(())
            }
            EventKind::InnerStarted { .. }
            | EventKind::InnerFinished { .. }
            | EventKind::InnerBlocked { .. }
            | EventKind::StepParked { .. }
            | EventKind::StepResumed { .. } => self.inner_applied(event),
            EventKind::StepBlocked { node, why } => self.step_blocked(*node, why),
            EventKind::Judged { node, verdict, why, scores, by: _ } => {
                self.judged(*node, verdict, why, event.at)?;
                if let Some(record) = self.records.get_mut(node) {
                    record.scores = *scores;
                }
                Ok(())
            }
            EventKind::Ungrounded { node, score, missing, then } => self.ungrounded(*node, *score, missing, *then),
            EventKind::Reviewed { node, scores, then, why, usage, by: _, opinion: _ } => {
                self.spend(*node, usage);
                self.result_reviewed(*node, *scores, *then, why)
            }
            EventKind::LookedAgain { node, by, holds, why } => self.looked_again(*node, *by, *holds, why),
            EventKind::Undoing { node, tool, arguments, effect } => self.undoing(*node, tool, arguments, effect),
            EventKind::NotUndone { node, why: _ } => self.not_undone(*node),
            EventKind::Decided { node, holds } => self.condition_decided(*node, *holds),
            EventKind::Computed { node, value, from } => self.value_computed(*node, value, from),
            EventKind::Unrolled { node, items, from } => self.loop_unrolled(*node, items, from),
            EventKind::Backtracked { from, to, why } => self.backtracked(*from, *to, why),
            EventKind::Priced { currency } => self.priced(currency),
            EventKind::ModelAsked { node, request, model, reserved, worst: _ } => {
                self.model_asked(*node, *request, model, *reserved)
            }
            EventKind::ModelAnswered { request, usage, cost, failed, model: _ } => {
                self.model_answered(*request, usage, *cost, failed.is_some())
            }
            EventKind::LoopCut { node, step, why, detector: _, shown: _ } => self.loop_cut(*node, *step, why),
            EventKind::GoalSpent { node, kind } => self.goal_spent(*node, *kind),
            EventKind::Waited { until } => {
                self.now = self.now.max(*until);
                Ok(())
            }
            EventKind::BudgetSpent { kind } => {
                self.exhausted = Some(*kind);
                Ok(())
            }
            EventKind::CancelRequested => {
                self.cancelled = true;
                Ok(())
            }
            EventKind::Resumed { budget } => self.resumed(*budget, event.at),
            EventKind::Forked { from, upto: _, made, keyed } => self.forked(from, made, keyed),
            EventKind::RunFinished { result } => {
                self.outcome = Some(result.clone());
                Ok(())
            }
        }
    }

    pub(super) fn spend(&mut self, node: NodeId, usage: &Usage) {
        self.charge(node, 0, usage.total());
        self.spent.tokens = self.spent.tokens.saturating_add(usage.total());
    }

    pub(super) fn status(&self, node: NodeId) -> Result<&Status, String> {
        self.plan.node(node).map(|node| &node.status).ok_or_else(|| format!("there is no node {node}"))
    }

    pub(super) fn set(&mut self, node: NodeId, status: Status) {
        if let Some(node) = self.plan.node_mut(node) {
            node.status = status;
        }
    }

    pub(super) fn expect(&self, node: NodeId, what: &str, legal: impl Fn(&Status) -> bool) -> Applied {
        let status = self.status(node)?;
        if legal(status) { Ok(()) } else { Err(format!("{node} is not {what}")) }
    }

    pub(super) fn expect_goal(&self, node: NodeId) -> Applied {
        self.plan.goal(node).map(drop).ok_or_else(|| format!("{node} is not a goal"))
    }

    /// Where a goal is when nobody thinks about it: at work if it has children, else open.
    pub(super) fn rest(&mut self, node: NodeId) {
        let busy = self.plan.goal(node).is_some_and(|goal| {
            goal.children.iter().any(|child| self.plan.node(*child).is_some_and(|n| n.status != Status::Skipped))
        });
        self.set(node, if busy { Status::Active } else { Status::Open });
    }

    fn plan_asked(&mut self, node: NodeId, reason: PlanReason) -> Applied {
        self.expect_goal(node)?;
        self.expect(node, "open or at work", |status| matches!(status, Status::Open | Status::Active))?;
        self.stalled = self.stalled.saturating_add(1);
        let event = self.events;
        let why = (reason == PlanReason::Stuck).then(|| self.failure_of(node));
        if let Some(goal) = self.plan.goal_mut(node) {
            goal.talks.push(event);
            // A repaired answer is still about the same failure.
            goal.stuck = why.or_else(|| goal.stuck.take().filter(|_| goal.rejected > 0));
        }
        if let Some(goal) = self.plan.goal_mut(node)
            && reason == PlanReason::Stuck
            && goal.rejected == 0
            && goal.looked == 0
        {
            goal.replans = goal.replans.saturating_add(1);
        }
        self.note_asked(node);
        self.set(node, Status::Planning);
        Ok(())
    }

    fn plan_rejected(&mut self, node: NodeId, faults: &[String], usage: &Usage) -> Applied {
        self.expect(node, "being planned", |status| *status == Status::Planning)?;
        self.spend(node, usage);
        if let Some(goal) = self.plan.goal_mut(node) {
            goal.rejected = goal.rejected.saturating_add(1);
            goal.faults = faults.to_vec();
        }
        self.rest(node);
        Ok(())
    }

    fn expanded(
        &mut self,
        node: NodeId,
        patches: &[Patch],
        note: &str,
        usage: &Usage,
        label: Option<Label>,
    ) -> Applied {
        self.expect(node, "being planned", |status| *status == Status::Planning)?;
        self.spend(node, usage);
        let first = self.plan.nodes().len();
        self.plan.set_failed_aside(node);
        let from = self.plan.next_id();
        for patch in patches {
            self.plan.apply(patch).map_err(|error| error.to_string())?;
        }
        self.note_written(node, first, label);
        if let Some(goal) = self.plan.goal_mut(node) {
            goal.anew.extend(goal.stuck.take().map(|why| Anew { from, why, note: note.to_owned() }));
            (goal.rejected, goal.looked) = (0, 0);
            goal.faults.clear();
        }
        for touched in patches.iter().map(Patch::node).chain([node]) {
            if self.plan.goal(touched).is_some() && !self.status(touched)?.is_over() {
                self.rest(touched);
            }
        }
        Ok(())
    }

    fn goal_reached(&mut self, node: NodeId, answer: Option<&Answer>, usage: &Usage) -> Applied {
        self.expect_goal(node)?;
        self.expect(node, "at work", |status| matches!(status, Status::Planning | Status::Active))?;
        self.spend(node, usage);
        self.plan.skip(node);
        self.forget_looks(node);
        self.set(node, Status::Done);
        if let Some((value, from)) = self.of_rounds(node) {
            self.computed.insert(node, (Arc::new(value), from));
            self.note_rounds(node);
        } else if let Some((value, from)) = self.of_agent(node, answer) {
            self.computed.insert(node, (Arc::new(value), from));
            self.note_agent(node);
        }
        if let Some(answer) = answer {
            self.answers.insert(node, answer.clone());
        }
        Ok(())
    }

    fn goal_failed(&mut self, node: NodeId, why: &str, usage: &Usage) -> Applied {
        self.expect_goal(node)?;
        self.expect(node, "under way", |status| matches!(status, Status::Open | Status::Planning | Status::Active))?;
        self.spend(node, usage);
        self.plan.skip(node);
        self.forget_looks(node);
        self.set(node, Status::Failed { why: why.to_owned(), replan: false });
        Ok(())
    }

    fn asked(&mut self, node: NodeId, question: &Question, about: Option<NodeId>, usage: &Usage) -> Applied {
        self.expect_goal(node)?;
        self.expect(node, "at work", |status| matches!(status, Status::Planning | Status::Active))?;
        if let Some(step) = about {
            let place = self.pending.iter().position(|pending| pending.step == step);
            self.pending.remove(place.ok_or_else(|| format!("nothing is to be asked about {step}"))?);
        } else {
            // What a crash makes necessary to ask is not the planner's doing.
            self.questions = self.questions.saturating_add(1);
        }
        self.spend(node, usage);
        if let Some(goal) = self.plan.goal_mut(node) {
            (goal.rejected, goal.looked) = (0, 0);
            goal.faults.clear();
        }
        self.set(node, Status::Asking { question: question.clone(), about });
        Ok(())
    }

    fn answered(&mut self, node: NodeId, answer: Option<&str>) -> Applied {
        let (question, about) = match self.status(node)? {
            Status::Asking { question, about } => (question.clone(), *about),
            _ => return Err(format!("{node} did not ask")),
        };
        match (about, answer) {
            (None, None) => {
                // It stays asked: a resumed run asks again.
                self.unanswered = Some(question);
                return Ok(());
            }
            (None, Some(answer)) => {
                self.exchanges.push(Exchange { node, question, answer: answer.to_owned() });
            }
            (Some(step), answer) => {
                self.settle(step, answer);
                if let Some(answer) = answer {
                    self.exchanges.push(Exchange { node, question, answer: answer.to_owned() });
                }
            }
        }
        self.rest(node);
        Ok(())
    }

    fn left_unanswered(&mut self, node: NodeId) -> Applied {
        let Status::Asking { question, about: Some(_) } = self.status(node)? else {
            return Err(format!("{node} did not ask about a call"));
        };
        self.unanswered = Some(question.clone());
        Ok(())
    }

    /// Takes a person's word on whether an effect happened; without one the step is lost, and nothing is repeated.
    fn settle(&mut self, step: NodeId, answer: Option<&str>) {
        let word = answer.map(str::trim);
        let happened = word.is_some_and(|word| word.eq_ignore_ascii_case(IT_HAPPENED));
        let not = word.is_some_and(|word| word.eq_ignore_ascii_case(IT_DID_NOT));
        if (happened || not) && self.settle_inside(step, happened) {
            return;
        }
        match word {
            Some(word) if word.eq_ignore_ascii_case(IT_HAPPENED) => {
                if let Some(record) = self.records.get_mut(&step) {
                    // It has a result, of which nothing is known.
                    record.value = Some(Arc::new(serde_json::json!({})));
                }
                self.set(step, Status::Done);
                self.served(step);
            }
            Some(word) if word.eq_ignore_ascii_case(IT_DID_NOT) => {
                if let Some(calls) = self.records.get(&step).and_then(|record| self.calls.get_mut(&record.key)) {
                    calls.settled = None;
                }
                self.set(step, Status::Open);
            }
            Some(word) => self.settle_doubt(step, word),
            None => {}
        }
    }

    fn step_started(&mut self, event: &Event) -> Applied {
        let EventKind::StepStarted {
            node,
            attempt,
            tool,
            arguments,
            from,
            effect,
            labels,
            under,
            key: idempotency,
            folders,
            price,
            program,
        } = &event.kind
        else {
            return Err("not a start".to_owned());
        };
        let key = Self::call_key(tool, arguments);
        self.expect(*node, "open", |status| *status == Status::Open)?;
        if !self.plan.may_call(*node, tool) {
            return Err(format!("the agent of {node} has no `{tool}`"));
        }
        if let Some(why) = self.settled(*node, &key) {
            return Err(why);
        }
        let step = self.plan.step_mut(*node).ok_or_else(|| format!("{node} is not a step"))?;
        if step.tool != *tool || step.attempts.checked_add(1) != Some(*attempt) {
            return Err(format!("{node} is try {} of {}", step.attempts + 1, step.tool));
        }
        step.attempts = *attempt;
        self.call_priced(*node, &InnerPath::ROOT, tool, *price)?;
        let calls = self.calls.entry(key).or_default();
        calls.times = calls.times.saturating_add(1);
        self.spent.steps = self.spent.steps.saturating_add(1);
        self.charge(*node, 1, 0);
        self.not_before.remove(node);
        let record = Record {
            arguments: Arc::new(arguments.clone()),
            from: from.clone(),
            effect: effect.clone(),
            started: event.at,
            finished: None,
            outcome: None,
            value: None,
            verdict: None,
            why: String::new(),
            scores: None,
            begun_by: self.events,
            over_by: 0,
            undo: None,
            undone: false,
            fixed: false,
            key,
            idempotency: idempotency.clone(),
            folders: folders.clone(),
        };
        if let (Some(keys), Some(used)) = (self.keys.get_mut(&key), idempotency) {
            keys.retain(|key| key != used);
        }
        self.records.insert(*node, record);
        self.open_journal(*node, program.as_ref(), labels, *under);
        self.note_given(*node, labels, *under);
        self.set(*node, Status::Running);
        Ok(())
    }

    fn step_finished(&mut self, node: NodeId, outcome: &StepOutcome, at: Millis) -> Applied {
        self.expect(node, "under way", |status| *status == Status::Running)?;
        let name = self.plan.step(node).map(|step| step.name.clone());
        let record = self.records.get_mut(&node).ok_or_else(|| format!("{node} was never started"))?;
        (record.finished, record.over_by) = (Some(at), self.events);
        record.outcome = Some(outcome.clone());
        self.call_settled(node, &InnerPath::ROOT, outcome);
        let record = self.records.get_mut(&node).ok_or_else(|| format!("{node} was never started"))?;
        let calls = self.calls.entry(record.key).or_default();
        if record.has_touched() {
            calls.settled = name;
        }
        match outcome {
            StepOutcome::Failed { failure: ToolFailure { code, message, .. } } => {
                let failure = format!("{code}: {message}");
                calls.same_failures =
                    if calls.failure.as_ref() == Some(&failure) { calls.same_failures + 1 } else { 1 };
                calls.failure = Some(failure);
            }
            _ => (calls.failure, calls.same_failures) = (None, 0),
        }
        self.tread(node, outcome);
        self.set(node, Status::Finished);
        Ok(())
    }

    fn step_blocked(&mut self, node: NodeId, why: &str) -> Applied {
        self.expect(node, "open", |status| *status == Status::Open)?;
        if self.plan.goal(node).is_some() {
            return Err(format!("{node} is not a step"));
        }
        self.set(node, Status::Failed { why: why.to_owned(), replan: false });
        Ok(())
    }

    fn judged(&mut self, node: NodeId, verdict: &Verdict, why: &str, at: Millis) -> Applied {
        self.expect(node, "waiting for a verdict", |status| *status == Status::Finished)?;
        let parent = self.plan.goal_at_work(node);
        let record = self.records.get_mut(&node).ok_or_else(|| format!("{node} was never started"))?;
        record.verdict = Some(verdict.clone());
        record.why = why.to_owned();
        let failed = |replan| Status::Failed { why: why.to_owned(), replan };
        let status = match verdict {
            Verdict::Accept => {
                let Some(StepOutcome::Done { output }) = &record.outcome else {
                    return Err(format!("{node} has no result to accept"));
                };
                record.value = Some(Arc::new(output.value()));
                self.stalled = 0;
                Status::Done
            }
            Verdict::Retry { .. } if record.has_touched() && !is_repeatable(&record.effect) => {
                return Err(format!("{node} may have taken effect and must not be repeated"));
            }
            Verdict::Retry { after_ms } => {
                self.not_before.insert(node, Millis(at.0.saturating_add(*after_ms)));
                if let Some(check) = self.plan.check_of(node) {
                    // What was read back before the next try says nothing about it.
                    self.records.remove(&check);
                    self.set(check, Status::Open);
                }
                Status::Open
            }
            Verdict::Backtrack => failed(false),
            Verdict::Replan => failed(true),
            Verdict::Ask { question } => {
                self.pending.push(Pending { goal: parent, step: node, question: question.clone() });
                failed(true)
            }
        };
        self.set(node, status);
        if *verdict == Verdict::Accept {
            self.served(node);
        }
        Ok(())
    }

    fn condition_decided(&mut self, node: NodeId, holds: bool) -> Applied {
        self.expect(node, "open", |status| *status == Status::Open)?;
        let planned = self.plan.goal(node).is_some_and(|goal| !goal.children.is_empty());
        self.note_decided(node);
        let found = self.plan.node_mut(node).filter(|node| node.when.is_some() && node.holds.is_none());
        let found = found.ok_or_else(|| format!("{node} has no open condition"))?;
        found.holds = Some(holds);
        if !holds {
            self.plan.skip(node);
        } else if planned {
            found.status = Status::Active;
        }
        Ok(())
    }

    fn value_computed(&mut self, node: NodeId, value: &Value, from: &[StepName]) -> Applied {
        self.expect(node, "open", |status| *status == Status::Open)?;
        if !matches!(self.plan.node(node).map(|node| &node.body), Some(Body::Value(_))) {
            return Err(format!("{node} is no value"));
        }
        self.computed.insert(node, (Arc::new(value.clone()), from.to_vec()));
        self.note_computed(node);
        self.stalled = 0;
        for goal in self.plan.path(node) {
            if let Some(goal) = self.plan.goal_mut(goal) {
                goal.talks.clear();
            }
        }
        self.set(node, Status::Done);
        Ok(())
    }

    fn loop_unrolled(&mut self, node: NodeId, items: &[Value], from: &[StepName]) -> Applied {
        self.expect(node, "open", |status| *status == Status::Open)?;
        let body = self.plan.goal(node).and_then(|goal| goal.each.as_ref()).map(Each::size);
        let body = body.ok_or_else(|| format!("{node} is no loop"))?;
        let nodes = self.nodes_with(items.len(), body);
        if nodes > self.caps.nodes {
            return Err(format!("the plan would have {nodes} nodes"));
        }
        let (first, first_id) = (self.plan.nodes().len(), self.plan.next_id());
        self.plan.unroll(node, items.len()).map_err(|error| error.to_string())?;
        self.note_unrolled(node, first);
        if self.given.contains(&node) {
            self.note_persons(first);
        }
        if self.is_by_person(node) {
            self.by_person.push((first_id, self.plan.next_id()));
        }
        self.rounds.insert(node, (Arc::new(items.to_vec()), from.to_vec()));
        self.set(node, Status::Active);
        Ok(())
    }

    fn backtracked(&mut self, from: NodeId, to: NodeId, why: &str) -> Applied {
        self.expect(from, "failed", Status::is_failed)?;
        self.note_error(from, to, why);
        let node = self.plan.node_mut(to).ok_or_else(|| format!("there is no node {to}"))?;
        node.instead_of = Some(from);
        Ok(())
    }
}
