//! JSON Schema as the plan and the critic use it: no network, a regex engine that cannot be made to hang, and
//! faults in short sentences.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use thiserror::Error;

/// The most faults that are told at once: a repair needs the first few, not all.
const FAULTS_MAX: usize = 8;

/// The longest text of a fault, in characters: values of a result can be of any size.
const FAULT_TEXT_MAX: usize = 240;

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the schema is not usable: {0}")]
pub struct SchemaError(String);

/// One way in which a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the value, as a JSON pointer; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub why: String,
}

/// Compiles a schema.
pub(crate) fn compile(schema: &Value) -> Result<Validator, SchemaError> {
    // The linear-time engine: a plugin's pattern must not be able to hang the host.
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| SchemaError(clip(&error.to_string())))
}

/// How `value` does not fit `schema`; nothing where it fits.
///
/// # Errors
///
/// The schema itself is broken.
pub fn validate(schema: &Value, value: &Value) -> Result<Vec<Fault>, SchemaError> {
    validate_around(schema, value, &[])
}

/// As [`validate`], where the values at the JSON pointers `unknown` are not known yet: what depends on them is
/// not held against the value.
///
/// # Errors
///
/// The schema itself is broken.
pub fn validate_around(schema: &Value, value: &Value, unknown: &[String]) -> Result<Vec<Fault>, SchemaError> {
    let validator = compile(schema)?;
    let mut faults = Vec::new();
    for error in validator.iter_errors(value) {
        let at = error.instance_path().as_str().to_owned();
        let inside = unknown.iter().any(|place| at == *place || at.starts_with(&format!("{place}/")));
        // A keyword that looks at the whole below it cannot be judged while a part is missing.
        let above = unknown.iter().any(|place| place.starts_with(&at))
            && matches!(
                error.kind().keyword(),
                "anyOf" | "oneOf" | "not" | "if" | "contains" | "uniqueItems" | "enum" | "const"
            );
        if !inside && !above {
            faults.push(Fault { at, why: clip(&error.to_string()) });
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    Ok(faults)
}

/// The faults in one line.
pub(crate) fn join(faults: &[Fault]) -> String {
    let line =
        |fault: &Fault| if fault.at.is_empty() { fault.why.clone() } else { format!("{}: {}", fault.at, fault.why) };
    faults.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(FAULT_TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_name_place_and_reason() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n", "m"]});
        let faults = validate(&schema, &json!({"n": "x"})).unwrap();
        // The order is that of the schema's keys, which another crate's choice of features may change.
        let said = join(&faults);
        for part in [r#"/n: "x" is not of type "integer""#, r#""m" is a required property"#] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn what_is_not_known_yet_is_not_held_against_the_value() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}, "m": {"type": "string"}}});
        let value = json!({"n": null, "m": 1});
        assert_eq!(validate_around(&schema, &value, &["/n".to_owned()]).unwrap().len(), 1);
    }

    #[test]
    fn a_pattern_cannot_make_it_hang() {
        let long = format!("{}!", "a".repeat(50_000));
        for pattern in ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^([a-z]+)*$", "(.*a){20}$"] {
            let faults = validate(&json!({"type": "string", "pattern": pattern}), &json!(long)).unwrap();
            assert_eq!(faults.len(), 1, "{pattern}");
        }
        // What linear time cannot do, or not in bounded memory, is a schema that cannot be used.
        for pattern in [r"^(a+)\1$", "^(?=a)", "((a{1000}){1000}){1000}", "("] {
            assert!(validate(&json!({"type": "string", "pattern": pattern}), &json!("a")).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_remote_schema_is_refused_and_never_fetched() {
        assert!(validate(&json!({"$ref": "http://127.0.0.1:9/schema.json"}), &json!(1)).is_err());
    }
}
