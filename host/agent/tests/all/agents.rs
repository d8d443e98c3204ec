//! Child agents: a goal with a planner, tools and a budget of its own.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use toolcrib_agent::{
    Agents, Budget, BudgetKind, Cancel, Caps, Chain, Event, EventKind, ModelPlanner, ModelView, NodeId, Outcome,
    Planner, Run, RunError, State, Status, StepName, StepOutcome, Till,
};
use toolcrib_model::{Message, Part, Request};
use toolcrib_policy::{Effect, ModelPrice, Money, Prices};

use crate::models::{Says, Talker, call, text};
use crate::support::{Book, Dies, Shed, card, ports, tool};

/// Planners of agents, by the names of their models; what has no name is the parent's own.
struct Models(Vec<(&'static str, Arc<Talker>)>, Mutex<Vec<Option<String>>>);

impl Agents for Models {
    fn planner(&self, model: Option<&str>) -> Result<Arc<dyn Planner>, String> {
        self.1.lock().unwrap().push(model.map(str::to_owned));
        let found = self.0.iter().find(|(name, _)| model.is_none_or(|model| model == *name));
        let (_, talker) = found.ok_or_else(|| format!("no agent may have {model:?}"))?;
        Ok(Arc::new(ModelPlanner::new(talker.clone(), ModelView::default())))
    }
}

fn shed() -> Arc<Shed> {
    let cards = vec![
        card("files.read", Effect::Read),
        card("files.list", Effect::Read),
        card("web.get", Effect::Read),
        card("mail.send", Effect::Irreversible),
    ];
    Arc::new(Shed::new(cards, |call| Ok(json!({ "text": format!("{} of {}", call.tool, call.arguments) }))))
}

fn plan(children: Value) -> Says {
    call("propose_plan", json!({ "children": children }))
}

/// A goal for an agent that reads files.
fn reader(more: Value) -> Value {
    let mut goal = json!({ "goal": "find the secret word", "agent": { "step": "found", "tools": ["files.*"] } });
    for (key, value) in more.as_object().unwrap() {
        match goal["agent"].get(key).is_some() || ["given", "model"].contains(&key.as_str()) {
            true => goal["agent"][key] = value.clone(),
            false => goal[key] = value.clone(),
        }
    }
    goal
}

struct World {
    tools: Arc<Shed>,
    parent: Arc<Talker>,
    child: Arc<Talker>,
    prices: Prices,
    caps: Caps,
    budget: Budget,
}

impl World {
    fn new(parent: Vec<Says>, child: Vec<Says>) -> Self {
        let (parent, child) = (Talker::new("a:parent", parent), Talker::new("b:child", child));
        let (prices, caps, budget) = (Prices::default(), Caps::default(), Budget::default());
        Self { tools: shed(), parent, child, prices, caps, budget }
    }

    fn run(&self, book: &Arc<Book>, events: &[Event]) -> Run {
        let planner = Arc::new(ModelPlanner::over(Chain::new(self.parent.clone(), None), ModelView::default()));
        let ports = ports(self.tools.clone(), planner, book.clone());
        let run = match events {
            [] => Run::start(ports, "tell me the word", self.budget, self.caps),
            events => Run::resume(ports, events, None).unwrap(),
        };
        let models = Models(vec![("b:child", self.child.clone())], Mutex::default());
        run.paying(Till::new(Arc::new(self.prices.clone()))).with_agents(Arc::new(models))
    }

    async fn drive(&self) -> (Outcome, Vec<Event>) {
        let book = Arc::new(Book::new(&[], Dies::Never));
        let outcome = self.run(&book, &[]).drive(&Cancel::new()).await.unwrap();
        (outcome, book.events())
    }
}

fn said(request: &Request) -> String {
    let part = |part: &Part| match part {
        Part::Text { text } => text.clone(),
        Part::Image { .. } => String::new(),
    };
    let texts = request.messages.iter().map(|message| match message {
        Message::User { parts } => parts.iter().map(part).collect(),
        Message::Assistant { tool_calls, .. } => format!("{tool_calls:?}"),
        Message::Tool { content, .. } => content.clone(),
    });
    texts.collect::<Vec<String>>().join("\n")
}

fn offered(request: &Request) -> Vec<&str> {
    request.tools.iter().map(|tool| tool.name.as_str()).filter(|name| name.contains('.')).collect()
}

#[tokio::test(start_paused = true)]
async fn an_agent_sees_its_tools_and_what_it_is_given_and_its_parent_the_result() {
    let given = json!({ "file": "{{ steps.first.text }}" });
    let children = json!([
        { "step": "first", "tool": "web.get", "arguments": { "n": 1 } },
        reader(json!({ "given": given })),
        { "step": "tell", "tool": "mail.send", "arguments": { "text": "{{ steps.found.text }}" } }
    ]);
    let child = vec![call("files.read", json!({ "path": "/x" })), text("the word is owl")];
    let world = World::new(vec![plan(children), text("told")], child);
    let (outcome, events) = world.drive().await;
    assert!(matches!(&outcome, Outcome::Reached { answer } if answer.text == "told"), "{outcome:?}");
    let calls = world.tools.calls.lock().unwrap();
    assert_eq!(calls.last().unwrap().arguments, json!({ "text": "the word is owl" }));
    // A call inside its call is held to the same list.
    let lists: Vec<usize> = calls.iter().map(|call| call.within.len()).collect();
    assert_eq!((lists, calls[1].within[0][0].to_string().as_str()), (vec![0, 1, 0], "files.*"));

    let (asked, of_parent) = (world.child.asked.lock().unwrap(), world.parent.asked.lock().unwrap());
    assert!(asked.iter().all(|request| offered(request).iter().all(|name| name.starts_with("files."))), "{asked:?}");
    assert!(said(&asked[0]).contains("You are given: <data>{\"file\":\"web.get of"), "{}", said(&asked[0]));
    assert!(
        !said(&asked[1]).contains("tell me the word") && !said(&asked[1]).contains("`first`"),
        "{}",
        said(&asked[1])
    );
    let last = said(of_parent.last().unwrap());
    assert!(last.contains("The agent `found`") && last.contains("the word is owl"), "{last}");
    assert!(!last.contains("files.read"), "{last}");

    let state = State::fold(&events).unwrap();
    let found = StepName::try_from("found".to_owned()).unwrap();
    assert_eq!(state.result(&found), Some(&json!({ "text": "the word is owl" })));
    // What the agent read is in what it says, and so in the call that repeats it.
    let send = events.iter().find_map(|event| match &event.kind {
        EventKind::StepStarted { tool: called, from, labels, .. } if *called == tool("mail.send") => {
            Some((from, labels))
        }
        _ => None,
    });
    let (from, labels) = send.unwrap();
    assert!(from.iter().any(|name| name.as_str() == "found"), "{from:?}");
    assert!(!labels["text"].is_trusted(), "{labels:?}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_asks_for_other_tools_does_not_get_them() {
    let child = vec![
        call("web.get", json!({ "n": 1 })),
        plan(json!([{ "tool": "mail.send", "arguments": {} }])),
        plan(json!([{ "goal": "more", "agent": { "tools": ["web.*"] } }])),
        call("files.read", json!({ "path": "/x" })),
        text("owl"),
    ];
    let world = World::new(vec![plan(json!([reader(json!({}))])), text("told")], child);
    let (outcome, events) = world.drive().await;
    assert_eq!((outcome.name(), world.tools.called()), ("reached", vec!["files.read".to_owned()]), "{outcome:?}");
    let faults: Vec<String> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::PlanRejected { faults, .. } => Some(faults.join("; ")),
            _ => None,
        })
        .collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].contains("there is no tool `web.get`") && faults[1].contains("there is no tool `mail.send`"));
    assert!(faults[2].contains("asks for `web.*`, which its parent does not have itself"), "{}", faults[2]);

    // What a record says of such a call cannot have happened.
    let state = State::fold(&events).unwrap();
    let inside = state.plan().steps().map(|(node, _)| node.id).find(|id| state.plan().scope_of(*id) != NodeId::ROOT);
    assert!(!state.plan().may_call(inside.unwrap(), &tool("web.get")));
}

#[tokio::test(start_paused = true)]
async fn an_agent_reads_no_step_of_its_parent_and_changes_nothing_of_its_plan() {
    let first = json!({ "step": "first", "tool": "web.get", "arguments": { "n": 1 } });
    let child = vec![
        plan(json!([{ "tool": "files.read", "arguments": { "path": "{{ steps.first.text }}" } }])),
        text("nothing"),
    ];
    let world = World::new(vec![plan(json!([first, reader(json!({}))])), text("told")], child);
    let (outcome, events) = world.drive().await;
    assert_eq!((outcome.name(), world.tools.called()), ("reached", vec!["web.get".to_owned()]));
    let refused = |event: &Event| matches!(&event.kind, EventKind::PlanRejected { faults, .. } if faults[0].contains("another agent's step"));
    assert!(events.iter().any(refused), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_its_budget_is_the_end_of_the_agent_alone() {
    let reads: Vec<Says> = (1..=9).map(|n| call("files.read", json!({ "path": n }))).collect();
    let parent = || vec![plan(json!([reader(json!({ "budget": { "steps": 2 } }))])), text("it ran out")];
    let world = World::new(parent(), reads);
    let (outcome, events) = world.drive().await;
    assert!(matches!(&outcome, Outcome::Reached { answer } if answer.text == "it ran out"), "{outcome:?}");
    assert_eq!(world.tools.count("files.read"), 2);
    assert!(events.iter().any(|e| matches!(e.kind, EventKind::GoalSpent { kind: BudgetKind::Steps, .. })));
    let last = said(world.parent.asked.lock().unwrap().last().unwrap());
    assert!(last.contains("The agent `found`") && last.contains("failed: <data>the budget of steps"), "{last}");

    // Never more than its parent has left.
    let world = World {
        budget: Budget { steps: 4, ..Budget::default() },
        ..World::new(vec![plan(json!([reader(json!({ "budget": { "steps": 5 } }))])), text("no")], Vec::new())
    };
    let (_, events) = world.drive().await;
    let wants = |event: &Event| matches!(&event.kind, EventKind::PlanRejected { faults, .. } if faults[0].contains("wants 5 of steps"));
    assert!(events.iter().any(wants));
}

fn priced(world: World, budget: &str) -> World {
    let money = |text: &str| text.parse::<Money>().unwrap();
    let price = ModelPrice { input: money("1"), output: money("10"), cached: money("0.1") };
    let models = ["a:parent", "b:child"].map(|name| (name.to_owned(), price));
    let budget = Budget { money: Some(money(budget)), ..Budget::default() };
    World { prices: Prices::of_models("EUR", models), budget, ..world }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_its_money_is_the_end_of_the_agent_alone() {
    let child = || (1..=9).map(|n| call("files.read", json!({ "path": n }))).collect();
    let parent = |money: &str| vec![plan(json!([reader(json!({ "budget": { "money": money } }))])), text("it ran out")];
    let world = priced(World::new(parent("0.09"), child()), "1");
    let (outcome, events) = world.drive().await;
    assert!(matches!(&outcome, Outcome::Reached { answer } if answer.text == "it ran out"), "{outcome:?}");
    let state = State::fold(&events).unwrap();
    let agent = state.plan().nodes().iter().find(|node| state.plan().agent(node.id).is_some()).unwrap();
    assert!(
        matches!(&agent.status, Status::Failed { why, .. } if why.contains("money") || why.contains("could cost")),
        "{agent:?}"
    );
    let spent = state.plan().goal(agent.id).unwrap().used.money;
    assert_eq!(spent, state.purse().models["b:child"].money);
    assert!(!spent.is_zero() && spent <= "0.09".parse().unwrap(), "{spent}");

    // Not more than is left.
    let world = priced(World::new(parent("2"), child()), "1");
    let (_, events) = world.drive().await;
    let wants = |event: &Event| matches!(&event.kind, EventKind::PlanRejected { faults, .. } if faults[0].contains("wants 2.00 of money"));
    assert!(events.iter().any(wants), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_has_its_own_model_where_it_may_have_it() {
    let named = |model: &str| plan(json!([reader(json!({ "model": model }))]));
    let world = World::new(vec![named("x:unknown"), named("b:child"), text("told")], vec![text("owl")]);
    let (outcome, events) = world.drive().await;
    assert_eq!((outcome.name(), world.child.times(), world.parent.times()), ("reached", 1, 3));
    let unknown = |event: &Event| matches!(&event.kind, EventKind::PlanRejected { faults, .. } if faults[0].contains("x:unknown"));
    assert!(events.iter().any(unknown));
    let state = State::fold(&events).unwrap();
    let agent = state.plan().nodes().iter().find(|node| state.plan().agent(node.id).is_some()).unwrap();
    assert_eq!(state.answered_by(agent.id), Some("b:child"));
    // It read nothing, so that nothing that is not the person's own is in what it says.
    let found = StepName::try_from("found".to_owned()).unwrap();
    assert!(state.marks(&found).unwrap().all().is_trusted());
}

#[tokio::test(start_paused = true)]
async fn agents_are_few_and_do_not_nest_for_ever() {
    // Each makes another one of the same kind.
    let child: Vec<Says> =
        (0..20).map(|_| plan(json!([{ "goal": "deeper", "agent": { "tools": ["files.*"] } }]))).collect();
    let world = World::new(vec![plan(json!([reader(json!({}))])), text("enough")], child);
    let (_, events) = world.drive().await;
    let state = State::fold(&events).unwrap();
    let depth = |id| state.plan().path(id).into_iter().filter(|id| state.plan().agent(*id).is_some()).count();
    let deepest = state.plan().nodes().iter().map(|node| depth(node.id)).max();
    assert_eq!(deepest, Some(3));
    let many: Vec<Value> = (0..17).map(|n| json!({ "goal": format!("g{n}"), "agent": { "tools": ["*"] } })).collect();
    let world = World::new(vec![plan(json!(many)), text("enough")], Vec::new());
    let (_, events) = world.drive().await;
    let refused = |event: &Event| matches!(&event.kind, EventKind::PlanRejected { faults, .. } if faults[0].contains("at most 16"));
    assert!(events.iter().any(refused));
}

#[tokio::test(start_paused = true)]
async fn a_run_with_an_agent_is_cut_off_at_any_event_and_goes_on() {
    let children = || {
        json!([reader(json!({ "budget": { "steps": 3, "money": "0.5" } })),
            { "step": "tell", "tool": "mail.send", "arguments": { "text": "{{ steps.found.text }}" } }])
    };
    // They say what is to be said by what has been done so far: a model that was cut off is asked again.
    let world = || {
        priced(
            World::new(
                vec![plan(children()), text("told")],
                vec![call("files.read", json!({ "path": 1 })), text("owl")],
            ),
            "5",
        )
    };
    let (outcome, whole) = world().drive().await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    for cut in 1..=whole.len() {
        for dies in [Dies::Before(cut), Dies::After(cut)] {
            let (book, first) = (Arc::new(Book::new(&[], dies)), world());
            let died = first.run(&book, &[]).drive(&Cancel::new()).await;
            assert!(matches!(died, Err(RunError::Ledger { .. })), "{cut}: {died:?}");
            let events = book.events();
            let sent = first.tools.count("mail.send");
            if events.is_empty() {
                continue;
            }
            let state = State::fold(&events).unwrap();
            let planned =
                events.iter().any(|event| matches!(event.kind, EventKind::Expanded { node: NodeId::ROOT, .. }));
            let read = state.plan().steps().any(|(node, _)| state.plan().scope_of(node.id) != NodeId::ROOT);
            let parent = if planned { vec![text("told")] } else { vec![plan(children()), text("told")] };
            let child =
                if read { vec![text("owl")] } else { vec![call("files.read", json!({ "path": 1 })), text("owl")] };
            let second = priced(World::new(parent, child), "5");
            let book = Arc::new(Book::new(&events, Dies::Never));
            let outcome = second.run(&book, &events).drive(&Cancel::new()).await.unwrap();
            let after = State::fold(&book.events()).unwrap();
            let sent = sent + second.tools.count("mail.send");
            assert!(sent <= 1, "{cut}: sent {sent} times");
            assert!(after.purse().reserved().is_zero(), "{cut}");
            // Where it is not known whether the mail left, that is told, and it is not sent again.
            let unknown = |event: &Event| {
                matches!(&event.kind, EventKind::StepFinished { outcome: StepOutcome::Unknown { .. }, .. })
            };
            let told = book.events().iter().any(unknown);
            assert_eq!((outcome.name(), sent == 1 || told), ("reached", true), "{cut} {dies:?}: {outcome:?}");
            let agent = after.plan().nodes().iter().find(|node| after.plan().agent(node.id).is_some()).unwrap();
            let share = after.plan().goal(agent.id).unwrap();
            assert!(share.used.steps <= 3 && share.used.money <= "0.5".parse().unwrap(), "{cut}: {:?}", share.used);
        }
    }
}
