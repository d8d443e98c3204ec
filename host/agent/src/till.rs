//! The till: where money is set aside before it is spent, and where it is counted afterwards.
//!
//! ```text
//! planner, judge, tool ─► meter ─► till ─► driver ─► ModelAsked (reserved) ─► the request is sent
//!                                                └─► ModelAnswered (settled) ◄─ what it really cost
//! ```
//!
//! Whoever sends a request has a [`Meter`] of the run's till. The driver records both events, so that a run that was cut off
//! between them knows what it may have spent.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use toolcrib_model::{Meter, ModelError, Request, Ticket, Usage};
use toolcrib_policy::Prices;

use crate::NodeId;

/// What a model may write where a request does not say: what back ends take that demand a figure.
const OUTPUT_TOKENS: u64 = 8_192;

/// What back ends add to a request of their own, in tokens: instructions about tools, marks between messages.
const OWN_TOKENS: u64 = 1_024;

/// The till of one run.
#[derive(Debug)]
pub struct Till {
    pub(crate) prices: Arc<Prices>,
    send: mpsc::UnboundedSender<Word>,
    pub(crate) words: mpsc::UnboundedReceiver<Word>,
}

/// What is said at the till.
#[derive(Debug)]
pub(crate) enum Word {
    /// A request is about to be sent.
    Begin { node: NodeId, model: String, worst: Usage, reply: oneshot::Sender<Result<u64, String>> },
    /// It is over.
    Over {
        request: u64,
        usage: Usage,
        failed: Option<&'static str>,
        /// Nobody can tell what it cost.
        unsure: bool,
        /// None where nobody waits.
        reply: Option<oneshot::Sender<()>>,
    },
}

impl Default for Till {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Till {
    /// A till with these prices.
    pub fn new(prices: Arc<Prices>) -> Self {
        let (send, words) = mpsc::unbounded_channel();
        Self { prices, send, words }
    }

    /// The meter for requests that are made for this goal, or by this step.
    pub fn meter(&self, node: NodeId) -> Arc<dyn Meter> {
        Arc::new(Metering { node, till: self.send.clone() })
    }

    /// What makes meters, where the node is known later.
    pub fn meters(&self) -> Meters {
        Meters(self.send.clone())
    }
}

/// Makes meters of one till.
#[derive(Debug, Clone)]
pub struct Meters(mpsc::UnboundedSender<Word>);

impl Meters {
    /// The meter for requests that are made for this goal, or by this step.
    pub fn of(&self, node: NodeId) -> Arc<dyn Meter> {
        Arc::new(Metering { node, till: self.0.clone() })
    }
}

/// The most that a request can use. A token is never less than a byte of what is sent.
pub(crate) fn worst(request: &Request) -> Usage {
    let bytes = serde_json::to_vec(request).map_or(usize::MAX, |json| json.len());
    let input = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(OWN_TOKENS);
    Usage { input, output: request.max_tokens.map_or(OUTPUT_TOKENS, u64::from), cached: 0 }
}

struct Metering {
    node: NodeId,
    till: mpsc::UnboundedSender<Word>,
}

#[async_trait]
impl Meter for Metering {
    async fn begin(&self, model: &str, request: &Request) -> Result<Ticket, ModelError> {
        let over = || ModelError::NotSent { detail: "the run is over".to_owned() };
        let (reply, answer) = oneshot::channel();
        let word = Word::Begin { node: self.node, model: model.to_owned(), worst: worst(request), reply };
        self.till.send(word).map_err(|_| over())?;
        match answer.await {
            Ok(Ok(request)) => Ok(Ticket(request)),
            Ok(Err(detail)) => Err(ModelError::NotSent { detail }),
            Err(_) => Err(over()),
        }
    }

    async fn over(&self, ticket: Ticket, usage: Usage, error: Option<&ModelError>) {
        let (reply, answer) = oneshot::channel();
        let (failed, unsure) = (error.map(ModelError::code), error.is_some_and(ModelError::may_have_cost));
        // Where nobody listens any more, the run is over and the reservation stands for what it cost.
        if self.till.send(Word::Over { request: ticket.0, usage, failed, unsure, reply: Some(reply) }).is_ok() {
            let _ = answer.await;
        }
    }

    fn dropped(&self, ticket: Ticket) {
        let (usage, failed) = (Usage::default(), Some("cancelled"));
        let _ = self.till.send(Word::Over { request: ticket.0, usage, failed, unsure: true, reply: None });
    }
}
