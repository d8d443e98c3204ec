//! Runs that are cut off at every event, and go on.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Clock, Draft, Event, Millis, Order, Outcome, PlanContext, PlanReason, Planner,
    PlannerError, Proposal, Run, RunError, State, Status, StepName, Then,
};
use toolcrib_policy::Effect;

use crate::support::{Answers, Book, Dies, Script, Shed, card, failure, ports, tool};

const SEND: &str = "mail.send";

/// Read, write, send, read in parallel, all in one tree, and one that fails before its alternative.
pub(crate) fn tools() -> Shed {
    let cards = vec![
        card("x.read", Effect::Read),
        card("x.put", Effect::Idempotent),
        card("x.broken", Effect::Read),
        card(SEND, Effect::Irreversible),
    ];
    Shed::new(cards, |call| match call.tool.tool() {
        "broken" => Err(failure("not-found", toolcrib_agent::EffectState::None)),
        _ => Ok(json!({ "text": "body" })),
    })
}

fn name(text: &str) -> StepName {
    StepName::try_from(text.to_owned()).unwrap()
}

fn tree() -> Vec<Draft> {
    let step = |step: &str, of: &str, arguments| Draft::step(&name(step), tool(of), arguments);
    vec![
        step("first", "x.read", json!({ "n": 1 })),
        Draft::goal(
            "either",
            Order::Alternatives,
            vec![
                step("broken", "x.broken", json!({})),
                step("put", "x.put", json!({ "text": { "$ref": "steps.first.text" } })),
            ],
        ),
        step("send", SEND, json!({ "text": "{{ steps.first.text }}!" })),
        Draft::goal(
            "both",
            Order::Parallel,
            vec![step("left", "x.read", json!({ "n": 2 })), step("right", SEND, json!({ "text": "right" }))],
        ),
    ]
}

/// Plans the tree once; gives up where something failed, and says why.
fn planner() -> Arc<dyn Planner> {
    Script::new(|_, context: &PlanContext| -> Result<Proposal, PlannerError> {
        Ok(match context.reason {
            PlanReason::Open => Proposal::Expand { order: Order::Sequence, then: Then::Review, children: tree() },
            PlanReason::Review => Proposal::Answer(Answer::text("all done")),
            PlanReason::Stuck => {
                let mut failed = context.state.plan().steps().filter_map(|(node, _)| match &node.status {
                    Status::Failed { why, .. } => Some(why.clone()),
                    _ => None,
                });
                Proposal::Fail(failed.next_back().unwrap_or_default())
            }
        })
    })
}

pub(crate) async fn first_life(tools: &Arc<Shed>, dies: Dies) -> (Result<Outcome, RunError>, Vec<Event>) {
    let book = Arc::new(Book::new(&[], dies));
    let mut run =
        Run::start(ports(Arc::clone(tools), planner(), Arc::clone(&book)), "g", Budget::default(), Caps::default());
    let end = run.drive(&Cancel::new()).await;
    (end, book.events())
}

async fn next_life(tools: &Arc<Shed>, events: &[Event], dies: Dies) -> (Result<Outcome, RunError>, Vec<Event>) {
    let book = Arc::new(Book::new(events, dies));
    let ports = ports(Arc::clone(tools), planner(), Arc::clone(&book));
    let mut run = Run::resume(ports, events, None).unwrap();
    let end = run.drive(&Cancel::new()).await;
    // What was recorded makes the very state that was live.
    if end.is_ok() {
        assert_eq!(&State::fold(&book.events()).unwrap(), run.state());
    }
    (end, book.events())
}

/// Each irreversible call happened once at most, and each call that was acknowledged was not made again.
fn nothing_twice(tools: &Shed, at: usize) {
    let calls = tools.calls.lock().unwrap();
    for text in ["body!", "right"] {
        let times = calls.iter().filter(|call| call.tool == tool(SEND) && call.arguments["text"] == text).count();
        assert!(times <= 1, "cut at event {at}: `{text}` was sent {times} times");
    }
}

async fn length() -> usize {
    let tools = Arc::new(tools());
    let (end, events) = first_life(&tools, Dies::Never).await;
    assert_eq!(end.unwrap().name(), "reached");
    assert_eq!(tools.count(SEND), 2);
    events.len()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_before_any_event_goes_on() {
    for at in 1..=length().await {
        let tools = Arc::new(tools());
        let (end, events) = first_life(&tools, Dies::Before(at)).await;
        assert!(matches!(end, Err(RunError::Ledger { .. })), "{at}: {end:?}");
        assert_eq!(events.len(), at - 1);
        if events.is_empty() {
            assert!(tools.called().is_empty());
            continue;
        }
        let acknowledged = accepted(&events);
        let (end, after) = next_life(&tools, &events, Dies::Never).await;
        nothing_twice(&tools, at);
        assert_acknowledged_once(&tools, &acknowledged, at);
        assert_end(&end.unwrap(), &after, at);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_after_any_event_goes_on() {
    for at in 1..length().await {
        let tools = Arc::new(tools());
        let (end, events) = first_life(&tools, Dies::After(at)).await;
        assert!(end.is_err(), "{at}");
        let acknowledged = accepted(&events);
        let (end, after) = next_life(&tools, &events, Dies::Never).await;
        nothing_twice(&tools, at);
        assert_acknowledged_once(&tools, &acknowledged, at);
        assert_end(&end.unwrap(), &after, at);
    }
}

/// Reached, or stopped before an effect that may have happened, and then it says so.
fn assert_end(outcome: &Outcome, events: &[Event], at: usize) {
    let unknown = events.iter().any(|event| {
        let written = serde_json::to_string(event).unwrap();
        event.kind.name() == "step-finished" && written.contains("\"outcome\":\"unknown\"")
    });
    match outcome {
        Outcome::Reached { .. } => assert!(!unknown, "cut at event {at}: something unknown was passed over"),
        Outcome::Failed { reason, .. } => {
            assert!(unknown && reason.contains("unknown whether the effect happened"), "cut at event {at}: {reason}");
        }
        other => panic!("cut at event {at}: {other:?}"),
    }
}

fn accepted(events: &[Event]) -> Vec<String> {
    let state = State::fold(events).unwrap();
    state.results().iter().map(|(step, record, _)| format!("{} {}", step.tool, record.arguments)).collect()
}

fn assert_acknowledged_once(tools: &Shed, acknowledged: &[String], at: usize) {
    let calls = tools.calls.lock().unwrap();
    for key in acknowledged {
        let times = calls.iter().filter(|call| format!("{} {}", call.tool, call.arguments) == *key).count();
        assert_eq!(times, 1, "cut at event {at}: {key} was accepted and made again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_dies_every_few_events_still_ends() {
    // A life long enough to get a call back: one that is cut off each time is given up after a few tries.
    for life in 8..16 {
        let tools = Arc::new(tools());
        let (mut end, mut events) = first_life(&tools, Dies::After(life)).await;
        let mut lives = 1;
        while end.is_err() {
            (end, events) = next_life(&tools, &events, Dies::After(life)).await;
            lives += 1;
            assert!(lives < 60, "{life} events a life are not enough");
        }
        nothing_twice(&tools, life);
        assert_end(&end.unwrap(), &events, life);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_during_a_call_never_makes_an_irreversible_one_again() {
    for call in 1..=6 {
        let mut shed = tools();
        shed.hang_at = Some(call);
        let tools = Arc::new(shed);
        let book = Arc::new(Book::new(&[], Dies::Never));
        let ports = ports(Arc::clone(&tools), planner(), Arc::clone(&book));
        let mut run = Run::start(ports, "g", Budget::default(), Caps::default());
        // The call has taken effect and does not come back; then the process is gone.
        let gone = tokio::time::timeout(Duration::from_secs(60), run.drive(&Cancel::new())).await;
        assert!(gone.is_err(), "{call}");
        drop(run);
        let (end, events) = next_life(&tools, &book.events(), Dies::Never).await;
        nothing_twice(&tools, call);
        assert_end(&end.unwrap(), &events, call);
    }
}

/// The events of a run that died while the second step, `mail.send`, was under way.
async fn cut_while_sending() -> (Arc<Shed>, Vec<Event>) {
    let mut shed = tools();
    shed.hang_at = Some(4);
    let tools = Arc::new(shed);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let mut run =
        Run::start(ports(Arc::clone(&tools), planner(), Arc::clone(&book)), "g", Budget::default(), Caps::default());
    assert!(tokio::time::timeout(Duration::from_secs(60), run.drive(&Cancel::new())).await.is_err());
    assert_eq!(tools.called().last().map(String::as_str), Some(SEND));
    (tools, book.events())
}

#[tokio::test(start_paused = true)]
async fn a_person_says_whether_an_unknown_effect_happened() {
    for (word, sent, outcome) in
        [("it happened", 2, "reached"), ("It did not happen", 3, "reached"), ("give up this step", 1, "failed")]
    {
        let (tools, events) = cut_while_sending().await;
        let book = Arc::new(Book::new(&events, Dies::Never));
        let person = Answers::new(&[word]);
        let mut ports = ports(Arc::clone(&tools), planner(), Arc::clone(&book));
        ports.person = Some(person.clone());
        let end = Run::resume(ports, &events, None).unwrap().drive(&Cancel::new()).await.unwrap();
        assert_eq!(end.name(), outcome, "{word}: {end:?}");
        assert_eq!(person.questions().len(), 1);
        assert!(person.questions()[0].contains("mail.send"), "{:?}", person.questions());
        assert_eq!(tools.count(SEND), sent, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_is_recorded_and_can_go_on() {
    let mut shed = tools();
    shed.takes_ms = 1_000;
    let tools = Arc::new(shed);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let mut run =
        Run::start(ports(Arc::clone(&tools), planner(), Arc::clone(&book)), "g", Budget::default(), Caps::default());
    let cancel = Cancel::new();
    let later = cancel.clone();
    let (end, ()) = tokio::join!(run.drive(&cancel), async move {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        later.cancel();
    });
    assert_eq!(end.unwrap().name(), "cancelled");
    let kinds = book.kinds();
    assert_eq!(kinds.last(), Some(&"run-finished"));
    assert!(kinds.contains(&"cancel-requested"));
    let (end, _) = next_life(&tools, &book.events(), Dies::Never).await;
    assert_eq!(end.unwrap().name(), "reached");
    nothing_twice(&tools, 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_over_stays_over() {
    let tools = Arc::new(tools());
    let (end, events) = first_life(&tools, Dies::Never).await;
    let calls = tools.called().len();
    let (again, after) = next_life(&tools, &events, Dies::Never).await;
    assert_eq!(end.unwrap(), again.unwrap());
    assert_eq!((tools.called().len(), after.len()), (calls, events.len()));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_is_refused_and_names_the_event() {
    let tools = Arc::new(tools());
    let (_, mut events) = first_life(&tools, Dies::Never).await;
    events.remove(3);
    let error = State::fold(&events).unwrap_err().to_string();
    assert!(error.starts_with("event "), "{error}");
}

/// A clock that somebody set back by a day.
struct SetBack(Arc<dyn Clock>);

const DAY_MS: u64 = 86_400_000;

#[async_trait::async_trait]
impl Clock for SetBack {
    fn now(&self) -> Millis {
        Millis(self.0.now().0 - DAY_MS)
    }

    async fn sleep_until(&self, until: Millis) {
        self.0.sleep_until(Millis(until.0 + DAY_MS)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_clock_was_set_back_by_a_day_keeps_its_deadline() {
    let book = Arc::new(Book::new(&[], Dies::After(4)));
    let first = ports(Arc::new(tools()), planner(), book.clone());
    let budget = Budget { wall_ms: 60_000, ..Budget::default() };
    let cut = Run::start(first, "all", budget, Caps::default()).drive(&Cancel::new()).await;
    assert!(matches!(cut, Err(RunError::Ledger { .. })));

    let events = book.events();
    let again = Arc::new(Book::new(&events, Dies::Never));
    let mut hanging = tools();
    hanging.hang_at = Some(1);
    let mut second = ports(Arc::new(hanging), planner(), again.clone());
    second.clock = Arc::new(SetBack(second.clock));
    let begun = tokio::time::Instant::now();
    let outcome = Run::resume(second, &events, None).unwrap().drive(&Cancel::new()).await.unwrap();
    assert!(matches!(outcome, Outcome::Budget { .. }), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
    let times: Vec<u64> = again.events().iter().map(|event| event.at.0).collect();
    assert!(times.is_sorted(), "{times:?}");
}
