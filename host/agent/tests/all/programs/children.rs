//! Programs in child agents, and programs whose calls have a price.

use toolcrib_agent::{BudgetKind, ChildAgent, DraftGoal, Share, Till};
use toolcrib_policy::{Money, Prices, ToolPattern};

use super::*;

/// Hands one goal to an agent that may use the program and what reads, and tells what it came to.
fn parent(budget: Option<Share>) -> Arc<dyn Planner> {
    Script::new(move |_, context: &PlanContext| {
        let tools = [RUN, "x.*"].map(|line| ToolPattern::parse(line).unwrap()).to_vec();
        let agent = ChildAgent { name: None, tools, model: None, given: Value::Null };
        let draft = match context.node {
            NodeId::ROOT => match Draft::goal("run it", Order::Sequence, Vec::new()) {
                Draft::Goal(goal) => Draft::Goal(DraftGoal { agent: Some(agent), budget, ..goal }),
                other => other,
            },
            _ => Draft::step(&StepName::try_from("run".to_owned()).unwrap(), tool(RUN), json!({})),
        };
        Ok(match context.reason {
            PlanReason::Open => Proposal::Expand { order: Order::Sequence, then: Then::Review, children: vec![draft] },
            PlanReason::Review => Proposal::Answer(Answer::text("done")),
            PlanReason::Stuck => Proposal::Fail("it failed".to_owned()),
        })
    })
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn start(lab: &Arc<Lab>, book: &Arc<Book>, planner: Arc<dyn Planner>, budget: &str, prices: &Prices) -> Run {
    let ports = Ports { planner, ..ports_of(lab, book) };
    let budget = Budget { money: Some(money(budget)), ..Budget::default() };
    Run::start(ports, "g", budget, Caps::default()).paying(Till::new(Arc::new(prices.clone())))
}

/// Reads, sends, and has a program inside send.
async fn sender(hands: Hands) -> Result<Value, ToolFailure> {
    if hands.arguments["inner"] != true {
        hands.call("x.read", json!({ "n": 1 })).await?;
    }
    let refused = hands.call(SEND, json!({ "n": 1 })).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.effect), ("denied", EffectState::None));
    if hands.arguments["inner"] != true {
        hands.call(RUN, json!({ "inner": true })).await?;
    }
    Ok(json!({ "why": refused.message }))
}

#[tokio::test(start_paused = true)]
async fn a_program_in_a_child_agent_calls_no_tool_that_the_child_lacks() {
    let lab = lab(shed(), sender);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let mut run = start(&lab, &book, parent(None), "1", &Prices::default());
    let end = run.drive(&Cancel::new()).await.unwrap();
    let events = book.events();
    assert_eq!(end.name(), "reached", "{end:?}");
    assert_eq!(lab.shed.called(), ["x.read"], "nothing was sent");
    assert_eq!(over(&events), ["1 done", "2 denied", "3.1 denied", "3 done"]);
    let why = step_outcome(&events);
    assert!(
        matches!(&why, StepOutcome::Done { output } if output.value()["why"].as_str().unwrap().contains("none of the tools of the agent")),
        "{why:?}"
    );
    // The same calls by the run's own agent are made.
    let free = lab_of_root();
    let (end, events) = first_life(&free, Dies::Never).await;
    assert_eq!((end.unwrap().name(), free.shed.called()), ("reached", vec![SEND.to_owned()]));

    // A ledger that says otherwise is none.
    let forged = book.events().into_iter().map(|event| match event.kind {
        EventKind::InnerBlocked { node, path, tool, arguments, .. } => EventKind::InnerStarted {
            node,
            path,
            tool,
            arguments,
            effect: Effect::Irreversible,
            labels: Default::default(),
            under: Label::TRUSTED,
            price: None,
            program: None,
        }
        .at(event.at),
        _ => event,
    });
    let error = State::fold(&forged.collect::<Vec<_>>()).unwrap_err().to_string();
    assert!(error.contains("has no `mail.send`"), "{error}");
    assert!(!over(&events).is_empty());
}

fn lab_of_root() -> Arc<Lab> {
    lab(shed(), |hands: Hands| async move { hands.call(SEND, json!({ "n": 1 })).await })
}

/// Three reads, each of which has a price.
async fn reader(hands: Hands) -> Result<Value, ToolFailure> {
    for n in 1..=3 {
        hands.call("x.read", json!({ "n": n })).await?;
    }
    Ok(json!({ "read": 3 }))
}

fn prices() -> Prices {
    let none = Prices::of_models("EUR", []);
    none.with_tool(tool("x.read"), money("0.30")).with_tool(tool(RUN), money("0.20"))
}

#[tokio::test(start_paused = true)]
async fn what_a_program_calls_is_paid_for_and_it_goes_on_with_more_where_it_was() {
    let lab = lab(shed(), reader);
    let book = Arc::new(Book::new(&[], Dies::Never));
    let end = start(&lab, &book, planner(1), "1", &prices()).drive(&Cancel::new()).await.unwrap();
    assert!(matches!(end, Outcome::Budget { kind: BudgetKind::Money, .. }), "{end:?}");
    let before = book.events();
    let state = State::fold(&before).unwrap();
    assert_eq!(state.purse().spent.plus(state.purse().reserved()), money("0.80"));
    assert_eq!((lab.shed.count("x.read"), over(&before)), (2, vec!["1 done".to_owned(), "2 done".to_owned()]));

    let book = Arc::new(Book::new(&before, Dies::Never));
    let more = Budget { money: Some(money("0.30")), ..Budget::default() };
    let run = Run::resume(ports_of(&lab, &book), &before, Some(more)).unwrap();
    let mut run = run.paying(Till::new(Arc::new(prices())));
    let end = run.drive(&Cancel::new()).await.unwrap();
    assert_eq!((end.name(), lab.shed.count("x.read")), ("reached", 3), "{end:?}");
    let state = State::fold(&book.events()).unwrap();
    assert_eq!((state.purse().spent, state.purse().reserved()), (money("1.10"), Money::ZERO));
    let bill = state.purse().tools[&tool("x.read")];
    assert_eq!((bill.times, bill.failed, bill.money), (3, 0, money("0.90")));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_cut_at_any_event_pays_for_each_call_once() {
    let dear = |lab: &Arc<Lab>, book: &Arc<Book>| start(lab, book, planner(1), "9", &prices());
    let whole = Arc::new(Book::new(&[], Dies::Never));
    dear(&lab(shed(), reader), &whole).drive(&Cancel::new()).await.unwrap();
    for dies in (3..whole.events().len()).map(Dies::After) {
        let lab = lab(shed(), reader);
        let book = Arc::new(Book::new(&[], dies));
        assert!(dear(&lab, &book).drive(&Cancel::new()).await.is_err(), "{dies:?}");
        let before = book.events();
        let book = Arc::new(Book::new(&before, Dies::Never));
        let run = Run::resume(ports_of(&lab, &book), &before, None).unwrap();
        let end = run.paying(Till::new(Arc::new(prices()))).drive(&Cancel::new()).await.unwrap();
        let state = State::fold(&book.events()).unwrap();
        // One that was cut off counts, and is made again as it only reads.
        let calls = lab.shed.count("x.read") as u64;
        let bill = state.purse().tools[&tool("x.read")];
        assert_eq!((end.name(), state.purse().reserved()), ("reached", Money::ZERO), "{dies:?}");
        assert!(bill.times >= calls && bill.times <= 4, "{dies:?}: {bill:?} for {calls}");
        assert_eq!(state.purse().tools[&tool(RUN)].times, 1, "{dies:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_childs_money_is_told_to_its_program_and_ends_the_child_alone() {
    let lab = lab(shed(), |hands: Hands| async move {
        hands.call("x.read", json!({ "n": 1 })).await?;
        let refused = hands.call("x.read", json!({ "n": 2 })).await.unwrap_err();
        assert!(refused.message.contains("the budget of money"), "{refused:?}");
        Ok(json!({ "read": 1 }))
    });
    let book = Arc::new(Book::new(&[], Dies::Never));
    let share = Share { money: Some(money("0.70")), ..Share::default() };
    let end = start(&lab, &book, parent(Some(share)), "9", &prices()).drive(&Cancel::new()).await.unwrap();
    let events = book.events();
    assert_eq!((end.name(), lab.shed.count("x.read")), ("failed", 1), "{end:?}");
    assert_eq!(over(&events), ["1 done", "2 denied"]);
    let spent = |event: &Event| matches!(&event.kind, EventKind::GoalSpent { kind: BudgetKind::Money, node } if *node != NodeId::ROOT);
    assert!(events.iter().any(spent), "{:?}", book.kinds());
}
