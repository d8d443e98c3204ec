//! What a tool is as a source and as a sink, and the labels of what came out of one call.

use serde_json::Value;
use toolcrib_agent::ToolCall;
use toolcrib_catalog::{Plugin, Rank, Tool};
use toolcrib_policy::{CallFacts, Label, Labels, Marks, OperatorFile, RunFacts, Source, ToolLabels, Trust};
use toolcrib_sandbox::{CallReport, Receipt};

use crate::crib::Crib;

impl Crib {
    /// What a tool is as a source and as a sink.
    pub fn source(&self, plugin: &Plugin, tool: &Tool) -> Source {
        Self::source_under(self.operator(), plugin, tool)
    }

    /// The same under another operator's file.
    pub fn source_under(operator: &OperatorFile, plugin: &Plugin, tool: &Tool) -> Source {
        let trust = if plugin.origin().rank() == Rank::Embedded { Trust::FirstParty } else { Trust::Stranger };
        let authority = operator.authority(plugin.name(), &Self::requests(plugin), None);
        let name = tool.name().tool();
        let nothing = ToolLabels::default();
        let declared = plugin.manifest().and_then(|manifest| manifest.tools.get(name));
        authority.source_of(name, tool.open_world(), declared.map_or(&nothing, |tool| &tool.labels), trust)
    }

    /// The labels of what a call came to: what the tool has of its own, and what its arguments and what it hangs on
    /// brought along. A call that was refused before it was made has nothing of the tool.
    pub(crate) fn marks(&self, call: &ToolCall, run: &RunFacts, report: &CallReport) -> Marks {
        let given = call.labels.values().fold(call.under, |all, one| all.join(*one));
        let Ok((plugin, tool)) = self.tool(&call.tool.to_string()) else { return given.into() };
        if report.receipt == Receipt::default() {
            return given.into();
        }
        let mut marks = Marks::from(given.join(self.source(&plugin, &tool).label));
        // What a failure says is no part of a result, and nobody has vouched for it.
        if report.outcome.is_ok() {
            let labels = joined(&call.arguments, &call.labels, call.under);
            let (tool, args, effect) = (&call.tool, &call.arguments, &call.effect);
            self.operator().relabel(&CallFacts { tool, args, effect, labels: &labels, run }, &mut marks);
        }
        marks
    }
}

/// The labels of arguments as rules see them: with what the call hangs on.
pub(crate) fn joined(arguments: &Value, labels: &Labels, under: Label) -> Labels {
    if under.is_trusted() {
        return labels.clone();
    }
    let names = arguments.as_object().into_iter().flatten().map(|(name, _)| name);
    names.map(|name| (name.clone(), labels.get(name).copied().unwrap_or_default().join(under))).collect()
}
