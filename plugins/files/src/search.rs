//! `search`: the lines of many files that match.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use toolcrib_sdk::fs::{self, EntryKind};
use toolcrib_sdk::{ErrorKind, ToolError, value};

use crate::content;
use crate::glob::Glob;
use crate::location::Location;
use crate::walk::Walk;

/// The most matches in one result.
const LIMIT_MAX: usize = 5_000;
/// How much of one file is searched, in bytes. Longer ones are logs and dumps.
const FILE_MAX: usize = 16 * 1024 * 1024;
/// How much is searched in all, in bytes.
const TOTAL_MAX: usize = 512 * 1024 * 1024;
/// How many characters of a line are shown. Minified files have one line.
const LINE_MAX: usize = 400;
/// How many of them stand before the match, where it is far from the beginning.
const BEFORE: usize = 100;
/// The most memory of a compiled pattern, in bytes.
const REGEX_MAX: usize = 4 * 1024 * 1024;

/// The lines that match.
#[value(output)]
#[derive(Default)]
pub(crate) struct Found {
    /// The lines, file by file.
    matches: Vec<Match>,
    /// How many text files were searched.
    files_searched: usize,
    /// Whether something was not searched or not listed.
    truncated: bool,
}

/// One line.
#[value(output)]
struct Match {
    /// The file.
    path: String,
    /// The number of the line; the first is 1.
    line: usize,
    /// The line, or the part of it around the match where it is long.
    text: String,
}

/// What is looked for.
pub(crate) struct Query {
    regex: Regex,
    /// The pattern speaks of the whole text: each line has to be looked at on its own.
    by_line: bool,
    glob: Option<Glob>,
    limit: usize,
}

impl Query {
    /// Checks what a caller wants.
    pub(crate) fn new(pattern: &str, ignore_case: bool, glob: Option<&str>, limit: usize) -> Result<Self, ToolError> {
        let mut builder = RegexBuilder::new(pattern);
        // A match in a line is then a match in the text as well. A carriage return alone ends a line too.
        builder.multi_line(true).crlf(true);
        let built = builder.case_insensitive(ignore_case).size_limit(REGEX_MAX).build();
        let regex = built.map_err(|error| ToolError::invalid_arguments(format!("`pattern` is not one: {error}")))?;
        let by_line = pattern.contains("\\A") || pattern.contains("\\z");
        Ok(Self { regex, by_line, glob: glob.map(Glob::parse).transpose()?, limit: limit.min(LIMIT_MAX) })
    }
}

/// Searches a file, or a folder and what is below.
pub(crate) fn search(path: &Location, query: &Query) -> Result<Found, ToolError> {
    let mut found = Found::default();
    let data = fs::named(path, std::fs::metadata(path))?;
    if !data.is_dir() {
        search_file(path, query, &mut found)?;
        return Ok(found);
    }
    let mut walk = Walk::begin(path, true)?;
    let mut searched = 0;
    while let Some(met) = walk.next()? {
        if met.kind != EntryKind::File || query.glob.as_ref().is_some_and(|glob| !glob.matches(&met.path, path)) {
            continue;
        }
        if searched >= TOTAL_MAX {
            found.truncated = true;
            return Ok(found);
        }
        match search_file(&met.path, query, &mut found) {
            Ok(Looked { full: true, .. }) => return Ok(found),
            Ok(Looked { bytes, .. }) => searched += bytes,
            // Somebody may take a file away meanwhile, and one closed file does not close the others.
            Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::NotFound) => found.truncated = true,
            Err(error) => return Err(error),
        }
    }
    found.truncated |= walk.is_incomplete();
    Ok(found)
}

/// What came of one file.
struct Looked {
    bytes: usize,
    /// Whether there is a match that found no room.
    full: bool,
}

fn search_file(path: &Location, query: &Query, found: &mut Found) -> Result<Looked, ToolError> {
    let capped = fs::read(path, FILE_MAX)?;
    let bytes = capped.bytes;
    let mut looked = Looked { bytes: bytes.len(), full: false };
    if content::is_binary(&bytes) {
        return Ok(looked);
    }
    found.files_searched += 1;
    found.truncated |= capped.truncated;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = Lines { text: &text, at: 0, number: 0 };
    while let Some(line) = lines.next(query) {
        let Some(hit) = query.regex.find(line) else {
            continue;
        };
        if found.matches.len() == query.limit {
            found.truncated = true;
            looked.full = true;
            break;
        }
        let text = shown(line, hit.start()).into_owned();
        found.matches.push(Match { path: path.to_string(), line: lines.number, text });
    }
    Ok(looked)
}

/// The lines that may match.
struct Lines<'a> {
    text: &'a str,
    /// Where the next line begins.
    at: usize,
    /// The number of the line that was given last.
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line in which a match begins, if lines do not have to be looked at one by one. Such a match may reach
    /// into the lines below, so that the line itself still has to be asked.
    fn next(&mut self, query: &Query) -> Option<&'a str> {
        if self.at >= self.text.len() {
            return None;
        }
        let hit = if query.by_line { self.at } else { query.regex.find_at(self.text, self.at)?.start() };
        let passed = &self.text[self.at..hit];
        let begin = passed.rfind('\n').map_or(self.at, |end| self.at + end + 1);
        if begin >= self.text.len() {
            return None;
        }
        self.number += 1 + passed.bytes().filter(|&byte| byte == b'\n').count();
        let rest = &self.text[begin..];
        let end = rest.find('\n').unwrap_or(rest.len());
        self.at = begin + end + 1;
        let line = &rest[..end];
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

/// The part of a line that is shown.
fn shown(line: &str, hit: usize) -> Cow<'_, str> {
    if line.chars().nth(LINE_MAX).is_none() {
        return Cow::Borrowed(line);
    }
    let before = line[..hit].chars().count();
    let skip = if before + BEFORE > LINE_MAX { before - BEFORE } else { 0 };
    let part: String = line.chars().skip(skip).take(LINE_MAX).collect();
    let head = if skip > 0 { "…" } else { "" };
    let tail = if line.chars().nth(skip + LINE_MAX).is_some() { "…" } else { "" };
    Cow::Owned(format!("{head}{part}{tail}"))
}
