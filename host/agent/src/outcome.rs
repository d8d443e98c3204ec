//! How a run ends, and what a person is asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::BudgetKind;

/// What a run, or a goal in it, came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// For people.
    pub text: String,
    /// For programs, where there is a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

impl Answer {
    /// An answer in words alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None }
    }
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What the answer is for, in the planner's own words, such as `files.write path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Answers to choose from; empty where any text will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

impl Question {
    /// A question that any text answers.
    pub fn open(text: impl Into<String>) -> Self {
        Self { text: text.into(), about: None, choices: Vec::new() }
    }
}

/// The end of a run. `partial` is the best that was reached without reaching the goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// The goal is reached.
    Reached {
        /// The answer.
        answer: Answer,
    },
    /// The goal cannot be reached.
    Failed {
        /// Why.
        reason: String,
        /// What was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Answer>,
    },
    /// Policy refused what the goal needs.
    Refused {
        /// Why.
        reason: String,
        /// The grants that would have allowed it, in the order in which they were missed: TOML for the operator's file,
        /// each below the heading of its plugin.
        grants: Vec<String>,
        /// What was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Answer>,
    },
    /// A question was not answered. The run can be resumed and answered.
    Asked {
        /// The question.
        question: Question,
        /// What was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Answer>,
    },
    /// A budget ended. The run can be resumed with a larger one.
    Budget {
        /// Which.
        kind: BudgetKind,
        /// What was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Answer>,
    },
    /// Somebody cancelled the run. It can be resumed.
    Cancelled {
        /// What was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Answer>,
    },
}

impl Outcome {
    /// The outcome in one word, stable: `reached`, `failed`, `refused`, `asked`, `budget`, `cancelled`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reached { .. } => "reached",
            Self::Failed { .. } => "failed",
            Self::Refused { .. } => "refused",
            Self::Asked { .. } => "asked",
            Self::Budget { .. } => "budget",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether the run can go on from here.
    pub fn is_resumable(&self) -> bool {
        matches!(self, Self::Asked { .. } | Self::Budget { .. } | Self::Cancelled { .. })
    }

    /// What there is to show: the answer, or the best partial one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Reached { answer } => Some(answer),
            Self::Failed { partial, .. }
            | Self::Refused { partial, .. }
            | Self::Asked { partial, .. }
            | Self::Budget { partial, .. }
            | Self::Cancelled { partial } => partial.as_ref(),
        }
    }
}
