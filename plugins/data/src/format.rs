//! The formats: which one a text is in, reading it, writing it.

use jaq_json::Val;
use toolcrib_sdk::{ToolError, value};

use crate::limits::{Excess, excerpt, is_shallow, measure};
use crate::value::{as_text, kind};

mod csv;
mod json;
mod toml;
mod yaml;

/// The most of what a parser says, in characters: it may quote the text.
const MAX_REASON: usize = 200;

/// A format to write.
#[value]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON, indented.
    Json,
    /// CSV with commas.
    Csv,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.
    Toml,
}

/// A format to read.
#[value(input)]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// Find out.
    #[default]
    Auto,
    /// JSON, or JSON Lines.
    Json,
    /// CSV with a header; the separator may be a comma, a semicolon, a tab or a bar.
    Csv,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.
    Toml,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Csv => "CSV",
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
        }
    }

    /// Reads a text, or says what is wrong and where.
    fn read(self, text: &str) -> Result<Val, String> {
        match self {
            Self::Json => json::read(text),
            Self::Csv => csv::read(text),
            Self::Yaml => yaml::read(text),
            Self::Toml => toml::read(text),
        }
    }
}

/// Reads a text in the given format; any other value is taken as it is.
pub(crate) fn read(input: Val, from: Source) -> Result<Val, ToolError> {
    let value = match as_text(&input) {
        None => input,
        Some(text) => {
            // Editors of some systems put a byte order mark in front.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            match from {
                Source::Auto => detect(text)?,
                Source::Json => read_as(text, Format::Json)?,
                Source::Csv => read_as(text, Format::Csv)?,
                Source::Yaml => read_as(text, Format::Yaml)?,
                Source::Toml => read_as(text, Format::Toml)?,
            }
        }
    };
    // How long the input may be is for the host to say.
    if !is_shallow(&value) {
        let reason = Excess::Depth;
        return Err(ToolError::invalid_arguments(format!("`input` cannot be worked on: {reason}")));
    }
    Ok(value)
}

/// Writes a value.
pub(crate) fn write(value: &Val, to: Format) -> Result<String, ToolError> {
    let refused = |reason: String| {
        let (name, what, reason) = (to.name(), kind(value), excerpt(&reason, MAX_REASON));
        ToolError::invalid_arguments(format!("`input`, {what}, cannot be written as {name}: {reason}"))
    };
    measure(value).map_err(|excess| refused(excess.to_string()))?;
    let written = match to {
        Format::Json => json::write(value),
        Format::Csv => csv::write(value),
        Format::Yaml => yaml::write(value),
        Format::Toml => toml::write(value),
    };
    written.map_err(refused)
}

fn read_as(text: &str, format: Format) -> Result<Val, ToolError> {
    format.read(text).map_err(|reason| {
        let reason = excerpt(&reason, MAX_REASON);
        ToolError::invalid_arguments(format!("`input` is not {}: {reason}", format.name()))
    })
}

/// Tries the strict formats first. Almost any text is YAML, so YAML counts where it gives more than a text, and then CSV
/// where every row has as many fields as the header. What is left is text: a program can split it.
fn detect(text: &str) -> Result<Val, ToolError> {
    if text.trim().is_empty() {
        let message = "`input` is an empty text; give the data in it, or its format in `from` where that may be empty";
        return Err(ToolError::invalid_arguments(message));
    }
    let json = match json::read(text) {
        Ok(value) => return Ok(value),
        Err(reason) => reason,
    };
    let toml = match toml::read(text) {
        Ok(Val::Obj(table)) if table.is_empty() => "it has no keys".to_owned(),
        Ok(value) => return Ok(value),
        Err(reason) => reason,
    };
    let yaml = match yaml::read(text) {
        Ok(value @ (Val::Arr(_) | Val::Obj(_))) => return Ok(value),
        other => other,
    };
    if let Some(table) = csv::guess(text) {
        return Ok(table);
    }
    match yaml {
        Ok(Val::TStr(_)) => Ok(crate::value::text(text)),
        Ok(scalar) => Ok(scalar),
        Err(yaml) => {
            let [json, toml, yaml] = [json, toml, yaml].map(|reason| excerpt(&reason, MAX_REASON));
            Err(ToolError::invalid_arguments(format!(
                "`input` is neither JSON ({json}) nor TOML ({toml}) nor YAML ({yaml}) nor CSV with a header; correct it, or give its format in `from`"
            )))
        }
    }
}

/// Line and column of a byte of a text, both counted from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[start..].chars().count() + 1)
}
