//! How much work a schema could make of one value.
//!
//! A validator asks every schema that applies to a place of the value. Schemas that refer to each other can make that grow
//! without bound with the depth of the value, or with the length of a chain of references: thirty lines of schema then keep a
//! processor busy for years. What is counted here is how many schemas apply to a single path from the root of a value down
//! to a leaf; validation takes at most that for each part of the value.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// The most schemas that may apply along one path. The largest honest ones, recursive ones included, stay below a hundredth.
const MAX_COST: u64 = 100_000;
/// How deep a value is thought to be: what doubles with each level is above every limit by then.
const DEPTH: u8 = 32;
/// Schemas inside one another, references followed. It bounds the stack of whoever follows them.
const MAX_NESTED: usize = 1_000;

/// Why a schema is too much work.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CostError {
    #[error("it would apply more than {MAX_COST} schemas to one path of a value: let fewer of its references branch")]
    TooMuch,
    #[error("a reference leads back to itself without going deeper into the value")]
    Circle,
    #[error("its references go deeper than {MAX_NESTED} schemas")]
    TooNested,
    #[error("`{0}` refers to a place that is not in the schema itself")]
    Elsewhere(String),
}

/// Keywords with schemas that apply to the same place of the value.
const SAME_PLACE: &[&str] =
    &["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
/// Keywords with schemas that apply to the items of a list.
const ITEMS: &[&str] = &["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"];
/// Keywords with schemas that apply to the members of an object, or to their names.
const MEMBERS: &[&str] =
    &["properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"];

/// What kind of value a schema is held against.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    List,
    Object,
    Leaf,
}

/// Checks that a schema's work is bounded.
pub(crate) fn check(schema: &Value) -> Result<(), CostError> {
    let mut count = Count { root: schema, known: HashMap::new(), open: HashSet::new() };
    count.most(schema, DEPTH).map(drop)
}

struct Count<'a> {
    root: &'a Value,
    known: HashMap<Key, u64>,
    /// What is being counted: a schema that comes again within itself, at the same place, never ends.
    open: HashSet<Key>,
}

/// A schema by where it lies, the depth of the place, the kind of the value.
type Key = (*const Value, u8, Kind);

impl<'a> Count<'a> {
    /// The most work that a schema makes of any value of so many levels.
    fn most(&mut self, schema: &'a Value, depth: u8) -> Result<u64, CostError> {
        let kinds: &[Kind] = if depth == 0 { &[Kind::Leaf] } else { &[Kind::List, Kind::Object, Kind::Leaf] };
        kinds.iter().try_fold(0, |most, kind| Ok(self.of(schema, depth, *kind)?.max(most)))
    }

    fn of(&mut self, schema: &'a Value, depth: u8, kind: Kind) -> Result<u64, CostError> {
        let Value::Object(members) = schema else { return Ok(1) };
        let key: Key = (std::ptr::from_ref(schema), depth, kind);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if self.open.len() >= MAX_NESTED {
            return Err(CostError::TooNested);
        }
        if !self.open.insert(key) {
            return Err(CostError::Circle);
        }
        let mut cost = 1_u64;
        for (name, member) in members {
            let name = name.as_str();
            if name == "$ref" {
                let target = self.target(member)?;
                cost = cost.saturating_add(self.of(target, depth, kind)?);
            } else if matches!(name, "$dynamicRef" | "$recursiveRef") {
                return Err(CostError::Elsewhere(name.to_owned()));
            }
            let deeper =
                (kind == Kind::List && ITEMS.contains(&name)) || (kind == Kind::Object && MEMBERS.contains(&name));
            if !deeper && !SAME_PLACE.contains(&name) {
                continue;
            }
            for inner in schemas(name, member) {
                let more = if deeper { self.most(inner, depth - 1)? } else { self.of(inner, depth, kind)? };
                cost = cost.saturating_add(more);
            }
            if cost > MAX_COST {
                return Err(CostError::TooMuch);
            }
        }
        self.open.remove(&key);
        self.known.insert(key, cost);
        Ok(cost)
    }

    /// The schema that a reference leads to.
    fn target(&self, reference: &Value) -> Result<&'a Value, CostError> {
        let text = reference.as_str().unwrap_or_default();
        let elsewhere = || CostError::Elsewhere(text.chars().take(60).collect());
        let pointer = text.strip_prefix('#').ok_or_else(elsewhere)?;
        self.root.pointer(pointer).ok_or_else(elsewhere)
    }
}

/// The schemas of a keyword: one, a list of them, or one for each name.
fn schemas<'a>(keyword: &str, value: &'a Value) -> Vec<&'a Value> {
    let by_name = matches!(keyword, "properties" | "patternProperties" | "dependentSchemas" | "dependencies");
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(members) if by_name => members.values().collect(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn honest_schemas_pass_recursive_ones_included() {
        let wide: serde_json::Map<_, _> = (0..500).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
        for schema in [
            json!({"type": "object", "properties": wide}),
            json!({"type": "object", "properties": {"next": {"$ref": "#"}}}),
            // Any JSON at all.
            json!({"type": "object", "properties": {"value": {"$ref": "#/$defs/any"}}, "$defs": {"any": {"anyOf": [
                {"type": ["string", "number", "boolean", "null"]},
                {"type": "array", "items": {"$ref": "#/$defs/any"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/any"}}]}}}),
            // A tree, and expressions.
            json!({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}),
            json!({"type": "object", "properties": {"$ref": {"type": "string"}, "e": {"$ref": "#/$defs/e"}}, "$defs": {"e": {"oneOf": [
                {"type": "number"}, {"type": "object", "properties": {"not": {"$ref": "#/$defs/e"}}}]}}}),
        ] {
            assert_eq!(check(&schema), Ok(()), "{schema}");
        }
    }

    #[test]
    fn a_chain_of_references_that_doubles_at_each_link_is_refused() {
        let mut defs = serde_json::Map::new();
        for n in 0..40 {
            let next = json!({"$ref": format!("#/$defs/a{}", n + 1)});
            defs.insert(format!("a{n}"), json!({"anyOf": [next, next]}));
        }
        defs.insert("a40".to_owned(), json!({"const": 1}));
        let schema = json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/a0"}}, "$defs": defs});
        assert_eq!(check(&schema), Err(CostError::TooMuch));
    }

    #[test]
    fn what_doubles_with_each_level_of_the_value_is_refused() {
        for branching in [
            json!({"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]}),
            json!({"properties": {"a": {"$ref": "#"}}, "patternProperties": {"^a": {"$ref": "#"}}}),
            json!({"allOf": [{"items": {"$ref": "#"}}, {"contains": {"$ref": "#"}}]}),
        ] {
            assert_eq!(check(&branching), Err(CostError::TooMuch), "{branching}");
        }
    }

    #[test]
    fn circles_and_references_to_elsewhere_are_refused() {
        for circle in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}}),
        ] {
            assert_eq!(check(&circle), Err(CostError::Circle), "{circle}");
        }
        for elsewhere in ["http://127.0.0.1:9/s.json", "other.json", "#/$defs/none", "#anchor"] {
            let schema = json!({"properties": {"a": {"$ref": elsewhere}}});
            assert_eq!(check(&schema), Err(CostError::Elsewhere(elsewhere.to_owned())));
        }
        assert!(matches!(check(&json!({"$dynamicRef": "#a"})), Err(CostError::Elsewhere(_))));
    }

    #[test]
    fn a_long_chain_does_not_fill_the_stack() {
        let mut defs = serde_json::Map::new();
        for n in 0..3_000 {
            defs.insert(format!("a{n}"), json!({"$ref": format!("#/$defs/a{}", n + 1)}));
        }
        defs.insert("a3000".to_owned(), json!({}));
        assert_eq!(check(&json!({"$ref": "#/$defs/a0", "$defs": defs})), Err(CostError::TooNested));
    }
}
