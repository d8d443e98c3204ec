//! The desk of one run: which of its calls need a person's word, and where the word comes from.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use toolcrib_agent::{Approver, Durability, Event, EventKind, Excerpt, Gate, Intent, LedgerError, Person, ToolCall};
use toolcrib_policy::{ApprovalAnswer, ApprovalId, ApprovalRequest, Decision, RunFacts, Unattended};

use super::inbox;
use super::spool::{Spool, Word};
use crate::crib::Crib;
use crate::gate::{AtGate, Known, locked, now};
use crate::ledger::RunLog;

/// How often the spool is looked at while a question is open: soon enough for a person who watches.
const LOOK: Duration = Duration::from_millis(200);

/// What stands in place of a rule's name where the plan itself wants a person's word.
const PLAN: &str = "plan";

/// The desk of one run.
pub(crate) struct Desk {
    pub(crate) crib: Crib,
    pub(crate) run: Arc<RunFacts>,
    pub(crate) known: Known,
    pub(crate) person: Option<Arc<dyn Person>>,
    pub(crate) spool: Spool,
}

impl Desk {
    /// The yes that covers the call, unless it was taken back by a process that could not write it down.
    fn covering(&self, call: &AtGate<'_>) -> Option<ApprovalId> {
        let bound = call.bound();
        let mut known = locked(&self.known);
        while let Some(id) = known.covering(&self.run.id, now(), &bound).cloned() {
            if !self.spool.is_revoked(&id) {
                return Some(id);
            }
            known.revoked(&id);
        }
        None
    }

    fn request(
        &self,
        intent: &Intent<'_>,
        call: &AtGate<'_>,
        rule: String,
        because: Option<String>,
    ) -> ApprovalRequest {
        let ToolCall { node, attempt, inside, .. } = intent.call;
        // A call that a program makes has a place of its own in the step.
        let node = if inside.is_root() { node.to_string() } else { format!("{node}.{inside}") };
        let place = format!("{}/{node}/{attempt}/{}", self.run.id, intent.asked);
        let bound = call.bound();
        let settings = self.crib.operator().approval();
        ApprovalRequest {
            id: ApprovalId::of(&place, &bound),
            call: bound,
            effect: intent.call.effect.clone(),
            rule,
            because,
            expires: settings.expires(now()),
            otherwise: settings.otherwise,
        }
    }
}

#[async_trait]
impl Approver for Desk {
    fn gate(&self, intent: &Intent<'_>) -> Gate {
        let go = Gate::Go { approval: None };
        let Ok((plugin, tool)) = self.crib.tool(&intent.call.tool.to_string()) else { return go };
        let run = RunFacts { calls: intent.made, ..(*self.run).clone() };
        let call = AtGate {
            plugin: &plugin,
            tool: &tool,
            arguments: &intent.call.arguments,
            effect: &intent.call.effect,
            labels: &intent.call.labels,
            under: intent.call.under,
            run: &run,
        };
        let (rule, because) = match self.crib.decide(&call) {
            Decision::Ask { rule, because } => (rule, because),
            Decision::Allow { .. } if intent.asks => {
                (PLAN.to_owned(), Some("the plan wants a person's word".to_owned()))
            }
            // What is denied is refused when the call is made, so that the refusal stands with the call.
            Decision::Allow { .. } | Decision::Deny { .. } => return go,
        };
        match self.covering(&call) {
            Some(id) => Gate::Go { approval: Some(id) },
            None => Gate::Ask(Box::new(self.request(intent, &call, rule, because))),
        }
    }

    async fn answer(&self, request: &ApprovalRequest) -> ApprovalAnswer {
        let known = locked(&self.known).get(&request.id).and_then(|asked| asked.answer.clone());
        if let Some((answer, _)) = known {
            return answer;
        }
        let mut person = self.person.clone();
        loop {
            if let Some(answer) = self.spool.answer(&request.id) {
                return answer;
            }
            if now() >= request.expires {
                return ApprovalAnswer::Expired { otherwise: request.otherwise };
            }
            let waits = self.crib.operator().approval().unattended == Unattended::Wait;
            match person.take() {
                Some(person) => {
                    if let Some(answer) = self.ask(&*person, request).await {
                        return answer;
                    }
                }
                None if waits => tokio::time::sleep(LOOK).await,
                None => return ApprovalAnswer::Nobody,
            }
        }
    }
}

impl Desk {
    /// Asks the person, and takes an answer from elsewhere that comes first. None where the person does not answer.
    async fn ask(&self, person: &dyn Person, request: &ApprovalRequest) -> Option<ApprovalAnswer> {
        let elsewhere = async {
            loop {
                tokio::time::sleep(LOOK).await;
                if let Some(answer) = self.spool.answer(&request.id) {
                    return answer;
                }
                if now() >= request.expires {
                    return ApprovalAnswer::Expired { otherwise: request.otherwise };
                }
            }
        };
        tokio::select! {
            answer = person.approve(request) => answer,
            answer = elsewhere => Some(answer),
        }
    }
}

/// A run's log that keeps what is known of questions in step with what was recorded of them.
pub(crate) struct ApprovalLog {
    pub(crate) log: RunLog,
    pub(crate) known: Known,
    pub(crate) spool: Spool,
}

#[async_trait]
impl toolcrib_agent::Ledger for ApprovalLog {
    async fn append(&self, event: &Event, durability: Durability) -> Result<(), LedgerError> {
        self.append_all(std::slice::from_ref(event), durability).await
    }

    async fn append_all(&self, events: &[Event], durability: Durability) -> Result<(), LedgerError> {
        self.log.append_all(events, durability).await?;
        for event in events {
            inbox::note(&mut locked(&self.known), &self.log.run().to_string(), event);
            if let EventKind::ApprovalAnswered { id, answer, .. } = &event.kind {
                self.spool.remove(id, &Word::Answer(answer.clone()));
            }
        }
        Ok(())
    }

    async fn earlier(&self, query: &str) -> Vec<Excerpt> {
        self.log.earlier(query).await
    }
}
