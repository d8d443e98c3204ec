//! Models that stand in for each other, and one that answers as a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use toolcrib_agent::{
    Budget, Cancel, Caps, Chain, Event, EventKind, ModelPlanner, ModelView, Outcome, Run, State, Till,
};
use toolcrib_model::{Arguments, Delta, Model, ModelError, Request, Response, StopReason, ToolCall, Usage};
use toolcrib_policy::{Effect, Prices};

use crate::support::{Book, Dies, Shed, card, ports};

/// What a scripted model says to its next request.
pub(crate) type Says = Result<Response, ModelError>;

/// A model that says one thing after the other, and then nothing but that it is done.
pub(crate) struct Talker {
    name: &'static str,
    says: Mutex<Vec<Says>>,
    pub(crate) asked: Mutex<Vec<Request>>,
    pub(crate) takes: Duration,
}

impl Talker {
    pub(crate) fn new(name: &'static str, says: Vec<Says>) -> Arc<Self> {
        Self::slow(name, says, Duration::ZERO)
    }

    pub(crate) fn slow(name: &'static str, mut says: Vec<Says>, takes: Duration) -> Arc<Self> {
        says.reverse();
        Arc::new(Self { name, says: Mutex::new(says), asked: Mutex::default(), takes })
    }

    pub(crate) fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Model for Talker {
    fn name(&self) -> &str {
        self.name
    }

    async fn complete(&self, request: &Request, _events: &mut (dyn FnMut(Delta) + Send)) -> Says {
        self.asked.lock().unwrap().push(request.clone());
        tokio::time::sleep(self.takes).await;
        self.says.lock().unwrap().pop().unwrap_or_else(|| text("done"))
    }
}

fn response(text: Option<&str>, tool_calls: Vec<ToolCall>) -> Says {
    let stop = if tool_calls.is_empty() { StopReason::End } else { StopReason::ToolCalls };
    let usage = Usage { input: 1_000, output: 100, cached: 200 };
    Ok(Response { text: text.map(str::to_owned), tool_calls, stop, usage, continuation: None })
}

pub(crate) fn text(text: &str) -> Says {
    response(Some(text), Vec::new())
}

pub(crate) fn call(tool: &str, arguments: serde_json::Value) -> Says {
    let arguments = Arguments::from_value(arguments);
    response(None, vec![ToolCall { id: "c1".to_owned(), name: tool.to_owned(), arguments }])
}

pub(crate) fn unavailable() -> Says {
    Err(ModelError::Unavailable { detail: "busy".to_owned(), retry_after: None })
}

fn refused_key() -> Says {
    Err(ModelError::Auth { detail: "no".to_owned(), advice: "check it".to_owned() })
}

pub(crate) fn reading() -> Arc<Shed> {
    Arc::new(Shed::new(vec![card("x.read", Effect::Read)], |_| Ok(json!({ "text": "body" }))))
}

pub(crate) async fn drive(tools: &Arc<Shed>, chain: Chain, prices: Prices, budget: Budget) -> (Outcome, Vec<Event>) {
    let book = Arc::new(Book::new(&[], Dies::Never));
    let ports = ports(Arc::clone(tools), Arc::new(ModelPlanner::over(chain, ModelView::default())), Arc::clone(&book));
    let run = Run::start(ports, "read it", budget, Caps::default()).paying(Till::new(Arc::new(prices)));
    let outcome = { run }.drive(&Cancel::new()).await.unwrap();
    (outcome, book.events())
}

/// Who answered, and why others did not.
fn answers(events: &[Event]) -> Vec<(String, Option<String>)> {
    let asked = events.iter().filter_map(|event| match &event.kind {
        EventKind::ModelAsked { model, .. } => Some(model.clone()),
        _ => None,
    });
    let failed = events.iter().filter_map(|event| match &event.kind {
        EventKind::ModelAnswered { failed, .. } => Some(failed.clone()),
        _ => None,
    });
    asked.zip(failed).collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_model_answers_where_one_does_not_and_the_ledger_says_who() {
    let first = Talker::new("a:one", vec![unavailable(), call("x.read", json!({ "n": 1 })), unavailable()]);
    let second = Talker::new("b:two", vec![call("x.read", json!({ "n": 2 })), text("all read")]);
    let (tools, chain) = (reading(), Chain::new(first.clone(), None).or(second.clone(), None));
    let (outcome, events) = drive(&tools, chain, Prices::default(), Budget::default()).await;
    assert!(matches!(&outcome, Outcome::Reached { answer } if answer.text == "all read"), "{outcome:?}");
    assert_eq!((first.times(), second.times(), tools.count("x.read")), (3, 2, 2));
    let busy = || Some("unavailable".to_owned());
    let expected = [("a:one", busy()), ("b:two", None), ("a:one", None), ("a:one", busy()), ("b:two", None)];
    let expected: Vec<_> = expected.into_iter().map(|(model, failed)| (model.to_owned(), failed)).collect();
    assert_eq!(answers(&events), expected);
    let state = State::fold(&events).unwrap();
    assert_eq!(state.answered_by(toolcrib_agent::NodeId::ROOT), Some("b:two"));
    let bills = &state.purse().models;
    assert_eq!((bills["a:one"].times, bills["a:one"].failed, bills["b:two"].usage.input), (3, 2, 2_000));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_failed_for_good_is_not_asked_again_in_this_run() {
    let first = Talker::new("a:one", vec![refused_key()]);
    let second = Talker::new("b:two", vec![call("x.read", json!({ "n": 1 })), call("x.read", json!({ "n": 2 }))]);
    let chain = Chain::new(first.clone(), None).or(second.clone(), None);
    let (outcome, _) = drive(&reading(), chain, Prices::default(), Budget::default()).await;
    assert_eq!(outcome.name(), "reached");
    assert_eq!((first.times(), second.times()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn where_no_model_answers_the_end_names_each() {
    let chain =
        Chain::new(Talker::new("a:one", vec![refused_key()]), None).or(Talker::new("b:two", vec![unavailable()]), None);
    let (outcome, _) = drive(&reading(), chain, Prices::default(), Budget::default()).await;
    let Outcome::Failed { reason, .. } = outcome else { panic!("{outcome:?}") };
    for part in ["no model answered", "a:one: the back end refused the key", "b:two: the back end is unavailable"] {
        assert!(reason.contains(part), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_script_does_not_foresee_is_not_hidden_by_another_model() {
    let off = Err(ModelError::OffScript { detail: "line 3".to_owned(), advice: "mend it".to_owned() });
    let second = Talker::new("b:two", Vec::new());
    let chain = Chain::new(Talker::new("script:x", vec![off]), None).or(second.clone(), None);
    let (outcome, _) = drive(&reading(), chain, Prices::default(), Budget::default()).await;
    assert!(matches!(&outcome, Outcome::Failed { reason, .. } if reason == "line 3; mend it"), "{outcome:?}");
    assert_eq!(second.times(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_smaller_model_gets_a_request_that_fits_into_it() {
    let too_long = || Err(ModelError::ContextTooLong { detail: "too long".to_owned() });
    let tools = Arc::new(Shed::new(vec![card("x.read", Effect::Read)], |call| {
        Ok(json!({ "text": format!("{} {}", call.arguments["n"], "word ".repeat(20_000)) }))
    }));
    let small = Talker::new("b:small", vec![text("enough")]);
    let large =
        Talker::new("a:large", (1..=4).map(|n| call("x.read", json!({ "n": n }))).chain([too_long()]).collect());
    let chain = Chain::new(large.clone(), None).or(small.clone(), Some(8_192));
    let (outcome, _) = drive(&tools, chain, Prices::default(), Budget::default()).await;
    assert!(matches!(&outcome, Outcome::Reached { answer } if answer.text == "enough"), "{outcome:?}");
    let size = |request: &Request| serde_json::to_string(&request.messages).unwrap().len();
    let (of_large, of_small) = (size(large.asked.lock().unwrap().last().unwrap()), small.asked.lock().unwrap());
    let of_small = of_small.last().unwrap();
    assert!(of_large > 40_000 && size(of_small) < 24_576, "{of_large} {}", size(of_small));
    assert_eq!(of_small.max_tokens, Some(2_048));
}
