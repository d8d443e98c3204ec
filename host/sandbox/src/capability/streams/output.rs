//! An output stream that fills a capture. It never waits, never fails, and never holds more than the capture does.

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::Capture;

/// Bytes that one write may hand over.
const PERMIT_BYTES: usize = 64 << 10;

pub(super) struct CapturedStream {
    capture: Capture,
}

impl CapturedStream {
    pub(super) fn new(capture: Capture) -> Self {
        CapturedStream { capture }
    }
}

#[async_trait]
impl Pollable for CapturedStream {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for CapturedStream {
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT_BYTES)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.capture.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}
