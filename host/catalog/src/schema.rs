//! JSON Schemas of tools: checked and cleaned once, kept as text, parsed when somebody looks at one.

mod cost;

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::limits::{MAX_DESCRIPTION_CHARS, MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH, MAX_TITLE_CHARS};
use crate::text::{Findings, hides, line, passage};

/// What stands for a schema that cannot be read: nothing fits it.
const CLOSED: &str = r#"{"not":{},"type":"object"}"#;

/// A JSON Schema as text, parsed on first use.
#[derive(Debug)]
pub struct Schema {
    text: Bytes,
    value: OnceLock<Value>,
}

impl Schema {
    /// A schema from the text of one that was checked before.
    pub(crate) fn from_text(text: Bytes) -> Self {
        Self { text, value: OnceLock::new() }
    }

    /// The schema as JSON text.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or(CLOSED)
    }

    /// The schema as a value. One that was damaged in the cache is a schema that nothing fits.
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| {
            let closed = || serde_json::json!({"type": "object", "not": {}});
            serde_json::from_str(self.json()).unwrap_or_else(|_| closed())
        })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.text
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Why a schema is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("its {0} schema is no object with `\"type\": \"object\"`")]
    NotObject(&'static str),
    #[error("its {0} schema has more than {MAX_SCHEMA_DEPTH} levels")]
    TooDeep(&'static str),
    #[error("its {0} schema has {1} bytes, and the most is {MAX_SCHEMA_BYTES}")]
    TooLarge(&'static str, usize),
    #[error("its {0} schema cannot be used: {1}")]
    Unbounded(&'static str, cost::CostError),
    #[error("its {0} schema has invisible or control characters in the name or value `{1}`")]
    Hidden(&'static str, String),
}

/// Checks the schema called `which` and cleans its annotations. Names and values cannot be cleaned without changing what
/// they mean, so a schema that hides something there is refused.
pub(crate) fn clean(which: &'static str, schema: &Value, findings: &mut Findings) -> Result<Schema, SchemaError> {
    let mut cleaner = Cleaner { which, findings };
    let value = cleaner.value(schema, MAX_SCHEMA_DEPTH)?;
    let text = value.to_string();
    if text.len() > MAX_SCHEMA_BYTES {
        return Err(SchemaError::TooLarge(which, text.len()));
    }
    cost::check(&value).map_err(|error| SchemaError::Unbounded(which, error))?;
    Ok(Schema { text: Bytes::from(text), value: OnceLock::from(value) })
}

/// As [`clean`], for the schema of arguments, which are always an object.
pub(crate) fn clean_input(schema: &Value, findings: &mut Findings) -> Result<Schema, SchemaError> {
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        clean("input", schema, findings)
    } else {
        Err(SchemaError::NotObject("input"))
    }
}

struct Cleaner<'a> {
    which: &'static str,
    findings: &'a mut Findings,
}

impl Cleaner<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<Value, SchemaError> {
        let depth = depth.checked_sub(1).ok_or(SchemaError::TooDeep(self.which))?;
        Ok(match value {
            Value::String(text) if hides(text) => return Err(self.hidden(text)),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item, depth)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let mut cleaned = Map::new();
                for (name, member) in members {
                    if hides(name) || name.contains(['\n', '\r', '\t']) {
                        return Err(self.hidden(name));
                    }
                    cleaned.insert(name.clone(), self.member(name, member, depth)?);
                }
                Value::Object(cleaned)
            }
            other => other.clone(),
        })
    }

    fn member(&mut self, name: &str, value: &Value, depth: usize) -> Result<Value, SchemaError> {
        let Value::String(text) = value else { return self.value(value, depth) };
        let (cleaned, found) = match name {
            "title" => line(text, MAX_TITLE_CHARS),
            "description" | "$comment" => passage(text, MAX_DESCRIPTION_CHARS),
            _ => return self.value(value, depth),
        };
        self.findings.join(found);
        Ok(Value::String(cleaned))
    }

    fn hidden(&self, text: &str) -> SchemaError {
        SchemaError::Hidden(self.which, text.chars().take(60).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cleaned(schema: &Value) -> (Result<Value, SchemaError>, Findings) {
        let mut findings = Findings::default();
        let result = clean_input(schema, &mut findings).map(|schema| schema.value().clone());
        (result, findings)
    }

    #[test]
    fn annotations_are_cleaned_and_the_rest_stays() {
        let schema = json!({"type": "object", "properties": {
            "sep": {"type": "string", "enum": [",", "\t"], "default": "\n", "description": "how\u{200b} to split"},
            "description": {"type": "string", "title": "a\nb"}}});
        let (result, findings) = cleaned(&schema);
        let expected = json!({"type": "object", "properties": {
            "sep": {"type": "string", "enum": [",", "\t"], "default": "\n", "description": "how to split"},
            "description": {"type": "string", "title": "a b"}}});
        assert_eq!(result, Ok(expected));
        assert!(findings.invisible);
    }

    #[test]
    fn names_and_values_that_hide_something_refuse_the_schema() {
        for schema in [
            json!({"type": "object", "properties": {"a\u{200b}": {}}}),
            json!({"type": "object", "properties": {"a": {"enum": ["x\u{202e}"]}}}),
            json!({"type": "object", "properties": {"a\nb": {}}}),
            json!({"type": "object", "properties": {"a": {"default": "\u{1b}[2J"}}}),
        ] {
            assert!(matches!(cleaned(&schema).0, Err(SchemaError::Hidden("input", _))), "{schema}");
        }
    }

    #[test]
    fn schemas_that_are_no_object_too_deep_or_too_large_are_refused() {
        for schema in [json!(true), json!({}), json!({"type": "string"}), json!({"type": ["object"]})] {
            assert_eq!(cleaned(&schema).0, Err(SchemaError::NotObject("input")), "{schema}");
        }
        let mut deep = json!({});
        for _ in 0..MAX_SCHEMA_DEPTH {
            deep = json!({"items": deep});
        }
        assert_eq!(cleaned(&json!({"type": "object", "properties": deep})).0, Err(SchemaError::TooDeep("input")));
        let large = json!({"type": "object", "enum": ["x".repeat(MAX_SCHEMA_BYTES)]});
        assert!(matches!(cleaned(&large).0, Err(SchemaError::TooLarge("input", _))));
    }

    #[test]
    fn a_damaged_schema_fits_nothing() {
        for text in [&b"{"[..], &b"\xff"[..]] {
            assert_eq!(Schema::from_text(Bytes::from_static(text)).value(), &json!({"type": "object", "not": {}}));
        }
    }
}
