//! Runs that go round in circles: what is cut, what is not, and that everything else goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Detector, Draft, EffectState, Event, EventKind, Flow, GivenPlanner, NodeId, Order,
    Outcome, PlanContext, PlanReason, Planner, PlannerError, Proposal, Run, State, Then,
};
use toolcrib_policy::Effect;

use crate::support::{Book, Dies, Script, Shed, card, failure, ports, run, tool};

type Said = Result<Proposal, PlannerError>;

fn step(name: &str, arguments: Value) -> Draft {
    Draft::Step(toolcrib_agent::DraftStep { arguments, ..toolcrib_agent::DraftStep::of(tool(name)) })
}

fn expand(order: Order, children: Vec<Draft>) -> Said {
    Ok(Proposal::Expand { order, then: Then::Review, children })
}

fn one(name: &str, n: usize) -> Said {
    expand(Order::Sequence, vec![step(name, json!({ "n": n }))])
}

fn done() -> Said {
    Ok(Proposal::Answer(Answer::text("done")))
}

/// `x.same` always gives the same, `x.next` something new each time.
fn shed() -> Arc<Shed> {
    let count = AtomicUsize::new(0);
    let cards = ["x.same", "x.other", "x.next", "x.broken"].map(|name| card(name, Effect::Read)).to_vec();
    Arc::new(Shed::new(cards, move |call| match call.tool.tool() {
        "next" => Ok(json!({ "count": count.fetch_add(1, Ordering::SeqCst) })),
        "broken" => Err(failure("failed", EffectState::None)),
        _ => Ok(json!({ "n": call.arguments["n"] })),
    }))
}

/// What was cut: by which detector, and where.
fn cuts(events: &[Event]) -> Vec<(Detector, NodeId)> {
    let cut = |event: &Event| match &event.kind {
        EventKind::LoopCut { detector, node, .. } => Some((*detector, *node)),
        _ => None,
    };
    events.iter().filter_map(cut).collect()
}

async fn outcome(planner: Arc<dyn Planner>) -> (Outcome, Vec<Event>, Arc<Shed>) {
    let shed = shed();
    let (outcome, book) = run(&shed, planner, Budget::default()).await;
    let events = book.events();
    assert_eq!(State::fold(&events).unwrap().outcome(), Some(&outcome));
    (outcome, events, shed)
}

#[tokio::test(start_paused = true)]
async fn the_same_call_with_the_same_result_is_cut_and_the_planner_is_told_why() {
    let planner = Script::new(|asked, context: &PlanContext| match context.reason {
        _ if asked < 4 => one("x.same", 1),
        PlanReason::Stuck => {
            let told = context.state.plan().steps().last().map(|(node, _)| format!("{:?}", node.status)).unwrap();
            assert!(told.contains("the very same call was made 3 times already"), "{told}");
            one("x.other", 1)
        }
        _ => done(),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.count("x.same"), shed.count("x.other")), ("reached", 3, 1), "{outcome:?}");
    assert_eq!(cuts(&events), [(Detector::Repeat, NodeId::ROOT)]);
}

#[tokio::test(start_paused = true)]
async fn a_cut_names_the_events_that_show_the_circle() {
    let planner = Script::new(|asked, _: &PlanContext| if asked < 4 { one("x.same", 1) } else { done() });
    let (_, events, _) = outcome(planner).await;
    let shown = events.iter().find_map(|event| match &event.kind {
        EventKind::LoopCut { shown, .. } => Some(shown.clone()),
        _ => None,
    });
    let kinds: Vec<_> = shown.unwrap().into_iter().map(|number| events[number as usize - 1].kind.name()).collect();
    assert_eq!(kinds, ["step-finished"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_whose_result_changes_is_not_cut() {
    let planner = Script::new(|asked, _: &PlanContext| if asked < 20 { one("x.next", 1) } else { done() });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.count("x.next")), ("reached", 20), "{outcome:?}");
    assert_eq!(cuts(&events), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_looked_at_again_after_something_changed_is_not_cut() {
    // Such as a test that is run again after each change of a file.
    let planner = Script::new(|asked, _: &PlanContext| match asked {
        0..12 if asked % 2 == 0 => one("x.same", 1),
        0..12 => one("x.other", asked),
        _ => done(),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.count("x.same"), cuts(&events)), ("reached", 6, vec![]), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn two_calls_in_turn_that_give_nothing_new_are_cut() {
    let planner = Script::new(|asked, context: &PlanContext| match asked {
        _ if context.reason == PlanReason::Stuck => done(),
        _ if asked % 2 == 0 => one("x.same", 1),
        _ => one("x.other", 1),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 4), "{outcome:?}");
    assert_eq!(cuts(&events), [(Detector::PingPong, NodeId::ROOT)]);
}

#[tokio::test(start_paused = true)]
async fn two_calls_in_turn_of_which_one_gives_something_new_are_not_cut() {
    let planner = Script::new(|asked, _: &PlanContext| match asked {
        0..12 if asked % 2 == 0 => one("x.same", 1),
        0..12 => one("x.next", 1),
        _ => done(),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.called().len(), cuts(&events)), ("reached", 12, vec![]), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn many_calls_that_give_nothing_new_are_cut_whatever_their_order() {
    // Five calls, then the same five in another order, so that no round is the same as the one before.
    const ORDER: [usize; 20] = [0, 1, 2, 3, 4, 2, 0, 4, 1, 3, 0, 3, 1, 4, 2, 1, 0, 2, 3, 4];
    let planner = Script::new(|asked, context: &PlanContext| match context.reason {
        PlanReason::Stuck => done(),
        _ => one("x.same", ORDER[asked]),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 5 + Caps::default().fruitless as usize));
    assert_eq!(cuts(&events), [(Detector::Fruitless, NodeId::ROOT)]);
}

#[tokio::test(start_paused = true)]
async fn a_goal_of_which_the_planner_only_talks_is_given_up_and_the_one_beside_it_goes_on() {
    let planner = Script::new(|_, context: &PlanContext| match (context.goal(), context.reason) {
        ("the goal", PlanReason::Open) => expand(Order::Parallel, vec![Draft::later("talk"), Draft::later("work")]),
        ("the goal", PlanReason::Stuck) => done(),
        ("talk", PlanReason::Open) => expand(Order::Sequence, vec![Draft::later("say it")]),
        // Reached without a call, and reviewed, and so on.
        ("say it", _) => done(),
        ("talk", _) => expand(Order::Sequence, vec![Draft::later("say it")]),
        ("work", PlanReason::Review) if context.state.results().len() > 5 => done(),
        ("work", _) => one("x.next", 1),
        other => panic!("{other:?}"),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.count("x.next")), ("reached", 6), "{outcome:?}");
    assert_eq!(cuts(&events), [(Detector::Monologue, NodeId(1))]);
    // What was reached beside it stays.
    assert_eq!(State::fold(&events).unwrap().results().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_planner_that_asks_and_asks_is_a_monologue() {
    let planner = Script::new(|_, _: &PlanContext| Ok(Proposal::Ask(toolcrib_agent::Question::open("And what else?"))));
    let shed = shed();
    let book = Arc::new(Book::new(&[], Dies::Never));
    let mut ports = ports(Arc::clone(&shed), planner, Arc::clone(&book));
    ports.person = Some(crate::support::Answers::new(&["nothing"; 40]));
    let outcome = Run::start(ports, "the goal", Budget::default(), Caps::default()).drive(&Cancel::new()).await;
    assert_eq!(outcome.unwrap().name(), "failed");
    assert_eq!(cuts(&book.events()), [(Detector::Monologue, NodeId::ROOT)]);
}

#[tokio::test(start_paused = true)]
async fn a_planner_that_may_not_ask_any_more_can_go_on_without() {
    let caps = Caps { questions: 2, ..Caps::default() };
    let planner = Script::new(|asked, context: &PlanContext| match context.state.may_ask() {
        _ if asked == 3 => done(),
        _ => Ok(Proposal::Ask(toolcrib_agent::Question::open("And what else?"))),
    });
    let book = Arc::new(Book::new(&[], Dies::Never));
    let mut ports = ports(shed(), planner, Arc::clone(&book));
    ports.person = Some(crate::support::Answers::new(&["nothing"; 40]));
    let outcome = Run::start(ports, "the goal", Budget::default(), caps).drive(&Cancel::new()).await;
    assert_eq!(outcome.unwrap().name(), "reached");
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "asked").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_goal_that_goes_round_again_and_again_is_given_up_and_its_parent_takes_another_way() {
    let planner = Script::new(|_, context: &PlanContext| match context.goal() {
        "the goal" if context.reason == PlanReason::Open => {
            expand(Order::Alternatives, vec![Draft::later("round"), step("x.other", json!({ "n": 7 }))])
        }
        "round" => one("x.same", 1),
        _ => done(),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.called().len()), ("reached", 4), "{outcome:?}");
    assert_eq!(shed.called().last().map(String::as_str), Some("x.other"));
    let cut = cuts(&events);
    assert_eq!(cut.len(), Caps::default().cuts as usize + 1);
    assert!(cut.iter().all(|cut| *cut == (Detector::Repeat, NodeId(1))), "{cut:?}");
    assert!(events.iter().any(|event| event.kind.name() == "backtracked"));
}

#[tokio::test(start_paused = true)]
async fn calls_side_by_side_are_no_sequence() {
    let branch = || Draft::goal("branch", Order::Sequence, vec![step("x.same", json!({ "n": 1 }))]);
    let planner = Script::new(move |asked, _: &PlanContext| match asked {
        0 => expand(Order::Parallel, (0..6).map(|_| branch()).collect()),
        _ => done(),
    });
    let (outcome, events, shed) = outcome(planner).await;
    assert_eq!((outcome.name(), shed.count("x.same"), cuts(&events)), ("reached", 6, vec![]), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flow_does_the_same_as_often_as_it_says() {
    let text = "flow: f\nsteps:\n  - each: \"[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\"\n    as: n\n    steps:\n      \
                - { tool: x.same, arguments: { n: \"{{ n }}\" } }\n      - { tool: x.other, arguments: { n: 0 } }\n";
    let flow = Flow::parse(text).unwrap();
    let (shed, book) = (shed(), Arc::new(Book::new(&[], Dies::Never)));
    let patches = flow.checked(&*shed).unwrap();
    let ports = ports(Arc::clone(&shed), Arc::new(GivenPlanner::new("flow")), Arc::clone(&book));
    let outcome = Run::flow(ports, &flow, flow.budget, patches, json!({})).drive(&Cancel::new()).await.unwrap();
    assert_eq!((outcome.name(), shed.called().len(), cuts(&book.events())), ("reached", 20, vec![]), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_circle_is_cut_at_the_same_place_wherever_the_run_was_cut_off() {
    let planner = || {
        Script::new(|_, context: &PlanContext| match context.reason {
            PlanReason::Stuck => done(),
            _ => one("x.same", 1),
        })
    };
    let (_, whole, _) = outcome(planner()).await;
    for at in 1..whole.len() {
        let (shed, book) = (shed(), Arc::new(Book::new(&whole[..at], Dies::Never)));
        let ports = ports(Arc::clone(&shed), planner(), Arc::clone(&book));
        let outcome = Run::resume(ports, &whole[..at], None).unwrap().drive(&Cancel::new()).await.unwrap();
        assert_eq!((outcome.name(), cuts(&book.events())), ("reached", vec![(Detector::Repeat, NodeId::ROOT)]), "{at}");
    }
}
