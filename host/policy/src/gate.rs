//! The call gate: may this tool be called with these arguments now?

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::effect::Effect;
use crate::label::Labels;
use crate::names::ToolName;
use crate::refusal::Refusal;
use crate::rules::Verdict;

/// What is known of a call before it is made.
#[derive(Clone, Copy, Debug)]
pub struct CallFacts<'a> {
    /// The tool.
    pub tool: &'a ToolName,
    /// Its arguments, a JSON object.
    pub args: &'a Value,
    /// The effect class that counts for this call.
    pub effect: &'a Effect,
    /// The labels of the arguments.
    pub labels: &'a Labels,
    /// The run that makes the call.
    pub run: &'a RunFacts,
}

/// What is known of the run that makes a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The run's name.
    pub id: String,
    /// Its goal, in words; empty for a single call.
    pub goal: String,
    /// Who plans: `builtin`, the name of a model, or `call` for a single call.
    pub planner: String,
    /// Whether a person is there to be asked.
    pub attended: bool,
    /// How many calls the run has made before this one.
    pub calls: u64,
}

/// What the operator's rules say about a call: the answer of [`OperatorFile::decide`](crate::OperatorFile::decide).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be made.
    Allow {
        /// The rule that says so; none where no rule matches.
        rule: Option<String>,
    },
    /// A person decides.
    Ask {
        /// The rule that says so; `default` where none matches and `[calls]` has `default = "ask"`.
        rule: String,
        /// The operator's reason, for the person.
        because: Option<String>,
    },
    /// It may not be made.
    Deny {
        /// The rule that says so; `default` where none matches and `[calls]` has `default = "deny"`.
        rule: String,
        /// What the caller is told.
        refusal: Refusal,
    },
}

impl Decision {
    /// The stricter of both; of two that are as strict, this one.
    #[must_use]
    pub fn stricter(self, other: Decision) -> Decision {
        if other.verdict() > self.verdict() { other } else { self }
    }

    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        match self {
            Decision::Allow { .. } => Verdict::Allow,
            Decision::Ask { .. } => Verdict::Ask,
            Decision::Deny { .. } => Verdict::Deny,
        }
    }

    /// The rule that decided; none where the call is allowed because no rule matches.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Decision::Allow { rule } => rule.as_deref(),
            Decision::Ask { rule, .. } | Decision::Deny { rule, .. } => Some(rule),
        }
    }
}
