//! The crib as the agent's tools.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_agent::{Cancel, EffectState, Meters, ToolCall, ToolCard, ToolFailure, ToolOutput, ToolReport, Tools};
use toolcrib_catalog::Tool;
use toolcrib_policy::{Effect, Marks, ToolName};
use toolcrib_sandbox::{CallError, CallReport, CancellationToken, Content};

use crate::call::{Asked, Caller};
use crate::crib::Crib;

/// The tools of a crib, for one run.
pub(crate) struct CribTools {
    pub(crate) crib: Crib,
    pub(crate) caller: Caller,
    /// Who counts what calls spend on models.
    pub(crate) meters: Option<Meters>,
    /// Where the latest report is kept, for whoever wants more of it than a run needs.
    pub(crate) last: Option<Arc<Mutex<Option<CallReport>>>>,
}

impl CribTools {
    fn card(&self, tool: &Tool) -> Option<ToolCard> {
        let snapshot = self.crib.snapshot();
        let plugin = snapshot.plugin(tool.name().plugin())?;
        // A plugin that is kept out has no tools to plan with.
        self.crib.check_admission(plugin).ok()?;
        Some(ToolCard {
            name: tool.name().clone(),
            title: tool.title().unwrap_or(tool.name().tool()).to_owned(),
            description: tool.description().to_owned(),
            input_schema: tool.input_schema().value().clone(),
            output_schema: tool.output_schema().map(|schema| schema.value().clone()),
            effect: self.crib.effect(plugin, tool),
            open_world: tool.open_world(),
        })
    }
}

#[async_trait]
impl Tools for CribTools {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        self.crib.snapshot().search(query, limit).iter().filter_map(|hit| self.card(&hit.tool)).collect()
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.card(self.crib.snapshot().tool(name)?.as_ref())
    }

    fn effect(&self, card: &ToolCard, arguments: &Value) -> Effect {
        let found = self.crib.tool(&card.name.to_string());
        found.map_or_else(|_| card.effect.clone(), |(plugin, tool)| self.crib.effect_of_call(&plugin, &tool, arguments))
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        let token = CancellationToken::new();
        let name = call.tool.to_string();
        let asked = Asked {
            tool: &name,
            arguments: call.arguments.clone(),
            labels: call.labels.clone(),
            under: call.under,
            approval: call.approval.as_ref(),
            delegated: None,
            depth: 0,
            wall_ms: call.wall_ms,
        };
        let meter = self.meters.as_ref().map(|meters| meters.of(call.node));
        let caller = Caller { meter, within: call.within.clone(), ..self.caller.clone() };
        let called = self.crib.call_inside(asked, caller, token.clone());
        tokio::pin!(called);
        let report = tokio::select! {
            report = &mut called => report,
            () = cancel.cancelled() => {
                token.cancel();
                called.await
            }
        };
        if let (Some(last), Ok(report)) = (&self.last, &report) {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        }
        match report {
            Ok(report) => ToolReport {
                label: Some(self.crib.marks(&call, &self.caller.run, &report)),
                outcome: report.outcome.map(output).map_err(failure),
                receipt: serde_json::to_value(&report.receipt).unwrap_or_default(),
            },
            Err(error) => ToolReport {
                outcome: Err(failure(CallError::new(error.code(), error.to_string()))),
                receipt: Value::Null,
                // The host's own words, which name nothing but the tool.
                label: Some(Marks::default()),
            },
        }
    }
}

fn output(output: toolcrib_sandbox::ToolOutput) -> ToolOutput {
    let text: Vec<String> = output.content.into_iter().map(as_text).collect();
    ToolOutput { structured: output.structured, text: text.join("\n") }
}

fn as_text(content: Content) -> String {
    match content {
        Content::Text { text } => text,
        Content::Image(blob) => format!("[image, {}, {} bytes]", blob.media_type, blob.data.len()),
        Content::Audio(blob) => format!("[audio, {}, {} bytes]", blob.media_type, blob.data.len()),
        Content::Link { uri, title, .. } => format!("[{}]({uri})", title.unwrap_or_else(|| uri.clone())),
    }
}

fn failure(error: CallError) -> ToolFailure {
    ToolFailure {
        grant: error.refusal.and_then(|refusal| refusal.grant),
        code: error.code,
        message: error.message,
        effect: match error.effect {
            toolcrib_sandbox::EffectState::None => EffectState::None,
            toolcrib_sandbox::EffectState::Done => EffectState::Done,
            toolcrib_sandbox::EffectState::Unknown => EffectState::Unknown,
        },
        retry_after_seconds: error.retry_after_s,
    }
}
