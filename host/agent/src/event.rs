//! Everything that happens in a run. A run *is* its list of events: the state is a fold over them.
//!
//! | an event | is recorded |
//! |---|---|
//! | `StepStarted` | before the call is made: the intent |
//! | `ApprovalUsed` | before that, where a person's yes is needed |
//! | `StepFinished` | after it, with the receipt |
//! | `ModelAsked`, `ModelAnswered` | before a request to a model is sent, and after it |
//! | `InnerStarted`, `InnerFinished` | the same, for a call that a program makes |
//! | every other | when it was decided, before anything follows from it |

mod names;
mod parts;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_model::Usage;
use toolcrib_policy::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, CriticSettings, Effect, IdempotencyKey, Label, Labels, Marks, Money,
    Scores, ToolName,
};

use crate::critic::{Follow, Missing, Opinion, Verdict};
use crate::look::Look;
use crate::{
    Answer, Budget, BudgetKind, Caps, Detector, FolderState, InnerPath, Millis, NodeId, Outcome, Patch, Program,
    Question, StepName,
};

pub use parts::{Made, PlanReason, StepOutcome, Unfounded};

/// The version of the shape of events, stored with the first one.
pub const EVENT_VERSION: u32 = 1;

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was recorded.
    pub at: Millis,
    /// What it was.
    #[serde(flatten)]
    pub kind: EventKind,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum EventKind {
    /// A run began.
    RunStarted {
        /// [`EVENT_VERSION`] when it was written.
        version: u32,
        /// The goal in words.
        goal: String,
        /// The planner's name.
        planner: String,
        /// What it may spend.
        budget: Budget,
        /// What keeps it from running in circles.
        #[serde(default)]
        caps: Caps,
        /// What it was started with, by name.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        inputs: Value,
        /// How results are judged, whatever the operator's file says later.
        #[serde(default, skip_serializing_if = "CriticSettings::is_usual")]
        critic: CriticSettings,
        /// Whether it stops before its first call, so that a person sees the plan.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hold: bool,
    },
    /// The planner is asked about a goal.
    PlanAsked {
        /// The goal.
        node: NodeId,
        /// Why.
        reason: PlanReason,
    },
    /// The planner's answer cannot be used, or there was none.
    PlanRejected {
        /// The goal.
        node: NodeId,
        /// What is wrong.
        faults: Vec<String>,
        /// What the answer cost.
        #[serde(default)]
        usage: Usage,
    },
    /// The planner's answer was checked and counts.
    Expanded {
        /// The goal that it was asked about.
        node: NodeId,
        /// What changes, with names and effects filled in.
        patches: Vec<Patch>,
        /// The planner's reason, for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        /// Whether a person wrote it: what stands in it is a person's word.
        #[serde(default, skip_serializing_if = "is_false")]
        given: bool,
        /// What the answer cost.
        #[serde(default)]
        usage: Usage,
        /// The label of what the planner wrote. Where it is missing, all that could be read counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Label>,
    },
    /// A person changed the plan of a held run. What is literal in it is the person's word.
    PlanEdited {
        /// The goal whose plan it is.
        node: NodeId,
        /// What changes, checked as a planner's answer is.
        patches: Vec<Patch>,
        /// Who did it.
        by: String,
    },
    /// The planner looked something up, and is asked again.
    Looked {
        /// The goal that it was asked about.
        node: NodeId,
        /// What it looked up, and what was found.
        looks: Vec<Look>,
        /// What its answer cost.
        #[serde(default)]
        usage: Usage,
    },
    /// A goal is reached.
    GoalReached {
        /// The goal.
        node: NodeId,
        /// What it came to, where the planner said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
        /// What the answer cost.
        #[serde(default)]
        usage: Usage,
    },
    /// A goal is given up.
    GoalFailed {
        /// The goal.
        node: NodeId,
        /// Why.
        why: String,
        /// What the answer cost.
        #[serde(default)]
        usage: Usage,
    },
    /// A person is asked.
    Asked {
        /// The goal that waits for the answer.
        node: NodeId,
        /// The question.
        question: Question,
        /// Where set, the answer decides about this step, whose effect is unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<NodeId>,
        /// What the planner's answer cost.
        #[serde(default)]
        usage: Usage,
    },
    /// A person answered, or nobody is there to answer.
    Answered {
        /// The goal.
        node: NodeId,
        /// The answer; none where nobody is there.
        answer: Option<String>,
    },
    /// Nobody is there to say whether a call took effect. The question stays, and the run ends with it.
    Unanswered {
        /// The goal.
        node: NodeId,
    },
    /// A person is asked whether a call may be made.
    ApprovalAsked {
        /// The step.
        node: NodeId,
        /// The steps whose results are in the arguments.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<StepName>,
        /// The question.
        request: ApprovalRequest,
        /// The place of the call in the step's program, where it is one that the program makes.
        #[serde(default, skip_serializing_if = "InnerPath::is_root")]
        inside: InnerPath,
    },
    /// What came of the question.
    ApprovalAnswered {
        /// The step.
        node: NodeId,
        /// The question.
        id: ApprovalId,
        /// What came of it.
        #[serde(flatten)]
        answer: ApprovalAnswer,
    },
    /// A call is about to be made on the strength of a person's yes.
    ApprovalUsed {
        /// The step.
        node: NodeId,
        /// The question, which may be another run's.
        id: ApprovalId,
        /// The place of the call in the step's program, where it is one that the program makes.
        #[serde(default, skip_serializing_if = "InnerPath::is_root")]
        inside: InnerPath,
    },
    /// A person takes a yes back, whatever became of the run.
    ApprovalRevoked {
        /// The question.
        id: ApprovalId,
    },
    /// A call is about to be made.
    StepStarted {
        /// The step.
        node: NodeId,
        /// Which try, from 1.
        attempt: u32,
        /// The tool.
        tool: ToolName,
        /// The arguments, without references.
        arguments: Value,
        /// The steps whose results are in the arguments.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<StepName>,
        /// The effect class of this call.
        effect: Effect,
        /// The labels of its arguments.
        #[serde(default, skip_serializing_if = "Labels::is_empty")]
        labels: Labels,
        /// What tells this call from every other, the same for each try.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<IdempotencyKey>,
        /// The states, before it, of the folders that it may change.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        folders: Vec<FolderState>,
        /// The label of what was read to decide whether, or how often, the call is made.
        #[serde(default, skip_serializing_if = "Label::is_trusted")]
        under: Label,
        /// What the call costs, where it has a price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<Money>,
        /// Where it is a program, which can be run again: what its clock and its random numbers follow from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<Program>,
    },
    /// A program is about to make a call.
    InnerStarted {
        /// The step.
        node: NodeId,
        /// The place of the call in the step.
        path: InnerPath,
        /// The tool.
        tool: ToolName,
        /// The arguments.
        arguments: Value,
        /// The effect class of this call.
        effect: Effect,
        /// The labels of its arguments.
        #[serde(default, skip_serializing_if = "Labels::is_empty")]
        labels: Labels,
        /// The label of all that the program has received: whether the call is made hangs on it.
        #[serde(default, skip_serializing_if = "Label::is_trusted")]
        under: Label,
        /// What the call costs, where it has a price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<Money>,
        /// Where it is a program itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<Program>,
    },
    /// A call of a program is over.
    InnerFinished {
        /// The step.
        node: NodeId,
        /// The place of the call in the step.
        path: InnerPath,
        /// What came of it.
        outcome: StepOutcome,
        /// The receipt.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        receipt: Value,
        /// The labels of the result. Where they are missing, it may be anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Marks>,
    },
    /// A call of a program is not made. The program is told.
    InnerBlocked {
        /// The step.
        node: NodeId,
        /// The place of the call in the step.
        path: InnerPath,
        /// The tool.
        tool: ToolName,
        /// The arguments.
        arguments: Value,
        /// A stable code.
        code: String,
        /// Why.
        why: String,
    },
    /// A program does not run any more, and is to be run again.
    StepParked {
        /// The step.
        node: NodeId,
        /// Why.
        why: String,
    },
    /// A program is run again. What it called before is answered from the ledger.
    StepResumed {
        /// The step.
        node: NodeId,
    },
    /// A call is over.
    StepFinished {
        /// The step.
        node: NodeId,
        /// What came of it.
        outcome: StepOutcome,
        /// The receipt.
        #[serde(default)]
        receipt: Value,
        /// The labels of the result. Where they are missing, it may be anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Marks>,
    },
    /// A call will not be made.
    StepBlocked {
        /// The step.
        node: NodeId,
        /// Why.
        why: String,
    },
    /// A result was judged.
    Judged {
        /// The step.
        node: NodeId,
        /// The verdict.
        verdict: Verdict,
        /// Its reason.
        why: String,
        /// Who judged: `checks`.
        by: String,
        /// How the step stands; none where the critic is off, and for calls that serve a step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scores: Option<Scores>,
    },
    /// A call that is about to be made has something in its arguments that comes from nowhere.
    Ungrounded {
        /// The step.
        node: NodeId,
        /// How much of the arguments is grounded, from 0 to 100.
        score: u8,
        /// What comes from nowhere.
        missing: Vec<Missing>,
        /// What follows.
        then: Unfounded,
    },
    /// A judge looked at a result that counts.
    Reviewed {
        /// The step.
        node: NodeId,
        /// Who judged: the name of a model.
        by: String,
        /// What it thinks, where that is an opinion.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opinion: Option<Opinion>,
        /// How the step stands now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scores: Option<Scores>,
        /// What follows.
        then: Follow,
        /// Why, for people.
        why: String,
        /// What it cost.
        #[serde(default)]
        usage: Usage,
    },
    /// Another look at a result that was doubted is over.
    LookedAgain {
        /// The step.
        node: NodeId,
        /// The call that looked.
        by: NodeId,
        /// Whether the result stands.
        holds: bool,
        /// Why, for people.
        why: String,
    },
    /// A call is to be taken back.
    Undoing {
        /// The step.
        node: NodeId,
        /// The tool that takes it back.
        tool: ToolName,
        /// Its arguments.
        arguments: Value,
        /// The effect class of that tool.
        effect: Effect,
    },
    /// A call cannot be taken back after all.
    NotUndone {
        /// The step.
        node: NodeId,
        /// Why.
        why: String,
    },
    /// A condition was asked.
    Decided {
        /// What has it.
        node: NodeId,
        /// Whether it holds.
        holds: bool,
    },
    /// A value was computed.
    Computed {
        /// What it is the value of.
        node: NodeId,
        /// The value.
        value: Value,
        /// The steps whose results are in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<StepName>,
    },
    /// A loop begins: its body is done once for each of these.
    Unrolled {
        /// The loop.
        node: NodeId,
        /// The items.
        items: Vec<Value>,
        /// The steps whose results are in them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<StepName>,
    },
    /// An alternative is tried in place of one that failed.
    Backtracked {
        /// What failed.
        from: NodeId,
        /// What is tried.
        to: NodeId,
        /// Why.
        why: String,
    },
    /// What amounts of money are in, from here on.
    Priced {
        /// The currency, in the operator's words.
        currency: String,
    },
    /// A request is about to be sent to a model.
    ModelAsked {
        /// The goal that it is about, or the step that makes it.
        node: NodeId,
        /// Which request of the run, from 1.
        request: u64,
        /// The model.
        model: String,
        /// The most that it can use.
        worst: Usage,
        /// The most that it can cost, which is set aside; none where the model has no price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reserved: Option<Money>,
    },
    /// A request to a model is over.
    ModelAnswered {
        /// Which.
        request: u64,
        /// The model.
        model: String,
        /// What it used.
        usage: Usage,
        /// What it cost; what was set aside where nobody can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Money>,
        /// Where there was no answer: why, in one word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    /// A circle is cut: the call that would go on with it is not made; or the goal is given up, where it was cut often or where
    /// its planner only talked.
    LoopCut {
        /// The goal that went round.
        node: NodeId,
        /// The step whose call is not made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<NodeId>,
        /// What saw it.
        detector: Detector,
        /// Why, for people and planners.
        why: String,
        /// The events that show it, by their numbers in the run, from 1.
        shown: Vec<u64>,
    },
    /// The budget of one goal ended, and with it the goal.
    GoalSpent {
        /// The goal.
        node: NodeId,
        /// Which.
        kind: BudgetKind,
    },
    /// A wait is over.
    Waited {
        /// Until when it was.
        until: Millis,
    },
    /// A budget ended.
    BudgetSpent {
        /// Which.
        kind: BudgetKind,
    },
    /// Somebody wants the run to end.
    CancelRequested,
    /// A run that was cut off, or that ended without an end to its goal, goes on.
    Resumed {
        /// A new budget, counted from here, where one was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Budget>,
    },
    /// The run goes on from where another one was: the events before this one are copies of that run's.
    Forked {
        /// The other run.
        from: String,
        /// The last of its events that was copied, by its number there.
        upto: u64,
        /// What the other run did after that and cannot be taken back. It is not done again here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        made: Vec<Made>,
        /// What the other run did after that and may be done again. Here it is done with the keys of there, so that a
        /// server that looks at keys does it once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keyed: Vec<Made>,
    },
    /// Folders are put back to what they were at an event of the run. Recorded before it and after.
    RolledBack {
        /// The event, by its number in the ledger.
        upto: u64,
        /// The states that they had.
        from: Vec<FolderState>,
        /// The states that they get.
        to: Vec<FolderState>,
        /// Whether it is done.
        done: bool,
    },
    /// The run is over.
    RunFinished {
        /// How.
        result: Outcome,
    },
}
