//! Tools for structured data: jq programs, and JSON, CSV, YAML and TOML.
//!
//! ```text
//! input ─► format (auto │ json │ csv │ yaml │ toml) ─► value ─┬─► program (jq) ─► results
//!                                                             └─► format ───────► output
//! ```
//!
//! There is one kind of value in between, that of the jq interpreter: its objects keep the order of their keys, and its
//! integers are exact. Everything is pure: no tool of this plugin asks the host for anything but the time of day, for the
//! `now` of jq.

use toolcrib_sdk::{ToolError, plugin, tool, value};

mod limits;
mod value;

mod format;

mod program;

use format::{Format, Source};
use value::Json;

/// What a jq program gave back.
#[value(output)]
struct Answer {
    /// The results, in order. A program may give back none, one or many.
    #[schemars(with = "Vec<serde_json::Value>")]
    results: Vec<Json>,
    /// How many results there are.
    count: usize,
}

/// Data in another format.
#[value(output)]
struct Converted {
    /// The data as text in that format.
    output: String,
    /// The format.
    format: Format,
}

/// Runs a jq program on JSON, CSV, YAML or TOML: picks fields, filters, counts, sums, groups, sorts, reshapes.
///
/// CSV comes in as an array of objects, one for each row, with numbers as numbers. `results` has everything that the
/// program gave back.
#[tool(effect = read, title = "Query data with jq")]
fn query(
    /// The data: text in JSON, CSV, YAML or TOML, or any JSON value as it is.
    #[schemars(with = "serde_json::Value")]
    input: Json,
    /// The jq program, such as `.items[] | select(.price > 10) | .name`.
    query: &str,
    /// The format of `input` where that is text: json, csv, yaml, toml, or auto to find out.
    #[arg(default)]
    from: Source,
) -> Result<Answer, ToolError> {
    let results = program::run(query, format::read(input.0, from)?)?;
    let results: Vec<Json> = results.into_iter().map(Json).collect();
    let count = results.len();
    Ok(Answer { results, count })
}

/// Converts data between JSON, CSV, YAML and TOML.
///
/// CSV is written from an array of objects, whose keys become the header, or from an array of arrays.
#[tool(effect = read, title = "Convert data")]
fn convert(
    /// The data: text in JSON, CSV, YAML or TOML, or any JSON value as it is.
    #[schemars(with = "serde_json::Value")]
    input: Json,
    /// The format to write: json, csv, yaml or toml.
    to: Format,
    /// The format of `input` where that is text: json, csv, yaml, toml, or auto to find out.
    #[arg(default)]
    from: Source,
) -> Result<Converted, ToolError> {
    let output = format::write(&format::read(input.0, from)?, to)?;
    Ok(Converted { output, format: to })
}

plugin!(query, convert);

#[cfg(test)]
mod tests;
