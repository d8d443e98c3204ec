//! The inputs of a flow.

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::plan::validate;

/// Why inputs do not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InputError {
    /// There is no input of that name.
    #[error("the flow has no input `{name}`; it has {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// One that has no default was not given.
    #[error("the input `{name}` is missing{}: give it with --input {name}=VALUE", .description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Missing {
        /// Its name.
        name: String,
        /// What it is.
        description: Option<String>,
    },
    /// One is of another type.
    #[error("the input `{name}`{at}: {why}")]
    Wrong {
        /// Its name.
        name: String,
        /// Where in it.
        at: String,
        /// What is wrong.
        why: String,
    },
}

pub(super) fn complete(inputs: &Map<String, Value>, given: &Map<String, Value>) -> Result<Value, InputError> {
    if let Some(name) = given.keys().find(|name| !inputs.contains_key(*name)) {
        let names: Vec<&str> = inputs.keys().map(String::as_str).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(InputError::Unknown { name: name.clone(), known });
    }
    let mut all = Map::new();
    for (name, schema) in inputs {
        let value = given.get(name).or_else(|| schema.get("default")).cloned().ok_or_else(|| InputError::Missing {
            name: name.clone(),
            description: schema.get("description").and_then(Value::as_str).map(str::to_owned),
        })?;
        let faults = validate(schema, &value).unwrap_or_default();
        if let Some(fault) = faults.first() {
            let at = if fault.at.is_empty() { String::new() } else { format!(" at {}", fault.at) };
            return Err(InputError::Wrong { name: name.clone(), at, why: fault.why.clone() });
        }
        all.insert(name.clone(), value);
    }
    Ok(Value::Object(all))
}

/// A text as it is where a text is wanted, else as JSON where it is some.
pub(super) fn of_text(schema: Option<&Value>, text: &str) -> Value {
    let wants_text = schema.and_then(|schema| schema.get("type")) == Some(&json!("string"));
    let parsed = || serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    if wants_text { Value::from(text) } else { parsed() }
}
