//! What events are called, and what must be on the disk before anything follows from them.

use toolcrib_policy::Effect;

use super::{Event, EventKind};
use crate::Millis;

impl EventKind {
    /// The event at this time.
    pub fn at(self, at: Millis) -> Event {
        Event { at, kind: self }
    }

    /// Its kind in one word, as it is written in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run-started",
            Self::PlanAsked { .. } => "plan-asked",
            Self::PlanRejected { .. } => "plan-rejected",
            Self::Expanded { .. } => "expanded",
            Self::PlanEdited { .. } => "plan-edited",
            Self::Looked { .. } => "looked",
            Self::GoalReached { .. } => "goal-reached",
            Self::GoalFailed { .. } => "goal-failed",
            Self::Asked { .. } => "asked",
            Self::Answered { .. } => "answered",
            Self::Unanswered { .. } => "unanswered",
            Self::ApprovalAsked { .. } => "approval-asked",
            Self::ApprovalAnswered { .. } => "approval-answered",
            Self::ApprovalUsed { .. } => "approval-used",
            Self::ApprovalRevoked { .. } => "approval-revoked",
            Self::StepStarted { .. } => "step-started",
            Self::StepFinished { .. } => "step-finished",
            Self::StepBlocked { .. } => "step-blocked",
            Self::InnerStarted { .. } => "inner-started",
            Self::InnerFinished { .. } => "inner-finished",
            Self::InnerBlocked { .. } => "inner-blocked",
            Self::StepParked { .. } => "step-parked",
            Self::StepResumed { .. } => "step-resumed",
            Self::Judged { .. } => "judged",
            Self::Ungrounded { .. } => "ungrounded",
            Self::Reviewed { .. } => "reviewed",
            Self::LookedAgain { .. } => "looked-again",
            Self::Undoing { .. } => "undoing",
            Self::NotUndone { .. } => "not-undone",
            Self::Decided { .. } => "decided",
            Self::Computed { .. } => "computed",
            Self::Unrolled { .. } => "unrolled",
            Self::Backtracked { .. } => "backtracked",
            Self::Priced { .. } => "priced",
            Self::ModelAsked { .. } => "model-asked",
            Self::ModelAnswered { .. } => "model-answered",
            Self::LoopCut { .. } => "loop-cut",
            Self::GoalSpent { .. } => "goal-spent",
            Self::Waited { .. } => "waited",
            Self::BudgetSpent { .. } => "budget-spent",
            Self::CancelRequested => "cancel-requested",
            Self::Resumed { .. } => "resumed",
            Self::Forked { .. } => "forked",
            Self::RolledBack { .. } => "rolled-back",
            Self::RunFinished { .. } => "run-finished",
        }
    }

    /// Whether it must survive the loss of power before anything follows from it: intents that cannot be taken
    /// back, acknowledgements to a person, and the end.
    pub fn needs_power_durability(&self) -> bool {
        match self {
            Self::StepStarted { effect, .. } | Self::InnerStarted { effect, .. } => {
                matches!(effect, Effect::Irreversible | Effect::Reversible { .. })
            }
            Self::ApprovalAnswered { .. } | Self::ApprovalUsed { .. } | Self::ApprovalRevoked { .. } => true,
            Self::Answered { .. } | Self::PlanEdited { .. } => true,
            Self::RolledBack { .. } | Self::RunFinished { .. } => true,
            _ => false,
        }
    }
}
