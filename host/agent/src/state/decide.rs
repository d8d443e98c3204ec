//! What is to be done next.

use super::approvals::ASKS_MAX;
use super::asides::WayBack;
use super::shares::can_end;
use super::{Command, State};
use crate::critic::is_repeatable;
use crate::{
    Body, BudgetKind, EventKind, Node, NodeId, Order, Outcome, PlanReason, Status, Step, StepOutcome, Then, Trying,
};

/// How often in a row the answer of an agent's planner may be unusable, and how often its goal may be planned anew, at least.
const AGENT_REPAIRS: u32 = 3;
const AGENT_REPLANS: u32 = 6;

/// How the children of a goal stand together.
enum Fate {
    /// All that is needed is reached.
    Reached,
    /// These can go on.
    Pending(Vec<NodeId>),
    /// It cannot be reached this way.
    Stuck,
    /// An alternative is to be tried in place of one that failed.
    Backtrack { from: NodeId, to: NodeId },
    /// Before that, a step has to be taken back.
    Undo(NodeId),
}

impl State {
    /// What is to be done next. A [`Command::Record`] comes alone: once recorded, ask again. Commands that are
    /// already being done are repeated only for `Judge`, `Ask` and `Wait`; drivers do each of these once.
    pub fn decide(&self) -> Vec<Command> {
        if self.started.is_none() || self.outcome.is_some() {
            return Vec::new();
        }
        let judge: Vec<_> = self
            .plan
            .steps()
            .filter(|(node, _)| node.status == Status::Finished && self.pending_check(node.id).is_none())
            .map(|(node, _)| Command::Judge { node: node.id })
            .collect();
        if !judge.is_empty() {
            return judge;
        }
        if let Some(withdraw) = self.withdraw(false) {
            return vec![withdraw];
        }
        if self.is_ending() {
            let waiting = self.in_flight().next().is_some();
            return if waiting { Vec::new() } else { vec![Command::Finish { result: self.ending() }] };
        }
        match self.plan.node(NodeId::ROOT).map(|root| &root.status) {
            Some(Status::Done) => return vec![self.finish(self.reached())],
            Some(Status::Failed { why, .. }) => return vec![self.finish(self.failed(why))],
            _ => {}
        }
        if self.now >= self.deadline() {
            return vec![Command::Record(EventKind::BudgetSpent { kind: BudgetKind::Wall })];
        }
        if let Some(ask) = self.pending_question() {
            return vec![ask];
        }
        self.next()
    }

    /// The events that a resumed run records before it goes on: an intent without an outcome is `unknown`,
    /// unless doing it again is harmless.
    pub fn recover(&self) -> Vec<EventKind> {
        let interrupted = |node: NodeId| {
            let repeatable = self.records.get(&node).is_some_and(|record| is_repeatable(&record.effect));
            let why = "the run was cut off while the call was under way".to_owned();
            let outcome = if repeatable { StepOutcome::NotStarted { why } } else { StepOutcome::Unknown { why } };
            EventKind::StepFinished { node, outcome, receipt: serde_json::Value::Null, label: None }
        };
        let cut_off = "the run was cut off";
        let of = |node| match self.journal(node) {
            Some(_) => self.set_down(node, cut_off),
            None => vec![interrupted(node)],
        };
        self.in_flight().flat_map(of).collect()
    }

    fn next(&self) -> Vec<Command> {
        if let Some(looked) = self.second_look() {
            return vec![Command::Record(looked)];
        }
        let mut walk = Walk { state: self, commands: Vec::new(), busy: self.busy(), held: false };
        self.looking.values().for_each(|look| walk.step(*look));
        walk.goal(NodeId::ROOT);
        let record = walk.commands.iter().position(|command| matches!(command, Command::Record(_)));
        if let Some(at) = record {
            return vec![walk.commands.swap_remove(at)];
        }
        // They run beside whatever else is done.
        walk.commands.extend(self.unreviewed().map(|node| Command::Review { node }));
        if walk.commands.is_empty() && self.busy() == 0 && walk.held {
            return vec![self.finish(Outcome::Held)];
        }
        if walk.commands.is_empty() && self.busy() == 0 {
            // Cannot happen as long as every goal at work has something to do; a run must end all the same.
            return vec![self.finish(self.failed("nothing is left that could be done"))];
        }
        walk.commands
    }

    /// The end of a run that is over for good, once no question of it is open.
    fn finish(&self, result: Outcome) -> Command {
        self.withdraw(true).unwrap_or(Command::Finish { result })
    }

    pub(super) fn busy(&self) -> usize {
        // A program that waits for a person does nothing else.
        let busy = |node: &&Node| match node.status {
            Status::Running => !self.program_waits(node.id),
            Status::Planning => true,
            _ => false,
        };
        self.plan.nodes().iter().filter(busy).count()
    }

    fn pending_question(&self) -> Option<Command> {
        let ready = |goal| self.plan.node(goal).is_some_and(|node| node.status == Status::Active);
        let pending = self.pending.iter().find(|pending| ready(pending.goal))?;
        Some(Command::Record(EventKind::Asked {
            node: pending.goal,
            question: pending.question.clone(),
            about: Some(pending.step),
            usage: Default::default(),
        }))
    }

    fn ending(&self) -> Outcome {
        let partial = self.best_answer();
        match (&self.unanswered, self.exhausted) {
            _ if self.cancelled => Outcome::Cancelled { partial },
            (Some(question), _) => Outcome::Asked { question: question.clone(), partial },
            (None, Some(kind)) => Outcome::Budget { kind, partial },
            (None, None) => Outcome::Cancelled { partial },
        }
    }

    fn reached(&self) -> Outcome {
        let answer = self.answers.get(&NodeId::ROOT).cloned().or_else(|| self.partial_answer());
        Outcome::Reached { answer: answer.unwrap_or_else(|| crate::Answer::text("done")) }
    }

    fn failed(&self, why: &str) -> Outcome {
        let (reason, partial) = (why.to_owned(), self.best_answer());
        match self.refusals().next() {
            Some(_) => Outcome::Refused { reason, grants: self.missing_grants(), partial },
            None => Outcome::Failed { reason, partial },
        }
    }

    fn fate(&self, order: Order, children: &[NodeId]) -> Fate {
        let status = |id: &NodeId| self.plan.node(*id).map(|node| &node.status);
        let live: Vec<_> = children.iter().copied().filter(|id| status(id) != Some(&Status::Skipped)).collect();
        let open = |id: &NodeId| !status(id).is_some_and(Status::is_over);
        match order {
            Order::Sequence => match live.iter().find(|id| status(id) != Some(&Status::Done)) {
                None => Fate::Reached,
                Some(id) if open(id) => Fate::Pending(vec![*id]),
                Some(_) => Fate::Stuck,
            },
            Order::Parallel => {
                let pending: Vec<_> = live.iter().copied().filter(open).collect();
                match pending.is_empty() {
                    false => Fate::Pending(pending),
                    true if live.iter().all(|id| status(id) == Some(&Status::Done)) => Fate::Reached,
                    true => Fate::Stuck,
                }
            }
            Order::Alternatives => self.fate_of_alternatives(&live, false),
            Order::Rescue => self.fate_of_alternatives(&live, true),
        }
    }

    /// `rescue`: the next one was written for the failure of the one before, whatever that did.
    fn fate_of_alternatives(&self, live: &[NodeId], rescue: bool) -> Fate {
        let mut failed = None;
        for id in live {
            let Some(node) = self.plan.node(*id) else { continue };
            match &node.status {
                Status::Done => return Fate::Reached,
                // Never around something that cannot be taken back: the planner decides.
                Status::Failed { replan, .. } if !rescue => {
                    // Nothing is taken back for nothing.
                    let others = live.iter().any(|other| self.status(*other).is_ok_and(|status| !status.is_failed()));
                    match self.way_back(*id) {
                        _ if *replan || !others => return Fate::Stuck,
                        WayBack::Clear => failed = Some(*id),
                        WayBack::Undo(step) => return Fate::Undo(step),
                        WayBack::Under(undo) => return Fate::Pending(vec![undo]),
                        WayBack::None => return Fate::Stuck,
                    }
                }
                Status::Failed { .. } => failed = Some(*id),
                _ => {
                    return match failed {
                        Some(from) if node.instead_of != Some(from) => Fate::Backtrack { from, to: *id },
                        _ => Fate::Pending(vec![*id]),
                    };
                }
            }
        }
        Fate::Stuck
    }

    pub(super) fn failure_of(&self, node: NodeId) -> String {
        let why = |id: NodeId| match self.plan.node(id).map(|node| &node.status) {
            Some(Status::Failed { why, .. }) => Some(why.clone()),
            _ => None,
        };
        let children = self.plan.goal(node).map(|goal| goal.children.as_slice()).unwrap_or_default();
        why(node).or_else(|| children.iter().rev().copied().find_map(why)).unwrap_or_else(|| "it failed".to_owned())
    }
}

struct Walk<'s> {
    state: &'s State,
    commands: Vec<Command>,
    busy: usize,
    /// Whether something would be done if the run were not held.
    held: bool,
}

impl Walk<'_> {
    fn goal(&mut self, id: NodeId) {
        let Some(node) = self.state.plan.node(id) else { return };
        if self.holds(node) {
            return;
        }
        if node.status == Status::Open
            && let Some(event) = self.state.decided(id)
        {
            return self.record(event);
        }
        let goal = match &node.body {
            Body::Goal(goal) => goal,
            Body::Step(_) => return self.step(id),
            Body::Value(computed) if node.status == Status::Open => {
                return self.record(self.state.computed(id, &computed.value));
            }
            Body::Value(_) => return,
        };
        if can_end(&node.status)
            && let Some(spent) = self.state.spent_above(id, BudgetKind::Wall, &[])
            && let Some(event) = self.state.goal_spent_event(spent, BudgetKind::Wall)
        {
            return self.record(event);
        }
        match &node.status {
            Status::Open if let Some(each) = &goal.each => {
                self.record(self.state.unrolled(id, &each.list, each.size()));
            }
            Status::Open => self.plan(id, PlanReason::Open),
            Status::Asking { question, .. } => {
                self.commands.push(Command::Ask { node: id, question: question.clone() })
            }
            Status::Active => match self.state.fate(goal.order, &goal.children) {
                Fate::Pending(children) => children.into_iter().for_each(|child| self.goal(child)),
                Fate::Backtrack { from, to } => {
                    let why = self.state.failure_of(from);
                    self.record(EventKind::Backtracked { from, to, why });
                }
                Fate::Undo(node) => self.commands.push(Command::Undo { node }),
                // The last word is said when nothing is in doubt.
                Fate::Reached if id == NodeId::ROOT && self.state.is_in_doubt() => {}
                Fate::Reached if goal.then == Then::Close && id != NodeId::ROOT => {
                    self.record(EventKind::GoalReached { node: id, answer: None, usage: Default::default() });
                }
                Fate::Reached => self.plan(id, PlanReason::Review),
                // Another look may change what it is stuck on.
                Fate::Stuck if self.state.is_in_doubt() => {}
                Fate::Stuck => self.plan(id, PlanReason::Stuck),
            },
            _ => {}
        }
    }

    /// Whether nothing happens here before a person has seen the plan. Only what a planner says without any result goes on.
    fn holds(&mut self, node: &Node) -> bool {
        let planned = match &node.body {
            Body::Goal(goal) => goal.each.is_none() && node.when.is_none(),
            Body::Step(_) | Body::Value(_) => false,
        };
        let holds = self.state.holding && node.status == Status::Open && !planned;
        self.held |= holds;
        holds
    }

    fn record(&mut self, event: EventKind) {
        self.commands.push(Command::Record(event));
    }

    fn plan(&mut self, id: NodeId, reason: PlanReason) {
        let Some(goal) = self.state.plan.goal(id) else { return };
        let caps = &self.state.caps;
        // Whoever wrote a flow leaves nothing to a planner, but for the agents in it.
        let of_agent = self.state.plan.scope_of(id) != NodeId::ROOT;
        let repairs = if of_agent { caps.repairs.max(AGENT_REPAIRS) } else { caps.repairs };
        let replans = if of_agent { caps.replans.max(AGENT_REPLANS) } else { caps.replans };
        let begins = goal.agent.is_some() && self.state.plan.node(id).is_some_and(|node| node.status == Status::Open);
        let give_up = if begins && self.state.agents_begun() >= caps.agents as usize {
            Some(format!("{} child agents have begun in this run, which is enough", caps.agents))
        } else if goal.rejected > repairs {
            Some(format!("no usable plan after {} tries: {}", goal.rejected, goal.faults.join("; ")))
        } else if goal.replans >= replans && reason == PlanReason::Stuck {
            let why = self.state.failure_of(id);
            Some(if goal.replans == 0 {
                why
            } else {
                format!("planned {} times anew and still failing: {why}", goal.replans)
            })
        } else if self.state.stalled >= caps.stall {
            Some(format!("the planner was asked {} times without any progress", self.state.stalled))
        } else if self.state.questions > caps.questions {
            Some(format!("{} questions were asked, which is enough", self.state.questions))
        } else {
            None
        };
        if let Some(why) = give_up {
            self.record(EventKind::GoalFailed { node: id, why, usage: Default::default() });
        } else if let Some(event) = self.state.monologue(id) {
            self.record(event);
        } else if let Some(spent) = self.state.spent_above(id, BudgetKind::Tokens, &[]) {
            if let Some(event) = self.state.goal_spent_event(spent, BudgetKind::Tokens) {
                self.record(event);
            }
        } else if self.state.spent.tokens >= self.state.budget.tokens {
            self.record(EventKind::BudgetSpent { kind: BudgetKind::Tokens });
        } else if self.busy < caps.parallel.max(1) {
            self.busy += 1;
            self.commands.push(Command::CallPlanner { node: id, reason });
        }
    }

    fn step(&mut self, id: NodeId) {
        let state = self.state;
        let (Some(node), Some(step)) = (state.plan.node(id), state.plan.step(id)) else { return };
        if let (Status::Waiting, Some(request)) = (&node.status, state.approval(id)) {
            return self.commands.push(Command::Approve { node: id, request: Box::new(request.clone()) });
        }
        if let (Status::Finished, Some(check)) = (&node.status, state.pending_check(id)) {
            return self.step(check);
        }
        if matches!(node.status, Status::Running | Status::Parked) {
            self.commands.extend(state.approvals_inside(id));
            if node.status == Status::Parked && !state.program_waits(id) && self.busy < state.caps.parallel.max(1) {
                self.busy += 1;
                self.commands.push(Command::Rerun { node: id, trying: step.trying });
            }
            return;
        }
        if node.status != Status::Open {
            return;
        }
        if !is_repeatable(&step.effect) && node.serves.is_none() && state.is_in_doubt() {
            return;
        }
        if state.asks(id) >= ASKS_MAX {
            return self
                .record(EventKind::StepBlocked { node: id, why: format!("a person was asked {ASKS_MAX} times") });
        }
        let end = state.share_deadline(id);
        if node.serves.is_some_and(|serves| serves.service.only_reads()) && end.is_some_and(|end| end <= state.now) {
            let why = "no time is left to look with".to_owned();
            return self.record(EventKind::StepBlocked { node: id, why });
        }
        if let Some(until) = state.not_before.get(&id).filter(|until| **until > state.now) {
            // What takes a step back is made also after the end of its goal.
            let until = end.filter(|end| *end > state.now).map_or(*until, |end| end.min(*until));
            return self.commands.push(Command::Wait { until });
        }
        let calls = self.commands.iter().filter(|command| matches!(command, Command::CallTool { .. })).count();
        if state.spent.steps as usize + calls >= state.budget.steps as usize {
            // Calls that were found before this one still fit: they go first.
            if calls == 0 && node.serves.is_some_and(|serves| serves.service.only_reads()) {
                let why = "no call is left to look with".to_owned();
                self.record(EventKind::StepBlocked { node: id, why });
            } else if calls == 0 {
                self.record(EventKind::BudgetSpent { kind: BudgetKind::Steps });
            }
            return;
        }
        let made: Vec<NodeId> = self.commands.iter().filter_map(Command::called).collect();
        if let Some(spent) = state.spent_above(id, BudgetKind::Steps, &made) {
            // Those that still fit go first.
            let here = made.iter().any(|call| state.plan.path(*call).contains(&spent));
            let ends = state.plan.node(spent).is_some_and(|goal| can_end(&goal.status));
            if !ends && node.serves.is_some_and(|serves| serves.service.only_reads()) {
                // A goal that is over, or that is planned just now, does not end for a look at one of its results.
                let why = "no call is left to look with".to_owned();
                self.record(EventKind::StepBlocked { node: id, why });
            } else if !here && let Some(event) = state.goal_spent_event(spent, BudgetKind::Steps) {
                self.record(event);
            }
            return;
        }
        if self.busy >= state.caps.parallel.max(1) {
            return;
        }
        match self.call(id, step) {
            Ok(Some(call)) => {
                self.busy += 1;
                self.commands.push(call);
            }
            Ok(None) => {}
            Err(event) => self.record(*event),
        }
    }

    /// The call of a step, what is recorded in its place, or neither where something else has to be over first.
    fn call(&self, id: NodeId, step: &Step) -> Result<Option<Command>, Box<EventKind>> {
        let state = self.state;
        let blocked = |why: String| Box::new(EventKind::StepBlocked { node: id, why });
        let (arguments, from) = state.at(id).resolve(&step.arguments).map_err(|error| blocked(error.to_string()))?;
        let key = State::call_key(&step.tool, &arguments);
        if let Some(why) = state.settled(id, &key) {
            return Err(blocked(why));
        }
        if step.attempts == 0 {
            let times = state.calls.get(&key).map_or(0, |calls| calls.times);
            match state.circle(id, &key) {
                Some(Ok(event)) => return Err(Box::new(event)),
                Some(Err(())) => return Ok(None),
                None if times >= state.caps.polls.max(state.caps.repeats) => {
                    return Err(blocked(format!("the very same call was made {times} times already")));
                }
                None => {}
            }
        }
        // Two calls of one round must not be the same irreversible one.
        let twin = self.commands.iter().any(
            |command| matches!(command, Command::CallTool { tool, arguments: other, .. } if *tool == step.tool && *other == arguments),
        );
        if twin && !is_repeatable(&step.effect) && !state.may_repeat(id) {
            return Err(blocked("the very same call is being made by another step".to_owned()));
        }
        let (labels, under) = (state.labels(id, &arguments), state.under(id));
        let trying = Trying { wall_ms: state.call_time(id, step), ..step.trying };
        let (attempt, tool) = (step.attempts + 1, step.tool.clone());
        Ok(Some(Command::CallTool { node: id, attempt, tool, arguments, from, labels, under, trying }))
    }
}
