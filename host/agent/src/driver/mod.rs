//! The driver: does what the state decides, and records it.
//!
//! ```text
//! State::decide ─► record the intent ─► do it ─► record the outcome ─► State::apply ─► …
//! ```
//!
//! It owns no rules. Dropping it anywhere loses nothing that was recorded: [`Run::resume`] goes on.

mod children;
mod clock;
mod critic;
mod flight;
mod look;
mod paying;
mod ports;
mod programs;

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;
use toolcrib_model::Usage;
use toolcrib_policy::{Effect, Label};

use crate::event::EVENT_VERSION;
use crate::plan::check;
use crate::planner::{Planned, PlannerError, Proposal};
use crate::till::Word;
use crate::{
    Agents, Budget, BudgetKind, Cancel, Caps, Command, Draft, Event, EventKind, Flow, Gate, InnerPath, Intent, NodeId,
    Order, Outcome, Patch, PlanReason, State, StateError, StepOutcome, Then, Till, ToolCall, Unfounded, Writes,
};
use flight::{Flight, Landed, Task};
use programs::Programs;

pub use clock::SystemClock;
pub use ports::{Clock, Durability, Ledger, LedgerError, Observer, Person, Ports};
pub use programs::failure_of;

/// How long calls may take to end once they are told to, in milliseconds: long enough for a write that has
/// begun, short enough for a person who waits at the terminal.
const CANCEL_GRACE_MS: u64 = 5_000;

/// The largest proposal that is looked at, in bytes of JSON. A plan that a person could read is far smaller.
const PROPOSAL_BYTES_MAX: usize = 1 << 20;

/// The most faults of one answer that are recorded and sent back: a repair needs the first few.
const FAULTS_MAX: usize = 12;

/// The longest fault, in characters.
const FAULT_CHARS_MAX: usize = 500;

/// Why a run stopped without an end of its own.
#[derive(Debug, Error)]
pub enum RunError {
    /// The ledger refused an event. Nothing that depends on the event was done.
    #[error("the run stopped before `{event}`: {source}")]
    Ledger {
        /// The event that could not be recorded.
        event: &'static str,
        /// Why.
        source: LedgerError,
    },
    /// The recorded events do not make a run, or the driver and the state disagree.
    #[error(transparent)]
    State(#[from] StateError),
}

/// One run of one goal.
pub struct Run {
    ports: Ports,
    state: Arc<State>,
    opening: Vec<EventKind>,
    ending_since: Option<crate::Millis>,
    calls: Cancel,
    till: Till,
    agents: Option<Arc<dyn Agents>>,
    /// Goals whose own budget in money has ended.
    short: BTreeSet<NodeId>,
    /// Requests that wait until it is known what others have cost.
    postponed: Vec<Word>,
    programs: Programs,
}

impl Run {
    /// A new run. Nothing happens before [`Run::drive`].
    pub fn start(ports: Ports, goal: impl Into<String>, budget: Budget, caps: Caps) -> Self {
        let planner = ports.planner.name().to_owned();
        let (version, inputs) = (EVENT_VERSION, serde_json::Value::Null);
        let (critic, hold) = (ports.critic.clone(), false);
        let opening = EventKind::RunStarted { version, goal: goal.into(), planner, budget, caps, inputs, critic, hold };
        Self::new(ports, State::default(), vec![opening])
    }

    /// A new run of a plan that is given: these steps, one after the other, each with its name and effect. What becomes of
    /// it is still the planner's to say, once it is through or stuck.
    pub fn given(ports: Ports, goal: impl Into<String>, budget: Budget, caps: Caps, steps: Vec<Draft>) -> Self {
        let mut run = Self::start(ports, goal, budget, caps);
        let node = NodeId::ROOT;
        let patches = vec![Patch::Expand { node, order: Order::Sequence, then: Then::Review, children: steps }];
        run.opening.push(EventKind::PlanAsked { node, reason: PlanReason::Open });
        let (note, usage, label, given) = (String::new(), Usage::default(), Some(Label::TRUSTED), true);
        run.opening.push(EventKind::Expanded { node, patches, note, usage, label, given });
        run
    }

    /// The same run, which ends as held before anything is done: once the plan stands as far as it can be made before there are
    /// results. Resuming it does the plan.
    #[must_use]
    pub fn held(mut self) -> Self {
        if let Some(EventKind::RunStarted { hold, .. }) = self.opening.first_mut() {
            *hold = true;
        }
        self
    }

    /// A run of a flow: its first change, checked, with its inputs.
    pub fn flow(ports: Ports, flow: &Flow, budget: Budget, patches: Vec<Patch>, inputs: serde_json::Value) -> Self {
        let mut opening = flow.opening(ports.planner.name(), budget, patches, inputs);
        if let Some(EventKind::RunStarted { critic, .. }) = opening.first_mut() {
            critic.clone_from(&ports.critic);
        }
        Self::new(ports, State::default(), opening)
    }

    /// A run that was cut off, or that ended without an end to its goal (asked, cancelled, out of budget), with
    /// a new budget counted from here where one is given. A run that is over for good is over: [`Run::drive`]
    /// returns its outcome.
    ///
    /// # Errors
    ///
    /// The events do not make a run.
    pub fn resume(mut ports: Ports, events: &[Event], budget: Option<Budget>) -> Result<Self, RunError> {
        let state = State::fold(events)?;
        ports.clock = clock::not_before(ports.clock, state.now());
        let over = state.outcome().is_some_and(|outcome| !outcome.is_resumable());
        let opening = match over || events.is_empty() {
            true => Vec::new(),
            false => std::iter::once(EventKind::Resumed { budget }).chain(state.recover()).collect(),
        };
        Ok(Self::new(ports, state, opening))
    }

    fn new(ports: Ports, state: State, opening: Vec<EventKind>) -> Self {
        Self {
            ports,
            state: Arc::new(state),
            opening,
            ending_since: None,
            calls: Cancel::new(),
            till: Till::default(),
            agents: None,
            short: BTreeSet::new(),
            postponed: Vec::new(),
            programs: Programs::default(),
        }
    }

    /// The same run with this till, where it pays by these prices.
    #[must_use]
    pub fn paying(mut self, till: Till) -> Self {
        let currency = &till.prices.currency;
        if !currency.is_empty() && self.state.purse().currency != *currency && !self.opening.is_empty() {
            self.opening.insert(1, EventKind::Priced { currency: currency.clone() });
        }
        self.till = till;
        self
    }

    /// The state so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Drives the run to its end. Raising `cancel` ends it in order: calls are told to end, their outcomes are
    /// recorded, and so is the end.
    ///
    /// # Errors
    ///
    /// The ledger failed, or an event did not fit.
    pub async fn drive(&mut self, cancel: &Cancel) -> Result<Outcome, RunError> {
        let opening = std::mem::take(&mut self.opening);
        self.record_all(opening).await?;
        let mut flight = Flight::default();
        loop {
            if cancel.is_cancelled() && !self.state.is_ending() {
                self.record(EventKind::CancelRequested).await?;
            }
            if self.state.is_ending() && self.ending_since.is_none() {
                self.ending_since = Some(self.ports.clock.now());
                self.calls.cancel();
                self.programs.cancel();
            }
            if let Some(outcome) = self.state.outcome() {
                return Ok(outcome.clone());
            }
            if self.end_short().await? || self.obey(&mut flight).await? || self.look_again().await? {
                continue;
            }
            self.wait(&mut flight, cancel).await?;
        }
    }

    /// Does what the state decides; tells whether something was recorded that changes what is to be done.
    async fn obey(&mut self, flight: &mut Flight) -> Result<bool, RunError> {
        let mut recorded = false;
        let commands = self.state.decide();
        if self.ports.person.is_none()
            && let Some(node) = commands.iter().find_map(|command| self.stays_open(command))
        {
            // What is under way comes to its end first, and nothing new begins.
            let idle = self.state.in_flight().next().is_none();
            if idle {
                self.record(EventKind::Unanswered { node }).await?;
            }
            return Ok(idle);
        }
        for command in commands {
            match command {
                Command::Record(kind) => {
                    self.record(kind).await?;
                    recorded = true;
                }
                Command::Finish { result } => {
                    self.record(EventKind::RunFinished { result }).await?;
                    recorded = true;
                }
                Command::Judge { node } => {
                    self.judge(node).await?;
                    recorded = true;
                }
                Command::CallTool { node, attempt, tool, arguments, from, labels, under, trying } => {
                    // The worst, until the tool says what this call is.
                    let effect = Effect::Irreversible;
                    let wall_ms = trying.wall_ms;
                    let within = self.state.plan().tool_lists(node);
                    let (inside, approval, key, program) = (InnerPath::ROOT, None, None, None);
                    let call = ToolCall {
                        node,
                        attempt,
                        tool,
                        arguments,
                        effect,
                        labels,
                        under,
                        approval,
                        wall_ms,
                        inside,
                        program,
                        key,
                        within,
                    };
                    recorded |= !self.call(call, from, trying.ask, flight).await?;
                }
                Command::Review { node } => recorded |= self.review(node, flight).await?,
                Command::Undo { node } => {
                    self.undo(node).await?;
                    recorded = true;
                }
                Command::Rerun { node, trying } => {
                    self.rerun(node, trying, flight).await?;
                    recorded = true;
                }
                Command::Approve { node, request } => {
                    flight.approve(node, Arc::clone(&self.ports.approver), *request);
                }
                Command::CallPlanner { node, reason } => {
                    self.record(EventKind::PlanAsked { node, reason }).await?;
                    match self.planner_of(node) {
                        Ok(planner) => flight.plan(planner, self.context(node, reason)),
                        Err(why) => {
                            let usage = Usage::default();
                            self.record(EventKind::GoalFailed { node, why, usage }).await?;
                            recorded = true;
                        }
                    }
                }
                Command::Ask { node, question } => match &self.ports.person {
                    None => {
                        self.record(EventKind::Answered { node, answer: None }).await?;
                        recorded = true;
                    }
                    Some(person) => flight.ask(node, Arc::clone(person), question),
                },
                Command::Wait { until } => flight.wait(until, Arc::clone(&self.ports.clock)),
            }
        }
        Ok(recorded)
    }

    /// The goal whose question about an effect neither a person nor the planner can settle now.
    fn stays_open(&self, command: &Command) -> Option<NodeId> {
        let Command::Ask { node, .. } = command else { return None };
        (self.state.asks_about_effect(*node) && !self.ports.planner.goes_around()).then_some(*node)
    }

    /// Records the intent and starts the call; false where it was blocked, or a person is asked first.
    async fn call(
        &mut self,
        mut call: ToolCall,
        from: Vec<crate::StepName>,
        asks: bool,
        flight: &mut Flight,
    ) -> Result<bool, RunError> {
        let node = call.node;
        if !self.state.plan().may_call(node, &call.tool) {
            let why = format!("the agent has no tool `{}`", call.tool);
            self.record(EventKind::StepBlocked { node, why }).await?;
            return Ok(false);
        }
        let Some(card) = self.ports.tools.get(&call.tool) else {
            let why = format!("the tool `{}` is not there any more", call.tool);
            self.record(EventKind::StepBlocked { node, why }).await?;
            return Ok(false);
        };
        call.effect = self.ports.tools.effect(&card, &call.arguments);
        if let Some(event) = self.held_back(node, &card, &call.effect) {
            let made = matches!(event, EventKind::Ungrounded { then: Unfounded::Made, .. });
            self.record(event).await?;
            if !made {
                return Ok(false);
            }
        }
        let price = match self.price(node, &call.tool).await? {
            Ok(price) => price,
            Err(recorded) => return Ok(!recorded),
        };
        let (made, asked) = (u64::from(self.state.spent().steps), self.state.asks(node));
        match self.ports.approver.gate(&Intent { call: &call, made, asked, asks }) {
            // Nobody is to be disturbed for a second look.
            Gate::Ask(request)
                if self
                    .state
                    .plan()
                    .node(node)
                    .is_some_and(|node| node.serves.is_some_and(|s| s.service.only_reads())) =>
            {
                let why = format!("a person would have to say yes to it (rule `{}`)", request.rule);
                self.record(EventKind::StepBlocked { node, why }).await?;
                return Ok(false);
            }
            Gate::Ask(request) => {
                let inside = InnerPath::ROOT;
                self.record(EventKind::ApprovalAsked { node, from, request: *request, inside }).await?;
                return Ok(false);
            }
            Gate::Go { approval: Some(id) } => {
                self.record(EventKind::ApprovalUsed { node, id: id.clone(), inside: InnerPath::ROOT }).await?;
                call.approval = Some(id);
            }
            Gate::Go { approval: None } => {}
        }
        let known = self.state.key_of(node, &call.tool, &call.arguments).cloned();
        call.key = known.or_else(|| self.ports.tools.idempotency_key(&call));
        call.program = self.ports.tools.program(&card, &call.arguments);
        let folders = match self.ports.tools.keep_folders(&call).await {
            Ok(folders) => folders,
            Err(why) => {
                self.record(EventKind::StepBlocked { node, why }).await?;
                return Ok(false);
            }
        };
        let ToolCall { attempt, tool, arguments, effect, labels, under, key, program, .. } = call.clone();
        self.record(EventKind::StepStarted {
            node,
            attempt,
            tool,
            arguments,
            from,
            effect,
            labels,
            under,
            key,
            folders,
            price,
            program,
        })
        .await?;
        self.fly(call, flight);
        Ok(true)
    }

    async fn wait(&mut self, flight: &mut Flight, cancel: &Cancel) -> Result<(), RunError> {
        let ending = self.ending_since;
        let until = match ending {
            Some(since) => crate::Millis(since.0.saturating_add(CANCEL_GRACE_MS)),
            None => self.state.deadline(),
        };
        // While nothing but a person is waited for, the run's own time stands still.
        let timed = ending.is_some() || !self.state.waits_for_person();
        let clock = Arc::clone(&self.ports.clock);
        let patience = self.programs.patience();
        tokio::select! {
            biased;
            Some(landed) = flight.next() => self.land(landed).await,
            Some(word) = self.till.words.recv() => self.hear_till(word).await,
            Some(word) = self.programs.next() => self.hear_program(word).await,
            () = clock.sleep_until(patience.unwrap_or_default()), if patience.is_some() => {
                self.programs.park(clock.now());
                Ok(())
            }
            () = cancel.cancelled(), if ending.is_none() => Ok(()),
            () = clock.sleep_until(until), if timed => match ending {
                None => self.record(EventKind::BudgetSpent { kind: BudgetKind::Wall }).await,
                Some(_) => self.abandon().await,
            },
        }
    }

    /// Gives up on calls that do not end: nobody can tell what they did.
    async fn abandon(&mut self) -> Result<(), RunError> {
        let nodes: Vec<_> = self.state.in_flight().collect();
        for node in nodes {
            if self.state.journal(node).is_some() {
                for event in self.abandoned(node) {
                    self.record(event).await?;
                }
                continue;
            }
            let outcome = StepOutcome::Unknown { why: "the call did not end when it was told to".to_owned() };
            let (receipt, label) = (serde_json::Value::Null, None);
            self.record(EventKind::StepFinished { node, outcome, receipt, label }).await?;
        }
        Ok(())
    }

    async fn land(&mut self, landed: Landed) -> Result<(), RunError> {
        match landed.task {
            Task::Called(report) if self.state.journal(landed.node).is_some() => {
                self.land_program(landed.node, report).await?;
                self.hear_again().await
            }
            Task::Called(report) => {
                let outcome = match report.outcome {
                    Ok(output) => StepOutcome::Done { output },
                    Err(failure) => StepOutcome::Failed { failure },
                };
                let (node, receipt, label) = (landed.node, report.receipt, report.label);
                self.record(EventKind::StepFinished { node, outcome, receipt, label }).await?;
                self.hear_again().await
            }
            Task::Planned(planned) => {
                let event = self.planned(landed.node, planned).await;
                self.record(event).await
            }
            Task::Approved(id, answer) => {
                // The run may have gone another way meanwhile.
                let node = landed.node;
                if let Some(path) = self.state.asked_inside(node, &id) {
                    self.record(EventKind::ApprovalAnswered { node, id, answer }).await?;
                    self.programs.answered(node, &path);
                    return Ok(());
                }
                let waits = self.state.approval(node).is_some_and(|request| request.id == id);
                if waits { self.record(EventKind::ApprovalAnswered { node, id, answer }).await } else { Ok(()) }
            }
            Task::Answered(answer) => {
                let node = landed.node;
                let open = answer.is_none() && self.state.asks_about_effect(node) && !self.ports.planner.goes_around();
                let event = if open { EventKind::Unanswered { node } } else { EventKind::Answered { node, answer } };
                self.record(event).await
            }
            Task::Reviewed(of, said) => self.reviewed(landed.node, Some(of), said).await,
            Task::Waited(until) => self.record(EventKind::Waited { until }).await,
        }
    }

    /// The event that a planner's answer makes, after checking.
    async fn planned(&self, node: NodeId, planned: Result<Planned, PlannerError>) -> EventKind {
        let Planned { proposal, usage, note } = match planned {
            Ok(planned) => planned,
            Err(PlannerError::Unusable { faults, usage }) => {
                return EventKind::PlanRejected { node, faults: clipped(faults), usage };
            }
            Err(PlannerError::Unavailable { why, usage }) => return EventKind::GoalFailed { node, why, usage },
        };
        let patches = match proposal {
            Proposal::Answer(answer) => return EventKind::GoalReached { node, answer: Some(answer), usage },
            Proposal::Fail(why) => return EventKind::GoalFailed { node, why, usage },
            Proposal::Ask(_) if !self.state.may_ask() => {
                let fault = "a person was asked often enough in this run: go on without, or give up".to_owned();
                return EventKind::PlanRejected { node, faults: vec![fault], usage };
            }
            Proposal::Look(asks) => return self.look(node, asks, usage).await,
            Proposal::Ask(question) => return EventKind::Asked { node, question, about: None, usage },
            Proposal::Expand { order, then, children } => vec![Patch::Expand { node, order, then, children }],
            Proposal::Change(patches) => patches,
        };
        match self.checked(node, patches) {
            Ok(patches) => {
                let writes = self.planner_of(node).map_or(Writes::Freely, |planner| planner.writes());
                let label = Some(self.state.label_of_plan(node, writes, &patches));
                EventKind::Expanded { node, patches, note, usage, label, given: false }
            }
            Err(faults) => EventKind::PlanRejected { node, faults: clipped(faults), usage },
        }
    }

    fn checked(&self, node: NodeId, patches: Vec<Patch>) -> Result<Vec<Patch>, Vec<String>> {
        let caps = self.state.caps();
        let nodes: usize = patches.iter().flat_map(Patch::drafts).map(Draft::size).sum();
        let bytes =
            if nodes > caps.nodes { 0 } else { serde_json::to_vec(&patches).map_or(usize::MAX, |json| json.len()) };
        if bytes > PROPOSAL_BYTES_MAX {
            return Err(vec![format!("the plan has {bytes} bytes, at most {PROPOSAL_BYTES_MAX} are allowed")]);
        }
        let beyond: Vec<_> = patches.iter().flat_map(|patch| self.state.beyond(patch.node(), patch.drafts())).collect();
        if !beyond.is_empty() {
            return Err(beyond.iter().map(ToString::to_string).collect());
        }
        let unknown = self.unknown_models(&patches);
        if !unknown.is_empty() {
            return Err(unknown);
        }
        check(self.state.plan(), node, patches, caps, &|name| self.ports.tools.get(name))
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    /// Ledger first, then state, then whoever watches.
    async fn record(&mut self, kind: EventKind) -> Result<(), RunError> {
        let (event, durability) = self.stamped(kind);
        let failed = |source| RunError::Ledger { event: event.kind.name(), source };
        self.ports.ledger.append(&event, durability).await.map_err(failed)?;
        self.take_in(&event)
    }

    /// The same for events that stand together or not at all.
    async fn record_all(&mut self, kinds: Vec<EventKind>) -> Result<(), RunError> {
        let stamped: Vec<_> = kinds.into_iter().map(|kind| self.stamped(kind)).collect();
        let power = stamped.iter().any(|(_, durability)| *durability == Durability::Power);
        let durability = if power { Durability::Power } else { Durability::Process };
        let events: Vec<Event> = stamped.into_iter().map(|(event, _)| event).collect();
        let Some(first) = events.first() else { return Ok(()) };
        let failed = |source| RunError::Ledger { event: first.kind.name(), source };
        self.ports.ledger.append_all(&events, durability).await.map_err(failed)?;
        events.iter().try_for_each(|event| self.take_in(event))
    }

    fn stamped(&self, kind: EventKind) -> (Event, Durability) {
        let durability = if kind.needs_power_durability() { Durability::Power } else { Durability::Process };
        (kind.at(self.ports.clock.now()), durability)
    }

    fn take_in(&mut self, event: &Event) -> Result<(), RunError> {
        Arc::make_mut(&mut self.state).apply(event)?;
        tracing::debug!(event = event.kind.name(), "recorded");
        self.ports.observer.observe(event, &self.state);
        Ok(())
    }
}

/// The first faults, each cut: they may quote what a planner wrote, and that can be of any size.
fn clipped(faults: Vec<String>) -> Vec<String> {
    faults.into_iter().take(FAULTS_MAX).map(|fault| fault.chars().take(FAULT_CHARS_MAX).collect()).collect()
}
