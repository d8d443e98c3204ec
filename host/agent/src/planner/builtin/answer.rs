//! An answer for people, from the results alone: it never says more than they show.

use serde_json::{Map, Value};

use super::shape::main_value;
use super::words::{means, stem, words};
use crate::{Answer, PlanContext, Record, Step};

/// The most of a text that an answer repeats.
const TEXT_CHARS: usize = 20_000;
/// The most lines of a list that an answer repeats.
const LINES: usize = 200;

/// The answer to a goal from the last accepted result, and from those of the calls that were made together with it;
/// nothing where there is none.
pub(super) fn answer(context: &PlanContext) -> Option<Answer> {
    let (state, goal) = (&context.state, context.goal());
    let results = context.results();
    let (last, _, value) = results.last()?;
    let spoken: Vec<String> = words(goal).into_iter().filter(|word| means(word)).map(|word| stem(&word)).collect();
    let parent = |step: &Step| state.plan().named(&step.name).and_then(|(node, _)| node.parent);
    let together: Vec<_> =
        results.iter().filter(|(step, ..)| step.tool == last.tool && parent(step) == parent(last)).collect();
    if together.len() < 2 {
        return Some(Answer { text: in_words(value, &spoken), value: Some((*value).clone()) });
    }
    let line = |(step, _, value): &&(&Step, &Record, &Value)| {
        let about = own_arguments(step, last, &together[0].0.arguments);
        let text = in_words(value, &spoken);
        let joint = if text.contains('\n') { "\n" } else { " " };
        format!("{about}:{joint}{text}")
    };
    let text = together.iter().map(line).collect::<Vec<_>>().join("\n");
    let value = together.iter().map(|(_, _, value)| (*value).clone()).collect();
    Some(Answer { text, value: Some(Value::Array(value)) })
}

/// What a call was given that others beside it were not.
fn own_arguments(step: &Step, last: &Step, first: &Value) -> String {
    let differs =
        |name: &String, value: &Value| last.arguments.get(name) != Some(value) || first.get(name) != Some(value);
    let arguments = step.arguments.as_object().into_iter().flatten();
    arguments.filter(|(name, value)| differs(name, value)).map(|(_, value)| plain(value)).collect::<Vec<_>>().join(", ")
}

fn in_words(value: &Value, spoken: &[String]) -> String {
    let Some(fields) = value.as_object() else { return plain(value) };
    let part = if fields.get("truncated") == Some(&Value::Bool(true)) { "\n… this is only a part" } else { "" };
    format!("{}{part}", of_object(value, fields, spoken))
}

fn of_object(value: &Value, fields: &Map<String, Value>, spoken: &[String]) -> String {
    // A query that gives one value gives the answer.
    if let Some((_, Value::Array(items))) = main_value(value)
        && let [one] = items.as_slice()
        && !one.is_object()
        && !one.is_array()
    {
        return plain(one);
    }
    let scalar = |value: &Value| !value.is_object() && !value.is_array() && !value.is_null();
    let said = |name: &str, all: bool| {
        let own = words(name);
        if all { own.iter().all(|word| spoken.contains(word)) } else { own.iter().any(|word| spoken.contains(word)) }
    };
    // "words" is a better answer to "how many words" than "unique words".
    let exact = fields.keys().any(|name| !is_text(name) && said(name, true));
    let asked: Vec<String> = fields
        .iter()
        .filter(|(name, value)| scalar(value) && !is_text(name) && said(name, exact))
        .map(|(name, value)| format!("{}: {}", name.replace(['_', '-'], " "), plain(value)))
        .collect();
    let counted = ["many", "count", "number", "total"].iter().any(|word| spoken.contains(&(*word).to_owned()));
    if let Some((_, Value::Array(items))) = main_value(value) {
        return match (asked.is_empty(), counted) {
            (false, true) => asked.join("\n"),
            (true, true) => format!("{} in the list\n{}", items.len(), list(items)),
            (_, false) => list(items),
        };
    }
    if !asked.is_empty() && main_value(value).is_none_or(|(_, main)| !main.is_string() || asked.len() > 1) {
        return asked.join("\n");
    }
    match main_value(value) {
        Some((_, Value::Array(items))) => list(items),
        Some((_, main)) if !main.is_null() => plain(main),
        _ => {
            let all = fields.iter().filter(|(_, value)| scalar(value));
            let lines: Vec<String> =
                all.map(|(name, value)| format!("{}: {}", name.replace(['_', '-'], " "), plain(value))).collect();
            if lines.is_empty() { plain(value) } else { lines.join("\n") }
        }
    }
}

fn is_text(name: &str) -> bool {
    matches!(name, "text" | "body" | "output" | "content" | "diff")
}

fn list(items: &[Value]) -> String {
    let mut lines: Vec<String> = items.iter().take(LINES).map(row).collect();
    if items.len() > LINES {
        lines.push(format!("… and {} more", items.len() - LINES));
    }
    if lines.is_empty() { "nothing was found".to_owned() } else { lines.join("\n") }
}

/// One line for an item: a place and its text, a name, or the values of its fields.
fn row(item: &Value) -> String {
    let Some(fields) = item.as_object() else { return plain(item) };
    if let (Some(line), Some(text)) = (fields.get("line"), fields.get("text")) {
        let file = fields.get("path").map(|path| format!("{}:", plain(path))).unwrap_or_default();
        return format!("{file}{}: {}", plain(line), plain(text));
    }
    let values: Vec<String> = fields.values().filter(|v| !v.is_object() && !v.is_array()).map(plain).collect();
    values.join("  ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > TEXT_CHARS => {
            text.chars().take(TEXT_CHARS).chain(['…']).collect()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
