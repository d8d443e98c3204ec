//! Comments from `package-docs` sections, and sections that are not what they should be.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::described;
use crate::reflect::{Docs, ExportPath};

/// A component with one function in `a:b/ops`, the given section, and what stands beside it.
fn component(section: &[u8], beside: &str) -> String {
    let bytes: String = section.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(component {beside} (@custom "package-docs" "{bytes}")
      (core module $m
        (memory (export "mem") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
        (func (export "f") (param i32 i32 i32 i32)))
      (core instance $i (instantiate $m))
      (type $city' (record (field "name" string) (field "kind" u32)))
      (type $unit' (enum "metric" "imperial"))
      (export $city "city" (type $city'))
      (export $unit "unit" (type $unit'))
      (func $f (param "city" $city) (param "unit" $unit)
        (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "realloc"))))
      (export "weather" (func $f)))"#
    )
}

fn section(version: u8, docs: &Value) -> Vec<u8> {
    let mut section = vec![version];
    section.extend(docs.to_string().into_bytes());
    section
}

fn full() -> Value {
    json!({ "worlds": { "w": {
        "docs": "A world.",
        "func_exports": { "weather": { "docs": "  The weather of a city.  ", "stability": { "unstable": { "feature": "x" } } } },
        "types": {
            "city": { "docs": "Where.", "items": { "name": "Its name in English." } },
            "unit": { "docs": "Units.", "items": { "metric": "Celsius." } },
        },
    } } })
}

#[test]
fn comments_become_descriptions() {
    let text = described(&component(&section(1, &full()), ""));
    assert_eq!(text.text, "The weather of a city.");
    assert_eq!(text.title, "Weather");
    let properties = &text.input_schema["properties"];
    assert_eq!(properties["city"]["description"], "Where.");
    assert_eq!(properties["city"]["properties"]["name"]["description"], "Its name in English.");
    assert_eq!(properties["city"]["properties"]["kind"].get("description"), None);
    assert_eq!(properties["unit"]["description"], "Units.\n`metric`: Celsius.");
}

#[test]
fn the_first_version_wrote_functions_as_strings() {
    let docs = json!({ "worlds": { "w": { "funcs": { "weather": "Rain or shine." } } } });
    assert_eq!(described(&component(&section(0, &docs), "")).text, "Rain or shine.");
}

#[test]
fn a_section_inside_a_nested_component_is_found_and_modules_are_stepped_over() {
    let docs = section(1, &full()).iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let nested = format!(
        "(core module (func)) (component (core module (func)) (component (@custom \"package-docs\" \"{docs}\")))"
    );
    assert_eq!(described(&component(b"\x07no", &nested)).text, "The weather of a city.");
}

#[test]
fn a_broken_section_gives_no_docs_and_no_error() {
    let deep = [b"\x01".to_vec(), b"{\"worlds\":".repeat(100_000)].concat();
    let large = section(1, &json!({ "docs": "x".repeat(2 << 20) }));
    for section in [&b""[..], b"\x01", b"\x09{}", b"\x01{", b"\x01[1]", b"\x01{\"worlds\": 3}", &deep, &large] {
        assert_eq!(described(&component(section, "")).text, "The function `weather`.");
    }
}

#[test]
fn long_comments_are_cut_between_characters() {
    let docs = json!({ "worlds": { "w": { "func_exports": { "weather": { "docs": "é".repeat(5000) } } } } });
    let text = described(&component(&section(1, &docs), "")).text;
    assert!(text.len() < 4200 && text.ends_with('…'), "{} bytes", text.len());
}

#[test]
fn functions_of_interfaces_are_found_by_the_interfaces_name() {
    let json = json!({ "interfaces": { "ops": { "funcs": { "add": { "docs": "Adds." } } } } });
    let text = component(&section(1, &json), "");
    let docs = Docs::read(&wat::parse_str(text).expect("a component"));
    let path = |interface: &str| ExportPath { interface: Some(interface.to_owned()), function: "add".to_owned() };
    assert_eq!(docs.function(&path("a:b/ops@1.2.3")), Some("Adds."));
    assert_eq!(docs.function(&path("a:b/other@1.2.3")), None);
    assert_eq!(docs.function(&ExportPath { interface: None, function: "add".to_owned() }), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), header: bool) {
        if header {
            bytes.splice(0..0, *b"\0asm\x0d\0\x01\0");
        }
        Docs::read(&bytes);
    }

    #[test]
    fn a_flipped_byte_is_no_harm(at: proptest::sample::Index, byte: u8) {
        let mut bytes = wat::parse_str(component(&section(1, &full()), "(component)")).expect("a component");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        Docs::read(&bytes);
    }
}
