//! Calls that a step's program made: the part of the state that lets the program run again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, Digest, Effect, Label, Labels, Marks, RefusalCode, ToolName,
};

use super::State;
use super::approvals::why_denied;
use crate::critic::is_repeatable;
use crate::{
    BudgetKind, Command, EffectState, Event, EventKind, InnerPath, Millis, NodeId, Program, Status, StepOutcome,
    ToolFailure, ToolOutput,
};

/// One call that a program made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inner {
    /// The tool.
    pub tool: ToolName,
    /// The arguments.
    pub arguments: Arc<Value>,
    /// The effect class of the call.
    pub effect: Effect,
    /// Where it is a program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// The labels of its arguments.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The label of all that the program had received.
    #[serde(default, skip_serializing_if = "Label::is_trusted")]
    pub under: Label,
    /// The label of its result.
    #[serde(default)]
    pub label: Label,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<StepOutcome>,
    /// Its receipt.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub receipt: Value,
    /// When it was over.
    #[serde(default)]
    pub finished: Millis,
    key: Digest,
}

impl Inner {
    /// Whether it surely did not happen, and may be made now.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.outcome, None | Some(StepOutcome::NotStarted { .. }))
    }

    /// Whether it is a program that can be run again.
    pub(crate) fn reruns(&self) -> bool {
        self.program.as_ref().is_some_and(|program| !program.once)
    }

    fn is_unknown(&self) -> bool {
        matches!(self.outcome, Some(StepOutcome::Unknown { .. }))
    }

    fn has_touched(&self) -> bool {
        let happened = match &self.outcome {
            Some(StepOutcome::Done { .. } | StepOutcome::Unknown { .. }) => true,
            Some(StepOutcome::Failed { failure }) => failure.effect != EffectState::None,
            Some(StepOutcome::NotStarted { .. }) | None => false,
        };
        happened && !is_repeatable(&self.effect)
    }
}

/// What a step's program did so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// What makes it run the same way again.
    pub program: Program,
    /// The labels of the program's own arguments.
    #[serde(default)]
    pub labels: Labels,
    /// The label of what the program hangs on.
    #[serde(default, skip_serializing_if = "Label::is_trusted")]
    pub under: Label,
    /// The calls, by their place.
    #[serde(default)]
    pub calls: BTreeMap<InnerPath, Arc<Inner>>,
    /// Calls that a person is asked about.
    #[serde(default)]
    pub asked: BTreeMap<InnerPath, ApprovalRequest>,
    /// How often a person was asked about each.
    #[serde(default)]
    asks: BTreeMap<InnerPath, u32>,
    /// The yes that the program itself, or a program inside it, was started on the strength of.
    #[serde(default)]
    used: BTreeMap<InnerPath, ApprovalId>,
}

impl Journal {
    /// The yes that the program there was started on the strength of.
    pub(crate) fn approval(&self, path: &InnerPath) -> Option<&ApprovalId> {
        self.used.get(path)
    }

    /// How often a person was asked about the call there.
    pub(crate) fn asks(&self, path: &InnerPath) -> u32 {
        self.asks.get(path).copied().unwrap_or_default()
    }

    /// The calls that were made by the program there, itself.
    pub(crate) fn children(&self, of: &InnerPath) -> usize {
        self.calls.keys().filter(|path| path.parent().as_ref() == Some(of)).count()
    }

    fn unknown(&self) -> Option<(&InnerPath, &Arc<Inner>)> {
        self.calls.iter().find(|(_, call)| call.is_unknown())
    }
}

/// What is wrong with an event.
type Applied = Result<(), String>;

impl State {
    /// What the program of this step did so far; none where the step is no program.
    pub fn journal(&self, step: NodeId) -> Option<&Journal> {
        self.journals.get(&step)
    }

    fn journal_mut(&mut self, node: NodeId) -> Result<&mut Journal, String> {
        self.journals.get_mut(&node).ok_or_else(|| format!("{node} is no program"))
    }

    /// The labels of the arguments of a call that the program at `of` makes: the join of everything that it has received,
    /// its own arguments and the results of its calls.
    pub fn inner_labels(&self, node: NodeId, of: &InnerPath, arguments: &Value) -> Labels {
        let received = self.received(node, of);
        let names = arguments.as_object().into_iter().flatten().map(|(name, _)| name.clone());
        names.map(|name| (name, received)).collect()
    }

    /// The join of everything that the program at `of` has received.
    pub(crate) fn received(&self, node: NodeId, of: &InnerPath) -> Label {
        let Some(journal) = self.journals.get(&node) else { return Label::UNKNOWN };
        let own = match journal.calls.get(of) {
            Some(call) => (&call.labels, call.under),
            None => (&journal.labels, journal.under),
        };
        let own = own.0.values().fold(own.1, |label, other| label.join(*other));
        let results = journal.calls.iter().filter(|(path, call)| {
            path.parent().as_ref() == Some(of)
                && matches!(call.outcome, Some(StepOutcome::Done { .. } | StepOutcome::Failed { .. }))
        });
        results.fold(own, |label, (_, call)| label.join(call.label))
    }

    /// Whether the program of this step waits for a person.
    pub(super) fn program_waits(&self, node: NodeId) -> bool {
        self.journals.get(&node).is_some_and(|journal| !journal.asked.is_empty())
    }

    /// The commands that the program of this step needs while a person is asked.
    pub(super) fn approvals_inside(&self, node: NodeId) -> impl Iterator<Item = Command> + '_ {
        let asked = self.journals.get(&node).into_iter().flat_map(|journal| journal.asked.values());
        asked.map(move |request| Command::Approve { node, request: Box::new(request.clone()) })
    }

    /// The place of the call that this question is about.
    pub(crate) fn asked_inside(&self, node: NodeId, id: &ApprovalId) -> Option<InnerPath> {
        let asked = &self.journals.get(&node)?.asked;
        asked.iter().find(|(_, request)| request.id == *id).map(|(path, _)| path.clone())
    }

    /// Whether a goal that the step is in has no calls left of its own budget.
    pub(crate) fn goal_has_no_steps(&self, node: NodeId) -> bool {
        self.spent_above(node, BudgetKind::Steps, &[]).is_some()
    }

    /// Why an inner call must not be made, where the very same cannot be taken back.
    pub(crate) fn settled_inside(
        &self,
        node: NodeId,
        tool: &ToolName,
        arguments: &Value,
        effect: &Effect,
    ) -> Option<String> {
        let key = Self::call_key(tool, arguments);
        let open = |call: &Arc<Inner>| call.outcome.is_none() && call.key == key;
        let twin = !is_repeatable(effect) && self.journals.values().any(|journal| journal.calls.values().any(open));
        let twin = twin.then(|| "the very same call is being made, and cannot be taken back".to_owned());
        self.settled(node, &key).or(twin.filter(|_| !self.may_repeat(node)))
    }

    /// What a run records about a program that was cut off, or that is told to end: it is run again later, unless something
    /// that cannot be taken back may have happened.
    pub(crate) fn set_down(&self, node: NodeId, why: &str) -> Vec<EventKind> {
        let Some(journal) = self.journals.get(&node) else { return Vec::new() };
        let mut events = Vec::new();
        let mut unknown = journal.unknown().map(|(path, call)| (path.clone(), call.tool.clone()));
        for (path, call) in &journal.calls {
            if call.outcome.is_some() || (call.reruns() && !journal.program.once) {
                continue;
            }
            let outcome = match is_repeatable(&call.effect) {
                true => StepOutcome::NotStarted { why: why.to_owned() },
                false => StepOutcome::Unknown { why: why.to_owned() },
            };
            if matches!(outcome, StepOutcome::Unknown { .. }) {
                unknown = Some((path.clone(), call.tool.clone()));
            }
            events.push(EventKind::InnerFinished {
                node,
                path: path.clone(),
                outcome,
                receipt: Value::Null,
                label: None,
            });
        }
        if journal.program.once {
            let why = format!("it may change something by itself and is not run again: {why}");
            let outcome = StepOutcome::Unknown { why };
            events.push(EventKind::StepFinished { node, outcome, receipt: Value::Null, label: None });
            return events;
        }
        events.push(match unknown {
            Some((path, tool)) => {
                let why = format!("its call {path}, of {tool}, was under way: {why}");
                EventKind::StepFinished {
                    node,
                    outcome: StepOutcome::Unknown { why },
                    receipt: Value::Null,
                    label: None,
                }
            }
            None => EventKind::StepParked { node, why: why.to_owned() },
        });
        events
    }

    pub(super) fn inner_applied(&mut self, event: &Event) -> Applied {
        match &event.kind {
            EventKind::InnerStarted { node, path, tool, arguments, effect, labels, under, price, program } => {
                self.expect(*node, "under way", |status| *status == Status::Running)?;
                if !self.plan.may_call(*node, tool) {
                    return Err(format!("the agent of {node} has no `{tool}`"));
                }
                if let Some(why) = self.settled_inside(*node, tool, arguments, effect) {
                    return Err(why);
                }
                let call = Inner {
                    tool: tool.clone(),
                    arguments: Arc::new(arguments.clone()),
                    effect: effect.clone(),
                    program: program.clone(),
                    labels: labels.clone(),
                    under: *under,
                    label: Label::UNKNOWN,
                    outcome: None,
                    receipt: Value::Null,
                    finished: event.at,
                    key: Self::call_key(tool, arguments),
                };
                self.add_inner(*node, path, call)?;
                self.call_priced(*node, path, tool, *price)?;
                self.spent.steps = self.spent.steps.saturating_add(1);
                self.charge(*node, 1, 0);
                Ok(())
            }
            EventKind::InnerFinished { node, path, outcome, receipt, label } => {
                self.inner_finished(*node, path, outcome, receipt, event.at)?;
                self.inner_labelled(*node, path, label.as_ref())
            }
            EventKind::InnerBlocked { node, path, tool, arguments, code, why } => {
                let blocked = refused(tool, arguments, code, why, event.at);
                self.add_inner(*node, path, blocked)
            }
            EventKind::StepParked { node, .. } => {
                self.journal_mut(*node)?;
                self.expect(*node, "under way", |status| *status == Status::Running)?;
                self.set(*node, Status::Parked);
                Ok(())
            }
            EventKind::StepResumed { node } => {
                self.expect(*node, "parked", |status| *status == Status::Parked)?;
                self.set(*node, Status::Running);
                Ok(())
            }
            _ => Err("not about a program".to_owned()),
        }
    }

    fn add_inner(&mut self, node: NodeId, path: &InnerPath, call: Inner) -> Applied {
        let journal = self.journal_mut(node)?;
        let of = path.parent().ok_or("it is no inner call")?;
        let open =
            |of: &InnerPath| journal.calls.get(of).is_some_and(|call| call.program.is_some() && call.outcome.is_none());
        if !of.is_root() && !open(&of) {
            return Err(format!("no program is under way at {of}"));
        }
        if let Some(known) = journal.calls.get(path)
            && !(known.is_open() && known.outcome.is_some() && known.key == call.key)
        {
            return Err(format!("call {path} was made before"));
        }
        journal.calls.insert(path.clone(), Arc::new(call));
        Ok(())
    }

    fn inner_finished(
        &mut self,
        node: NodeId,
        path: &InnerPath,
        outcome: &StepOutcome,
        receipt: &Value,
        at: Millis,
    ) -> Applied {
        let name = self.plan.step(node).map(|step| step.name.clone());
        let journal = self.journal_mut(node)?;
        let known = journal.calls.get_mut(path).filter(|call| call.outcome.is_none());
        let call = Arc::make_mut(known.ok_or_else(|| format!("call {path} is not under way"))?);
        (call.outcome, call.receipt, call.finished) = (Some(outcome.clone()), receipt.clone(), at);
        let (touched, key) = (call.has_touched(), call.key);
        if touched {
            self.calls.entry(key).or_default().settled = name;
        }
        self.call_settled(node, path, outcome);
        Ok(())
    }

    fn inner_labelled(&mut self, node: NodeId, path: &InnerPath, label: Option<&Marks>) -> Applied {
        if let Some(call) = self.journal_mut(node)?.calls.get_mut(path) {
            Arc::make_mut(call).label = label.map_or(Label::UNKNOWN, Marks::all);
        }
        Ok(())
    }

    pub(super) fn asked_inside_of(&mut self, node: NodeId, path: &InnerPath, request: &ApprovalRequest) -> Applied {
        self.expect(node, "under way", |status| *status == Status::Running)?;
        let journal = self.journal_mut(node)?;
        *journal.asks.entry(path.clone()).or_default() += 1;
        journal.asked.insert(path.clone(), request.clone());
        Ok(())
    }

    /// Takes an answer about an inner call; false where the question is about none.
    pub(super) fn answered_inside(
        &mut self,
        node: NodeId,
        id: &ApprovalId,
        answer: &ApprovalAnswer,
        at: Millis,
    ) -> bool {
        let Some(path) = self.asked_inside(node, id) else { return false };
        let Some(journal) = self.journals.get_mut(&node) else { return false };
        let Some(request) = journal.asked.get(&path).cloned() else { return false };
        if answer.is_final() {
            journal.asked.remove(&path);
        }
        match answer {
            ApprovalAnswer::Nobody => self.unanswered = Some(super::approvals::question(&request)),
            ApprovalAnswer::Withdrawn => {}
            _ if answer.allows() => {}
            _ => {
                let (code, why) = (RefusalCode::ApprovalDenied.as_str(), why_denied(&request, answer));
                let denied = refused(&request.call.tool, &request.call.arguments, code, &why, at);
                journal.calls.insert(path, Arc::new(denied));
            }
        }
        true
    }

    pub(super) fn used_inside(&mut self, node: NodeId, path: &InnerPath, id: &ApprovalId) -> Applied {
        self.expect(node, "under way", |status| *status == Status::Running)?;
        self.journal_mut(node)?.used.insert(path.clone(), id.clone());
        Ok(())
    }

    /// A question inside a program that nobody needs answered any more.
    pub(super) fn idle_inside(&self, all: bool) -> Option<(NodeId, ApprovalId)> {
        let needed = |node: &NodeId| matches!(self.status(*node), Ok(Status::Running | Status::Parked));
        let idle = self.journals.iter().filter(|(node, _)| all || !needed(node));
        let mut asked =
            idle.flat_map(|(node, journal)| journal.asked.values().map(|request| (*node, request.id.clone())));
        asked.next()
    }

    /// Begins a journal, or forgets the one of an earlier try.
    pub(super) fn open_journal(&mut self, node: NodeId, program: Option<&Program>, labels: &Labels, under: Label) {
        let used = self.used.remove(&node);
        match program {
            None => drop(self.journals.remove(&node)),
            Some(program) => {
                let journal = Journal {
                    program: program.clone(),
                    labels: labels.clone(),
                    under,
                    calls: BTreeMap::new(),
                    asked: BTreeMap::new(),
                    asks: BTreeMap::new(),
                    used: used.map(|id| (InnerPath::ROOT, id)).into_iter().collect(),
                };
                self.journals.insert(node, journal);
            }
        }
    }

    /// Takes a person's word on the inner calls of which nobody knew whether they happened. The program is run again then.
    /// False where there is none.
    pub(super) fn settle_inside(&mut self, node: NodeId, happened: bool) -> bool {
        let Some(journal) = self.journals.get_mut(&node) else { return false };
        let cut_off =
            matches!(self.records.get(&node).map(|record| &record.outcome), Some(Some(StepOutcome::Unknown { .. })));
        if !cut_off || journal.program.once || journal.unknown().is_none() {
            return false;
        }
        for call in journal.calls.values_mut().filter(|call| call.is_unknown()) {
            let call = Arc::make_mut(call);
            // It has a result, of which nothing is known.
            let done = ToolOutput { structured: Some(serde_json::json!({})), text: String::new() };
            let not = "a person said that it did not happen".to_owned();
            call.outcome = Some(match happened {
                true => StepOutcome::Done { output: done },
                false => StepOutcome::NotStarted { why: not },
            });
            if let (false, Some(calls)) = (happened, self.calls.get_mut(&call.key)) {
                calls.settled = None;
            }
        }
        self.set(node, Status::Parked);
        true
    }
}

/// A call that is not made.
fn refused(tool: &ToolName, arguments: &Value, code: &str, why: &str, at: Millis) -> Inner {
    let failure = ToolFailure {
        code: code.to_owned(),
        message: why.to_owned(),
        effect: EffectState::None,
        grant: None,
        retry_after_seconds: None,
    };
    Inner {
        tool: tool.clone(),
        arguments: Arc::new(arguments.clone()),
        effect: Effect::Read,
        program: None,
        labels: Labels::default(),
        under: Label::TRUSTED,
        // The host's own words, which may quote what it was asked: that the program has already.
        label: Label::TRUSTED,
        outcome: Some(StepOutcome::Failed { failure }),
        receipt: Value::Null,
        finished: at,
        key: State::call_key(tool, arguments),
    }
}
