//! What the critic rests on, read out of the state.

use serde_json::Value;

use super::State;
use crate::critic::{Evidence, Sources};
use crate::plan::refs::{self, RefError};
use crate::{Body, NodeId, StepOutcome, ToolCard};

impl State {
    /// What a verdict on this step rests on, once its outcome is recorded. `card` is the step's tool.
    pub fn evidence<'s>(&'s self, node: NodeId, card: Option<&'s ToolCard>) -> Option<Evidence<'s>> {
        let (found, step, record) = (self.plan.node(node)?, self.plan.step(node)?, self.records.get(&node)?);
        let checks = found.serves.filter(|serves| serves.service.is_check());
        let arguments = checks.and_then(|serves| self.records.get(&serves.of)).unwrap_or(record);
        Some(Evidence {
            step,
            effect: &record.effect,
            card,
            outcome: record.outcome.as_ref()?,
            same_failures: self.same_failures(node),
            caps: &self.caps,
            settings: &self.critic,
            arguments: &arguments.arguments,
            checked: self.checked(node),
            grounding: self.grounding_of(node),
            repeated: self.is_repeated(node),
            serves: found.serves.is_some(),
        })
    }

    /// Whether the very same call gave another step the very same result.
    fn is_repeated(&self, node: NodeId) -> bool {
        let Some(record) = self.records.get(&node) else { return false };
        if self.calls.get(&record.key).is_none_or(|calls| calls.times < 2) {
            return false;
        }
        self.records.iter().any(|(id, other)| *id != node && other.key == record.key && other.outcome == record.outcome)
    }

    /// Whether what stands in this step is a person's word: it is part of a plan that a person wrote.
    pub fn is_given(&self, node: NodeId) -> bool {
        self.given.contains(&node) || self.is_by_person(node)
    }

    /// What stands in the arguments of a step by itself: no references, nothing computed.
    ///
    /// # Errors
    ///
    /// A reference cannot be read.
    pub fn literals(&self, node: NodeId) -> Result<Value, RefError> {
        let arguments = self.plan.step(node).map(|step| &step.arguments);
        arguments.map_or(Ok(Value::Null), |arguments| Ok(refs::skeleton(arguments, &self.plan.names_at(node))?.0))
    }

    /// Where the things in a call's arguments may come from: the goal of the run, what a person gave, and what tools gave so
    /// far, the latest first.
    pub fn sources(&self) -> Sources<'_> {
        let mut sources = Sources::default().said(self.goal()).value(&self.inputs);
        for exchange in &self.exchanges {
            sources = sources.said(&exchange.answer);
        }
        for (id, record) in self.records.iter().rev() {
            sources = match &record.outcome {
                Some(StepOutcome::Done { output }) => match &output.structured {
                    Some(value) => sources.value(value).told(&output.text),
                    None => sources.told(&output.text),
                },
                Some(StepOutcome::Failed { failure }) => sources.told(&failure.message),
                _ => sources,
            };
            if self.is_given(*id) {
                sources = sources.value(&record.arguments);
            }
        }
        self.computed.values().fold(sources, |sources, (value, _)| sources.value(value))
    }

    /// Takes note of who wrote the nodes from `from` on.
    pub(super) fn note_persons(&mut self, from: usize) {
        let new = self.plan.nodes().iter().skip(from);
        let steps: Vec<_> = new.filter(|node| !matches!(node.body, Body::Value(_))).map(|node| node.id).collect();
        self.given.extend(steps);
    }
}
