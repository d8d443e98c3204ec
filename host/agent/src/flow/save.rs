//! A finished run as a flow: what worked, in its order, with what the goal named lifted to inputs.

use serde_json::{Map, Value, json};
use toolcrib_policy::ToolName;

use super::FLOW_VERSION;
use crate::plan::refs;
use crate::{Body, Check, Draft, Each, Expectation, NodeId, Order, Share, State, Status, StepName, Then, Trying};

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
    let mut saving = Saving { state, inputs: Map::new(), steps: 0, whole: false };
    // A run of a flow has inputs already: what it was given is the default of the next one.
    for (name, value) in state.inputs().as_object().into_iter().flatten() {
        saving.inputs.insert(name.clone(), json!({ "type": kind_of(value), "default": value }));
    }
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
    /// Whether also what was not reached is wanted.
    whole: bool,
}

impl Saving<'_> {
    fn children(&mut self, goal: NodeId) -> Vec<Value> {
        let children = self.state.plan().goal(goal).map(|goal| goal.children.clone()).unwrap_or_default();
        children.into_iter().flat_map(|child| self.node(child)).collect()
    }

    /// What is left of a node: nothing, itself, or the parts of it that need no frame.
    fn node(&mut self, id: NodeId) -> Vec<Value> {
        let Some(node) = self.state.plan().node(id) else { return Vec::new() };
        // What has a condition may be needed the next time.
        if node.status != Status::Done && node.when.is_none() && !self.whole {
            return Vec::new();
        }
        let mut saved = match &node.body {
            Body::Step(step) => {
                self.steps += 1;
                let arguments = self.arguments(&step.arguments);
                let saved = call(&step.name, &step.tool, arguments, &step.expect, &step.trying);
                with_check(saved, step.check.as_deref())
            }
            Body::Value(computed) => json!({ "step": computed.name, "value": computed.value }),
            Body::Goal(goal) => match &goal.each {
                Some(each) => self.each(each, goal.order),
                None if goal.order == Order::Rescue => self.rescue(&goal.children),
                None => {
                    let children = self.children(id);
                    match (goal.order, &node.when) {
                        (_, _) if children.is_empty() => return children,
                        (Order::Parallel, _) if children.len() > 1 => json!({ "parallel": children }),
                        (_, Some(_)) => json!({ "steps": children }),
                        (_, None) => return children,
                    }
                }
            },
        };
        if let Some(when) = &node.when {
            saved["when"] = json!(when);
        }
        vec![saved]
    }

    /// A loop as it was planned, whatever its rounds were.
    fn each(&mut self, each: &Each, order: Order) -> Value {
        self.steps += each.size();
        looped(&each.list, &each.item, each.name.as_ref(), order, drafts(&each.body))
    }

    /// An error branch with what it is a branch of, also where that did not fail, or failed.
    fn rescue(&mut self, children: &[NodeId]) -> Value {
        let before = std::mem::replace(&mut self.whole, true);
        let mut part = |place: usize| children.get(place).map_or(Vec::new(), |child| self.children(*child));
        let saved = json!({ "try": part(0), "catch": part(1) });
        self.whole = before;
        saved
    }

    fn arguments(&mut self, arguments: &Value) -> Value {
        match arguments {
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, value)| (key.clone(), self.lifted(key, value.clone()))).collect())
            }
            other => other.clone(),
        }
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
            let wish = String::from(StepName::nearest(key));
            let free = |name: &String| !self.inputs.contains_key(name);
            let numbered = (2..).map(|number| format!("{wish}_{number}"));
            std::iter::once(wish.clone()).chain(numbered).find(free).unwrap_or(wish.clone())
        });
        self.inputs.insert(name.clone(), json!({ "type": kind, "default": value }));
        Value::from(format!("{{{{ inputs.{name} }}}}"))
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn call(name: &StepName, tool: &ToolName, arguments: Value, expect: &[Expectation], trying: &Trying) -> Value {
    let mut saved = json!({ "step": name, "tool": tool, "arguments": arguments });
    if !expect.is_empty() {
        saved["expect"] = json!(expect);
    }
    if let Some(attempts) = trying.attempts {
        saved["retry"] = json!({ "attempts": attempts });
        if let Some(wait) = trying.wait_ms {
            saved["retry"]["wait"] = json!(format!("{wait} ms"));
        }
        if let Some(growth) = trying.growth_percent {
            saved["retry"]["factor"] = json!(f64::from(growth) / 100.0);
        }
    }
    if let Some(wall) = trying.wall_ms {
        saved["timeout"] = json!(format!("{wall} ms"));
    }
    if trying.ask {
        saved["ask"] = json!(true);
    }
    saved
}

fn with_check(mut saved: Value, check: Option<&Check>) -> Value {
    if let Some(check) = check {
        saved["check"] = json!(check);
    }
    saved
}

fn looped(list: &str, item: &str, name: Option<&StepName>, order: Order, steps: Vec<Value>) -> Value {
    let mut saved = json!({ "each": list, "as": item, "steps": steps });
    if let Some(name) = name {
        saved["step"] = json!(name);
    }
    if order == Order::Parallel {
        saved["parallel"] = json!(true);
    }
    saved
}

/// What is still to be done for a run's goal, as the value that its YAML holds: what [`super::plan`] reads.
pub fn written(state: &State) -> Value {
    json!({ "plan": state.goal(), "steps": drafts(&state.plan().outline(NodeId::ROOT)) })
}

/// The texts of goals that stand for a shape, and for nothing that a person or planner said.
const SHAPES: [&str; 7] =
    ["in order", "at the same time", "one of these", "for each", "with an error branch", "try", "where that fails"];

fn drafts(drafts: &[Draft]) -> Vec<Value> {
    drafts.iter().map(draft).collect()
}

/// A part of a plan as a flow has it.
fn draft(draft: &Draft) -> Value {
    let (mut saved, when) = match draft {
        Draft::Step(step) => {
            let name = step.name.clone().unwrap_or_else(|| StepName::nearest(step.tool.tool()));
            let saved = call(&name, &step.tool, step.arguments.clone(), &step.expect, &step.trying);
            (with_check(saved, step.check.as_deref()), &step.when)
        }
        Draft::Value(value) => (json!({ "step": value.name, "value": value.value }), &value.when),
        Draft::Goal(goal) => {
            let children = drafts(&goal.children);
            let mut saved = match (&goal.each, goal.order) {
                (None, _) if children.is_empty() => json!({ "goal": goal.goal }),
                (Some(each), order) => looped(&each.list, &each.item, each.name.as_ref(), order, children),
                (None, Order::Parallel) => json!({ "parallel": children }),
                (None, Order::Alternatives) => json!({ "first-of": children }),
                (None, Order::Rescue) => {
                    // A branch that is one step, or has a condition, is a list of one.
                    let part = |place: usize| match (goal.children.get(place), children.get(place)) {
                        (Some(Draft::Goal(branch)), Some(saved))
                            if branch.order == Order::Sequence && branch.when.is_none() && branch.each.is_none() =>
                        {
                            saved["steps"].clone()
                        }
                        (_, saved) => json!(saved.into_iter().collect::<Vec<_>>()),
                    };
                    json!({ "try": part(0), "catch": part(1) })
                }
                (None, Order::Sequence) => json!({ "steps": children }),
            };
            if !goal.children.is_empty() && !SHAPES.contains(&goal.goal.as_str()) {
                saved["title"] = json!(goal.goal);
            }
            if let Some(agent) = &goal.agent {
                saved = json!({ "agent": goal.goal, "tools": agent.tools });
                let parts = [
                    ("step", agent.name.as_ref().map(|name| json!(name))),
                    ("model", agent.model.as_ref().map(|model| json!(model))),
                    ("given", Some(agent.given.clone()).filter(|given| !given.is_null())),
                ];
                parts
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, value?)))
                    .for_each(|(key, value)| saved[key] = value);
            }
            if let Some(Share { steps, wall_ms, tokens, money }) = goal.budget {
                let parts = [
                    ("steps", steps.map(|steps| json!(steps))),
                    ("time", wall_ms.map(|wall| json!(format!("{wall} ms")))),
                    ("tokens", tokens.map(|tokens| json!(tokens))),
                    ("money", money.map(|money| json!(money))),
                ];
                let parts = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
                saved["budget"] = Value::Object(parts.collect());
            }
            if goal.then != Then::Close {
                saved["then"] = json!(goal.then);
            }
            (saved, &goal.when)
        }
    };
    if let Some(when) = when {
        saved["when"] = json!(when);
    }
    saved
}

/// Whether the goal names it: as words of its own, not as a part of one.
fn stands_in(goal: &str, text: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    goal.match_indices(text).any(|(at, found)| {
        let (before, after) = (goal[..at].chars().next_back(), goal[at + found.len()..].chars().next());
        let (first, last) = (text.chars().next(), text.chars().next_back());
        let part = inside(before) && inside(first) || inside(after) && inside(last);
        !part
    })
}
