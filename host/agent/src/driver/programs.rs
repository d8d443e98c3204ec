//! Programs under way: what they ask of the driver, and running them again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::flight::Flight;
use super::{Run, RunError};
use crate::inner::{Begun, Ended, Inside, Word};
use crate::state::ASKS_MAX;
use crate::{
    BudgetKind, Cancel, EffectState, EventKind, Gate, INNER_DEPTH_MAX, InnerPath, Intent, Millis, NodeId, Program,
    StepOutcome, ToolCall, ToolFailure, ToolReport, Trying,
};
use toolcrib_policy::{Marks, ToolName};

/// How long a program is kept in memory while it waits for a person. After that it is dropped, and run again once the
/// answer is there: a person who is at the desk answers sooner, and one who is not may take days.
const HELD: Duration = Duration::from_secs(60);

/// Every program under way in this process.
pub(super) struct Programs {
    live: BTreeMap<NodeId, Live>,
    words: (mpsc::UnboundedSender<Word>, mpsc::UnboundedReceiver<Word>),
    /// What is to be looked at again: an answer has come.
    again: VecDeque<Wish>,
    /// Calls with a price that wait until it is known what requests to models have cost.
    unpaid: Vec<Wish>,
}

/// One program under way.
struct Live {
    cancel: Cancel,
    /// It may change something by itself, and is not run again.
    once: bool,
    /// How many calls it has asked for in this life, by who asked.
    asked: BTreeMap<InnerPath, u32>,
    /// Calls that wait for a person.
    held: Vec<(Wish, Millis)>,
    /// Why it is to end.
    ending: Option<Ending>,
}

enum Ending {
    /// It is run again later.
    Parked(String),
    /// It does not do what it did before.
    Diverged(String),
}

/// A call that a program wants to make.
struct Wish {
    node: NodeId,
    path: InnerPath,
    tool: ToolName,
    arguments: Value,
    reply: oneshot::Sender<Begun>,
}

impl Default for Programs {
    fn default() -> Self {
        Self { live: BTreeMap::new(), words: mpsc::unbounded_channel(), again: VecDeque::new(), unpaid: Vec::new() }
    }
}

impl Programs {
    /// A program is started: how it tells the driver, and how it is told to end.
    pub(super) fn start(&mut self, node: NodeId, program: &Program) -> (Inside, Cancel) {
        let (once, cancel) = (program.once, Cancel::new());
        let live = Live { cancel: cancel.clone(), once, asked: BTreeMap::new(), held: Vec::new(), ending: None };
        self.live.insert(node, live);
        (Inside::of(node, self.words.0.clone()), cancel)
    }

    /// Tells all of them to end.
    pub(super) fn cancel(&mut self) {
        for live in self.live.values_mut() {
            live.ending.get_or_insert_with(|| Ending::Parked("the run stopped".to_owned()));
            live.held.clear();
            live.cancel.cancel();
        }
    }

    /// The next thing that a program wants.
    pub(super) async fn next(&mut self) -> Option<Word> {
        self.words.1.recv().await
    }

    /// When the first program has waited long enough.
    pub(super) fn patience(&self) -> Option<Millis> {
        let held = self.live.values().filter(|live| live.ending.is_none() && !live.once).flat_map(|live| &live.held);
        held.map(|(_, since)| since.plus(HELD)).min()
    }

    /// Drops the programs that have waited long enough.
    pub(super) fn park(&mut self, now: Millis) {
        for live in self.live.values_mut() {
            if live.ending.is_none() && !live.once && live.held.iter().any(|(_, since)| now >= since.plus(HELD)) {
                live.end(Ending::Parked("it waits for a person".to_owned()));
            }
        }
    }

    /// What waited for money is looked at again.
    pub(super) fn money_is_counted(&mut self) {
        self.again.extend(self.unpaid.drain(..));
    }

    /// The call at `path` was answered for: it is looked at again.
    pub(super) fn answered(&mut self, node: NodeId, path: &InnerPath) {
        let Some(live) = self.live.get_mut(&node) else { return };
        if let Some(at) = live.held.iter().position(|(wish, _)| wish.path == *path) {
            self.again.push_back(live.held.remove(at).0);
        }
    }
}

impl Live {
    fn end(&mut self, why: Ending) {
        self.ending.get_or_insert(why);
        // Whoever waits for an answer gets none: the program is cancelled.
        self.held.clear();
        self.cancel.cancel();
    }
}

impl Run {
    /// Starts the call of a step, with its way back to the driver where it is a program.
    pub(super) fn fly(&mut self, call: ToolCall, flight: &mut Flight) {
        let tools = std::sync::Arc::clone(&self.ports.tools);
        match call.program {
            None => flight.call(tools, call, self.calls.clone(), None),
            Some(ref program) => {
                let (inside, cancel) = self.programs.start(call.node, program);
                flight.call(tools, call, cancel, Some(inside));
            }
        }
    }

    /// Runs a program again.
    pub(super) async fn rerun(&mut self, node: NodeId, trying: Trying, flight: &mut Flight) -> Result<(), RunError> {
        let state = std::sync::Arc::clone(&self.state);
        let (Some(step), Some(record), Some(journal)) =
            (state.plan().step(node), state.record(node), state.journal(node))
        else {
            return Ok(());
        };
        let call = ToolCall {
            node,
            attempt: step.attempts,
            tool: step.tool.clone(),
            arguments: (*record.arguments).clone(),
            effect: record.effect.clone(),
            labels: journal.labels.clone(),
            under: journal.under,
            approval: journal.approval(&InnerPath::ROOT).cloned(),
            wall_ms: trying.wall_ms,
            inside: InnerPath::ROOT,
            program: Some(journal.program.clone()),
            within: state.plan().tool_lists(node),
            key: state.key_of(node, &step.tool, &record.arguments).cloned(),
        };
        drop(state);
        self.record(EventKind::StepResumed { node }).await?;
        self.fly(call, flight);
        Ok(())
    }

    /// Does what programs whose question was answered want.
    pub(super) async fn look_again(&mut self) -> Result<bool, RunError> {
        let Some(wish) = self.programs.again.pop_front() else { return Ok(false) };
        // A program that is told to end meanwhile makes no more calls.
        if self.programs.live.get(&wish.node).is_some_and(|live| live.ending.is_none()) {
            self.begin(wish).await?;
        }
        Ok(true)
    }

    /// Takes what a program says.
    pub(super) async fn hear_program(&mut self, word: Word) -> Result<(), RunError> {
        match word {
            Word::Begin { node, of, tool, arguments, reply } => {
                let Some(live) = self.programs.live.get_mut(&node).filter(|live| live.ending.is_none()) else {
                    return Ok(());
                };
                let asked = live.asked.entry(of.clone()).or_default();
                *asked = asked.saturating_add(1);
                let path = of.child(*asked);
                self.begin(Wish { node, path, tool, arguments, reply }).await
            }
            Word::End { node, path, ended, reply } => {
                let finished = self.end(node, &path, ended).await?;
                let _ = reply.send(finished);
                Ok(())
            }
        }
    }

    async fn begin(&mut self, wish: Wish) -> Result<(), RunError> {
        let state = std::sync::Arc::clone(&self.state);
        let (node, path) = (wish.node, wish.path.clone());
        let Some(journal) = state.journal(node).filter(|_| !state.is_ending()) else { return Ok(()) };
        if let Some(why) = differs(journal, &wish) {
            if let Some(live) = self.programs.live.get_mut(&node) {
                live.end(Ending::Diverged(why));
            }
            return Ok(());
        }
        if let Some(known) = journal.calls.get(&path) {
            match &known.outcome {
                Some(outcome) if !known.is_open() => {
                    let (outcome, receipt, finished) = (outcome.clone(), known.receipt.clone(), known.finished);
                    let _ = wish.reply.send(Begun::Over { outcome, receipt, finished });
                    return Ok(());
                }
                // A program inside the program: it is run again as well.
                None if known.reruns() => {
                    let (labels, under, program) = (known.labels.clone(), known.under, known.program.clone());
                    let approval = journal.approval(&path).cloned();
                    let _ = wish.reply.send(Begun::Make { path, labels, under, approval, program });
                    return Ok(());
                }
                _ => {}
            }
        }
        drop(state);
        self.begin_new(wish).await
    }

    /// A call that was not made before: budget, gates, intent.
    async fn begin_new(&mut self, wish: Wish) -> Result<(), RunError> {
        let state = std::sync::Arc::clone(&self.state);
        let (node, path) = (wish.node, wish.path.clone());
        if state.spent().steps >= state.budget().steps {
            drop(state);
            // The reply is dropped: the program is set down where it is, and goes on with another budget.
            return self.record(EventKind::BudgetSpent { kind: BudgetKind::Steps }).await;
        }
        if state.goal_has_no_steps(node) {
            let why = "the budget of steps that its goal had is spent".to_owned();
            return self.block(wish, "denied", why).await;
        }
        if !state.plan().may_call(node, &wish.tool) {
            let why = format!("`{}` was not called: it is none of the tools of the agent", wish.tool);
            return self.block(wish, "denied", why).await;
        }
        let card = self.ports.tools.get(&wish.tool);
        let Some(card) = card else {
            let why = format!("there is no tool `{}`", wish.tool);
            return self.block(wish, "no-such-tool", why).await;
        };
        if path.depth() > INNER_DEPTH_MAX {
            let why = format!("`{}` was not called: calls nest at most {INNER_DEPTH_MAX} deep", wish.tool);
            return self.block(wish, "denied", why).await;
        }
        let effect = self.ports.tools.effect(&card, &wish.arguments);
        if let Some(why) = state.settled_inside(node, &wish.tool, &wish.arguments, &effect) {
            return self.block(wish, "denied", why).await;
        }
        let of = path.parent().unwrap_or_default();
        let under = state.received(node, &of);
        let (labels, asked) = (
            state.inner_labels(node, &of, &wish.arguments),
            state.journal(node).map_or(0, |journal| journal.asks(&path)),
        );
        let waits = state.journal(node).is_some_and(|journal| journal.asked.contains_key(&path));
        let attempt = state.plan().step(node).map_or(1, |step| step.attempts);
        let made = u64::from(state.spent().steps);
        let within = state.plan().tool_lists(node);
        drop(state);
        let price = match self.price(node, &wish.tool).await? {
            Ok(price) => price,
            Err(false) => {
                self.programs.unpaid.push(wish);
                return Ok(());
            }
            // The reply is dropped: the program is set down where it is, and goes on with another budget.
            Err(true) if self.state.is_ending() => return Ok(()),
            Err(true) => {
                let why = "the budget of money that its goal had does not have its price".to_owned();
                return self.block(wish, "denied", why).await;
            }
        };
        let mut call = ToolCall {
            node,
            attempt,
            tool: wish.tool.clone(),
            arguments: wish.arguments.clone(),
            effect,
            labels,
            under,
            approval: None,
            wall_ms: None,
            inside: path.clone(),
            program: None,
            within,
            key: None,
        };
        match self.ports.approver.gate(&Intent { call: &call, made, asked, asks: false }) {
            Gate::Ask(_) if asked >= ASKS_MAX && !waits => {
                return self.block(wish, "approval-denied", format!("a person was asked {ASKS_MAX} times")).await;
            }
            Gate::Ask(request) => {
                // One that an earlier life asked is open still.
                if !waits {
                    let (from, inside) = (Vec::new(), path);
                    self.record(EventKind::ApprovalAsked { node, from, request: *request, inside }).await?;
                }
                let now = self.ports.clock.now();
                if let Some(live) = self.programs.live.get_mut(&node) {
                    live.held.push((wish, now));
                }
                return Ok(());
            }
            Gate::Go { approval: Some(id) } => {
                self.record(EventKind::ApprovalUsed { node, id: id.clone(), inside: path.clone() }).await?;
                call.approval = Some(id);
            }
            Gate::Go { approval: None } => {}
        }
        let program = self.ports.tools.program(&card, &call.arguments);
        let ToolCall { tool, arguments, effect, labels, approval, .. } = call;
        self.record(EventKind::InnerStarted {
            node,
            path: path.clone(),
            tool,
            arguments,
            effect,
            labels: labels.clone(),
            under,
            price,
            program: program.clone(),
        })
        .await?;
        let _ = wish.reply.send(Begun::Make { path, labels, under, approval, program });
        Ok(())
    }

    /// Records that a call is not made, and tells the program.
    async fn block(&mut self, wish: Wish, code: &str, why: String) -> Result<(), RunError> {
        let Wish { node, path, tool, arguments, reply } = wish;
        let (inside, code) = (path.clone(), code.to_owned());
        self.record(EventKind::InnerBlocked { node, path, tool, arguments, code, why }).await?;
        if let Some(blocked) = self.state.journal(node).and_then(|journal| journal.calls.get(&inside))
            && let Some(outcome) = blocked.outcome.clone()
        {
            let _ = reply.send(Begun::Over { outcome, receipt: Value::Null, finished: blocked.finished });
        }
        Ok(())
    }

    /// Records what came of an inner call.
    async fn end(&mut self, node: NodeId, path: &InnerPath, ended: Ended) -> Result<Millis, RunError> {
        let Ended { outcome, receipt, label } = ended;
        let now = self.ports.clock.now();
        let Some(journal) = self.state.journal(node) else { return Ok(now) };
        let Some(call) = journal.calls.get(path).filter(|call| call.outcome.is_none()) else { return Ok(now) };
        let missed = call.program.is_some().then(|| self.programs.missed(node, path, journal.children(path))).flatten();
        if let (Some(why), Some(live)) = (missed, self.programs.live.get_mut(&node)) {
            live.end(Ending::Diverged(why));
            return Ok(now);
        }
        let stopped = self.programs.live.get(&node).is_none_or(|live| live.ending.is_some());
        let outcome = match (stopped, outcome) {
            // It is run again with the program that it is inside of.
            (true, StepOutcome::Failed { .. } | StepOutcome::Unknown { .. }) if call.reruns() => return Ok(now),
            (true, StepOutcome::Failed { failure }) => {
                let why = failure.message;
                let repeatable = crate::critic::is_repeatable(&call.effect);
                match failure.effect {
                    EffectState::Done | EffectState::Unknown if !repeatable => StepOutcome::Unknown { why },
                    _ => StepOutcome::NotStarted { why },
                }
            }
            (_, outcome) => outcome,
        };
        let label = self.received_too(node, path, label);
        self.record(EventKind::InnerFinished { node, path: path.clone(), outcome, receipt, label }).await?;
        let finished = self.state.now();
        self.hear_again().await?;
        Ok(finished)
    }

    /// Records what came of a step that was a program: it may have to be run again.
    pub(super) async fn land_program(&mut self, node: NodeId, report: ToolReport) -> Result<(), RunError> {
        // What it said last comes first.
        while let Ok(word) = self.programs.words.1.try_recv() {
            // It is over: what it wanted still is not begun.
            if !matches!(&word, Word::Begin { node: of, .. } if *of == node) {
                self.hear_program(word).await?;
            }
        }
        let known = self.state.journal(node).map_or(0, |journal| journal.children(&InnerPath::ROOT));
        let missed = self.programs.missed(node, &InnerPath::ROOT, known);
        let once = self.state.journal(node).is_some_and(|journal| journal.program.once);
        let ending = self.programs.live.remove(&node).and_then(|live| live.ending);
        let label = self.received_too(node, &InnerPath::ROOT, report.label);
        let finished = |node, outcome, receipt| {
            let label = label.clone();
            EventKind::StepFinished { node, outcome, receipt, label }
        };
        let events = match (ending, missed, report.outcome) {
            (Some(Ending::Diverged(why)), ..) => vec![finished(node, StepOutcome::Unknown { why }, report.receipt)],
            (Some(Ending::Parked(why)), _, Err(_)) if !once => self.state.set_down(node, &why),
            (_, Some(why), _) if !once => vec![finished(node, StepOutcome::Unknown { why }, report.receipt)],
            (_, _, Ok(output)) => vec![finished(node, StepOutcome::Done { output }, report.receipt)],
            (_, _, Err(failure)) => vec![finished(node, StepOutcome::Failed { failure }, report.receipt)],
        };
        for event in self.close_inside(node, &events).into_iter().chain(events) {
            self.record(event).await?;
        }
        Ok(())
    }

    /// The labels of what a call came to. A program may put into it whatever it has received.
    fn received_too(&self, node: NodeId, path: &InnerPath, label: Option<Marks>) -> Option<Marks> {
        let journal = self.state.journal(node)?;
        let made = journal.children(path) > 0;
        label.map(|marks| if made { marks.under(self.state.received(node, path)) } else { marks })
    }

    /// Calls inside that nobody told the end of.
    fn close_inside(&self, node: NodeId, events: &[EventKind]) -> Vec<EventKind> {
        let Some(journal) = self.state.journal(node) else { return Vec::new() };
        // Setting it down closes them as well.
        if !matches!(events, [EventKind::StepFinished { .. }]) {
            return Vec::new();
        }
        let open = journal.calls.iter().filter(|(_, call)| call.outcome.is_none());
        let close = |(path, call): (&InnerPath, &std::sync::Arc<crate::Inner>)| {
            let why = "the program that made the call ended first".to_owned();
            let repeatable = call.reruns() || crate::critic::is_repeatable(&call.effect);
            let outcome = if repeatable { StepOutcome::NotStarted { why } } else { StepOutcome::Unknown { why } };
            EventKind::InnerFinished { node, path: path.clone(), outcome, receipt: Value::Null, label: None }
        };
        open.map(close).collect()
    }

    /// Gives up on a program that does not end.
    pub(super) fn abandoned(&mut self, node: NodeId) -> Vec<EventKind> {
        self.programs.live.remove(&node);
        self.state.set_down(node, "the call did not end when it was told to")
    }
}

impl Programs {
    /// What a program that has ended did not ask for although it had before.
    fn missed(&self, node: NodeId, of: &InnerPath, known: usize) -> Option<String> {
        let asked = self.live.get(&node)?.asked.get(of).copied().unwrap_or_default() as usize;
        (asked < known).then(|| format!("run again, it ended after {asked} calls, and had made {known} before"))
    }
}

/// How a program that runs again differs from what it did.
fn differs(journal: &crate::Journal, wish: &Wish) -> Option<String> {
    let known = journal.calls.get(&wish.path).map(|call| (&call.tool, &*call.arguments));
    let asked = journal.asked.get(&wish.path).map(|request| (&request.call.tool, &request.call.arguments));
    let (tool, arguments) = known.or(asked)?;
    let place = &wish.path;
    if *tool != wish.tool {
        return Some(format!("run again, its call {place} is of `{}`, and was of `{tool}` before", wish.tool));
    }
    let same = toolcrib_policy::canonical(arguments) == toolcrib_policy::canonical(&wish.arguments);
    (!same).then(|| format!("run again, its call {place}, of `{tool}`, has other arguments than before"))
}

/// The failure that an outcome is to the program that made the call.
pub fn failure_of(outcome: StepOutcome) -> Result<crate::ToolOutput, ToolFailure> {
    let lost = |message, effect| ToolFailure {
        code: "unavailable".to_owned(),
        message,
        effect,
        grant: None,
        retry_after_seconds: None,
    };
    match outcome {
        StepOutcome::Done { output } => Ok(output),
        StepOutcome::Failed { failure } => Err(failure),
        StepOutcome::NotStarted { why } => Err(lost(why, EffectState::None)),
        StepOutcome::Unknown { why } => Err(lost(why, EffectState::Unknown)),
    }
}
