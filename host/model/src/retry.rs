//! Trying again.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Delta, Meter, Model, ModelError, Request, Response, Usage};

/// How often and how long to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many further attempts follow the first.
    pub max_retries: u32,
    /// The most that is waited before the first further attempt; it doubles with each.
    pub base: Duration,
    /// The most that is waited before one attempt, unless the back end asks for more.
    pub cap: Duration,
    /// The most that is waited in all. A back end that asks for a longer wait gets no further attempt.
    pub max_total_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 4,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            // Rate limits are counted by the minute: one full minute, and some room.
            max_total_wait: Duration::from_secs(90),
        }
    }
}

/// Where randomness comes from: a number from 0 up to, and without, 1.
pub type Jitter = Box<dyn Fn() -> f64 + Send + Sync>;

/// A model that tries again when an error is [retryable](ModelError::retryable).
///
/// Waits grow exponentially with full jitter; a wait that the back end asks for is honoured instead. Before
/// each further attempt it tells [`Delta::Retry`], which voids what was delivered, so that an answer cut in
/// the middle can be asked for again. The usage of failed attempts, as far as they told it, is added to that
/// of the answer. Dropping the future ends the wait as well as the exchange.
pub struct Retrying<M> {
    inner: M,
    policy: RetryPolicy,
    jitter: Jitter,
}

impl<M: fmt::Debug> fmt::Debug for Retrying<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying").field("inner", &self.inner).field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<M: Model> Retrying<M> {
    /// Wraps `inner`.
    pub fn new(inner: M, policy: RetryPolicy) -> Self {
        Self::with_jitter(inner, policy, Box::new(fastrand::f64))
    }

    /// Wraps `inner` with randomness of the caller's.
    pub fn with_jitter(inner: M, policy: RetryPolicy, jitter: Jitter) -> Self {
        Self { inner, policy, jitter }
    }

    /// The wait before attempt `attempt + 1`, or nothing if `error` is final.
    fn wait(&self, error: &ModelError, attempt: u32, waited: Duration) -> Option<Duration> {
        if attempt > self.policy.max_retries || !error.retryable() {
            return None;
        }
        let share = (self.jitter)().clamp(0.0, 1.0);
        let wait = match error.retry_after() {
            // Many callers are told the same moment: a tenth more at random keeps them apart.
            Some(asked) => asked.saturating_add(asked.min(self.policy.cap).mul_f64(share / 10.0)),
            None => {
                let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
                self.policy.base.saturating_mul(doubled).min(self.policy.cap).mul_f64(share)
            }
        };
        (waited.saturating_add(wait) <= self.policy.max_total_wait).then_some(wait)
    }
}

#[async_trait]
impl<M: Model> Model for Retrying<M> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn complete(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        self.complete_metered(request, &(), events).await
    }

    async fn complete_metered(
        &self,
        request: &Request,
        meter: &dyn Meter,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        let (mut attempt, mut waited, mut spent) = (0_u32, Duration::ZERO, Usage::default());
        loop {
            attempt = attempt.saturating_add(1);
            let mut this_attempt = Usage::default();
            let result = self
                .inner
                .complete_metered(request, meter, &mut |delta| {
                    if let Delta::Usage { usage } = &delta {
                        this_attempt = *usage;
                    }
                    events(delta);
                })
                .await;
            let error = match result {
                Ok(mut response) => {
                    response.usage += spent;
                    return Ok(response);
                }
                Err(error) => error,
            };
            let Some(wait) = self.wait(&error, attempt, waited) else {
                return Err(error);
            };
            tracing::debug!(model = self.name(), attempt, wait_ms = wait.as_millis(), code = error.code(), "retry");
            events(Delta::Retry { attempt, wait, reason: error.to_string() });
            spent += this_attempt;
            waited = waited.saturating_add(wait);
            tokio::time::sleep(wait).await;
        }
    }
}
