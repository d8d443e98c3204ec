//! Tools for structured data: queries in the language of jq, and conversion between JSON, CSV, YAML and TOML.
//!
//! ```text
//! input ─► format (given, or found out) ─► json │ csv │ yaml │ toml ─► values
//!                                                                     │
//!          results ◄─ json ◄─ query (jq) ◄────────────────────────────┤
//!          output  ◄─ json │ csv │ yaml │ toml ◄─ conversion ◄────────┘
//! ```
//!
//! One kind of value holds everything: objects in their order, whole numbers of any size, decimals as they were written.
//! Everything is bounded (see [`limits`]) and pure: the plugin asks the host for nothing.

use serde_json::value::RawValue;
use toolcrib_sdk::{ToolError, plugin, tool, value};

mod limits;

mod format;
mod input;

mod csv;
mod json;
mod toml;
mod yaml;

mod query;

use format::{Format, Source};
use input::Input;

/// What a query gave.
#[value(output)]
struct Results {
    /// The results, in order. A query may give none, one or many.
    #[schemars(with = "Vec<serde_json::Value>")]
    results: Vec<Box<RawValue>>,
    /// How many there are.
    count: usize,
}

/// Data in another format.
#[value(output)]
struct Converted {
    /// The data as text.
    output: String,
    /// The format of the text.
    format: Format,
}

/// Queries JSON, CSV, YAML or TOML with a program in the language of jq, such as `.items[] | select(.price > 10) | .name`
/// or `map(.amount) | add`.
///
/// CSV becomes an array of objects with the column names of the first row as keys; numbers, `true` and `false` are
/// typed, and an empty cell is null.
#[tool(effect = read, title = "Query data")]
fn query(
    /// The data: text in one of the formats, or any JSON value as it is.
    input: Input,
    /// The jq program.
    query: &str,
    /// The format of a text.
    #[arg(default)]
    from: Source,
) -> Result<Results, ToolError> {
    let results = query::run(query, input.read(from)?)?;
    Ok(Results { count: results.len(), results })
}

/// Converts data between JSON, CSV, YAML and TOML.
///
/// CSV takes an array of objects, whose keys become the columns, or an array of arrays.
#[tool(effect = read, title = "Convert data")]
fn convert(
    /// The data: text in one of the formats, or any JSON value as it is.
    input: Input,
    /// The format to convert to.
    to: Format,
    /// The format of a text.
    #[arg(default)]
    from: Source,
) -> Result<Converted, ToolError> {
    let value = input::single(input.read(from)?);
    Ok(Converted { output: format::write(&value, to)?, format: to })
}

plugin!(query, convert);

#[cfg(test)]
mod tests;
