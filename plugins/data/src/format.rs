//! The formats, and how to tell them apart.

use jaq_json::Val;
use toolcrib_sdk::{ToolError, value};

use crate::{csv, json, toml, yaml};

/// A format of text.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON; several values after each other are allowed.
    Json,
    /// Values separated by commas, semicolons, tabs or bars, with a header row.
    Csv,
    /// YAML 1.2.
    Yaml,
    /// TOML.
    Toml,
}

/// The format of the input.
#[value(input)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// Found out from the text.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// CSV.
    Csv,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
}

/// Reads text in the format that is given, or in the one that it has.
pub(crate) fn read(text: &str, source: Source) -> Result<Vec<Val>, ToolError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match source {
        Source::Auto => read_any(text),
        Source::Json => json::read(text),
        Source::Csv => csv::read(text).map(|rows| vec![rows]),
        Source::Yaml => yaml::read(text),
        Source::Toml => toml::read(text).map(|table| vec![table]),
    }
}

/// Writes a value.
pub(crate) fn write(value: &Val, format: Format) -> Result<String, ToolError> {
    match format {
        Format::Json => json::write_pretty(value),
        Format::Csv => csv::write(value),
        Format::Yaml => yaml::write(value),
        Format::Toml => toml::write(value),
    }
}

/// Tries the strictest format first. What only YAML takes must have some structure: any text is a YAML string.
fn read_any(text: &str) -> Result<Vec<Val>, ToolError> {
    let not_json = match json::read(text) {
        Ok(values) => return Ok(values),
        Err(error) => error,
    };
    if text.contains('=')
        && let Ok(table) = toml::read(text)
    {
        return Ok(vec![table]);
    }
    if csv::looks_like(text)
        && let Ok(rows) = csv::read(text)
    {
        return Ok(vec![rows]);
    }
    let yaml = yaml::read(text);
    let looks_like_json = text.trim_start().starts_with(['{', '[', '"']);
    match yaml {
        Ok(values) if values.iter().any(is_structure) => Ok(values),
        _ if looks_like_json => Err(not_json),
        Err(not_yaml) if text.contains(": ") || text.contains(":\n") => Err(not_yaml),
        _ => Err(ToolError::invalid_arguments(format!(
            "`input` is not recognisable as JSON, CSV, YAML or TOML; say which it is in `from` (as JSON: {not_json})"
        ))),
    }
}

fn is_structure(value: &Val) -> bool {
    matches!(value, Val::Arr(_) | Val::Obj(_))
}

/// The line and column of a byte, both from 1.
pub(crate) fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[start..].chars().count() + 1)
}
