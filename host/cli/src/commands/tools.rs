//! `toolcrib tools`: what there is.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_runtime::Crib;
use toolcrib_runtime::catalog::{Severity, Tool};

use crate::args::{Common, ToolsArgs};
use crate::render::{errln, outln, plain};
use crate::setup;

/// The most tools that fit some words, unless another limit is given: who searches reads the first few.
const USUAL_LIMIT: usize = 20;

pub(crate) async fn tools(common: &Common, args: ToolsArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    let snapshot = crib.snapshot();
    let query = args.query.join(" ");
    let rejected = crib.rejected();
    let usable = |tool: &Arc<Tool>| rejected.iter().all(|(plugin, _)| plugin != tool.name().plugin());
    let mut found: Vec<_> = if query.is_empty() {
        snapshot.tools().to_vec()
    } else {
        snapshot.search(&query, snapshot.tools().len()).into_iter().map(|hit| hit.tool).collect()
    };
    found.retain(usable);
    let limit = match args.limit.unwrap_or(if query.is_empty() { 0 } else { USUAL_LIMIT }) {
        0 => found.len(),
        limit => limit,
    };
    let more = found.len().saturating_sub(limit);
    found.truncate(limit);
    let mut problems: Vec<String> =
        snapshot.problems().iter().filter(|p| p.severity != Severity::Note).map(ToString::to_string).collect();
    problems.extend(rejected.iter().map(|(_, why)| why.to_string()));
    problems.extend(common.plugins.iter().filter_map(|folder| no_folder(folder)));
    if args.json {
        let tools: Vec<Value> = found.iter().map(|tool| tool_json(&crib, tool)).collect();
        outln!("{}", json!({ "tools": tools, "more": more, "problems": problems }));
        return Ok(ExitCode::SUCCESS);
    }
    let width = found.iter().map(|tool| tool.name().to_string().len()).max().unwrap_or(0);
    for tool in &found {
        let name = tool.name().to_string();
        outln!("{name:width$}  {}", plain(first_sentence(tool.description())));
    }
    if more > 0 {
        errln!("{more} more; `--limit 0` shows all");
    }
    if found.is_empty() && query.is_empty() {
        errln!("there are no tools");
    } else if found.is_empty() {
        errln!("no tool matches `{}`; `toolcrib tools` lists them all", plain(&query));
    }
    for problem in problems {
        errln!("problem: {}", plain(&problem));
    }
    Ok(ExitCode::SUCCESS)
}

/// Why there can be no plugins in a folder that the command line names.
fn no_folder(folder: &Path) -> Option<String> {
    match folder.metadata() {
        Ok(place) if place.is_dir() => None,
        Ok(_) => Some(format!("`{}`, given with --plugins, is not a folder", folder.display())),
        Err(error) => Some(format!("the folder `{}`, given with --plugins: {error}", folder.display())),
    }
}

/// All that a planner is told of a tool.
pub(super) fn tool_json(crib: &Crib, tool: &Tool) -> Value {
    let source = crib.plugin(tool.name().plugin().as_str()).ok().map(|plugin| crib.source(&plugin, tool));
    json!({
        "name": tool.name().to_string(),
        "title": tool.title(),
        "description": tool.description(),
        "effect": tool.declared_effect(),
        "open_world": tool.open_world(),
        "label": source.as_ref().map(|source| source.label),
        "sink": source.as_ref().map(|source| &source.sink),
        "input_schema": tool.input_schema().value(),
        "output_schema": tool.output_schema().map(|schema| schema.value()),
    })
}

/// The first sentence of a description.
pub(super) fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.find(". ").map_or(line, |end| &line[..=end])
}
