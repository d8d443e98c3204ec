//! The trait that a planner or a critic sees.

use async_trait::async_trait;

use crate::meter::metered;
use crate::{Delta, Meter, ModelError, Request, Response};

/// Something that completes a conversation: a hosted model, a local one, or a script in a test.
#[async_trait]
pub trait Model: Send + Sync {
    /// Which model this is, as `wire:model` (`openai:gpt-5`). It stands in the ledger beside each exchange.
    fn name(&self) -> &str;

    /// Answers one request.
    ///
    /// `events` receives the answer while it arrives and is for display and metering only: the returned
    /// [`Response`] is complete in itself. After a [`Delta::Retry`] everything delivered before it is void.
    ///
    /// Dropping the future cancels the exchange and closes its connection.
    ///
    /// # Errors
    ///
    /// Any [`ModelError`]. An answer that was cut short, or that holds neither text nor a tool call, is an
    /// error and never a short success.
    async fn complete(&self, request: &Request, events: &mut (dyn FnMut(Delta) + Send))
    -> Result<Response, ModelError>;

    /// The same, with a word to `meter` before and after each request that is really sent. A model that sends several
    /// for one answer says so for each.
    ///
    /// # Errors
    ///
    /// As [`Model::complete`], and what the meter answers.
    async fn complete_metered(
        &self,
        request: &Request,
        meter: &dyn Meter,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        metered(self, request, meter, events).await
    }
}

#[async_trait]
impl<M: Model + ?Sized> Model for Box<M> {
    fn name(&self) -> &str {
        (**self).name()
    }

    async fn complete(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        (**self).complete(request, events).await
    }

    async fn complete_metered(
        &self,
        request: &Request,
        meter: &dyn Meter,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        (**self).complete_metered(request, meter, events).await
    }
}

#[async_trait]
impl<M: Model + ?Sized> Model for std::sync::Arc<M> {
    fn name(&self) -> &str {
        (**self).name()
    }

    async fn complete(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        (**self).complete(request, events).await
    }

    async fn complete_metered(
        &self,
        request: &Request,
        meter: &dyn Meter,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        (**self).complete_metered(request, meter, events).await
    }
}
