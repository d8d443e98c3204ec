//! Plans that a person sees, and changes, before anything of them is done.

use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_agent::flow::{self, written};
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Draft, DraftEach, DraftGoal, DraftStep, DraftValue, Event, EventKind, Expectation,
    Flow, Millis, NodeId, Order, Outcome, PlanContext, PlanReason, Planner, Proposal, Run, Share, State, StepName,
    Then, Tools, Trying,
};
use toolcrib_policy::Effect;

use crate::support::{Book, Dies, Script, Shed, card, ports, tool};

fn name(text: &str) -> StepName {
    StepName::try_from(text.to_owned()).unwrap()
}

fn step(called: &str, of: &str, arguments: Value) -> Draft {
    Draft::step(&name(called), tool(of), arguments)
}

fn shed() -> Arc<Shed> {
    let cards = vec![card("x.read", Effect::Read), card("x.send", Effect::Irreversible)];
    Arc::new(Shed::new(cards, |call| Ok(json!({ "n": call.arguments["n"] }))))
}

/// Plans two goals, the second of which is planned when its turn comes.
fn planner() -> Arc<dyn Planner> {
    Script::new(|_, context: &PlanContext| {
        let expand = |children| Ok(Proposal::Expand { order: Order::Sequence, then: Then::Close, children });
        match (context.goal(), context.reason) {
            ("the goal", PlanReason::Open) => expand(vec![Draft::later("first"), Draft::later("second")]),
            ("first", PlanReason::Open) => expand(vec![step("one", "x.read", json!({ "n": 1 }))]),
            ("second", PlanReason::Open) => expand(vec![step("two", "x.send", json!({ "n": "{{ steps.one.n }}" }))]),
            _ => Ok(Proposal::Answer(Answer::text("done"))),
        }
    })
}

async fn held(shed: &Arc<Shed>) -> Vec<Event> {
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = ports(Arc::clone(shed), planner(), Arc::clone(&book));
    let mut run = Run::start(ports, "the goal", Budget::default(), Caps::default()).held();
    assert_eq!(run.drive(&Cancel::new()).await.unwrap(), Outcome::Held);
    book.events()
}

async fn resumed(shed: &Arc<Shed>, events: &[Event]) -> (Outcome, Vec<Event>) {
    let book = Arc::new(Book::new(events, Dies::Never));
    let ports = ports(Arc::clone(shed), planner(), Arc::clone(&book));
    let outcome = Run::resume(ports, events, None).unwrap().drive(&Cancel::new()).await.unwrap();
    (outcome, book.events())
}

fn edited(state: &State, shed: &Shed, text: &str) -> Result<Event, Vec<String>> {
    let (node, by) = (NodeId::ROOT, "ann".to_owned());
    let patches = flow::plan(text, state, node, shed)?;
    Ok(EventKind::PlanEdited { node, patches, by }.at(Millis(1_700_000_000_500)))
}

#[tokio::test(start_paused = true)]
async fn a_held_run_has_a_plan_and_has_called_nothing_and_goes_on_when_it_is_resumed() {
    let shed = shed();
    let events = held(&shed).await;
    assert!(shed.called().is_empty());
    let state = State::fold(&events).unwrap();
    assert_eq!(written(&state)["steps"][0]["steps"][0]["tool"], "x.read");
    // The second goal is planned when the first has a result.
    assert_eq!(written(&state)["steps"][1], json!({ "goal": "second" }));
    let (outcome, _) = resumed(&shed, &events).await;
    assert_eq!((outcome.name(), shed.called()), ("reached", vec!["x.read".to_owned(), "x.send".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_passed_over_by_a_cut_before_the_plan_was_seen() {
    let shed = shed();
    let events = held(&shed).await;
    for at in 1..events.len() {
        let (outcome, after) = resumed(&shed, &events[..at]).await;
        assert_eq!(outcome, Outcome::Held, "cut at {at}");
        assert!(shed.called().is_empty());
        assert!(State::fold(&after).unwrap().is_holding());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_wrote_is_done_and_is_the_persons_word() {
    let shed = shed();
    let mut events = held(&shed).await;
    let state = State::fold(&events).unwrap();
    let text = "steps:\n  - { step: one, tool: x.read, arguments: { n: 7 } }\n  - goal: second\n";
    events.push(edited(&state, &shed, text).unwrap());
    let state = State::fold(&events).unwrap();
    assert_eq!(state.outcome(), Some(&Outcome::Held));
    let one = state.plan().holder(&name("one")).unwrap().id;
    assert!(state.is_by_person(one));
    let (outcome, after) = resumed(&shed, &events).await;
    assert_eq!(outcome.name(), "reached");
    let calls: Vec<_> = shed.calls.lock().unwrap().iter().map(|call| call.arguments["n"].clone()).collect();
    assert_eq!(calls, [json!(7), json!(7)]);
    // What the planner adds below a person's goal is not the person's word.
    let state = State::fold(&after).unwrap();
    assert!(!state.is_by_person(state.plan().holder(&name("two")).unwrap().id));
    // Edited events are as legal after a crash as before.
    for at in events.len()..after.len() {
        State::fold(&after[..at]).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_edited_plan_is_checked_and_each_fault_has_its_place() {
    let shed = shed();
    let state = State::fold(&held(&shed).await).unwrap();
    for (text, fault) in [
        ("steps:\n  - tool: x.gone\n", "steps[0]: there is no tool `x.gone` (line 2, column 5)"),
        (
            "steps:\n  - steps:\n      - step: a\n        tool: x.read\n        arguments:\n          n: \"{{ steps.b.n }}\"\n",
            "steps[0].steps[0]: step for `x.read`: `steps.b` refers to a step that does not exist (line 3, column 9)",
        ),
        (
            "steps:\n  - each: \"[1]\"\n    steps:\n      - { step: a, tool: x.read, arguments: { n: \"{{ steps.b.n }}\" } }\n",
            "steps[0].steps[0]: step for `x.read`: `steps.b` refers to a step that does not exist (line 4, column 9)",
        ),
        (
            "steps:\n  - { step: a, tool: x.read }\n  - { step: a, tool: x.read }\n",
            "steps[0]: the step name `a` is taken; give each step a name of its own (line 2, column 5)",
        ),
        (
            "steps:\n  - tool: x.read\n    args: {}\n",
            "steps[0]: unknown key `args`; there are then, when, title, tool, step, arguments, expect, check, retry, timeout, ask (line 2, column 5)",
        ),
        ("steps: []\n", "steps: there is nothing to do here (line 1, column 8)"),
        ("plan: [\n", "it is no YAML"),
        (
            "steps:\n  - goal: think\n    budget: { steps: 1000 }\n",
            "the goal \"think\" wants 1000 of steps, and 100 are left",
        ),
    ] {
        let faults = edited(&state, &shed, text).unwrap_err();
        assert!(faults[0].starts_with(fault), "{text}\n{faults:?}");
    }
    // A flow has nobody who would plan a goal.
    let error = Flow::parse("flow: f\nsteps:\n  - goal: think\n").unwrap_err().to_string();
    assert!(error.starts_with("steps[0]: a step has one of tool, value"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn only_a_held_plan_can_be_edited() {
    let shed = shed();
    let events = held(&shed).await;
    let state = State::fold(&events).unwrap();
    let event = edited(&state, &shed, "steps:\n  - goal: second\n").unwrap();
    let (_, mut after) = resumed(&shed, &events).await;
    after.push(event);
    let error = State::fold(&after).unwrap_err().to_string();
    assert!(error.contains("`plan-edited`") && error.contains("the run is over"), "{error}");
}

/// A plan of everything that a plan can hold, in a held run.
fn of_everything() -> State {
    let goal = |text: &str, order, children| match Draft::goal(text, order, children) {
        Draft::Goal(goal) => goal,
        _ => unreachable!(),
    };
    let call = DraftStep {
        name: Some(name("a")),
        arguments: json!({ "n": 1, "quoted": "a: b # c", "list": [1, { "x": null }] }),
        expect: vec![Expectation::Exists("n".to_owned())],
        trying: Trying {
            attempts: Some(2),
            wait_ms: Some(500),
            growth_percent: Some(200),
            wall_ms: Some(9),
            ask: true,
        },
        effect: Some(Effect::Read),
        ..DraftStep::of(tool("x.read"))
    };
    let reading = |called: &str, arguments| match step(called, "x.read", arguments) {
        Draft::Step(step) => Draft::Step(DraftStep { effect: Some(Effect::Read), ..step }),
        other => other,
    };
    let children = vec![
        Draft::Step(call),
        Draft::Value(DraftValue { name: name("v"), value: json!({ "n": "{{ steps.a.n }}" }), when: None }),
        Draft::Goal(DraftGoal {
            budget: Some(Share { steps: Some(3), wall_ms: Some(2_000), tokens: Some(9), money: None }),
            then: Then::Review,
            when: Some("steps.a.n == 1".to_owned()),
            ..goal("named", Order::Sequence, vec![reading("b", json!({ "n": { "$ref": "steps.a.n" } }))])
        }),
        Draft::goal(
            "at the same time",
            Order::Parallel,
            vec![Draft::goal("in order", Order::Sequence, vec![reading("c", json!({}))]), reading("d", json!({}))],
        ),
        Draft::goal("one of these", Order::Alternatives, vec![reading("e", json!({})), Draft::later("plan it")]),
        Draft::goal(
            "with an error branch",
            Order::Rescue,
            vec![
                Draft::goal("try", Order::Sequence, vec![reading("f", json!({}))]),
                Draft::goal("where that fails", Order::Sequence, vec![reading("g", json!({ "why": "{{ error }}" }))]),
            ],
        ),
        Draft::Goal(DraftGoal {
            each: Some(DraftEach { list: "[1, 2]".to_owned(), item: "it".to_owned(), name: Some(name("all")) }),
            ..goal("for each", Order::Parallel, vec![reading("h", json!({ "n": "{{ it }}" }))])
        }),
    ];
    let shed = shed();
    let state = State::fold(&opening(Vec::new())).unwrap();
    let patches = vec![toolcrib_agent::Patch::Expand {
        node: NodeId::ROOT,
        order: Order::Sequence,
        then: Then::Review,
        children,
    }];
    let patches =
        toolcrib_agent::plan::check(state.plan(), NodeId::ROOT, patches, state.caps(), &|name| shed.get(name)).unwrap();
    State::fold(&opening(patches)).unwrap()
}

fn opening(patches: Vec<toolcrib_agent::Patch>) -> Vec<Event> {
    let flow = Flow::parse("flow: f\nsteps:\n  - { tool: x.read }\n").unwrap();
    let mut kinds = flow.opening("p", Budget::default(), patches, Value::Null);
    if let Some(EventKind::RunStarted { hold, .. }) = kinds.first_mut() {
        *hold = true;
    }
    if matches!(kinds.last(), Some(EventKind::Expanded { patches, .. }) if patches.is_empty()) {
        kinds.truncate(1);
    }
    kinds.push(EventKind::RunFinished { result: Outcome::Held });
    kinds.into_iter().map(|kind| kind.at(Millis(1))).collect()
}

#[test]
fn a_plan_that_is_written_down_reads_as_the_same_plan() {
    let state = of_everything();
    let text = serde_json::to_string_pretty(&written(&state)).unwrap();
    let shed = shed();
    let patches = flow::plan(&text, &state, NodeId::ROOT, &*shed).unwrap();
    let read = patches.iter().flat_map(toolcrib_agent::Patch::drafts).cloned().collect::<Vec<_>>();
    assert_eq!(read, state.plan().outline(NodeId::ROOT));
}

#[test]
fn what_depends_on_no_result_is_foreseen_and_the_rest_is_said_to_be_open() {
    let text = r#"
flow: f
inputs: { names: array }
steps:
  - step: first
    tool: x.read
    arguments: { n: "{{ inputs.names }}" }
  - each: inputs.names
    as: name
    steps:
      - { step: known, tool: x.read, arguments: { n: "{{ name }}" } }
  - each: steps.first.n
    as: name
    steps:
      - { step: open, tool: x.send, arguments: { n: "{{ name }}" } }
  - when: size(inputs.names) > 5
    steps:
      - { step: never, tool: x.send }
  - when: size(steps.first.n) > 5
    steps:
      - { step: perhaps, tool: x.send, arguments: { n: 1 } }
"#;
    let (flow, shed) = (Flow::parse(text).unwrap(), shed());
    let patches = flow.checked(&*shed).unwrap();
    let opening = flow.opening("flow", flow.budget, patches, json!({ "names": ["a", "b"] }));
    let events: Vec<Event> = opening.into_iter().map(|kind| kind.at(Millis(1))).collect();
    let state = State::fold(&events).unwrap();
    let seen = state.foresee();
    let told = |call: &toolcrib_agent::ForeseenCall| {
        let step = seen.state.plan().step(call.node).unwrap();
        (step.name.to_string(), call.arguments.clone().map(|arguments| arguments["n"].clone()), call.optional)
    };
    let calls: Vec<_> = seen.calls.iter().map(told).collect();
    assert_eq!(
        calls,
        [
            ("first".to_owned(), Some(json!(["a", "b"])), false),
            ("known_1".to_owned(), Some(json!("a")), false),
            ("known_2".to_owned(), Some(json!("b")), false),
            ("open_1".to_owned(), None, true),
            ("perhaps".to_owned(), Some(json!(1)), true),
        ]
    );
    assert_eq!((seen.open_loops.len(), seen.later.len()), (1, 0));
    // It was only looked at.
    assert_eq!(State::fold(&events).unwrap(), state);
}
