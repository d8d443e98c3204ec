//! Tools for text: counting, searching, replacing, comparing, hashing, encoding.
//!
//! ```text
//! text ─► stats │ matching (search, replace) │ comparison (diff) │ hash │ encoding ─► JSON
//! ```
//!
//! Everything is pure: no tool of this plugin asks the host for anything.

use toolcrib_sdk::{ToolError, plugin, tool};

mod stats;

mod matching;

mod comparison;
mod encoding;
mod hash;

use comparison::Comparison;
use encoding::{Direction, Encoded, Encoding};
use hash::{Algorithm, Hash};
use matching::{Found, Pattern, Replaced};
use stats::Stats;

/// Counts a text: bytes, characters, words, lines, sentences, different words, the length of the longest line, and the
/// ten most common words.
#[tool(effect = read, title = "Text statistics")]
fn stats(
    /// The text to count.
    text: &str,
) -> Stats {
    stats::of(text)
}

/// Finds every match of a regular expression in a text, with line, column and the matched text.
///
/// `^` and `$` match at every line. The syntax is that of the Rust crate `regex`: no look-around and no back-references,
/// and a search takes time in proportion to the text.
#[tool(effect = read, title = "Search in text")]
fn search(
    /// The text to search.
    text: &str,
    /// The regular expression.
    pattern: &str,
    /// Whether upper and lower case are the same.
    #[arg(default)]
    ignore_case: bool,
    /// The most matches to list. All are counted.
    #[arg(default = 1000)]
    limit: usize,
) -> Result<Found, ToolError> {
    Ok(matching::search(text, &Pattern::regex(pattern, ignore_case)?, limit))
}

/// Replaces every match of a regular expression, or of plain text, and gives back the new text.
///
/// In the replacement for a regular expression, `$1` or `${name}` stands for what a group matched, and `$$` for `$`.
#[tool(effect = read, title = "Replace in text")]
fn replace(
    /// The text to change.
    text: &str,
    /// The regular expression, or the plain text, to look for.
    pattern: &str,
    /// What to put in its place.
    replacement: &str,
    /// Whether pattern and replacement are plain text.
    #[arg(default)]
    literal: bool,
    /// Whether upper and lower case are the same.
    #[arg(default)]
    ignore_case: bool,
) -> Result<Replaced, ToolError> {
    let pattern = if literal { Pattern::literal(pattern, ignore_case)? } else { Pattern::regex(pattern, ignore_case)? };
    matching::replace(text, &pattern, replacement)
}

/// Compares two texts line by line and gives back a unified diff, which is empty where they are the same.
#[tool(effect = read, title = "Compare texts")]
fn diff(
    /// The text as it was.
    before: &str,
    /// The text as it is.
    after: &str,
    /// How many unchanged lines to show around each change.
    #[arg(default = 3)]
    context: usize,
) -> Comparison {
    comparison::of(before, after, context)
}

/// Computes the hash of the UTF-8 bytes of a text, in lower-case hexadecimal.
///
/// `sha1` and `md5` are there to compare with old checksums; they do not protect against forgery.
#[tool(effect = read, title = "Hash of text")]
fn hash(
    /// The text to hash.
    text: &str,
    /// The hash function.
    #[arg(default)]
    algorithm: Algorithm,
) -> Hash {
    hash::of(text, algorithm)
}

/// Encodes text, or decodes it: Base64, hexadecimal, percent-encoding of URLs, HTML entities.
#[tool(effect = read, title = "Encode or decode text")]
fn encode(
    /// The text to encode or decode.
    text: &str,
    /// The encoding.
    encoding: Encoding,
    /// The direction.
    #[arg(default)]
    direction: Direction,
) -> Result<Encoded, ToolError> {
    let text = match direction {
        Direction::Encode => encoding::encode(text, encoding),
        Direction::Decode => encoding::decode(text, encoding)?,
    };
    Ok(Encoded { text })
}

plugin!(stats, search, replace, diff, hash, encode);

#[cfg(test)]
mod tests;
