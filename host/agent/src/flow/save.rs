//! A finished run as a flow: what worked, in its order, with what the goal named lifted to inputs.

use serde_json::{Map, Value, json};

use super::FLOW_VERSION;
use crate::plan::refs;
use crate::{Body, NodeId, Order, State, Status, Step};

/// A run as a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The flow, as the value that its YAML holds.
    pub flow: Value,
    /// How many steps it has.
    pub steps: usize,
}

/// The steps of the run that were reached, as a flow of this name. Steps that failed, and alternatives that were not needed,
/// are left out. A text or number of an argument that also stands in the goal becomes an input, with that value as its default.
pub fn save(state: &State, name: &str) -> Saved {
    let mut saving = Saving { state, inputs: Map::new(), steps: 0 };
    let steps = saving.children(NodeId::ROOT);
    let mut flow = json!({ "flow": name, "version": FLOW_VERSION, "description": state.goal() });
    if !saving.inputs.is_empty() {
        flow["inputs"] = Value::Object(saving.inputs.clone());
    }
    flow["steps"] = Value::Array(steps);
    Saved { flow, steps: saving.steps }
}

struct Saving<'s> {
    state: &'s State,
    inputs: Map<String, Value>,
    steps: usize,
}

impl Saving<'_> {
    fn children(&mut self, goal: NodeId) -> Vec<Value> {
        let children = self.state.plan().goal(goal).map(|goal| goal.children.clone()).unwrap_or_default();
        children.into_iter().flat_map(|child| self.node(child)).collect()
    }

    /// What is left of a node: nothing, itself, or the parts of it that need no frame.
    fn node(&mut self, id: NodeId) -> Vec<Value> {
        let Some(node) = self.state.plan().node(id).filter(|node| node.status == Status::Done) else {
            return Vec::new();
        };
        match &node.body {
            Body::Step(step) => vec![self.step(id, step)],
            Body::Value(computed) => vec![json!({ "step": computed.name, "value": computed.value })],
            Body::Goal(goal) => {
                let children = self.children(id);
                match goal.order {
                    Order::Parallel if children.len() > 1 => vec![json!({ "parallel": children })],
                    _ => children,
                }
            }
        }
    }

    fn step(&mut self, id: NodeId, step: &Step) -> Value {
        self.steps += 1;
        let arguments = match self.state.plan().node(id).and_then(|node| node.parent) {
            // In the round of a loop the references are to the loop's item: what was called is what is known.
            Some(parent) if self.in_loop(parent) => self
                .state
                .record(id)
                .map_or_else(|| step.arguments.clone(), |record| refs::escape((*record.arguments).clone())),
            _ => step.arguments.clone(),
        };
        let arguments = match arguments {
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(key, value)| (key.clone(), self.lifted(&key, value))).collect())
            }
            other => other,
        };
        let mut saved = json!({ "step": step.name, "tool": step.tool, "arguments": arguments });
        if !step.expect.is_empty() {
            saved["expect"] = json!(step.expect);
        }
        saved
    }

    fn in_loop(&self, node: NodeId) -> bool {
        self.state
            .plan()
            .path(node)
            .into_iter()
            .any(|id| self.state.plan().node(id).is_some_and(|node| node.round.is_some()))
    }

    /// The value, or a reference to an input that has it.
    fn lifted(&mut self, key: &str, value: Value) -> Value {
        let (kind, text) = match &value {
            Value::String(text) if text.chars().count() > 1 => ("string", text.clone()),
            Value::Number(number) if number.is_i64() || number.is_u64() => ("integer", number.to_string()),
            Value::Number(number) => ("number", number.to_string()),
            _ => return value,
        };
        let plain = refs::escape(value.clone()) == value;
        if !plain || !stands_in(self.state.goal(), &text) {
            return value;
        }
        let known = self.inputs.iter().find(|(_, schema)| schema["default"] == value).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let wish = String::from(crate::StepName::nearest(key));
            let free = |name: &String| !self.inputs.contains_key(name);
            let numbered = (2..).map(|number| format!("{wish}_{number}"));
            std::iter::once(wish.clone()).chain(numbered).find(free).unwrap_or(wish.clone())
        });
        self.inputs.insert(name.clone(), json!({ "type": kind, "default": value }));
        Value::from(format!("{{{{ inputs.{name} }}}}"))
    }
}

/// Whether the goal names it: as words of its own, not as a part of one.
fn stands_in(goal: &str, text: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    goal.match_indices(text).any(|(at, found)| {
        let (before, after) = (goal[..at].chars().next_back(), goal[at + found.len()..].chars().next());
        let (first, last) = (text.chars().next(), text.chars().next_back());
        !(inside(before) && inside(first)) && !(inside(after) && inside(last))
    })
}
