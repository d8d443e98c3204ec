//! Components and values that are made to hurt.

use serde_json::{Value, json};
use wasmtime::component::{Component, Val};

use super::world::{engine, reflect, signature, try_signature};
use crate::reflect::docs::TypeIndex;
use crate::reflect::error::Problem;
use crate::reflect::limits::{ARGUMENT_MEMORY_BYTES, EXPORTS, MEMBERS, SIGNATURE_BYTES, TYPE_DEPTH};
use crate::reflect::{ReflectError, ResultError};

/// Runs on a stack smaller than any thread of a host has, so that a walk that is too deep fails here first.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    on_a_stack(256 * 1024, test);
}

fn on_a_stack(bytes: usize, test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(test).expect("a thread");
    thread.join().expect("the test on a small stack");
}

fn exporting(exports: impl Iterator<Item = String>) -> String {
    let exports: String = exports.map(|name| format!("(export \"{name}\" (func $f))\n")).collect();
    format!(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) \
         (func $f (canon lift (core func $i \"f\"))) {exports})"
    )
}

/// `option` or another wrapper around `u32`, so many levels deep.
fn nested(levels: usize, wrap: impl Fn(String) -> String) -> String {
    (0..levels).fold("u32".to_owned(), |inner, _| wrap(inner))
}

#[test]
fn a_component_with_ten_thousand_exports_is_refused() {
    let error = reflect(&exporting((0..10_000).map(|n| format!("f{n}")))).expect_err("a refusal");
    assert_eq!(error, ReflectError::TooManyExports { found: EXPORTS + 1 });
    let many = exporting((0..EXPORTS).map(|n| format!("f{n}")));
    assert_eq!(reflect(&many).expect("a reflection").tools.len(), EXPORTS);
}

#[test]
fn an_interface_with_ten_thousand_functions_is_refused() {
    let exports: String = (0..10_000).map(|n| format!("(export \"f{n}\" (func $f))")).collect();
    let text = exporting(std::iter::empty());
    let instance = format!("(instance $x {exports}) (export \"a:b/c\" (instance $x))");
    let text = format!("{}{instance})", text.strip_suffix(')').expect("a component"));
    assert!(matches!(reflect(&text), Err(ReflectError::TooManyExports { found: 10_001 })));
}

#[test]
fn a_huge_name_is_refused_and_shown_cut() {
    let error = reflect(&exporting(std::iter::once("a".repeat(50_000)))).expect_err("a refusal");
    assert!(matches!(error, ReflectError::NameTooLong { bytes: 50_000, .. }));
    assert!(error.to_string().len() < 200, "{error}");
    let field = format!("(record (field \"{}\" u8))", "b".repeat(3000));
    let error = try_signature(&[("r", &field)], "(param \"x\" $r)").expect_err("a refusal");
    assert!(error.contains("3000 bytes"), "{error}");
}

#[test]
fn types_nested_ten_thousand_levels_deep_are_refused_by_the_engine() {
    let types: String = (1..10_000).map(|n| format!("(type $t{n} (option $t{}))", n - 1)).collect();
    let text = format!("(component (type $t0 (option u8)) {types} (import \"f\" (func (param \"x\" $t9999))))");
    let bytes = wat::parse_str(text).expect("a binary");
    on_a_stack(2 << 20, move || assert!(Component::new(&engine(), bytes).is_err()));
}

#[test]
fn types_deeper_than_the_limit_are_refused_and_those_at_the_limit_work() {
    let wrap = |inner| format!("(option {inner})");
    let error = try_signature(&[], &format!("(param \"x\" {})", nested(TYPE_DEPTH, wrap))).expect_err("too deep");
    assert_eq!(error, "`f` nests types deeper than 24 levels: flatten them");
    on_a_small_stack(move || {
        let signature = signature(&[], &format!("(param \"x\" {})", nested(TYPE_DEPTH - 1, wrap)));
        let value = (0..TYPE_DEPTH - 2).fold(json!(7), |inner, _| json!({ "some": inner }));
        let val = signature.arguments(&json!({ "x": value })).expect("arguments").remove(0);
        let shape = &signature.params[0].shape;
        assert_eq!(crate::reflect::output::Writer::new(1 << 20).json(shape, val), Ok(value));
    });
}

#[test]
fn the_deepest_schema_can_still_be_read_by_everyone() {
    let mut types = vec![("t0".to_owned(), "(variant (case \"a\") (case \"b\" u8))".to_owned())];
    for level in 1..TYPE_DEPTH - 1 {
        types.push((format!("t{level}"), format!("(variant (case \"a\") (case \"b\" $t{}))", level - 1)));
    }
    let types: Vec<(&str, &str)> = types.iter().map(|(name, ty)| (name.as_str(), ty.as_str())).collect();
    let signature = signature(&types, &format!("(param \"x\" $t{})", TYPE_DEPTH - 2));
    let text = json!({ "tools": [{ "input_schema": signature.input_schema(&TypeIndex::default()) }] }).to_string();
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "within the nesting limit of JSON readers");
}

#[test]
fn types_that_double_at_each_level_are_refused() {
    let mut types = vec![("t0".to_owned(), "(record (field \"a\" u8))".to_owned())];
    for level in 1..15 {
        let inner = format!("$t{}", level - 1);
        types.push((format!("t{level}"), format!("(record (field \"a\" {inner}) (field \"b\" {inner}))")));
    }
    let types: Vec<(&str, &str)> = types.iter().map(|(name, ty)| (name.as_str(), ty.as_str())).collect();
    let error = try_signature(&types, "(param \"x\" $t14)").expect_err("a refusal");
    assert!(error.contains("schema of more than"), "{error}");
    let signature = signature(&types[..11], "(param \"x\" $t10)");
    let schema = signature.input_schema(&TypeIndex::default()).to_string();
    assert!(schema.len() < 4 * SIGNATURE_BYTES, "{} bytes", schema.len());
}

#[test]
fn many_large_signatures_are_refused_together() {
    let fields: String = (0..MEMBERS).map(|n| format!("(field \"field-number-{n}\" u8)")).collect();
    let exports: String = (0..200).map(|n| format!("(export \"f{n}\" (func $f))")).collect();
    let text = format!(
        "(component (type $r' (record {fields})) (export $r \"r\" (type $r')) \
         (core module $m (memory (export \"mem\") 1) (func (export \"f\") (param i32)) \
           (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) i32.const 0)) \
         (core instance $i (instantiate $m)) \
         (func $f (param \"x\" $r) (canon lift (core func $i \"f\") (memory (core memory $i \"mem\")) (realloc (core func $i \"realloc\")))) \
         {exports})"
    );
    assert_eq!(reflect(&text).expect_err("a refusal"), ReflectError::ComponentTooLarge);
}

#[test]
fn types_with_too_many_members_are_refused() {
    let names = |count| (0..count).map(|n| format!("\"c{n}\" ")).collect::<String>();
    assert!(try_signature(&[("e", &format!("(enum {})", names(MEMBERS)))], "(param \"x\" $e)").is_ok());
    let error = try_signature(&[("e", &format!("(enum {})", names(2000)))], "(param \"x\" $e)").expect_err("a refusal");
    assert!(error.contains("2000 members"), "{error}");
}

#[test]
fn arguments_nested_one_hundred_thousand_levels_deep_are_refused() {
    on_a_small_stack(|| {
        let deep = (0..100_000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let object = (0..100_000).fold(Value::Null, |inner, _| super::world::tagged("some", inner));
        for ty in ["u8", "(list (list u8))", "(option (option string))", "(list u8)", "(map string string)", "string"] {
            let signature = signature(&[], &format!("(param \"x\" {ty})"));
            for value in [&deep, &object] {
                let shape = &signature.params[0].shape;
                let error = crate::reflect::input::Reader::new().val(shape, value).expect_err(ty).to_string();
                assert!(error.len() < 300, "{error}");
            }
        }
        // Dropping them would itself overflow the stack: a JSON reader never makes such values.
        std::mem::forget((deep, object));
    });
}

#[test]
fn few_bytes_of_json_cannot_become_much_memory() {
    let fields: String = (0..MEMBERS).map(|n| format!("(field \"f{n}\" (option u8))")).collect();
    let signature = signature(&[("r", &format!("(record {fields})"))], "(param \"x\" (list $r))");
    let error = signature.arguments(&json!({ "x": vec![json!({}); 100_000] })).expect_err("a refusal");
    assert_eq!(error.problem(), &Problem::TooLarge { limit: ARGUMENT_MEMORY_BYTES });
    assert!(signature.arguments(&json!({ "x": vec![json!({}); 10] })).is_ok());
}

#[test]
fn a_result_beyond_the_limit_is_refused_before_it_is_json() {
    let refused = |ty: &str, val: Val| {
        let result = signature(&[], &format!("(result {ty})")).returned(vec![val], 1000);
        // Not `assert_eq`: a value that passed would be printed whole.
        assert!(result == Err(ResultError::TooLarge { limit: 1000 }), "{ty}");
    };
    refused("string", Val::String("x".repeat(300 << 20)));
    refused("string", Val::String("\0".repeat(400)));
    refused("(list u8)", Val::List(vec![Val::U8(b'a'); 1 << 20]));
    refused("(list u8)", Val::List(vec![Val::U8(0); 900]));
    refused("(list bool)", Val::List(vec![Val::Bool(true); 1 << 20]));
    refused("(list (tuple u8))", Val::List(vec![Val::Tuple(vec![Val::U8(1)]); 400]));
    refused("(list (option u8))", Val::List(vec![Val::Option(None); 300]));
    refused("(result u8 (error string))", Val::Result(Err(Some(Box::new(Val::String("x".repeat(1001)))))));
}

#[test]
fn a_long_failure_is_cut_in_its_line_and_whole_in_its_data() {
    let signature = signature(&[], "(result (result (error string)))");
    let val = Val::Result(Err(Some(Box::new(Val::String("é".repeat(50_000))))));
    match signature.returned(vec![val], 1 << 20) {
        Ok(crate::reflect::Returned::Err(failure)) => {
            assert!(failure.message.len() <= 2048, "{} bytes", failure.message.len());
            assert_eq!(failure.data.as_str().map(str::len), Some(100_000));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_component_without_tools_is_refused_and_says_why() {
    let error = |text: &str| reflect(text).expect_err("a refusal").to_string();
    assert_eq!(error("(component)"), "the component exports no function that can be a tool");
    let text = exporting(std::iter::empty());
    let instance =
        "(instance $x (export \"handle\" (func $f))) (export \"wasi:http/incoming-handler@0.2.0\" (instance $x))";
    let text = format!("{}{instance})", text.strip_suffix(')').expect("a component"));
    assert_eq!(
        error(&text),
        "the component exports no function that can be a tool; `wasi:http/incoming-handler@0.2.0#handle`: \
         `wasi:http/incoming-handler@0.2.0` is an interface of the platform"
    );
}
