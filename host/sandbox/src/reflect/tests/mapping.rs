//! What is read leniently, what is refused and in which words, and what is written.

use serde_json::{Value, json};
use wasmtime::component::Val;

use super::world::{signature, try_signature};
use crate::reflect::error::Problem;
use crate::reflect::output::Writer;
use crate::reflect::{CommandInput, Failure, ResultError, Returned, Signature};

const USER: (&str, &str) = (
    "user",
    r#"(record (field "user-id" u32) (field "name" string) (field "tags" (list string)) (field "age" (option u8)))"#,
);
const LEVEL: (&str, &str) = ("level", r#"(enum "low" "very-high")"#);
const RIGHTS: (&str, &str) = ("rights", r#"(flags "read" "write" "run-it")"#);
const SHAPE: (&str, &str) = ("shape", r#"(variant (case "empty") (case "circle" f32) (case "label" (option string)))"#);

/// What `x` of the type is read as, written back in the canonical form.
fn canonical(types: &[(&str, &str)], ty: &str, value: Value) -> Result<Value, String> {
    let signature = signature(types, &format!("(param \"x\" {ty})"));
    read(&signature, json!({ "x": value }))
}

fn read(signature: &Signature, arguments: Value) -> Result<Value, String> {
    let val = signature.arguments(&arguments).map_err(|error| error.to_string())?.remove(0);
    Writer::new(1 << 20).json(&signature.params[0].shape, val).map_err(|error| error.to_string())
}

fn all_read_as(types: &[(&str, &str)], ty: &str, inputs: &[Value], expected: Value) {
    let signature = signature(types, &format!("(param \"x\" {ty})"));
    for input in inputs {
        assert_eq!(read(&signature, json!({ "x": input })), Ok(expected.clone()), "{input} as {ty}");
    }
}

#[test]
fn integers_are_read_from_numbers_whole_floats_and_digits() {
    all_read_as(&[], "u8", &[json!(7), json!(7.0), json!("7"), json!(" 7 "), json!({ "__u8": 7 })], json!(7));
    all_read_as(&[], "s64", &[json!(i64::MIN), json!("-9223372036854775808")], json!("-9223372036854775808"));
    all_read_as(&[], "u64", &[json!(u64::MAX), json!("18446744073709551615")], json!("18446744073709551615"));
    all_read_as(&[], "u64", &[json!(9007199254740991u64), json!("9007199254740991")], json!(9007199254740991u64));
    all_read_as(&[], "s64", &[json!("-9007199254740992")], json!("-9007199254740992"));
}

#[test]
fn integers_out_of_range_say_their_range() {
    for (ty, value, range) in [
        ("u8", json!(256), "an integer from 0 to 255, found the number 256"),
        ("s8", json!(-129), "an integer from -128 to 127, found the number -129"),
        ("u32", json!(1.5), "an integer from 0 to 4294967295, found the number 1.5"),
        ("u64", json!(-1), "an integer from 0 to 18446744073709551615, found the number -1"),
        ("u64", json!(1e18), "an integer from 0 to 18446744073709551615, found the number 1e"),
        ("s16", json!("many"), "an integer from -32768 to 32767, found the string \"many\""),
    ] {
        let error = canonical(&[], ty, value).expect_err(ty);
        assert!(error.contains(range) && error.starts_with("argument `$.x`: "), "{error}");
    }
}

#[test]
fn floats_keep_their_shortest_digits_and_their_special_values() {
    all_read_as(&[], "f32", &[json!(0.1), json!("0.1")], json!(0.1));
    all_read_as(&[], "f64", &[json!(1), json!("1"), json!(1.0)], json!(1.0));
    for special in ["NaN", "Infinity", "-Infinity"] {
        all_read_as(&[], "f64", &[json!(special), json!(special.to_lowercase())], json!(special));
        all_read_as(&[], "f32", &[json!(special)], json!(special));
    }
    assert!(canonical(&[], "f32", json!(1e300)).is_err(), "a finite number never becomes an infinity");
}

#[test]
fn bytes_are_text_where_they_read_as_text_and_base64_elsewhere() {
    let forms = [json!("héllo"), json!({ "text": "héllo" }), json!({ "base64": "aMOpbGxv" })];
    all_read_as(&[], "(list u8)", &forms, json!("héllo"));
    all_read_as(&[], "(list u8)", &[json!([104, 105]), json!("hi")], json!("hi"));
    let binary = [json!({ "base64": "AP-A" }), json!({ "base64": "AP+A" }), json!([0, 255, 128])];
    all_read_as(&[], "(list u8)", &binary, json!({ "base64": "AP+A" }));
    all_read_as(&[], "(list u8)", &[json!("a\u{0}b")], json!({ "base64": "YQBi" }));
    let error = canonical(&[], "(list u8)", json!({ "base64": "a!" })).expect_err("no base64");
    assert_eq!(error, "argument `$.x.base64`: expected base64, found the string \"a!\"");
    let error = canonical(&[], "(list u8)", json!([1, 256])).expect_err("no byte");
    assert!(error.starts_with("argument `$.x[1]`: expected an integer from 0 to 255"), "{error}");
}

#[test]
fn field_names_may_be_spelt_in_snake_or_camel_case_and_optional_ones_left_out() {
    let expected = json!({ "user-id": 1, "name": "a", "tags": [], "age": null });
    let inputs = [
        json!({ "user-id": 1, "name": "a", "tags": [] }),
        json!({ "user_id": 1, "name": "a", "tags": [], "age": null }),
        json!({ "userId": "1", "Name": "a", "TAGS": [] }),
        json!({ "__record": { "user-id": 1, "name": "a", "tags": [], "age": { "__option": null } } }),
    ];
    all_read_as(&[USER], "$user", &inputs, expected);
}

#[test]
fn records_say_which_field_is_missing_unknown_or_given_twice() {
    let error = |value| canonical(&[USER], "$user", value).expect_err("a refusal");
    assert_eq!(error(json!({ "user-id": 1, "name": "a" })), "argument `$.x`: `tags` is missing, expected an array");
    assert_eq!(
        error(json!({ "user-id": 1, "name": "a", "tags": [], "mail": 1 })),
        "argument `$.x`: there is no `mail`, expected `user-id`, `name`, `tags`, `age`"
    );
    assert_eq!(
        error(json!({ "user-id": 1, "user_id": 2, "name": "a", "tags": [] })),
        "argument `$.x`: `user-id` is given twice"
    );
    assert_eq!(
        error(json!({ "user-id": 1, "name": "a", "tags": ["x", 3] })),
        "argument `$.x.tags[1]`: expected a string, found the number 3"
    );
    assert!(error(json!("user")).contains("expected an object with `user-id`, `name`"));
}

#[test]
fn names_of_enums_and_flags_are_read_in_any_case() {
    all_read_as(&[LEVEL], "$level", &[json!("very-high"), json!("VERY_HIGH"), json!("veryHigh")], json!("very-high"));
    let error = canonical(&[LEVEL], "$level", json!("huge")).expect_err("a refusal");
    assert_eq!(error, "argument `$.x`: expected one of `low`, `very-high`, found the string \"huge\"");
    let inputs = [json!(["run-it", "read", "read"]), json!({ "read": true, "write": false, "runIt": true })];
    all_read_as(&[RIGHTS], "$rights", &inputs, json!(["read", "run-it"]));
    all_read_as(&[RIGHTS], "$rights", &[json!("WRITE"), json!(["write"])], json!(["write"]));
    assert!(canonical(&[RIGHTS], "$rights", json!(["fly"])).expect_err("a refusal").contains("`$.x[0]`"));
}

#[test]
fn a_name_that_could_mean_two_cases_is_refused() {
    let types = [("e", r#"(enum "a-b" "ab")"#)];
    all_read_as(&types, "$e", &[json!("ab")], json!("ab"));
    all_read_as(&types, "$e", &[json!("a-b")], json!("a-b"));
    assert!(canonical(&types, "$e", json!("A_B")).is_err());
}

#[test]
fn variants_are_bare_or_tagged_by_one_key() {
    all_read_as(
        &[SHAPE],
        "$shape",
        &[json!("empty"), json!({ "empty": null }), json!({ "tag": "Empty" })],
        json!("empty"),
    );
    let circles =
        [json!({ "circle": 2 }), json!({ "tag": "circle", "val": 2 }), json!({ "case": "circle", "value": 2 })];
    all_read_as(&[SHAPE], "$shape", &circles, json!({ "circle": 2.0 }));
    all_read_as(&[SHAPE], "$shape", &[json!("label"), json!({ "label": null })], json!({ "label": null }));
    let error = canonical(&[SHAPE], "$shape", json!("circle")).expect_err("no payload");
    assert!(error.contains("expected one of \"empty\", {\"circle\": …}, {\"label\": …}"), "{error}");
    assert!(canonical(&[SHAPE], "$shape", json!({ "circle": 1, "empty": 1 })).is_err());
    assert!(canonical(&[SHAPE], "$shape", json!({ "empty": 3 })).is_err());
}

#[test]
fn options_inside_options_are_tagged() {
    let nested = "(option (option u8))";
    all_read_as(&[], nested, &[json!(null), json!({ "__option": null })], json!(null));
    all_read_as(&[], nested, &[json!({ "some": null })], json!({ "some": null }));
    all_read_as(&[], nested, &[json!({ "some": 3 }), json!(3)], json!({ "some": 3 }));
    all_read_as(&[], "(option u8)", &[json!(3), json!({ "some": 3 }), json!({ "__option": 3 })], json!(3));
    let some = [("r", r#"(record (field "some" u8))"#)];
    all_read_as(&some, "(option $r)", &[json!({ "some": 3 })], json!({ "some": 3 }));
}

#[test]
fn maps_are_objects_and_are_read_from_pairs() {
    let forms = [json!({ "1": true }), json!([[1, true]]), json!([{ "key": "1", "value": true }])];
    all_read_as(&[], "(map u8 bool)", &forms, json!({ "1": true }));
    assert!(canonical(&[], "(map u8 bool)", json!({ "x": true })).is_err());
    all_read_as(&[], "(map string u8)", &[json!({ "__option": 1 })], json!({ "__option": 1 }));
}

#[test]
fn arguments_may_be_absent_where_nothing_is_required() {
    let signature = signature(&[], "(param \"a\" (option u8)) (param \"b\" (option string))");
    for arguments in [json!(null), json!({}), json!({ "A": null })] {
        assert_eq!(signature.arguments(&arguments).expect("arguments"), vec![Val::Option(None), Val::Option(None)]);
    }
    let error = signature.arguments(&json!([1])).expect_err("a refusal");
    assert_eq!(error.to_string(), "the arguments: expected an object with `a`, `b`, found an array of length 1");
    assert_eq!(error.path(), "$");
    let error = signature.arguments(&json!({ "c": 1 })).expect_err("a refusal");
    assert!(matches!(error.problem(), Problem::Unknown { name, .. } if name == "c"));
}

#[test]
fn a_result_maps_to_a_value_or_a_failure() {
    let ok = |ty: &str, val| signature(&[LEVEL], ty).returned(vec![Val::Result(val)], 100).expect("a result");
    let string = |text: &str| Some(Box::new(Val::String(text.to_owned())));
    assert_eq!(ok("(result (result u8))", Ok(Some(Box::new(Val::U8(1))))), Returned::Ok(Some(json!(1))));
    assert_eq!(ok("(result (result))", Ok(None)), Returned::Ok(None));
    let failure = |message: &str, case: Option<&str>, data: Value| {
        Returned::Err(Failure { message: message.to_owned(), case: case.map(str::to_owned), data })
    };
    assert_eq!(ok("(result (result))", Err(None)), failure("the tool failed and gave no reason", None, json!(null)));
    assert_eq!(
        ok("(result (result (error string)))", Err(string("no such city"))),
        failure("no such city", None, json!("no such city"))
    );
    assert_eq!(
        ok("(result (result (error $level)))", Err(Some(Box::new(Val::Enum("low".to_owned()))))),
        failure("low", Some("low"), json!("low"))
    );
}

#[test]
fn a_failure_names_its_case_and_its_words() {
    let types = [
        ("kind", r#"(enum "not-found" "denied")"#),
        ("info", r#"(record (field "code" $kind) (field "message" string))"#),
        (
            "fail",
            r#"(variant (case "not-found" string) (case "other" $info) (case "count" u8)
            (case "closed" bool) (case "pair" (tuple u8 u8)) (case "bare"))"#,
        ),
    ];
    let failed = |ty: &str, val| {
        let signature = signature(&types, &format!("(result (result (error {ty})))"));
        match signature.returned(vec![Val::Result(Err(Some(Box::new(val))))], 1000).expect("a result") {
            Returned::Err(failure) => (failure.message, failure.case),
            other => panic!("{other:?}"),
        }
    };
    let text = |text: &str| Val::String(text.to_owned());
    let info = || {
        let code = Val::Enum("denied".to_owned());
        Val::Record(vec![("code".to_owned(), code), ("message".to_owned(), text("go away"))])
    };
    let case = |name: &str, val| Val::Variant(name.to_owned(), Some(Box::new(val)));
    assert_eq!(failed("$info", info()), ("denied: go away".to_owned(), Some("denied".to_owned())));
    assert_eq!(
        failed("$fail", case("not-found", text("x"))),
        ("not-found: x".to_owned(), Some("not-found".to_owned()))
    );
    assert_eq!(failed("$fail", case("other", info())), ("other: go away".to_owned(), Some("other".to_owned())));
    assert_eq!(failed("$fail", case("count", Val::U8(3))), ("count: 3".to_owned(), Some("count".to_owned())));
    assert_eq!(
        failed("$fail", case("closed", Val::Bool(true))),
        ("closed: true".to_owned(), Some("closed".to_owned()))
    );
    let pair = Val::Tuple(vec![Val::U8(1), Val::U8(2)]);
    assert_eq!(failed("$fail", case("pair", pair)), ("pair: [1,2]".to_owned(), Some("pair".to_owned())));
    assert_eq!(failed("$fail", Val::Variant("bare".to_owned(), None)), ("bare".to_owned(), Some("bare".to_owned())));
}

#[test]
fn a_result_that_is_not_of_its_type_is_an_error() {
    let signature = signature(&[USER], "(result $user)");
    for val in [Val::U8(1), Val::Record(Vec::new()), Val::Record(vec![("x".to_owned(), Val::U8(1)); 4])] {
        assert!(matches!(signature.returned(vec![val], 100), Err(ResultError::Unexpected { .. })));
    }
    assert!(matches!(signature.returned(Vec::new(), 100), Err(ResultError::Unexpected { .. })));
}

#[test]
fn types_without_json_are_refused_with_their_place() {
    let types = [("request", r#"(record (field "handle" (own $r)))"#)];
    let text = format!(
        "(component (import \"r\" (type $r (sub resource))) (type $q' {}) (import \"q\" (type $q (eq $q'))) \
         (import \"f\" (func (param \"request\" $q))))",
        types[0].1
    );
    let engine = super::world::engine();
    let component = super::world::compile(&engine, &text).component_type();
    let wasmtime::component::types::ComponentItem::ComponentFunc(func) =
        component.get_import(&engine, "f").expect("the function").ty
    else {
        panic!("no function");
    };
    match Signature::read("f", &func) {
        Err(crate::reflect::signature::SignatureError::NotATool(reason)) => {
            assert_eq!(reason.to_string(), "`request.handle` is a resource, which has no form in JSON");
        }
        _ => panic!("a resource became a tool"),
    }
    assert!(try_signature(&[], "(param \"x\" u8)").is_ok());
}

#[test]
fn a_command_is_run_with_arguments_and_standard_input() {
    assert_eq!(CommandInput::read(&json!(null)), Ok(CommandInput::default()));
    let input = CommandInput { args: vec!["-v".to_owned()], stdin: "x".to_owned() };
    assert_eq!(CommandInput::read(&json!({ "args": ["-v"], "stdin": "x" })), Ok(input));
    let error = CommandInput::read(&json!({ "arg": [] })).expect_err("a refusal").to_string();
    assert!(error.contains("`args`") && error.contains("unknown field `arg`"), "{error}");
}
