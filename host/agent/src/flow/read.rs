//! Reading a flow.

use serde_json::{Map, Value, json};
use toolcrib_policy::{Money, MoneyError, ToolName, ToolPattern, parse_duration};

use super::{FLOW_VERSION, Flow, FlowError, RESULT};
use crate::plan::{Check, Expectation};
use crate::{
    Budget, ChildAgent, Draft, DraftEach, DraftGoal, DraftStep, DraftValue, Order, Share, StepName, Then, Trying,
};

/// The largest file that is read: a flow that a person can read is far smaller.
const BYTES_MAX: usize = 1 << 20;

/// How deep branches may nest.
const DEPTH_MAX: usize = 24;

/// The words that make a node, one of which each has.
const KINDS: [&str; 8] = ["tool", "value", "each", "parallel", "first-of", "try", "agent", "steps"];

/// What a node of a run's plan can be besides: something that its planner plans when its turn comes.
const GOAL: &str = "goal";

/// How a node is read.
#[derive(Clone, Copy)]
struct How {
    /// How many levels are left.
    depth: usize,
    /// Whether it is a run's plan, which has a planner.
    plan: bool,
}

/// Reads a flow.
pub(super) fn flow(text: &str) -> Result<Flow, FlowError> {
    read_flow(value(text)?).map_err(|error| error.placed(text))
}

/// Reads a run's plan.
pub(super) fn plan(text: &str) -> Result<Vec<Draft>, FlowError> {
    read_plan(value(text)?).map_err(|error| error.placed(text))
}

/// What the YAML holds.
pub(super) fn value(text: &str) -> Result<Value, FlowError> {
    if text.len() > BYTES_MAX {
        return Err(FlowError::Yaml(format!("it has {} bytes, at most {BYTES_MAX} are read", text.len())));
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| FlowError::Yaml(error.to_string()))
}

fn read_plan(value: Value) -> Result<Vec<Draft>, FlowError> {
    let mut file = Node::new(value, String::new()).map("a plan is a map with `plan` and `steps`")?;
    file.take("plan").map(Node::text).transpose()?;
    let how = How { depth: DEPTH_MAX, plan: true };
    let steps = nodes(file.need("steps", "say what is to be done")?, how)?;
    file.finish()?;
    Ok(steps)
}

fn read_flow(value: Value) -> Result<Flow, FlowError> {
    let mut file = Node::new(value, String::new()).map("a flow is a map with `flow`, `inputs` and `steps`")?;
    let name = file.need("flow", "give the flow a name")?.text()?;
    if let Some(version) = file.take("version")
        && version.value != json!(FLOW_VERSION)
    {
        return Err(version.wrong(format!("this version reads flows of version {FLOW_VERSION}")));
    }
    let description = file.take("description").map_or(Ok(String::new()), Node::text)?;
    let inputs = file.take("inputs").map_or(Ok(Map::new()), inputs)?;
    let budget = file.take("budget").map_or(Ok(Budget { wall_ms: 60 * 60 * 1000, ..Budget::default() }), budget)?;
    let mut steps = nodes(file.need("steps", "say what the flow does")?, How { depth: DEPTH_MAX, plan: false })?;
    if let Some(result) = file.take("result") {
        let name = StepName::nearest(RESULT);
        steps.push(Draft::Value(DraftValue { name, value: result.value, when: None }));
    }
    file.finish()?;
    Ok(Flow { name, description, inputs, budget, steps })
}

/// A value with its place.
struct Node {
    value: Value,
    at: String,
}

/// A map whose keys are taken one by one: what is left is unknown.
struct Fields {
    map: Map<String, Value>,
    at: String,
    known: Vec<&'static str>,
}

impl Node {
    fn new(value: Value, at: String) -> Self {
        Self { value, at }
    }

    fn wrong(&self, why: impl Into<String>) -> FlowError {
        let at = if self.at.is_empty() { "the flow".to_owned() } else { self.at.clone() };
        FlowError::wrong(at, why)
    }

    fn map(self, expected: &str) -> Result<Fields, FlowError> {
        match self.value {
            Value::Object(map) => Ok(Fields { map, at: self.at, known: Vec::new() }),
            _ => Err(self.wrong(expected)),
        }
    }

    fn list(self) -> Result<Vec<Node>, FlowError> {
        match self.value {
            Value::Array(items) => {
                let at = |place| format!("{}[{place}]", self.at);
                Ok(items.into_iter().enumerate().map(|(place, item)| Node::new(item, at(place))).collect())
            }
            _ => Err(self.wrong("write a list")),
        }
    }

    fn text(self) -> Result<String, FlowError> {
        match &self.value {
            Value::String(text) if !text.trim().is_empty() => Ok(text.clone()),
            _ => Err(self.wrong("write a text")),
        }
    }

    /// A condition or a list: an expression, with or without braces around it.
    fn expression(self) -> Result<String, FlowError> {
        if let Value::Bool(value) = self.value {
            return Ok(value.to_string());
        }
        let text = self.text()?;
        let inner = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        Ok(inner.unwrap_or(&text).trim().to_owned())
    }

    fn number(self, least: u64, most: u64) -> Result<u64, FlowError> {
        let number = self.value.as_u64().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.wrong(format!("write a whole number from {least} to {most}")))
    }

    fn duration(self) -> Result<u64, FlowError> {
        let text = match &self.value {
            Value::String(text) => text.clone(),
            _ => return Err(self.wrong("write a time such as `500 ms`, `30 s` or `5 min`")),
        };
        parse_duration(&text).map_err(|error| self.wrong(error.to_string()))
    }

    /// An amount of money: a number is taken as it was written.
    fn money(self) -> Result<Money, FlowError> {
        let text = match &self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.wrong("write an amount such as `0.50`, without the currency")),
        };
        text.parse().map_err(|error: MoneyError| self.wrong(error.to_string()))
    }

    fn name(self) -> Result<StepName, FlowError> {
        let (at, text) = (self.at.clone(), self.text()?);
        StepName::try_from(text).map_err(|error| FlowError::wrong(at, error.to_string()))
    }
}

impl Fields {
    fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let at = if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) };
        self.map.remove(key).map(|value| Node::new(value, at))
    }

    fn take_if(&mut self, known: bool, key: &'static str) -> Option<Node> {
        if known { self.take(key) } else { None }
    }

    fn need(&mut self, key: &'static str, why: &str) -> Result<Node, FlowError> {
        self.take(key).ok_or_else(|| self.wrong(format!("`{key}` is missing: {why}")))
    }

    fn wrong(&self, why: String) -> FlowError {
        Node::new(Value::Null, self.at.clone()).wrong(why)
    }

    fn finish(self) -> Result<(), FlowError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.wrong(format!("unknown key `{key}`; there are {}", self.known.join(", ")))),
        }
    }
}

fn inputs(node: Node) -> Result<Map<String, Value>, FlowError> {
    let fields = node.map("name each input, with its schema")?;
    let mut inputs = Map::new();
    for (name, schema) in fields.map {
        let at = Node::new(schema, format!("{}.{name}", fields.at));
        if StepName::try_from(name.clone()).is_err() {
            return Err(at.wrong("an input's name has a-z, 0-9 and _, and begins with a letter"));
        }
        // `name: string` is short for a schema.
        let schema = match &at.value {
            Value::String(kind) => json!({ "type": kind }),
            Value::Object(_) => at.value.clone(),
            Value::Null => json!({}),
            _ => return Err(at.wrong("write a type, such as `string`, or a JSON Schema")),
        };
        if let Some(default) = schema.get("default") {
            match crate::plan::validate(&schema, default) {
                Ok(faults) if faults.is_empty() => {}
                Ok(faults) => return Err(at.wrong(format!("its default does not fit: {}", faults[0].why))),
                Err(error) => return Err(at.wrong(error.to_string())),
            }
        } else if let Err(error) = crate::plan::validate(&schema, &Value::Null) {
            return Err(at.wrong(error.to_string()));
        }
        inputs.insert(name, schema);
    }
    Ok(inputs)
}

fn budget(node: Node) -> Result<Budget, FlowError> {
    let mut fields = node.map("write `steps`, `time` and `money`")?;
    let usual = Budget::default();
    let steps = fields.take("steps").map_or(Ok(u64::from(usual.steps)), |steps| steps.number(1, 1_000_000))?;
    let wall_ms = fields.take("time").map_or(Ok(60 * 60 * 1000), Node::duration)?;
    let money = fields.take("money").map(Node::money).transpose()?;
    fields.finish()?;
    Ok(Budget { steps: u32::try_from(steps).unwrap_or(u32::MAX), wall_ms, money, ..usual })
}

/// What one branch may spend.
fn share(node: Node) -> Result<Share, FlowError> {
    let mut fields = node.map("write `steps`, `time`, `tokens` or `money`")?;
    let steps = fields.take("steps").map(|steps| steps.number(1, 1_000_000)).transpose()?;
    let wall_ms = fields.take("time").map(Node::duration).transpose()?;
    let tokens = fields.take("tokens").map(|tokens| tokens.number(1, u64::MAX)).transpose()?;
    let money = fields.take("money").map(Node::money).transpose()?;
    fields.finish()?;
    Ok(Share { steps: steps.and_then(|steps| u32::try_from(steps).ok()), wall_ms, tokens, money })
}

fn nodes(node: Node, how: How) -> Result<Vec<Draft>, FlowError> {
    let Some(depth) = how.depth.checked_sub(1) else {
        return Err(node.wrong(format!("branches nest at most {DEPTH_MAX} deep")));
    };
    let how = How { depth, ..how };
    let empty = node.wrong("there is nothing to do here");
    let drafts = node.list()?.into_iter().map(|node| draft(node, how)).collect::<Result<Vec<_>, _>>()?;
    if drafts.is_empty() { Err(empty) } else { Ok(drafts) }
}

/// One branch: a node, or a list of nodes in order.
fn branch(node: Node, how: How) -> Result<Draft, FlowError> {
    if node.value.is_array() {
        return Ok(goal("in order".to_owned(), Order::Sequence, nodes(node, how)?));
    }
    draft(node, how)
}

fn goal(text: String, order: Order, children: Vec<Draft>) -> Draft {
    let (then, when, each, budget, agent) = (Then::Close, None, None, None, None);
    Draft::Goal(DraftGoal { goal: text, order, then, when, each, budget, agent, children })
}

fn draft(node: Node, how: How) -> Result<Draft, FlowError> {
    let mut fields = node.map("a step is a map")?;
    // In a loop `parallel` is a word beside it.
    let is_kind = |kind: &&str| fields.map.get(*kind).is_some_and(|value| *kind != "parallel" || !value.is_boolean());
    let known = KINDS.into_iter().chain(how.plan.then_some(GOAL));
    let kinds: Vec<&str> = known.filter(is_kind).collect();
    let then = match fields.take_if(how.plan, "then") {
        None => Then::Close,
        Some(node) => {
            serde_json::from_value(node.value.clone()).map_err(|_| node.wrong("write `close` or `review`"))?
        }
    };
    let when = fields.take("when").map(Node::expression).transpose()?;
    let title = fields.take("title").map(Node::text).transpose()?;
    let is_goal = !kinds.iter().any(|kind| ["tool", "value"].contains(kind));
    let share = fields.take_if(is_goal, "budget").map(share).transpose()?;
    let made = match kinds.as_slice() {
        ["tool"] => step(&mut fields, when)?,
        ["value"] => {
            let name = fields.need("step", "name the value, so that it can be referred to")?.name()?;
            let value = fields.need("value", "")?.value;
            Draft::Value(DraftValue { name, value, when })
        }
        ["each", "steps"] => {
            let list = fields.need("each", "")?.expression()?;
            let item = fields.take("as").map_or(Ok("item".to_owned()), Node::text)?;
            if StepName::try_from(item.clone()).is_err() || ["steps", "inputs", "error"].contains(&item.as_str()) {
                return Err(fields.wrong(format!("`{item}` cannot name an item: use a-z, 0-9 and _, such as `item`")));
            }
            let name = fields.take("step").map(Node::name).transpose()?;
            let parallel = match fields.take("parallel") {
                None => false,
                Some(node) => node.value.as_bool().ok_or_else(|| node.wrong("write true or false"))?,
            };
            let children = nodes(fields.need("steps", "")?, how)?;
            let order = if parallel { Order::Parallel } else { Order::Sequence };
            let each = Some(DraftEach { list, item, name });
            let goal = title.unwrap_or_else(|| "for each".to_owned());
            let (then, budget, agent) = (Then::Close, None, None);
            Draft::Goal(DraftGoal { goal, order, then, when, each, budget, agent, children })
        }
        ["parallel"] | ["first-of"] => {
            let (key, order, text) = match kinds[0] {
                "parallel" => ("parallel", Order::Parallel, "at the same time"),
                _ => ("first-of", Order::Alternatives, "one of these"),
            };
            let branches = fields.need(key, "")?.list()?;
            let children = branches.into_iter().map(|node| branch(node, how)).collect::<Result<Vec<_>, _>>()?;
            if children.is_empty() {
                return Err(fields.wrong(format!("`{key}` has no branches")));
            }
            with_condition(goal(title.unwrap_or_else(|| text.to_owned()), order, children), when)
        }
        ["try"] => {
            let tried = goal("try".to_owned(), Order::Sequence, nodes(fields.need("try", "")?, how)?);
            let caught = fields.need("catch", "say what is done where `try` fails")?;
            let caught = goal("where that fails".to_owned(), Order::Sequence, nodes(caught, how)?);
            let text = title.unwrap_or_else(|| "with an error branch".to_owned());
            with_condition(goal(text, Order::Rescue, vec![tried, caught]), when)
        }
        ["agent"] => with_condition(agent(&mut fields)?, when),
        ["goal"] => {
            let text = fields.need("goal", "")?.text()?;
            with_condition(goal(text, Order::Sequence, Vec::new()), when)
        }
        ["steps"] => {
            let children = nodes(fields.need("steps", "")?, how)?;
            with_condition(goal(title.unwrap_or_else(|| "in order".to_owned()), Order::Sequence, children), when)
        }
        [] => return Err(fields.wrong(format!("a step has one of {}", KINDS.join(", ")))),
        several => return Err(fields.wrong(format!("a step has one of these, not all: {}", several.join(", ")))),
    };
    fields.finish()?;
    Ok(match made {
        Draft::Goal(goal) => Draft::Goal(DraftGoal { then, budget: share, ..goal }),
        other => other,
    })
}

/// A goal that an agent of its own reaches, with fewer tools.
fn agent(fields: &mut Fields) -> Result<Draft, FlowError> {
    let text = fields.need("agent", "")?.text()?;
    let name = fields.take("step").map(Node::name).transpose()?;
    let mut tools = Vec::new();
    for node in fields.need("tools", "list the tools that it may use, such as `files.read` or `text.*`")?.list()? {
        let line = node.value.as_str().unwrap_or_default();
        tools.push(ToolPattern::parse(line).map_err(|error| node.wrong(error.to_string()))?);
    }
    let model = fields.take("model").map(Node::text).transpose()?;
    let given = fields.take("given").map_or(Value::Null, |node| node.value);
    let agent = ChildAgent { name, tools, model, given };
    match goal(text, Order::Sequence, Vec::new()) {
        Draft::Goal(goal) => Ok(Draft::Goal(DraftGoal { agent: Some(agent), ..goal })),
        other => Ok(other),
    }
}

fn with_condition(draft: Draft, when: Option<String>) -> Draft {
    match draft {
        Draft::Goal(goal) => Draft::Goal(DraftGoal { when, ..goal }),
        other => other,
    }
}

fn step(fields: &mut Fields, when: Option<String>) -> Result<Draft, FlowError> {
    let tool = fields.need("tool", "")?;
    let at = tool.at.clone();
    let tool: ToolName =
        tool.text()?.parse().map_err(|error| FlowError::wrong(at, format!("this is no tool: {error}")))?;
    let name = fields.take("step").map(Node::name).transpose()?;
    let arguments = fields.take("arguments").map_or(json!({}), |node| node.value);
    let expect = expectations(fields)?;
    let check = fields.take("check").map(check).transpose()?;
    let mut trying = Trying::default();
    if let Some(node) = fields.take("retry") {
        let mut retry = node.map("write `attempts`, and `wait` and `factor` where it is to wait")?;
        let attempts = retry.need("attempts", "say how often it is tried at most")?.number(1, 100)?;
        trying.attempts = u32::try_from(attempts).ok();
        trying.wait_ms = retry.take("wait").map(Node::duration).transpose()?;
        if let Some(node) = retry.take("factor") {
            let factor = node.value.as_f64().filter(|factor| (1.0..=10.0).contains(factor));
            let factor = factor.ok_or_else(|| node.wrong("write a number from 1 to 10"))?;
            trying.growth_percent = Some((factor * 100.0).round() as u32);
        }
        retry.finish()?;
    }
    trying.wall_ms = fields.take("timeout").map(Node::duration).transpose()?;
    if let Some(node) = fields.take("ask") {
        trying.ask = node.value.as_bool().ok_or_else(|| node.wrong("write true or false"))?;
    }
    Ok(Draft::Step(DraftStep { name, arguments, expect, when, trying, check, ..DraftStep::of(tool) }))
}

fn expectations(fields: &mut Fields) -> Result<Vec<Expectation>, FlowError> {
    let mut expect = Vec::new();
    for node in fields.take("expect").map_or(Ok(Vec::new()), Node::list)? {
        let read: Result<Expectation, _> = serde_json::from_value(node.value.clone());
        let read = read.map_err(|error| error.to_string()).and_then(|read| read.well_formed().map(|()| read));
        expect.push(read.map_err(|why| node.wrong(why))?);
    }
    Ok(expect)
}

/// A call that only reads, made once the step is done.
fn check(node: Node) -> Result<Box<Check>, FlowError> {
    let mut fields = node.map("write `tool`, `arguments` and `expect`")?;
    let tool = fields.need("tool", "say what is called to look at what the step did")?;
    let at = tool.at.clone();
    let tool = tool.text()?.parse().map_err(|error| FlowError::wrong(at, format!("this is no tool: {error}")))?;
    let arguments = fields.take("arguments").map_or(json!({}), |node| node.value);
    let expect = expectations(&mut fields)?;
    if expect.is_empty() {
        return Err(fields.wrong("`expect` is missing: say what the check has to find".to_owned()));
    }
    fields.finish()?;
    Ok(Box::new(Check { tool, arguments, expect }))
}
