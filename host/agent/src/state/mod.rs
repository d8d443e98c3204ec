//! The state of a run: a fold over its events, without I/O, clock or chance.
//!
//! ```text
//! Event ─► apply ─► State ─► decide ─► Command ─► (a driver does it) ─► Event
//! ```

mod agents;
mod apply;
mod approvals;
mod asides;
mod calls;
mod decide;
mod edits;
mod evidence;
mod foresee;
mod inner;
mod labels;
mod looks;
mod loops;
mod money;
mod partial;
mod resumed;
mod scope;
mod shares;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use toolcrib_policy::{
    ApprovalId, ApprovalRequest, CriticSettings, Digest, Effect, IdempotencyKey, Label, Labels, Scores, ToolName,
};

use crate::critic::Verdict;
use crate::{
    Answer, Budget, BudgetKind, Caps, Event, FolderState, Millis, MissingGrant, NodeId, Outcome, Plan, PlanReason,
    Question, Step, StepName, StepOutcome, Trying,
};

pub use agents::AgentSeen;
pub(crate) use approvals::{ASKS_MAX, why_denied};
pub use foresee::{Foreseen, ForeseenCall};
pub use inner::{Inner, Journal};
pub use labels::Origin;
pub use looks::Looked;
pub use loops::Detector;
pub use money::{Affordable, Bill, Purse};
pub use partial::describe;

/// The version of the shape of a stored state.
pub const STATE_VERSION: u32 = 1;

/// An event that cannot have happened here. The state must not be used afterwards: the record is damaged, or
/// was written by a later version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event {number} (`{event}`) cannot follow: {why}")]
pub struct StateError {
    /// Its place in the run, from 1.
    pub number: u64,
    /// Its kind.
    pub event: &'static str,
    /// Why not.
    pub why: String,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record this decision, before anything else is done.
    Record(crate::EventKind),
    /// Ask the planner about this goal.
    CallPlanner {
        /// The goal.
        node: NodeId,
        /// Why.
        reason: PlanReason,
    },
    /// Record the intent and make this call.
    CallTool {
        /// The step.
        node: NodeId,
        /// Which try, from 1.
        attempt: u32,
        /// The tool.
        tool: ToolName,
        /// The arguments, without references.
        arguments: Value,
        /// The steps whose results are in the arguments.
        from: Vec<StepName>,
        /// The labels of the arguments.
        labels: Labels,
        /// The label of what the call hangs on.
        under: Label,
        /// How it is tried.
        trying: Trying,
    },
    /// Record `StepResumed` and run this step's program again, with what its first start recorded.
    Rerun {
        /// The step.
        node: NodeId,
        /// How it is tried.
        trying: Trying,
    },
    /// Judge this step.
    Judge {
        /// The step.
        node: NodeId,
    },
    /// Have this accepted result reviewed. Repeated until the review is recorded: a driver asks once.
    Review {
        /// The step.
        node: NodeId,
    },
    /// Record how this call is taken back, or that it cannot be.
    Undo {
        /// The step.
        node: NodeId,
    },
    /// Get a person's word on this step. Repeated until the answer is recorded: a driver asks once.
    Approve {
        /// The step.
        node: NodeId,
        /// The question.
        request: Box<ApprovalRequest>,
    },
    /// Ask a person. Repeated until the answer is recorded: a driver asks once.
    Ask {
        /// The goal that waits.
        node: NodeId,
        /// The question.
        question: Question,
    },
    /// Do nothing here before this time, then record `Waited`.
    Wait {
        /// The time.
        until: Millis,
    },
    /// Record the end.
    Finish {
        /// How the run ends.
        result: Outcome,
    },
}

impl Command {
    /// The step that is called.
    fn called(&self) -> Option<NodeId> {
        match self {
            Self::CallTool { node, .. } => Some(*node),
            _ => None,
        }
    }
}

/// What is known about the latest try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The arguments, without references.
    pub arguments: Arc<Value>,
    /// The steps whose results are in the arguments.
    #[serde(default)]
    pub from: Vec<StepName>,
    /// The effect class of the call.
    pub effect: Effect,
    /// When it was started.
    pub started: Millis,
    /// When it was over.
    #[serde(default)]
    pub finished: Option<Millis>,
    /// What came of it.
    #[serde(default)]
    pub outcome: Option<StepOutcome>,
    /// The value that references see, once accepted; `null` is a value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Arc<Value>>,
    /// What was decided.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// How the step stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scores>,
    /// The number of the event with the intent, counted from 1 in the run.
    #[serde(default)]
    pub begun_by: u64,
    /// The number of the event with the outcome.
    #[serde(default)]
    pub over_by: u64,
    /// The call that takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<NodeId>,
    /// Whether it was taken back.
    #[serde(default)]
    undone: bool,
    /// Whether it turned out that it cannot be taken back.
    #[serde(default)]
    fixed: bool,
    /// Identifies the call: tool and arguments.
    key: Digest,
    /// What a server is told it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency: Option<IdempotencyKey>,
    /// The states, before it, of the folders that it may have changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<FolderState>,
}

/// A field that is there has a value, also where that is `null`.
fn present<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Arc<Value>>, D::Error> {
    Value::deserialize(input).map(|value| Some(Arc::new(value)))
}

impl Record {
    /// Whether it was taken back.
    pub fn is_undone(&self) -> bool {
        self.undone
    }

    /// Whether the world may have changed, in a way that doing it again would change it again.
    pub fn has_touched(&self) -> bool {
        let happened = match &self.outcome {
            None => false,
            Some(StepOutcome::Done { .. } | StepOutcome::Unknown { .. }) => true,
            Some(StepOutcome::Failed { failure }) => failure.effect != crate::EffectState::None,
            Some(StepOutcome::NotStarted { .. }) => false,
        };
        happened && !self.undone && !crate::critic::is_repeatable(&self.effect)
    }
}

/// What a run has spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// Tool calls.
    pub steps: u32,
    /// Tokens, read and written.
    pub tokens: u64,
}

/// A question and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The goal that it was about.
    pub node: NodeId,
    /// The question.
    pub question: Question,
    /// The answer.
    pub answer: String,
}

/// All calls with the same tool and arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Calls {
    times: u32,
    failure: Option<String>,
    same_failures: u32,
    /// The step that did it, where doing it again would do it twice.
    settled: Option<StepName>,
    /// The run of that step, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    elsewhere: Option<String>,
    /// What came of it the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gave: Option<Digest>,
}

/// A question that the critic wants answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    goal: NodeId,
    step: NodeId,
    question: Question,
}

/// The state of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    events: u64,
    planner: String,
    budget: Budget,
    caps: Caps,
    plan: Plan,
    records: BTreeMap<NodeId, Record>,
    answers: BTreeMap<NodeId, Answer>,
    /// What the run was started with, by name.
    #[serde(default)]
    inputs: Value,
    /// The items of loops, and the steps that they came from.
    #[serde(default)]
    rounds: BTreeMap<NodeId, (Arc<Vec<Value>>, Vec<StepName>)>,
    /// Why the first branch failed, for error branches, and the steps below it.
    #[serde(default)]
    errors: BTreeMap<NodeId, (Value, Vec<StepName>)>,
    /// Values that were computed, and the steps that they came from.
    #[serde(default)]
    computed: BTreeMap<NodeId, (Arc<Value>, Vec<StepName>)>,
    calls: BTreeMap<Digest, Calls>,
    /// The latest calls of each goal, in their order.
    #[serde(default)]
    trails: BTreeMap<NodeId, Vec<loops::Tread>>,
    /// The keys with which the run that this one was forked from made calls later, in their order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<Digest, Vec<IdempotencyKey>>,
    not_before: BTreeMap<NodeId, Millis>,
    exchanges: Vec<Exchange>,
    pending: Vec<Pending>,
    #[serde(default)]
    approvals: BTreeMap<NodeId, (ApprovalRequest, Vec<StepName>)>,
    #[serde(default)]
    asks: BTreeMap<NodeId, u32>,
    /// What the programs of steps did so far.
    #[serde(default)]
    journals: BTreeMap<NodeId, Journal>,
    /// The yes that a step is about to be started on the strength of.
    #[serde(default)]
    used: BTreeMap<NodeId, ApprovalId>,
    /// In states of older versions: the first node that was planned when there were results to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    informed_from: Option<NodeId>,
    /// What was looked up for goals that are open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    looks: BTreeMap<NodeId, Vec<Looked>>,
    /// How results are judged.
    #[serde(default)]
    critic: CriticSettings,
    /// The nodes that a person wrote.
    #[serde(default)]
    given: BTreeSet<NodeId>,
    /// How well the arguments of steps are grounded, where that is less than wholly.
    #[serde(default)]
    grounding: BTreeMap<NodeId, u8>,
    /// Steps that a person wants to be made with what they have.
    #[serde(default)]
    vouched: BTreeSet<NodeId>,
    /// What calls had in them that comes from nowhere, and that their planner was told of.
    #[serde(default)]
    objected: BTreeSet<String>,
    /// Which try of which step was reviewed.
    #[serde(default)]
    reviewed: BTreeMap<NodeId, u32>,
    /// Steps whose results are looked at again, and the calls that look.
    #[serde(default)]
    looking: BTreeMap<NodeId, NodeId>,
    #[serde(default)]
    best: Option<asides::Best>,
    /// The labels of values.
    #[serde(default)]
    book: labels::Book,
    unanswered: Option<Question>,
    questions: u32,
    spent: Spent,
    #[serde(default, skip_serializing_if = "Purse::is_untouched")]
    purse: Purse,
    stalled: u32,
    started: Option<Millis>,
    now: Millis,
    paused_ms: u64,
    #[serde(default)]
    idle_since: Option<Millis>,
    exhausted: Option<BudgetKind>,
    cancelled: bool,
    /// Whether nothing is done before a person has seen the plan.
    #[serde(default)]
    holding: bool,
    /// The nodes that a person wrote: from the first, to before the second.
    #[serde(default)]
    by_person: Vec<(NodeId, NodeId)>,
    outcome: Option<Outcome>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: STATE_VERSION,
            events: 0,
            planner: String::new(),
            budget: Budget::default(),
            caps: Caps::default(),
            plan: Plan::new(""),
            records: BTreeMap::new(),
            answers: BTreeMap::new(),
            inputs: Value::Null,
            rounds: BTreeMap::new(),
            errors: BTreeMap::new(),
            computed: BTreeMap::new(),
            calls: BTreeMap::new(),
            trails: BTreeMap::new(),
            keys: BTreeMap::new(),
            not_before: BTreeMap::new(),
            exchanges: Vec::new(),
            pending: Vec::new(),
            approvals: BTreeMap::new(),
            asks: BTreeMap::new(),
            journals: BTreeMap::new(),
            used: BTreeMap::new(),
            informed_from: None,
            looks: BTreeMap::new(),
            critic: CriticSettings::default(),
            given: BTreeSet::new(),
            grounding: BTreeMap::new(),
            vouched: BTreeSet::new(),
            objected: BTreeSet::new(),
            reviewed: BTreeMap::new(),
            looking: BTreeMap::new(),
            best: None,
            book: labels::Book::begun(),
            unanswered: None,
            questions: 0,
            spent: Spent::default(),
            purse: Purse::default(),
            stalled: 0,
            started: None,
            now: Millis::default(),
            paused_ms: 0,
            idle_since: None,
            exhausted: None,
            cancelled: false,
            holding: false,
            by_person: Vec::new(),
            outcome: None,
        }
    }
}

impl State {
    /// The state after these events.
    ///
    /// # Errors
    ///
    /// The first event that cannot follow those before it.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Self, StateError> {
        let mut state = Self::default();
        events.into_iter().try_for_each(|event| state.apply(event))?;
        Ok(state)
    }

    /// The goal of the run in words.
    pub fn goal(&self) -> &str {
        self.plan.goal(NodeId::ROOT).map_or("", |goal| &goal.text)
    }

    /// The name of the planner that the run was started with.
    pub fn planner(&self) -> &str {
        &self.planner
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the run may spend.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The caps of the run.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// What it has spent.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// How many events it is made of.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The time of the latest event.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// When the budget of time ends.
    pub fn deadline(&self) -> Millis {
        let started = self.started.unwrap_or_default();
        Millis(started.0.saturating_add(self.budget.wall_ms).saturating_add(self.paused_ms))
    }

    /// How the run ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Whether calls that are under way should end: the run was cancelled, or a budget ended.
    pub fn is_ending(&self) -> bool {
        self.cancelled || self.exhausted.is_some() || self.unanswered.is_some()
    }

    /// What is known about the latest try of this step.
    pub fn record(&self, step: NodeId) -> Option<&Record> {
        self.records.get(&step)
    }

    /// The accepted result of the step of this name, or the value of that name.
    pub fn result(&self, name: &StepName) -> Option<&Value> {
        self.result_of(self.plan.holder(name)?.id)
    }

    pub(crate) fn result_of(&self, node: NodeId) -> Option<&Value> {
        let computed = self.computed.get(&node).map(|(value, _)| &**value);
        computed.or_else(|| self.records.get(&node)?.value.as_deref())
    }

    /// What the run was started with, by name.
    pub fn inputs(&self) -> &Value {
        &self.inputs
    }

    /// The accepted steps with their results, in the order in which they were over.
    pub fn results(&self) -> Vec<(&Step, &Record, &Value)> {
        let mut found: Vec<_> = self
            .plan
            .planned_steps()
            .filter_map(|(node, step)| {
                let record = self.records.get(&node.id)?;
                Some((step, record, record.value.as_deref()?))
            })
            .collect();
        found.sort_by_key(|(_, record, _)| record.finished);
        found
    }

    /// What a goal came to, where its planner said so.
    pub fn answer(&self, goal: NodeId) -> Option<&Answer> {
        self.answers.get(&goal)
    }

    /// The questions that were answered.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// The steps that were started and have no recorded outcome.
    pub fn in_flight(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.plan.steps().filter(|(node, _)| node.status == crate::Status::Running).map(|(node, _)| node.id)
    }

    /// Whether this goal waits for a person to say whether a call took effect.
    pub fn asks_about_effect(&self, goal: NodeId) -> bool {
        let status = self.plan.node(goal).map(|node| &node.status);
        matches!(status, Some(crate::Status::Asking { about: Some(_), .. }))
    }

    /// How often the very same call as the latest try of this step failed with the very same failure.
    pub fn same_failures(&self, step: NodeId) -> u32 {
        self.records.get(&step).and_then(|record| self.calls.get(&record.key)).map_or(0, |calls| calls.same_failures)
    }

    /// The grants that refusals in this run asked for, in order.
    pub fn missing_grants(&self) -> Vec<MissingGrant> {
        let mut grants = Vec::new();
        for (node, failure) in self.refusals() {
            let plugin = self.plan.step(node).map(|step| step.tool.plugin());
            if let (Some(plugin), Some(grant)) = (plugin, &failure.grant) {
                let grant = MissingGrant { plugin: plugin.clone(), grant: grant.clone() };
                if !grants.contains(&grant) {
                    grants.push(grant);
                }
            }
        }
        grants
    }

    fn refusals(&self) -> impl Iterator<Item = (NodeId, &crate::ToolFailure)> {
        let planned = |node: &NodeId| self.plan.node(*node).is_some_and(|node| node.serves.is_none());
        self.records.iter().filter(move |(node, _)| planned(node)).filter_map(|(node, record)| match &record.outcome {
            Some(StepOutcome::Failed { failure }) if failure.is_refusal() => Some((*node, failure)),
            _ => None,
        })
    }
}
