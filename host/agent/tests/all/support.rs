//! Ports for tests: a ledger that can fail, a planner that follows a script, tools made of closures, paused time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;
use toolcrib_agent::{
    Budget, Cancel, Caps, Clock, Durability, EffectState, Event, EventKind, Ledger, LedgerError, Millis, Outcome,
    Person, PlanContext, Planned, Planner, PlannerError, Ports, Proposal, Question, Run, ToolCall, ToolCard,
    ToolFailure, ToolOutput, ToolReport, Tools,
};
use toolcrib_policy::{Effect, ToolName};

/// A card with no more than a test needs: any arguments, any result.
pub(crate) fn card(name: &str, effect: Effect) -> ToolCard {
    ToolCard {
        name: tool(name),
        title: name.to_owned(),
        description: format!("does {name}"),
        input_schema: json!({ "type": "object" }),
        output_schema: None,
        effect,
        open_world: false,
    }
}

pub(crate) fn tool(name: &str) -> ToolName {
    name.parse().unwrap()
}

pub(crate) fn failure(code: &str, effect: EffectState) -> ToolFailure {
    let message = format!("{code}, says the test");
    ToolFailure { code: code.to_owned(), message, effect, grant: None, retry_after_seconds: None }
}

type Behaviour = dyn Fn(&ToolCall) -> Result<Value, ToolFailure> + Send + Sync;

/// Tools in memory. What was called stands in `calls`, in the order in which the effects happened.
pub(crate) struct Shed {
    pub(crate) cards: Vec<ToolCard>,
    pub(crate) calls: Mutex<Vec<ToolCall>>,
    /// The call, counted from 1, that takes effect and then never returns.
    pub(crate) hang_at: Option<usize>,
    /// How long a call takes.
    pub(crate) takes_ms: u64,
    pub(crate) at_once: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
    behaviour: Box<Behaviour>,
}

impl Shed {
    pub(crate) fn new(
        cards: Vec<ToolCard>,
        behaviour: impl Fn(&ToolCall) -> Result<Value, ToolFailure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            cards,
            calls: Mutex::default(),
            hang_at: None,
            takes_ms: 0,
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            behaviour: Box::new(behaviour),
        }
    }

    /// How often a tool took effect.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.tool == tool(name)).count()
    }

    pub(crate) fn called(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|call| call.tool.to_string()).collect()
    }
}

#[async_trait]
impl Tools for Shed {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        crate::catalog::search(&self.cards, query, limit)
    }

    fn list(&self, limit: usize) -> Option<Vec<ToolCard>> {
        (self.cards.len() <= limit).then(|| self.cards.clone())
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.cards.iter().find(|card| card.name == *name).cloned()
    }

    fn effect(&self, card: &ToolCard, arguments: &Value) -> Effect {
        let safe = card.name == tool("http.fetch") && arguments.get("method").is_none_or(|method| method == "GET");
        if safe { Effect::Read } else { card.effect.clone() }
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        let outcome = (self.behaviour)(&call);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let made = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call);
            calls.len()
        };
        if self.hang_at == Some(made) {
            std::future::pending::<()>().await;
        }
        if self.takes_ms > 0 {
            tokio::select! {
                () = tokio::time::sleep(std::time::Duration::from_millis(self.takes_ms)) => {}
                () = cancel.cancelled() => {
                    self.at_once.fetch_sub(1, Ordering::SeqCst);
                    return ToolReport { outcome: Err(failure("cancelled", EffectState::Unknown)), receipt: Value::Null, label: None };
                }
            }
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let outcome = outcome.map(|value| match value {
            Value::Null => ToolOutput::default(),
            value => ToolOutput { structured: Some(value), text: String::new() },
        });
        ToolReport { outcome, receipt: json!({ "fuel": 1 }), label: None }
    }
}

/// When a ledger fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dies {
    Never,
    /// Instead of recording this event, counted from 1.
    Before(usize),
    /// Right after recording it.
    After(usize),
}

/// Events in memory.
pub(crate) struct Book {
    pub(crate) events: Mutex<Vec<(Event, Durability)>>,
    dies: Dies,
    appended: AtomicUsize,
}

impl Book {
    pub(crate) fn new(events: &[Event], dies: Dies) -> Self {
        let events = events.iter().map(|event| (event.clone(), Durability::Process)).collect();
        Self { events: Mutex::new(events), dies, appended: AtomicUsize::new(0) }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().iter().map(|(event, _)| event.clone()).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().iter().map(|(event, _)| event.kind.name()).collect()
    }

    pub(crate) fn durability(&self, fits: impl Fn(&EventKind) -> bool) -> Vec<Durability> {
        self.events.lock().unwrap().iter().filter(|(event, _)| fits(&event.kind)).map(|(_, d)| *d).collect()
    }
}

#[async_trait]
impl Ledger for Book {
    async fn append(&self, event: &Event, durability: Durability) -> Result<(), LedgerError> {
        let number = self.appended.fetch_add(1, Ordering::SeqCst) + 1;
        if self.dies == Dies::Before(number) {
            return Err(LedgerError("the disk is full".to_owned()));
        }
        // What is recorded has gone through its written form, as in a real ledger.
        let written = serde_json::to_string(event).unwrap();
        let event = serde_json::from_str(&written).unwrap();
        self.events.lock().unwrap().push((event, durability));
        match self.dies == Dies::After(number) {
            true => Err(LedgerError("the process died".to_owned())),
            false => Ok(()),
        }
    }
}

/// Answers by a function of the question's number, from 0, and its context.
pub(crate) struct Script<F>(pub(crate) F, AtomicUsize);

impl<F: Fn(usize, &PlanContext) -> Result<Proposal, PlannerError> + Send + Sync> Script<F> {
    pub(crate) fn new(says: F) -> Arc<Self> {
        Arc::new(Self(says, AtomicUsize::new(0)))
    }

    pub(crate) fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<F: Fn(usize, &PlanContext) -> Result<Proposal, PlannerError> + Send + Sync> Planner for Script<F> {
    fn name(&self) -> &str {
        "script"
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        (self.0)(self.1.fetch_add(1, Ordering::SeqCst), context).map(Planned::from)
    }
}

/// Answers every question with the next of these; then nobody is there.
pub(crate) struct Answers(Mutex<Vec<String>>, pub(crate) Mutex<Vec<Question>>);

impl Answers {
    pub(crate) fn new(answers: &[&str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.iter().rev().map(|a| (*a).to_owned()).collect()), Mutex::default()))
    }

    pub(crate) fn questions(&self) -> Vec<String> {
        self.1.lock().unwrap().iter().map(|question| question.text.clone()).collect()
    }
}

#[async_trait]
impl Person for Answers {
    async fn ask(&self, question: &Question) -> Option<String> {
        self.1.lock().unwrap().push(question.clone());
        self.0.lock().unwrap().pop()
    }
}

/// The clock of a paused runtime: waiting costs nothing.
pub(crate) struct Paused(Instant);

#[async_trait]
impl Clock for Paused {
    fn now(&self) -> Millis {
        Millis(1_700_000_000_000).plus(self.0.elapsed())
    }

    async fn sleep_until(&self, until: Millis) {
        tokio::time::sleep(until - self.now()).await;
    }
}

pub(crate) fn ports(tools: Arc<Shed>, planner: Arc<dyn Planner>, ledger: Arc<Book>) -> Ports {
    let clock = Arc::new(Paused(Instant::now()));
    Ports {
        tools,
        planner,
        ledger,
        approver: Arc::new(()),
        person: None,
        observer: Arc::new(()),
        clock,
        critic: Default::default(),
        judge: None,
    }
}

/// Runs a goal to its end.
pub(crate) async fn run(tools: &Arc<Shed>, planner: Arc<dyn Planner>, budget: Budget) -> (Outcome, Arc<Book>) {
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = ports(Arc::clone(tools), planner, Arc::clone(&book));
    let outcome = Run::start(ports, "the goal", budget, Caps::default()).drive(&Cancel::new()).await.unwrap();
    (outcome, book)
}
