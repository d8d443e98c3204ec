//! What can be wrong with a manifest or an operator's file.

use std::fmt;

use crate::limits::LimitError;
use crate::line::LineError;
use crate::names::NameError;
use crate::rules::RuleProblem;

/// A place in a file, for messages: `toolcrib.toml:3:5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as its reader named it.
    pub origin: String,
    /// The line, from 1. 0 where there is none.
    pub line: usize,
    /// The column in characters, from 1. 0 where there is none.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if self.line == 0 { Ok(()) } else { write!(f, ":{}:{}", self.line, self.column) }
    }
}

/// Why a manifest or an operator's file is refused. Nothing of such a file counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct PolicyError {
    /// Where.
    pub at: Place,
    /// What is wrong there.
    pub problem: Box<PolicyProblem>,
}

/// What is wrong in a manifest or an operator's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// The text is not TOML. The payload is what the reader of TOML says.
    #[error("{0}")]
    Syntax(String),
    /// The file is larger than a person can review. The payload is the most that it can be, in bytes.
    #[error("the file is larger than {0} bytes")]
    TooLarge(usize),
    /// A key that nothing reads.
    #[error("unknown key `{key}` in {table}{}", hint(nearest.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// The table that it stands in.
        table: String,
        /// The nearest key that would be read.
        nearest: Option<String>,
    },
    /// A value of another type.
    #[error("`{key}` is {found} and has to be {expected}")]
    WrongType {
        /// The key.
        key: String,
        /// What it is.
        found: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A key without which the file means nothing.
    #[error("`{key}` is missing: {example}")]
    Missing {
        /// The key.
        key: &'static str,
        /// How it is written.
        example: &'static str,
    },
    /// A value that cannot be right.
    #[error("`{key}` cannot be `{value}`: {problem}")]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A line of a list that is not understood or not accepted.
    #[error("`{line}` in `{key}`: {source}")]
    Line {
        /// The list.
        key: String,
        /// The line.
        line: String,
        /// What is wrong with it.
        source: LineError,
    },
    /// A rule about calls that is not understood, or could never be right.
    #[error("in rule `{rule}`: {problem}")]
    Rule {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        problem: RuleProblem,
    },
    /// The rules as a whole.
    #[error(transparent)]
    Rules(RuleProblem),
    /// A limit that cannot be set so.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The name of a plugin or tool that cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What was given as a capability is none.
    #[error("`{given}` is not a capability: write one of {}", known.join(", "))]
    Capability {
        /// What was written.
        given: String,
        /// What can be written.
        known: Vec<&'static str>,
    },
}

impl PolicyProblem {
    /// The problem with its place.
    pub(crate) fn at(self, at: Place) -> PolicyError {
        PolicyError { at, problem: Box::new(self) }
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default()
}
