//! Who is told of every request before it is sent, and of what it cost.

use async_trait::async_trait;

use crate::{Delta, Model, ModelError, Request, Response, Usage};

/// One request, as a [`Meter`] knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Stands between a model and each request that is really sent, further attempts included.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Asks whether `request` may be sent to the model of this name.
    ///
    /// # Errors
    ///
    /// It may not; nothing is sent, and the error is the answer.
    async fn begin(&self, model: &str, request: &Request) -> Result<Ticket, ModelError>;

    /// The request is over: with an answer that cost `usage`, or with `error`, and the usage that was told until then.
    /// It returns once that is known for good.
    async fn over(&self, ticket: Ticket, usage: Usage, error: Option<&ModelError>);

    /// Whoever waited for the answer has given up: what it cost will never be told.
    fn dropped(&self, ticket: Ticket) {
        let _ = ticket;
    }
}

/// Says that an exchange was given up, where it was.
struct Exchange<'m> {
    meter: &'m dyn Meter,
    ticket: Option<Ticket>,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.meter.dropped(ticket);
        }
    }
}

/// Nobody counts.
#[async_trait]
impl Meter for () {
    async fn begin(&self, _model: &str, _request: &Request) -> Result<Ticket, ModelError> {
        Ok(Ticket(0))
    }

    async fn over(&self, _ticket: Ticket, _usage: Usage, _error: Option<&ModelError>) {}
}

/// Sends one request, with a word before and after it.
pub(crate) async fn metered<M: Model + ?Sized>(
    model: &M,
    request: &Request,
    meter: &dyn Meter,
    events: &mut (dyn FnMut(Delta) + Send),
) -> Result<Response, ModelError> {
    let ticket = meter.begin(model.name(), request).await?;
    let mut exchange = Exchange { meter, ticket: Some(ticket) };
    let mut told = Usage::default();
    let result = model
        .complete(request, &mut |delta| {
            if let Delta::Usage { usage } = &delta {
                told = *usage;
            }
            events(delta);
        })
        .await;
    exchange.ticket = None;
    match &result {
        Ok(response) => meter.over(ticket, response.usage, None).await,
        Err(error) => meter.over(ticket, told, Some(error)).await,
    }
    result
}
