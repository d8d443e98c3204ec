//! The sender of one call: admits requests, and carries each through its exchange under the limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Response, StatusCode, request};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use toolcrib_policy::{Authority, IdempotencyKey, LimitName, Limits, Refusal, RefusalCode};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi_http::{RequestOptions, WasiBody};

use super::Http;
use super::body::{RequestBody, ResponseBody};
use super::check::{self, Checked};
use super::connect;
use super::credential::{self, Attached, Vault};
use super::error::{Failure, Stage};
use super::exchange::{Budget, Exchange};
use super::meter::Metered;
use super::network::Network;
use super::rates::{self, Rates};
use crate::call::Record;
use crate::capability::Capability;

/// Headers in one answer. Servers send some dozens; the parser holds a table of this many.
const MAX_HEADERS: usize = 128;

/// What the protocol library buffers of one connection: its own minimum, or one head, if that may be larger.
const MIN_BUFFER: usize = 8192;

/// The sender of one call. All its exchanges draw on the same counts.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) authority: Arc<Authority>,
    pub(super) record: Arc<Record>,
    network: Arc<dyn Network>,
    vault: Arc<dyn Vault>,
    rates: Arc<dyn Rates>,
    key: Option<IdempotencyKey>,
    /// Requests that a key was given to.
    keyed: AtomicU64,
    pub(super) parallel: Arc<Semaphore>,
    requests: AtomicU64,
    pub(super) sent: Budget,
    pub(super) received: Budget,
}

/// An answer whose body is still on its way, and the task that brings it. Dropping the task closes the connection.
pub(super) type Answer = (Response<WasiBody>, AbortOnDropJoinHandle<()>);

impl Client {
    pub(super) fn new(
        authority: Arc<Authority>,
        record: Arc<Record>,
        network: Arc<dyn Network>,
        vault: Arc<dyn Vault>,
        rates: Arc<dyn Rates>,
    ) -> Self {
        let limits = &authority.limits;
        let parallel = limits.http_parallel.as_usize().min(Semaphore::MAX_PERMITS);
        Client {
            parallel: Arc::new(Semaphore::new(parallel)),
            requests: AtomicU64::new(0),
            sent: Budget::new(limits.http_out.get()),
            received: Budget::new(limits.http_in.get()),
            authority,
            record,
            network,
            vault,
            rates,
            key: None,
            keyed: AtomicU64::new(0),
        }
    }

    /// The sender of a call that has this key.
    pub(super) fn with_key(self, key: Option<IdempotencyKey>) -> Self {
        Client { key, ..self }
    }

    /// Checks a request, and counts it if it may be sent. Nothing has happened outside when this returns.
    pub(super) fn admit(&self, parts: &request::Parts) -> Result<Checked, Failure> {
        let shown = || {
            let uri = &parts.uri;
            let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
            check::shown_unchecked(uri.scheme_str().unwrap_or_default(), authority, uri.path())
        };
        check::check(&self.authority, parts)
            .and_then(|checked| self.keyed(checked))
            .and_then(|checked| self.count(checked))
            .map_err(|refusal| {
                self.record.refused(Http::NAME, parts.method.as_str(), &shown(), &refusal);
                Failure::Refused(refusal)
            })
    }

    /// Gives a request that may change something its key, where the line that allows it says so. Whatever the guest wrote
    /// there is not sent.
    fn keyed(&self, mut checked: Checked) -> Result<Checked, Refusal> {
        let Some(header) = checked.grant.key().filter(|_| checked.is_write()).cloned() else { return Ok(checked) };
        let key = self.key.as_ref().map(|key| key.of_request(self.keyed.fetch_add(1, Ordering::Relaxed)));
        if !key.is_some_and(|key| checked.set(header.name(), key.as_str())) {
            let message =
                format!("`{}` allows requests with an idempotency key, and this call has none", checked.grant);
            return Err(Refusal::new(RefusalCode::NetDenied, message));
        }
        if checked.is_too_large(&self.authority) {
            return Err(self.authority.limit_refusal(LimitName::HeaderBytes));
        }
        Ok(checked)
    }

    fn count(&self, checked: Checked) -> Result<Checked, Refusal> {
        let limits = &self.authority.limits;
        let bytes = checked.head_bytes().saturating_add(checked.declared_length());
        if bytes > self.sent.left() {
            return Err(self.authority.limit_refusal(LimitName::HttpOutBytes));
        }
        if self.requests.fetch_add(1, Ordering::Relaxed) >= limits.http_requests.get() {
            return Err(self.authority.limit_refusal(LimitName::HttpRequestCount));
        }
        Ok(checked)
    }

    /// Sends an admitted request. Redirects are answers like any other.
    pub(super) async fn send(
        self: Arc<Self>,
        checked: Checked,
        body: WasiBody,
        options: RequestOptions,
    ) -> Result<Answer, Failure> {
        // Held until the answer begins or this future is dropped, so that a call which ends meanwhile waits for that, and
        // its receipt has the exchange. Declared first: dropped last.
        let begun = self.record.begin_write();
        let deadline = Instant::now() + self.authority.limits.http_total.get();
        let exchange = Arc::new(Exchange::new(self.clone(), &checked));
        let waiting = timeout_at(deadline, self.parallel.clone().acquire_owned()).await;
        let permit = match waiting {
            Ok(Ok(permit)) => permit,
            // Nobody closes the semaphore.
            Ok(Err(_)) | Err(_) => {
                let late = exchange.late(Stage::Queue);
                exchange.fail(&late);
                return Err(late);
            }
        };
        let work = self.carry(&exchange, checked, body, permit, options, deadline);
        let answer = timeout_at(deadline, work).await.unwrap_or_else(|_| Err(exchange.late(Stage::Total)));
        let answer = answer.inspect_err(|failure| exchange.fail(failure));
        drop(exchange);
        drop(begun);
        answer
    }

    async fn carry(
        &self,
        exchange: &Arc<Exchange>,
        mut checked: Checked,
        body: WasiBody,
        permit: OwnedSemaphorePermit,
        options: RequestOptions,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let limits = &self.authority.limits;
        rates::take(&*self.rates, &self.authority, &checked.target).await.inspect_err(|failure| {
            if let Failure::Refused(refusal) = failure {
                exchange.refuse(refusal);
            }
        })?;
        let attached = credential::attach(&self.authority, &*self.vault, &self.record, &mut checked, body).await;
        let Attached { body, mask, references } = attached.inspect_err(|_| exchange.never_left())?;
        let connect = Wait::new(limits.http_connect.get(), options.connect_timeout);
        let until = (Instant::now() + connect.time).min(deadline);
        let opened = connect::open(&*self.network, &self.authority, &checked, until).await;
        let connection = opened.map_err(|failure| match failure {
            Failure::Refused(refusal) => {
                exchange.refuse(&refusal);
                Failure::Refused(refusal)
            }
            Failure::Late(stage) if connect.is_limit => exchange.late(stage),
            other => other,
        })?;
        let io = TokioIo::new(Metered::new(connection, exchange.clone()));
        let (mut sender, driver) = protocol(limits).handshake(io).await?;
        let worker = spawn(async move {
            // What goes wrong from here on reaches the guest through the answer or its body.
            if let Ok(Err(error)) = timeout_at(deadline, driver).await {
                tracing::debug!(%error, "a connection ended with an error");
            }
            drop(permit);
        });
        // From here on bytes leave.
        exchange.list(checked.is_write());
        let request = checked.into_request(RequestBody::new(body, exchange.clone()));
        let first = Wait::new(limits.http_first_byte.get(), options.first_byte_timeout);
        let answer = tokio::select! {
            answer = sender.send_request(request) => answer.map_err(|error| exchange.broken(error))?,
            () = exchange.silence(first.time) => return Err(match first.is_limit {
                true => exchange.late(Stage::FirstByte),
                false => Failure::Late(Stage::FirstByte),
            }),
        };
        if answer.status() == StatusCode::UNAUTHORIZED {
            for reference in &references {
                self.vault.rejected(reference).await;
            }
        }
        let between = options.between_bytes_timeout;
        let answer = answer.map(|body| ResponseBody::new(body, exchange.clone(), deadline, between));
        let answer = match mask {
            None => answer.map(BodyExt::boxed_unsync),
            Some(mask) => credential::masked(answer, &mask)?,
        };
        Ok((answer, worker))
    }
}

/// HTTP/1.1 under the limits of a call.
fn protocol(limits: &Limits) -> http1::Builder {
    let head = limits.http_header_bytes.as_usize();
    let mut protocol = http1::Builder::new();
    protocol.max_headers(MAX_HEADERS).max_header_size(head).max_buf_size(head.max(MIN_BUFFER));
    protocol
}

/// How long to wait: the limit, or less where the guest wants less.
struct Wait {
    time: Duration,
    is_limit: bool,
}

impl Wait {
    fn new(limit: Duration, wish: Option<Duration>) -> Self {
        match wish {
            Some(time) if time < limit => Wait { time, is_limit: false },
            _ => Wait { time: limit, is_limit: true },
        }
    }
}
