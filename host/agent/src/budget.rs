//! Budgets, which the person sets, and caps, which keep a planner from running in circles.

use std::fmt;
use std::ops::Sub;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use toolcrib_policy::Money;

/// A point in time: milliseconds since 1970 (UTC). Only a driver knows it; the state is told it by events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// This long after.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Millis {
    type Output = Duration;

    /// The time between, zero where `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// What a run may spend. The end of a budget gives the best partial result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Tool calls, retries included.
    pub steps: u32,
    /// Time, pauses between runs excluded, in milliseconds.
    pub wall_ms: u64,
    /// Tokens of the planner, read and written.
    pub tokens: u64,
    /// Money, by the operator's prices; none where it is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
}

impl Default for Budget {
    /// Enough for an evening's errand, small enough to be noticed: 100 steps, 15 minutes, 500,000 tokens.
    fn default() -> Self {
        Self { steps: 100, wall_ms: 15 * 60 * 1000, tokens: 500_000, money: None }
    }
}

/// What ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetKind {
    /// Tool calls.
    Steps,
    /// Time.
    Wall,
    /// Tokens.
    Tokens,
    /// Money.
    Money,
}

impl fmt::Display for BudgetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::Wall => "time",
            Self::Tokens => "tokens",
            Self::Money => "money",
        })
    }
}

/// Hard caps of one run. They are part of its first event, so that a later version with other defaults folds
/// old runs as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// How deep goals may nest. People plan three deep; ten leaves room and still ends.
    pub depth: u16,
    /// How many nodes the plan may hold, also those that are over.
    pub nodes: usize,
    /// How often in a row a planner may answer with something unusable.
    pub repairs: u32,
    /// How often one goal may be planned anew because its children failed.
    pub replans: u32,
    /// How often planners may be asked in a row without one accepted step in between.
    pub stall: u32,
    /// How often a step is started when it fails for a passing reason.
    pub attempts: u32,
    /// How often the very same call may be made in one run.
    pub repeats: u32,
    /// How many calls and planners run at the same time.
    pub parallel: usize,
    /// Whether two steps may make the very same call that cannot be taken back: a person wrote both of them.
    pub twice: bool,
    /// How often a planner may ask a person. Questions about steps that were interrupted do not count.
    pub questions: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            depth: 10,
            nodes: 2000,
            repairs: 3,
            replans: 6,
            stall: 24,
            attempts: 3,
            repeats: 3,
            parallel: 4,
            twice: false,
            questions: 10,
        }
    }
}
