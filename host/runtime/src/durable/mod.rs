//! Runs that go on: resumed after any end that is not for good, cancelled from another process, forked at any event.

mod cancels;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcrib_agent::{Budget, Cancel, Event, ForkError, GivenPlanner, Observer, Outcome, Person, Run, State, fork};
use toolcrib_ledger::{Durability, Ledger, LedgerError, RunId, Seq};

use crate::call::Progress;
use crate::children::Children;
use crate::crib::Crib;
use crate::error::CribError;
use crate::gate::now;
use crate::ledger::{RunLog, to_ledger};
use crate::models::Chosen;
use crate::run::{Errand, RunResult, begin_in, run_error};

pub(crate) use cancels::Cancels;

/// How long a cancelled run is watched until it has ended.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// What is to go on.
pub struct ResumeRequest {
    /// The run, or the beginning of its name.
    pub run: String,
    /// Who plans from here on; none for who planned before.
    pub planner: Option<String>,
    /// Who stands in from here on; empty for who did before.
    pub fallback: Vec<String>,
    /// What the run may spend from here on; none for what is left. A run whose budget ended gets the usual one.
    pub budget: Option<Budget>,
    /// Who answers questions; nobody for a run that is not attended.
    pub person: Option<Arc<dyn Person>>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Who sees the progress of single calls.
    pub progress: Option<Progress>,
    /// Ends the run early.
    pub cancel: Cancel,
}

/// A new run that begins where another one was.
pub struct ForkRequest {
    /// The other run, or the beginning of its name.
    pub run: String,
    /// The last event to copy, by its number in the ledger.
    pub at: u64,
    /// Whether calls that the other run made later, and that cannot be taken back, may be made again.
    pub again: bool,
}

/// A fork, which can be resumed.
#[derive(Debug)]
pub struct Forked {
    /// The new run.
    pub run: RunId,
    /// The other run.
    pub from: RunId,
    /// Calls of the other run that are not made again here.
    pub made: usize,
}

/// What became of a wish to cancel.
#[derive(Debug)]
pub enum Cancelled {
    /// The run is over, as this.
    Over(Outcome),
    /// The process that drives it has been told, and has not ended it yet.
    Told {
        /// The process.
        pid: Option<u32>,
    },
}

impl Crib {
    pub(crate) fn cancels(&self) -> Cancels {
        Cancels::in_data(&self.settings().folders.data)
    }

    /// Goes on with a run that was cut off, or that ended without an end to its goal. `began` is told its full name before
    /// anything happens in it.
    ///
    /// # Errors
    ///
    /// There is no such run, it is over for good, its planner cannot be made, or the ledger cannot be written.
    pub async fn resume(&self, request: ResumeRequest, began: impl FnOnce(RunId)) -> Result<RunResult, CribError> {
        let ResumeRequest { run, planner, fallback, budget, person, observer, progress, cancel } = request;
        let ledger = Arc::new(self.ledger_in_turn().await?);
        let (run, events, state) = unfinished(&ledger, &run)?;
        let before = chosen_of(&ledger, run).unwrap_or_else(|| Chosen::unknown(state.planner()));
        // It is judged as it was when it began.
        let judge = state.critic().judge.clone().filter(|_| state.critic().reviews());
        let chosen = Chosen { judge: judge.clone(), ..before.but(planner.as_deref(), &fallback) };
        let (planner, models) = self.planner(&chosen)?;
        self.check_prices(&chosen, budget.as_ref(), Some(&state))?;
        let agents = Arc::new(Children::new(self.clone(), chosen, &planner));
        let out_of_budget = matches!(state.outcome(), Some(Outcome::Budget { .. }));
        let budget = budget.or_else(|| out_of_budget.then(Budget::default));
        let goal = state.goal().to_owned();
        let errand = Errand { goal, planner, models, judge, person, observer, progress, last: None };
        let (ports, till) = self.ports(errand, ledger, run)?;
        let driven = Run::resume(ports, &events, budget).map_err(|error| run_error(run, error))?;
        let driven = driven.paying(till).with_agents(agents);
        began(run);
        self.drive(run, driven, &cancel).await
    }

    /// Ends a run in order: calls that are under way are told to end, and their outcomes are recorded. A run that nobody
    /// drives is ended here. It can be resumed later.
    ///
    /// # Errors
    ///
    /// There is no such run, it is over for good, or the ledger cannot be written.
    pub async fn cancel(&self, run: &str) -> Result<Cancelled, CribError> {
        let reading = self.ledger_read_only()?;
        let (run, events, state) = unfinished(&reading, run)?;
        if let Some(outcome) = state.outcome() {
            return Ok(Cancelled::Over(outcome.clone()));
        }
        let cancels = self.cancels();
        let ledger = match Ledger::open(&self.settings().folders.data) {
            Ok(ledger) => Arc::new(ledger),
            Err(LedgerError::Locked { pid, .. }) => {
                let place = |why: std::io::Error| CribError::Place {
                    path: cancels.folder().display().to_string(),
                    why: format!("cannot be written ({why}): the run cannot be told"),
                };
                cancels.ask(run).map_err(place)?;
                return Ok(watch(&reading, run).await?.map_or(Cancelled::Told { pid }, Cancelled::Over));
            }
            Err(error) => return Err(error.into()),
        };
        // The process that drove it is gone: what it left open is closed here.
        let cancel = Cancel::new();
        cancel.cancel();
        let errand = Errand {
            goal: state.goal().to_owned(),
            planner: Arc::new(GivenPlanner::new("none")),
            models: None,
            judge: None,
            person: None,
            observer: Arc::new(()),
            progress: None,
            last: None,
        };
        // Nothing more is paid for.
        let (ports, _) = self.ports(errand, ledger, run)?;
        let driven = Run::resume(ports, &events, None).map_err(|error| run_error(run, error))?;
        Ok(Cancelled::Over(self.drive(run, driven, &cancel).await?.outcome))
    }

    /// Begins a new run with the first events of another one. It is to be resumed; nothing happens in it here.
    ///
    /// # Errors
    ///
    /// There is no such run or event, a call was under way then, or the ledger cannot be written.
    pub async fn fork(&self, request: &ForkRequest) -> Result<Forked, CribError> {
        let ledger = self.ledger_in_turn().await?;
        let from = ledger.resolve(&request.run)?;
        let numbered = RunLog::numbered(&ledger, from)?;
        let last = numbered.last().map_or(0, |(seq, _)| seq.get());
        if request.at > last {
            return Err(CribError::Fork {
                run: from.to_string(),
                at: request.at,
                why: format!("its last event is {last}"),
            });
        }
        let copied = numbered.iter().take_while(|(seq, _)| seq.get() <= request.at).count();
        let events: Vec<Event> = numbered.iter().map(|(_, event)| event.clone()).collect();
        let millis = toolcrib_agent::Millis(now());
        let forked = fork(&events, copied, &from.to_string(), request.at, millis, request.again).map_err(|error| {
            let why = match &error {
                ForkError::Calling { .. } => format!("{error} ({})", quiet_places(&numbered, request.at)),
                error => error.to_string(),
            };
            CribError::Fork { run: from.to_string(), at: request.at, why }
        })?;
        let state = RunLog::fold(from, &forked.events)?;
        let chosen = chosen_of(&ledger, from).unwrap_or_else(|| Chosen::unknown(state.planner()));
        let mut begun = chosen.details();
        begun["forked"] = json!({ "run": from.to_string(), "at": request.at });
        let run = begin_in(&ledger, state.goal(), begun)?;
        let new = forked.events.iter().map(to_ledger).collect::<Result<Vec<_>, _>>();
        let new = new.map_err(|error| run_error(run, error))?;
        ledger.append_all(run, new, Durability::Power)?;
        Ok(Forked { run, from, made: forked.made.len() })
    }
}

/// A run that can go on, with its events.
fn unfinished(ledger: &Ledger, run: &str) -> Result<(RunId, Vec<Event>, State), CribError> {
    let run = ledger.resolve(run)?;
    let (events, state) = RunLog::read(ledger, run)?;
    match state.outcome() {
        _ if events.is_empty() => {
            Err(CribError::Over { run: run.to_string(), how: "it ended before anything happened in it" })
        }
        Some(outcome) if !outcome.is_resumable() => Err(CribError::Over { run: run.to_string(), how: outcome.name() }),
        _ => Ok((run, events, state)),
    }
}

/// What the run's first event says besides its title.
fn details(ledger: &Ledger, run: RunId) -> Result<Value, CribError> {
    let begun = ledger.event(run, Seq::FIRST)?;
    Ok(begun.payload.map_or(Value::Null, |payload| payload["details"].clone()))
}

/// Who plans a run and who stands in, as it was said when it began; none where that is not known.
pub fn chosen_of(ledger: &Ledger, run: RunId) -> Option<Chosen> {
    Chosen::of_details(&details(ledger, run).ok()?)
}

/// The nearest events at which no call is under way.
fn quiet_places(numbered: &[(Seq, Event)], at: u64) -> String {
    let mut state = State::default();
    let mut quiet = Vec::new();
    for (seq, event) in numbered {
        if state.apply(event).is_err() {
            break;
        }
        if state.in_flight().next().is_none() && state.outcome().is_none() {
            quiet.push(seq.get());
        }
    }
    let before = quiet.iter().rev().find(|seq| **seq < at);
    let after = quiet.iter().find(|seq| **seq > at);
    match (before, after) {
        (Some(before), Some(after)) => format!("{before} and {after} are the nearest such events"),
        (Some(one), None) | (None, Some(one)) => format!("{one} is the nearest such event"),
        (None, None) => "there is no such event".to_owned(),
    }
}

/// Waits for the end of a run that another process drives.
async fn watch(reading: &Ledger, run: RunId) -> Result<Option<Outcome>, CribError> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK).await;
        let state = RunLog::state(reading, run)?;
        if let Some(outcome) = state.outcome() {
            return Ok(Some(outcome.clone()));
        }
    }
    Ok(None)
}
