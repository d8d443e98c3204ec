//! Bodies on their way: the guest's, which must be finished to be whole, and the server's, which must arrive in time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use wasmtime_wasi_http::{Error, WasiBody};

use super::error::{Failure, Stage};
use super::exchange::Exchange;

/// Whether the guest has said that its body is whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Finished(Arc<AtomicBool>);

impl Finished {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A guest's body that ends well only if the guest finished it. The engine's ends well also when the guest's store goes
/// away in the middle, and a server would take half a document for the whole.
pub(super) struct Whole {
    body: WasiBody,
    finished: Finished,
}

impl Whole {
    pub(super) fn new(body: WasiBody, finished: Finished) -> Self {
        Whole { body, finished }
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() && !self.finished.get() {
            return Poll::Ready(Some(Err(Error::HttpProtocolError)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request. Its end is where the waiting for an answer begins.
pub(super) struct RequestBody {
    body: WasiBody,
    exchange: Arc<Exchange>,
}

impl RequestBody {
    pub(super) fn new(body: WasiBody, exchange: Arc<Exchange>) -> Self {
        RequestBody { body, exchange }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.exchange.request_is_out();
    }
}

/// The body of an answer, as it comes: never decompressed, over at the deadline of the exchange.
pub(super) struct ResponseBody {
    body: hyper::body::Incoming,
    exchange: Arc<Exchange>,
    total: Pin<Box<Sleep>>,
    /// The guest's own wish: the most time between two pieces.
    between: Option<(Duration, Pin<Box<Sleep>>)>,
    ended: bool,
}

impl ResponseBody {
    pub(super) fn new(
        body: hyper::body::Incoming,
        exchange: Arc<Exchange>,
        deadline: Instant,
        between: Option<Duration>,
    ) -> Self {
        let between = between.map(|time| (time, Box::pin(sleep(time))));
        ResponseBody { body, exchange, total: Box::pin(sleep_until(deadline)), between, ended: false }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        self.between.as_mut().is_some_and(|(_, alarm)| alarm.as_mut().poll(cx).is_ready())
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if self.total.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(self.exchange.late(Stage::Total))));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending if self.is_late(cx) => Poll::Ready(Some(Err(Failure::Late(Stage::Between)))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(frame) => {
                if let Some((time, alarm)) = &mut self.between {
                    alarm.as_mut().reset(Instant::now() + *time);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(|error| self.exchange.broken(error))))
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = ready!(self.next(cx));
        self.ended = !matches!(&frame, Some(Ok(_)));
        if let Some(Err(failure)) = &frame {
            self.exchange.fail(failure);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
