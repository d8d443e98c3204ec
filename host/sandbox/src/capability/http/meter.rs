//! Counts what moves on a connection, inside TLS: request lines, headers, framing and bodies, in both directions.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::Exchange;
use super::network::Connection;

/// A connection of one exchange, under the byte limits of the call.
pub(super) struct Metered {
    connection: Box<dyn Connection>,
    exchange: Arc<Exchange>,
}

impl Metered {
    pub(super) fn new(connection: Box<dyn Connection>, exchange: Arc<Exchange>) -> Self {
        Metered { connection, exchange }
    }
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.connection).poll_read(cx, buf))?;
        Poll::Ready(self.exchange.received(buf.filled().len() - before))
    }
}

impl AsyncWrite for Metered {
    /// Counts first and writes then, so that nothing above the limit leaves.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let reserved = self.exchange.reserve(buf.len())?;
        let written = Pin::new(&mut self.connection).poll_write(cx, buf);
        let moved = match &written {
            Poll::Ready(Ok(moved)) => *moved,
            _ => 0,
        };
        self.exchange.sent(reserved, moved);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
