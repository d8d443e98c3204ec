//! Which calls are programs: tools that may call other tools.

use std::fmt::Write as _;

use serde_json::Value;
use toolcrib_agent::critic::is_repeatable;
use toolcrib_agent::{InnerPath, Millis, NodeId, Program, StepOutcome, ToolCall};
use toolcrib_catalog::{Plugin, Rank, Tool};
use toolcrib_policy::{Authority, Effect, Label, Labels, Marks, RunFacts, Trust};
use toolcrib_sandbox::{CallError, CallReport, Receipt, ToolOutput};

use crate::crib::Crib;
use crate::gate::now;

/// Bytes that the random numbers of a program follow from.
const SEED_BYTES: usize = 16;

impl Crib {
    /// The effect class of a tool, and where its plugin may call others, the worst of what they do.
    pub(crate) fn effect_with_calls(&self, plugin: &Plugin, tool: &Tool) -> Effect {
        let own = Self::effect_under(self.operator(), plugin, tool);
        let authority = self.authority(plugin, None);
        if authority.tools.is_empty() {
            return own;
        }
        let snapshot = self.snapshot();
        let called =
            snapshot.tools().iter().filter(|other| other.name() != tool.name() && authority.tool(other.name()).is_ok());
        let effects = called.filter_map(|other| {
            Some(Self::effect_under(self.operator(), snapshot.plugin(other.name().plugin())?.as_ref(), other))
        });
        let alone = own_effect(&authority, plugin, tool);
        let worst = effects.fold(alone, |worst, effect| if rank(&effect) > rank(&worst) { effect } else { worst });
        // What the operator says of the tool counts before all of it.
        authority.effect_of(tool.name().tool(), Some(&worst), Trust::FirstParty)
    }

    /// The labels of what an inner call came to; none where there is no such tool.
    pub(crate) fn inner_marks(
        &self,
        name: &str,
        arguments: Value,
        labels: Labels,
        under: Label,
        run: &RunFacts,
        report: &CallReport,
    ) -> Option<Marks> {
        let (plugin, tool) = self.tool(name).ok()?;
        let effect = self.effect_of_call(&plugin, &tool, &arguments);
        let call = ToolCall {
            node: NodeId::ROOT,
            attempt: 1,
            tool: tool.name().clone(),
            arguments,
            effect,
            labels,
            under,
            approval: None,
            wall_ms: None,
            inside: InnerPath::ROOT,
            program: None,
            within: Vec::new(),
            key: None,
        };
        Some(self.marks(&call, run, report))
    }

    /// What makes a call run the same way again, where it is a program.
    pub(crate) fn program(&self, plugin: &Plugin, tool: &Tool) -> Option<Program> {
        let authority = self.authority(plugin, None);
        if authority.tools.is_empty() {
            return None;
        }
        let once = !is_repeatable(&own_effect(&authority, plugin, tool));
        Some(Program { clock: Millis(now()), seed: seed(), once })
    }
}

/// What a tool does by itself, without the tools that it calls. What its plugin may only hand on is nothing that it does: a
/// plugin of ours says truly what it does itself.
fn own_effect(authority: &Authority, plugin: &Plugin, tool: &Tool) -> Effect {
    let mut alone = authority.clone();
    alone.tools.clear();
    let trust = if plugin.origin().rank() == Rank::Embedded { Trust::FirstParty } else { Trust::Stranger };
    alone.effect_of(tool.name().tool(), tool.declared_effect(), trust)
}

/// From harmless to final.
fn rank(effect: &Effect) -> u8 {
    match effect {
        Effect::Read => 0,
        Effect::Idempotent => 1,
        Effect::Reversible { .. } => 2,
        Effect::Irreversible => 3,
    }
}

fn seed() -> String {
    let mut bytes = [0; SEED_BYTES];
    // Where there is no randomness to be had, the time has to do: nobody's safety hangs on it.
    if rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).is_err() {
        bytes[..8].copy_from_slice(&now().to_le_bytes());
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a program is told of a call that the ledger has the outcome of.
pub(crate) fn known(outcome: StepOutcome, receipt: Value) -> CallReport {
    let mut receipt: Receipt = serde_json::from_value(receipt).unwrap_or_default();
    let outcome = match toolcrib_agent::failure_of(outcome) {
        Ok(output) => Ok(ToolOutput {
            content: Some(output.text).filter(|text| !text.is_empty()).map(text_of).into_iter().collect(),
            structured: output.structured,
        }),
        Err(failure) => {
            let mut error = CallError::new(&failure.code, failure.message);
            error.effect = match failure.effect {
                toolcrib_agent::EffectState::None => toolcrib_sandbox::EffectState::None,
                toolcrib_agent::EffectState::Done => toolcrib_sandbox::EffectState::Done,
                toolcrib_agent::EffectState::Unknown => toolcrib_sandbox::EffectState::Unknown,
            };
            receipt.may_have_changed |= error.effect != toolcrib_sandbox::EffectState::None;
            error.retry_after_s = failure.retry_after_seconds;
            Err(error)
        }
    };
    CallReport { outcome, receipt }
}

fn text_of(text: String) -> toolcrib_sandbox::Content {
    toolcrib_sandbox::Content::Text { text }
}
