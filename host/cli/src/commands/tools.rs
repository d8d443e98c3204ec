//! `toolcrib tools`: what there is.

use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::catalog::{Severity, Tool};

use crate::args::{Common, ToolsArgs};
use crate::render::{errln, outln, plain};
use crate::setup;

pub(crate) async fn tools(common: &Common, args: ToolsArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    let snapshot = crib.snapshot();
    let query = args.query.join(" ");
    let found: Vec<_> = if query.is_empty() {
        snapshot.tools().to_vec()
    } else {
        snapshot.search(&query, args.limit).into_iter().map(|hit| hit.tool).collect()
    };
    let problems: Vec<String> =
        snapshot.problems().iter().filter(|p| p.severity != Severity::Note).map(ToString::to_string).collect();
    if args.json {
        let tools: Vec<Value> = found.iter().map(|tool| tool_json(tool)).collect();
        outln!("{}", json!({ "tools": tools, "problems": problems }));
        return Ok(ExitCode::SUCCESS);
    }
    let width = found.iter().map(|tool| tool.name().to_string().len()).max().unwrap_or(0);
    for tool in &found {
        let name = tool.name().to_string();
        outln!("{name:width$}  {}", plain(first_sentence(tool.description())));
    }
    if found.is_empty() {
        errln!("no tool matches `{}`; `toolcrib tools` lists them all", plain(&query));
    }
    for problem in problems {
        errln!("problem: {}", plain(&problem));
    }
    Ok(ExitCode::SUCCESS)
}

/// All that a planner is told of a tool.
pub(super) fn tool_json(tool: &Tool) -> Value {
    json!({
        "name": tool.name().to_string(),
        "title": tool.title(),
        "description": tool.description(),
        "effect": tool.declared_effect(),
        "open_world": tool.open_world(),
        "input_schema": tool.input_schema().value(),
        "output_schema": tool.output_schema().map(|schema| schema.value()),
    })
}

/// The first sentence of a description.
pub(super) fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.find(". ").map_or(line, |end| &line[..=end])
}
