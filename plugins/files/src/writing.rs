//! `write`: a whole file, so that nobody meets half of it. `append`: behind what is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use toolcrib_sdk::{ToolError, fs, value};

use crate::location::Location;

/// How many names are tried for the file beside. Others are there only where a call was killed.
const TEMPORARY_MAX: u32 = 100;

/// What was written.
#[value(output)]
pub(crate) struct Written {
    /// The whole path.
    path: String,
    /// How many bytes were written.
    bytes: usize,
    /// Whether the file is new.
    created: bool,
}

/// What to do with a file that is there.
#[value(input)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Refuse.
    Create,
    /// Replace what is in it.
    #[default]
    Overwrite,
}

/// What stands at the path now.
enum Present {
    Nothing,
    File,
    /// A link: what it leads to is written, and the link stays.
    Link,
}

/// Writes `path`.
pub(crate) fn write(path: &Location, contents: &[u8], mode: Mode, parents: bool) -> Result<Written, ToolError> {
    let present = present_or_prepared(path, parents)?;
    let created = matches!(present, Present::Nothing);
    match (mode, present) {
        (Mode::Create, Present::File | Present::Link) => {
            let message = format!("`{path}` exists: set `mode` to `overwrite`, or choose another name");
            return Err(ToolError::invalid_arguments(message));
        }
        (_, Present::Nothing) => create(path, contents)?,
        (_, Present::File) => replace(path, contents)?,
        (_, Present::Link) => in_place(path, contents)?,
    }
    Ok(Written { path: path.to_string(), bytes: contents.len(), created })
}

/// Writes behind what is in `path`.
pub(crate) fn append(path: &Location, contents: &[u8], parents: bool) -> Result<Written, ToolError> {
    let created = matches!(present_or_prepared(path, parents)?, Present::Nothing);
    let mut file = fs::named(path, OpenOptions::new().append(true).create(true).open(path))?;
    fs::named(path, file.write_all(contents)).map_err(ToolError::effect_unknown)?;
    Ok(Written { path: path.to_string(), bytes: contents.len(), created })
}

/// What stands at the path; where nothing does, the folders on the way to it are made.
fn present_or_prepared(path: &Location, parents: bool) -> Result<Present, ToolError> {
    let present = present(path)?;
    if matches!(present, Present::Nothing)
        && parents
        && let Some(folder) = path.parent()
    {
        fs::named(&folder, std::fs::create_dir_all(&folder))?;
    }
    Ok(present)
}

/// Replaces what is in a file: beside it and then in one step, or in place where that cannot be.
pub(crate) fn replace(path: &Location, contents: &[u8]) -> Result<(), ToolError> {
    if matches!(present(path)?, Present::Link) {
        return in_place(path, contents);
    }
    // A file that cannot be written must not be replaced by one that can.
    fs::named(path, OpenOptions::new().write(true).open(path))?;
    let Ok((beside, mut file)) = temporary(path) else {
        return in_place(path, contents);
    };
    let written = file.write_all(contents).and_then(|()| file.sync_all());
    drop(file);
    if let Err(error) = written {
        // What was there is untouched; the half file is of no use.
        let _ = std::fs::remove_file(&beside);
        return fs::named(path, Err(error));
    }
    if std::fs::rename(&beside, path).is_err() {
        let _ = std::fs::remove_file(&beside);
        return in_place(path, contents);
    }
    Ok(())
}

fn present(path: &Location) -> Result<Present, ToolError> {
    if path.name().is_empty() {
        return Err(ToolError::invalid_arguments("`/` is a folder: name a file in it"));
    }
    match std::fs::symlink_metadata(path) {
        Ok(data) if data.is_symlink() => Ok(Present::Link),
        Ok(data) if data.is_dir() => {
            Err(ToolError::invalid_arguments(format!("`{path}` is a folder: name a file in it")))
        }
        Ok(_) => Ok(Present::File),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Present::Nothing),
        Err(error) => fs::named(path, Err(error)),
    }
}

fn create(path: &Location, contents: &[u8]) -> Result<(), ToolError> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = fs::named(path, opened)?;
    let written = file.write_all(contents);
    if written.is_err() {
        let gone = std::fs::remove_file(path).is_ok();
        let result = fs::named(path, written);
        return if gone { result } else { result.map_err(ToolError::effect_unknown) };
    }
    Ok(())
}

/// Writes over what is in a file. Where the new bytes do not fit, the old ones are put back.
fn in_place(path: &Location, contents: &[u8]) -> Result<(), ToolError> {
    let mut file = fs::named(path, OpenOptions::new().read(true).write(true).open(path))?;
    let mut before = Vec::new();
    fs::named(path, file.read_to_end(&mut before))?;
    let written = write_over(&mut file, contents);
    let restored = written.is_ok() || write_over(&mut file, &before).is_ok();
    fs::named(path, written).map_err(|error| if restored { error } else { error.effect_unknown() })
}

fn write_over(file: &mut File, contents: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(contents)?;
    file.set_len(contents.len() as u64)
}

/// A new file in the same folder: only there can it be renamed in one step.
fn temporary(path: &Location) -> io::Result<(Location, File)> {
    let folder = path.parent().ok_or(io::ErrorKind::IsADirectory)?;
    // A name may have 255 bytes; the beginning is enough to recognise it.
    let name: String = path.name().chars().take(40).collect();
    for number in 0..TEMPORARY_MAX {
        let beside = folder.join(&format!(".{name}.{number}.partial"));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
