//! What is wrong with a value: where, what was expected, and what was found.

use serde_json::Value;
use thiserror::Error;

use super::limits::cut;
use super::shape::{MapKey, Shape};

/// Arguments that do not fit a function's types.
///
/// Its line is for a person or a model that wrote the arguments: it names the place, the expectation and the finding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {problem}", self.place())]
pub(crate) struct ValueError {
    /// Innermost first: it grows while the error travels out.
    path: Vec<Step>,
    problem: Box<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// What is wrong at the place of a [`ValueError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    /// Another kind of value, or one out of range.
    #[error("expected {expected}, found {found}")]
    Mismatch {
        /// What the type accepts, in words.
        expected: String,
        /// What was there, in words and cut short.
        found: String,
    },
    /// A field without which there is no value.
    #[error("`{name}` is missing, expected {expected}")]
    Missing {
        /// The field.
        name: String,
        /// What it accepts, in words.
        expected: String,
    },
    /// A field that the type does not have.
    #[error("there is no `{name}`, expected {expected}")]
    Unknown {
        /// The field, cut short.
        name: String,
        /// The fields that the type has.
        expected: String,
    },
    /// Two spellings of one field.
    #[error("`{name}` is given twice")]
    Twice {
        /// The field.
        name: String,
    },
    /// The values would take more host memory than one call may.
    #[error("the values take more than {limit} bytes of memory: pass less at once")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl ValueError {
    pub(super) fn new(problem: Problem) -> Self {
        ValueError { path: Vec::new(), problem: Box::new(problem) }
    }

    pub(super) fn mismatch(shape: &Shape, found: &Value) -> Self {
        ValueError::expected(shape.in_words(), found)
    }

    pub(super) fn expected(expected: impl Into<String>, found: &Value) -> Self {
        ValueError::new(Problem::Mismatch { expected: expected.into(), found: found_in_words(found) })
    }

    /// The same error, seen from the object that holds `key`.
    pub(super) fn in_key(mut self, key: &str) -> Self {
        self.path.push(Step::Key(cut(key, 64).to_owned()));
        self
    }

    /// The same error, seen from the array that holds the item.
    pub(super) fn in_index(mut self, index: usize) -> Self {
        self.path.push(Step::Index(index));
        self
    }

    /// Where in the arguments, as a JSON path such as `$.user.tags[3]`.
    pub(crate) fn path(&self) -> String {
        let mut path = "$".to_owned();
        for step in self.path.iter().rev() {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) if is_plain(key) => path.push_str(&format!(".{key}")),
                Step::Key(key) => path.push_str(&format!("[{}]", Value::from(key.as_str()))),
            }
        }
        path
    }

    /// What is wrong there.
    #[cfg(test)]
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }

    fn place(&self) -> String {
        if self.path.is_empty() { "the arguments".to_owned() } else { format!("argument `{}`", self.path()) }
    }
}

/// A result that cannot be given back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ResultError {
    /// As JSON text it would be longer than the call allows. Nothing of it was kept.
    #[error("the result takes more than {limit} bytes as JSON, which is the limit of this call")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The engine gave a value that is not of the function's type.
    #[error("the component returned a value that is not of its type: expected {expected}")]
    Unexpected {
        /// What the type allows, in words.
        expected: String,
    },
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A JSON value in a few words. Never walks into it: it may be deep or large.
fn found_in_words(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.len() <= 40 => {
            format!("the string {}", Value::from(text.as_str()))
        }
        Value::String(text) => {
            format!("a string of {} bytes that begins with {}", text.len(), Value::from(cut(text, 40)))
        }
        Value::Array(items) => format!("an array of length {}", items.len()),
        Value::Object(fields) if fields.is_empty() => "an empty object".to_owned(),
        Value::Object(fields) => {
            format!("an object with {}", list(fields.keys().map(String::as_str)))
        }
    }
}

/// Names in backticks, a few of them.
pub(super) fn list<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 12;
    let count = names.len();
    let shown: Vec<String> = names.take(SHOWN).map(|name| format!("`{}`", cut(name, 64))).collect();
    let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

impl Shape {
    /// What the type accepts, for a line of text. One level only.
    pub(super) fn in_words(&self) -> String {
        match self {
            Shape::Bool => "true or false".to_owned(),
            Shape::Int(int) => {
                let (least, most) = int.range();
                format!("an integer from {least} to {most}")
            }
            Shape::F32 | Shape::F64 => "a number, or \"NaN\", \"Infinity\" or \"-Infinity\"".to_owned(),
            Shape::Char => "a string of one character".to_owned(),
            Shape::String => "a string".to_owned(),
            Shape::Bytes => "text, or {\"base64\": …}".to_owned(),
            Shape::List(_) => "an array".to_owned(),
            Shape::FixedList(_, length) => format!("an array of length {length}"),
            Shape::Map(MapKey::String, _) => "an object".to_owned(),
            Shape::Map(MapKey::Bool, _) => "an object whose keys are `true` and `false`".to_owned(),
            Shape::Map(MapKey::Char, _) => "an object whose keys have one character".to_owned(),
            Shape::Map(MapKey::Int(_), _) => "an object whose keys are integers".to_owned(),
            Shape::Record(fields) => format!("an object with {}", list(fields.iter().map(|field| &*field.name))),
            Shape::Tuple(shapes) => format!("an array of length {}", shapes.len()),
            Shape::Variant(cases) => format!("one of {}", list_cases(cases)),
            Shape::Enum(names) => format!("one of {}", list(names.iter().map(|name| &**name))),
            Shape::Flags(names) => {
                format!("an array of {}", list(names.iter().map(|name| &**name)))
            }
            Shape::Option(option) if option.nested => "null or {\"some\": …}".to_owned(),
            Shape::Option(option) => format!("null or {}", option.inner.in_words()),
            Shape::Result(_) => "{\"ok\": …} or {\"err\": …}".to_owned(),
        }
    }
}

fn list_cases(cases: &[super::shape::Case]) -> String {
    let shown = cases.iter().take(12).map(|case| match case.payload {
        Some(_) => format!("{{\"{}\": …}}", case.name),
        None => format!("\"{}\"", case.name),
    });
    let more = if cases.len() > 12 { format!(" and {} more", cases.len() - 12) } else { String::new() };
    format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
}
