//! The call gate: the operator's rules, and a person's word where they ask for one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use toolcrib_catalog::{Plugin, Tool};
use toolcrib_policy::{
    ApprovalId, Approvals, BoundCall, CallFacts, Decision, Effect, Label, Labels, Refusal, RefusalCode, RunFacts, Sink,
    UnixMillis,
};

use crate::crib::Crib;
use crate::labels::joined;

/// What is known of questions and answers, shared by a run and its calls.
pub(crate) type Known = Arc<Mutex<Approvals>>;

/// The approvals, also after a panic elsewhere: every change to them is whole.
pub(crate) fn locked(known: &Known) -> std::sync::MutexGuard<'_, Approvals> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time in milliseconds since 1970.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A call at the gate.
pub(crate) struct AtGate<'a> {
    pub(crate) plugin: &'a Plugin,
    pub(crate) tool: &'a Tool,
    pub(crate) arguments: &'a Value,
    pub(crate) effect: &'a Effect,
    pub(crate) labels: &'a Labels,
    /// The label of what the call hangs on.
    pub(crate) under: Label,
    pub(crate) run: &'a RunFacts,
}

impl AtGate<'_> {
    /// The call as an approval names it.
    pub(crate) fn bound(&self) -> BoundCall {
        BoundCall { plugin: *self.plugin.digest(), tool: self.tool.name().clone(), arguments: self.arguments.clone() }
    }
}

impl Crib {
    /// What the operator's rules say, and the built-in ones about what leaves.
    pub(crate) fn decide(&self, call: &AtGate<'_>) -> Decision {
        let labels = joined(call.arguments, call.labels, call.under);
        let (tool, args, effect, run) = (call.tool.name(), call.arguments, call.effect, call.run);
        let of_rules = self.operator().decide(&CallFacts { tool, args, effect, labels: &labels, run });
        if call.labels.values().all(Label::is_trusted) {
            return of_rules;
        }
        let sink = self.source(call.plugin, call.tool).sink;
        let facts = CallFacts { tool, args, effect, labels: call.labels, run };
        of_rules.stricter(self.operator().decide_outward(&facts, &sink))
    }

    /// What the operator's rules and the built-in ones say about a call that nobody makes. A tool that is not there counts as
    /// one from which everything leaves.
    pub fn decide_call(&self, facts: &CallFacts<'_>) -> Decision {
        let sink = self.tool(&facts.tool.to_string()).map(|(plugin, tool)| self.source(&plugin, &tool).sink);
        let outward = self.operator().decide_outward(facts, &sink.unwrap_or(Sink::Outward));
        self.operator().decide(facts).stricter(outward)
    }

    /// Refuses a call that the rules deny, or that needs a person's word which it has not got. `approval` is the yes that
    /// a run used for it; a call inside a call counts on those that are given for longer than one call.
    pub(crate) fn pass_gate(
        &self,
        call: &AtGate<'_>,
        known: &Known,
        approval: Option<&ApprovalId>,
    ) -> Result<(), Refusal> {
        let (rule, because) = match self.decide(call) {
            Decision::Allow { .. } => return Ok(()),
            Decision::Deny { refusal, .. } => return Err(refusal),
            Decision::Ask { rule, because } => (rule, because),
        };
        let (known, bound) = (locked(known), call.bound());
        let allowed = match approval {
            Some(id) => known.allows(id, &call.run.id, &bound),
            None => known.standing(&call.run.id, now(), &bound).is_some(),
        };
        if allowed {
            return Ok(());
        }
        let because = because.map(|because| format!(" ({because})")).unwrap_or_default();
        let tool = call.tool.name();
        Err(Refusal::new(
            RefusalCode::ApprovalDenied,
            format!(
                "rule `{rule}`{because} asks a person about `{tool}`, and a call inside a call cannot wait for one: call \
                 `{tool}` itself once, and approve it for longer than one call"
            ),
        ))
    }
}
