//! Answering from a recording.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::difference::{self, Canonical, Digest};
use super::line::{self, MAX_BYTES};
use super::recorder::cut;
use crate::files::{self, Named};
use crate::{Delta, FileError, Model, ModelError, Request, Response, deliver};

/// A model that answers as another did while a [`Recorder`](crate::Recorder) listened.
///
/// A request is known by its content; equal ones get their answers in the order in which they were recorded, errors
/// included. A request that is not in the recording, or is asked more often than it was, gets
/// [`ModelError::OffScript`], which names the nearest recorded one and where it differs. Answers come at once.
#[derive(Debug)]
pub struct ReplayModel {
    name: String,
    path: PathBuf,
    exchanges: Vec<Exchange>,
    /// For each request, which of `exchanges` are to come.
    waiting: Mutex<HashMap<Digest, VecDeque<usize>>>,
}

#[derive(Debug)]
struct Exchange {
    line: u64,
    request: Value,
    outcome: Result<Response, ModelError>,
}

impl ReplayModel {
    /// Reads the recording at `path`. Its name is `replay:` and the file's name without extension.
    ///
    /// # Errors
    ///
    /// [`FileError`] where the file cannot be read, or a line is no exchange.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        let named = Named { kind: "recording", path: &path };
        let file = File::open(&path).map_err(|error| named.access("read", &error))?;
        // A recorder may be at work: what stands before its line is whole.
        file.lock_shared().map_err(|error| named.access("read", &error))?;
        Self::read(path, file)
    }

    /// Reads a recording from `from`; `path` is what its messages and its name call it.
    ///
    /// # Errors
    ///
    /// [`FileError`] as for [`ReplayModel::open`].
    pub fn read(path: impl Into<PathBuf>, from: impl Read) -> Result<Self, FileError> {
        let path = path.into();
        let named = Named { kind: "recording", path: &path };
        let mut from = BufReader::new(from.take(MAX_BYTES.saturating_add(1)));
        let (mut exchanges, mut waiting) = (Vec::new(), HashMap::<Digest, VecDeque<usize>>::new());
        let (mut number, mut total) = (0, 0_u64);
        loop {
            let mut bytes = Vec::new();
            let length = from.read_until(b'\n', &mut bytes).map_err(|error| named.access("read", &error))?;
            if length == 0 {
                break;
            }
            number += 1;
            total = total.saturating_add(length as u64);
            if total > MAX_BYTES {
                return Err(named.too_large(MAX_BYTES));
            }
            if bytes.pop() != Some(b'\n') {
                return Err(cut(named, number));
            }
            let text = String::from_utf8(bytes)
                .map_err(|_| named.invalid(number, "these bytes are not UTF-8", "record it again"))?;
            let (request, outcome) =
                line::parse(&text).map_err(|(problem, advice)| named.invalid(number, problem, advice))?;
            let Canonical { value, digest } =
                Canonical::of(&request).map_err(|error| named.invalid(number, error.to_string(), "record it again"))?;
            waiting.entry(digest).or_default().push_back(exchanges.len());
            exchanges.push(Exchange { line: number, request: value, outcome });
        }
        if exchanges.is_empty() {
            return Err(named.invalid(1, "the recording is empty", "record at least one exchange"));
        }
        Ok(Self { name: files::name("replay", &path), path, exchanges, waiting: Mutex::new(waiting) })
    }

    /// The lines whose answers were not asked for, in order.
    pub fn unused(&self) -> Vec<u64> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<u64> = waiting.values().flatten().map(|index| self.exchanges[*index].line).collect();
        lines.sort_unstable();
        lines
    }

    /// The next answer to `request`.
    fn choose(&self, request: &Request) -> Result<&Exchange, ModelError> {
        let file = self.path.display();
        let canonical = Canonical::of(request).map_err(|error| ModelError::OffScript {
            detail: format!("the request cannot be looked up in `{file}`: {error}"),
            advice: "change the request".to_owned(),
        })?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get_mut(&canonical.digest).map(VecDeque::pop_front) {
            Some(Some(index)) => Ok(&self.exchanges[index]),
            Some(None) => {
                let equal = self.exchanges.iter().filter(|exchange| exchange.request == canonical.value);
                let lines: Vec<String> = equal.map(|exchange| exchange.line.to_string()).collect();
                Err(ModelError::OffScript {
                    detail: format!("`{file}` has no further answer to the request of line {}", lines.join(", ")),
                    advice: "record it again, with as many such requests".to_owned(),
                })
            }
            None => {
                drop(waiting);
                Err(self.unknown(&canonical.value))
            }
        }
    }

    /// What to say of a request that was never recorded.
    fn unknown(&self, came: &Value) -> ModelError {
        let nearest = self.exchanges.iter().min_by_key(|exchange| difference::distance(&exchange.request, came));
        let found = nearest.and_then(|exchange| Some((exchange, difference::first(&exchange.request, came)?)));
        let file = self.path.display();
        let detail = match found {
            Some((exchange, at)) => format!(
                "the request is not in `{file}`; the nearest is in line {}, where `{}` was {}, and now is {}",
                exchange.line, at.pointer, at.recorded, at.came
            ),
            None => format!("the request is not in `{file}`"),
        };
        let advice = "record it again, or make the request as it was".to_owned();
        ModelError::OffScript { detail, advice }
    }
}

#[async_trait]
impl Model for ReplayModel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn complete(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        let exchange = self.choose(request)?;
        if let Ok(response) = &exchange.outcome {
            deliver::response(response, events);
        }
        exchange.outcome.clone()
    }
}
