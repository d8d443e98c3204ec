//! What a tool is given: text to be read, or JSON as it stands.

use std::borrow::Cow;

use jaq_json::Val;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::value::RawValue;
use toolcrib_sdk::ToolError;

use crate::format::{self, Source};
use crate::json;

/// Any JSON value, still as text: nothing of its numbers and its order is lost on the way.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Input(Box<RawValue>);

impl JsonSchema for Input {
    fn schema_name() -> Cow<'static, str> {
        "Input".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "object", "array", "number", "boolean", "null"] })
    }
}

impl Input {
    /// The values: a string is text in some format, everything else is itself.
    pub(crate) fn read(&self, source: Source) -> Result<Vec<Val>, ToolError> {
        if !self.0.get().starts_with('"') {
            return json::read(self.0.get());
        }
        let text: String = serde_json::from_str(self.0.get())?;
        format::read(&text, source)
    }
}

/// One value for all: several become an array.
pub(crate) fn single(mut values: Vec<Val>) -> Val {
    if values.len() == 1 {
        return values.remove(0);
    }
    Val::from_iter(values)
}
