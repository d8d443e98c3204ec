//! How a run ends, and what a person is asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{ApprovalId, PluginName};

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
    /// The question of the inbox that is meant, where a rule asks about a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
}

impl Question {
    /// A question that any text answers.
    pub fn open(text: impl Into<String>) -> Self {
        Self { text: text.into(), about: None, choices: Vec::new(), approval: None }
    }
}

/// A grant that was missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenGrant")]
pub struct MissingGrant {
    /// Who missed it.
    pub plugin: PluginName,
    /// What to add to the plugin's section of the operator's file, as TOML.
    pub grant: String,
}

/// A missed grant as it was ever written: earlier versions put the heading of the plugin above the TOML.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenGrant {
    Parts { plugin: PluginName, grant: String },
    Headed(String),
}

impl TryFrom<WrittenGrant> for MissingGrant {
    type Error = String;

    fn try_from(written: WrittenGrant) -> Result<Self, String> {
        match written {
            WrittenGrant::Parts { plugin, grant } => Ok(Self { plugin, grant }),
            WrittenGrant::Headed(text) => {
                let parts = text.strip_prefix("[plugin.").and_then(|rest| rest.split_once("]\n"));
                let (plugin, grant) = parts.ok_or("a missed grant without the heading of its plugin")?;
                let plugin = plugin.parse().map_err(|error: toolcrib_policy::NameError| error.to_string())?;
                Ok(Self { plugin, grant: grant.to_owned() })
            }
        }
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
        /// The grants that would have allowed it, in the order in which they were missed.
        grants: Vec<MissingGrant>,
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
    /// The plan stands, and nothing of it was done: a person wanted to see it first. Resuming the run does it.
    Held,
    /// Somebody cancelled the run. It can be resumed.
    Cancelled {
        /// What was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Answer>,
    },
}

impl Outcome {
    /// The outcome in one word, stable: `reached`, `failed`, `refused`, `asked`, `budget`, `held`,
    /// `cancelled`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reached { .. } => "reached",
            Self::Failed { .. } => "failed",
            Self::Refused { .. } => "refused",
            Self::Asked { .. } => "asked",
            Self::Budget { .. } => "budget",
            Self::Held => "held",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether the run can go on from here.
    pub fn is_resumable(&self) -> bool {
        matches!(self, Self::Asked { .. } | Self::Budget { .. } | Self::Held | Self::Cancelled { .. })
    }

    /// What there is to show: the answer, or the best partial one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Reached { answer } => Some(answer),
            Self::Held => None,
            Self::Failed { partial, .. }
            | Self::Refused { partial, .. }
            | Self::Asked { partial, .. }
            | Self::Budget { partial, .. }
            | Self::Cancelled { partial } => partial.as_ref(),
        }
    }
}
