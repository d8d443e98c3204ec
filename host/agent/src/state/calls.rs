//! The very same call again: where it must not be made, and what tells it from every other.

use serde_json::Value;
use toolcrib_policy::{Digest, IdempotencyKey, ToolName, canonical};

use super::State;
use crate::NodeId;

impl State {
    /// Whether a person wrote every call of this part of the plan, those that are made twice too.
    pub(super) fn may_repeat(&self, node: NodeId) -> bool {
        self.caps.twice && self.plan.scope_of(node) == NodeId::ROOT
    }

    /// Why this call is not made again, where an earlier one cannot be taken back.
    pub(super) fn settled(&self, node: NodeId, key: &Digest) -> Option<String> {
        let calls = self.calls.get(key)?;
        let by = calls.settled.as_ref().filter(|_| !self.may_repeat(node) || calls.elsewhere.is_some())?;
        Some(match &calls.elsewhere {
            None => format!(
                "the very same call was made by step {by} and cannot be taken back; refer to its result instead"
            ),
            Some(run) => format!("the very same call was made by step {by} of run {run} and cannot be taken back"),
        })
    }

    /// The idempotency key that this call of the step has already, from an earlier try or from the run that this one was
    /// forked from.
    pub fn key_of(&self, step: NodeId, tool: &ToolName, arguments: &Value) -> Option<&IdempotencyKey> {
        let call = Self::call_key(tool, arguments);
        let tried = self.records.get(&step).filter(|record| record.key == call);
        tried.and_then(|record| record.idempotency.as_ref()).or_else(|| self.keys.get(&call)?.first())
    }

    /// Identifies a call by tool and arguments, whatever the order of keys.
    pub(super) fn call_key(tool: &ToolName, arguments: &Value) -> Digest {
        Digest::of(format!("{tool}\n{}", canonical(arguments)).as_bytes())
    }
}
