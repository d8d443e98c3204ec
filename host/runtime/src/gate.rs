//! The call gate: the operator's rules, and a person's word where they ask for one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use toolcrib_catalog::{Plugin, Tool};
use toolcrib_policy::{
    ApprovalId, Approvals, BoundCall, CallFacts, Decision, Effect, Labels, Refusal, RefusalCode, RunFacts, UnixMillis,
};

use crate::crib::Crib;

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
    pub(crate) run: &'a RunFacts,
}

impl AtGate<'_> {
    /// The call as an approval names it.
    pub(crate) fn bound(&self) -> BoundCall {
        BoundCall { plugin: *self.plugin.digest(), tool: self.tool.name().clone(), arguments: self.arguments.clone() }
    }
}

impl Crib {
    /// What the operator's rules say.
    pub(crate) fn decide(&self, call: &AtGate<'_>) -> Decision {
        self.operator().decide(&CallFacts {
            tool: call.tool.name(),
            args: call.arguments,
            effect: call.effect,
            labels: call.labels,
            run: call.run,
        })
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
