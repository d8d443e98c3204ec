//! Call rules: the operator's conditions over a call, each ending in `allow`, `ask` or `deny`.
//!
//! ```text
//!  [[rule]] ──► read ──► parse (cel) ──► Expr ──► evaluate ◄── call (tool, args, effect, labels, run)
//!                          │               │          │
//!                          ▼               ▼          ▼
//!                  names, types, sizes   schema    strictest answer: Allow, Ask, Deny
//!                  (when read)           (when the tools are known)
//! ```
//!
//! The parser is the `cel` crate's. Conditions are evaluated here and not by that crate: over the arguments as they lie,
//! with each number compared by value, and under a budget of steps, so that no arguments make a rule slow or large. Where
//! both give an answer it is the same; a test holds that.

mod cases;
mod decide;
mod error;
mod evaluate;
mod expr;
mod expression;
mod functions;
mod number;
mod parse;
mod place;
mod read;
mod schema;
mod types;
mod value;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cases::DecisionCase;
pub use decide::Outlook;
pub use error::RuleProblem;
pub use expression::{Expression, ExpressionError};
pub use schema::{RuleWarning, ToolShape};

pub(crate) use read::{because, condition, verdict};
pub(crate) use types::listed;

use crate::error::Place;
use crate::names::ToolName;
use crate::tools::ToolPattern;
use expr::Expr;
use place::Places;

/// What a rule says, from lenient to strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The call may be made.
    #[default]
    Allow,
    /// A person decides.
    Ask,
    /// The call may not be made.
    Deny,
}

impl Verdict {
    /// Every verdict, from lenient to strict.
    pub const ALL: [Verdict; 3] = [Verdict::Allow, Verdict::Ask, Verdict::Deny];

    /// The word as files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Ask => "ask",
            Verdict::Deny => "deny",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rules of a file, and what counts where none matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) default: Verdict,
    pub(crate) list: Vec<CallRule>,
}

/// One `[[rule]]` of the operator's file.
#[derive(Clone, Debug)]
pub struct CallRule {
    name: String,
    tools: Option<Vec<ToolPattern>>,
    condition: Option<Condition>,
    then: Verdict,
    because: Option<String>,
    /// Where its name stands.
    at: Place,
    /// Where its list of tools stands.
    tools_at: Place,
}

/// The `when` of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) text: String,
    pub(crate) expr: Expr,
    pub(crate) places: Places,
}

impl CallRule {
    /// The tool and the condition of a `[[relabel]]`.
    pub(crate) fn of_relabel(
        name: String,
        tool: ToolPattern,
        condition: Option<Condition>,
        because: String,
        at: Place,
    ) -> Self {
        let (tools, because, tools_at) = (Some(vec![tool]), Some(because), at.clone());
        Self { name, tools, condition, then: Verdict::Allow, because, at, tools_at }
    }

    /// Its name, which stands wherever the rule is meant.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tools that it speaks of; none where it speaks of every tool.
    pub fn tools(&self) -> Option<&[ToolPattern]> {
        self.tools.as_deref()
    }

    /// Its condition, as it is written; none where it always matches.
    pub fn when(&self) -> Option<&str> {
        self.condition.as_ref().map(|condition| condition.text.as_str())
    }

    /// What it says.
    pub fn then(&self) -> Verdict {
        self.then
    }

    /// The operator's reason, for people.
    pub fn because(&self) -> Option<&str> {
        self.because.as_deref()
    }

    /// Whether the rule speaks of `tool`, by its list of tools alone.
    pub fn speaks_of(&self, tool: &ToolName) -> bool {
        self.tools.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(tool)))
    }
}

impl fmt::Display for CallRule {
    /// `deny mail.* when args.to == "x"`: what the rule does, without its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.then)?;
        match &self.tools {
            Some(patterns) => {
                let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
                write!(f, " {}", patterns.join(", "))?;
            }
            None => f.write_str(" every tool")?,
        }
        if let Some(when) = self.when() {
            // On one line, however it is written in the file.
            write!(f, " when {}", when.split_whitespace().collect::<Vec<_>>().join(" "))?;
        }
        Ok(())
    }
}
