//! Shapes to JSON Schema (draft 2020-12), with the words of the WIT comments where there are some.
//!
//! The schema of a type accepts at least what the canonical form of its values is, so that a result of one tool fits
//! the argument of another. What arguments may be beyond that is the input side's own leniency.

use serde_json::{Map, Value, json};

use super::docs::{TypeDocs, TypeIndex};
use super::limits::{DESCRIPTION_BYTES, SCHEMA_DOC_BYTES, cut};
use super::number::Int;
use super::shape::{Case, Field, MapKey, OptionShape, ResultShape, Shape};
use super::signature::Signature;

/// Which way the values go. Results have every field; arguments may leave out what is optional.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// Writes the schemas of one function.
struct Schemas<'a> {
    types: &'a TypeIndex<'a>,
    way: Way,
    /// Bytes of descriptions that may still be written.
    left: usize,
}

impl Signature {
    /// The schema of the arguments: an object with a property for each parameter.
    pub(super) fn input_schema(&self, types: &TypeIndex<'_>) -> Value {
        Value::Object(Schemas { types, way: Way::In, left: SCHEMA_DOC_BYTES }.object(&self.params, None))
    }

    /// The schema of what a successful call gives; nothing where it gives nothing.
    pub(super) fn output_schema(&self, types: &TypeIndex<'_>) -> Option<Value> {
        let shape = match self.result.as_ref()? {
            Shape::Result(result) => result.ok.as_ref()?,
            shape => shape,
        };
        Some(Value::Object(Schemas { types, way: Way::Out, left: SCHEMA_DOC_BYTES }.schema(shape)))
    }
}

/// What a command takes: its arguments and what it reads from standard input.
pub(super) fn command_input_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "args": {
                "type": "array",
                "items": { "type": "string" },
                "description": "command line arguments, without the name of the program",
            },
            "stdin": { "type": "string", "description": "what the program reads from standard input" },
        },
        "additionalProperties": false,
    })
}

/// What a command gives.
pub(super) fn command_output_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "stdout": { "type": "string" }, "stderr": { "type": "string" } },
        "required": ["stdout", "stderr"],
        "additionalProperties": false,
    })
}

type Schema = Map<String, Value>;

impl Schemas<'_> {
    fn schema(&mut self, shape: &Shape) -> Schema {
        let docs = self.types.get(shape);
        let mut schema = match shape {
            Shape::Bool => of(json!({ "type": "boolean" })),
            Shape::Int(int) => integer(*int),
            Shape::F32 | Shape::F64 if self.way == Way::In => of(json!({ "type": "number" })),
            Shape::F32 | Shape::F64 => {
                of(json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }] }))
            }
            Shape::Char => of(json!({ "type": "string", "minLength": 1, "maxLength": 1 })),
            Shape::String => of(json!({ "type": "string" })),
            Shape::Bytes => bytes(),
            Shape::List(element) => of(json!({ "type": "array", "items": self.schema(element) })),
            Shape::FixedList(element, length) => of(json!({
                "type": "array", "items": self.schema(element), "minItems": length, "maxItems": length,
            })),
            Shape::Map(key, value) => self.map(*key, value),
            Shape::Record(fields) => self.object(fields, docs),
            Shape::Tuple(shapes) => {
                let items: Vec<Schema> = shapes.iter().map(|shape| self.schema(shape)).collect();
                let length = items.len();
                of(json!({
                    "type": "array", "prefixItems": items, "items": false, "minItems": length, "maxItems": length,
                }))
            }
            Shape::Variant(cases) => self.variant(cases, docs),
            Shape::Enum(names) => of(json!({ "type": "string", "enum": names })),
            Shape::Option(option) => self.option(option),
            Shape::Result(result) => self.result(result),
            Shape::Flags(names) => of(json!({ "type": "array", "items": { "enum": names }, "uniqueItems": true })),
        };
        if let Some(docs) = docs {
            self.describe(&mut schema, &in_words(shape, docs));
        }
        schema
    }

    /// A description, unless there is one already or too much has been said.
    fn describe(&mut self, schema: &mut Schema, text: &str) {
        let text = text.trim();
        if text.is_empty() || text.len() > self.left || schema.contains_key("description") {
            return;
        }
        let text = description(text);
        self.left -= text.len().min(self.left);
        schema.insert("description".to_owned(), Value::String(text));
    }

    fn object(&mut self, fields: &[Field], docs: Option<&TypeDocs>) -> Schema {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for Field { name, shape } in fields {
            let own = docs.and_then(|docs| docs.items.get(&**name));
            let mut schema = self.schema(shape);
            if let Some(text) = own {
                schema.remove("description");
                self.describe(&mut schema, text);
            }
            properties.insert(name.to_string(), Value::Object(schema));
            if self.way == Way::Out || !shape.is_optional() {
                required.push(&**name);
            }
        }
        of(json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        }))
    }

    /// Cases without payload are strings, the others objects with one key.
    fn variant(&mut self, cases: &[Case], docs: Option<&TypeDocs>) -> Schema {
        let bare: Vec<&str> = cases.iter().filter(|case| case.payload.is_none()).map(|case| &*case.name).collect();
        let mut any = Vec::new();
        if !bare.is_empty() {
            any.push(of(json!({ "type": "string", "enum": bare })));
        }
        for Case { name, payload } in cases {
            if let Some(payload) = payload {
                let mut schema = self.tagged(name, Some(payload));
                if let Some(text) = docs.and_then(|docs| docs.items.get(&**name)) {
                    self.describe(&mut schema, text);
                }
                any.push(schema);
            }
        }
        any_of(any)
    }

    fn result(&mut self, result: &ResultShape) -> Schema {
        any_of(vec![self.tagged("ok", result.ok.as_ref()), self.tagged("err", result.err.as_ref())])
    }

    fn tagged(&mut self, name: &str, payload: Option<&Shape>) -> Schema {
        let payload = match payload {
            Some(shape) => self.schema(shape),
            None => of(json!({ "type": "null" })),
        };
        of(json!({
            "type": "object", "properties": { name: payload }, "required": [name], "additionalProperties": false,
        }))
    }

    fn option(&mut self, option: &OptionShape) -> Schema {
        if option.nested {
            return any_of(vec![self.tagged("some", Some(&option.inner)), of(json!({ "type": "null" }))]);
        }
        let mut schema = self.schema(&option.inner);
        if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
            any.push(json!({ "type": "null" }));
            return schema;
        }
        match schema.get_mut("type") {
            Some(Value::Array(types)) => types.push("null".into()),
            Some(ty) => *ty = json!([ty.take(), "null"]),
            None => return any_of(vec![schema, of(json!({ "type": "null" }))]),
        }
        if let Some(Value::Array(names)) = schema.get_mut("enum") {
            names.push(Value::Null);
        }
        schema
    }

    fn map(&mut self, key: MapKey, value: &Shape) -> Schema {
        let mut schema = of(json!({ "type": "object", "additionalProperties": self.schema(value) }));
        let names = match key {
            MapKey::String => return schema,
            MapKey::Bool => json!({ "enum": ["true", "false"] }),
            MapKey::Int(int) => json!({ "pattern": digits(int) }),
            MapKey::Char => json!({ "minLength": 1, "maxLength": 1 }),
        };
        schema.insert("propertyNames".to_owned(), names);
        schema
    }
}

fn of(schema: Value) -> Schema {
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn any_of(mut any: Vec<Schema>) -> Schema {
    match any.len() {
        1 => any.remove(0),
        _ => of(json!({ "anyOf": any })),
    }
}

/// A range; 64-bit integers may also be strings of digits, since not every reader keeps them exactly.
fn integer(int: Int) -> Schema {
    let mut schema = of(json!({ "type": "integer" }));
    if int.is_wide() {
        schema.insert("type".to_owned(), json!(["integer", "string"]));
        schema.insert("pattern".to_owned(), json!(digits(int)));
    }
    // `u64::MAX` and `i64::MIN` each fit the number type of the schema, but not both fit one integer type.
    let (least, most) = int.range();
    let bound = |bound: i128| match u64::try_from(bound) {
        Ok(bound) => json!(bound),
        Err(_) => json!(bound as i64),
    };
    schema.insert("minimum".to_owned(), bound(least));
    schema.insert("maximum".to_owned(), bound(most));
    schema
}

fn digits(int: Int) -> &'static str {
    if int.range().0 < 0 { "^-?[0-9]{1,19}$" } else { "^[0-9]{1,20}$" }
}

fn bytes() -> Schema {
    of(json!({
        "anyOf": [
            { "type": "string", "description": "text" },
            {
                "type": "object",
                "properties": { "base64": { "type": "string", "contentEncoding": "base64" } },
                "required": ["base64"],
                "additionalProperties": false,
            },
        ],
    }))
}

/// The comment of a type, with those of its bare names, which have no schema of their own to stand in.
fn in_words(shape: &Shape, docs: &TypeDocs) -> String {
    let names: Vec<&str> = match shape {
        Shape::Enum(names) | Shape::Flags(names) => names.iter().map(|name| &**name).collect(),
        Shape::Variant(cases) => cases.iter().filter(|case| case.payload.is_none()).map(|case| &*case.name).collect(),
        _ => Vec::new(),
    };
    let mut text = docs.docs.as_deref().unwrap_or_default().trim().to_owned();
    for name in names {
        if let Some(item) = docs.items.get(name) {
            text.push_str(&format!("\n`{name}`: {}", item.trim()));
        }
    }
    text
}

/// A comment as a description: trimmed, and cut where it is too long.
pub(super) fn description(text: &str) -> String {
    let text = text.trim();
    if text.len() <= DESCRIPTION_BYTES { text.to_owned() } else { format!("{}…", cut(text, DESCRIPTION_BYTES)) }
}
