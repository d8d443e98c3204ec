//! Tables that stand in both files: limits, and the effects of single tools.

use std::collections::BTreeMap;

use crate::effect::Effect;
use crate::error::{PolicyError, PolicyProblem};
use crate::limits::{LimitName, LimitRequest};
use crate::names::check_tool;
use crate::reader::{Node, Table};

/// Reads `limits = { wall = "5 s", memory = "64 MiB" }`.
pub(crate) fn limits(table: &mut Table<'_>) -> Result<LimitRequest, PolicyError> {
    let mut request = LimitRequest::default();
    let Some(node) = table.take("limits") else {
        return Ok(request);
    };
    let mut limits = node.table("`limits`".to_owned())?;
    for name in LimitName::ALL {
        if let Some(node) = limits.take(name.key()) {
            let set = request.parse_into(*name, node.quantity()?);
            set.map_err(|error| PolicyProblem::from(error).at(node.place()))?;
        }
    }
    limits.finish()?;
    Ok(request)
}

/// Reads `effect = "read"` or `effect = { reversible = "restore" }`.
pub(crate) fn effect(node: Node<'_>) -> Result<Effect, PolicyError> {
    const KNOWN: &str = "write `read`, `idempotent`, `irreversible`, or `{ reversible = \"the-tool-that-undoes-it\" }`";
    if node.is_text() {
        let text = node.text()?;
        return match text {
            "read" => Ok(Effect::Read),
            "idempotent" => Ok(Effect::Idempotent),
            "irreversible" => Ok(Effect::Irreversible),
            _ => Err(node.wrong(text, KNOWN)),
        };
    }
    let mut table = node.table("`effect`".to_owned())?;
    let undo = table.take("reversible");
    table.finish()?;
    let Some(undo) = undo else {
        return Err(node.wrong("{}", KNOWN));
    };
    let tool = undo.text()?;
    check_tool(tool).map_err(|error| PolicyProblem::from(error).at(undo.place()))?;
    Ok(Effect::Reversible { undo: tool.to_owned() })
}

/// Reads the tables `[tool.NAME]`, each with `read`.
pub(crate) fn tools<T>(
    table: &mut Table<'_>,
    prefix: &str,
    read: impl Fn(&mut Table<'_>) -> Result<T, PolicyError>,
) -> Result<BTreeMap<String, T>, PolicyError> {
    let mut tools = BTreeMap::new();
    let Some(node) = table.take("tool") else {
        return Ok(tools);
    };
    for node in node.table(format!("`{prefix}tool`"))?.all() {
        let name = node.key();
        check_tool(name).map_err(|error| PolicyProblem::from(error).at(node.place()))?;
        let mut table = node.table(format!("`[{prefix}tool.{name}]`"))?;
        let tool = read(&mut table)?;
        table.finish()?;
        tools.insert(name.to_owned(), tool);
    }
    Ok(tools)
}
