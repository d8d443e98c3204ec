//! The critic: what a step's outcome means for the plan.
//!
//! ```text
//! before a call:  arguments ─► grounding ─► made up, and cannot be taken back? ─► planner or person
//! after it:       outcome ─► checks (schema, expectations, failures, the plan's own check) ─► scores ─► table ─► verdict
//! beside the run: accepted result ─► judge (a model) ─► cites events? ─► scores ─► table ─► look again ─► stands or falls
//! ```
//!
//! What a program can check outranks what a model thinks. A judge alone changes a score; a result falls only where looking
//! again gives new evidence, or where the operator's table says so and no check has passed it. So a judge that is wrong costs
//! calls and never a right result.

mod checks;
pub mod grounding;
mod model;
mod review;
mod scores;
mod undo;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{CriticSettings, Effect, Scores};

use crate::{Caps, Question, Step, StepOutcome, ToolCard};

pub use checks::{is_repeatable, judge};
pub use grounding::{Grounding, Missing, Sources, ground};
pub use model::ModelJudge;
pub use review::{Follow, Judge, JudgeError, Opinion, Review, ReviewContext, Reviewed, weigh};
pub use undo::arguments as undo_arguments;

/// What is to happen after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Verdict {
    /// The result counts.
    Accept,
    /// The same call again, after a wait.
    Retry {
        /// The wait in milliseconds.
        after_ms: u64,
    },
    /// This way is closed; an alternative may be tried.
    Backtrack,
    /// This way is closed, and alternatives must not be tried without the planner.
    Replan,
    /// A person has to say whether the effect happened, or whether the result is to count.
    Ask {
        /// The question.
        question: Question,
    },
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, for people and planners.
    pub why: String,
    /// How the step stands; none where the critic is off.
    pub scores: Option<Scores>,
}

/// What came of the check that a step carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// The world is as the step should have left it.
    Passed,
    /// It is not.
    Failed(String),
    /// Nobody can tell: the check was not made, or gave no answer.
    NotMade(String),
}

/// What a verdict rests on.
#[derive(Debug, Clone)]
pub struct Evidence<'e> {
    /// The step.
    pub step: &'e Step,
    /// The effect class of the call that was made.
    pub effect: &'e Effect,
    /// The tool, where it still exists.
    pub card: Option<&'e ToolCard>,
    /// What came of the call.
    pub outcome: &'e StepOutcome,
    /// How often the very same call has now failed with the very same failure in this run.
    pub same_failures: u32,
    /// The caps of the run.
    pub caps: &'e Caps,
    /// How results are judged in this run.
    pub settings: &'e CriticSettings,
    /// What expectations can speak of as `arguments`: the step's own, or those of the step that this one checks.
    pub arguments: &'e Value,
    /// What came of the step's check, where it has one.
    pub checked: Option<Checked>,
    /// How well its arguments are grounded.
    pub grounding: u8,
    /// Whether another step got the very same result from the very same call.
    pub repeated: bool,
    /// Whether it serves another step, as a check or an undo does: scores are for steps that somebody planned.
    pub serves: bool,
}

/// The answer to an unknown effect that lets the plan go on.
pub const IT_HAPPENED: &str = "it happened";
/// The answer to an unknown effect that makes the call again.
pub const IT_DID_NOT: &str = "it did not happen";
/// The answer that gives a step up.
pub const GIVE_UP: &str = "give up this step";
/// The answer to a doubtful result that lets it count.
pub const KEEP: &str = "keep the result";
/// The answer to a call with something made up in it that lets it be made.
pub const MAKE_IT: &str = "make the call";

#[cfg(test)]
mod tests;
