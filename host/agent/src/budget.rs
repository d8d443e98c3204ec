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

/// What one goal may spend of what its parent has left. What is absent is not limited beside that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Share {
    /// Tool calls, retries included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// Time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// Tokens of the planner, read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money, by the operator's prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
}

impl Share {
    /// The lesser of each.
    #[must_use]
    pub fn least(self, other: Self) -> Self {
        fn less<T: Ord>(one: Option<T>, two: Option<T>) -> Option<T> {
            one.into_iter().chain(two).min()
        }
        Self {
            steps: less(self.steps, other.steps),
            wall_ms: less(self.wall_ms, other.wall_ms),
            tokens: less(self.tokens, other.tokens),
            money: less(self.money, other.money),
        }
    }
}

impl From<Budget> for Share {
    fn from(budget: Budget) -> Self {
        Self {
            steps: Some(budget.steps),
            wall_ms: Some(budget.wall_ms),
            tokens: Some(budget.tokens),
            money: budget.money,
        }
    }
}

/// What a goal with a budget of its own has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Used {
    /// Tool calls.
    pub steps: u32,
    /// Tokens.
    pub tokens: u64,
    /// Time before the run last stood still, in milliseconds.
    pub wall_ms: u64,
    /// Since when time counts.
    pub since: Option<Millis>,
    /// How long the run had stood still by then, in milliseconds.
    pub paused_ms: u64,
    /// Money.
    #[serde(skip_serializing_if = "Money::is_zero")]
    pub money: Money,
}

impl Used {
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
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
    /// How often the very same call may be made in a row when it gives the same each time.
    pub repeats: u32,
    /// How many calls and planners run at the same time.
    pub parallel: usize,
    /// Whether two steps may make the very same call that cannot be taken back: a person wrote both of them.
    pub twice: bool,
    /// How often the very same call may be made in one run when it gives something else each time.
    pub polls: u32,
    /// How often calls in turn may be made with the same results.
    pub rounds: u32,
    /// How many calls in a row may give nothing new.
    pub fruitless: u32,
    /// How often in a row a planner may be asked about one goal without a call in it.
    pub monologue: u32,
    /// How many circles are cut in one goal before it is given up.
    pub cuts: u32,
    /// How many child agents there may be in one run.
    pub agents: u32,
    /// How deep child agents may nest.
    pub agent_depth: u16,
    /// How often a planner may ask a person. Questions about steps that were interrupted do not count.
    pub questions: u32,
    /// How often in a row a planner may look something up for one goal before it has to decide.
    pub looks: u32,
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
            polls: 40,
            rounds: 2,
            fruitless: 8,
            monologue: 8,
            cuts: 2,
            agents: 16,
            agent_depth: 3,
            questions: 10,
            looks: 6,
        }
    }
}
