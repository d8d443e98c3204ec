//! Labels of a call's arguments, as far as the run knows where they came from.
//!
//! An argument that refers to a result has the result's label; one that a planner wrote after it could have read a result
//! may be made of anything in it. Every result counts as untrusted and private: tools do not say more of them.

use serde_json::Value;
use toolcrib_policy::{Confidentiality, Integrity, Label, Labels};

use super::State;
use crate::NodeId;
use crate::plan::refs;

/// What comes out of a tool.
pub(super) const FROM_A_TOOL: Label =
    Label { integrity: Integrity::Untrusted, confidentiality: Confidentiality::Private };

impl State {
    /// The labels of the arguments of this step.
    pub fn labels(&self, step: NodeId) -> Labels {
        let Some(Value::Object(arguments)) = self.plan.step(step).map(|step| &step.arguments) else {
            return Labels::default();
        };
        let late = self.informed_from.is_some_and(|from| step >= from);
        let names = self.plan.names_at(step);
        let label = |value: &Value| {
            // What a person gave is as good as a person's word.
            let own = |read: &refs::Read| matches!(read, refs::Read::Variable(name) if name == "inputs");
            let refers = refs::reads(value, &names).map_or(true, |found| !found.iter().all(own));
            if late || refers { FROM_A_TOOL } else { Label::TRUSTED }
        };
        arguments.iter().map(|(name, value)| (name.clone(), label(value))).collect()
    }

    /// Takes note that what is planned from here on may be made of results.
    pub(super) fn note_informed(&mut self) {
        if self.informed_from.is_none() && self.records.values().any(|record| record.outcome.is_some()) {
            self.informed_from = u32::try_from(self.plan.nodes().len()).ok().map(NodeId);
        }
    }
}
