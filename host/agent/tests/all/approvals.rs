//! Calls that need a person's word: one step waits, the others go on, and what was answered survives the process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use toolcrib_agent::{
    Answer, Approver, Budget, Cancel, Caps, Command, Draft, DraftStep, Durability, EffectState, Event, EventKind, Gate,
    Intent, Order, Outcome, PlanContext, PlanReason, Planner, Proposal, Run, State, StepOutcome, Then,
};
use toolcrib_model::Usage;
use toolcrib_policy::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, ApprovalScope, Approvals, BoundCall, Digest, Effect, Integrity,
    Otherwise,
};

use crate::support::{Book, Dies, Script, Shed, card, ports, tool};

/// Asks about every irreversible call, and says the same about each after a while.
pub(crate) struct Desk {
    says: ApprovalAnswer,
    after: Duration,
    known: Mutex<Approvals>,
    seen: Mutex<Vec<(String, Integrity)>>,
}

impl Desk {
    pub(crate) fn new(says: ApprovalAnswer, after_secs: u64) -> Arc<Self> {
        let after = Duration::from_secs(after_secs);
        Arc::new(Self { says, after, known: Mutex::default(), seen: Mutex::default() })
    }
}

pub(crate) fn yes(scope: ApprovalScope) -> ApprovalAnswer {
    ApprovalAnswer::Approved { scope, any: BTreeSet::new(), by: "ada at the terminal".to_owned() }
}

pub(crate) fn no() -> ApprovalAnswer {
    ApprovalAnswer::Denied { by: "ada at the terminal".to_owned(), reason: Some("not today".to_owned()) }
}

#[async_trait]
impl Approver for Desk {
    fn gate(&self, intent: &Intent<'_>) -> Gate {
        let labels = &intent.call.labels;
        let worst = labels.values().map(|label| label.integrity).max().unwrap_or_default();
        self.seen.lock().unwrap().push((intent.call.tool.to_string(), worst));
        if intent.call.effect != Effect::Irreversible {
            return Gate::Go { approval: None };
        }
        let plugin = Digest::of(b"x");
        let call = BoundCall { plugin, tool: intent.call.tool.clone(), arguments: intent.call.arguments.clone() };
        let mut known = self.known.lock().unwrap();
        if let Some(id) = known.covering("r", 0, &call).cloned() {
            known.used(&id);
            return Gate::Go { approval: Some(id) };
        }
        let (call_of, path) = (intent.call, &intent.call.inside);
        let place = format!("r/{}.{path}/{}/{}", call_of.node, call_of.attempt, intent.asked);
        Gate::Ask(Box::new(ApprovalRequest {
            id: ApprovalId::of(&place, &call),
            call,
            effect: intent.call.effect.clone(),
            rule: "sending".to_owned(),
            because: None,
            expires: u64::MAX,
            otherwise: Otherwise::Deny,
        }))
    }

    async fn answer(&self, request: &ApprovalRequest) -> ApprovalAnswer {
        tokio::time::sleep(self.after).await;
        let mut known = self.known.lock().unwrap();
        known.asked("r", 0, request.clone());
        known.answered(&request.id, 0, self.says.clone());
        self.says.clone()
    }
}

fn shed() -> Arc<Shed> {
    let cards = vec![card("x.read", Effect::Read), card("x.send", Effect::Irreversible)];
    Arc::new(Shed::new(cards, |call| Ok(json!({ "n": call.arguments["n"] }))))
}

fn step(of: &str, n: serde_json::Value) -> Draft {
    Draft::Step(DraftStep { arguments: json!({ "n": n }), ..DraftStep::of(tool(of)) })
}

fn once(order: Order, children: Vec<Draft>) -> Arc<dyn Planner> {
    Script::new(move |_, context: &PlanContext| match context.reason {
        PlanReason::Open => Ok(Proposal::Expand { order, then: Then::Review, children: children.clone() }),
        PlanReason::Review => Ok(Proposal::Answer(Answer::text("reached"))),
        PlanReason::Stuck => Ok(Proposal::Fail("stuck".to_owned())),
    })
}

struct Ran {
    outcome: Outcome,
    book: Arc<Book>,
    state: State,
}

async fn run(tools: &Arc<Shed>, planner: Arc<dyn Planner>, desk: &Arc<Desk>, budget: Budget) -> Ran {
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = toolcrib_agent::Ports { approver: desk.clone(), ..ports(tools.clone(), planner, book.clone()) };
    let mut run = Run::start(ports, "the goal", budget, Caps::default());
    let outcome = run.drive(&Cancel::new()).await.unwrap();
    Ran { outcome, book, state: run.state().clone() }
}

#[tokio::test(start_paused = true)]
async fn a_yes_is_recorded_before_the_call_and_used_for_it() {
    let (tools, desk) = (shed(), Desk::new(yes(ApprovalScope::Once), 5));
    let ran = run(&tools, once(Order::Sequence, vec![step("x.send", json!(1))]), &desk, Budget::default()).await;
    assert_eq!((ran.outcome.name(), tools.count("x.send")), ("reached", 1));
    insta::assert_snapshot!(ran.book.kinds().join(" "), @"run-started plan-asked expanded approval-asked approval-answered approval-used step-started step-finished judged plan-asked goal-reached run-finished");
    let durable = ran.book.durability(|kind| {
        matches!(
            kind,
            EventKind::ApprovalAnswered { .. } | EventKind::ApprovalUsed { .. } | EventKind::StepStarted { .. }
        )
    });
    assert_eq!(durable, [Durability::Power; 3]);
}

#[tokio::test(start_paused = true)]
async fn only_the_step_that_asks_waits() {
    let (tools, desk) = (shed(), Desk::new(yes(ApprovalScope::Once), 60));
    let children = vec![step("x.send", json!(1)), step("x.read", json!(2)), step("x.read", json!(3))];
    let ran = run(&tools, once(Order::Parallel, children), &desk, Budget::default()).await;
    assert_eq!(ran.outcome.name(), "reached");
    assert_eq!(tools.called(), ["x.read", "x.read", "x.send"]);
}

#[tokio::test(start_paused = true)]
async fn a_no_refuses_the_call_and_says_who_and_why() {
    let (tools, desk) = (shed(), Desk::new(no(), 1));
    let ran = run(&tools, once(Order::Sequence, vec![step("x.send", json!(1))]), &desk, Budget::default()).await;
    assert_eq!((ran.outcome.name(), tools.count("x.send")), ("refused", 0));
    let (node, _) = ran.state.plan().steps().next().unwrap();
    let record = ran.state.record(node.id).unwrap();
    insta::assert_snapshot!(record.why, @"approval-denied: ada at the terminal said no to the call of `x.send` that rule `sending` asks about: not today");
    assert!(!record.has_touched());
}

#[tokio::test(start_paused = true)]
async fn a_no_is_not_walked_around_by_an_alternative() {
    let (tools, desk) = (shed(), Desk::new(no(), 1));
    let children = vec![step("x.send", json!(1)), step("x.read", json!(1))];
    let ran = run(&tools, once(Order::Alternatives, children), &desk, Budget::default()).await;
    assert_eq!((ran.outcome.name(), tools.called().len()), ("refused", 0));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_person_is_not_the_run_s_time() {
    let (tools, desk) = (shed(), Desk::new(yes(ApprovalScope::Once), 7_200));
    let budget = Budget { wall_ms: 60_000, ..Budget::default() };
    let ran = run(&tools, once(Order::Sequence, vec![step("x.send", json!(1))]), &desk, budget).await;
    assert_eq!(ran.outcome.name(), "reached");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_hangs_beside_the_question_still_meets_the_budget() {
    let mut shed =
        Shed::new(vec![card("x.read", Effect::Read), card("x.send", Effect::Irreversible)], |_| Ok(json!({})));
    shed.takes_ms = 600_000;
    let (tools, desk) = (Arc::new(shed), Desk::new(yes(ApprovalScope::Once), 7_200));
    let budget = Budget { wall_ms: 60_000, ..Budget::default() };
    let children = vec![step("x.send", json!(1)), step("x.read", json!(2))];
    let ran = run(&tools, once(Order::Parallel, children), &desk, budget).await;
    assert_eq!((ran.outcome.name(), tools.count("x.send")), ("budget", 0));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_attends_ends_with_the_question_open_and_goes_on_once_it_is_answered() {
    let (tools, desk) = (shed(), Desk::new(ApprovalAnswer::Nobody, 0));
    let planner = once(Order::Sequence, vec![step("x.send", json!(1))]);
    let ran = run(&tools, planner.clone(), &desk, Budget::default()).await;
    let Outcome::Asked { question, .. } = &ran.outcome else { panic!("{:?}", ran.outcome) };
    assert!(question.text.contains("may `x.send` be called?"), "{}", question.text);
    assert_eq!(tools.count("x.send"), 0);

    // A person answers while no process drives the run.
    let (node, _) = ran.state.plan().steps().next().unwrap();
    let request = ran.state.approval(node.id).unwrap().clone();
    let answered =
        EventKind::ApprovalAnswered { node: node.id, id: request.id.clone(), answer: yes(ApprovalScope::Once) };
    let mut events: Vec<Event> = ran.book.events();
    events.push(answered.at(ran.state.now()));
    desk.known.lock().unwrap().asked("r", 0, request.clone());
    desk.known.lock().unwrap().answered(&request.id, 0, yes(ApprovalScope::Once));

    let book = Arc::new(Book::new(&events, Dies::Never));
    let ports = toolcrib_agent::Ports { approver: desk.clone(), ..ports(tools.clone(), planner, book.clone()) };
    let outcome = Run::resume(ports, &events, None).unwrap().drive(&Cancel::new()).await.unwrap();
    assert_eq!((outcome.name(), tools.count("x.send")), ("reached", 1));
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "approval-asked").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_at_any_point_neither_loses_nor_repeats_anything() {
    for at in 1..=11 {
        for dies in [Dies::Before(at), Dies::After(at)] {
            let (tools, desk) = (shed(), Desk::new(yes(ApprovalScope::Once), 1));
            let planner = once(Order::Sequence, vec![step("x.send", json!(1))]);
            let book = Arc::new(Book::new(&[], dies));
            let with = |book: &Arc<Book>| toolcrib_agent::Ports {
                approver: desk.clone(),
                ..ports(tools.clone(), planner.clone(), book.clone())
            };
            let first =
                Run::start(with(&book), "the goal", Budget::default(), Caps::default()).drive(&Cancel::new()).await;
            assert!(first.is_err(), "{dies:?}");
            let events = book.events();
            if events.is_empty() {
                continue;
            }
            let again = Arc::new(Book::new(&events, Dies::Never));
            let outcome = Run::resume(with(&again), &events, None).unwrap().drive(&Cancel::new()).await.unwrap();
            let sent = tools.count("x.send");
            // Where the process died between intent and outcome, nobody can tell: it is asked about, and not repeated.
            let cut_off = events.last().is_some_and(|event| event.kind.name() == "step-started");
            let right = if cut_off { outcome.name() == "failed" } else { outcome.name() == "reached" && sent == 1 };
            assert!(sent <= 1 && right, "{dies:?}: {outcome:?}, {sent} sent");
            assert!(State::fold(&again.events()).is_ok());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_the_run_outlives_is_taken_back() {
    let (tools, desk) = (shed(), Desk::new(ApprovalAnswer::Nobody, 0));
    let ran = run(&tools, once(Order::Sequence, vec![step("x.send", json!(1))]), &desk, Budget::default()).await;
    let mut events = ran.book.events();
    assert_eq!(events.pop().unwrap().kind.name(), "run-finished");
    let mut state = State::fold(&events).unwrap();
    let asked = state.approval(ran.state.plan().steps().next().unwrap().0.id).unwrap().id.clone();
    let gone = EventKind::GoalFailed {
        node: toolcrib_agent::NodeId::ROOT,
        why: "given up".to_owned(),
        usage: Usage::default(),
    };
    state.apply(&gone.at(state.now())).unwrap();
    let Some(Command::Record(kind)) = state.decide().pop() else { panic!("{:?}", state.decide()) };
    assert!(matches!(&kind, EventKind::ApprovalAnswered { id, answer: ApprovalAnswer::Withdrawn, .. } if *id == asked));
    state.apply(&kind.at(state.now())).unwrap();
    assert!(matches!(state.decide().pop(), Some(Command::Finish { .. })));
}

#[tokio::test(start_paused = true)]
async fn arguments_that_refer_to_results_or_were_planned_after_them_are_untrusted() {
    let (tools, desk) = (shed(), Desk::new(yes(ApprovalScope::Run), 0));
    let planner = Script::new(|asked, _: &PlanContext| match asked {
        0 => Ok(Proposal::Expand {
            order: Order::Sequence,
            then: Then::Review,
            children: vec![
                Draft::step(&"one".to_owned().try_into().unwrap(), tool("x.read"), json!({ "n": 1 })),
                step("x.send", json!({ "$ref": "steps.one.n" })),
                step("x.read", json!(2)),
            ],
        }),
        1 => Ok(Proposal::Expand {
            order: Order::Sequence,
            then: Then::Review,
            children: vec![step("x.read", json!(3))],
        }),
        _ => Ok(Proposal::Answer(Answer::text("reached"))),
    });
    let ran = run(&tools, planner, &desk, Budget::default()).await;
    assert_eq!(ran.outcome.name(), "reached");
    let mut seen = desk.seen.lock().unwrap().clone();
    seen.dedup();
    let labels: Vec<_> = seen.iter().map(|(tool, integrity)| format!("{tool} {integrity:?}")).collect();
    assert_eq!(labels, ["x.read Trusted", "x.send Untrusted", "x.read Trusted", "x.read Untrusted"]);
    let started = ran.book.events().into_iter().filter_map(|event| match event.kind {
        EventKind::StepStarted { tool, labels, .. } => Some((tool.to_string(), labels.len())),
        _ => None,
    });
    assert!(started.into_iter().all(|(_, labels)| labels == 1));
}

#[test]
fn the_events_read_back_as_they_were_written() {
    let call = BoundCall { plugin: Digest::of(b"x"), tool: tool("x.send"), arguments: json!({ "n": 1 }) };
    let id = ApprovalId::of("r", &call);
    let node = toolcrib_agent::NodeId(3);
    let answers =
        [yes(ApprovalScope::Until(1_800_000_000_000)), no(), ApprovalAnswer::Nobody, ApprovalAnswer::Withdrawn];
    for answer in answers {
        let event = EventKind::ApprovalAnswered { node, id: id.clone(), answer }.at(toolcrib_agent::Millis(7));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
    }
    let failed = StepOutcome::Failed { failure: crate::support::failure("approval-denied", EffectState::None) };
    assert!(matches!(failed, StepOutcome::Failed { failure } if failure.is_refusal()));
}
