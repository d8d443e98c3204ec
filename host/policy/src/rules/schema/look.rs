//! Looks for a path in a JSON Schema.

use serde_json::Value as Json;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    /// A field.
    Key(String),
    /// Some item of a list.
    Item,
}

impl Segment {
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Segment::Key(name) => Some(name),
            Segment::Item => None,
        }
    }
}

/// What a schema says of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is named; `always` where every value that fits the schema has it.
    There { always: bool },
    /// The schema leaves open what is there.
    Anything,
    /// It is not there, and these are, where a name was looked for.
    Missing(Vec<String>),
}

/// How many references and choices are followed: schemas refer to themselves.
pub(super) const FOLLOW_MAX: usize = 32;

pub(super) fn look(schema: &Json, path: &[Segment]) -> Found {
    Search { root: schema }.value(schema, path, FOLLOW_MAX)
}

struct Search<'a> {
    root: &'a Json,
}

impl Search<'_> {
    fn value(&self, schema: &Json, path: &[Segment], left: usize) -> Found {
        let Some((first, rest)) = path.split_first() else {
            return Found::There { always: true };
        };
        let (Some(left), Some(fields)) = (left.checked_sub(1), schema.as_object()) else {
            return Found::Anything;
        };
        if let Some(reference) = fields.get("$ref").and_then(Json::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Found::Anything, |target| self.value(target, path, left));
        }
        let choices = ["anyOf", "oneOf"].iter().filter_map(|key| fields.get(*key)?.as_array());
        let choices: Vec<Found> = choices.flatten().map(|choice| self.value(choice, path, left)).collect();
        let all = fields.get("allOf").and_then(Json::as_array).into_iter().flatten();
        let all = all.map(|part| self.value(part, path, left)).collect::<Vec<_>>();
        let own = match first {
            Segment::Key(name) => self.field(schema, name, rest, left),
            Segment::Item => self.item(schema, rest, left),
        };
        join(own, either(choices), all)
    }

    /// What the schema itself says of a field; nothing where it speaks of no fields.
    fn field(&self, schema: &Json, name: &str, rest: &[Segment], left: usize) -> Option<Found> {
        let properties = schema.get("properties").and_then(Json::as_object);
        if let Some(inner) = properties.and_then(|properties| properties.get(name)) {
            let required = schema.get("required").and_then(Json::as_array).into_iter().flatten();
            let required = required.into_iter().any(|required| required == name);
            return Some(match self.value(inner, rest, left) {
                Found::There { always } => Found::There { always: always && required },
                other => other,
            });
        }
        let open = |key: &str| schema.get(key).is_some_and(|rule| *rule != Json::Bool(false));
        if open("additionalProperties") || open("patternProperties") {
            return Some(Found::Anything);
        }
        // Strictly, a schema allows what it does not name. Tools read what they name, and a rule is about that.
        if let Some(properties) = properties {
            return Some(Found::Missing(properties.keys().cloned().collect()));
        }
        (!may_be(schema, "object")).then(|| Found::Missing(Vec::new()))
    }

    fn item(&self, schema: &Json, rest: &[Segment], left: usize) -> Option<Found> {
        match schema.get("items") {
            Some(items) => Some(self.value(items, rest, left)),
            None if may_be(schema, "array") => schema.get("type").map(|_| Found::Anything),
            None => Some(Found::Missing(Vec::new())),
        }
    }
}

/// Whether the schema's own `type` leaves the type open, or has it.
fn may_be(schema: &Json, wanted: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(name)) => name == wanted,
        Some(Json::Array(names)) => names.iter().any(|name| name == wanted),
        _ => true,
    }
}

/// One of several schemas holds.
fn either(choices: Vec<Found>) -> Option<Found> {
    let count = choices.len();
    let sure = choices.iter().filter(|found| matches!(found, Found::There { always: true })).count();
    let mut known = Vec::new();
    let mut open = false;
    let mut there = false;
    for found in choices {
        match found {
            Found::There { .. } => there = true,
            Found::Anything => open = true,
            Found::Missing(names) => known.extend(names),
        }
    }
    match () {
        () if count == 0 => None,
        () if there => Some(Found::There { always: sure == count }),
        () if open => Some(Found::Anything),
        () => Some(Found::Missing(known)),
    }
}

/// All of several schemas hold: what one names is there.
fn join(own: Option<Found>, choice: Option<Found>, all: Vec<Found>) -> Found {
    let said: Vec<Found> = own.into_iter().chain(choice).chain(all).collect();
    let sure = said.contains(&Found::There { always: true });
    if sure || said.contains(&Found::There { always: false }) {
        return Found::There { always: sure };
    }
    // A part that speaks of other fields does not rule out what another part leaves open.
    let mut known = Vec::new();
    let mut missing = false;
    for found in &said {
        if let Found::Missing(names) = found {
            missing = true;
            known.extend(names.iter().cloned());
        }
    }
    if missing { Found::Missing(known) } else { Found::Anything }
}
