//! What a tool wants and gives, read from its JSON Schemas.

use serde_json::Value;

use super::words::words;
use crate::ToolCard;

/// One parameter.
#[derive(Debug, Clone)]
pub(super) struct Param {
    pub(super) name: String,
    /// The words of its name, stemmed.
    pub(super) words: Vec<String>,
    pub(super) description: String,
    pub(super) required: bool,
    types: Vec<String>,
    pub(super) choices: Vec<Value>,
    /// The types of the items, where it is a list.
    pub(super) items: Vec<String>,
    /// What the items can be, where that is listed.
    pub(super) item_choices: Vec<Value>,
    /// What the schema says stands there by itself.
    pub(super) default: Option<Value>,
}

/// The parameters of a tool, required ones first, otherwise in the order of the schema.
pub(super) fn params(card: &ToolCard) -> Vec<Param> {
    let schema = &card.input_schema;
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut params: Vec<Param> = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| Param {
            name: name.clone(),
            words: words(name).into_iter().map(unnumbered).collect(),
            description: schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            required: required.contains(&name.as_str()),
            types: types(schema),
            choices: choices(schema),
            items: schema.get("items").map(types).unwrap_or_default(),
            item_choices: schema.get("items").map(choices).unwrap_or_default(),
            default: schema.get("default").cloned(),
        })
        .collect();
    params.sort_by_key(|param| required.iter().position(|name| *name == param.name).unwrap_or(usize::MAX));
    params
}

/// `charge1` is a charge.
fn unnumbered(word: String) -> String {
    match word.trim_end_matches(|c: char| c.is_ascii_digit()) {
        short if short.len() > 2 => short.to_owned(),
        _ => word,
    }
}

fn types(schema: &Value) -> Vec<String> {
    let own = match schema.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let below = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten().flat_map(types);
    own.into_iter().chain(below).filter(|name| name != "null").collect()
}

fn choices(schema: &Value) -> Vec<Value> {
    let own = schema.get("enum").and_then(Value::as_array).into_iter().flatten().cloned();
    let constant = schema.get("const").cloned();
    let below = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten().flat_map(choices);
    own.chain(constant).chain(below).filter(|value| !value.is_null()).collect()
}

impl Param {
    /// Whether a value of this JSON type fits; a parameter without a type takes any.
    pub(super) fn takes(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|t| t == kind || (t == "number" && kind == "integer"))
    }

    /// Whether it takes values of this JSON type and says so.
    pub(super) fn is_of(&self, kind: &str) -> bool {
        self.types.iter().any(|t| t == kind)
    }

    /// Whether it is a whole number and nothing else.
    pub(super) fn is_whole(&self) -> bool {
        self.is_of("integer") && !self.is_of("number")
    }

    /// Whether it is a number and nothing else.
    pub(super) fn is_number_only(&self) -> bool {
        !self.types.is_empty() && self.types.iter().all(|t| t == "integer" || t == "number")
    }

    pub(super) fn takes_anything(&self) -> bool {
        self.types.is_empty() || self.types.len() > 3
    }

    pub(super) fn is(&self, names: &[&str]) -> bool {
        self.words.iter().any(|word| names.contains(&word.as_str()))
    }

    pub(super) fn is_path(&self) -> bool {
        self.takes("string") && self.is(&["path", "file", "filename", "folder", "directory"])
    }

    pub(super) fn is_url(&self) -> bool {
        self.takes("string") && self.is(&["url", "uri", "link", "address", "endpoint"])
    }

    pub(super) fn is_zone(&self) -> bool {
        self.takes("string")
            && (self.is(&["zone", "timezone", "tz"]) || self.description.to_lowercase().contains("zone"))
    }

    /// What a tool works on: the text or data itself.
    pub(super) fn is_content(&self) -> bool {
        self.is(&["text", "input", "content", "body", "data", "html", "document", "value", "before"])
            && !self.is_path()
            && !self.is_url()
    }

    pub(super) fn is_program(&self) -> bool {
        self.is(&["query", "code", "script", "program", "expression", "filter"])
    }

    pub(super) fn is_pattern(&self) -> bool {
        self.is(&["pattern", "find", "search", "needle", "term", "query", "regex"])
    }

    pub(super) fn is_replacement(&self) -> bool {
        self.is(&["replace", "replacement", "with"])
    }

    pub(super) fn is_time(&self) -> bool {
        self.is(&["time", "date", "from", "to", "start", "end", "since", "until", "instant"])
    }
}

/// Fields of a result, in the order in which they are most likely what one wants from it.
const MAIN: &[&str] =
    &["text", "body", "output", "content", "diff", "results", "result", "value", "matches", "links", "entries"];

/// The field of a tool's result that another tool works on, where its schema names one of this type.
pub(super) fn main_field(card: &ToolCard, kind: Option<&str>) -> Option<String> {
    let properties = card.output_schema.as_ref()?.get("properties")?.as_object()?;
    let fits = |name: &&&str| {
        let Some(schema) = properties.get(**name) else { return false };
        let types = types(schema);
        kind.is_none_or(|kind| types.is_empty() || types.iter().any(|t| t == kind))
    };
    MAIN.iter().find(fits).map(|name| (*name).to_owned())
}

/// The same for a result that is there.
pub(super) fn main_value(value: &Value) -> Option<(String, &Value)> {
    let object = value.as_object()?;
    MAIN.iter().find_map(|name| Some(((*name).to_owned(), object.get(*name)?)))
}
