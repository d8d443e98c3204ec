//! Budgets of single goals: each ends its own goal alone.

use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Budget, BudgetKind, Cancel, Draft, DraftGoal, EffectState, Event, EventKind, Flow, FlowError, GivenPlanner,
    NodeId, Order, PlanContext, PlanReason, Planned, Planner, PlannerError, Proposal, Run, Share, State, Status, Then,
};
use toolcrib_model::Usage;
use toolcrib_policy::Effect;

use crate::support::{Book, Dies, Script, Shed, card, failure, ports, run, tool};

fn step(name: &str, arguments: Value) -> Draft {
    Draft::Step(toolcrib_agent::DraftStep { arguments, ..toolcrib_agent::DraftStep::of(tool(name)) })
}

fn goal(text: &str, budget: Share, children: Vec<Draft>) -> Draft {
    match Draft::goal(text, Order::Sequence, children) {
        Draft::Goal(goal) => Draft::Goal(DraftGoal { budget: Some(budget), ..goal }),
        other => other,
    }
}

fn steps(from: usize, to: usize) -> Vec<Draft> {
    (from..to).map(|n| step("x.read", json!({ "n": n }))).collect()
}

fn shed(takes_ms: u64) -> Arc<Shed> {
    let cards = vec![card("x.read", Effect::Read), card("x.busy", Effect::Read)];
    let mut shed = Shed::new(cards, |call| match call.tool.tool() {
        "busy" => Err(failure("unavailable", EffectState::None)),
        _ => Ok(json!({ "n": call.arguments["n"] })),
    });
    shed.takes_ms = takes_ms;
    Arc::new(shed)
}

fn spent(events: &[Event]) -> Vec<(NodeId, BudgetKind)> {
    let spent = |event: &Event| match &event.kind {
        EventKind::GoalSpent { node, kind } => Some((*node, *kind)),
        _ => None,
    };
    events.iter().filter_map(spent).collect()
}

/// Plans these children once; answers whatever comes of them.
fn once(order: Order, children: Vec<Draft>) -> Arc<dyn Planner> {
    Script::new(move |asked, _: &PlanContext| {
        Ok(match asked {
            0 => Proposal::Expand { order, then: Then::Review, children: children.clone() },
            _ => Proposal::Answer(Answer::text("done")),
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_goal_that_has_spent_its_calls_ends_and_another_way_is_taken() {
    let two = Share { steps: Some(2), ..Share::default() };
    let planner = once(Order::Alternatives, vec![goal("long", two, steps(0, 5)), step("x.read", json!({ "n": 9 }))]);
    let shed = shed(0);
    let (outcome, book) = run(&shed, planner, Budget::default()).await;
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 3), "{outcome:?}");
    assert_eq!(spent(&book.events()), [(NodeId(1), BudgetKind::Steps)]);
    // What it reached stays.
    let state = State::fold(&book.events()).unwrap();
    assert_eq!(state.results().len(), 3);
    let Status::Failed { why, .. } = &state.plan().node(NodeId(1)).unwrap().status else { panic!("it goes on") };
    assert_eq!(why, "the budget of steps that this goal had is spent");
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_side_by_side_does_not_take_more_than_there_is() {
    let three = Share { steps: Some(3), ..Share::default() };
    let wide = Draft::goal("wide", Order::Parallel, steps(0, 4));
    let planner = once(Order::Parallel, vec![goal("few", three, vec![wide]), step("x.read", json!({ "n": 9 }))]);
    let shed = shed(100);
    let (outcome, book) = run(&shed, planner, Budget::default()).await;
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 4), "{outcome:?}");
    assert_eq!(spent(&book.events()), [(NodeId(1), BudgetKind::Steps)]);
}

#[tokio::test(start_paused = true)]
async fn time_ends_a_goal_also_while_it_only_waits() {
    let second = Share { wall_ms: Some(2_500), ..Share::default() };
    let planner = once(Order::Alternatives, vec![goal("slow", second, steps(0, 5)), step("x.read", json!({ "n": 9 }))]);
    let shed = shed(1_000);
    let (outcome, book) = run(&shed, planner, Budget::default()).await;
    assert_eq!(
        (outcome.name(), spent(&book.events())),
        ("reached", vec![(NodeId(1), BudgetKind::Wall)]),
        "{outcome:?}"
    );
    // Each call is told how long it may take.
    let left: Vec<_> = shed.calls.lock().unwrap().iter().map(|call| call.wall_ms).collect();
    assert_eq!(left, [Some(2_500), Some(1_500), Some(500), None]);

    let half = Share { wall_ms: Some(400), ..Share::default() };
    let planner =
        once(Order::Alternatives, vec![goal("busy", half, vec![step("x.busy", json!({}))]), step("x.read", json!({}))]);
    let begun = tokio::time::Instant::now();
    let (outcome, book) = run(&self::shed(0), planner, Budget::default()).await;
    assert_eq!(
        (outcome.name(), spent(&book.events())),
        ("reached", vec![(NodeId(1), BudgetKind::Wall)]),
        "{outcome:?}"
    );
    assert_eq!(begun.elapsed().as_millis(), 400);
}

/// Every question costs 100 tokens.
struct Dear<P>(P);

#[async_trait::async_trait]
impl<P: Fn(&PlanContext) -> Proposal + Send + Sync> Planner for Dear<P> {
    fn name(&self) -> &str {
        "dear"
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let usage = Usage { input: 90, output: 10, cached: 0 };
        Ok(Planned { proposal: (self.0)(context), usage, note: String::new() })
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_end_the_goal_that_spent_them_and_its_parent_plans_anew() {
    let planner = Arc::new(Dear(|context: &PlanContext| {
        let results = context.state.results().len();
        match (context.goal(), context.reason) {
            ("the goal", PlanReason::Open) => {
                let share = Share { tokens: Some(250), ..Share::default() };
                let children = vec![goal("dear", share, Vec::new())];
                Proposal::Expand { order: Order::Sequence, then: Then::Review, children }
            }
            ("the goal", PlanReason::Stuck) => {
                Proposal::Expand { order: Order::Sequence, then: Then::Review, children: steps(50, 51) }
            }
            ("dear", _) => {
                Proposal::Expand { order: Order::Sequence, then: Then::Review, children: steps(results, results + 1) }
            }
            _ => Proposal::Answer(Answer::text("done")),
        }
    }));
    let shed = shed(0);
    let (outcome, book) = run(&shed, planner, Budget::default()).await;
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 4), "{outcome:?}");
    assert_eq!(spent(&book.events()), [(NodeId(1), BudgetKind::Tokens)]);
}

#[tokio::test(start_paused = true)]
async fn a_goal_cannot_have_more_than_its_parent_has_left() {
    let want = |steps| Share { steps: Some(steps), ..Share::default() };
    let inner = |most| goal("outer", want(10), vec![goal("inner", want(most), steps(0, 1))]);
    for (most, budget, fault) in [
        (11, 100, Some("the goal \"inner\" wants 11 of steps, and 10 are left")),
        (10, 9, Some("the goal \"outer\" wants 10 of steps, and 9 are left")),
        (10, 100, None),
    ] {
        let planner = once(Order::Sequence, vec![inner(most)]);
        let (_, book) = run(&shed(0), planner, Budget { steps: budget, ..Budget::default() }).await;
        let faults = book.events().into_iter().find_map(|event| match event.kind {
            EventKind::PlanRejected { faults, .. } => Some(faults),
            _ => None,
        });
        assert_eq!(faults.and_then(|faults| faults.first().cloned()).as_deref(), fault);
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_a_goal_survives_a_cut_at_any_event() {
    let share = Share { steps: Some(3), wall_ms: Some(60_000), ..Share::default() };
    let children = || vec![goal("long", share, steps(0, 6)), step("x.read", json!({ "n": 9 }))];
    let (_, book) = run(&shed(1_000), once(Order::Alternatives, children()), Budget::default()).await;
    let whole = book.events();
    for at in 1..whole.len() {
        let (shed, book) = (shed(1_000), Arc::new(Book::new(&whole[..at], Dies::Never)));
        let state = State::fold(&whole[..at]).unwrap();
        let planned = state.plan().nodes().len() > 1;
        let planner: Arc<dyn Planner> = match planned {
            true => Script::new(|_, _: &PlanContext| Ok(Proposal::Answer(Answer::text("done")))),
            false => once(Order::Alternatives, children()),
        };
        let ports = ports(Arc::clone(&shed), planner, Arc::clone(&book));
        let mut resumed = Run::resume(ports, &whole[..at], None).unwrap();
        let outcome = resumed.drive(&Cancel::new()).await.unwrap();
        assert_eq!(outcome.name(), "reached", "cut at {at}");
        let state = resumed.state();
        let used = state.plan().goal(NodeId(1)).unwrap().used;
        assert_eq!(used.steps, 3, "cut at {at}");
        assert!(used.wall_ms <= 4_000, "cut at {at}: {used:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_gives_a_branch_a_budget() {
    let text = "flow: f\nsteps:\n  - first-of:\n      - budget: { steps: 2, time: 1 min }\n        steps:\n          \
                - { tool: x.read, arguments: { n: 1 } }\n          - { tool: x.read, arguments: { n: 2 } }\n          \
                - { tool: x.read, arguments: { n: 3 } }\n      - { tool: x.read, arguments: { n: 4 } }\n";
    let flow = Flow::parse(text).unwrap();
    let (shed, book) = (shed(0), Arc::new(Book::new(&[], Dies::Never)));
    let patches = flow.checked(&*shed).unwrap();
    let ports = ports(Arc::clone(&shed), Arc::new(GivenPlanner::new("flow")), Arc::clone(&book));
    let outcome = Run::flow(ports, &flow, flow.budget, patches, json!({})).drive(&Cancel::new()).await.unwrap();
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 3), "{outcome:?}");
    assert_eq!(spent(&book.events()).len(), 1);

    let more = Flow::parse(&text.replace("steps: 2,", "steps: 200,")).unwrap();
    let faults = more.checked(&*shed).unwrap_err();
    assert_eq!(faults[0].to_string(), "the goal \"in order\" wants 200 of steps, and 100 are left");
    let wrong = Flow::parse(&text.replace("steps: 2,", "calls: 2,"));
    let Err(FlowError::Wrong { at, place, .. }) = wrong else { panic!("{wrong:?}") };
    assert_eq!((at.as_str(), place.map(|place| place.line)), ("steps[0].first-of[0].budget", Some(4)));
}
