//! Idempotency keys: one for each call, whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Draft, EffectState, Event, EventKind, Millis, Order, PlanContext, PlanReason,
    Planner, Ports, Proposal, Run, State, StepName, Then, ToolCall, ToolCard, ToolReport, Tools, fork,
};
use toolcrib_policy::{Effect, IdempotencyKey, ToolName};

use crate::support::{Book, Dies, Script, Shed, card, failure, ports, tool};

/// Tools of one run, as a host has them.
struct Keyed(Arc<Shed>, &'static str);

#[async_trait]
impl Tools for Keyed {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        self.0.search(query, limit)
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.0.get(name)
    }

    fn idempotency_key(&self, call: &ToolCall) -> Option<IdempotencyKey> {
        Some(IdempotencyKey::of_call(self.1, &call.node.to_string(), &call.tool, &call.arguments))
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        self.0.call(call, cancel).await
    }
}

const PAY: &str = "shop.pay";

/// Two payments of the same kind; the first try of everything fails.
fn shed() -> Arc<Shed> {
    let tried = std::sync::Mutex::new(0);
    Arc::new(Shed::new(vec![card(PAY, Effect::Idempotent)], move |_| {
        let mut tried = tried.lock().unwrap();
        *tried += 1;
        if *tried == 1 { Err(failure("unavailable", EffectState::Unknown)) } else { Ok(json!({ "paid": true })) }
    }))
}

fn planner() -> Arc<dyn Planner> {
    Script::new(|_, context: &PlanContext| {
        let pay = |name: &str, to: &str| {
            Draft::step(&StepName::try_from(name.to_owned()).unwrap(), tool(PAY), json!({ "to": to }))
        };
        Ok(match context.reason {
            PlanReason::Open => Proposal::Expand {
                order: Order::Sequence,
                then: Then::Review,
                children: vec![pay("one", "ada"), pay("two", "ada"), pay("three", "bob")],
            },
            _ => Proposal::Answer(Answer::text("paid")),
        })
    })
}

fn keyed(shed: &Arc<Shed>, run: &'static str, book: &Arc<Book>) -> Ports {
    Ports { tools: Arc::new(Keyed(shed.clone(), run)), ..ports(shed.clone(), planner(), book.clone()) }
}

/// The keys of the calls, in their order, each with whom it paid.
fn keys(shed: &Shed) -> Vec<(Value, IdempotencyKey)> {
    let calls = shed.calls.lock().unwrap();
    calls.iter().map(|call| (call.arguments["to"].clone(), call.key.clone().expect("a key"))).collect()
}

async fn whole(run: &'static str) -> (Arc<Shed>, Vec<Event>) {
    let (shed, book) = (shed(), Arc::new(Book::new(&[], Dies::Never)));
    let caps = Caps { twice: true, ..Caps::default() };
    Run::start(keyed(&shed, run, &book), "pay", Budget::default(), caps).drive(&Cancel::new()).await.unwrap();
    (shed, book.events())
}

#[tokio::test(start_paused = true)]
async fn each_try_has_the_key_of_the_call_and_each_call_its_own() {
    let (shed, _) = whole("r1").await;
    let made = keys(&shed);
    assert_eq!(made.len(), 4);
    assert_eq!(made[0], made[1], "the second try says that it is the first");
    assert_eq!(made.iter().map(|(_, key)| key).collect::<BTreeSet<_>>().len(), 3, "also where two calls are the same");
    let (other, _) = whole("r2").await;
    assert!(keys(&other).iter().all(|(_, key)| made.iter().all(|(_, one)| one != key)), "no two runs share one");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_off_goes_on_with_the_same_keys() {
    let (_, events) = whole("r1").await;
    let begun: Vec<_> = (0..events.len()).filter(|at| events[*at].kind.name() == "step-started").collect();
    for at in begun {
        let EventKind::StepStarted { key, .. } = &events[at].kind else { unreachable!() };
        let (again, book) = (shed(), Arc::new(Book::new(&events[..=at], Dies::Never)));
        // Whoever goes on may derive keys otherwise: what is recorded counts.
        let ports = keyed(&again, "another version", &book);
        Run::resume(ports, &events[..=at], None).unwrap().drive(&Cancel::new()).await.unwrap();
        assert_eq!(keys(&again).first().map(|(_, key)| key), key.as_ref());
    }
}

#[tokio::test(start_paused = true)]
async fn a_fork_makes_what_was_made_later_with_the_keys_of_there() {
    let (shed_one, events) = whole("r1").await;
    let first = events.iter().position(|event| event.kind.name() == "step-started").unwrap();
    for again in [false, true] {
        let forked = fork(&events, first, "r1", first as u64, Millis(1), again).unwrap();
        State::fold(&forked.events).unwrap();
        let (shed_two, book) = (shed(), Arc::new(Book::new(&forked.events, Dies::Never)));
        let ports = keyed(&shed_two, "r2", &book);
        Run::resume(ports, &forked.events, None).unwrap().drive(&Cancel::new()).await.unwrap();
        let (one, two) = (keys(&shed_one), keys(&shed_two));
        assert_eq!(two.len(), 4);
        match again {
            // A server that looks at keys does nothing twice.
            false => assert_eq!(one, two),
            true => assert!(two.iter().all(|(_, key)| one.iter().all(|(_, other)| key != other))),
        }
    }
}
