//! The crib as the agent's tools.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_agent::{
    Cancel, EffectState, FolderState, Inside, Meters, Program, ToolCall, ToolCard, ToolFailure, ToolOutput, ToolReport,
    Tools,
};
use toolcrib_catalog::Tool;
use toolcrib_policy::{Authority, Effect, IdempotencyKey, Marks, ToolName};
use toolcrib_sandbox::{CallError, CallReport, CancellationToken, Content};

use crate::call::{Asked, Caller};
use crate::crib::Crib;
use crate::versions::{Keep, VersionError, put_back_states};

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

impl CribTools {
    fn keep(&self) -> Keep {
        Keep::in_data(&self.crib.settings().folders.data)
    }

    /// The folders that a call of this tool may change and whose states are kept. What it calls in turn has folders of its
    /// own.
    fn folders(&self, tool: &ToolName) -> BTreeSet<PathBuf> {
        let snapshot = self.crib.snapshot();
        let Some(plugin) = snapshot.plugin(tool.plugin()) else { return BTreeSet::new() };
        let versioned = |authority: &Authority| authority.versioned().map(|grant| grant.host.clone()).collect();
        let own = self.crib.authority(plugin, None);
        if own.tools.is_empty() {
            return versioned(&own);
        }
        let each = snapshot.plugins().iter().map(|plugin| self.crib.authority(plugin, None));
        each.flat_map(|authority| -> BTreeSet<PathBuf> { versioned(&authority) }).collect()
    }

    /// The states that they have now.
    async fn snapshots(&self, tool: &ToolName, under_way: bool) -> Result<Vec<FolderState>, String> {
        let folders = self.folders(tool);
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        let keep = self.keep();
        let look = move || folders.iter().map(|folder| keep.snapshot(folder, under_way)).collect();
        let states: Result<Vec<FolderState>, VersionError> =
            tokio::task::spawn_blocking(look).await.map_err(|error| error.to_string())?;
        states.map_err(|error| error.to_string())
    }

    /// Adds the states after a call to its receipt. Where they cannot be kept, the record says nothing of them.
    async fn note_folders(&self, tool: &ToolName, receipt: &mut Value) {
        match self.snapshots(tool, false).await {
            Ok(states) if states.is_empty() => {}
            Ok(states) => {
                if receipt.is_null() {
                    *receipt = serde_json::json!({});
                }
                receipt["folders"] = serde_json::json!(states);
            }
            Err(why) => tracing::warn!(%tool, %why, "the state of a folder after a call was not kept"),
        }
    }
}

#[async_trait]
impl Tools for CribTools {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        // What is kept out takes no place among those that are found.
        let hits = self.crib.snapshot().search(query, usize::MAX);
        hits.iter().filter_map(|hit| self.card(&hit.tool)).take(limit).collect()
    }

    fn list(&self, limit: usize) -> Option<Vec<ToolCard>> {
        let snapshot = self.crib.snapshot();
        let cards: Vec<_> = snapshot.tools().iter().filter_map(|tool| self.card(tool)).take(limit + 1).collect();
        (cards.len() <= limit).then_some(cards)
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.card(self.crib.snapshot().tool(name)?.as_ref())
    }

    fn is_barred(&self, card: &ToolCard) -> bool {
        let Ok((plugin, tool)) = self.crib.tool(&card.name.to_string()) else { return true };
        let denied = |effect: &Effect| self.crib.operator().outlook(&card.name, effect).is_denied();
        // What a call does can make it lighter than its tool is, and pass.
        denied(&card.effect) && denied(&self.crib.effect_of_call(&plugin, &tool, &Value::Null))
    }

    fn effect(&self, card: &ToolCard, arguments: &Value) -> Effect {
        let found = self.crib.tool(&card.name.to_string());
        found.map_or_else(|_| card.effect.clone(), |(plugin, tool)| self.crib.effect_of_call(&plugin, &tool, arguments))
    }

    fn idempotency_key(&self, call: &ToolCall) -> Option<IdempotencyKey> {
        Some(IdempotencyKey::of_call(&self.caller.run.id, &call.node.to_string(), &call.tool, &call.arguments))
    }

    async fn keep_folders(&self, call: &ToolCall) -> Result<Vec<FolderState>, String> {
        if call.effect == Effect::Read {
            return Ok(Vec::new());
        }
        self.snapshots(&call.tool, true).await
    }

    fn can_put_back(&self, tool: &ToolName) -> bool {
        let snapshot = self.crib.snapshot();
        let plugin = snapshot.plugin(tool.plugin());
        plugin.is_some_and(|plugin| self.crib.authority(plugin, None).changes_only_versioned())
    }

    async fn put_back(&self, folders: &[FolderState]) -> Result<(), String> {
        let (keep, folders) = (self.keep(), folders.to_vec());
        let done = tokio::task::spawn_blocking(move || put_back_states(&keep, &folders)).await;
        done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        self.made(call, cancel, None).await
    }

    fn program(&self, card: &ToolCard, _arguments: &Value) -> Option<Program> {
        let (plugin, tool) = self.crib.tool(&card.name.to_string()).ok()?;
        self.crib.program(&plugin, &tool)
    }

    async fn run(&self, call: ToolCall, cancel: Cancel, inside: Inside) -> ToolReport {
        self.made(call, cancel, Some(inside)).await
    }
}

impl CribTools {
    async fn made(&self, call: ToolCall, cancel: Cancel, inside: Option<Inside>) -> ToolReport {
        let token = CancellationToken::new();
        let (tool, changes) = (call.tool.clone(), call.effect != Effect::Read);
        let name = call.tool.to_string();
        let asked = Asked {
            under: call.under,
            approval: call.approval.as_ref(),
            program: call.program.clone(),
            wall_ms: call.wall_ms,
            key: call.key.clone(),
            ..Asked::of(&name, call.arguments.clone(), call.labels.clone())
        };
        let meter = self.meters.as_ref().map(|meters| meters.of(call.node));
        let caller = Caller { inside, meter, within: call.within.clone(), ..self.caller.clone() };
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
        let mut report = match report {
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
        };
        if changes {
            self.note_folders(&tool, &mut report.receipt).await;
        }
        report
    }
}

pub(crate) fn output(output: toolcrib_sandbox::ToolOutput) -> ToolOutput {
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

pub(crate) fn failure(error: CallError) -> ToolFailure {
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
