//! Programs that call tools: cut off at every event, they go on and do nothing twice.

mod children;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Approver, Begun, Budget, Cancel, Caps, Draft, EffectState, Event, EventKind, InnerPath, Inside, Millis,
    NodeId, Order, Outcome, PlanContext, PlanReason, Planner, Ports, Program, Proposal, Run, RunError, State, Status,
    StepName, StepOutcome, Then, ToolCall, ToolCard, ToolFailure, ToolOutput, ToolReport, Tools, failure_of, fork,
};
use toolcrib_policy::{ApprovalScope, Effect, Label, Marks, ToolName};

use crate::approvals::{Desk, no, yes};
use crate::support::{Answers, Book, Dies, Script, Shed, card, failure, ports, tool};

const SEND: &str = "mail.send";
const RUN: &str = "code.run";

type Body = dyn Fn(Hands) -> BoxFuture<'static, Result<Value, ToolFailure>> + Send + Sync;

/// Tools of which one is a program.
struct Lab {
    shed: Arc<Shed>,
    body: Arc<Body>,
    /// How often the program was started.
    started: AtomicUsize,
}

/// What a program has of its surroundings.
#[derive(Clone)]
struct Hands {
    node: NodeId,
    of: InnerPath,
    seed: String,
    arguments: Value,
    inside: Inside,
    shed: Arc<Shed>,
    body: Arc<Body>,
    cancel: Cancel,
}

impl Hands {
    async fn call(&self, name: &str, arguments: Value) -> Result<Value, ToolFailure> {
        let (tool, shed) = (tool(name), &self.shed);
        match self.inside.begin(&self.of, &tool, &arguments).await {
            Begun::Over { outcome, .. } => failure_of(outcome).map(|output| output.value()),
            Begun::Make { path, program: Some(program), .. } => {
                let hands = Hands { of: path.clone(), seed: program.seed, arguments, ..self.clone() };
                let value = (self.body)(hands).await;
                let outcome = match value.clone() {
                    Ok(value) => StepOutcome::Done { output: structured(value) },
                    Err(failure) => StepOutcome::Failed { failure },
                };
                self.inside.end(&path, outcome, Value::Null, None).await;
                value
            }
            Begun::Make { path, labels, under, approval, program: None } => {
                let effect = shed.get(&tool).map_or(Effect::Irreversible, |card| card.effect);
                let (node, inside) = (self.node, path.clone());
                let call = ToolCall {
                    node,
                    attempt: 1,
                    tool,
                    arguments,
                    effect,
                    labels,
                    under,
                    approval,
                    wall_ms: None,
                    inside,
                    program: None,
                    within: Vec::new(),
                    key: None,
                };
                let report = shed.call(call, self.cancel.clone()).await;
                let outcome = match report.outcome.clone() {
                    Ok(output) => StepOutcome::Done { output },
                    Err(failure) => StepOutcome::Failed { failure },
                };
                self.inside.end(&path, outcome, report.receipt, report.label).await;
                report.outcome.map(|output| output.value())
            }
        }
    }
}

fn structured(value: Value) -> ToolOutput {
    ToolOutput { structured: Some(value), text: String::new() }
}

#[async_trait]
impl Tools for Lab {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        self.shed.search(query, limit)
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.shed.get(name)
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        self.shed.call(call, cancel).await
    }

    fn program(&self, card: &ToolCard, _arguments: &Value) -> Option<Program> {
        let number = self.started.load(Ordering::SeqCst);
        let program = Program { clock: Millis(7), seed: format!("seed {number}"), once: false };
        (card.name == tool(RUN)).then_some(program)
    }

    async fn run(&self, call: ToolCall, cancel: Cancel, inside: Inside) -> ToolReport {
        self.started.fetch_add(1, Ordering::SeqCst);
        let hands = Hands {
            node: call.node,
            of: InnerPath::ROOT,
            seed: call.program.map(|program| program.seed).unwrap_or_default(),
            arguments: call.arguments,
            inside,
            shed: Arc::clone(&self.shed),
            body: Arc::clone(&self.body),
            cancel: cancel.clone(),
        };
        let outcome = tokio::select! {
            value = (self.body)(hands) => value.map(structured),
            () = cancel.cancelled() => Err(failure("cancelled", EffectState::Unknown)),
        };
        // By itself it has nothing doubtful; what it calls says nothing of its results.
        ToolReport { outcome, receipt: json!({ "fuel": 1 }), label: Some(Marks::default()) }
    }
}

fn shed() -> Shed {
    let cards = vec![
        card("x.read", Effect::Read),
        card("x.put", Effect::Idempotent),
        card(SEND, Effect::Irreversible),
        card(RUN, Effect::Irreversible),
    ];
    Shed::new(cards, |call| Ok(json!({ "text": format!("{}", call.arguments["n"]) })))
}

fn lab<F, R>(shed: Shed, body: F) -> Arc<Lab>
where
    F: Fn(Hands) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, ToolFailure>> + Send + 'static,
{
    let body = move |hands| -> BoxFuture<'static, _> { Box::pin(body(hands)) };
    Arc::new(Lab { shed: Arc::new(shed), body: Arc::new(body), started: AtomicUsize::new(0) })
}

/// Reads, sends, runs a program that writes and sends, reads again. What it sends is made of chance and of what it read.
async fn letter(hands: Hands) -> Result<Value, ToolFailure> {
    let seed = &hands.seed;
    if hands.arguments["inner"] == true {
        let put = hands.call("x.put", json!({ "n": seed })).await?;
        hands.call(SEND, json!({ "text": "inner", "n": put["text"] })).await?;
        return Ok(json!({ "put": put }));
    }
    let first = hands.call("x.read", json!({ "n": 1 })).await?;
    hands.call(SEND, json!({ "text": "outer", "n": first["text"], "seed": seed })).await?;
    let inner = hands.call(RUN, json!({ "inner": true })).await?;
    let last = hands.call("x.read", json!({ "n": 2 })).await?;
    Ok(json!({ "seed": seed, "inner": inner, "last": last }))
}

/// One program, then the end; gives up where it failed.
fn planner(times: usize) -> Arc<dyn Planner> {
    Script::new(move |_, context: &PlanContext| {
        let step = |number: usize| {
            let name = StepName::try_from(format!("run{number}")).unwrap();
            Draft::step(&name, tool(RUN), json!({ "code": format!("program {number}") }))
        };
        let steps = || (0..times).map(step).collect();
        Ok(match context.reason {
            PlanReason::Open => Proposal::Expand { order: Order::Sequence, then: Then::Review, children: steps() },
            PlanReason::Review => Proposal::Answer(Answer::text("done")),
            PlanReason::Stuck => {
                let why = context.state.plan().steps().find_map(|(node, _)| match &node.status {
                    Status::Failed { why, .. } => Some(why.clone()),
                    _ => None,
                });
                Proposal::Fail(why.unwrap_or_default())
            }
        })
    })
}

fn ports_of(lab: &Arc<Lab>, book: &Arc<Book>) -> Ports {
    let tools: Arc<dyn Tools> = Arc::<Lab>::clone(lab);
    Ports { tools, ..ports(Arc::clone(&lab.shed), planner(1), Arc::clone(book)) }
}

async fn first_life(lab: &Arc<Lab>, dies: Dies) -> (Result<Outcome, RunError>, Vec<Event>) {
    let book = Arc::new(Book::new(&[], dies));
    let mut run = Run::start(ports_of(lab, &book), "g", Budget::default(), Caps::default());
    (run.drive(&Cancel::new()).await, book.events())
}

async fn next_life(lab: &Arc<Lab>, events: &[Event], with: impl FnOnce(&mut Ports)) -> (Outcome, Vec<Event>) {
    next_budget(lab, events, None, with).await
}

async fn next_budget(
    lab: &Arc<Lab>,
    events: &[Event],
    budget: Option<Budget>,
    with: impl FnOnce(&mut Ports),
) -> (Outcome, Vec<Event>) {
    let book = Arc::new(Book::new(events, Dies::Never));
    let mut ports = ports_of(lab, &book);
    with(&mut ports);
    let mut run = Run::resume(ports, events, budget).unwrap();
    let outcome = run.drive(&Cancel::new()).await.unwrap();
    assert_eq!(&State::fold(&book.events()).unwrap(), run.state(), "what was recorded makes another state");
    let text = serde_json::to_string(run.state()).unwrap();
    assert_eq!(&serde_json::from_str::<State>(&text).unwrap(), run.state(), "the state does not read as it is written");
    (outcome, book.events())
}

/// The inner calls that are over, as `path outcome`.
fn over(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match &event.kind {
        EventKind::InnerFinished { path, outcome, .. } => {
            Some(format!("{path} {}", serde_json::to_value(outcome).unwrap()["outcome"].as_str().unwrap()))
        }
        EventKind::InnerBlocked { path, code, .. } => Some(format!("{path} {code}")),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

fn step_outcome(events: &[Event]) -> StepOutcome {
    let found = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::StepFinished { outcome, .. } => Some(outcome.clone()),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_program_are_recorded_before_and_after() {
    let lab = lab(shed(), letter);
    let (end, events) = first_life(&lab, Dies::Never).await;
    assert_eq!(end.unwrap().name(), "reached");
    assert_eq!(lab.shed.called(), ["x.read", SEND, "x.put", SEND, "x.read"]);
    assert_eq!(over(&events), ["1 done", "2 done", "3.1 done", "3.2 done", "3 done", "4 done"]);
    let started = |path: &str| {
        events.iter().find_map(|event| match &event.kind {
            EventKind::InnerStarted { path: at, labels, program, .. } if at.to_string() == path => {
                Some((labels.get("n").copied(), program.is_some()))
            }
            _ => None,
        })
    };
    // Before it has received anything it can pass nothing on; after it, everything.
    assert_eq!(started("1"), Some((Some(Label::TRUSTED), false)));
    assert!(started("2").unwrap().0.unwrap() != Label::TRUSTED);
    assert!(started("3").unwrap().1);
    assert!(
        started("3.1").unwrap().0.unwrap() != Label::TRUSTED,
        "what its caller had received came with its arguments"
    );
    let label = events.iter().find_map(|event| match &event.kind {
        EventKind::StepFinished { label, .. } => label.as_ref().map(Marks::all),
        _ => None,
    });
    assert_eq!(label, Some(Label::UNKNOWN), "what a program gives may hold whatever it has received");
    assert_eq!(State::fold(&events).unwrap().spent().steps, 7);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_cut_at_any_event_does_nothing_twice() {
    let events = first_life(&lab(shed(), letter), Dies::Never).await.1.len();
    let mut unknown = 0;
    for dies in (1..=events).map(Dies::Before).chain((1..events).map(Dies::After)) {
        let lab = lab(shed(), letter);
        let (end, before) = first_life(&lab, dies).await;
        assert!(end.is_err(), "{dies:?}");
        if before.is_empty() {
            continue;
        }
        // Nobody waits in this life for what never comes back.
        let known = over(&before);
        let made = lab.shed.called().len();
        let (end, after) = next_life(&lab, &before, |_| {}).await;
        for text in ["outer", "inner"] {
            let times = lab.shed.calls.lock().unwrap().iter().filter(|call| call.arguments["text"] == text).count();
            assert!(times <= 1, "{dies:?}: `{text}` was sent {times} times");
        }
        let again = lab.shed.called().len() - made;
        assert!(known.len() + again <= 6 + 1, "{dies:?}: {known:?} and then {again} calls");
        match (end, step_outcome(&after)) {
            (Outcome::Reached { .. }, StepOutcome::Done { output }) => {
                let value = output.value();
                assert_eq!((&value["last"]["text"], lab.shed.count(SEND)), (&json!("2"), 2), "{dies:?}: {value}");
            }
            (Outcome::Failed { reason, .. }, StepOutcome::Unknown { why }) => {
                assert!(why.contains(SEND) && reason.contains("unknown whether"), "{dies:?}: {why}; {reason}");
                unknown += 1;
            }
            (end, outcome) => panic!("{dies:?}: {end:?} {outcome:?}"),
        }
    }
    // Each of the two was sent and its end not recorded: before the end, and after the beginning.
    assert_eq!(unknown, 4);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_something_else_the_second_time_ends_as_unknown() {
    type Other = fn(usize) -> (&'static str, Value);
    let cases: [(Other, &str); 3] = [
        (
            |life| if life == 1 { ("x.read", json!({ "n": 1 })) } else { ("x.put", json!({ "n": 1 })) },
            "is of `x.put`, and was of `x.read`",
        ),
        (|life| ("x.read", json!({ "n": life })), "its call 1, of `x.read`, has other arguments"),
        (
            |life| if life == 1 { ("x.read", json!({})) } else { ("", json!({})) },
            "it ended after 0 calls, and had made 1 before",
        ),
    ];
    for (what, said) in cases {
        let lives = Arc::new(AtomicUsize::new(0));
        let lab = lab(shed(), move |hands: Hands| {
            let life = lives.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                let (name, arguments) = what(life);
                if !name.is_empty() {
                    hands.call(name, arguments).await?;
                    hands.call(SEND, json!({ "life": life })).await?;
                }
                Ok(json!({}))
            }
        });
        // The first call is over, the second has not begun.
        let whole = first_life(&lab, Dies::Never).await.1;
        let cut = whole.iter().position(|event| event.kind.name() == "inner-finished").unwrap() + 1;
        let sent = lab.shed.called().len();
        let (end, after) = next_life(&lab, &whole[..cut], |_| {}).await;
        let StepOutcome::Unknown { why } = step_outcome(&after) else { panic!("{said}: {end:?}") };
        assert!(why.contains(said), "{why}");
        assert_eq!(lab.shed.called().len(), sent, "{said}: something was called");
        assert_eq!(end.name(), "failed", "{end:?}");
    }
}

/// A run with a desk that asks about what is sent.
async fn with_desk(lab: &Arc<Lab>, desk: Arc<dyn Approver>) -> (Outcome, Vec<Event>) {
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = Ports { approver: desk, ..ports_of(lab, &book) };
    let mut run = Run::start(ports, "g", Budget { wall_ms: 120_000, ..Budget::default() }, Caps::default());
    (run.drive(&Cancel::new()).await.unwrap(), book.events())
}

/// Reads, and sends once.
async fn note(hands: Hands) -> Result<Value, ToolFailure> {
    let read = hands.call("x.read", json!({ "n": 1 })).await?;
    hands.call(SEND, json!({ "n": read["text"] })).await
}

fn note_shed() -> Shed {
    let mut shed = shed();
    // The program itself needs nobody's word.
    shed.cards.iter_mut().filter(|card| card.name == tool(RUN)).for_each(|card| card.effect = Effect::Read);
    shed
}

#[tokio::test(start_paused = true)]
async fn a_program_that_waits_for_a_word_is_dropped_after_a_while_and_run_again() {
    for (after_secs, starts) in [(30, 1), (3_600, 2)] {
        let lab = lab(note_shed(), note);
        let (end, events) = with_desk(&lab, Desk::new(yes(ApprovalScope::Once), after_secs)).await;
        // An hour is no time of the run, which has two minutes.
        assert_eq!(end.name(), "reached", "{end:?}");
        assert_eq!(lab.started.load(Ordering::SeqCst), starts, "{after_secs}");
        assert_eq!(lab.shed.called(), ["x.read", SEND], "{after_secs}");
        let kinds: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
        assert_eq!(kinds.contains(&"step-parked"), starts == 2, "{kinds:?}");
        assert!(kinds.contains(&"approval-used"), "{kinds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_no_is_told_to_the_program_and_not_asked_again() {
    for after_secs in [30, 3_600] {
        let lab = lab(note_shed(), async |hands: Hands| {
            hands.call("x.read", json!({ "n": 1 })).await?;
            let said = hands.call(SEND, json!({})).await.unwrap_err();
            hands.call("x.read", json!({ "n": 2 })).await?;
            Ok(json!({ "code": said.code, "effect": said.effect }))
        });
        let (end, events) = with_desk(&lab, Desk::new(no(), after_secs)).await;
        assert_eq!(end.name(), "reached", "{end:?}");
        let StepOutcome::Done { output } = step_outcome(&events) else { panic!("{end:?}") };
        assert_eq!(output.value(), json!({ "code": "approval-denied", "effect": "none" }));
        assert_eq!(lab.shed.called(), ["x.read", "x.read"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_whose_run_was_stopped_goes_on_where_it_was() {
    let budget = Budget { steps: 3, ..Budget::default() };
    let lab = lab(shed(), letter);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let end = Run::start(ports_of(&lab, &book), "g", budget, Caps::default()).drive(&Cancel::new()).await.unwrap();
    assert_eq!(end.name(), "budget");
    assert_eq!(lab.shed.called(), ["x.read", SEND]);
    let (end, _) = next_budget(&lab, &book.events(), Some(Budget::default()), |_| {}).await;
    assert_eq!(end.name(), "reached", "{end:?}");
    assert_eq!(lab.shed.called(), ["x.read", SEND, "x.put", SEND, "x.read"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_program_is_run_again_and_its_reads_with_it() {
    let mut slow = shed();
    slow.takes_ms = 1_000;
    let lab = lab(slow, async |hands: Hands| {
        hands.call("x.put", json!({ "n": 1 })).await?;
        hands.call("x.read", json!({ "n": 2 })).await
    });
    let book = Arc::new(Book::new(&[], Dies::Never));
    let mut run = Run::start(ports_of(&lab, &book), "g", Budget::default(), Caps::default());
    let cancel = Cancel::new();
    let (end, ()) = tokio::join!(run.drive(&cancel), async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        cancel.cancel();
    });
    assert_eq!(end.unwrap().name(), "cancelled");
    let kinds = book.kinds();
    assert!(kinds.contains(&"step-parked") && !kinds.contains(&"step-finished"), "{kinds:?}");
    let (end, _) = next_life(&lab, &book.events(), |_| {}).await;
    assert_eq!(end.name(), "reached", "{end:?}");
    // What was done stays done; what was only read, and not to its end, is read again.
    assert_eq!(lab.shed.called(), ["x.put", "x.read", "x.read"]);
}

#[tokio::test(start_paused = true)]
async fn a_person_says_whether_a_call_inside_happened_and_the_program_goes_on() {
    for (word, sent, outcome) in
        [("it happened", 1, "reached"), ("it did not happen", 2, "reached"), ("give up this step", 1, "failed")]
    {
        let mut hung = shed();
        hung.hang_at = Some(2);
        let lab = lab(hung, async |hands: Hands| {
            note(hands.clone()).await?;
            hands.call("x.read", json!({ "n": 9 })).await
        });
        let book = Arc::new(Book::new(&[], Dies::Never));
        let mut run = Run::start(ports_of(&lab, &book), "g", Budget::default(), Caps::default());
        // It was sent, and then the process is gone.
        assert!(tokio::time::timeout(Duration::from_secs(60), run.drive(&Cancel::new())).await.is_err());
        drop(run);
        let person = Answers::new(&[word]);
        let asked = Arc::clone(&person);
        let events: Vec<Event> = book.events();
        let (end, after) = next_life(&lab, &events, |ports| ports.person = Some(asked)).await;
        let StepOutcome::Unknown { why } = after
            .iter()
            .find_map(|event| match &event.kind {
                EventKind::StepFinished { outcome, .. } => Some(outcome.clone()),
                _ => None,
            })
            .unwrap()
        else {
            panic!("{word}: {end:?}")
        };
        assert!(why.contains("its call 2, of mail.send, was under way"), "{why}");
        assert_eq!(end.name(), outcome, "{word}: {end:?} {:?}", person.questions());
        assert_eq!(lab.shed.count(SEND), sent, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_very_same_call_that_cannot_be_taken_back_is_not_made_by_two_programs() {
    let lab = lab(shed(), async |hands: Hands| {
        let said = hands.call(SEND, json!({ "n": 1 })).await;
        Ok(json!({ "code": said.err().map(|failure| failure.code) }))
    });
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = Ports { planner: planner(2), ..ports_of(&lab, &book) };
    let end = Run::start(ports, "g", Budget::default(), Caps::default()).drive(&Cancel::new()).await.unwrap();
    assert_eq!(end.name(), "reached");
    assert_eq!(lab.shed.count(SEND), 1);
    assert_eq!(over(&book.events()), ["1 done", "1 denied"]);
}

#[tokio::test(start_paused = true)]
async fn calls_nest_four_deep() {
    let lab = lab(shed(), async |hands: Hands| {
        let depth = hands.of.depth();
        match hands.call(RUN, json!({ "depth": depth })).await {
            Ok(value) => Ok(value),
            Err(failure) => Ok(json!({ "depth": depth, "said": failure.message })),
        }
    });
    let (end, events) = first_life(&lab, Dies::Never).await;
    assert_eq!(end.unwrap().name(), "reached");
    let StepOutcome::Done { output } = step_outcome(&events) else { panic!("no result") };
    assert_eq!(output.value()["depth"], 4);
    assert!(output.value()["said"].as_str().unwrap().contains("at most 4 deep"));
    assert_eq!(over(&events)[0], "1.1.1.1.1 denied");
}

#[tokio::test(start_paused = true)]
async fn a_fork_of_a_parked_program_answers_from_what_it_copied() {
    let budget = Budget { steps: 3, ..Budget::default() };
    let lab = lab(shed(), letter);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ended = Run::start(ports_of(&lab, &book), "g", budget, Caps::default()).drive(&Cancel::new()).await.unwrap();
    assert_eq!(ended.name(), "budget");
    let events = book.events();
    let parked = events.iter().position(|event| event.kind.name() == "step-parked").unwrap() + 1;
    let forked = fork(&events, parked, "r1", parked as u64, Millis(0), false).unwrap();
    assert!(forked.made.is_empty(), "{:?}", forked.made);
    let (end, _) = next_budget(&lab, &forked.events, Some(Budget::default()), |_| {}).await;
    assert_eq!(end.name(), "reached", "{end:?}");
    assert_eq!(lab.shed.called(), ["x.read", SEND, "x.put", SEND, "x.read"]);
    // A fork from before it does not send again what the other run has sent.
    let asked = events.iter().position(|event| event.kind.name() == "step-started").unwrap();
    let early = fork(&events, asked, "r1", asked as u64, Millis(0), false).unwrap();
    assert!(early.made.iter().any(|made| made.tool == tool(SEND)), "{:?}", early.made);
}
