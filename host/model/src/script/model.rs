//! Choosing an exchange and playing it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::expect::summary;
use super::format::{Exchange, MAX_BYTES, Script};
use crate::files::{self, Named};
use crate::{Delta, FileError, Model, ModelError, Request, Response, deliver};

/// A model that answers as a script says: which requests it expects, and what it answers to each.
///
/// Exchanges are used in the order of the file; with `any-order: true`, a request takes the first exchange that
/// fits and is left, since the branches of a plan run in parallel. A request that fits none gets
/// [`ModelError::OffScript`] and uses up nothing. An exchange counts as used once its answer begins, even if the
/// caller does not wait for it.
#[derive(Debug)]
pub struct ScriptedModel {
    name: String,
    path: PathBuf,
    script: Script,
    /// How often each exchange can still be used.
    left: Mutex<Vec<u32>>,
}

/// An exchange that was not used as often as the script says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Which exchange, from 1.
    pub number: usize,
    /// Where it begins in the file, from 1.
    pub line: u64,
    /// How often it was not used.
    pub left: u32,
    /// How often it was to be used.
    pub times: u32,
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.times.saturating_sub(self.left);
        write!(f, "exchange {} (line {}) was used {used} of {} times", self.number, self.line, self.times)
    }
}

/// The most exchanges that a message explains.
const EXPLAINED: usize = 4;

impl ScriptedModel {
    /// Reads the script at `path`. Its name is `script:` and the file's name without extension.
    ///
    /// # Errors
    ///
    /// [`FileError`] where the file cannot be read or is no script, with the line.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        let text = Named { kind: "script", path: &path }.read(MAX_BYTES)?;
        Self::parse(path, &text)
    }

    /// Reads a script from `text`; `path` is what its messages and its name call it.
    ///
    /// # Errors
    ///
    /// [`FileError`] where the text is no script, with the line.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Result<Self, FileError> {
        let path = path.into();
        let script = Script::parse(&path, text)?;
        let left = Mutex::new(script.exchanges.iter().map(|exchange| exchange.times).collect());
        Ok(Self { name: files::name("script", &path), path, script, left })
    }

    /// The exchanges that were not used, or not as often as the script says. A test fails on any.
    pub fn unused(&self) -> Vec<Unused> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let each = self.script.exchanges.iter().zip(left.iter()).enumerate();
        let unused = each.filter(|(_, (_, left))| **left > 0);
        unused
            .map(|(index, (exchange, left))| Unused {
                number: index + 1,
                line: exchange.line,
                left: *left,
                times: exchange.times,
            })
            .collect()
    }

    /// The exchange for `request`, which then counts as used.
    fn choose(&self, request: &Request) -> Result<&Exchange, ModelError> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut misfits = Vec::new();
        for (index, (exchange, left)) in self.script.exchanges.iter().zip(left.iter_mut()).enumerate() {
            if *left == 0 {
                continue;
            }
            let found = exchange.expect.misfits(request);
            if found.is_empty() {
                *left -= 1;
                return Ok(exchange);
            }
            misfits.push((index + 1, exchange.line, found));
            if !self.script.any_order {
                break;
            }
        }
        drop(left);
        Err(off_script(&self.path, self.script.exchanges.len(), &misfits, request))
    }
}

/// Number, line, and in what the request does not fit.
type Misfit = (usize, u64, Vec<String>);

fn off_script(path: &Path, count: usize, misfits: &[Misfit], request: &Request) -> ModelError {
    let (file, came) = (path.display(), summary(request));
    let explain = |(number, line, found): &Misfit| format!("exchange {number} (line {line}): {}", found.join(", "));
    let (detail, advice) = match misfits {
        [] => (
            format!("`{file}` has no exchange left of its {count}; what came: {came}"),
            "add an exchange for this request, or raise `times`",
        ),
        [only] => (
            format!("the request does not fit `{file}`, {}; what came: {came}", explain(only)),
            "change its `expect`, or add an exchange for this request before it",
        ),
        several => {
            let mut parts: Vec<String> = several.iter().take(EXPLAINED).map(explain).collect();
            if several.len() > EXPLAINED {
                parts.push(format!("and {} more", several.len() - EXPLAINED));
            }
            (
                format!("the request fits none that is left in `{file}`, {}; what came: {came}", parts.join("; ")),
                "change an `expect`, or add an exchange for this request",
            )
        }
    };
    ModelError::OffScript { detail, advice: advice.to_owned() }
}

#[async_trait]
impl Model for ScriptedModel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn complete(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        let exchange = self.choose(request)?;
        if !exchange.after.is_zero() {
            tokio::time::sleep(exchange.after).await;
        }
        let outcome = exchange.answer.outcome(request);
        match &outcome {
            Ok(response) => deliver::response(response, events),
            Err(_) => {
                deliver::text(exchange.answer.text.as_deref().unwrap_or_default(), events);
                deliver::usage(exchange.answer.usage, events);
            }
        }
        outcome
    }
}
