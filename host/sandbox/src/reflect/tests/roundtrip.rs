//! Random types, compiled by the engine; random values of them, through the engine and back.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use wasmtime::component::Val;

use super::world::{any_json, compile, echo, engine, first_param, instantiate, types, values};
use crate::reflect::input::Reader;
use crate::reflect::output::Writer;
use crate::reflect::shape::Shape;
use crate::reflect::{Entry, Reflection, Returned, describe};

/// Types per property: each one is a component that the engine compiles.
const TYPES: u32 = 96;

fn read(shape: &Shape, value: &Value) -> Val {
    Reader::new().val(shape, value).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn write(shape: &Shape, val: Val) -> Value {
    Writer::new(u64::MAX).json(shape, val).expect("JSON of the value")
}

fn check(config: u32, test: impl Fn(&Reflection, &wasmtime::component::Component, &[Value], &[Value])) {
    let case = types().prop_flat_map(|ty| {
        let own = proptest::collection::vec(values(&ty), 6);
        (Just(ty), own, proptest::collection::vec(any_json(), 24))
    });
    let engine = engine();
    let mut runner = TestRunner::new(Config { cases: config, failure_persistence: None, ..Config::default() });
    let result = runner.run(&case, |(ty, own, any)| {
        let component = compile(&engine, &echo(&ty));
        let reflection = Reflection::of(&engine, &component.component_type()).expect("a reflection");
        test(&reflection, &component, &own, &any);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn echo_signature(reflection: &Reflection) -> &crate::reflect::Signature {
    match &reflection.get("f").expect("the tool").entry {
        Entry::Function(signature) => signature,
        Entry::Command(_) => panic!("a command"),
    }
}

#[test]
fn canonical_json_reads_and_writes_back_to_itself() {
    check(TYPES, |reflection, _, own, _| {
        let shape = first_param(echo_signature(reflection));
        for value in own {
            let val = read(shape, value);
            assert_eq!(&write(shape, val), value);
        }
    });
}

#[test]
fn any_json_is_read_to_a_stable_value_or_refused_with_a_place() {
    check(TYPES, |reflection, _, _, any| {
        let shape = first_param(echo_signature(reflection));
        for value in any {
            match Reader::new().val(shape, value) {
                Ok(val) => {
                    let canonical = write(shape, val);
                    assert_eq!(write(shape, read(shape, &canonical)), canonical, "from {value}");
                }
                Err(error) => {
                    assert!(error.path().starts_with('$'));
                    assert!(error.to_string().len() < 4096, "{error}");
                }
            }
        }
    });
}

#[test]
fn values_pass_through_a_component_unchanged() {
    check(TYPES, |reflection, component, own, _| {
        let engine = component.engine();
        let signature = echo_signature(reflection);
        let tool = reflection.get("f").expect("the tool");
        for value in own {
            let (mut store, instance) = instantiate(engine, component);
            let index = tool.path.index(component).expect("the export");
            let func = instance.get_func(&mut store, index).expect("the function");
            let pad = vec![0; 17];
            let arguments = signature.arguments(&json!({ "x": value, "pad": pad })).expect("arguments");
            let mut results = signature.result_slots();
            func.call(&mut store, &arguments, &mut results).expect("a call");
            match signature.returned(results, 1 << 20).expect("a result") {
                Returned::Ok(Some(Value::Array(result))) => assert_eq!(&result[0], value),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn canonical_json_fits_the_schemas() {
    check(TYPES, |reflection, component, own, _| {
        let engine = component.engine();
        let text = describe(engine, &component.component_type(), reflection, &Default::default()).remove(0);
        assert!(jsonschema::meta::is_valid(&text.input_schema), "{}", text.input_schema);
        let input = jsonschema::validator_for(&text.input_schema).expect("a schema");
        let output = jsonschema::validator_for(text.output_schema.as_ref().expect("a schema")).expect("a schema");
        for value in own {
            let result = json!([value, 0, 0]);
            assert!(output.is_valid(&result), "{result} against {:?}", text.output_schema);
            // Arguments are numbers for a model; the three floats beyond them are read all the same.
            let text_of = value.to_string();
            if !text_of.contains("NaN") && !text_of.contains("Infinity") {
                let arguments = json!({ "x": value, "pad": vec![0; 17] });
                assert!(input.is_valid(&arguments), "{arguments} against {}", text.input_schema);
            }
        }
    });
}

#[test]
fn what_the_writer_charges_is_close_to_what_it_writes() {
    check(32, |reflection, _, own, _| {
        let shape = first_param(echo_signature(reflection));
        for value in own {
            let length = value.to_string().len() as u64;
            let fits = |limit| Writer::new(limit).json(shape, read(shape, value)).is_ok();
            assert!(fits(4 * length + 64), "{value} is charged more than four times its {length} bytes");
            assert!(length < 16 || !fits(length / 4), "{value} is charged less than a quarter of its {length} bytes");
        }
    });
}
