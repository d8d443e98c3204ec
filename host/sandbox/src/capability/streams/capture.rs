//! The first bytes and lines of a stream, and the count of what was dropped after them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::receipt::Captured;

/// A shared buffer with a limit on bytes and on lines. Cloning it gives another handle to the same buffer.
#[derive(Clone, Debug)]
pub(crate) struct Capture(Arc<Mutex<Buffer>>);

#[derive(Debug)]
struct Buffer {
    kept: Vec<u8>,
    bytes_left: usize,
    lines_left: u64,
    dropped_bytes: u64,
    dropped_lines: u64,
}

impl Capture {
    pub(crate) fn new(bytes: usize, lines: u64) -> Self {
        Capture(Arc::new(Mutex::new(Buffer {
            kept: Vec::new(),
            bytes_left: bytes,
            lines_left: lines,
            dropped_bytes: 0,
            dropped_lines: 0,
        })))
    }

    /// Takes what still fits and counts the rest. Once something was dropped, everything after it is.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = if buffer.dropped_bytes > 0 { 0 } else { buffer.fitting(bytes) };
        let (kept, dropped) = bytes.split_at(fits);
        buffer.kept.extend_from_slice(kept);
        buffer.bytes_left -= kept.len();
        buffer.lines_left -= lines_in(kept);
        buffer.dropped_bytes += dropped.len() as u64;
        buffer.dropped_lines += lines_in(dropped);
    }

    /// What was kept so far, as text.
    pub(crate) fn peek(&self) -> String {
        let buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&buffer.kept).into_owned()
    }

    pub(crate) fn take(&self) -> Captured {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = std::mem::take(&mut buffer.kept);
        Captured {
            text: String::from_utf8(kept).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
            dropped_bytes: buffer.dropped_bytes,
            dropped_lines: buffer.dropped_lines,
        }
    }
}

impl Buffer {
    /// How many bytes fit both limits.
    fn fitting(&self, bytes: &[u8]) -> usize {
        let by_size = bytes.len().min(self.bytes_left);
        let mut newlines = bytes[..by_size].iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
        match usize::try_from(self.lines_left) {
            Ok(0) => 0,
            Ok(lines) => newlines.nth(lines - 1).unwrap_or(by_size),
            Err(_) => by_size,
        }
    }
}

fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::Capture;

    #[test]
    fn what_fits_is_kept_whole() {
        let capture = Capture::new(100, 10);
        capture.write(b"one\n");
        capture.write(b"two");
        let taken = capture.take();
        assert_eq!((taken.text.as_str(), taken.dropped_bytes, taken.dropped_lines), ("one\ntwo", 0, 0));
    }

    #[test]
    fn bytes_beyond_the_limit_are_counted_and_never_let_in_later() {
        let capture = Capture::new(5, 10);
        capture.write(b"abcdefg");
        capture.write(b"h\n");
        let taken = capture.take();
        assert_eq!((taken.text.as_str(), taken.dropped_bytes, taken.dropped_lines), ("abcde", 4, 1));
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let capture = Capture::new(100, 2);
        capture.write(b"1\n2\n3\n4");
        let taken = capture.take();
        assert_eq!((taken.text.as_str(), taken.dropped_bytes, taken.dropped_lines), ("1\n2\n", 3, 1));
    }
}
