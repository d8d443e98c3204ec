//! Names of tools.

use proptest::prelude::*;

use super::world::reflect;
use crate::reflect::names::{assign, title};
use crate::reflect::{Entry, ExportPath};

fn path(text: &str) -> ExportPath {
    match text.split_once('#') {
        Some((interface, function)) => {
            ExportPath { interface: Some(interface.to_owned()), function: function.to_owned() }
        }
        None => ExportPath { interface: None, function: text.to_owned() },
    }
}

fn named(paths: &[&str]) -> Vec<String> {
    let paths: Vec<ExportPath> = paths.iter().map(|text| path(text)).collect();
    assign(&paths).into_iter().map(Option::unwrap_or_default).collect()
}

#[test]
fn a_name_is_the_functions_own_where_that_is_clear() {
    assert_eq!(named(&["add", "a:calc/ops@1.0.0#sub", "ops#HTTP-get"]), ["add", "sub", "http-get"]);
}

#[test]
fn functions_of_one_name_take_the_shortest_prefix_that_tells_them_apart() {
    assert_eq!(named(&["a:b/ops#add", "a:b/more#add", "add"]), ["ops_add", "more_add", "add"]);
    assert_eq!(named(&["a:b/ops#add", "a:c/ops#add"]), ["b_ops_add", "c_ops_add"]);
    assert_eq!(named(&["a:b/ops#add", "x:b/ops#add"]), ["a_b_ops_add", "x_b_ops_add"]);
    assert_eq!(
        named(&["a:b/ops@1.0.0#add", "a:b/ops@2.0.0-rc.1#add"]),
        ["a_b_ops_v1_0_0_add", "a_b_ops_v2_0_0-rc_1_add"]
    );
}

#[test]
fn long_names_end_in_a_digest_of_the_whole() {
    let (one, two) = ("a".repeat(200), format!("{}b", "a".repeat(199)));
    let names = named(&[&one, &two]);
    assert!(names.iter().all(|name| name.len() == 64) && names[0] != names[1], "{names:?}");
    assert_eq!(names, named(&[&one, &two]), "names are stable");
}

#[test]
fn a_title_is_made_of_words() {
    assert_eq!(title("add-two_numbers"), "Add two numbers");
    assert_eq!(title(""), "");
}

#[test]
fn platform_interfaces_are_not_tools_but_a_command_is() {
    let text = r#"(component
      (core module $m (func (export "f")) (func (export "r") (result i32) i32.const 0))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      (func $r (result (result)) (canon lift (core func $i "r")))
      (instance $plain (export "handle" (func $f)))
      (instance $run (export "run" (func $r)))
      (export "wasi:http/incoming-handler@0.2.0" (instance $plain))
      (export "wasi:cli/run@0.2.3" (instance $run))
      (export "toolcrib:tool/tools@9.0.0" (instance $plain))
      (export "a:b/c@0.1.0" (instance $plain))
      (export "greet" (func $f)))"#;
    let reflection = reflect(text).expect("a reflection");
    let names: Vec<&str> = reflection.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["run", "handle", "greet"]);
    assert!(matches!(reflection.get("run").expect("run").entry, Entry::Command(_)));
    let skipped: Vec<String> = reflection.skipped.iter().map(|(path, why)| format!("{path}: {why}")).collect();
    assert_eq!(
        skipped[0],
        "wasi:http/incoming-handler@0.2.0#handle: `wasi:http/incoming-handler@0.2.0` is an interface of the platform"
    );
    assert_eq!(skipped.len(), 2);
}

#[test]
fn what_a_toolchain_left_behind_is_no_tool() {
    let text = r#"(component
      (core module $m (func (export "f")) (func (export "i") (param i32 i32)))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      (func $init (param "app-name" u32) (param "symbols" u32) (canon lift (core func $i "i")))
      (instance $exports (export "init" (func $init)))
      (instance $own (export "init" (func $f)))
      (export "exports" (instance $exports))
      (export "engine" (instance $own))
      (export "greet" (func $f)))"#;
    let reflection = reflect(text).expect("a reflection");
    let names: Vec<&str> = reflection.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["init", "greet"], "an `init` of the author's own stays");
    let skipped: Vec<String> = reflection.skipped.iter().map(|(path, why)| format!("{path}: {why}")).collect();
    assert_eq!(skipped, ["exports#init: it belongs to the toolchain that built the component"]);
}

#[test]
fn every_tool_can_be_found_in_its_component_again() {
    let text = r#"(component
      (core module $m (func (export "f")))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      (instance $plain (export "go" (func $f)))
      (export "a:b/c" (instance $plain)) (export "a:b/d" (instance $plain)) (export "go" (func $f)))"#;
    let engine = super::world::engine();
    let component = super::world::compile(&engine, text);
    let reflection = crate::reflect::Reflection::of(&engine, &component.component_type()).expect("a reflection");
    assert_eq!(reflection.tools.len(), 3);
    for tool in &reflection.tools {
        assert!(tool.path.index(&component).is_some(), "{}", tool.path);
    }
}

proptest! {
    #[test]
    fn names_always_fit_and_never_collide(
        paths in proptest::collection::hash_set(("[a-c]{0,2}(:[a-c]/)?[a-b]?(@[01])?", "[a-bA-B.-]{1,3}|[a-é]{70}"), 0..24)
    ) {
        let paths: Vec<ExportPath> = paths
            .into_iter()
            .map(|(interface, function)| ExportPath { interface: Some(interface).filter(|i| !i.is_empty()), function })
            .collect();
        let mut seen = std::collections::HashSet::new();
        for name in assign(&paths).into_iter().flatten() {
            prop_assert!((1..=64).contains(&name.len()), "{name}");
            prop_assert!(name.starts_with(|char: char| char.is_ascii_lowercase()), "{name}");
            prop_assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')), "{name}");
            prop_assert!(seen.insert(name.clone()), "{name} twice");
        }
        let mut reversed: Vec<ExportPath> = paths.clone();
        reversed.reverse();
        let mut backwards = assign(&reversed);
        backwards.reverse();
        prop_assert_eq!(assign(&paths), backwards);
    }
}
