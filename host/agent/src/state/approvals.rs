//! Steps that wait for a person's word, and the time that this takes.

use std::sync::Arc;

use toolcrib_policy::{ApprovalAnswer, ApprovalId, ApprovalRequest, RefusalCode};

use super::{Record, State};
use crate::{
    Command, EffectState, EventKind, InnerPath, Millis, Node, NodeId, Question, Status, StepName, StepOutcome,
    ToolFailure,
};

/// How often a person is asked about one step: more often, something is wrong with the step.
pub(crate) const ASKS_MAX: u32 = 5;

impl State {
    /// The question that this step waits for.
    pub fn approval(&self, step: NodeId) -> Option<&ApprovalRequest> {
        self.approvals.get(&step).map(|(request, _)| request)
    }

    /// How often a person was asked about this step.
    pub fn asks(&self, step: NodeId) -> u32 {
        self.asks.get(&step).copied().unwrap_or_default()
    }

    /// Whether nothing goes on but waiting for a person. That time is not the run's.
    pub fn waits_for_person(&self) -> bool {
        self.idle_since.is_some()
    }

    pub(super) fn approval_asked(
        &mut self,
        node: NodeId,
        from: &[StepName],
        request: &ApprovalRequest,
        inside: &InnerPath,
    ) -> Result<(), String> {
        if !inside.is_root() {
            return self.asked_inside_of(node, inside, request);
        }
        self.expect(node, "open", |status| *status == Status::Open)?;
        self.plan.step(node).ok_or_else(|| format!("{node} is not a step"))?;
        *self.asks.entry(node).or_default() += 1;
        self.approvals.insert(node, (request.clone(), from.to_vec()));
        self.set(node, Status::Waiting);
        Ok(())
    }

    /// An answer about a step that does not wait any more closes the question and changes nothing else.
    pub(super) fn approval_answered(
        &mut self,
        node: NodeId,
        id: &ApprovalId,
        answer: &ApprovalAnswer,
        at: Millis,
    ) -> Result<(), String> {
        if self.answered_inside(node, id, answer, at) {
            return Ok(());
        }
        let (request, from) =
            self.approvals.get(&node).filter(|(request, _)| request.id == *id).cloned().ok_or("it was not asked")?;
        if answer.is_final() {
            self.approvals.remove(&node);
        }
        if *self.status(node)? != Status::Waiting {
            return Ok(());
        }
        match answer {
            _ if answer.allows() => self.set(node, Status::Open),
            ApprovalAnswer::Nobody => self.unanswered = Some(question(&request)),
            ApprovalAnswer::Withdrawn => self.set(node, Status::Skipped),
            _ => self.denied(node, &request, from, answer, at),
        }
        Ok(())
    }

    fn denied(
        &mut self,
        node: NodeId,
        request: &ApprovalRequest,
        from: Vec<StepName>,
        answer: &ApprovalAnswer,
        at: Millis,
    ) {
        let failure = ToolFailure {
            code: RefusalCode::ApprovalDenied.as_str().to_owned(),
            message: why_denied(request, answer),
            effect: EffectState::None,
            grant: None,
            retry_after_seconds: None,
        };
        let why = format!("{}: {}", failure.code, failure.message);
        let record = Record {
            arguments: Arc::new(request.call.arguments.clone()),
            from,
            effect: request.effect.clone(),
            started: at,
            finished: Some(at),
            outcome: Some(StepOutcome::Failed { failure }),
            value: None,
            verdict: None,
            why: why.clone(),
            scores: None,
            begun_by: 0,
            over_by: self.events,
            undo: None,
            undone: false,
            fixed: false,
            key: Self::call_key(&request.call.tool, &request.call.arguments),
            idempotency: None,
            folders: Vec::new(),
        };
        self.records.insert(node, record);
        self.note_denied(node, &request.call.arguments);
        // What a person does not want is not to be reached by a way around: the planner decides what to make of it.
        self.set(node, Status::Failed { why, replan: true });
    }

    /// Closes questions that nobody needs answered any more.
    pub(super) fn withdraw(&self, all: bool) -> Option<Command> {
        let idle = |node: &NodeId| all || self.status(*node) != Ok(&Status::Waiting);
        let step =
            self.approvals.iter().find(|(node, _)| idle(node)).map(|(node, (request, _))| (*node, request.id.clone()));
        let (node, id) = step.or_else(|| self.idle_inside(all))?;
        Some(Command::Record(EventKind::ApprovalAnswered { node, id, answer: ApprovalAnswer::Withdrawn }))
    }

    /// Keeps the time that passes while nothing but a person is waited for out of the run's own.
    pub(super) fn note_idle(&mut self, before: Option<Millis>, resumed: bool) {
        if let Some(since) = before.filter(|_| !resumed) {
            self.paused_ms = self.paused_ms.saturating_add(self.now.0.saturating_sub(since.0));
        }
        let waiting = |node: &Node| {
            matches!(node.status, Status::Waiting | Status::Asking { .. })
                || (matches!(node.status, Status::Running | Status::Parked) && self.program_waits(node.id))
        };
        let idle = self.outcome.is_none() && self.busy() == 0 && self.plan.nodes().iter().any(waiting);
        self.idle_since = idle.then_some(self.now);
    }
}

/// The question of an approval as one that a run ends with.
pub(super) fn question(request: &ApprovalRequest) -> Question {
    let text = format!("{} (question {})", request.lines().join("\n"), request.id);
    Question { text, about: None, choices: Vec::new(), approval: Some(request.id.clone()) }
}

pub(crate) fn why_denied(request: &ApprovalRequest, answer: &ApprovalAnswer) -> String {
    let call = format!("the call of `{}` that rule `{}` asks about", request.call.tool, request.rule);
    match answer {
        ApprovalAnswer::Denied { by, reason } => {
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{by} said no to {call}{reason}")
        }
        _ => format!("nobody answered in time about {call}"),
    }
}
