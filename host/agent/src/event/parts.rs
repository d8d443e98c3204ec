//! What events are made of.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{IdempotencyKey, ToolName};

use crate::{StepName, ToolFailure, ToolOutput};

/// Why a planner was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanReason {
    /// The goal is new, or its last answer was unusable, or a question was answered.
    Open,
    /// Its children are reached: is the goal?
    Review,
    /// A child failed and no alternative is left that may be tried.
    Stuck,
}

/// What follows for a call with something in it that comes from nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unfounded {
    /// It is made: it can be taken back, or changes nothing.
    Made,
    /// The planner plans anew.
    Replan,
    /// A person is asked.
    Ask,
}

/// A call that another run made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The tool.
    pub tool: ToolName,
    /// The arguments, without references.
    pub arguments: Value,
    /// The step that made it.
    pub by: StepName,
    /// The idempotency key that it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum StepOutcome {
    /// It gave a result.
    Done {
        /// The result.
        output: ToolOutput,
    },
    /// It gave a failure.
    Failed {
        /// The failure.
        failure: ToolFailure,
    },
    /// It surely did not begin.
    NotStarted {
        /// Why.
        why: String,
    },
    /// Nobody can tell how far it came.
    Unknown {
        /// Why.
        why: String,
    },
}
