//! `read`: a file, or a part of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use toolcrib_sdk::{ToolError, fs, value};

use crate::content::{self, Encoding};
use crate::location::Location;

/// How much of a file one call gives back, in bytes. Written as JSON it may be some times longer, and a result has 4 MiB.
const READ_MAX: usize = 1024 * 1024;

/// What stands in a file.
#[value(output)]
pub(crate) struct ReadText {
    /// The whole path.
    path: String,
    /// The text, or the bytes in Base64.
    text: String,
    /// How many lines the text has.
    lines: usize,
    /// The size of the whole file in bytes.
    bytes: u64,
    /// Whether the file goes on behind the text.
    truncated: bool,
}

/// Which lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// How many to leave out.
    pub(crate) offset: u64,
    /// How many to take.
    pub(crate) limit: Option<u64>,
}

/// Reads `path`.
pub(crate) fn read(path: &Location, window: Window, encoding: Encoding) -> Result<ReadText, ToolError> {
    let size = size(path)?;
    let mut file = BufReader::with_capacity(64 * 1024, fs::named(path, File::open(path))?);
    if encoding == Encoding::Base64 {
        if window.offset > 0 || window.limit.is_some() {
            return Err(ToolError::invalid_arguments(
                "bytes have no lines: leave out `offset_lines` and `limit_lines`",
            ));
        }
        let (bytes, truncated) = fs::named(path, capped(&mut file))?;
        return Ok(result(path, size, content::base64(&bytes), truncated));
    }
    let taken = fs::named(path, lines(&mut file, window))?;
    let (bytes, truncated, cut) = taken;
    let Some(text) = content::text(bytes, cut) else {
        let message = format!("`{path}` ({size} bytes) is not UTF-8 text: read it with `encoding` set to `base64`");
        return Err(ToolError::failed(message));
    };
    Ok(result(path, size, text, truncated))
}

/// The size of a file that is one.
pub(crate) fn size(path: &Location) -> Result<u64, ToolError> {
    let data = fs::named(path, std::fs::metadata(path))?;
    if data.is_dir() {
        return Err(ToolError::invalid_arguments(format!("`{path}` is a folder: `list` shows what is in it")));
    }
    Ok(data.len())
}

fn result(path: &Location, bytes: u64, text: String, truncated: bool) -> ReadText {
    ReadText { path: path.to_string(), lines: text.lines().count(), text, bytes, truncated }
}

fn capped(file: &mut impl Read) -> std::io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    file.take(READ_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let truncated = bytes.len() > READ_MAX;
    bytes.truncate(READ_MAX);
    Ok((bytes, truncated))
}

/// The bytes of the wanted lines, whether more follow, and whether the last line was cut.
fn lines(file: &mut impl BufRead, window: Window) -> std::io::Result<(Vec<u8>, bool, bool)> {
    for _ in 0..window.offset {
        if file.skip_until(b'\n')? == 0 {
            break;
        }
    }
    let mut bytes = Vec::new();
    let mut left = window.limit.unwrap_or(u64::MAX);
    while left > 0 && bytes.len() <= READ_MAX {
        let room = (READ_MAX + 1 - bytes.len()) as u64;
        if file.take(room).read_until(b'\n', &mut bytes)? == 0 {
            return Ok((bytes, false, false));
        }
        left -= 1;
    }
    let cut = bytes.len() > READ_MAX;
    bytes.truncate(READ_MAX);
    let truncated = cut || !file.fill_buf()?.is_empty();
    Ok((bytes, truncated, cut))
}
