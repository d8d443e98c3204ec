//! The loop: order, parallel work, alternatives, budgets, retries, repairs, and how it ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use toolcrib_agent::{
    Answer, Budget, BudgetKind, Cancel, Caps, Draft, DraftStep, Durability, EffectState, EventKind, Expectation, Order,
    Outcome, PlanContext, PlanReason, PlannerError, Proposal, Question, Run, StepName, Then, ToolFailure,
};
use toolcrib_model::Usage;
use toolcrib_policy::Effect;

use crate::support::{Answers, Book, Dies, Script, Shed, card, failure, ports, run, tool};

type Planning = Result<Proposal, PlannerError>;

fn step(of: &str, arguments: serde_json::Value) -> Draft {
    Draft::Step(DraftStep { arguments, ..DraftStep::of(tool(of)) })
}

fn named(name: &str, of: &str, arguments: serde_json::Value) -> Draft {
    Draft::step(&StepName::try_from(name.to_owned()).unwrap(), tool(of), arguments)
}

fn expand(order: Order, children: Vec<Draft>) -> Planning {
    Ok(Proposal::Expand { order, then: Then::Review, children })
}

fn answer(text: &str) -> Planning {
    Ok(Proposal::Answer(Answer::text(text)))
}

/// Tools `x.a` to `x.d` that read and answer with their argument, and `x.send`.
fn shed() -> Shed {
    let mut cards: Vec<_> = ["x.a", "x.b", "x.c", "x.d"].map(|name| card(name, Effect::Read)).to_vec();
    cards.push(card("x.send", Effect::Irreversible));
    Shed::new(cards, |call| Ok(json!({ "n": call.arguments["n"], "text": call.tool.to_string() })))
}

/// Gives this plan first, and answers when it is reached.
fn once(order: Order, children: Vec<Draft>) -> Arc<dyn toolcrib_agent::Planner> {
    Script::new(move |_, context: &PlanContext| match context.reason {
        PlanReason::Open => expand(order, children.clone()),
        PlanReason::Review => answer("reached"),
        PlanReason::Stuck => Ok(Proposal::Fail("stuck".to_owned())),
    })
}

#[tokio::test(start_paused = true)]
async fn a_planner_of_single_steps_is_a_reason_act_loop() {
    let tools = Arc::new(shed());
    let planner = Script::new(|asked, context: &PlanContext| match asked {
        0 => expand(Order::Sequence, vec![named("one", "x.a", json!({ "n": 7 }))]),
        1 => expand(Order::Sequence, vec![step("x.b", json!({ "n": { "$ref": "steps.one.n" } }))]),
        _ => answer(&format!("{} results", context.state.results().len())),
    });
    let (outcome, book) = run(&tools, planner, Budget::default()).await;
    assert_eq!(outcome, Outcome::Reached { answer: Answer::text("2 results") });
    assert_eq!(tools.calls.lock().unwrap()[1].arguments, json!({ "n": 7 }));
    insta::assert_snapshot!(book.kinds().join(" "), @"run-started plan-asked expanded ungrounded step-started step-finished judged plan-asked expanded step-started step-finished judged plan-asked goal-reached run-finished");
}

#[tokio::test(start_paused = true)]
async fn independent_steps_run_at_the_same_time_up_to_the_cap() {
    let mut shed = shed();
    shed.takes_ms = 100;
    let tools = Arc::new(shed);
    let children = (0..12).map(|n| step("x.a", json!({ "n": n }))).collect();
    let begun = tokio::time::Instant::now();
    let (outcome, _) = run(&tools, once(Order::Parallel, children), Budget::default()).await;
    assert_eq!(outcome.name(), "reached");
    assert_eq!(tools.most_at_once.load(Ordering::SeqCst), Caps::default().parallel);
    assert_eq!(begun.elapsed().as_millis(), 300);
}

#[tokio::test(start_paused = true)]
async fn an_alternative_is_tried_when_one_fails_and_the_rest_is_left_alone() {
    let cards = ["x.a", "x.b", "x.c"].map(|name| card(name, Effect::Read)).to_vec();
    let tools = Arc::new(Shed::new(cards, |call| match call.tool.tool() {
        "a" => Err(failure("not-found", EffectState::None)),
        _ => Ok(json!({ "n": 1 })),
    }));
    let children = vec![step("x.a", json!({})), step("x.b", json!({})), step("x.c", json!({}))];
    let (outcome, book) = run(&tools, once(Order::Alternatives, children), Budget::default()).await;
    assert_eq!(outcome.name(), "reached");
    assert_eq!(tools.called(), ["x.a", "x.b"]);
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "backtracked").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn alternatives_never_lead_around_something_irreversible() {
    let cards = vec![card("x.send", Effect::Irreversible), card("x.a", Effect::Read), card("x.b", Effect::Read)];
    let tools = Arc::new(Shed::new(cards, |call| match call.tool.tool() {
        "a" => Err(failure("not-found", EffectState::None)),
        _ => Ok(json!({ "n": 1 })),
    }));
    let first = Draft::goal("first", Order::Sequence, vec![step("x.send", json!({})), step("x.a", json!({}))]);
    let (outcome, _) =
        run(&tools, once(Order::Alternatives, vec![first, step("x.b", json!({}))]), Budget::default()).await;
    assert!(matches!(&outcome, Outcome::Failed { reason, .. } if reason == "stuck"), "{outcome:?}");
    assert_eq!(tools.called(), ["x.send", "x.a"]);
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again_after_a_wait_and_a_lasting_one_is_not() {
    for (code, calls) in [("unavailable", 3), ("rate-limited", 3), ("not-found", 1), ("denied", 1), ("failed", 1)] {
        let tools = Arc::new(Shed::new(vec![card("x.a", Effect::Read)], move |_| {
            Err(ToolFailure { retry_after_seconds: Some(2), ..failure(code, EffectState::None) })
        }));
        let begun = tokio::time::Instant::now();
        let (outcome, _) = run(&tools, once(Order::Sequence, vec![step("x.a", json!({}))]), Budget::default()).await;
        assert_eq!(outcome.name(), if code == "denied" { "refused" } else { "failed" });
        assert_eq!(tools.called().len(), calls, "{code}");
        assert_eq!(begun.elapsed().as_secs(), 2 * (calls as u64 - 1), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_irreversible_call_whose_effect_is_unknown_is_not_tried_again() {
    let tools = Arc::new(Shed::new(vec![card("x.send", Effect::Irreversible)], |_| {
        Err(failure("unavailable", EffectState::Unknown))
    }));
    let (outcome, _) = run(&tools, once(Order::Sequence, vec![step("x.send", json!({}))]), Budget::default()).await;
    assert_eq!(outcome.name(), "failed");
    assert_eq!(tools.called().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_planner_that_repeats_itself_is_stopped() {
    let same = Script::new(|_, _: &PlanContext| expand(Order::Sequence, vec![step("x.a", json!({ "n": 1 }))]));
    let tools = Arc::new(shed());
    let (outcome, _) = run(&tools, same.clone(), Budget::default()).await;
    assert_eq!(outcome.name(), "failed", "{outcome:?}");
    assert_eq!(tools.called().len(), Caps::default().repeats as usize);

    let sends = Script::new(|_, _: &PlanContext| expand(Order::Sequence, vec![step("x.send", json!({ "n": 1 }))]));
    let tools = Arc::new(shed());
    let (outcome, _) = run(&tools, sends, Budget::default()).await;
    assert_eq!(outcome.name(), "failed");
    assert_eq!(tools.called(), ["x.send"]);
}

#[tokio::test(start_paused = true)]
async fn a_planner_that_only_thinks_is_stopped() {
    let thinks = Script::new(|_, context: &PlanContext| {
        expand(Order::Sequence, vec![Draft::later(format!("think about {}", context.goal()))])
    });
    let (outcome, _) = run(&Arc::new(shed()), thinks.clone(), Budget::default()).await;
    assert_eq!(outcome.name(), "failed", "{outcome:?}");
    assert!(thinks.asked() <= Caps::default().stall as usize + 1, "{}", thinks.asked());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_budget_gives_what_was_reached() {
    let budget = Budget { steps: 3, ..Budget::default() };
    let children = (0..6).map(|n| step("x.a", json!({ "n": n }))).collect();
    let tools = Arc::new(shed());
    let (outcome, _) = run(&tools, once(Order::Sequence, children), budget).await;
    let Outcome::Budget { kind: BudgetKind::Steps, partial: Some(partial) } = outcome else { panic!("{outcome:?}") };
    assert!(partial.text.contains("n: 2"), "{}", partial.text);
    assert_eq!(tools.called().len(), 3);

    let mut slow = shed();
    slow.takes_ms = 1_000;
    let tools = Arc::new(slow);
    let budget = Budget { wall_ms: 2_500, ..Budget::default() };
    let children = (0..6).map(|n| step("x.a", json!({ "n": n }))).collect();
    let (outcome, book) = run(&tools, once(Order::Sequence, children), budget).await;
    assert!(matches!(&outcome, Outcome::Budget { kind: BudgetKind::Wall, partial: Some(_) }), "{outcome:?}");
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "step-started").count(), 3);
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "step-finished").count(), 3);

    let usage = Usage { input: 900, output: 200, cached: 0 };
    let costly =
        Script::new(move |_, _: &PlanContext| Err(PlannerError::Unusable { faults: vec!["?".to_owned()], usage }));
    let budget = Budget { tokens: 1_000, ..Budget::default() };
    let (outcome, _) = run(&Arc::new(shed()), costly.clone(), budget).await;
    assert_eq!(outcome, Outcome::Budget { kind: BudgetKind::Tokens, partial: None });
    assert_eq!(costly.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_budget_goes_on_with_a_new_one() {
    let tools = Arc::new(shed());
    let children: Vec<_> = (0..6).map(|n| step("x.a", json!({ "n": n }))).collect();
    let planner = once(Order::Sequence, children);
    let (outcome, book) = run(&tools, Arc::clone(&planner), Budget { steps: 3, ..Budget::default() }).await;
    assert_eq!(outcome.name(), "budget");
    let events = book.events();
    let again = Arc::new(Book::new(&events, Dies::Never));
    let mut run = Run::resume(ports(Arc::clone(&tools), planner, again), &events, Some(Budget::default())).unwrap();
    assert_eq!(run.drive(&Cancel::new()).await.unwrap().name(), "reached");
    assert_eq!(tools.called().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_makes_no_sense_goes_back_with_its_faults() {
    let mut cards = vec![card("x.a", Effect::Read)];
    cards[0].input_schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"], "additionalProperties": false });
    let tools = Arc::new(Shed::new(cards, |_| Ok(json!({ "n": 1 }))));
    let planner = Script::new(|asked, context: &PlanContext| {
        let faults = context.state.plan().goal(context.node).map(|goal| goal.faults.join("; ")).unwrap_or_default();
        let expected = ["", "there is no tool `x.zzz`", "is not of type \"integer\"", "does not exist"];
        assert!(faults.contains(expected[asked.min(3)]), "{asked}: {faults}");
        match asked {
            0 => expand(Order::Sequence, vec![step("x.zzz", json!({}))]),
            1 => expand(Order::Sequence, vec![step("x.a", json!({ "n": "three" }))]),
            2 => expand(Order::Sequence, vec![step("x.a", json!({ "n": { "$ref": "steps.later.n" } }))]),
            _ => answer("repaired"),
        }
    });
    let (outcome, book) = run(&tools, planner, Budget::default()).await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "plan-rejected").count(), 3);

    let hopeless = Script::new(|_, _: &PlanContext| expand(Order::Sequence, vec![step("x.zzz", json!({}))]));
    let (outcome, _) = run(&Arc::new(shed()), hopeless.clone(), Budget::default()).await;
    assert!(matches!(&outcome, Outcome::Failed { reason, .. } if reason.contains("x.zzz")), "{outcome:?}");
    assert_eq!(hopeless.asked(), Caps::default().repairs as usize + 1);
}

#[tokio::test(start_paused = true)]
async fn references_reach_only_what_is_surely_over() {
    let refer = |to: &str| json!({ "n": { "$ref": format!("steps.{to}.n") } });
    let cases = [
        (Order::Parallel, vec![named("one", "x.a", json!({})), named("two", "x.a", refer("one"))], false),
        (Order::Alternatives, vec![named("one", "x.a", json!({})), named("two", "x.a", refer("one"))], false),
        (Order::Sequence, vec![named("one", "x.a", refer("two")), named("two", "x.a", json!({}))], false),
        (Order::Sequence, vec![named("one", "x.a", refer("one"))], false),
        (Order::Sequence, vec![named("one", "x.a", json!({ "n": 1 })), named("two", "x.b", refer("one"))], true),
    ];
    for (order, children, fits) in cases {
        let (outcome, _) = run(&Arc::new(shed()), once(order, children.clone()), Budget::default()).await;
        assert_eq!(outcome.name() == "reached", fits, "{order:?} {children:?}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn results_that_do_not_hold_what_was_promised_are_not_accepted() {
    let mut promising = card("x.a", Effect::Read);
    promising.output_schema = Some(json!({ "type": "object", "required": ["sum"] }));
    let tools = Arc::new(Shed::new(vec![promising, card("x.b", Effect::Read)], |_| Ok(json!({ "n": 1 }))));
    let expecting = Draft::Step(DraftStep {
        expect: vec![Expectation::Equals { path: "n".to_owned(), value: json!(2) }],
        ..DraftStep::of(tool("x.b"))
    });
    for child in [step("x.a", json!({})), expecting] {
        let (outcome, book) = run(&tools, once(Order::Sequence, vec![child]), Budget::default()).await;
        assert_eq!(outcome.name(), "failed");
        assert!(book.events().iter().any(|event| matches!(&event.kind, EventKind::Judged { why, .. } if why.contains("sum") || why.contains("expected 2"))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_once_and_its_answer_reaches_the_planner() {
    let planner = Script::new(|_, context: &PlanContext| match context.state.exchanges() {
        [] => Ok(Proposal::Ask(Question::open("which?"))),
        [exchange, ..] => answer(&exchange.answer),
    });
    let person = Answers::new(&["the blue one"]);
    let mut ports = ports(Arc::new(shed()), planner, Arc::new(Book::new(&[], Dies::Never)));
    ports.person = Some(person.clone());
    let outcome = Run::start(ports, "g", Budget::default(), Caps::default()).drive(&Cancel::new()).await.unwrap();
    assert_eq!(outcome, Outcome::Reached { answer: Answer::text("the blue one") });
    assert_eq!(person.questions(), ["which?"]);
}

#[tokio::test(start_paused = true)]
async fn intents_of_irreversible_steps_and_the_end_wait_for_the_disk() {
    let children = vec![step("x.a", json!({})), step("x.send", json!({}))];
    let (_, book) = run(&Arc::new(shed()), once(Order::Sequence, children), Budget::default()).await;
    let started = book.durability(|kind| matches!(kind, EventKind::StepStarted { .. }));
    assert_eq!(started, [Durability::Process, Durability::Power]);
    assert_eq!(book.durability(|kind| matches!(kind, EventKind::RunFinished { .. })), [Durability::Power]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_when_it_is_told_to_is_unknown() {
    let mut shed = shed();
    shed.hang_at = Some(1);
    let tools = Arc::new(shed);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let planner = once(Order::Sequence, vec![step("x.send", json!({}))]);
    let mut run = Run::start(ports(tools, planner, Arc::clone(&book)), "g", Budget::default(), Caps::default());
    let cancel = Cancel::new();
    let later = cancel.clone();
    let (outcome, ()) = tokio::join!(run.drive(&cancel), async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        later.cancel();
    });
    assert_eq!(outcome.unwrap().name(), "cancelled");
    let written = serde_json::to_string(&book.events()).unwrap();
    assert!(written.contains("the call did not end when it was told to"), "{written}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_ten_megabytes_or_ten_thousand_steps_is_refused() {
    let huge = Script::new(|_, _: &PlanContext| {
        expand(Order::Sequence, vec![step("x.a", json!({ "text": "x".repeat(10 << 20) }))])
    });
    let many = Script::new(|_, _: &PlanContext| {
        expand(Order::Sequence, (0..10_000).map(|n| step("x.a", json!({ "n": n }))).collect())
    });
    for planner in [huge as Arc<dyn toolcrib_agent::Planner>, many] {
        let (outcome, book) = run(&Arc::new(shed()), planner, Budget::default()).await;
        assert!(matches!(&outcome, Outcome::Failed { reason, .. } if reason.contains("are allowed")), "{outcome:?}");
        assert!(serde_json::to_vec(&book.events()).unwrap().len() < 10_000);
    }
}
