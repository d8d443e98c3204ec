//! A new run that begins where another one was.

use thiserror::Error;
use toolcrib_policy::{ApprovalAnswer, ApprovalRequest, Effect, RefusalCode};

use crate::state::why_denied;
use crate::{
    Event, EventKind, InnerPath, Made, Millis, NodeId, Record, Service, State, StateError, Status, StepOutcome,
};

/// The first events of a forked run.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// Copies of the other run's events, and [`EventKind::Forked`].
    pub events: Vec<Event>,
    /// What the other run did later and cannot be taken back.
    pub made: Vec<Made>,
}

/// Why a run cannot be forked there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForkError {
    /// Nothing had begun yet.
    #[error("nothing has happened by then: a run begins with its event `run-started`")]
    Early,
    /// A call was under way, and its outcome came later.
    #[error("the call of `{step}` was under way then: fork before it began or after its outcome was recorded")]
    Calling {
        /// The step.
        step: String,
    },
    /// The run's end is no place to go on from.
    #[error("the run was over by then: fork at an earlier event")]
    Over,
    /// The events do not make a run.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The beginning of a run that goes on after the first `copied` of `events`, which are those of the run `from`, where the
/// last of them has the number `at`. Calls that run made later and that cannot be taken back count as made, unless
/// `again`.
///
/// Questions about calls are not copied: an answer binds to the run that asked. A call that was approved stands with its
/// outcome, and one that waited is asked about anew.
///
/// # Errors
///
/// See [`ForkError`].
pub fn fork(events: &[Event], copied: usize, from: &str, at: u64, now: Millis, again: bool) -> Result<Fork, ForkError> {
    let prefix = events.get(..copied).unwrap_or(events);
    if prefix.is_empty() {
        return Err(ForkError::Early);
    }
    let then = State::fold(prefix)?;
    if then.outcome().is_some_and(|outcome| !outcome.is_resumable()) {
        return Err(ForkError::Over);
    }
    if let Some(node) = then.in_flight().next() {
        let step = then.plan().step(node).map_or_else(|| node.to_string(), |step| step.name.to_string());
        return Err(ForkError::Calling { step });
    }
    let later = if again { Vec::new() } else { made_later(events, copied) };
    let (keyed, made): (Vec<_>, Vec<_>) = later.into_iter().partition(|(_, repeatable)| *repeatable);
    let made: Vec<Made> = made.into_iter().map(|(call, _)| call).collect();
    let keyed = keyed.into_iter().map(|(call, _)| call).collect();
    let inside: Vec<_> = prefix.iter().filter_map(asked_inside).collect();
    let mut copies: Vec<Event> = prefix.iter().filter_map(|event| copy(event, &inside)).collect();
    copies.push(EventKind::Forked { from: from.to_owned(), upto: at, made: made.clone(), keyed }.at(now));
    Ok(Fork { events: copies, made })
}

/// A question about a call that a program makes, and the call's place.
fn asked_inside(event: &Event) -> Option<(&ApprovalRequest, &InnerPath)> {
    match &event.kind {
        EventKind::ApprovalAsked { request, inside, .. } if !inside.is_root() => Some((request, inside)),
        _ => None,
    }
}

/// The event as the new run has it.
fn copy(event: &Event, inside: &[(&ApprovalRequest, &InnerPath)]) -> Option<Event> {
    let kind = match &event.kind {
        EventKind::ApprovalAnswered { node, id, answer }
            if let Some((request, path)) = inside.iter().find(|(request, _)| request.id == *id) =>
        {
            if answer.allows() || !answer.is_final() || *answer == ApprovalAnswer::Withdrawn {
                return None;
            }
            EventKind::InnerBlocked {
                node: *node,
                path: (*path).clone(),
                tool: request.call.tool.clone(),
                arguments: request.call.arguments.clone(),
                code: RefusalCode::ApprovalDenied.as_str().to_owned(),
                why: why_denied(request, answer),
            }
        }
        EventKind::ApprovalAnswered { node, answer, .. } => match answer {
            ApprovalAnswer::Denied { by, .. } => {
                EventKind::StepBlocked { node: *node, why: format!("{by} said no to this call") }
            }
            ApprovalAnswer::Expired { .. } if !answer.allows() => {
                EventKind::StepBlocked { node: *node, why: "nobody answered in time about this call".to_owned() }
            }
            _ => return None,
        },
        EventKind::ApprovalAsked { .. } | EventKind::ApprovalUsed { .. } | EventKind::ApprovalRevoked { .. } => {
            return None;
        }
        EventKind::RolledBack { .. } => return None,
        kind => kind.clone(),
    };
    Some(kind.at(event.at))
}

/// The calls that were begun after the first `copied` events and may have changed the world, each with whether it may be
/// made again with its key. One that was tried several times is one.
fn made_later(events: &[Event], copied: usize) -> Vec<(Made, bool)> {
    let mut names: Vec<(NodeId, crate::StepName)> = Vec::new();
    if let Ok(state) = State::fold(events) {
        // What was taken back is not there any more, and neither is what took it back.
        let gone = |node: &crate::Node| {
            let undo = node.serves.is_some_and(|serves| serves.service == Service::Undo) && node.status == Status::Done;
            undo || state.record(node.id).is_some_and(Record::is_undone)
        };
        let steps = state.plan().steps().filter(|(node, _)| !gone(node));
        names.extend(steps.map(|(node, step)| (node.id, step.name.clone())));
    }
    let mut made: Vec<(Made, bool)> = Vec::new();
    for (place, event) in events.iter().enumerate().skip(copied) {
        let (node, inner, tool, arguments, effect, key) = match &event.kind {
            EventKind::StepStarted { node, tool, arguments, effect, key, .. } => {
                (node, None, tool, arguments, effect, key)
            }
            EventKind::InnerStarted { node, path, tool, arguments, effect, .. } => {
                (node, Some(path), tool, arguments, effect, &None)
            }
            _ => continue,
        };
        let repeatable = crate::critic::is_repeatable(effect);
        let again = key.is_some() && made.iter().any(|(call, _)| call.key == *key);
        if *effect == Effect::Read || (repeatable && (key.is_none() || again)) {
            continue;
        }
        let outcome = events[place..].iter().find_map(|later| match &later.kind {
            EventKind::StepFinished { node: over, outcome, .. } if over == node && inner.is_none() => Some(outcome),
            EventKind::InnerFinished { node: over, path, outcome, .. } if over == node && inner == Some(path) => {
                Some(outcome)
            }
            _ => None,
        });
        let harmless = match outcome {
            Some(StepOutcome::NotStarted { .. }) => true,
            Some(StepOutcome::Failed { failure }) => failure.effect == crate::EffectState::None,
            Some(StepOutcome::Done { .. } | StepOutcome::Unknown { .. }) | None => false,
        };
        let by = names.iter().find(|(id, _)| id == node).map(|(_, name)| name.clone());
        if let Some(by) = by.filter(|_| !harmless) {
            made.push((Made { tool: tool.clone(), arguments: arguments.clone(), by, key: key.clone() }, repeatable));
        }
    }
    made
}
