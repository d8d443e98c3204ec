//! `edit`: one piece of text for another.

use std::borrow::Cow;

use toolcrib_sdk::{ToolError, fs, value};

use crate::location::Location;
use crate::{content, reading, writing};

/// The largest file that is edited, in bytes: it is held in memory, before and after.
const EDIT_MAX: usize = 16 * 1024 * 1024;
/// The largest file that comes of it, in bytes.
const RESULT_MAX: usize = 64 * 1024 * 1024;

/// What was replaced.
#[value(output)]
pub(crate) struct Edited {
    /// The whole path.
    path: String,
    /// How many places were changed.
    replacements: usize,
}

/// Replaces `find` in `path`.
pub(crate) fn edit(path: &Location, find: &str, replace: &str, all: bool) -> Result<Edited, ToolError> {
    if find.is_empty() {
        return Err(ToolError::invalid_arguments("`find` is empty: say which text to replace"));
    }
    let before = text(path)?;
    let (find, replace) =
        if has_crlf_only(&before) { (crlf(find), crlf(replace)) } else { (find.into(), replace.into()) };
    if find == replace {
        return Err(ToolError::invalid_arguments("`find` and `replace` are the same: nothing would change"));
    }
    let occurrences = before.matches(&*find).count();
    match occurrences {
        0 => return Err(missing(path, &before, &find)),
        1 => {}
        many if !all => {
            let message = format!(
                "`find` occurs {many} times in `{path}`: take in more of the text around it, or set `all` to replace every one"
            );
            return Err(ToolError::invalid_arguments(message));
        }
        _ => {}
    }
    let grown = replace.len().saturating_sub(find.len()).saturating_mul(occurrences);
    if before.len().saturating_add(grown) > RESULT_MAX {
        return Err(ToolError::invalid_arguments(format!("`{path}` would grow beyond {RESULT_MAX} bytes")));
    }
    writing::replace(path, before.replace(&*find, &replace).as_bytes())?;
    Ok(Edited { path: path.to_string(), replacements: occurrences })
}

fn text(path: &Location) -> Result<String, ToolError> {
    let size = reading::size(path)?;
    let capped = fs::read(path, EDIT_MAX)?;
    if capped.truncated {
        return Err(ToolError::failed(format!(
            "`{path}` ({size} bytes) is longer than the {EDIT_MAX} that can be edited"
        )));
    }
    content::text(capped.bytes, false)
        .ok_or_else(|| ToolError::failed(format!("`{path}` ({size} bytes) is not UTF-8 text and cannot be edited")))
}

/// Whether every line ends in CR LF.
fn has_crlf_only(text: &str) -> bool {
    let ends = text.bytes().filter(|&byte| byte == b'\n').count();
    ends > 0 && text.matches("\r\n").count() == ends
}

/// The text with every line ended in CR LF.
fn crlf(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\n', "\r\n"))
}

/// Why nothing was found, as far as that can be told.
fn missing(path: &Location, text: &str, find: &str) -> ToolError {
    let first = find.lines().map(str::trim).find(|line| !line.is_empty());
    let near = first.and_then(|first| text.lines().position(|line| line.contains(first)));
    let hint = match near {
        Some(at) => format!("its first line stands at line {}; compare what follows and the white space", at + 1),
        None => "read the file and copy the text as it stands there".to_owned(),
    };
    ToolError::invalid_arguments(format!("`find` does not occur in `{path}`: {hint}"))
}
