//! What a planner writes: nodes without ids, as data or as JSON.
//!
//! ```json
//! { "goal": "names of the dear ones", "order": "sequence", "children": [
//!     { "step": "fetch", "tool": "http.fetch", "arguments": { "url": "http://127.0.0.1/items.json" } },
//!     { "step": "pick", "tool": "data.query", "arguments": { "input": { "$ref": "steps.fetch.body" }, "query": ".[].name" },
//!       "expect": [ { "exists": "results" } ] } ] }
//! ```
//!
//! A goal without children is planned when its turn comes.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use toolcrib_policy::{Effect, ToolName};

use super::{Check, ChildAgent, Expectation, Order, StepName, Then, Trying};
use crate::Share;

/// A node that does not exist yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Draft {
    /// A tool call.
    Step(DraftStep),
    /// A value that the host computes.
    Value(DraftValue),
    /// A goal.
    Goal(DraftGoal),
}

/// A loop that does not exist yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftEach {
    /// The expression that gives the list.
    #[serde(rename = "in")]
    pub list: String,
    /// What an item is called inside.
    #[serde(rename = "as", default = "item")]
    pub item: String,
    /// The name by which the loop's result is referred to.
    #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<StepName>,
}

fn item() -> String {
    "item".to_owned()
}

/// A value that does not exist yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftValue {
    /// The name by which it is referred to.
    #[serde(rename = "step")]
    pub name: StepName,
    /// The value, with expressions.
    pub value: Value,
    /// The condition without which there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A goal that does not exist yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftGoal {
    /// The goal in words.
    pub goal: String,
    /// How its children are done.
    #[serde(default)]
    pub order: Order,
    /// What happens when they are reached.
    #[serde(default)]
    pub then: Then,
    /// The condition without which nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Where set, the children are done once for each item of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<DraftEach>,
    /// What it may spend of what its parent has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Share>,
    /// Who does it, where that is an agent of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<ChildAgent>,
    /// Its children; none leaves them to the planner, later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Draft>,
}

/// A step that does not exist yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftStep {
    /// The name for references; one is made from the tool where it is absent.
    #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<StepName>,
    /// The tool.
    pub tool: ToolName,
    /// Its arguments, with references.
    #[serde(default = "empty_object")]
    pub arguments: Value,
    /// What the result must meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// The condition without which the call is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How it is tried.
    #[serde(default, skip_serializing_if = "Trying::is_usual")]
    pub trying: Trying,
    /// What is read back once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Box<Check>>,
    /// The effect class. Whatever a planner writes here is replaced by what the catalog says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

impl DraftStep {
    /// A call of this tool without arguments.
    pub fn of(tool: ToolName) -> Self {
        Self {
            name: None,
            tool,
            arguments: empty_object(),
            expect: Vec::new(),
            when: None,
            trying: Trying::default(),
            check: None,
            effect: None,
        }
    }
}

fn empty_object() -> Value {
    Value::Object(Map::new())
}

/// A value that is not a draft.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DraftError {
    /// It is neither a step nor a goal.
    #[error("{at}: a node needs `tool` (a step) or `goal` (a goal)")]
    NeitherKind {
        /// Where in the plan.
        at: String,
    },
    /// A field is wrong.
    #[error("{at}: {why}")]
    Field {
        /// Where in the plan.
        at: String,
        /// What is wrong.
        why: String,
    },
}

impl Draft {
    /// A step with literal or referring arguments.
    pub fn step(name: &StepName, tool: ToolName, arguments: Value) -> Self {
        let name = Some(name.clone());
        Self::Step(DraftStep { name, arguments, ..DraftStep::of(tool) })
    }

    /// The same step, whose result must meet `expectation` as well. A goal stays as it is.
    #[must_use]
    pub fn expecting(mut self, expectation: Expectation) -> Self {
        if let Self::Step(step) = &mut self {
            step.expect.push(expectation);
        }
        self
    }

    /// A goal whose children are known.
    pub fn goal(goal: impl Into<String>, order: Order, children: Vec<Self>) -> Self {
        Self::Goal(DraftGoal {
            goal: goal.into(),
            order,
            then: Then::Close,
            when: None,
            each: None,
            budget: None,
            agent: None,
            children,
        })
    }

    /// A goal that is planned when its turn comes.
    pub fn later(goal: impl Into<String>) -> Self {
        Self::goal(goal, Order::Sequence, Vec::new())
    }

    /// Reads a draft, naming the place of a fault, so that a model can repair it.
    ///
    /// # Errors
    ///
    /// The first fault found, with its place (`children[2].children[0]`).
    pub fn from_value(value: Value, at: &str) -> Result<Self, DraftError> {
        let Value::Object(mut map) = value else { return Err(DraftError::NeitherKind { at: at.to_owned() }) };
        let field = |error: serde_json::Error| DraftError::Field { at: at.to_owned(), why: error.to_string() };
        if map.contains_key("tool") {
            return serde_json::from_value(Value::Object(map)).map(Self::Step).map_err(field);
        }
        if map.contains_key("value") && map.contains_key("step") {
            return serde_json::from_value(Value::Object(map)).map(Self::Value).map_err(field);
        }
        if !map.contains_key("goal") {
            return Err(DraftError::NeitherKind { at: at.to_owned() });
        }
        let children = match map.remove("children") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(children)) => children,
            Some(_) => return Err(DraftError::Field { at: at.to_owned(), why: "`children` is not a list".to_owned() }),
        };
        let mut goal: DraftGoal = serde_json::from_value(Value::Object(map)).map_err(field)?;
        for (place, child) in children.into_iter().enumerate() {
            let at = if at.is_empty() { format!("children[{place}]") } else { format!("{at}.children[{place}]") };
            goal.children.push(Self::from_value(child, &at)?);
        }
        Ok(Self::Goal(goal))
    }

    /// How many nodes it holds, itself included.
    pub fn size(&self) -> usize {
        match self {
            Self::Step(step) => 1 + usize::from(step.check.is_some()),
            Self::Value(_) => 1,
            Self::Goal(goal) => 1 + goal.children.iter().map(Self::size).sum::<usize>(),
        }
    }
}

impl<'de> Deserialize<'de> for Draft {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?, "plan").map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_draft_goes_through_json_and_back() {
        let value = json!({"goal": "g", "order": "alternatives", "then": "close", "children": [
            {"step": "a", "tool": "x.y", "arguments": {"n": 1}, "expect": [{"exists": "n"}]},
            {"goal": "later", "order": "sequence", "then": "close"}]});
        let draft: Draft = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(draft.size(), 3);
        assert_eq!(serde_json::to_value(&draft).unwrap(), value);
    }

    #[test]
    fn a_fault_names_its_place() {
        let value = json!({"goal": "g", "children": [{"goal": "h", "children": [{"tool": "bad"}]}]});
        let error = Draft::from_value(value, "").unwrap_err().to_string();
        assert!(error.starts_with("children[0].children[0]: "), "{error}");
        let error = Draft::from_value(json!({"goal": "g", "children": [3]}), "").unwrap_err();
        assert_eq!(error.to_string(), "children[0]: a node needs `tool` (a step) or `goal` (a goal)");
        let error = Draft::from_value(json!({"goal": "g", "colour": 1}), "plan").unwrap_err().to_string();
        assert!(error.contains("unknown field `colour`"), "{error}");
    }
}
