//! Standard output, whose failures are not lost.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use super::errln;
use crate::exit;

/// The first failure. What comes after it is not written: a result with a hole is worse than one that ends.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

fn note(write: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = write(&mut io::stdout().lock()).err();
    }
}

/// Prints a line. Whether that worked is known at the end: see [`finish`].
pub(crate) fn print_line(line: fmt::Arguments<'_>) {
    note(|out| writeln!(out, "{line}"));
}

/// Prints bytes as they are.
pub(crate) fn print_raw(bytes: &[u8]) {
    note(|out| out.write_all(bytes));
}

/// The exit code of the process: that of the command, unless its results could not be written. A closed pipe is no
/// failure: the reader has seen enough.
pub(crate) fn finish(code: ExitCode) -> ExitCode {
    note(|out| out.flush());
    let failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    match failed.as_ref() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            errln!("error: the result could not be written to standard output: {error}");
            ExitCode::from(exit::HOST)
        }
        _ => code,
    }
}
