//! Searching and replacing with regular expressions.

use regex::{Captures, Regex, RegexBuilder};
use toolcrib_sdk::{ToolError, value};

/// The most memory that a compiled pattern may take, in bytes: `\w{1000}{1000}` is short to write.
const MAX_PROGRAM: usize = 4 << 20;

/// The longest text that a replacement may produce, in bytes: a few kilobytes of pattern can ask for gigabytes.
const MAX_RESULT: usize = 16 << 20;

/// What to look for.
pub(crate) struct Pattern {
    regex: Regex,
    literal: bool,
}

/// Where the pattern matched.
#[value(output)]
pub(crate) struct Found {
    /// The matches, from the first on, up to the limit.
    pub(crate) matches: Vec<Match>,
    /// How many there are, also beyond the limit.
    pub(crate) count: usize,
}

/// One match.
#[value(output)]
pub(crate) struct Match {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The character in that line, from 1.
    pub(crate) column: usize,
    /// The matched text.
    pub(crate) text: String,
    /// What the groups of the pattern matched, in order. Absent where the pattern has none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) groups: Vec<Option<String>>,
}

/// A changed text.
#[value(output)]
pub(crate) struct Replaced {
    /// The new text.
    pub(crate) text: String,
    /// How many matches were replaced.
    pub(crate) replacements: usize,
}

impl Pattern {
    /// A regular expression.
    pub(crate) fn regex(pattern: &str, ignore_case: bool) -> Result<Self, ToolError> {
        Self::build(pattern, ignore_case, false)
    }

    /// Text that stands for itself.
    pub(crate) fn literal(text: &str, ignore_case: bool) -> Result<Self, ToolError> {
        if text.is_empty() {
            let message = "the text to replace is empty; give the text to look for in `pattern`";
            return Err(ToolError::invalid_arguments(message));
        }
        Self::build(&regex::escape(text), ignore_case, true)
    }

    fn build(pattern: &str, ignore_case: bool, literal: bool) -> Result<Self, ToolError> {
        let regex =
            RegexBuilder::new(pattern).case_insensitive(ignore_case).multi_line(true).size_limit(MAX_PROGRAM).build();
        match regex {
            Ok(regex) => Ok(Self { regex, literal }),
            Err(regex::Error::CompiledTooBig(limit)) => Err(ToolError::invalid_arguments(format!(
                "`pattern` needs more than {limit} bytes when compiled; use smaller repetitions"
            ))),
            Err(error) => Err(ToolError::invalid_arguments(format!("`pattern` is not a regular expression: {error}"))),
        }
    }
}

pub(crate) fn search(text: &str, pattern: &Pattern, limit: usize) -> Found {
    let mut matches = Vec::new();
    let mut place = Place::start(text);
    for captures in pattern.regex.captures_iter(text).take(limit) {
        let (line, column) = place.at(captures.get_match().start());
        matches.push(Match { line, column, text: captures.get_match().as_str().to_owned(), groups: groups(&captures) });
    }
    let count = if matches.len() < limit { matches.len() } else { pattern.regex.find_iter(text).count() };
    Found { matches, count }
}

fn groups(captures: &Captures<'_>) -> Vec<Option<String>> {
    let groups = captures.iter().skip(1);
    groups.map(|group| group.map(|found| found.as_str().to_owned())).collect()
}

pub(crate) fn replace(text: &str, pattern: &Pattern, replacement: &str) -> Result<Replaced, ToolError> {
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    let mut replacements = 0;
    for captures in pattern.regex.captures_iter(text) {
        let found = captures.get_match();
        result.push_str(&text[copied..found.start()]);
        if pattern.literal {
            result.push_str(replacement);
        } else {
            captures.expand(replacement, &mut result);
        }
        copied = found.end();
        replacements += 1;
        if result.len() > MAX_RESULT {
            return Err(ToolError::invalid_arguments(format!(
                "the new text is longer than {MAX_RESULT} bytes; replace in smaller pieces"
            )));
        }
    }
    result.push_str(&text[copied..]);
    Ok(Replaced { text: result, replacements })
}

/// Lines and columns of rising positions, counted once over the whole text.
struct Place<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'a> Place<'a> {
    const fn start(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, column: 1 }
    }

    fn at(&mut self, position: usize) -> (usize, usize) {
        for letter in self.text[self.at..position].chars() {
            if letter == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = position;
        (self.line, self.column)
    }
}
