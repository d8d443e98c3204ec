//! Components written as text, and types as data that print themselves as text.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Config, Engine, Store};

use crate::reflect::shape::Shape;
use crate::reflect::signature::Signature;
use crate::reflect::text::base64;
use crate::reflect::{Docs, ReflectError, Reflection, describe};

/// An engine with every value type turned on that reflection knows.
pub(super) fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_map(true).wasm_component_model_fixed_length_lists(true);
    Engine::new(&config).expect("an engine")
}

pub(super) fn compile(engine: &Engine, text: &str) -> Component {
    let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Component::new(engine, bytes).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

/// The reflection of a component written as text.
pub(super) fn reflect(text: &str) -> Result<Reflection, ReflectError> {
    let engine = engine();
    Reflection::of(&engine, &compile(&engine, text).component_type())
}

/// Input and output schema and the description of the component's first tool.
pub(super) fn described(text: &str) -> crate::reflect::Description {
    let engine = engine();
    let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let component = Component::new(&engine, &bytes).expect("a component").component_type();
    let reflection = Reflection::of(&engine, &component).expect("a reflection");
    describe(&engine, &component, &reflection, &Docs::read(&bytes)).remove(0)
}

/// The signature of a function with these named types, as text: `("pair", "(record …)")`.
pub(super) fn signature(types: &[(&str, &str)], signature: &str) -> Signature {
    try_signature(types, signature).unwrap_or_else(|error| panic!("{error}"))
}

/// The same, or why there is none.
pub(super) fn try_signature(types: &[(&str, &str)], signature: &str) -> Result<Signature, String> {
    let named =
        |(name, ty): &(&str, &str)| format!("(type ${name}' {ty}) (import \"{name}\" (type ${name} (eq ${name}')))\n");
    let types: String = types.iter().map(named).collect();
    let engine = engine();
    let component = compile(&engine, &format!("(component {types} (import \"f\" (func {signature})))"));
    let component = component.component_type();
    match component.get_import(&engine, "f").expect("the function").ty {
        ComponentItem::ComponentFunc(func) => match Signature::read("f", &func) {
            Ok((signature, _)) => Ok(signature),
            Err(crate::reflect::signature::SignatureError::NotATool(error)) => Err(error.to_string()),
            Err(crate::reflect::signature::SignatureError::Refused(error)) => Err(error.to_string()),
        },
        other => panic!("{other:?}"),
    }
}

/// A type of the component model, as data.
#[derive(Clone, Debug)]
pub(super) enum Ty {
    /// `bool`, the integers, the floats, `char` and `string`, by name.
    Plain(&'static str),
    List(Box<Ty>),
    Fixed(Box<Ty>, u32),
    Map(&'static str, Box<Ty>),
    Record(Vec<Ty>),
    Tuple(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(usize),
    Flags(usize),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
}

const PLAIN: [&str; 13] =
    ["bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string"];

/// Names of members, with the awkward ones first.
pub(super) fn member(index: usize) -> String {
    ["some", "ok", "user-id", "tag", "value", "a"].get(index).map_or_else(|| format!("m{index}"), |n| (*n).to_owned())
}

pub(super) fn types() -> impl Strategy<Value = Ty> {
    let leaf = prop_oneof![
        6 => proptest::sample::select(&PLAIN[..]).prop_map(Ty::Plain),
        1 => (1usize..9).prop_map(Ty::Enum),
        1 => (1usize..32).prop_map(Ty::Flags),
        1 => Just(Ty::List(Box::new(Ty::Plain("u8")))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = proptest::option::of(boxed.clone());
        prop_oneof![
            2 => boxed.clone().prop_map(Ty::List),
            1 => (boxed.clone(), 1u32..4).prop_map(|(ty, length)| Ty::Fixed(ty, length)),
            1 => (proptest::sample::select(vec!["bool", "u32", "s64", "char", "string"]), boxed.clone())
                .prop_map(|(key, ty)| Ty::Map(key, ty)),
            3 => proptest::collection::vec(inner.clone(), 1..5).prop_map(Ty::Record),
            1 => proptest::collection::vec(inner.clone(), 1..4).prop_map(Ty::Tuple),
            3 => proptest::collection::vec(proptest::option::of(inner), 1..5).prop_map(Ty::Variant),
            3 => boxed.prop_map(Ty::Option),
            2 => (maybe.clone(), maybe).prop_map(|(ok, err)| Ty::Result(ok, err)),
        ]
    })
}

/// A component whose function `f` takes a value of the type and gives it back, through its memory.
///
/// The padding keeps the parameters out of registers, so that the function gets their address and can return it.
pub(super) fn echo(ty: &Ty) -> String {
    let mut printer = Printer::default();
    let ty = printer.print(ty);
    let pad = "u64 ".repeat(17);
    format!(
        r#"(component
  {types}
  (core module $m
    (memory (export "mem") 64)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "f") (param "x" {ty}) (param "pad" (tuple {pad})) (result (tuple {ty} u8 u8))
    (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))"#,
        types = printer.types,
    )
}

#[derive(Default)]
struct Printer {
    types: String,
    count: usize,
}

impl Printer {
    fn print(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Plain(name) => (*name).to_owned(),
            Ty::List(inner) => format!("(list {})", self.print(inner)),
            Ty::Fixed(inner, length) => format!("(list {} {length})", self.print(inner)),
            Ty::Map(key, inner) => format!("(map {key} {})", self.print(inner)),
            Ty::Option(inner) => format!("(option {})", self.print(inner)),
            Ty::Tuple(items) => format!("(tuple {})", self.all(items)),
            Ty::Result(ok, err) => {
                let ok = ok.as_ref().map(|ty| self.print(ty)).unwrap_or_default();
                let err = err.as_ref().map(|ty| format!("(error {})", self.print(ty))).unwrap_or_default();
                format!("(result {ok} {err})")
            }
            Ty::Record(fields) => {
                let field = |(index, ty)| format!("(field \"{}\" {})", member(index), self.print(ty));
                let fields: String = fields.iter().enumerate().map(field).collect();
                self.named(format!("(record {fields})"))
            }
            Ty::Variant(cases) => {
                let case = |(index, ty): (usize, &Option<Ty>)| {
                    let payload = ty.as_ref().map(|ty| self.print(ty)).unwrap_or_default();
                    format!("(case \"{}\" {payload})", member(index))
                };
                let cases: String = cases.iter().enumerate().map(case).collect();
                self.named(format!("(variant {cases})"))
            }
            Ty::Enum(count) => self.named(format!("(enum {})", quoted(*count))),
            Ty::Flags(count) => self.named(format!("(flags {})", quoted(*count))),
        }
    }

    fn all(&mut self, types: &[Ty]) -> String {
        types.iter().map(|ty| self.print(ty) + " ").collect()
    }

    fn named(&mut self, ty: String) -> String {
        let name = format!("t{}", self.count);
        self.count += 1;
        self.types.push_str(&format!("(type ${name}' {ty}) (export ${name} \"{name}\" (type ${name}'))\n  "));
        format!("${name}")
    }
}

fn quoted(count: usize) -> String {
    (0..count).map(|index| format!("\"{}\" ", member(index))).collect()
}

/// Canonical JSON of values of the type.
pub(super) fn values(ty: &Ty) -> BoxedStrategy<Value> {
    match ty {
        Ty::Plain(name) => plain_values(name),
        Ty::List(inner) if matches!(**inner, Ty::Plain("u8")) => prop_oneof![
            "[a-zé \n\"]{0,8}".prop_map(Value::from),
            proptest::collection::vec(128u8..=255, 1..8).prop_map(|bytes| {
                match String::from_utf8(bytes) {
                    Ok(text) => json!(text),
                    Err(error) => json!({ "base64": base64(error.as_bytes()) }),
                }
            }),
        ]
        .boxed(),
        Ty::List(inner) => proptest::collection::vec(values(inner), 0..4).prop_map(Value::from).boxed(),
        Ty::Fixed(inner, length) => {
            proptest::collection::vec(values(inner), *length as usize).prop_map(Value::from).boxed()
        }
        Ty::Map(key, inner) => {
            let keys = match *key {
                "string" => any::<String>().boxed(),
                "char" => any::<char>().prop_map(String::from).boxed(),
                "bool" => any::<bool>().prop_map(|key| key.to_string()).boxed(),
                "u32" => any::<u32>().prop_map(|key| key.to_string()).boxed(),
                _ => any::<i64>().prop_map(|key| key.to_string()).boxed(),
            };
            let pairs = proptest::collection::vec((keys, values(inner)), 0..4);
            pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect())).boxed()
        }
        Ty::Record(fields) => {
            let fields: Vec<_> = fields.iter().map(values).collect();
            let named = |values: Vec<Value>| values.into_iter().enumerate().map(|(i, v)| (member(i), v)).collect();
            fields.prop_map(move |values| Value::Object(named(values))).boxed()
        }
        Ty::Tuple(items) => items.iter().map(values).collect::<Vec<_>>().prop_map(Value::from).boxed(),
        Ty::Variant(cases) => {
            let case = |(index, payload): (usize, &Option<Ty>)| match payload {
                Some(ty) => values(ty).prop_map(move |value| tagged(&member(index), value)).boxed(),
                None => Just(Value::from(member(index))).boxed(),
            };
            proptest::strategy::Union::new(cases.iter().enumerate().map(case)).boxed()
        }
        Ty::Enum(count) => (0..*count).prop_map(|index| Value::from(member(index))).boxed(),
        Ty::Flags(count) => proptest::collection::vec(any::<bool>(), *count)
            .prop_map(|on| on.iter().enumerate().filter(|(_, on)| **on).map(|(index, _)| member(index)).collect())
            .boxed(),
        Ty::Option(inner) => {
            let nested = matches!(**inner, Ty::Option(_));
            let some = values(inner).prop_map(move |value| if nested { tagged("some", value) } else { value });
            prop_oneof![1 => Just(Value::Null), 2 => some].boxed()
        }
        Ty::Result(ok, err) => {
            let side = |name: &'static str, ty: &Option<Box<Ty>>| match ty {
                Some(ty) => values(ty).prop_map(move |value| tagged(name, value)).boxed(),
                None => Just(tagged(name, Value::Null)).boxed(),
            };
            prop_oneof![side("ok", ok), side("err", err)].boxed()
        }
    }
}

fn plain_values(name: &str) -> BoxedStrategy<Value> {
    fn wide(number: i128) -> Value {
        if number.abs() < 1 << 53 {
            serde_json::from_str(&number.to_string()).expect("a number")
        } else {
            number.to_string().into()
        }
    }
    let floats = || {
        let special = proptest::sample::select(vec![json!("NaN"), json!("Infinity"), json!("-Infinity"), json!(-0.0)]);
        (special, any::<bool>())
    };
    match name {
        "bool" => any::<bool>().prop_map(Value::from).boxed(),
        "u8" => any::<u8>().prop_map(Value::from).boxed(),
        "u16" => any::<u16>().prop_map(Value::from).boxed(),
        "u32" => any::<u32>().prop_map(Value::from).boxed(),
        "u64" => prop_oneof![any::<u64>(), 0..9u64, Just(u64::MAX)].prop_map(|n| wide(n.into())).boxed(),
        "s8" => any::<i8>().prop_map(Value::from).boxed(),
        "s16" => any::<i16>().prop_map(Value::from).boxed(),
        "s32" => any::<i32>().prop_map(Value::from).boxed(),
        "s64" => prop_oneof![any::<i64>(), -9..9i64, Just(i64::MIN)].prop_map(|n| wide(n.into())).boxed(),
        "f32" => (any::<f32>(), floats())
            .prop_map(|(float, (special, pick))| match float.to_string().parse::<f64>() {
                Ok(float) if float.is_finite() && !pick => json!(float),
                _ => special,
            })
            .boxed(),
        "f64" => (any::<f64>(), floats())
            .prop_map(|(float, (special, pick))| if float.is_finite() && !pick { json!(float) } else { special })
            .boxed(),
        "char" => any::<char>().prop_map(|char| Value::from(char.to_string())).boxed(),
        _ => any::<String>().prop_map(Value::from).boxed(),
    }
}

pub(super) fn tagged(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

/// Any JSON, a few levels deep, with words that types also use.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let word = || (0usize..9).prop_map(member);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-9..9i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let key = prop_oneof![4 => (0usize..9).prop_map(member), 1 => any::<String>()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// An instance of a component without imports, and its store.
pub(super) fn instantiate(engine: &Engine, component: &Component) -> (Store<()>, Instance) {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, component).expect("an instance");
    (store, instance)
}

/// The shape of the first parameter.
pub(super) fn first_param(signature: &Signature) -> &Shape {
    &signature.params[0].shape
}
