//! JSON Schema of parameters and results. Built for `list-tools` only, never on the way of a call.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// A finished JSON Schema.
#[derive(Clone, Debug)]
pub struct Schema(Value);

impl Schema {
    /// The schema as a JSON value.
    #[must_use]
    pub fn to_value(self) -> Value {
        self.0
    }
}

/// The schema of what a tool takes. `T` is the struct that the macro makes of the parameters.
#[must_use]
pub fn input_schema<T: JsonSchema>() -> Schema {
    let mut schema = finish::<T>(settings().into_generator());
    if let Value::Object(members) = &mut schema.0 {
        // The name and the derived text of a generated struct: nothing that a planner could use.
        members.remove("title");
        members.remove("description");
    }
    schema
}

/// The schema of what a tool gives back.
pub(crate) fn output_schema<T: JsonSchema>() -> Schema {
    finish::<T>(settings().for_serialize().into_generator())
}

/// Types are written where they are used: a planner reads the schema from top to bottom, and few follow references.
/// Only a type that contains itself is referred to.
fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        // The contract fixes the draft.
        settings.meta_schema = None;
    })
}

fn finish<T: JsonSchema>(generator: SchemaGenerator) -> Schema {
    Schema(generator.into_root_schema_for::<T>().to_value())
}
