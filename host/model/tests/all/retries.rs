//! Trying again, with time and randomness in the test's hands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use toolcrib_model::{
    Delta, Message, Meter, Model, ModelError, Request, Response, RetryPolicy, Retrying, StopReason, Ticket, Usage,
    connect,
};

use crate::answers::ANSWERS;
use crate::server::{Server, config, status, stream};

type Outcome = Result<Response, ModelError>;

/// Plays outcomes in order; each attempt delivers a text and a usage first.
struct Script {
    outcomes: Mutex<Vec<Outcome>>,
    attempts: AtomicU32,
}

impl Script {
    fn new(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut outcomes: Vec<Outcome> = outcomes.into_iter().collect();
        outcomes.reverse();
        Self { outcomes: Mutex::new(outcomes), attempts: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Model for Script {
    fn name(&self) -> &str {
        "script"
    }

    async fn complete(&self, _: &Request, events: &mut (dyn FnMut(Delta) + Send)) -> Outcome {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        events(Delta::Text { text: format!("attempt {attempt}") });
        events(Delta::Usage { usage: Usage { input: 10, output: 1, cached: 0 } });
        self.outcomes.lock().unwrap().pop().expect("no outcome is left")
    }
}

fn answer() -> Outcome {
    Ok(Response {
        text: Some("done".into()),
        tool_calls: vec![],
        stop: StopReason::End,
        usage: Usage { input: 10, output: 5, cached: 0 },
        continuation: None,
    })
}

fn limited(retry_after: Option<u64>) -> Outcome {
    Err(ModelError::RateLimited { detail: "slow".into(), retry_after: retry_after.map(Duration::from_secs) })
}

fn cut() -> Outcome {
    Err(ModelError::CutStream { detail: "x".into() })
}

fn policy() -> RetryPolicy {
    RetryPolicy {
        max_retries: 3,
        base: Duration::from_secs(1),
        cap: Duration::from_secs(3),
        max_total_wait: Duration::from_secs(60),
    }
}

/// The outcome, the attempts, the waits that were announced, and the time that passed.
async fn run(jitter: f64, outcomes: impl IntoIterator<Item = Outcome>) -> (Outcome, u32, Vec<Duration>, Duration) {
    let model = std::sync::Arc::new(Script::new(outcomes));
    let retrying = Retrying::with_jitter(std::sync::Arc::clone(&model), policy(), Box::new(move || jitter));
    let (begin, mut waits) = (Instant::now(), Vec::new());
    let result = retrying
        .complete(&Request::default(), &mut |delta| {
            if let Delta::Retry { wait, .. } = delta {
                waits.push(wait);
            }
        })
        .await;
    (result, model.attempts.load(Ordering::SeqCst), waits, begin.elapsed())
}

fn secs(all: &[u64]) -> Vec<Duration> {
    all.iter().map(|s| Duration::from_secs(*s)).collect()
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_the_cap_and_jitter_takes_a_share_of_them() {
    let (result, attempts, waits, passed) = run(1.0, [cut(), cut(), cut(), answer()]).await;
    assert!(result.is_ok());
    assert_eq!((attempts, waits), (4, secs(&[1, 2, 3])));
    assert_eq!(passed.as_secs(), 6);
    let (_, _, waits, _) = run(0.5, [cut(), cut(), answer()]).await;
    assert_eq!(waits, [Duration::from_millis(500), Duration::from_secs(1)]);
    let (_, _, waits, _) = run(0.0, [cut(), answer()]).await;
    assert_eq!(waits, secs(&[0]));
}

#[tokio::test(start_paused = true)]
async fn what_the_back_end_asks_for_is_waited_and_never_less() {
    let (result, _, waits, passed) = run(0.0, [limited(Some(20)), limited(Some(5)), answer()]).await;
    assert!(result.is_ok());
    assert_eq!(waits, secs(&[20, 5]));
    assert_eq!(passed.as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_total_is_not_begun() {
    let (result, attempts, _, passed) = run(0.0, [limited(Some(40)), limited(Some(40)), answer()]).await;
    assert_eq!(result, limited(Some(40)));
    assert_eq!((attempts, passed.as_secs()), (2, 40));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_attempts_is_bounded() {
    let (result, attempts, ..) = run(0.1, [cut(), cut(), cut(), cut()]).await;
    assert_eq!((result, attempts), (cut(), 4));
}

#[tokio::test(start_paused = true)]
async fn what_waiting_cannot_mend_is_not_tried_again() {
    let detail = || "x".to_owned();
    for error in [
        ModelError::Auth { detail: detail(), advice: detail() },
        ModelError::BadRequest { detail: detail() },
        ModelError::ContextTooLong { detail: detail() },
        ModelError::QuotaExhausted { detail: detail() },
        ModelError::Empty { stop: StopReason::MaxTokens },
    ] {
        let (result, attempts, ..) = run(1.0, [Err(error.clone())]).await;
        assert_eq!((result, attempts), (Err(error), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_attempts_spent_is_counted() {
    let (result, ..) = run(0.0, [cut(), cut(), answer()]).await;
    assert_eq!(result.unwrap().usage, Usage { input: 30, output: 7, cached: 0 });
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_ends_the_wait() {
    let model = std::sync::Arc::new(Script::new([limited(Some(30)), answer()]));
    let retrying = Retrying::new(std::sync::Arc::clone(&model), policy());
    let request = Request::default();
    let (begin, mut ignore) = (Instant::now(), |_| {});
    let exchange = retrying.complete(&request, &mut ignore);
    assert!(tokio::time::timeout(Duration::from_secs(2), exchange).await.is_err());
    assert_eq!(begin.elapsed().as_secs(), 2);
    assert_eq!(model.attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connected_model_gets_over_a_failure_and_a_cut_on_every_wire() {
    for (wire, content_type, body) in ANSWERS {
        let server = Server::play(vec![
            status(500, "retry-after-ms: 5\r\n", "{}"),
            stream(content_type, &body[..body.find("🦀").unwrap()]),
            stream(content_type, body),
        ])
        .await;
        let mut config = config(wire, &server.origin);
        config.retry = RetryPolicy { base: Duration::from_millis(2), ..policy() };
        let model = connect(config.into()).unwrap();
        let (mut text, mut retries) = (String::new(), 0);
        let request = Request { messages: vec![Message::user("hello")], ..Request::default() };
        let result = model
            .complete(&request, &mut |delta| match delta {
                Delta::Text { text: more } => text.push_str(&more),
                Delta::Retry { .. } => {
                    retries += 1;
                    text.clear();
                }
                _ => {}
            })
            .await;
        assert_eq!(result.unwrap().text.as_deref(), Some("Grüße 🦀"), "{wire}");
        assert_eq!((text.as_str(), retries, server.asked().len()), ("Grüße 🦀", 2, 3), "{wire}");
    }
}

/// Lets so many requests be sent, and keeps what it is told.
struct Counting {
    most: u64,
    begun: Mutex<u64>,
    over: Mutex<Vec<(u64, u64, Option<&'static str>)>>,
}

#[async_trait]
impl Meter for Counting {
    async fn begin(&self, _: &str, _: &Request) -> Result<Ticket, ModelError> {
        let mut begun = self.begun.lock().unwrap();
        if *begun == self.most {
            return Err(ModelError::NotSent { detail: "no more".into() });
        }
        *begun += 1;
        Ok(Ticket(*begun))
    }

    async fn over(&self, ticket: Ticket, usage: Usage, error: Option<&ModelError>) {
        self.over.lock().unwrap().push((ticket.0, usage.output, error.map(ModelError::code)));
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_metered_and_none_is_sent_that_the_meter_keeps_back() {
    for (most, told) in [(3, "ok"), (2, "not-sent")] {
        let model = std::sync::Arc::new(Script::new([limited(None), cut(), answer()]));
        // Boxes and shared models pass it on.
        let retrying = Retrying::with_jitter(std::sync::Arc::clone(&model), policy(), Box::new(|| 0.5));
        let retrying: Box<dyn Model> = Box::new(std::sync::Arc::new(retrying));
        let meter = Counting { most, begun: Mutex::new(0), over: Mutex::default() };
        let result = retrying.complete_metered(&Request::default(), &meter, &mut |_| {}).await;
        assert_eq!(result.map_or_else(|error| error.code(), |_| "ok"), told);
        assert_eq!(u64::from(model.attempts.load(Ordering::SeqCst)), most);
        let expected = [(1, 1, Some("rate-limited")), (2, 1, Some("cut-stream")), (3, 5, None)];
        assert_eq!(*meter.over.lock().unwrap(), expected[..usize::try_from(most).unwrap()]);
    }
}
