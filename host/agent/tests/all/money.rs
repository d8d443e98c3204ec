//! Budgets in money: set aside before, counted after, whatever happens in between.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use toolcrib_agent::{
    Budget, BudgetKind, Cancel, Caps, Chain, EffectState, Event, EventKind, ModelPlanner, ModelView, Outcome, Run,
    RunError, State, Till, fork,
};
use toolcrib_model::{ModelError, Usage};
use toolcrib_policy::{Effect, ModelPrice, Money, Prices};

use crate::models::{Talker, call, drive, reading, text, unavailable};
use crate::support::{Book, Dies, Shed, card, failure, ports, tool};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Reads cost 1, writing costs 10, the cache 0.1 for a million tokens; a send costs 0.01.
fn prices() -> Prices {
    let price = ModelPrice { input: money("1"), output: money("10"), cached: money("0.1") };
    let models = ["a:one", "b:two"].map(|name| (name.to_owned(), price));
    Prices::of_models("EUR", models).with_tool(tool("mail.send"), money("0.01"))
}

/// What one answer of a [`Talker`] costs: 800 read, 200 from the cache, 100 written.
const ANSWER: &str = "0.00182";

fn budget(text: &str) -> Budget {
    Budget { money: Some(money(text)), ..Budget::default() }
}

fn talks() -> Vec<crate::models::Says> {
    vec![call("x.read", json!({ "n": 1 })), call("x.read", json!({ "n": 2 })), text("both read")]
}

fn asked(events: &[Event]) -> Vec<Money> {
    let reserved = |event: &Event| match &event.kind {
        EventKind::ModelAsked { reserved, .. } => Some(reserved.expect("a reservation")),
        _ => None,
    };
    events.iter().filter_map(reserved).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_request_can_cost_is_set_aside_and_what_it_did_cost_is_counted() {
    let chain = Chain::new(Talker::new("a:one", talks()), None);
    let (outcome, events) = drive(&reading(), chain, prices(), budget("0.50")).await;
    assert_eq!(outcome.name(), "reached");
    let state = State::fold(&events).unwrap();
    assert_eq!(state.purse().spent, money("0.00546"));
    assert_eq!((state.purse().reserved(), state.purse().currency.as_str()), (Money::ZERO, "EUR"));
    let bill = state.purse().models["a:one"];
    assert_eq!(
        (bill.times, bill.money, bill.usage),
        (3, money("0.00546"), Usage { input: 3_000, output: 300, cached: 600 })
    );
    // More than it came to, and for a limit of 8,192 tokens of answer never less than these cost.
    assert!(asked(&events).iter().all(|reserved| *reserved > money("0.08192")), "{:?}", asked(&events));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_fit_is_not_sent_and_the_run_ends_with_what_it_has() {
    let model = Talker::new("a:one", talks());
    let (tools, chain) = (reading(), Chain::new(model.clone(), None));
    let (_, events) = drive(&reading(), Chain::new(Talker::new("a:one", talks()), None), prices(), budget("9")).await;
    // As much as the second request needs beside what the first one cost, and no more.
    let enough = asked(&events)[1].plus(money(ANSWER));
    let (outcome, events) = drive(&tools, chain, prices(), Budget { money: Some(enough), ..Budget::default() }).await;
    let Outcome::Budget { kind: BudgetKind::Money, partial: Some(partial) } = &outcome else { panic!("{outcome:?}") };
    assert!(partial.text.contains("body"), "{partial:?}");
    assert_eq!((model.times(), tools.count("x.read")), (2, 2));
    let state = State::fold(&events).unwrap();
    assert!(state.purse().spent <= enough);
    assert_eq!(state.purse().spent, money("0.00364"));

    // Without a word about money it ends again at once, and nothing is sent; with one it goes on.
    let again = |more: Option<Budget>, events: Vec<Event>| {
        let model = Talker::new("a:one", vec![text("both read")]);
        let planner = Arc::new(ModelPlanner::new(model.clone(), ModelView::default()));
        let book = Arc::new(Book::new(&events, Dies::Never));
        let ports = ports(reading(), planner, book.clone());
        let run = Run::resume(ports, &events, more).unwrap().paying(Till::new(Arc::new(prices())));
        async move { ({ run }.drive(&Cancel::new()).await.unwrap(), model.times(), book.events()) }
    };
    let (outcome, times, events) = again(Some(Budget::default()), events).await;
    assert_eq!((outcome.name(), times), ("budget", 0));
    let (outcome, times, events) = again(Some(budget("0.50")), events).await;
    assert_eq!((outcome.name(), times), ("reached", 1));
    assert_eq!(State::fold(&events).unwrap().purse().spent, money("0.00546"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_off_at_any_event_counts_what_it_set_aside() {
    let (_, whole) = drive(&reading(), Chain::new(Talker::new("a:one", talks()), None), prices(), budget("1")).await;
    let sum = State::fold(&whole).unwrap().purse().spent;
    for cut in 1..=whole.len() {
        for dies in [Dies::Before(cut), Dies::After(cut)] {
            let book = Arc::new(Book::new(&[], dies));
            let planner = Arc::new(ModelPlanner::new(Talker::new("a:one", talks()), ModelView::default()));
            let run = Run::start(ports(reading(), planner, book.clone()), "read it", budget("1"), Caps::default());
            let died = { run.paying(Till::new(Arc::new(prices()))) }.drive(&Cancel::new()).await;
            assert!(matches!(died, Err(RunError::Ledger { .. })), "{cut}: {died:?}");
            let events = book.events();
            if events.is_empty() {
                continue;
            }
            let before = State::fold(&events).unwrap();
            let (spent, aside) = (before.purse().spent, before.purse().reserved());
            // What is left to be said once the reads that were acknowledged are known.
            let done = before.results().len();
            let says = talks().split_off(done);
            let book = Arc::new(Book::new(&events, Dies::Never));
            let planner = Arc::new(ModelPlanner::new(Talker::new("a:one", says), ModelView::default()));
            let run = Run::resume(ports(reading(), planner, book.clone()), &events, None).unwrap();
            let outcome = { run.paying(Till::new(Arc::new(prices()))) }.drive(&Cancel::new()).await.unwrap();
            assert_eq!(outcome.name(), "reached", "{cut}: {outcome:?}");
            let after = State::fold(&book.events()).unwrap();
            assert!(after.purse().spent >= spent.plus(aside), "{cut}: what was set aside was forgotten");
            assert!(after.purse().spent >= sum && after.purse().reserved().is_zero(), "{cut}");
            assert!(after.purse().spent <= money("1"), "{cut}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fork_has_spent_what_the_other_run_had_spent_by_then() {
    let (_, events) = drive(&reading(), Chain::new(Talker::new("a:one", talks()), None), prices(), budget("1")).await;
    for copied in 1..events.len() {
        let Ok(forked) = fork(&events, copied, "other", copied as u64, events[0].at, false) else { continue };
        let before = State::fold(&events[..copied]).unwrap();
        let state = State::fold(&forked.events).unwrap();
        assert_eq!(state.purse().spent, before.purse().spent, "{copied}");
        assert_eq!(state.purse().reserved(), before.purse().reserved(), "{copied}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_time_wait_for_each_others_change() {
    // Both goals are planned side by side. What one request may cost fits, what two may cost does not.
    let tree = json!({ "order": "parallel", "children": [{ "goal": "left" }, { "goal": "right" }] });
    let says = vec![call("propose_plan", tree), text("l"), text("r"), text("all")];
    let wide = Talker::slow("a:one", says, Duration::from_secs(5));
    let (outcome, events) = drive(&reading(), Chain::new(wide.clone(), None), prices(), budget("0.12")).await;
    assert_eq!((outcome.name(), wide.times()), ("reached", 4), "{outcome:?}");
    let mut under_way = 0;
    for event in &events {
        match &event.kind {
            EventKind::ModelAsked { .. } => under_way += 1,
            EventKind::ModelAnswered { .. } => under_way -= 1,
            _ => {}
        }
        assert!(under_way <= 1, "two requests were under way");
    }
    assert_eq!(State::fold(&events).unwrap().purse().spent, money("0.00728"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_failed_costs_what_nobody_can_rule_out() {
    let cut = || Err(ModelError::CutStream { detail: "after 3 pieces".to_owned() });
    let first = Talker::new("a:one", vec![unavailable(), cut()]);
    let second = Talker::new("b:two", vec![call("x.read", json!({})), text("done")]);
    let (outcome, events) = drive(&reading(), Chain::new(first, None).or(second, None), prices(), budget("1")).await;
    assert_eq!(outcome.name(), "reached");
    let state = State::fold(&events).unwrap();
    // The first time it was not served at all; the second time it may have been billed in full.
    let reserved = asked(&events);
    assert_eq!(state.purse().models["a:one"].money, reserved[2]);
    assert_eq!(state.purse().models["b:two"].money, money("0.00364"));
}

#[tokio::test(start_paused = true)]
async fn a_model_without_a_price_is_not_asked_where_money_is_counted() {
    let model = Talker::new("c:three", talks());
    let (outcome, _) = drive(&reading(), Chain::new(model.clone(), None), prices(), budget("1")).await;
    let Outcome::Failed { reason, .. } = &outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("add `\"c:three\" = { input = 3, output = 15 }` to `[prices]`"), "{reason}");
    assert_eq!(model.times(), 0);
    // Where it is not counted, it is.
    let (outcome, events) = drive(&reading(), Chain::new(model.clone(), None), prices(), Budget::default()).await;
    assert_eq!((outcome.name(), State::fold(&events).unwrap().purse().spent), ("reached", Money::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_price_is_paid_for_unless_it_surely_was_not_made() {
    let cards = vec![card("mail.send", Effect::Irreversible)];
    let tools = Arc::new(Shed::new(cards, |call| match call.arguments["to"].as_str() {
        Some("denied") => Err(failure("denied", EffectState::None)),
        Some("broken") => Err(failure("failed", EffectState::None)),
        _ => Ok(json!({ "sent": true })),
    }));
    let to = |name: &str| call("mail.send", json!({ "to": name }));
    let says = vec![to("ann"), to("denied"), to("broken"), text("done")];
    let chain = || Chain::new(Talker::new("a:one", says.clone()), None);
    let (outcome, events) = drive(&tools, chain(), prices(), budget("1")).await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    let state = State::fold(&events).unwrap();
    let bill = state.purse().tools[&tool("mail.send")];
    assert_eq!((bill.times, bill.failed, bill.money), (3, 2, money("0.02")));
    assert_eq!(state.purse().spent, money("0.02728"));

    // One that cannot be paid is not made: the model's answer is, the call is not.
    let calls = tools.count("mail.send");
    let first = asked(&events)[0];
    let just = Budget { money: Some(first), ..Budget::default() };
    let dear = prices().with_tool(tool("mail.send"), first);
    let (outcome, _) = drive(&tools, chain(), dear, just).await;
    assert!(matches!(outcome, Outcome::Budget { kind: BudgetKind::Money, .. }), "{outcome:?}");
    assert_eq!(tools.count("mail.send"), calls);
}

#[test]
fn amounts_of_another_currency_are_not_added() {
    let started = EventKind::Priced { currency: "EUR".to_owned() };
    let mut events = vec![
        EventKind::RunStarted {
            version: 1,
            goal: "g".to_owned(),
            planner: "p".to_owned(),
            budget: budget("1"),
            caps: Caps::default(),
            inputs: serde_json::Value::Null,
            critic: Default::default(),
            hold: false,
        },
        started.clone(),
        started,
    ];
    let at = |events: &[EventKind]| events.iter().map(|kind| kind.clone().at(Default::default())).collect::<Vec<_>>();
    assert!(State::fold(&at(&events)).is_ok());
    events.push(EventKind::Priced { currency: "USD".to_owned() });
    let error = State::fold(&at(&events)).unwrap_err().to_string();
    assert!(error.contains("amounts are in EUR, not in USD"), "{error}");
}
