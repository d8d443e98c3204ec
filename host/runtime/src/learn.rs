//! What a run was refused, and the grants that would have allowed it: what `learn` makes a policy of.

use serde::Serialize;
use serde_json::Value;
use toolcrib_agent::{Event, EventKind, StepOutcome};
use toolcrib_policy::{PluginName, ToolName};

/// Something that a plugin wanted and was refused, and that a grant would allow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Missed {
    /// The plugin.
    pub plugin: PluginName,
    /// The smallest grant, as TOML for the plugin's section of the operator's file.
    pub grant: String,
    /// What it wanted, such as `http GET https://example.com/`.
    pub wanted: String,
}

/// Everything that the calls of a run were refused, each grant once, in order.
pub fn missed(events: &[Event]) -> Vec<Missed> {
    let mut found = Vec::new();
    let mut tools = std::collections::BTreeMap::new();
    for event in events {
        match &event.kind {
            EventKind::StepStarted { node, tool, .. } => drop(tools.insert(*node, tool.clone())),
            EventKind::StepFinished { node, outcome, receipt, .. } => {
                let Some(tool) = tools.get(node) else { continue };
                of_receipt(tool, receipt, &mut found);
                if let StepOutcome::Failed { failure } = outcome
                    && let Some(grant) = &failure.grant
                {
                    let wanted = format!("{}: {}", failure.code, failure.message);
                    push(&mut found, tool.plugin(), grant, wanted);
                }
            }
            _ => {}
        }
    }
    found
}

fn of_receipt(tool: &ToolName, receipt: &Value, found: &mut Vec<Missed>) {
    let list = |pointer: &str| receipt.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    for used in list("/uses/listed") {
        let text = |key: &str| used.get(key).and_then(Value::as_str);
        if let Some(grant) = text("grant") {
            let part = |key: &str| text(key).unwrap_or_default().to_owned();
            let wanted = format!("{} {} {}", part("capability"), part("access"), part("target"));
            push(found, tool.plugin(), grant, wanted);
        }
    }
    for inner in list("/inner/listed") {
        let name = inner.get("tool").and_then(Value::as_str).and_then(|name| name.parse::<ToolName>().ok());
        if let (Some(name), Some(receipt)) = (name, inner.get("receipt")) {
            of_receipt(&name, receipt, found);
        }
    }
}

fn push(found: &mut Vec<Missed>, plugin: &PluginName, grant: &str, wanted: String) {
    if !found.iter().any(|known| known.plugin == *plugin && known.grant == grant) {
        found.push(Missed { plugin: plugin.clone(), grant: grant.to_owned(), wanted });
    }
}
