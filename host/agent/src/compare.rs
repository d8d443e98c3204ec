//! Two runs side by side: where they part, and what came of each.

use serde::Serialize;
use serde_json::Value;

use crate::plan::refs;
use crate::{Event, EventKind, State, Status, StepName};

/// How many characters of a value a difference shows.
const VALUE_CHARS: usize = 120;

/// What is different between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// How many events are the same from the beginning on, times, receipts, keys and states of folders left out.
    pub same: usize,
    /// The kinds of the first events that differ; none where a run is over by then.
    pub parted: Option<[Option<&'static str>; 2]>,
    /// What is different, in the order of the first run's steps, then those of the second alone.
    pub differences: Vec<Difference>,
}

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is about: `goal`, `planner`, `outcome`, `answer`, or `step NAME: …`.
    pub at: String,
    /// In the first run; none where it is not there.
    pub first: Option<String>,
    /// In the second.
    pub second: Option<String>,
}

/// Compares two runs, each given by its events and the state that they make.
pub fn compare(first: (&[Event], &State), second: (&[Event], &State)) -> Comparison {
    let ((events, one), (others, two)) = (first, second);
    let same = events.iter().zip(others).take_while(|(a, b)| essence(&a.kind) == essence(&b.kind)).count();
    let kinds = [events, others].map(|events| events.get(same).map(|event| event.kind.name()));
    let mut found = Found(Vec::new());
    found.texts("goal", Some(one.goal()), Some(two.goal()));
    found.texts("planner", Some(one.planner()), Some(two.planner()));
    found.texts("outcome", one.outcome().map(|end| end.name()), two.outcome().map(|end| end.name()));
    let answer = |state: &State| state.outcome().and_then(|end| end.answer()).map(|answer| answer.text.clone());
    found.texts("answer", answer(one).as_deref(), answer(two).as_deref());
    for (_, step) in one.plan().steps() {
        found.step(&step.name, one, two);
    }
    for (_, step) in two.plan().steps().filter(|(_, step)| one.plan().named(&step.name).is_none()) {
        found.step(&step.name, one, two);
    }
    Comparison { same, parted: kinds.iter().any(Option::is_some).then_some(kinds), differences: found.0 }
}

/// The event without what differs from one machine and one day to the next.
fn essence(kind: &EventKind) -> EventKind {
    let mut kind = kind.clone();
    match &mut kind {
        EventKind::StepFinished { receipt, .. } => *receipt = Value::Null,
        EventKind::StepStarted { key, folders, .. } => {
            *key = None;
            folders.clear();
        }
        EventKind::Waited { until } => *until = crate::Millis::default(),
        _ => {}
    }
    kind
}

struct Found(Vec<Difference>);

impl Found {
    fn texts(&mut self, at: &str, first: Option<&str>, second: Option<&str>) {
        if first != second {
            let shown = |text: Option<&str>| text.map(|text| refs::short(&Value::from(text), VALUE_CHARS));
            self.0.push(Difference { at: at.to_owned(), first: shown(first), second: shown(second) });
        }
    }

    fn step(&mut self, name: &StepName, one: &State, two: &State) {
        let at = |what: &str| format!("step {name}: {what}");
        let shown = |state: &State| state.plan().named(name).map(|(_, step)| step.tool.to_string());
        let (first, second) = (shown(one), shown(two));
        if first != second {
            return self.0.push(Difference { at: format!("step {name}"), first, second });
        }
        let status = |state: &State| state.plan().named(name).map(|(node, _)| status(&node.status));
        self.texts(&at("status"), status(one).as_deref(), status(two).as_deref());
        let record = |state: &State| {
            let (node, _) = state.plan().named(name)?;
            state.record(node.id).cloned()
        };
        let (Some(a), Some(b)) = (record(one), record(two)) else { return };
        self.values(&at("arguments"), Some(&a.arguments), Some(&b.arguments));
        self.values(&at("result"), a.value.as_deref(), b.value.as_deref());
    }

    /// The first place in which two values differ, with what is there.
    fn values(&mut self, at: &str, first: Option<&Value>, second: Option<&Value>) {
        let place = match (first, second) {
            (Some(first), Some(second)) => match parting(first, second) {
                Some(place) => place,
                None => return,
            },
            (None, None) => return,
            _ => String::new(),
        };
        let shown = |value: Option<&Value>| Some(refs::short(value?.pointer(&place)?, VALUE_CHARS));
        let at = if place.is_empty() { at.to_owned() } else { format!("{at} {place}") };
        self.0.push(Difference { at, first: shown(first), second: shown(second) });
    }
}

/// The JSON pointer of the first place in which two values differ.
fn parting(first: &Value, second: &Value) -> Option<String> {
    let below = |key: String, inner: Option<String>| inner.map(|rest| format!("/{key}{rest}"));
    match (first, second) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => below(escaped, parting(a, b)),
                    _ => Some(format!("/{escaped}")),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) => {
            let inner = a.iter().zip(b).enumerate().find_map(|(at, (a, b))| below(at.to_string(), parting(a, b)));
            inner.or_else(|| (a.len() != b.len()).then(|| format!("/{}", a.len().min(b.len()))))
        }
        (a, b) => (a != b).then(String::new),
    }
}

fn status(status: &Status) -> String {
    match status {
        Status::Failed { why, .. } => format!("failed: {why}"),
        Status::Done => "done".to_owned(),
        Status::Skipped => "skipped".to_owned(),
        Status::Open | Status::Waiting => "not begun".to_owned(),
        Status::Planning
        | Status::Active
        | Status::Asking { .. }
        | Status::Running
        | Status::Parked
        | Status::Finished => "under way".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_place_that_differs_is_named() {
        let cases = [
            (json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 3}]}), Some("/a/1/b")),
            (json!({"a": 1}), json!({"a": 1, "x/y": 2}), Some("/x~1y")),
            (json!([1, 2]), json!([1]), Some("/1")),
            (json!({"a": null}), json!({"a": null}), None),
            (json!(1), json!("1"), Some("")),
        ];
        for (first, second, place) in cases {
            assert_eq!(parting(&first, &second).as_deref(), place, "{first} {second}");
        }
    }
}
