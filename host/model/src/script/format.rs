//! From the text of a script to exchanges that make sense.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, Error, Options, Spanned, UserMessageFormatter};

use super::answer::{Answer, Written};
use super::expect::Expect;
use crate::FileError;
use crate::files::Named;

/// The version of the format, which each script names.
pub const SCRIPT_VERSION: u32 = 1;
/// A script is written by a person.
pub(super) const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Longer than any model may be silent.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(600);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    #[serde(default)]
    any_order: bool,
    exchanges: Spanned<Vec<Spanned<Item>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Item {
    #[serde(default)]
    expect: Expect,
    answer: Spanned<Written>,
    times: Option<NonZeroU32>,
    after_ms: Option<Spanned<u64>>,
}

/// A script that makes sense.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) any_order: bool,
    pub(super) exchanges: Vec<Exchange>,
}

/// One expected request and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Where it begins in the file.
    pub(super) line: u64,
    pub(super) expect: Expect,
    pub(super) answer: Answer,
    pub(super) times: u32,
    pub(super) after: Duration,
}

/// How the file is read: what is ambiguous is refused, and no file reaches into others.
fn options() -> Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

impl Script {
    /// Reads `text`, which stands in the file at `path`.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let file = Named { kind: "script", path };
        let invalid = |line, problem: String| file.invalid(line, problem, "docs/models.md has the format");
        let raw: File = serde_saphyr::from_str_with_options(text, options())
            .map_err(|error| invalid(line_of(&error), without_place(&error)))?;
        if raw.version.value != SCRIPT_VERSION {
            let problem = format!("version {} is not known here", raw.version.value);
            return Err(file.invalid(line(&raw.version), problem, format!("write `version: {SCRIPT_VERSION}`")));
        }
        if raw.exchanges.value.is_empty() {
            return Err(invalid(line(&raw.exchanges), "there is no exchange".to_owned()));
        }
        let mut exchanges = Vec::with_capacity(raw.exchanges.value.len());
        for item in raw.exchanges.value {
            exchanges.push(Exchange::check(item).map_err(|(line, problem)| invalid(line, problem))?);
        }
        Ok(Self { any_order: raw.any_order, exchanges })
    }
}

impl Exchange {
    fn check(item: Spanned<Item>) -> Result<Self, (u64, String)> {
        let begins = line(&item);
        let Item { mut expect, answer, times, after_ms } = item.value;
        let answer_line = line(&answer);
        let answer = answer.value.check().map_err(|problem| (answer_line, problem))?;
        if answer.structured {
            if expect.excludes_schema() {
                return Err((answer_line, "the answer is `json`, but `schema: false` is expected".to_owned()));
            }
            expect.require_schema();
        }
        let after = Duration::from_millis(after_ms.as_ref().map_or(0, |delay| delay.value));
        if let Some(delay) = after_ms.filter(|_| after > MAX_DELAY) {
            return Err((line(&delay), format!("`after-ms` is at most {}", MAX_DELAY.as_millis())));
        }
        Ok(Self { line: begins, expect, answer, times: times.map_or(1, NonZeroU32::get), after })
    }
}

fn line<T>(at: &Spanned<T>) -> u64 {
    at.referenced.line()
}

fn line_of(error: &Error) -> u64 {
    error.location().map_or(1, |location| location.line().max(1))
}

/// What is wrong, without the place, which the message has already.
fn without_place(error: &Error) -> String {
    let text = error.without_snippet().render_with_formatter(&UserMessageFormatter);
    let first = text.lines().next().unwrap_or_default();
    let place = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
    place.and_then(|place| first.strip_suffix(&place)).unwrap_or(first).to_owned()
}
