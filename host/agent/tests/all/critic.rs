//! The critic in whole runs: what is made up, what is read back, what is taken back, what a judge can and cannot do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::critic::{Judge, JudgeError, Opinion, Review, ReviewContext};
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Check, Draft, DraftStep, EffectState, Event, EventKind, Expectation, Order, Outcome,
    PlanContext, PlanReason, Planner, PlannerError, Proposal, Run, State, StepName, Then,
};
use toolcrib_model::Usage;
use toolcrib_policy::{CriticMode, CriticSettings, Effect, Ungrounded};

use crate::support::{Answers, Book, Dies, Script, Shed, card, failure, ports, tool};

fn step(name: &str, of: &str, arguments: Value) -> Draft {
    Draft::step(&StepName::try_from(name.to_owned()).unwrap(), tool(of), arguments)
}

fn checked(name: &str, of: &str, arguments: Value, holds: &str) -> Draft {
    let expect = vec![Expectation::Holds(holds.to_owned())];
    let check = Check { tool: tool("x.get"), arguments: json!({ "at": { "$ref": "arguments.at" } }), expect };
    match step(name, of, arguments) {
        Draft::Step(step) => Draft::Step(DraftStep { check: Some(Box::new(check)), ..step }),
        other => other,
    }
}

/// Plans this once, answers when it is reached, and says why it is stuck.
fn once(order: Order, children: Vec<Draft>) -> Arc<dyn Planner> {
    Script::new(move |_, context: &PlanContext| -> Result<Proposal, PlannerError> {
        Ok(match context.reason {
            PlanReason::Open => Proposal::Expand { order, then: Then::Close, children: children.clone() },
            PlanReason::Review => Proposal::Answer(Answer::text("reached")),
            PlanReason::Stuck => Proposal::Fail("stuck".to_owned()),
        })
    })
}

struct World {
    tools: Arc<Shed>,
    planner: Arc<dyn Planner>,
    critic: CriticSettings,
    judge: Option<Arc<dyn Judge>>,
    answers: Vec<&'static str>,
}

impl World {
    fn new(tools: Shed, planner: Arc<dyn Planner>) -> Self {
        Self { tools: Arc::new(tools), planner, critic: CriticSettings::default(), judge: None, answers: Vec::new() }
    }

    fn judged_by(mut self, judge: Arc<dyn Judge>) -> Self {
        self.critic = CriticSettings { mode: CriticMode::All, judge: Some("j".to_owned()), ..self.critic };
        self.judge = Some(judge);
        self
    }

    async fn run(&self, goal: &str) -> (Outcome, Vec<Event>) {
        let (end, events) = self.live(goal, &[], Dies::Never).await;
        (end.unwrap(), events)
    }

    async fn live(&self, goal: &str, before: &[Event], dies: Dies) -> (Result<Outcome, String>, Vec<Event>) {
        let book = Arc::new(Book::new(before, dies));
        let mut ports = ports(Arc::clone(&self.tools), Arc::clone(&self.planner), Arc::clone(&book));
        (ports.critic, ports.judge) = (self.critic.clone(), self.judge.clone());
        if !self.answers.is_empty() {
            ports.person = Some(Answers::new(&self.answers));
        }
        let mut run = match before.is_empty() {
            true => Run::start(ports, goal, Budget::default(), Caps::default()),
            false => Run::resume(ports, before, None).unwrap(),
        };
        let end = run.drive(&Cancel::new()).await.map_err(|error| error.to_string());
        if end.is_ok() {
            assert_eq!(&State::fold(&book.events()).unwrap(), run.state());
        }
        (end, book.events())
    }
}

fn names(events: &[Event], wanted: &[&str]) -> String {
    events.iter().map(|event| event.kind.name()).filter(|name| wanted.contains(name)).collect::<Vec<_>>().join(" ")
}

// What is made up.

fn mail() -> Shed {
    let cards = vec![card("x.look", Effect::Read), card("x.send", Effect::Irreversible)];
    Shed::new(cards, |call| match call.tool.tool() {
        "look" => Ok(json!({ "mail": "bob@example.com", "total": 120 })),
        _ => Ok(json!({ "sent": true })),
    })
}

/// Sends to somebody who stands nowhere; told of it, looks the address up.
fn hasty() -> Arc<dyn Planner> {
    Script::new(|asked, context: &PlanContext| -> Result<Proposal, PlannerError> {
        let expand = |children| Proposal::Expand { order: Order::Sequence, then: Then::Close, children };
        Ok(match (asked, context.reason) {
            (0, _) => expand(vec![step("send", "x.send", json!({ "to": "bob@exemple.com", "total": 120 }))]),
            (_, PlanReason::Stuck) => expand(vec![
                step("look", "x.look", json!({})),
                step("send2", "x.send", json!({ "to": { "$ref": "steps.look.mail" }, "total": 120 })),
            ]),
            _ => Proposal::Answer(Answer::text("sent")),
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_call_with_something_made_up_goes_back_to_the_planner_before_it_is_made() {
    let world = World::new(mail(), hasty());
    let (outcome, events) = world.run("send bob his total of 120").await;
    assert_eq!(outcome.name(), "reached");
    assert_eq!(world.tools.called(), ["x.look", "x.send"]);
    let made_up = events.iter().find_map(|event| match &event.kind {
        EventKind::Ungrounded { missing, then, .. } => Some((missing.clone(), *then)),
        _ => None,
    });
    let (missing, then) = made_up.unwrap();
    assert_eq!((missing[0].text.as_str(), missing[0].at.as_str(), missing.len()), ("bob@exemple.com", "/to", 1));
    assert_eq!(then, toolcrib_agent::Unfounded::Replan);
}

#[tokio::test(start_paused = true)]
async fn a_person_can_let_it_through_or_not() {
    for (word, sent) in [("make the call", 1), ("give up this step", 0)] {
        let planner = once(Order::Sequence, vec![step("send", "x.send", json!({ "to": "zoe@example.org" }))]);
        let mut world = World::new(mail(), planner);
        world.critic.ungrounded = Ungrounded::Ask;
        world.answers = vec![word];
        let (outcome, _) = world.run("tell everybody").await;
        assert_eq!(world.tools.count("x.send"), sent, "{word}");
        assert_eq!(outcome.name(), if sent == 1 { "reached" } else { "failed" });
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_with_something_made_up_costs_score_only_and_a_plan_of_a_person_is_grounded() {
    let read = vec![step("look", "x.look", json!({ "id": "QX-77-Z" }))];
    let world = World::new(mail(), once(Order::Sequence, read.clone()));
    let (outcome, events) = world.run("look").await;
    assert_eq!(outcome.name(), "reached");
    let scores = events.iter().find_map(|event| match &event.kind {
        EventKind::Judged { scores, .. } => *scores,
        _ => None,
    });
    assert_eq!(scores.unwrap().grounding, 0);

    let tools = Arc::new(mail());
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = ports(Arc::clone(&tools), once(Order::Sequence, Vec::new()), Arc::clone(&book));
    let given = Draft::Step(DraftStep {
        name: StepName::try_from("send".to_owned()).ok(),
        effect: Some(Effect::Irreversible),
        arguments: json!({ "to": "zoe@example.org" }),
        ..DraftStep::of(tool("x.send"))
    });
    let mut run = Run::given(ports, "g", Budget::default(), Caps::default(), vec![given]);
    assert_eq!(run.drive(&Cancel::new()).await.unwrap().name(), "reached");
    assert_eq!((tools.count("x.send"), names(&book.events(), &["ungrounded"])), (1, String::new()));
}

// What is read back.

/// A store that loses the first write of all.
fn forgetful() -> Shed {
    let cards =
        vec![card("x.put", Effect::Idempotent), card("x.get", Effect::Read), card("x.send", Effect::Irreversible)];
    let puts = AtomicUsize::new(0);
    Shed::new(cards, move |call| match call.tool.tool() {
        "put" => {
            puts.fetch_add(1, Ordering::SeqCst);
            Ok(json!({ "written": true }))
        }
        "get" if puts.load(Ordering::SeqCst) > 1 => Ok(json!({ "text": "body" })),
        "get" => Ok(json!({ "text": "" })),
        _ => Ok(json!({})),
    })
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_read_back_and_written_again_where_it_is_not_there() {
    let plan = vec![
        checked("put", "x.put", json!({ "at": "a", "text": "body" }), "result.text == arguments.text"),
        step("send", "x.send", json!({ "text": "{{ has(steps.put) }}" })),
    ];
    let world = World::new(forgetful(), once(Order::Sequence, plan));
    let (outcome, events) = world.run("put body at a").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert_eq!(world.tools.called(), ["x.put", "x.get", "x.put", "x.get", "x.send"]);
    let state = State::fold(&events).unwrap();
    assert_eq!(state.results().len(), 2, "a check is no result");
    let scores = state.results()[0].1.scores.unwrap();
    assert_eq!(scores.coherence, 100);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_would_change_something_is_not_made() {
    let expect = vec![Expectation::Exists("x".to_owned())];
    let Draft::Step(put) = step("put", "x.put", json!({ "at": "a" })) else { panic!("a step") };
    let check = Some(Box::new(Check { tool: tool("x.send"), arguments: json!({}), expect }));
    let world = World::new(forgetful(), once(Order::Sequence, vec![Draft::Step(DraftStep { check, ..put })]));
    let (outcome, events) = world.run("put at a").await;
    assert_eq!((outcome.name(), world.tools.count("x.send")), ("reached", 0));
    let written = serde_json::to_string(&events).unwrap();
    assert!(written.contains("not checked: a check only reads, and a call of `x.send` is irreversible"), "{written}");
}

// What is taken back.

/// A shelf: `add` puts something there and `take` takes it away; `broken` fails.
fn shelf() -> Shed {
    let mut take = card("x.take", Effect::Idempotent);
    take.input_schema = json!({ "type": "object", "properties": { "id": {} }, "required": ["id"] });
    let cards = vec![
        card("x.add", Effect::Reversible { undo: "take".to_owned() }),
        card("x.glue", Effect::Irreversible),
        card("x.broken", Effect::Read),
        card("x.read", Effect::Read),
        take,
    ];
    Shed::new(cards, |call| match call.tool.tool() {
        "broken" => Err(failure("not-found", EffectState::None)),
        "add" => Ok(json!({ "id": format!("id-{}", call.arguments["n"]) })),
        _ => Ok(json!({ "ok": true })),
    })
}

fn two_ways(first: Vec<Draft>) -> Arc<dyn Planner> {
    let second = Draft::goal("second", Order::Sequence, vec![step("other", "x.add", json!({ "n": 1 }))]);
    once(Order::Alternatives, vec![Draft::goal("first", Order::Sequence, first), second])
}

#[tokio::test(start_paused = true)]
async fn backtracking_takes_back_what_can_be_taken_back_the_last_first() {
    let first = vec![
        step("a", "x.add", json!({ "n": 1 })),
        step("b", "x.add", json!({ "n": 2 })),
        step("c", "x.broken", json!({})),
    ];
    let world = World::new(shelf(), two_ways(first));
    let (outcome, events) = world.run("1 and 2").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert_eq!(world.tools.called(), ["x.add", "x.add", "x.broken", "x.take", "x.take", "x.add"]);
    let taken: Vec<_> = world
        .tools
        .calls
        .lock()
        .unwrap()
        .iter()
        .filter(|call| call.tool == tool("x.take"))
        .map(|call| call.arguments["id"].clone())
        .collect();
    assert_eq!(taken, ["id-2", "id-1"]);
    assert_eq!(names(&events, &["undoing", "backtracked"]), "undoing undoing backtracked");
    let state = State::fold(&events).unwrap();
    assert_eq!(state.results().len(), 1, "what was taken back is no result");
}

#[tokio::test(start_paused = true)]
async fn backtracking_never_goes_across_what_cannot_be_taken_back() {
    let first = vec![
        step("a", "x.add", json!({ "n": 1 })),
        step("b", "x.glue", json!({ "n": 2 })),
        step("c", "x.broken", json!({})),
    ];
    let world = World::new(shelf(), two_ways(first));
    let (outcome, events) = world.run("1 and 2").await;
    assert_eq!(outcome.name(), "failed");
    assert_eq!(world.tools.called(), ["x.add", "x.glue", "x.broken"], "not even what could be is taken back");
    assert_eq!(names(&events, &["undoing", "backtracked"]), "");
    assert!(outcome.answer().unwrap().text.contains("id-1"), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_anywhere_in_an_undo_goes_on() {
    let first = || {
        vec![
            step("a", "x.add", json!({ "n": 1 })),
            step("b", "x.add", json!({ "n": 2 })),
            step("c", "x.broken", json!({})),
        ]
    };
    let whole = World::new(shelf(), two_ways(first())).run("1 and 2").await.1.len();
    for at in 2..whole {
        for dies in [Dies::Before(at), Dies::After(at)] {
            let world = World::new(shelf(), two_ways(first()));
            let (_, before) = world.live("1 and 2", &[], dies).await;
            let (end, events) = world.live("1 and 2", &before, Dies::Never).await;
            let end = end.unwrap();
            // What stands on the shelf at the end, however often a call was made.
            let mut standing: Vec<Value> = Vec::new();
            for call in world.tools.calls.lock().unwrap().iter() {
                match call.tool.tool() {
                    "add" => {
                        let id = json!(format!("id-{}", call.arguments["n"]));
                        assert!(!standing.contains(&id), "{dies:?}: {id} is added twice");
                        standing.push(id);
                    }
                    "take" => standing.retain(|id| *id != call.arguments["id"]),
                    _ => {}
                }
            }
            let unknown = serde_json::to_string(&events).unwrap().contains("\"outcome\":\"unknown\"");
            match end.name() {
                "reached" => assert_eq!(standing, ["id-1"], "{dies:?}"),
                // It was cut between an effect and its outcome: nobody can tell, and it says so.
                "failed" => assert!(unknown, "{dies:?}: {end:?}"),
                other => panic!("{dies:?}: {other}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_its_undo_cannot_be_called_for_counts_as_irreversible() {
    let mut shed = shelf();
    shed.cards.retain(|card| card.name != tool("x.take"));
    let first = vec![step("a", "x.add", json!({ "n": 1 })), step("c", "x.broken", json!({}))];
    let world = World::new(shed, two_ways(first));
    let (outcome, events) = world.run("1 and 2").await;
    assert_eq!((outcome.name(), world.tools.count("x.add")), ("failed", 1));
    assert_eq!(names(&events, &["undoing", "not-undone", "backtracked"]), "not-undone");
}

// What a judge can do.

/// Says this of every result, citing the event with its outcome, or whatever it is told to.
struct Says {
    sound: bool,
    cites: Option<Vec<u64>>,
    takes_ms: u64,
    asked: AtomicUsize,
}

impl Says {
    fn new(sound: bool) -> Self {
        Self { sound, cites: None, takes_ms: 0, asked: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Judge for Says {
    fn name(&self) -> &str {
        "says"
    }

    async fn review(&self, context: &ReviewContext) -> Result<Review, JudgeError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(self.takes_ms)).await;
        let cites = self.cites.clone().unwrap_or_else(|| vec![context.state.record(context.node).unwrap().over_by]);
        Ok(Review {
            opinion: Opinion { sound: self.sound, why: "it looks odd".to_owned(), cites },
            usage: Usage::default(),
        })
    }
}

/// A source whose first answer is stale, once.
fn stale(first: i64) -> Shed {
    let cards =
        vec![card("x.read", Effect::Read), card("x.put", Effect::Idempotent), card("x.send", Effect::Irreversible)];
    let reads = AtomicUsize::new(0);
    Shed::new(cards, move |call| match call.tool.tool() {
        "read" if reads.fetch_add(1, Ordering::SeqCst) == 0 => Ok(json!({ "n": first })),
        "read" => Ok(json!({ "n": 7 })),
        _ => Ok(json!({ "ok": true })),
    })
}

fn read_put_send() -> Arc<dyn Planner> {
    once(
        Order::Sequence,
        vec![
            step("read", "x.read", json!({})),
            step("put", "x.put", json!({ "n": { "$ref": "steps.read.n" } })),
            step("send", "x.send", json!({ "n": { "$ref": "steps.read.n" } })),
        ],
    )
}

fn sent(world: &World) -> Vec<Value> {
    let calls = world.tools.calls.lock().unwrap();
    calls.iter().filter(|call| call.tool == tool("x.send")).map(|call| call.arguments["n"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_doubt_has_a_stale_read_read_again_and_what_rests_on_it_done_again() {
    let world = World::new(stale(3), read_put_send()).judged_by(Arc::new(Says { takes_ms: 50, ..Says::new(false) }));
    let (outcome, events) = world.run("g").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert_eq!(sent(&world), [7], "what cannot be taken back waited for the review");
    assert_eq!(world.tools.called(), ["x.read", "x.put", "x.read", "x.put", "x.send"]);
    assert_eq!(names(&events, &["looked-again"]), "looked-again");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_without_new_evidence_costs_calls_and_no_result() {
    let world = World::new(stale(7), read_put_send()).judged_by(Arc::new(Says::new(false)));
    let (outcome, events) = world.run("g").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert_eq!((sent(&world), world.tools.count("x.put"), world.tools.count("x.read")), (vec![json!(7)], 1, 2));
    let state = State::fold(&events).unwrap();
    assert_eq!(state.results()[0].1.scores.unwrap().coherence, 30, "the score stays low");
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_cites_nothing_of_the_step_is_no_opinion() {
    for cites in [vec![], vec![1], vec![4_711]] {
        let world = World::new(stale(3), read_put_send())
            .judged_by(Arc::new(Says { cites: Some(cites.clone()), ..Says::new(false) }));
        let (outcome, events) = world.run("g").await;
        assert_eq!((outcome.name(), world.tools.count("x.read")), ("reached", 1), "{cites:?}");
        for event in &events {
            if let EventKind::Reviewed { opinion, why, .. } = &event.kind {
                assert!(opinion.is_none() && why.starts_with("no opinion: "), "{cites:?}: {why}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reviews_run_beside_the_run_and_are_waited_for_where_they_have_to_be() {
    let judge = Arc::new(Says { takes_ms: 10_000, ..Says::new(true) });
    let world = World::new(stale(7), read_put_send()).judged_by(judge.clone());
    let (outcome, events) = world.run("g").await;
    assert_eq!((outcome.name(), judge.asked.load(Ordering::SeqCst)), ("reached", 3));
    let order = names(&events, &["step-started", "reviewed", "goal-reached"]);
    // Both reads and writes begin before the first review is there, and the send does not.
    assert_eq!(order, "step-started step-started reviewed reviewed step-started reviewed goal-reached");

    let mut world =
        World::new(stale(7), read_put_send()).judged_by(Arc::new(Says { takes_ms: 10_000, ..Says::new(true) }));
    world.critic.wait = false;
    let (_, events) = world.run("g").await;
    assert_eq!(
        names(&events, &["step-started", "reviewed", "goal-reached"]),
        "step-started step-started step-started goal-reached"
    );
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_does_not_answer_is_not_waited_for_for_ever() {
    let world =
        World::new(stale(7), read_put_send()).judged_by(Arc::new(Says { takes_ms: 3_600_000, ..Says::new(true) }));
    let begun = tokio::time::Instant::now();
    let (outcome, events) = world.run("g").await;
    assert_eq!(outcome.name(), "reached");
    assert!(begun.elapsed().as_secs() <= 180, "{:?}", begun.elapsed());
    assert!(serde_json::to_string(&events).unwrap().contains("no opinion: no answer in 60 s"));
}

#[tokio::test(start_paused = true)]
async fn a_judge_overturns_nothing_that_a_check_has_passed_whatever_the_table_says() {
    let plan = || {
        let put = checked("put", "x.put", json!({ "at": "a", "text": "body" }), "result.text == arguments.text");
        once(Order::Alternatives, vec![put, step("send", "x.send", json!({}))])
    };
    let table = vec!["coherence < 40: alternative".parse().unwrap()];
    let mut world = World::new(forgetful(), plan()).judged_by(Arc::new(Says::new(false)));
    world.critic.table = table;
    let (outcome, _) = world.run("put body at a").await;
    assert_eq!((outcome.name(), world.tools.count("x.send")), ("reached", 0));
    // The write that was lost, both with their checks, and the check once more.
    assert_eq!(world.tools.called(), ["x.put", "x.get", "x.put", "x.get", "x.get"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_worse_than_it_stood_reports_the_best() {
    let plan =
        vec![step("read", "x.read", json!({})), step("send", "x.send", json!({ "n": { "$ref": "steps.read.n" } }))];
    let mut world = World::new(stale(7), once(Order::Sequence, plan)).judged_by(Arc::new(Says::new(false)));
    // An operator who lets a judge's word alone close a way.
    world.critic.table = vec!["coherence < 40: re-plan".parse().unwrap()];
    let (outcome, _) = world.run("g").await;
    assert_eq!(outcome.name(), "failed");
    assert!(outcome.answer().unwrap().text.contains("n: 7"), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_anywhere_in_a_review_goes_on() {
    let judge: Arc<dyn Judge> = Arc::new(Says::new(false));
    let whole = World::new(stale(3), read_put_send()).judged_by(judge.clone()).run("g").await.1.len();
    for at in 2..=whole {
        let world = World::new(stale(3), read_put_send()).judged_by(judge.clone());
        let (_, before) = world.live("g", &[], Dies::Before(at)).await;
        let (end, _) = world.live("g", &before, Dies::Never).await;
        let end = end.unwrap();
        assert!(sent(&world).len() <= 1, "{at}");
        if end.name() == "reached" {
            assert_eq!(sent(&world), [7], "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fork_does_not_hold_what_was_taken_back_against_the_new_run() {
    let first = vec![step("a", "x.add", json!({ "n": 1 })), step("c", "x.broken", json!({}))];
    let (_, events) = World::new(shelf(), two_ways(first)).run("1 and 2").await;
    let begun = events.iter().position(|event| event.kind.name() == "step-started").unwrap();
    let forked = toolcrib_agent::fork(&events, begun, "r", begun as u64, toolcrib_agent::Millis(0), false).unwrap();
    let by: Vec<_> = forked.made.iter().map(|made| made.by.as_str()).collect();
    assert_eq!(by, ["other"]);
}

#[tokio::test(start_paused = true)]
async fn a_flow_can_say_how_a_step_is_checked() {
    let text = r#"
flow: put
steps:
  - step: put
    tool: x.put
    arguments: { at: a, text: body }
    check:
      tool: x.get
      arguments: { at: "{{ arguments.at }}" }
      expect: [{ holds: "result.text == arguments.text" }]
"#;
    let flow = toolcrib_agent::Flow::parse(text).unwrap();
    let world = World::new(forgetful(), once(Order::Sequence, Vec::new()));
    let patches = flow.checked(&*world.tools).unwrap();
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = ports(Arc::clone(&world.tools), once(Order::Sequence, Vec::new()), Arc::clone(&book));
    let mut run = Run::flow(ports, &flow, Budget::default(), patches, json!({}));
    assert_eq!(run.drive(&Cancel::new()).await.unwrap().name(), "reached");
    assert_eq!(world.tools.called(), ["x.put", "x.get", "x.put", "x.get"]);
    let saved = toolcrib_agent::flow::save(run.state(), "again").flow;
    assert_eq!(saved["steps"][0]["check"]["tool"], "x.get", "{saved}");

    for (wrong, why) in [
        (text.replace("expect: [{ holds", "expects: [{ holds"), "steps[0].check: `expect` is missing"),
        (text.replace("result.text ==", "steps.put =="), "steps[0].check.expect[0]"),
    ] {
        let error = toolcrib_agent::Flow::parse(&wrong).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let elsewhere = text.replace("{{ arguments.at }}", "{{ steps.nobody.at }}");
    assert!(toolcrib_agent::Flow::parse(&elsewhere).unwrap().checked(&*world.tools).is_err());
}
