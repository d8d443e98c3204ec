//! What a planner looks up before it decides: tools that fit some words, and what earlier steps gave.
//!
//! Looking changes nothing and calls nothing, so it is no step. It is an event all the same, with what was found: a run that
//! is resumed or replayed shows its planner the same. What is found in results is as untrusted as it was there.

use serde::{Deserialize, Serialize};
use toolcrib_policy::{Label, ToolName};

/// The most that a planner may look up in one answer.
pub const ASKS_MAX: usize = 4;
/// The most characters of a query. Words beyond are a pasted text, whose beginning says what it is about.
pub const QUERY_CHARS_MAX: usize = 400;
/// The most tools that one search gives: a model reads each with its schema.
pub const TOOLS_FOUND_MAX: usize = 8;
/// The most results that one search gives.
pub const RESULTS_FOUND_MAX: usize = 5;
/// The most characters of a result that one hit of a search shows.
pub const HIT_CHARS_MAX: usize = 800;
/// The most characters of a result that are read at once, where it is asked for by its name.
pub const READ_CHARS_MAX: usize = 6_000;

/// What is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Tools that fit these words.
    Tools {
        /// The words.
        query: String,
    },
    /// What earlier steps and goals came to, by words.
    Results {
        /// The words.
        query: String,
    },
    /// What one step or goal came to.
    Result {
        /// The name of the step, or the id of the goal, such as `n7`.
        of: String,
        /// From which character on.
        #[serde(default, skip_serializing_if = "is_zero")]
        from: usize,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What was looked up, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What was looked up.
    pub ask: Ask,
    /// The tools that were found, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolName>,
    /// The results that were found, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Excerpt>,
}

/// A piece of what a step or a goal came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The name of the step, or the id of the goal.
    pub of: String,
    /// The run, where it is an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What it was about: the tool and its arguments, or the goal; shortened.
    pub about: String,
    /// The piece.
    pub text: String,
    /// How many characters stand before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub before: usize,
    /// How many stand behind it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub behind: usize,
    /// The label of what it is a piece of.
    pub label: Label,
}

impl Ask {
    /// The same with a query that is short enough.
    #[must_use]
    pub fn clipped(self) -> Self {
        let clip = |text: String| text.chars().take(QUERY_CHARS_MAX).collect();
        match self {
            Self::Tools { query } => Self::Tools { query: clip(query) },
            Self::Results { query } => Self::Results { query: clip(query) },
            Self::Result { of, from } => Self::Result { of: clip(of), from },
        }
    }
}
