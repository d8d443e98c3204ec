//! One run's events in the ledger.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_agent::{Durability, Event, EventKind, Excerpt, LedgerError, State};
use toolcrib_ledger::{Ledger, NewEvent, RunId, Seq};

use crate::earlier;
use crate::error::CribError;

/// The kind of an event that the ledger itself writes when a run begins.
const BEGUN: &str = "ledger.begun";

/// The log of one run.
#[derive(Clone)]
pub struct RunLog {
    ledger: Arc<Ledger>,
    run: RunId,
    earlier: bool,
}

impl RunLog {
    /// The log of `run` in `ledger`.
    pub fn new(ledger: Arc<Ledger>, run: RunId) -> Self {
        RunLog { ledger, run, earlier: false }
    }

    /// The same, whose planner may look into what earlier runs came to.
    #[must_use]
    pub fn with_earlier_runs(self) -> Self {
        RunLog { earlier: true, ..self }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// The run's events, oldest first, as the agent wrote them.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read, or an event was erased or is not one of a run.
    pub fn events(ledger: &Ledger, run: RunId) -> Result<Vec<Event>, CribError> {
        Ok(Self::numbered(ledger, run)?.into_iter().map(|(_, event)| event).collect())
    }

    /// The same, each with the number that it has in the ledger.
    ///
    /// # Errors
    ///
    /// As [`RunLog::events`].
    pub fn numbered(ledger: &Ledger, run: RunId) -> Result<Vec<(Seq, Event)>, CribError> {
        let unreadable = |why: String| CribError::Run { run: run.to_string(), why };
        let mut events = Vec::new();
        for event in ledger.events(run)? {
            let event = event?;
            if event.kind.starts_with("ledger.") || event.kind == BEGUN {
                continue;
            }
            let payload = event.payload.ok_or_else(|| unreadable(format!("event {} was erased", event.seq)))?;
            let read = serde_json::from_value(payload);
            events.push((event.seq, read.map_err(|e| unreadable(format!("event {}: {e}", event.seq)))?));
        }
        Ok(events)
    }

    /// The run's events, and what they make.
    ///
    /// # Errors
    ///
    /// As [`RunLog::events`], or the events are not those of a run.
    pub fn read(ledger: &Ledger, run: RunId) -> Result<(Vec<Event>, State), CribError> {
        let events = Self::events(ledger, run)?;
        let state = Self::fold(run, &events)?;
        Ok((events, state))
    }

    /// What the run has come to.
    ///
    /// # Errors
    ///
    /// As [`RunLog::read`].
    pub fn state(ledger: &Ledger, run: RunId) -> Result<State, CribError> {
        Ok(Self::read(ledger, run)?.1)
    }

    /// What these events of a run make.
    ///
    /// # Errors
    ///
    /// They are not those of a run.
    pub fn fold<'e>(run: RunId, events: impl IntoIterator<Item = &'e Event>) -> Result<State, CribError> {
        State::fold(events).map_err(|error| CribError::Run { run: run.to_string(), why: error.to_string() })
    }

    fn append_now(&self, events: Vec<NewEvent>, durability: Durability) -> Result<(), LedgerError> {
        let durability = match durability {
            Durability::Process => toolcrib_ledger::Durability::Process,
            Durability::Power => toolcrib_ledger::Durability::Power,
        };
        self.ledger.append_all(self.run, events, durability).map(drop).map_err(|e| LedgerError(e.to_string()))
    }
}

#[async_trait]
impl toolcrib_agent::Ledger for RunLog {
    /// An event that need not survive the power takes tens of microseconds and is written here; a flush of the disk
    /// is waited for on a thread that may block.
    async fn append(&self, event: &Event, durability: Durability) -> Result<(), LedgerError> {
        self.append_all(std::slice::from_ref(event), durability).await
    }

    async fn append_all(&self, events: &[Event], durability: Durability) -> Result<(), LedgerError> {
        let new = events.iter().map(to_ledger).collect::<Result<_, _>>()?;
        match durability {
            Durability::Process => self.append_now(new, durability),
            Durability::Power => {
                let log = self.clone();
                let written = tokio::task::spawn_blocking(move || log.append_now(new, durability)).await;
                written.map_err(|e| LedgerError(e.to_string()))?
            }
        }
    }

    async fn earlier(&self, query: &str) -> Vec<Excerpt> {
        if !self.earlier {
            return Vec::new();
        }
        let (log, query) = (self.clone(), query.to_owned());
        let found = tokio::task::spawn_blocking(move || earlier::search(&log.ledger, log.run, &query)).await;
        found.unwrap_or_default()
    }
}

/// The event's own tag is its kind, in clear text; everything else is payload.
pub(crate) fn to_ledger(event: &Event) -> Result<NewEvent, LedgerError> {
    let payload = serde_json::to_value(event).map_err(|e| LedgerError(e.to_string()))?;
    let kind = payload.get("event").and_then(Value::as_str).unwrap_or("event").to_owned();
    let new = NewEvent::new(kind, payload);
    Ok(match &event.kind {
        EventKind::RunFinished { result } => new.status(result.name()).ends_run(),
        EventKind::Asked { .. } => new.status("asked"),
        EventKind::Answered { .. } | EventKind::RunStarted { .. } | EventKind::Resumed { .. } => new.status("running"),
        _ => new,
    })
}
