//! `toolcrib inspect`: what a plugin is, could reach, and may do.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::catalog::Tool;
use toolcrib_runtime::policy::{Requests, Risk};
use toolcrib_runtime::sandbox::{PluginInfo, Reach, reach};
use toolcrib_runtime::{InspectedTool, Inspection, inspect_file};

use super::tools::{first_sentence, tool_json};
use crate::args::{Common, InspectArgs};
use crate::render::{outln, plain};
use crate::{setup, wall};

pub(crate) async fn inspect(common: &Common, args: InspectArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    if setup::looks_like_file(&args.plugin) {
        let info = inspect_file(crib.sandbox(), Path::new(&args.plugin)).await?;
        if args.json {
            outln!("{}", json!({ "component": info, "reach": reach(&info.imports) }));
        } else {
            show_file(&args.plugin, &info);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.plugin.contains('.') {
        let (_, tool) = crib.tool(&args.plugin)?;
        if args.json {
            outln!("{}", tool_json(&crib, &tool));
        } else {
            show_tool(&tool);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let inspection = crib.inspect(&args.plugin)?;
    if args.json {
        outln!("{}", serde_json::to_string(&inspection)?);
    } else {
        show(&inspection);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(plugin: &Inspection) {
    match &plugin.version {
        Some(version) => outln!("{} {}", plain(&plugin.name), plain(version)),
        None => outln!("{} (states no version)", plain(&plugin.name)),
    }
    if !plugin.description.is_empty() {
        outln!("  {}", plain(&plugin.description));
    }
    outln!("  from    {}", plain(&plugin.origin));
    outln!("  digest  {}", plugin.digest);
    outln!("tools");
    for tool in &plugin.tools {
        outln!("  {}  [{}]  {}", plain(&tool.name), effect(&tool.effect), plain(first_sentence(&tool.description)));
    }
    show_reach(&plugin.reach);
    outln!("asks for");
    match plugin.requests.as_deref() {
        None => outln!("  no manifest: all that its imports could use, where it is granted"),
        Some([]) => outln!("  nothing"),
        Some(lines) => lines.iter().for_each(|l| outln!("  {} {}", plain(&l.capability), plain(&l.line))),
    }
    outln!("is granted");
    if plugin.grants.is_empty() {
        outln!("  nothing");
    }
    for grant in &plugin.grants {
        outln!("  {} {}", plain(&grant.capability), plain(&grant.line));
    }
    show_sources(&plugin.tools);
    outln!("risk");
    outln!("  as granted             {}", plugin.risk);
    outln!("  with all it asks for   {}", plugin.risk_if_all_granted);
    show_wall();
    if !plugin.limits.is_empty() {
        outln!("limits, where they are lower than usual");
    }
    for limit in &plugin.limits {
        outln!("  {}", plain(limit));
    }
    for line in plugin.rejected.iter().chain(&plugin.notes) {
        outln!("note: {}", plain(line));
    }
}

/// The tools that bring in or let out what needs a label, as granted.
fn show_sources(tools: &[InspectedTool]) {
    let telling = |tool: &&InspectedTool| !tool.source.label.is_trusted() || tool.source.sink.is_outward();
    if tools.iter().any(|tool| telling(&tool)) {
        outln!("sources and sinks");
    }
    for tool in tools.iter().filter(telling) {
        outln!("  {}  {}; {}", plain(&tool.name), tool.source.label, plain(&tool.source.sink.to_string()));
    }
}

/// A tool as a person reads it: what it does, and each argument with its type.
fn show_tool(tool: &Tool) {
    outln!("{}", tool.name());
    for line in tool.description().lines() {
        outln!("  {}", plain(line));
    }
    outln!("arguments");
    let schema = tool.input_schema().value();
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let properties = schema["properties"].as_object();
    if properties.is_none_or(serde_json::Map::is_empty) {
        outln!("  none");
    }
    for (name, property) in properties.into_iter().flatten() {
        let given = if required.iter().any(|r| r == name) { "required" } else { "optional" };
        let default = property.get("default").map(|value| format!(", else {value}")).unwrap_or_default();
        outln!("  {}  {}, {given}{}", plain(name), plain(&type_of(property)), plain(&default));
        for line in property["description"].as_str().unwrap_or_default().lines() {
            outln!("      {}", plain(line));
        }
    }
    outln!("result");
    let result = tool.output_schema().map(|schema| schema.value());
    let fields = result.as_ref().and_then(|schema| schema["properties"].as_object());
    match (&result, fields) {
        (None, _) => outln!("  as the tool says"),
        (Some(schema), None) => outln!("  {}", plain(&type_of(schema))),
        (Some(_), Some(fields)) => {
            for (name, field) in fields {
                let about = field["description"].as_str().unwrap_or_default();
                outln!("  {}  {}  {}", plain(name), plain(&type_of(field)), plain(first_sentence(about)));
            }
        }
    }
}

/// The type that a schema allows, in a few words; a schema that says it in another way is shown as it is.
fn type_of(schema: &serde_json::Value) -> String {
    use serde_json::Value;
    let choice = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let constants = |any: &[Value]| any.iter().map(|one| one.get("const").map(choice)).collect::<Option<Vec<_>>>();
    let listed = schema["enum"].as_array().map(|choices| choices.iter().map(choice).collect());
    if let Some(choices) = listed.or_else(|| constants(schema["oneOf"].as_array()?)) {
        return format!("one of {}", choices.join(", "));
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("array of {}", type_of(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ if schema.as_object().is_none_or(|fields| fields.keys().all(|key| key == "description")) => "any".to_owned(),
        _ => {
            let mut shown = schema.clone();
            if let Some(fields) = shown.as_object_mut() {
                fields.remove("description");
                fields.remove("default");
            }
            shown.to_string()
        }
    }
}

fn effect(effect: &toolcrib_runtime::policy::Effect) -> String {
    match serde_json::to_value(effect) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => plain(&other.to_string()),
        Err(_) => "irreversible".to_owned(),
    }
}

/// What holds should the sandbox have a hole.
fn show_wall() {
    let Some(report) = wall::standing() else { return };
    outln!("second wall");
    for (what, strength) in report.parts() {
        outln!("  {what}: {strength}");
    }
}

fn show_reach(reach: &[Reach]) {
    outln!("can ever reach");
    let sentences: Vec<_> = reach.iter().filter_map(|r| Some((r, r.sentence.as_ref()?))).collect();
    if sentences.is_empty() {
        outln!("  nothing outside its own call");
    }
    for (reach, sentence) in sentences {
        outln!("  {:8} {sentence}", reach.capability);
    }
}

fn show_file(path: &str, info: &PluginInfo) {
    outln!("{}", plain(path));
    outln!("  digest  {}", info.digest);
    outln!("tools");
    for tool in &info.tools {
        outln!("  {}  {}", plain(&tool.name), plain(tool.description.lines().next().unwrap_or_default()));
    }
    if !info.skipped.is_empty() {
        outln!("no tools");
    }
    for line in &info.skipped {
        outln!("  {}", plain(line));
    }
    show_reach(&reach(&info.imports));
    outln!("risk");
    outln!("  with all it could use  {}", Risk::of_requests(&Requests::from_imports(&info.imports)));
    outln!("imports");
    for import in &info.imports {
        outln!("  {}", plain(import));
    }
}
