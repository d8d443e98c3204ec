//! What a result must meet, as data that a program can check.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::Expression;

use super::refs;
use super::schema;

/// One checkable statement about a result. Paths are those of references without the step: `matches[0].path`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// There is something other than null at this path.
    Exists(String),
    /// The value at `path` is exactly this.
    Equals {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// The text at `path` holds this text, or the list at `path` holds this value as an item.
    Contains {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// The whole result fits this JSON Schema.
    Schema(Value),
    /// This expression is true. It speaks of `result`, and of `arguments`, which are those of the step; in a check, those of
    /// the step that is checked.
    Holds(String),
}

/// An expectation that a result does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// Why not, in words.
    pub why: String,
    /// Whether that is not known: the expectation itself could not be worked out.
    pub undecided: bool,
}

impl Unmet {
    fn not(why: String) -> Self {
        Self { why, undecided: false }
    }

    fn unknown(why: String) -> Self {
        Self { why, undecided: true }
    }
}

impl Expectation {
    /// Checks that the expectation itself makes sense.
    ///
    /// # Errors
    ///
    /// What is wrong with its path or schema.
    pub fn well_formed(&self) -> Result<(), String> {
        match self {
            Self::Exists(path) | Self::Equals { path, .. } | Self::Contains { path, .. } => {
                refs::Path::parse(path).map(drop).map_err(|error| error.to_string())
            }
            Self::Schema(schema) => schema::compile(schema).map(drop).map_err(|error| error.to_string()),
            Self::Holds(text) => expression(text).map(drop),
        }
    }

    /// Checks the result of a call without arguments.
    ///
    /// # Errors
    ///
    /// What the result lacks.
    pub fn check(&self, result: &Value) -> Result<(), Unmet> {
        self.check_with(result, &Value::Null)
    }

    /// Checks a result.
    ///
    /// # Errors
    ///
    /// What the result lacks.
    pub fn check_with(&self, result: &Value, arguments: &Value) -> Result<(), Unmet> {
        match self {
            Self::Exists(path) => match find(path, result) {
                None | Some(Value::Null) => Err(Unmet::not(format!("the result has no `{path}`"))),
                Some(_) => Ok(()),
            },
            Self::Equals { path, value } => match find(path, result) {
                Some(found) if found == value => Ok(()),
                Some(found) => Err(Unmet::not(format!("`{path}` is {}, expected {value}", refs::short(found, 80)))),
                None => Err(Unmet::not(format!("the result has no `{path}`, expected {value}"))),
            },
            Self::Contains { path, value } => match (find(path, result), value) {
                (Some(Value::String(text)), Value::String(part)) if text.contains(part.as_str()) => Ok(()),
                (Some(Value::Array(items)), value) if items.contains(value) => Ok(()),
                _ => Err(Unmet::not(format!("`{path}` does not contain {value}"))),
            },
            Self::Schema(schema) => match schema::validate(schema, result) {
                Ok(faults) if faults.is_empty() => Ok(()),
                Ok(faults) => Err(Unmet::not(schema::join(&faults))),
                Err(error) => Err(Unmet::unknown(error.to_string())),
            },
            Self::Holds(text) => {
                let lookup = |name: &str, field: Option<&str>| match (name, field) {
                    ("result", None) => Some(result),
                    ("arguments", None) => Some(arguments),
                    _ => None,
                };
                let expression = expression(text).map_err(Unmet::unknown)?;
                match expression.evaluate(&lookup) {
                    Ok(Value::Bool(true)) => Ok(()),
                    Ok(Value::Bool(false)) => Err(Unmet::not(format!("`{text}` does not hold"))),
                    Ok(other) => {
                        Err(Unmet::not(format!("`{text}` is neither true nor false: {}", refs::short(&other, 80))))
                    }
                    Err(error) => Err(Unmet::unknown(error.to_string())),
                }
            }
        }
    }
}

fn expression(text: &str) -> Result<Expression, String> {
    Expression::parse(text, &["result", "arguments"]).map_err(|error| error.to_string())
}

fn find<'v>(path: &str, value: &'v Value) -> Option<&'v Value> {
    refs::Path::parse(path).ok()?.find(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_accepts_and_refuses() {
        let result = json!({"a": {"b": [1, "two"]}, "t": "hello world", "n": null});
        let cases = [
            (json!({"exists": "a.b[1]"}), true),
            (json!({"exists": "n"}), false),
            (json!({"exists": "zz"}), false),
            (json!({"equals": {"path": "a.b[0]", "value": 1}}), true),
            (json!({"equals": {"path": "a.b[0]", "value": 2}}), false),
            (json!({"contains": {"path": "t", "value": "world"}}), true),
            (json!({"contains": {"path": "a.b", "value": "two"}}), true),
            (json!({"contains": {"path": "a.b", "value": "three"}}), false),
            (json!({"schema": {"type": "object", "required": ["t"]}}), true),
            (json!({"schema": {"type": "object", "required": ["zz"]}}), false),
            (json!({"holds": "size(result.a.b) == 2 && result.t.startsWith(\"hello\")"}), true),
            (json!({"holds": "result.t == arguments.t"}), false),
            (json!({"holds": "result.zz > 1"}), false),
        ];
        for (expectation, met) in cases {
            let parsed: Expectation = serde_json::from_value(expectation.clone()).unwrap();
            assert!(parsed.well_formed().is_ok());
            assert_eq!(parsed.check(&result).is_ok(), met, "{expectation}");
        }
    }

    #[test]
    fn an_expectation_that_makes_no_sense_is_noticed() {
        assert!(Expectation::Exists("a..b".to_owned()).well_formed().is_err());
        assert!(Expectation::Schema(json!({"type": "nonsense"})).well_formed().is_err());
        assert!(Expectation::Holds("steps.x == 1".to_owned()).well_formed().is_err());
    }

    #[test]
    fn what_came_back_is_compared_with_what_was_given() {
        let same = Expectation::Holds("result.text == arguments.text || result.truncated".to_owned());
        assert!(same.check_with(&json!({"text": "a", "truncated": false}), &json!({"text": "a"})).is_ok());
        assert!(same.check_with(&json!({"text": "b", "truncated": false}), &json!({"text": "a"})).is_err());
    }
}
