//! A planner that has one plan, as a model would write it, and writes what is left of it again where something failed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_agent::{
    Answer, Draft, NodeId, Order, PlanContext, PlanReason, Planned, Planner, PlannerError, Proposal, StepName, Then,
};

/// How often the plan is written again.
const ROUNDS: u32 = 3;

/// In the plan `@name` stands for the step of that name, whatever it is called in the round that did it.
pub(crate) struct Replay {
    pub(crate) plan: Vec<Value>,
    round: AtomicU32,
}

impl Replay {
    pub(crate) fn new(plan: Vec<Value>) -> Self {
        Self { plan, round: AtomicU32::new(0) }
    }

    fn left(&self, context: &PlanContext, round: u32) -> Vec<Draft> {
        let mut names = BTreeMap::new();
        self.plan.iter().for_each(|item| steps(item, &mut names));
        let called = |name: &str, round: u32| if round == 0 { name.to_owned() } else { format!("{name}_{round}") };
        let done = |name: &str| {
            let rounds = (0..round).rev().map(|round| called(name, round));
            rounds
                .into_iter()
                .find(|name| StepName::try_from(name.clone()).is_ok_and(|name| context.state.result(&name).is_some()))
        };
        for (name, actual) in &mut names {
            *actual = done(name).unwrap_or_else(|| called(name, round));
        }
        let wanted = |item: &&Value| !all_done(item, &done);
        let left = self.plan.iter().filter(wanted).map(|item| named(item, &names));
        left.map(|item| Draft::from_value(item, "").expect("the plan is one")).collect()
    }
}

#[async_trait]
impl Planner for Replay {
    fn name(&self) -> &str {
        "replay"
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let again = context.node == NodeId::ROOT && context.reason == PlanReason::Stuck;
        Ok(match context.reason {
            PlanReason::Review => Proposal::Answer(Answer::text("done")),
            PlanReason::Open => expand(self.left(context, 0)),
            PlanReason::Stuck if again && self.round.load(Ordering::SeqCst) < ROUNDS => {
                let round = self.round.fetch_add(1, Ordering::SeqCst) + 1;
                expand(self.left(context, round))
            }
            PlanReason::Stuck => Proposal::Fail("it did not work".to_owned()),
        }
        .into())
    }
}

fn expand(children: Vec<Draft>) -> Proposal {
    if children.is_empty() {
        return Proposal::Fail("nothing is left to be tried".to_owned());
    }
    Proposal::Expand { order: Order::Sequence, then: Then::Close, children }
}

fn steps(item: &Value, into: &mut BTreeMap<String, String>) {
    if let Some(name) = item.get("step").and_then(Value::as_str) {
        into.insert(name.to_owned(), String::new());
    }
    item["children"].as_array().into_iter().flatten().for_each(|child| steps(child, into));
}

/// Whether nothing of it is left: all of its steps have a result, or one of its alternatives has.
fn all_done(item: &Value, done: &dyn Fn(&str) -> Option<String>) -> bool {
    match (item["step"].as_str(), item["children"].as_array()) {
        (Some(name), _) => done(name).is_some(),
        (None, Some(children)) if item["order"] == "alternatives" => children.iter().any(|child| all_done(child, done)),
        (None, Some(children)) => children.iter().all(|child| all_done(child, done)),
        (None, None) => false,
    }
}

fn named(item: &Value, names: &BTreeMap<String, String>) -> Value {
    match item {
        Value::String(text) => {
            // The longest first: a name may begin another one.
            let mut sorted: Vec<_> = names.iter().collect();
            sorted.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            Value::from(
                sorted.into_iter().fold(text.clone(), |text, (name, actual)| text.replace(&format!("@{name}"), actual)),
            )
        }
        Value::Array(items) => items.iter().map(|item| named(item, names)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("step", Value::String(name)) => (key.clone(), Value::from(names[name].as_str())),
                _ => (key.clone(), named(value, names)),
            })
            .collect(),
        other => other.clone(),
    }
}
