//! What the driver does for the critic: what needs the tools, and what needs a judge.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use toolcrib_model::Usage;
use toolcrib_policy::{Effect, ToolName, Ungrounded};

use super::flight::Flight;
use super::{Run, RunError};
use crate::critic::{self, JudgeError, Review, ReviewContext};
use crate::{EventKind, NodeId, State, StepOutcome, ToolCard, Unfounded};

/// How long a judge may take: a run that waits for it is not to stand still for longer.
pub(super) const REVIEW_TIME: Duration = Duration::from_secs(60);

impl Run {
    /// Judges an outcome by what programs can check.
    pub(super) async fn judge(&mut self, node: NodeId) -> Result<(), RunError> {
        let state = Arc::clone(&self.state);
        let Some(step) = state.plan().step(node) else { return Ok(()) };
        let card = self.ports.tools.get(&step.tool);
        let Some(evidence) = state.evidence(node, card.as_ref()) else { return Ok(()) };
        let critic::Judgement { verdict, why, scores } = critic::judge(&evidence);
        drop(evidence);
        drop(state);
        self.record(EventKind::Judged { node, verdict, why, by: "checks".to_owned(), scores }).await
    }

    /// Why a call is not made as it is: something in it comes from nowhere, or it serves a step and would change the world.
    /// None where it is made.
    pub(super) fn held_back(&self, node: NodeId, card: &ToolCard, effect: &Effect) -> Option<EventKind> {
        let state = &self.state;
        let serves = state.plan().node(node).and_then(|node| node.serves);
        if serves.is_some_and(|serves| serves.service.only_reads()) && *effect != Effect::Read {
            let why = format!("a check only reads, and a call of `{}` is {}", card.name, effect.as_str());
            return Some(EventKind::StepBlocked { node, why });
        }
        if serves.is_some() || state.critic().is_off() || state.is_given(node) || state.is_vouched(node) {
            return None;
        }
        // Looked at once: a retry has the same arguments.
        if state.plan().step(node)?.attempts > 0 || state.grounding_of(node) < 100 {
            return None;
        }
        // The text of a program is no list of names and addresses; each call that it makes meets the gates by itself.
        if self.ports.tools.program(card, &state.plan().step(node)?.arguments).is_some() {
            return None;
        }
        let literals = state.literals(node).ok()?;
        let found = critic::ground(&literals, &card.input_schema, &state.sources());
        if found.score == 100 {
            return None;
        }
        let then = match (found.missing.is_empty(), effect, state.critic().ungrounded) {
            (true, ..) | (false, Effect::Read, _) => Unfounded::Made,
            (false, Effect::Irreversible, Ungrounded::Ask) => Unfounded::Ask,
            (false, Effect::Irreversible, Ungrounded::Replan) => Unfounded::Replan,
            // A new file may have any name: whoever writes it a second time means it.
            (false, ..) if state.is_meant(&found.missing) => Unfounded::Made,
            (false, ..) => Unfounded::Replan,
        };
        Some(EventKind::Ungrounded { node, score: found.score, missing: found.missing, then })
    }

    /// How a call is taken back, or why it cannot be.
    pub(super) async fn undo(&mut self, node: NodeId) -> Result<(), RunError> {
        let event = match self.way_to_undo(node) {
            Ok((card, arguments)) => {
                let effect = self.ports.tools.effect(&card, &arguments);
                EventKind::Undoing { node, tool: card.name, arguments, effect }
            }
            Err(why) => EventKind::NotUndone { node, why },
        };
        self.record(event).await
    }

    fn way_to_undo(&self, node: NodeId) -> Result<(ToolCard, Value), String> {
        let step = self.state.plan().step(node).ok_or("it is no step")?;
        let record = self.state.record(node).ok_or("it was never started")?;
        let Effect::Reversible { undo } = &record.effect else { return Err("it is not reversible".to_owned()) };
        let Some(StepOutcome::Done { output }) = &record.outcome else { return Err("it gave no result".to_owned()) };
        let name: ToolName = format!("{}.{undo}", step.tool.plugin())
            .parse()
            .map_err(|_| format!("`{undo}` cannot be the name of a tool"))?;
        let card = self
            .ports
            .tools
            .get(&name)
            .ok_or_else(|| format!("the tool `{name}`, which takes it back, is not there"))?;
        let made = critic::undo_arguments(&card, &record.arguments, &output.value());
        let arguments = made.map_err(|lacking| {
            format!("neither its result nor its arguments have what `{name}` needs: {}", lacking.join(", "))
        })?;
        Ok((card, arguments))
    }

    /// Has a result reviewed, beside everything else.
    pub(super) async fn review(&mut self, node: NodeId, flight: &mut Flight) -> Result<bool, RunError> {
        let Some(judge) = &self.ports.judge else {
            let error = JudgeError { why: "there is no judge".to_owned(), usage: Usage::default() };
            self.reviewed(node, None, Err(error)).await?;
            return Ok(true);
        };
        let attempt = attempt(&self.state, node);
        let (state, meter) = (Arc::clone(&self.state), self.till.meter(node));
        let context = ReviewContext { state, node, meter };
        flight.review(node, attempt, Arc::clone(judge), context, Arc::clone(&self.ports.clock));
        Ok(false)
    }

    /// Records what a judge said, unless the step is not what it was any more.
    pub(super) async fn reviewed(
        &mut self,
        node: NodeId,
        of: Option<u32>,
        said: Result<Review, JudgeError>,
    ) -> Result<(), RunError> {
        let done = self.state.plan().node(node).is_some_and(|node| node.status == crate::Status::Done);
        if !done || of.is_some_and(|of| of != attempt(&self.state, node)) {
            return Ok(());
        }
        let (said, usage) = match said {
            Ok(Review { opinion, usage }) => (Ok(opinion), usage),
            Err(error) => (Err(error.to_string()), error.usage),
        };
        let critic::Reviewed { opinion, scores, follow, why } = critic::weigh(&self.state, node, said);
        let by = self.ports.judge.as_ref().map_or("nobody", |judge| judge.name()).to_owned();
        self.record(EventKind::Reviewed { node, by, opinion, scores, then: follow, why, usage }).await
    }
}

fn attempt(state: &State, node: NodeId) -> u32 {
    state.plan().step(node).map_or(0, |step| step.attempts)
}
