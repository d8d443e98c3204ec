//! Reading back what a step wrote.
//!
//! A step that changes something gets a check where its plugin has a tool that only reads, takes what says where (all that it
//! needs is among the step's arguments, under the same name), and gives back what was written under the same name. What an
//! `overwrite` wrote has to be all that is there; anything else has to be in it.

use serde_json::{Map, Value, json};
use toolcrib_policy::{Effect, ToolName};

use super::words::words;
use crate::plan::Check;
use crate::{Draft, DraftStep, Expectation, PlanContext, Proposal, ToolCard};

/// Tools that are looked at for one step.
const CANDIDATES: usize = 12;

/// Adds checks to the steps of a proposal.
pub(super) fn with_checks(context: &PlanContext, proposal: Proposal) -> Proposal {
    match proposal {
        Proposal::Expand { order, then, mut children } => {
            children.iter_mut().for_each(|draft| add(context, draft));
            Proposal::Expand { order, then, children }
        }
        other => other,
    }
}

fn add(context: &PlanContext, draft: &mut Draft) {
    match draft {
        Draft::Goal(goal) => goal.children.iter_mut().for_each(|child| add(context, child)),
        Draft::Step(step) if step.check.is_none() => step.check = check(context, step).map(Box::new),
        Draft::Step(_) | Draft::Value(_) => {}
    }
}

fn check(context: &PlanContext, step: &DraftStep) -> Option<Check> {
    let card = context.tools.get(&step.tool).filter(|card| card.effect != Effect::Read)?;
    let arguments = step.arguments.as_object()?;
    let query = format!("{} read get", words(card.name.plugin().as_str()).join(" "));
    let found = context.tools.search(&query, CANDIDATES);
    // The one that is called for it ("read", "get") before any other, then by name.
    let mut readers: Vec<ToolCard> = found.into_iter().filter(|other| reads_for(other, &card)).collect();
    readers.sort_by_key(|card| (!is_reading(&card.name), card.name.clone()));
    readers.iter().find_map(|reader| reads_back(&card, arguments, reader))
}

fn reads_for(reader: &ToolCard, writer: &ToolCard) -> bool {
    reader.effect == Effect::Read && reader.name.plugin() == writer.name.plugin() && reader.name != writer.name
}

fn is_reading(name: &ToolName) -> bool {
    words(name.tool()).iter().any(|word| matches!(word.as_str(), "read" | "get" | "show" | "fetch"))
}

/// The check with this reader, where it fits.
fn reads_back(writer: &ToolCard, arguments: &Map<String, Value>, reader: &ToolCard) -> Option<Check> {
    let required: Vec<&str> =
        reader.input_schema.get("required")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let same = |name: &&str| {
        arguments.contains_key(*name) && kind(&writer.input_schema, name) == kind(&reader.input_schema, name)
    };
    if required.is_empty() || !required.iter().all(same) {
        return None;
    }
    // An option that both have, such as an encoding, makes what is read another thing than what was written.
    let option = |name: &String| !required.contains(&name.as_str()) && kind(&reader.input_schema, name).is_some();
    if arguments.keys().any(option) {
        return None;
    }
    let reference = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("arguments[{}]", json!(name)) }));
    let given: Map<String, Value> = required.iter().map(reference).collect();
    let output = reader.output_schema.as_ref()?;
    let written = arguments.keys().find(|name| {
        !required.contains(&name.as_str()) && is_text(output, name) && is_text(&writer.input_schema, name)
    })?;
    let (there, meant) = (format!("result[{}]", json!(written)), format!("arguments[{}]", json!(written)));
    // What was written may be everything, or a part of it.
    let held = if writer.effect == Effect::Idempotent {
        format!("{there} == {meant}")
    } else {
        format!("{there}.contains({meant})")
    };
    // A reader that says that it left something out says nothing about the rest.
    let cut = output.pointer("/properties/truncated").is_some();
    let held = if cut { format!("{held} || result.truncated") } else { held };
    Some(Check { tool: reader.name.clone(), arguments: Value::Object(given), expect: vec![Expectation::Holds(held)] })
}

fn kind<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let property = schema.get("properties")?.get(name)?;
    property.get("type").or_else(|| property.get("$ref")).or(Some(property))
}

fn is_text(schema: &Value, name: &str) -> bool {
    kind(schema, name).is_some_and(|kind| kind == "string")
}
