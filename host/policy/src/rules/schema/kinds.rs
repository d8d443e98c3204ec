//! Which types an argument can have by its JSON Schema.

use std::fmt;
use std::ops::{BitAnd, BitOr};

use serde_json::Value as Json;

use super::look::{FOLLOW_MAX, Segment};
use crate::rules::types::Type;

/// A set of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOL: Self = Self(2);
    pub(super) const NUMBER: Self = Self(4);
    pub(super) const TEXT: Self = Self(8);
    pub(super) const LIST: Self = Self(16);
    pub(super) const MAP: Self = Self(32);
    pub(super) const ANY: Self = Self(63);

    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::TEXT, "a text"),
        (Self::NUMBER, "a number"),
        (Self::BOOL, "a bool"),
        (Self::LIST, "a list"),
        (Self::MAP, "a map"),
        (Self::NULL, "null"),
    ];

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    fn of(value: &Json) -> Self {
        match value {
            Json::Null => Self::NULL,
            Json::Bool(_) => Self::BOOL,
            Json::Number(_) => Self::NUMBER,
            Json::String(_) => Self::TEXT,
            Json::Array(_) => Self::LIST,
            Json::Object(_) => Self::MAP,
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOL,
            "number" | "integer" => Self::NUMBER,
            "string" => Self::TEXT,
            "array" => Self::LIST,
            "object" => Self::MAP,
            _ => Self::ANY,
        }
    }

    fn union(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::NONE, BitOr::bitor)
    }
}

impl From<Type> for Kinds {
    fn from(of: Type) -> Self {
        match of {
            Type::Any => Self::ANY,
            Type::Null => Self::NULL,
            Type::Bool => Self::BOOL,
            Type::Number => Self::NUMBER,
            Type::Text | Type::OneOf(_) => Self::TEXT,
            Type::List => Self::LIST,
            Type::Map | Type::Labels | Type::Label | Type::Run => Self::MAP,
        }
    }
}

impl BitAnd for Kinds {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Kinds {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(kind, _)| !(*self & *kind).is_none()).map(|(_, name)| *name);
        f.write_str(&names.collect::<Vec<_>>().join(" or "))
    }
}

/// The types that the value at `path` can have; none where the schema says nothing of it.
pub(super) fn kinds(schema: &Json, path: &[Segment]) -> Option<Kinds> {
    Search { root: schema }.value(schema, path, FOLLOW_MAX)
}

struct Search<'a> {
    root: &'a Json,
}

impl Search<'_> {
    fn value(&self, schema: &Json, path: &[Segment], left: usize) -> Option<Kinds> {
        let (Some(left), Some(fields)) = (left.checked_sub(1), schema.as_object()) else {
            return Some(Kinds::ANY);
        };
        if let Some(reference) = fields.get("$ref").and_then(Json::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Some(Kinds::ANY), |target| self.value(target, path, left));
        }
        let own = match path.split_first() {
            None => Some(own_kinds(schema)),
            Some((Segment::Key(name), rest)) => self.field(schema, name, rest, left),
            Some((Segment::Item, rest)) => Some(self.item(schema, rest, left)),
        };
        let parts = |key: &str| fields.get(key).and_then(Json::as_array).into_iter().flatten();
        let choice = |key: &str| {
            let found: Vec<Kinds> = parts(key).filter_map(|part| self.value(part, path, left)).collect();
            (!found.is_empty()).then(|| Kinds::union(found.into_iter()))
        };
        let all = parts("allOf").filter_map(|part| self.value(part, path, left));
        // All that is said holds at once.
        own.into_iter().chain(choice("anyOf")).chain(choice("oneOf")).chain(all).reduce(BitAnd::bitand)
    }

    fn field(&self, schema: &Json, name: &str, rest: &[Segment], left: usize) -> Option<Kinds> {
        let properties = schema.get("properties").and_then(Json::as_object);
        if let Some(inner) = properties.and_then(|properties| properties.get(name)) {
            return self.value(inner, rest, left);
        }
        let open = |key: &str| schema.get(key).is_some_and(|rule| *rule != Json::Bool(false));
        (properties.is_none() || open("additionalProperties") || open("patternProperties")).then_some(Kinds::ANY)
    }

    /// What a list has in it. What a loop goes over can also be a map, whose names are texts.
    fn item(&self, schema: &Json, rest: &[Segment], left: usize) -> Kinds {
        let over = own_kinds(schema);
        let items = match schema.get("items") {
            Some(items) if schema.get("prefixItems").is_none() => self.value(items, rest, left).unwrap_or(Kinds::ANY),
            _ => Kinds::ANY,
        };
        let of = |kind: Kinds, inside: Kinds| if (over & kind).is_none() { Kinds::NONE } else { inside };
        of(Kinds::LIST, items) | of(Kinds::MAP, if rest.is_empty() { Kinds::TEXT } else { Kinds::ANY })
    }
}

/// What the schema itself says of the type.
fn own_kinds(schema: &Json) -> Kinds {
    let by_type = match schema.get("type") {
        Some(Json::String(name)) => Kinds::named(name),
        Some(Json::Array(names)) => Kinds::union(names.iter().filter_map(Json::as_str).map(Kinds::named)),
        _ => Kinds::ANY,
    };
    let by_values = match (schema.get("const"), schema.get("enum").and_then(Json::as_array)) {
        (Some(value), _) => Kinds::of(value),
        (None, Some(values)) => Kinds::union(values.iter().map(Kinds::of)),
        (None, None) => Kinds::ANY,
    };
    by_type & by_values
}
