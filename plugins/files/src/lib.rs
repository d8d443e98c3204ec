//! Tools for files: listing, reading, writing, appending, searching, editing.
//!
//! ```text
//! path ─► location ─┬─► listing, search ─► walk ─► glob
//!                   ├─► reading ─► content
//!                   └─► editing ─► content ─► writing
//! ```
//!
//! The plugin sees the folders that it was granted and nothing else. What may be done in them is decided by the host at
//! each operation; here a refusal becomes a typed error that names the path.

use toolcrib_sdk::{ToolError, plugin, tool};

mod location;

mod glob;
mod walk;

mod listing;
mod search;

mod content;
mod reading;

mod editing;
mod writing;

use content::Encoding;
use editing::Edited;
use listing::Listing;
use location::Location;
use reading::{ReadText, Window};
use search::{Found, Query};
use writing::{Mode, Written};

/// Lists the files and folders in a folder, in the order of their names.
///
/// `/` lists the way to the folders that are granted.
#[tool(effect = read, title = "List files")]
fn list(
    /// The folder.
    #[arg(default = "/")]
    path: &str,
    /// Whether to list what is in the folders below as well.
    #[arg(default)]
    recursive: bool,
    /// Only what matches: `*.md` by name at any depth, `src/**/*.rs` by the path below the folder (and then recursive).
    glob: Option<String>,
    /// The most entries to list.
    #[arg(default = 1000)]
    limit: usize,
) -> Result<Listing, ToolError> {
    listing::list(&Location::parse(path)?, recursive, glob.as_deref(), limit)
}

/// Reads a text file, or a part of it by lines.
#[tool(effect = read, title = "Read a file")]
fn read(
    /// The file.
    path: &str,
    /// How many lines to leave out at the beginning.
    #[arg(default)]
    offset_lines: u64,
    /// The most lines to read.
    limit_lines: Option<u64>,
    /// `text` for UTF-8 text, `base64` for the bytes of any file.
    #[arg(default)]
    encoding: Encoding,
) -> Result<ReadText, ToolError> {
    reading::read(&Location::parse(path)?, Window { offset: offset_lines, limit: limit_lines }, encoding)
}

/// Writes a text file: a new one, or over an old one.
#[tool(effect = idempotent, title = "Write a file")]
fn write(
    /// The file.
    path: &str,
    /// What to write.
    text: &str,
    /// `overwrite` replaces what was there, `create` refuses to.
    #[arg(default)]
    mode: Mode,
    /// What `text` is: `text` itself, or bytes in `base64`.
    #[arg(default)]
    encoding: Encoding,
    /// Whether to create the folders on the way to the file where they are missing.
    #[arg(default = true)]
    parents: bool,
) -> Result<Written, ToolError> {
    writing::write(&Location::parse(path)?, &encoding.decode(text)?, mode, parents)
}

/// Appends text to the end of a file, which is created where it is missing.
#[tool(effect = irreversible, title = "Append to a file")]
fn append(
    /// The file.
    path: &str,
    /// What to append. A line end of its own is part of it.
    text: &str,
    /// What `text` is: `text` itself, or bytes in `base64`.
    #[arg(default)]
    encoding: Encoding,
    /// Whether to create the folders on the way to the file where they are missing.
    #[arg(default = true)]
    parents: bool,
) -> Result<Written, ToolError> {
    writing::append(&Location::parse(path)?, &encoding.decode(text)?, parents)
}

/// Finds the lines that match a regular expression, in one file or in all text files of a folder and the folders below.
///
/// The syntax is that of the Rust crate `regex`: no look-around and no back-references. Binary files are left out, and
/// links are not followed. `truncated` says that something was not searched or not listed.
#[tool(effect = read, title = "Search in files")]
fn search(
    /// The regular expression, matched against each line.
    pattern: &str,
    /// The file or folder.
    #[arg(default = "/")]
    path: &str,
    /// Only files that match: `*.md` by name at any depth, `src/**/*.rs` by the path below the folder.
    glob: Option<String>,
    /// Whether upper and lower case are the same.
    #[arg(default)]
    ignore_case: bool,
    /// The most matching lines to list.
    #[arg(default = 200)]
    limit: usize,
) -> Result<Found, ToolError> {
    let query = Query::new(pattern, ignore_case, glob.as_deref(), limit)?;
    search::search(&Location::parse(path)?, &query)
}

/// Replaces a piece of text in a file, exactly as it stands there.
///
/// The piece must occur once, so that the right place is changed, or `all` must be set. In a file whose lines end in
/// CR LF, line ends in `find` and `replace` count as such.
#[tool(effect = irreversible, title = "Edit a file")]
fn edit(
    /// The file.
    path: &str,
    /// The text to look for, with its white space. Not a regular expression.
    find: &str,
    /// The text to put in its place.
    replace: &str,
    /// Whether to replace every occurrence.
    #[arg(default)]
    all: bool,
) -> Result<Edited, ToolError> {
    editing::edit(&Location::parse(path)?, find, replace, all)
}

plugin!(list, read, write, append, search, edit);

#[cfg(test)]
mod tests;
