//! What a driver needs from the world, as traits.

use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use toolcrib_policy::{ApprovalAnswer, ApprovalRequest, CriticSettings};

use crate::critic::Judge;
use crate::look::Excerpt;
use crate::planner::Planner;
use crate::{Approver, Event, Millis, Question, State, Tools};

/// What an event must survive before the run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process.
    Process,
    /// The loss of power.
    Power,
}

/// An event that could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the ledger cannot record it: {0}")]
pub struct LedgerError(pub String);

/// Where events are recorded.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records one event behind all earlier ones of the run. When it returns, the event survives what
    /// `durability` says.
    ///
    /// # Errors
    ///
    /// The event is not recorded; the run stops before anything follows from it.
    async fn append(&self, event: &Event, durability: Durability) -> Result<(), LedgerError>;

    /// Records several events, all or none: a run without the plan that it began with could not go on. The default
    /// records one after the other and is for ledgers that nobody resumes from.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`].
    async fn append_all(&self, events: &[Event], durability: Durability) -> Result<(), LedgerError> {
        for event in events {
            self.append(event, durability).await?;
        }
        Ok(())
    }

    /// What earlier runs came to that fits these words, where the operator lets this run look. Nothing, unless a ledger
    /// says otherwise.
    async fn earlier(&self, query: &str) -> Vec<Excerpt> {
        let _ = query;
        Vec::new()
    }
}

/// Somebody who answers questions.
#[async_trait]
pub trait Person: Send + Sync {
    /// Whether somebody sits there, rather than having left word.
    fn is_there(&self) -> bool {
        true
    }

    /// Asks, and waits for the answer. None means that nobody will answer. Dropping the future takes the
    /// question back.
    async fn ask(&self, question: &Question) -> Option<String>;

    /// Asks whether a call may be made, and waits for the answer. None means that this person does not answer such
    /// questions. Dropping the future takes the question back.
    async fn approve(&self, request: &ApprovalRequest) -> Option<ApprovalAnswer> {
        let _ = request;
        None
    }
}

/// Somebody who watches a run.
pub trait Observer: Send + Sync {
    /// Sees each event once it is recorded, with the state that it led to. It must return soon: the run waits.
    fn observe(&self, event: &Event, state: &State);
}

impl Observer for () {
    fn observe(&self, _event: &Event, _state: &State) {}
}

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// What time it is.
    fn now(&self) -> Millis;

    /// Waits until then.
    async fn sleep_until(&self, until: Millis);
}

/// Everything that a run needs from the world.
#[derive(Clone)]
pub struct Ports {
    /// The tools.
    pub tools: Arc<dyn Tools>,
    /// The planner.
    pub planner: Arc<dyn Planner>,
    /// Where events go.
    pub ledger: Arc<dyn Ledger>,
    /// Who knows which calls need a person's word. `Arc::new(())` where none does.
    pub approver: Arc<dyn Approver>,
    /// Who answers questions; none for a run that nobody attends.
    pub person: Option<Arc<dyn Person>>,
    /// Who watches. `Arc::new(())` where nobody does.
    pub observer: Arc<dyn Observer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How results are judged in a run that begins here. One that goes on is judged as it was when it began.
    pub critic: CriticSettings,
    /// Who reviews what was accepted; none where nobody does.
    pub judge: Option<Arc<dyn Judge>>,
}
