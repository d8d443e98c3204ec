//! `toolcrib flow`: plans that a person wrote.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use toolcrib_runtime::agent::{Flow, Status, flow::save};
use toolcrib_runtime::policy::{Effect, Verdict};
use toolcrib_runtime::{CribError, FlowRequest, RunLog};

use crate::args::{Common, FlowCommand, FlowRunArgs};
use crate::commands::run::{Desk, budget_on, conclude, crib};
use crate::exit::{self, BadInput};
use crate::render::{counted, errln, outln, plain, show_preview};
use crate::setup;

pub(crate) async fn flow(common: &Common, command: FlowCommand) -> anyhow::Result<ExitCode> {
    match command {
        FlowCommand::Check { file, json } => check(common, &file, json).await,
        FlowCommand::Run(args) => run(common, args).await,
        FlowCommand::Save { run, name, output } => save_run(common, &run, name, output.as_deref()),
    }
}

fn read(file: &Path) -> anyhow::Result<Flow> {
    let bad = |why: String| BadInput(format!("`{}`: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    Ok(Flow::parse(&text).map_err(|error| bad(error.to_string()))?)
}

async fn check(common: &Common, file: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let flow = read(file)?;
    let crib = if as_json { setup::quiet_crib(common).await? } else { setup::crib(common).await? };
    let checked = crib.check_flow(&flow)?;
    let missing: Vec<&String> =
        flow.inputs.iter().filter(|(_, schema)| schema.get("default").is_none()).map(|(name, _)| name).collect();
    if as_json {
        let call = |(tool, effect, verdict): &(_, Effect, Option<Verdict>)| json!({ "tool": tool, "effect": effect, "rules": verdict });
        let calls: Vec<Value> = checked.calls.iter().map(call).collect();
        outln!(
            "{}",
            json!({
                "outcome": "ok", "flow": flow.name, "inputs": flow.inputs, "required": missing, "calls": calls,
                "without_grants": checked.without_grants,
            })
        );
        return Ok(ExitCode::SUCCESS);
    }
    outln!("{}  {}", plain(&flow.name), plain(&flow.description));
    for (name, schema) in &flow.inputs {
        let kind = schema.get("type").map_or("any".to_owned(), |kind| kind.to_string().replace('"', ""));
        let default = schema.get("default").map_or("required".to_owned(), |default| format!("default {default}"));
        outln!("  input {name}: {kind}, {}", plain(&default));
    }
    for (tool, effect, verdict) in &checked.calls {
        let rules = match verdict {
            Some(Verdict::Allow) => "",
            Some(Verdict::Ask) => ", a rule asks a person",
            Some(Verdict::Deny) => ", a rule denies it",
            None => ", rules decide by its arguments",
        };
        outln!("  calls {tool} [{}]{rules}", effect.as_str());
    }
    for plugin in &checked.without_grants {
        errln!("nothing is granted to `{plugin}`, which asks for something: `toolcrib inspect {plugin}` says what");
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(common: &Common, args: FlowRunArgs) -> anyhow::Result<ExitCode> {
    let flow = read(&args.file)?;
    let given = given(&flow, &args)?;
    let inputs = flow.with_inputs(&given).map_err(|error| BadInput(error.to_string()))?;
    let crib = crib(common, &args.drive).await?;
    if args.dry_run {
        let preview = crib.preview_flow(&flow, Some(budget_on(&args.drive, flow.budget)), inputs)?;
        if args.drive.json {
            outln!("{}", json!({ "flow": flow.name, "preview": preview }));
        } else {
            show_preview(common, &crib, &preview, true);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let desk = Desk::new(&args.drive);
    let budget = budget_on(&args.drive, flow.budget);
    let request = FlowRequest {
        flow,
        inputs,
        budget: Some(budget),
        person: desk.person.clone(),
        observer: Arc::new(desk.live.clone()),
        progress: desk.live.progress(),
        cancel: desk.cancel.clone(),
    };
    let result = crib.run_flow(request, |run| desk.began(run)).await;
    conclude(common, &crib, desk, result)
}

/// The inputs of the command line; those that are named one by one count before those of the file.
fn given(flow: &Flow, args: &FlowRunArgs) -> anyhow::Result<Map<String, Value>> {
    let mut given = match &args.inputs {
        None => Map::new(),
        Some(file) => {
            let text = match file.as_os_str() == "-" {
                true => std::io::read_to_string(std::io::stdin()),
                false => std::fs::read_to_string(file),
            };
            let text = text.map_err(|error| BadInput(format!("`{}`: {error}", file.display())))?;
            let read: Result<Map<String, Value>, _> = serde_json::from_str(&text);
            read.map_err(|error| BadInput(format!("`{}` is no JSON object: {error}", file.display())))?
        }
    };
    for input in &args.input {
        let (name, text) =
            input.split_once('=').ok_or_else(|| BadInput(format!("--input `{input}` is not NAME=VALUE")))?;
        given.insert(name.to_owned(), flow.input_of_text(name, text));
    }
    Ok(given)
}

fn save_run(common: &Common, run: &str, name: Option<String>, output: Option<&Path>) -> anyhow::Result<ExitCode> {
    let ledger = setup::ledger(common)?.ok_or_else(|| exit::no_ledger(run))?;
    let run = ledger.resolve(run).map_err(CribError::from)?;
    let state = RunLog::state(&ledger, run)?;
    let saved = save(&state, &name.unwrap_or_else(|| run.to_string()));
    if saved.steps == 0 {
        return Err(BadInput(format!("run {run} has no step that was reached: there is nothing to save")).into());
    }
    let failed = state.plan().steps().filter(|(node, _)| matches!(node.status, Status::Failed { .. })).count();
    let text = yaml(&saved.flow);
    match output {
        None => outln!("{}", text.trim_end()),
        Some(file) => {
            let bad = |error: std::io::Error| BadInput(format!("`{}`: {error}", file.display()));
            let mut made = std::fs::File::create_new(file).map_err(bad)?;
            made.write_all(text.as_bytes()).map_err(bad)?;
        }
    }
    let left = if failed > 0 { format!(", {} that failed left out", failed) } else { String::new() };
    errln!("{}{left}; `toolcrib flow check FILE` says what it would call", counted(saved.steps as u64, "step"));
    Ok(ExitCode::SUCCESS)
}

/// The order in which people write the keys of a flow; others follow as they come.
const ORDER: [&str; 13] = [
    "flow",
    "plan",
    "version",
    "description",
    "inputs",
    "title",
    "step",
    "goal",
    "tool",
    "when",
    "arguments",
    "then",
    "steps",
];

/// A value as YAML: maps and lists in blocks, everything else as JSON, which YAML reads as well.
pub(crate) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

fn block(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(key, _)| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
            for (nth, (key, item)) in fields.into_iter().enumerate() {
                if nth > 0 || !text.ends_with("- ") {
                    text.push_str(&pad);
                }
                text.push_str(&format!("{}:", key_of(key)));
                entry(item, indent + 2, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{pad}- "));
                match item {
                    Value::Object(map) if !map.is_empty() => block(item, indent + 2, text),
                    _ => text.push_str(&format!("{item}\n")),
                }
            }
        }
        other => text.push_str(&format!("{pad}{other}\n")),
    }
}

fn entry(item: &Value, indent: usize, text: &mut String) {
    match item {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            block(item, indent, text);
        }
        Value::Array(items) if items.iter().any(|item| item.is_object()) => {
            text.push('\n');
            block(item, indent, text);
        }
        other => text.push_str(&format!(" {other}\n")),
    }
}

/// A key that needs no quotes stands without them.
fn key_of(key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&key.to_ascii_lowercase().as_str());
    if plain { key.to_owned() } else { Value::from(key).to_string() }
}
