//! From the JSON text of a call to the parameters of a function, with errors that say what to change.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ToolError;

/// The most of a serde message that is passed on: it may quote a value, and a value may be as long as it likes.
const MAX_DETAIL: usize = 300;

/// Reads the arguments of a call. `names` are the parameters.
///
/// # Errors
///
/// `invalid-arguments`, naming the argument, what was expected, and for an unknown name the nearest right one.
#[doc(hidden)]
pub fn parse<T: DeserializeOwned>(text: &str, names: &[&str]) -> Result<T, ToolError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(not_json(&error)),
        },
        Err(error) => {
            let path = error.path().to_string();
            Err(explain(text, names, &path, &error.into_inner()))
        }
    }
}

/// Of the known names, the one that was probably meant: close in spelling, or the same but for case and separators.
#[must_use]
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Spelling is compared in time that grows with the product of the lengths.
    const MAX: usize = 64;
    if wrong.chars().count() > MAX {
        return None;
    }
    let folded = fold(wrong);
    let scored = names.into_iter().map(|name| (strsim::osa_distance(&folded, &fold(name)), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    let reach = (wrong.chars().count().max(name.chars().count()) / 3).max(1);
    (distance <= reach).then_some(name)
}

fn fold(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cold]
fn explain(text: &str, names: &[&str], path: &str, error: &serde_json::Error) -> ToolError {
    if !error.is_data() {
        return not_json(error);
    }
    let members = match serde_json::from_str(text) {
        Ok(Value::Object(members)) => members,
        Ok(other) => {
            let found = kind_of(&other);
            return ToolError::invalid_arguments(format!("the arguments must be a JSON object, not {found}"));
        }
        Err(error) => return not_json(&error),
    };
    if let Some(unknown) = members.keys().find(|key| !names.contains(&key.as_str())) {
        return unknown_argument(unknown, names);
    }
    let detail = detail(error);
    if path == "." {
        return match missing_field(&detail) {
            Some(name) => ToolError::invalid_arguments(format!("the argument `{name}` is missing")),
            None => ToolError::invalid_arguments(format!("the arguments do not fit: {detail}")),
        };
    }
    ToolError::invalid_arguments(format!("the argument `{path}` does not fit: {detail}"))
}

fn not_json(error: &serde_json::Error) -> ToolError {
    ToolError::invalid_arguments(format!("the arguments are not a JSON object: {error}"))
}

fn unknown_argument(unknown: &str, names: &[&str]) -> ToolError {
    let shown = shorten(unknown, 64);
    let hint = match nearest(unknown, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "this tool takes none".to_owned(),
        None => format!("this tool takes `{}`", names.join("`, `")),
    };
    ToolError::invalid_arguments(format!("there is no argument `{shown}`: {hint}"))
}

fn missing_field(detail: &str) -> Option<&str> {
    detail.strip_prefix("missing field `")?.strip_suffix('`')
}

/// The message of serde without the position, which means nothing to whoever made the object, and in plain words.
fn detail(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    for prefix in ["invalid type: ", "invalid value: ", "invalid length "] {
        let Some((found, expected)) = text.strip_prefix(prefix).and_then(|rest| rest.rsplit_once(", expected ")) else {
            continue;
        };
        let (found, expected) = (shorten(found, MAX_DETAIL), plain(expected));
        return format!("expected {expected}, found {found}");
    }
    shorten(text, MAX_DETAIL)
}

/// Rust's names of types in the words of JSON.
fn plain(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" => "null",
        other if other.starts_with("struct ") => "an object",
        other => return shorten(other, MAX_DETAIL),
    };
    words.to_owned()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The first characters, with a mark where something was left out.
fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
