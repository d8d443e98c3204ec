//! References from arguments to earlier results.
//!
//! | written in arguments | becomes |
//! |---|---|
//! | `{"$ref": "steps.fetch.body"}` | that value, of whatever type |
//! | `"{{ steps.fetch.body }}"`, the whole string | that value, of whatever type |
//! | `"got {{ steps.fetch.status }}"` | text, with the value in its place (a list or object as JSON) |
//! | `{"$literal": …}` | what stands there, with nothing in it read as a reference |
//!
//! A reference is `steps.NAME`, then `.field`, `[0]` or `["any key"]` any number of times, at the end
//! optionally `.join("separator")` for a list; `size(…)` around it counts. Whatever else stands there is an
//! expression of CEL ([`toolcrib_policy::Expression`]) that reads `steps`, `inputs`, the variables of the loops around,
//! or `error` in an error branch. `{{` that is not followed by such an expression is text as it stands. Resolving is one
//! pass: a value that was put in is never read again, so text from a tool cannot bring in a reference.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;
use toolcrib_policy::{PartPath, PartStep};

use super::StepName;

mod source;
mod template;

pub use source::{NAMES, Read, Scope, Source};
pub use template::{each_source, escape, literal, reads, resolve, skeleton};

/// The longest expression, in bytes; one that a person can read is far shorter.
const EXPRESSION_MAX: usize = 512;

/// Why a reference cannot be read or followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefError {
    /// It is not an expression.
    #[error("`{text}` is not a reference: {why}")]
    Syntax {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An expression that cannot be read, or that has no value.
    #[error(transparent)]
    Expression(#[from] toolcrib_policy::ExpressionError),
    /// There is no result of that step.
    #[error("`{0}` refers to a step that has no result")]
    NoResult(String),
    /// The result has nothing there.
    #[error("`{reference}` leads nowhere: the result has {has}")]
    NoValue {
        /// The reference.
        reference: String,
        /// What the result has instead.
        has: String,
    },
    /// The value is of the wrong type for `join` or `size`.
    #[error("`{0}` needs a list")]
    NotAList(String),
}

/// One step down into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
}

/// A way into a value: `matches[0].path`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Segment>);

impl Path {
    /// Reads a path; the empty text is the whole value.
    ///
    /// # Errors
    ///
    /// The text is not a path.
    pub fn parse(text: &str) -> Result<Self, RefError> {
        let dotted = if text.is_empty() || text.starts_with('[') { text.to_owned() } else { format!(".{text}") };
        let mut cursor = Cursor { text, rest: &dotted };
        let path = cursor.path()?;
        if cursor.rest.is_empty() { Ok(path) } else { Err(cursor.error("it goes on after its end")) }
    }

    /// A path of one key.
    pub fn key(key: impl Into<String>) -> Self {
        Self(vec![Segment::Key(key.into())])
    }

    /// The same as the policy has it.
    pub fn to_part(&self) -> PartPath {
        PartPath::new(self.0.iter().map(|segment| match segment {
            Segment::Key(key) => PartStep::Key(key.clone()),
            Segment::Index(index) => PartStep::Index(*index),
        }))
    }

    /// Follows the path.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Key(key) if is_ident(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{}]", Value::from(key.as_str()))?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What is done with the value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Plain,
    /// How many items, fields or characters it has.
    Size,
    /// The items of a list as text with this between them.
    Join(String),
}

/// A reference to (a part of) the result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The step.
    pub step: StepName,
    /// The way into its result.
    pub path: Path,
    /// What is done with the value.
    pub form: Form,
}

impl Reference {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// The text is not an expression.
    pub fn parse(text: &str) -> Result<Self, RefError> {
        let mut cursor = Cursor { text, rest: text.trim() };
        if text.len() > EXPRESSION_MAX {
            return Err(cursor.error("it is too long"));
        }
        let sized = cursor.eat("size(");
        if !cursor.eat("steps.") {
            return Err(cursor.error("it does not begin with `steps.`"));
        }
        let step = cursor.ident().and_then(|name| StepName::try_from(name.to_owned()).ok());
        let Some(step) = step else { return Err(cursor.error("after `steps.` comes the name of a step")) };
        let path = cursor.path()?;
        let mut form = Form::Plain;
        if cursor.eat(".join(") {
            form = Form::Join(cursor.string()?);
            cursor.close()?;
        }
        if sized {
            cursor.close()?;
            form = Form::Size;
        }
        if cursor.rest.trim().is_empty() {
            Ok(Self { step, path, form })
        } else {
            Err(cursor.error("it goes on after its end"))
        }
    }

    /// The reference as an argument.
    pub fn to_argument(&self) -> Value {
        let mut map = Map::new();
        map.insert("$ref".to_owned(), Value::from(self.to_string()));
        Value::Object(map)
    }

    /// The value in this result.
    ///
    /// # Errors
    ///
    /// The path leads nowhere, or the value is no list where one is needed.
    pub fn evaluate(&self, result: &Value) -> Result<Value, RefError> {
        let found = self
            .path
            .find(result)
            .ok_or_else(|| RefError::NoValue { reference: self.to_string(), has: shape(result) })?;
        match (&self.form, found) {
            (Form::Plain, value) => Ok(value.clone()),
            (Form::Size, Value::Array(items)) => Ok(items.len().into()),
            (Form::Size, Value::Object(fields)) => Ok(fields.len().into()),
            (Form::Size, Value::String(text)) => Ok(text.chars().count().into()),
            (Form::Join(between), Value::Array(items)) => {
                Ok(Value::from(items.iter().map(as_text).collect::<Vec<_>>().join(between)))
            }
            _ => Err(RefError::NotAList(self.to_string())),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Plain => write!(f, "steps.{}{}", self.step, self.path),
            Form::Size => write!(f, "size(steps.{}{})", self.step, self.path),
            Form::Join(between) => {
                write!(f, "steps.{}{}.join({})", self.step, self.path, Value::from(between.as_str()))
            }
        }
    }
}

/// A value as it stands in text: a string without quotes, anything else as JSON.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value in at most about `limit` characters.
pub fn short(value: &Value, limit: usize) -> String {
    let text = as_text(value);
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn shape(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "no fields".to_owned(),
        Value::Object(map) => format!("the fields {}", map.keys().take(12).cloned().collect::<Vec<_>>().join(", ")),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Null => "nothing".to_owned(),
        _ => "a plain value".to_owned(),
    }
}

fn is_ident(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text != "join"
}

struct Cursor<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    fn error(&self, why: &'static str) -> RefError {
        RefError::Syntax { text: self.text.chars().take(120).collect(), why }
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn close(&mut self) -> Result<(), RefError> {
        if self.eat(")") { Ok(()) } else { Err(self.error("a `)` is missing")) }
    }

    fn ident(&mut self) -> Option<&'t str> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (ident, rest) = self.rest.split_at(end);
        let legal = !ident.is_empty() && !ident.starts_with(|c: char| c.is_ascii_digit());
        legal.then(|| {
            self.rest = rest;
            ident
        })
    }

    fn string(&mut self) -> Result<String, RefError> {
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let Some(Ok(text)) = stream.next() else { return Err(self.error("a quoted text is missing")) };
        self.rest = &self.rest[stream.byte_offset()..];
        Ok(text)
    }

    fn path(&mut self) -> Result<Path, RefError> {
        let mut segments = Vec::new();
        loop {
            if self.rest.starts_with(".join(") {
                break;
            }
            if self.eat(".") {
                let key = self.ident().ok_or_else(|| self.error("after `.` comes a field; write others as [\"…\"]"))?;
                segments.push(Segment::Key(key.to_owned()));
            } else if self.eat("[") {
                let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
                if digits > 0 {
                    let index = self.rest[..digits].parse().map_err(|_| self.error("the index is too large"))?;
                    self.rest = &self.rest[digits..];
                    segments.push(Segment::Index(index));
                } else {
                    segments.push(Segment::Key(self.string()?));
                }
                if !self.eat("]") {
                    return Err(self.error("a `]` is missing"));
                }
            } else {
                break;
            }
        }
        Ok(Path(segments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn name(text: &str) -> StepName {
        StepName::try_from(text.to_owned()).unwrap()
    }

    fn resolved(arguments: Value) -> Result<Value, RefError> {
        let result = json!({"n": 3, "list": ["a", "b"], "odd key": {"x": true}, "evil": "{{ steps.s.n }}", "join": 7});
        resolve(&arguments, &NAMES, &One(result)).map(|(value, _)| value)
    }

    /// A run with one step, and one input.
    struct One(Value);

    impl Scope for One {
        fn step(&self, name: &StepName) -> Option<&Value> {
            (name.as_str() == "s").then_some(&self.0)
        }

        fn origin(&self, name: &StepName) -> Option<StepName> {
            Some(name.clone())
        }

        fn value(&self, name: &str) -> Option<&Value> {
            (name == "inputs").then(|| &self.0["odd key"])
        }

        fn sources(&self, _name: &str) -> Vec<StepName> {
            Vec::new()
        }
    }

    #[test]
    fn references_keep_their_type_and_templates_make_text() {
        let cases = [
            (json!({"$ref": "steps.s.n"}), json!(3)),
            (json!("{{ steps.s.list }}"), json!(["a", "b"])),
            (json!("n={{steps.s.n}}, l={{ steps.s.list }}"), json!("n=3, l=[\"a\",\"b\"]")),
            (json!({"a": [{"$ref": "steps.s[\"odd key\"].x"}]}), json!({"a": [true]})),
            (json!("{{ steps.s.list.join(\"\\n\") }}"), json!("a\nb")),
            (json!("{{ size(steps.s.list) }}"), json!(2)),
            (json!({"$ref": "steps.s.list[1]"}), json!("b")),
            (json!({"$ref": "steps.s[\"join\"]"}), json!(7)),
            (json!("{{ name }} stays"), json!("{{ name }} stays")),
            (json!("{{ steps and so on }} stays"), json!("{{ steps and so on }} stays")),
            (json!("{{ inputs.x }}"), json!(true)),
            (json!("{{ steps.s.n * 2 + 1 }}"), json!(7)),
            (json!({"$ref": "steps.s.list.filter(i, i != \"a\")"}), json!(["b"])),
            (json!("{{ has(steps.t) ? 1 : 2 }}"), json!(2)),
            (json!("{{ 1 + 2 }}"), json!("{{ 1 + 2 }}")),
            (json!("{{ steps.s.n"), json!("{{ steps.s.n")),
        ];
        for (arguments, expected) in cases {
            assert_eq!(resolved(arguments.clone()), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn text_that_came_from_a_tool_is_never_read_as_a_reference() {
        assert_eq!(resolved(json!("got {{ steps.s.evil }}")), Ok(json!("got {{ steps.s.n }}")));
        assert_eq!(resolved(literal(json!({"t": "{{ steps.s.n }}"}))), Ok(json!({"t": "{{ steps.s.n }}"})));
        assert_eq!(resolved(escape(json!({"$ref": "steps.s.n"}))), Ok(json!({"$ref": "steps.s.n"})));
        assert_eq!(escape(json!("plain {{ x }}")), literal(json!("plain {{ x }}")));
        assert_eq!(escape(json!("plain { x }")), json!("plain { x }"));
    }

    #[test]
    fn what_leads_nowhere_is_said() {
        insta::assert_snapshot!(resolved(json!("{{ steps.s.zz }}")).unwrap_err(),
            @"`steps.s.zz` leads nowhere: the result has the fields evil, join, list, n, odd key");
        insta::assert_snapshot!(resolved(json!({"$ref": "steps.other.x"})).unwrap_err(),
            @"`steps.other.x` refers to a step that has no result");
        insta::assert_snapshot!(resolved(json!({"$ref": "steps.s..n"})).unwrap_err(),
            @r#"`steps.s..n` is not a reference: after `.` comes a field; write others as ["…"]"#);
        insta::assert_snapshot!(resolved(json!("{{ steps.s.n.join(\",\") }}")).unwrap_err(),
            @r#"`steps.s.n.join(",")` needs a list"#);
    }

    #[test]
    fn a_skeleton_tells_where_the_references_stand() {
        let (value, places) =
            skeleton(&json!({"a/b": {"$ref": "steps.s.n"}, "c": ["x", "{{ steps.s.n }}"]}), &NAMES).unwrap();
        assert_eq!(value, json!({"a/b": null, "c": ["x", null]}));
        assert_eq!(places, ["/a~1b", "/c/1"]);
    }

    proptest! {
        #[test]
        fn a_reference_is_what_it_prints(keys in prop::collection::vec(".{0,8}", 0..4), between in ".{0,4}") {
            let path = Path(keys.into_iter().map(Segment::Key).collect());
            for form in [Form::Plain, Form::Size, Form::Join(between)] {
                let reference = Reference { step: name("abc"), path: path.clone(), form };
                let text = reference.to_string();
                prop_assume!(text.len() <= EXPRESSION_MAX);
                prop_assert_eq!(Reference::parse(&text), Ok(reference));
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,80}") {
            let _ = Reference::parse(&text);
            let _ = Path::parse(&text);
            let _ = resolved(json!(text));
        }

        #[test]
        fn escaped_data_comes_out_as_it_went_in(text in r"\{\{ ?(steps|size)[.(a-z \}]{0,20}\}?\}?") {
            prop_assert_eq!(resolved(escape(json!({"k": text.clone()}))), Ok(json!({"k": text})));
        }
    }
}
