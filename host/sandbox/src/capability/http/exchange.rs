//! The bookkeeping of one exchange: what moved, what it is called in the receipt, and which limit ended it.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use toolcrib_policy::{HttpGrant, LimitName, Refusal};

use super::Http;
use super::check::Checked;
use super::client::Client;
use super::error::{Failure, Stage};
use crate::capability::Capability;
use crate::receipt::{Came, Used, micros};

/// One exchange. Shared by its connection and its bodies.
#[derive(Debug)]
pub(super) struct Exchange {
    client: Arc<Client>,
    method: String,
    target: String,
    grant: HttpGrant,
    began: Instant,
    /// How much of its time is in the receipt, in microseconds.
    counted: AtomicU64,
    listed: AtomicBool,
    /// Whether it has a line of its own as an allowed use.
    allowed: AtomicBool,
    failed: AtomicBool,
    answered: AtomicBool,
    request_out: Notify,
    /// The byte limit that ended the exchange.
    over: OnceLock<LimitName>,
}

impl Exchange {
    pub(super) fn new(client: Arc<Client>, checked: &Checked) -> Self {
        Exchange {
            client,
            method: checked.target.method.to_string(),
            target: checked.target.shown(),
            grant: checked.grant.clone(),
            began: Instant::now(),
            counted: AtomicU64::new(0),
            listed: AtomicBool::new(false),
            allowed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            request_out: Notify::new(),
            over: OnceLock::new(),
        }
    }

    /// Lists the exchange in the receipt. `write`: bytes that may change something are about to leave.
    pub(super) fn list(&self, write: bool) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.allowed.store(true, Ordering::Release);
            self.client.record.allowed(&self.used(), write);
        }
    }

    fn used(&self) -> Used<'_> {
        Used {
            capability: Http::NAME,
            access: &self.method,
            target: &self.target,
            by: Some(&self.grant),
            began: self.began,
        }
    }

    /// Adds to the line of the exchange, with the time that has passed since the last addition.
    fn add(&self, bytes: u64, error: Option<&'static str>) {
        if self.allowed.load(Ordering::Acquire) {
            let now = micros(self.began.elapsed());
            let before = self.counted.fetch_max(now, Ordering::AcqRel);
            let took = Duration::from_micros(now.saturating_sub(before));
            self.client.record.add(&self.used(), Came { bytes, took, error });
        }
    }

    /// Writes the failure into the receipt, once. A refusal has a line of its own.
    pub(super) fn fail(&self, failure: &Failure) {
        if !matches!(failure, Failure::Refused(_)) {
            self.end_with(failure.code());
        }
    }

    fn end_with(&self, error: &'static str) {
        self.list(false);
        if !self.failed.swap(true, Ordering::AcqRel) {
            self.add(0, Some(error));
        }
    }

    /// Lists a refusal, once.
    pub(super) fn refuse(&self, refusal: &Refusal) {
        self.listed.store(true, Ordering::Release);
        self.client.record.refused(Http::NAME, &self.method, &self.target, refusal);
    }

    /// Notes that the exchange was given up before a name was looked up: why has a line of its own.
    pub(super) fn never_left(&self) {
        self.listed.store(true, Ordering::Release);
    }

    fn listed_as_refused(&self) -> bool {
        self.listed.load(Ordering::Acquire) && !self.allowed.load(Ordering::Acquire)
    }

    fn over_limit(&self, name: LimitName) -> Failure {
        let limits = &self.client.authority.limits;
        let most = match name {
            LimitName::HttpOutBytes => limits.http_out.get(),
            LimitName::HeaderBytes => limits.http_header_bytes.get(),
            _ => limits.http_in.get(),
        };
        if self.over.set(name).is_ok() {
            let refusal = self.client.authority.limit_refusal(name);
            self.client.record.refused(Http::NAME, &self.method, &self.target, &refusal);
        }
        Failure::TooLarge(name, most)
    }

    /// The failure of a stage that took all the time that the limits give it.
    pub(super) fn late(&self, stage: Stage) -> Failure {
        let refusal = self.client.authority.limit_refusal(stage.limit());
        self.client.record.refused(Http::NAME, &self.method, &self.target, &refusal);
        Failure::Late(stage)
    }

    /// What an error of the protocol library means.
    pub(super) fn broken(&self, error: hyper::Error) -> Failure {
        match self.over.get() {
            Some(name) => self.over_limit(*name),
            None if error.is_parse_too_large() => self.over_limit(LimitName::HeaderBytes),
            None => Failure::Exchange(error),
        }
    }

    /// Takes `bytes` from what may still be sent.
    pub(super) fn reserve(&self, bytes: usize) -> io::Result<u64> {
        let bytes = bytes as u64;
        match self.client.sent.take(bytes) {
            true => Ok(bytes),
            false => Err(io::Error::other(self.over_limit(LimitName::HttpOutBytes))),
        }
    }

    /// Gives back what was reserved and did not leave.
    pub(super) fn sent(&self, reserved: u64, moved: usize) {
        let moved = moved as u64;
        self.client.sent.give_back(reserved.saturating_sub(moved));
        self.moved(moved);
    }

    /// Counts bytes that came.
    pub(super) fn received(&self, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        self.answered.store(true, Ordering::Release);
        self.moved(bytes as u64);
        match self.client.received.take(bytes as u64) {
            true => Ok(()),
            false => Err(io::Error::other(self.over_limit(LimitName::HttpInBytes))),
        }
    }

    fn moved(&self, bytes: u64) {
        if bytes > 0 {
            self.add(bytes, None);
        }
    }

    /// The last byte of the request was handed to the connection.
    pub(super) fn request_is_out(&self) {
        self.request_out.notify_one();
    }

    /// Ends when the server has said nothing at all for `time` after the request was out.
    pub(super) async fn silence(&self, time: std::time::Duration) {
        self.request_out.notified().await;
        tokio::time::sleep(time).await;
        if self.answered.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Exchange {
    /// An exchange that failed, or was given up, before anything left was a use all the same: a name was looked up,
    /// perhaps a connection tried.
    fn drop(&mut self) {
        match self.answered.load(Ordering::Acquire) || self.listed_as_refused() {
            true => self.add(0, None),
            false => self.end_with("given-up"),
        }
    }
}

/// Bytes that a call may still move in one direction.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Budget(AtomicU64::new(bytes))
    }

    pub(super) fn left(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Takes `bytes`, or nothing if there are not as many.
    fn take(&self, bytes: u64) -> bool {
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(bytes)).is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::AcqRel);
    }
}
