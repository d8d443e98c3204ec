//! What makes a plan more than a list: conditions, loops, values, and how a step is tried.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Draft, NodeId, StepName};

/// A loop: the children of its goal once for each item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Each {
    /// The expression that gives the list.
    pub list: String,
    /// What an item is called inside.
    pub item: String,
    /// The name by which the loop's result is referred to: the list of what each round's last step gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<StepName>,
    /// What is done with each item.
    pub body: Vec<Draft>,
}

impl Each {
    /// How many nodes one round has, its own goal left out.
    pub fn size(&self) -> usize {
        self.body.iter().map(Draft::size).sum()
    }
}

/// One round of a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// The loop.
    pub of: NodeId,
    /// Which item, from 0.
    pub index: usize,
    /// What the steps of the body are called in the run.
    pub names: BTreeMap<StepName, StepName>,
}

/// A value that the host computes: no tool is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Computed {
    /// The name by which it is referred to.
    pub name: StepName,
    /// The value, with expressions.
    pub value: Value,
}

/// How a step is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trying {
    /// How often it is started at most, where it fails without an effect; none for the cap of the run, which counts for
    /// passing failures alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The wait before the second try, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// How much longer each further wait is, in per cent: 200 doubles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth_percent: Option<u32>,
    /// The most time that one call may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// Whether a person has to say yes to the call, whatever the operator's rules say.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ask: bool,
}

impl Trying {
    /// Whether it is as usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}
