//! Writing down what a model answers.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use super::line::{self, MAX_BYTES, Written};
use crate::files::Named;
use crate::{Delta, FileError, Meter, Model, ModelError, Request, Response};

/// A model whose exchanges are appended to a file, one line of JSON each.
///
/// A line holds the request, the response or the error, and how long it took; keys and headers are no part of
/// either. Text that a person or a tool gave is, so that the file is made for its owner alone. Lines are whole:
/// several recorders, also in several processes, can append to one file. An answer that cannot be recorded is an
/// error, so that no recording has a hole; a caller who drops the future leaves no line.
#[derive(Debug)]
pub struct Recorder<M> {
    inner: M,
    path: PathBuf,
    file: Mutex<File>,
}

impl<M: Model> Recorder<M> {
    /// Records what `inner` answers at the end of the file at `path`, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// [`FileError`] where the file cannot be opened, or holds something else than a recording of this version.
    pub fn open(inner: M, path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        let named = Named { kind: "recording", path: &path };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| named.access("written", &error))?;
        check(named, &mut file)?;
        Ok(Self { inner, path, file: Mutex::new(file) })
    }

    /// Appends one exchange. The file is local and a line is written at once, so that a thread hardly waits.
    fn record(&self, exchange: &Written<'_>) -> Result<(), ModelError> {
        let failed = |detail: String| ModelError::NotRecorded { file: self.path.display().to_string(), detail };
        let line = exchange.to_line().map_err(|error| failed(error.to_string()))?;
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        append(&file, &line).map_err(|error| failed(error.to_string()))
    }
}

/// Appends `line` as a whole, or nothing.
fn append(mut file: &File, line: &[u8]) -> io::Result<()> {
    file.lock()?;
    let written = (|| {
        let before = file.metadata()?.len();
        if before.saturating_add(line.len() as u64) > MAX_BYTES {
            return Err(io::Error::other(format!("it would have more than {MAX_BYTES} bytes")));
        }
        file.write_all(line).and_then(|()| file.flush()).inspect_err(|_| {
            // Half a line would spoil what comes after it; where this fails too, reading says so.
            let _ = file.set_len(before);
        })
    })();
    file.unlock()?;
    written
}

/// Whether lines can be appended: the file is empty, or begins as a recording and ends with a whole line.
fn check(named: Named<'_>, file: &mut File) -> Result<(), FileError> {
    let unreadable = |error: io::Error| named.access("read", &error);
    file.lock_shared().map_err(unreadable)?;
    let checked = check_locked(named, file);
    file.unlock().map_err(unreadable)?;
    checked
}

fn check_locked(named: Named<'_>, file: &mut File) -> Result<(), FileError> {
    let unreadable = |error: io::Error| named.access("read", &error);
    let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    if length == 0 {
        return Ok(());
    }
    if length > MAX_BYTES {
        return Err(named.too_large(MAX_BYTES));
    }
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut first = Vec::new();
    BufReader::new(&*file).take(MAX_BYTES).read_until(b'\n', &mut first).map_err(unreadable)?;
    let whole = first.strip_suffix(b"\n").unwrap_or(&first);
    let parsed = match std::str::from_utf8(whole) {
        Ok(text) => line::parse(text).map(drop),
        Err(error) => Err((error.to_string(), String::new())),
    };
    if let Err((problem, _)) = parsed {
        return Err(named.invalid(1, format!("this is no recording: {problem}"), "record into another file"));
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(unreadable)?;
    if last != [b'\n'] {
        let line = lines(file).map_err(unreadable)?;
        return Err(cut(named, line));
    }
    Ok(())
}

/// How many lines there are, a cut one included.
fn lines(file: &mut File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut count = 0;
    for line in BufReader::new(&*file).split(b'\n') {
        line?;
        count += 1;
    }
    Ok(count)
}

/// A last line without its end.
pub(super) fn cut(named: Named<'_>, line: u64) -> FileError {
    named.invalid(line, "the line has no end: it was cut while it was written", "remove the line")
}

#[async_trait]
impl<M: Model> Model for Recorder<M> {
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
        let begin = Instant::now();
        let outcome = self.inner.complete_metered(request, meter, events).await;
        if matches!(outcome, Err(ModelError::NotSent { .. })) {
            // No model said this.
            return outcome;
        }
        self.record(&Written::new(self.inner.name(), request, &outcome, begin.elapsed()))?;
        outcome
    }
}
