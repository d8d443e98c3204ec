//! The schemas of functions, as a model sees them.

use serde_json::{Value, json};

use super::world::signature;
use crate::reflect::docs::TypeIndex;

fn input(types: &[(&str, &str)], params: &str) -> Value {
    signature(types, params).input_schema(&TypeIndex::default())
}

fn of(types: &[(&str, &str)], ty: &str) -> Value {
    input(types, &format!("(param \"x\" {ty})"))["properties"]["x"].take()
}

fn output(result: &str) -> Option<Value> {
    signature(&[], &format!("(result {result})")).output_schema(&TypeIndex::default())
}

#[test]
fn parameters_are_required_unless_they_are_optional() {
    assert_eq!(
        input(&[], "(param \"a-b\" u8) (param \"c\" (option string))"),
        json!({
            "type": "object",
            "properties": {
                "a-b": { "type": "integer", "minimum": 0, "maximum": 255 },
                "c": { "type": ["string", "null"] },
            },
            "required": ["a-b"],
            "additionalProperties": false,
        })
    );
}

#[test]
fn every_type_has_the_schema_of_its_json() {
    let types = [
        ("r", r#"(record (field "a" bool) (field "b" (option bool)))"#),
        ("e", r#"(enum "x" "y")"#),
        ("g", r#"(flags "x" "y")"#),
        ("v", r#"(variant (case "none") (case "some" char))"#),
    ];
    let record = json!({
        "type": "object",
        "properties": { "a": { "type": "boolean" }, "b": { "type": ["boolean", "null"] } },
        "required": ["a"],
        "additionalProperties": false,
    });
    let character = json!({ "type": "string", "minLength": 1, "maxLength": 1 });
    let some = json!({
        "type": "object", "properties": { "some": character }, "required": ["some"], "additionalProperties": false,
    });
    assert_eq!(of(&types, "$r"), record);
    assert_eq!(of(&types, "$e"), json!({ "type": "string", "enum": ["x", "y"] }));
    assert_eq!(of(&types, "(option $e)"), json!({ "type": ["string", "null"], "enum": ["x", "y", null] }));
    assert_eq!(of(&types, "$g"), json!({ "type": "array", "items": { "enum": ["x", "y"] }, "uniqueItems": true }));
    assert_eq!(of(&types, "$v"), json!({ "anyOf": [{ "type": "string", "enum": ["none"] }, some] }));
    assert_eq!(of(&types, "f32"), json!({ "type": "number" }));
    let mut maybe = some.clone();
    maybe["properties"]["some"]["type"] = json!(["string", "null"]);
    assert_eq!(of(&types, "(option (option char))"), json!({ "anyOf": [maybe, { "type": "null" }] }));
    assert_eq!(
        of(&types, "(map u32 bool)"),
        json!({
            "type": "object",
            "additionalProperties": { "type": "boolean" },
            "propertyNames": { "pattern": "^[0-9]{1,20}$" },
        })
    );
    assert_eq!(
        of(&types, "(tuple bool char)"),
        json!({
            "type": "array", "prefixItems": [{ "type": "boolean" }, character], "items": false, "minItems": 2, "maxItems": 2,
        })
    );
    assert_eq!(
        of(&types, "s64"),
        json!({
            "type": ["integer", "string"], "minimum": i64::MIN, "maximum": i64::MAX, "pattern": "^-?[0-9]{1,19}$",
        })
    );
}

#[test]
fn the_output_is_what_a_successful_call_gives() {
    assert_eq!(output("string"), Some(json!({ "type": "string" })));
    assert_eq!(output("(result bool (error string))"), Some(json!({ "type": "boolean" })));
    assert_eq!(output("(result (error string))"), None);
    assert_eq!(signature(&[], "").output_schema(&TypeIndex::default()), None);
    let result = output("(list (result bool))").expect("a schema");
    assert_eq!(result["items"]["anyOf"][1]["properties"]["err"], json!({ "type": "null" }));
    let float = json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }] });
    assert_eq!(output("f64"), Some(float));
}

#[test]
fn results_have_every_field() {
    let types = [("r", r#"(record (field "a" bool) (field "b" (option bool)))"#)];
    let schema = signature(&types, "(result $r)").output_schema(&TypeIndex::default()).expect("a schema");
    assert_eq!(schema["required"], json!(["a", "b"]));
}
