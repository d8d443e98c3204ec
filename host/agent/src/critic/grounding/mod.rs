//! Where the things in a call's arguments come from.
//!
//! ```text
//! arguments ─► literals ─► things (URL, address, path, name, id, number, date) ─► said by a person? ─► given by a tool?
//!                                                                                   └─► follows from those? ─► missing
//! ```
//!
//! What a planner writes is prose, and things that have to come from somewhere: an id, an address or a number that stands
//! neither in the goal nor in an answer nor in an earlier result was made up. References and computed values are grounded by
//! construction, and so is what the tool's own schema names. A value that follows from others (a sum, a number of items, a
//! date from "tomorrow", a path put together from its parts) counts a little less than one that stands there.

mod numbers;
mod sources;
mod things;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use sources::Found;
use things::{Thing, things};

pub use sources::Sources;

/// The most that is told of one call: a planner repairs the first few, and a person reads no more.
const MISSING_MAX: usize = 8;

/// The longest text of something that is missing, in characters.
const TEXT_MAX: usize = 120;

/// What a thing counts that follows from others, where one that stands there counts 100.
const DERIVED: usize = 80;

/// Something that comes from nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Where in the arguments, as a JSON pointer.
    pub at: String,
    /// What it is.
    pub text: String,
}

/// How well the arguments of a call are grounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounding {
    /// From 0 to 100.
    pub score: u8,
    /// What comes from nowhere, the first few.
    pub missing: Vec<Missing>,
}

impl Grounding {
    /// What a planner or a person is told.
    pub fn complaint(missing: &[Missing]) -> String {
        let named: Vec<_> =
            missing.iter().map(|missing| format!("`{}` (argument {})", missing.text, missing.at)).collect();
        format!("neither the goal nor an answer nor an earlier result has {}", named.join(", "))
    }
}

/// Looks at the literals of `arguments`: what is left of them without references. `schema` is the tool's own.
pub fn ground(literals: &Value, schema: &Value, sources: &Sources<'_>) -> Grounding {
    let mut seen = Looked { schema, sources, total: 0, weight: 0, missing: Vec::new() };
    seen.value(literals, Some(schema), &mut String::new());
    let score = seen.weight.checked_div(seen.total).unwrap_or(100);
    Grounding { score: u8::try_from(score).unwrap_or(100), missing: seen.missing }
}

struct Looked<'l> {
    schema: &'l Value,
    sources: &'l Sources<'l>,
    total: usize,
    weight: usize,
    missing: Vec<Missing>,
}

impl Looked<'_> {
    fn value(&mut self, value: &Value, schema: Option<&Value>, at: &mut String) {
        let schema = schema.map(|schema| resolved(schema, self.schema));
        if schema.is_some_and(|schema| names(schema, self.schema, value, 4)) {
            return;
        }
        let below = |at: &mut String, key: &str, looked: &mut Self, value, schema| {
            let length = at.len();
            at.push('/');
            at.push_str(key);
            looked.value(value, schema, at);
            at.truncate(length);
        };
        match value {
            Value::Object(map) => {
                for (key, item) in map {
                    let schema = schema.and_then(|schema| schema.get("properties")?.get(key));
                    below(at, key, self, item, schema);
                }
            }
            Value::Array(items) => {
                let schema = schema.and_then(|schema| schema.get("items"));
                for (place, item) in items.iter().enumerate() {
                    below(at, &place.to_string(), self, item, schema);
                }
            }
            Value::String(text) => things(text).iter().for_each(|thing| self.thing(thing, schema, at)),
            Value::Number(number) => {
                if let Some(number) = number.as_f64() {
                    self.thing(&Thing::Number { text: value.to_string(), number }, schema, at);
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn thing(&mut self, thing: &Thing, schema: Option<&Value>, at: &str) {
        self.total += 1;
        let found = self.sources.find(thing, schema, at.rsplit('/').next().unwrap_or_default());
        match found {
            Found::Said => self.weight += 100,
            Found::Follows => self.weight += DERIVED,
            Found::Nowhere if self.missing.len() < MISSING_MAX => {
                let text = thing.text().chars().take(TEXT_MAX).collect();
                self.missing.push(Missing { at: at.to_owned(), text });
            }
            Found::Nowhere => {}
        }
    }
}

/// The schema behind a `$ref` into the same document.
fn resolved<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

/// Whether the schema itself names this value: as its default, a constant or one of a few.
fn names(schema: &Value, root: &Value, value: &Value, depth: u8) -> bool {
    let schema = resolved(schema, root);
    let is = |key: &str| schema.get(key).is_some_and(|named| named == value);
    let one_of = schema.get("enum").and_then(Value::as_array).is_some_and(|all| all.contains(value));
    let inner = |key: &str| {
        let all = schema.get(key).and_then(Value::as_array);
        all.is_some_and(|all| depth > 0 && all.iter().any(|inner| names(inner, root, value, depth - 1)))
    };
    is("default") || is("const") || one_of || inner("anyOf") || inner("oneOf") || inner("allOf")
}

#[cfg(test)]
mod tests;
