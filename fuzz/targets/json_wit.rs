//! JSON to the values of a component's types and back: what is read is written in one way, and that reads as the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use toolcrib_sandbox::fuzzing::{Functions, Read};

/// Types of every kind; `$N` is the type of that number.
const TYPES: &[&str] = &[
    "(record (field \"name\" string) (field \"n\" u32) (field \"maybe\" (option s8)))",
    "(variant (case \"none\") (case \"text\" string) (case \"many\" (list u16)) (case \"deep\" (option (option bool))))",
    "(enum \"red\" \"green-blue\" \"x\")",
    "(flags \"read\" \"write\" \"execute\")",
    "(record (field \"v\" $1) (field \"e\" $2) (field \"f\" $3) (field \"r\" (list $0)))",
];

/// What functions take: named types and those that need no name.
const TAKEN: &[&str] = &[
    "$0",
    "$1",
    "$2",
    "$3",
    "$4",
    "bool",
    "s8",
    "u8",
    "s16",
    "u16",
    "s32",
    "u32",
    "s64",
    "u64",
    "f32",
    "f64",
    "char",
    "string",
    "(list u8)",
    "(list string)",
    "(option string)",
    "(option (option u32))",
    "(result string (error $1))",
    "(result)",
    "(tuple u8 string $2)",
    "(list (tuple string f64))",
    "(list (list (option u64)))",
];

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let named = |text: &str| {
        (0..TYPES.len()).rev().fold(text.to_owned(), |text, n| text.replace(&format!("${n}"), &format!("$t{n}")))
    };
    let types: String = TYPES
        .iter()
        .enumerate()
        .map(|(n, ty)| format!("(type $t{n}' {}) (export $t{n} \"t{n}\" (type $t{n}'))\n", named(ty)))
        .collect();
    let functions: String = TAKEN
        .iter()
        .enumerate()
        .map(|(n, ty)| {
            let ty = named(ty);
            format!(
                "(func (export \"f{n:02}\") (param \"x\" {ty}) (param \"pad\" (tuple {0})) (result (tuple {ty} (tuple {0})))
                 (canon lift (core func $i \"f\") (memory (core memory $i \"mem\")) (realloc (core func $i \"realloc\"))))\n",
                "u64 ".repeat(17)
            )
        })
        .collect();
    let text = format!(
        "(component {types}
           (core module $m (memory (export \"mem\") 1)
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0))
             (func (export \"f\") (param i32) (result i32) (local.get 0)))
           (core instance $i (instantiate $m))
           {functions})"
    );
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let functions = Functions::of(&bytes).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(functions.count(), TAKEN.len());
    functions
});

fuzz_target!(|data: &[u8]| {
    let Some((which, text)) = data.split_first() else { return };
    let function = usize::from(*which) % FUNCTIONS.count();
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return };
    let pad = vec![0; 17];
    let read =
        |value: &Value| FUNCTIONS.read(function, &json!({ "x": value, "pad": pad })).expect("there is a function");
    match read(&value) {
        Read::Canonical(written) => match read(&written[0]) {
            Read::Canonical(again) => assert_eq!(again, written, "{}: {value}", TAKEN[function]),
            Read::Refused(why) => {
                panic!("{}: {value} is written as {}, which is refused: {why}", TAKEN[function], written[0])
            }
        },
        Read::Refused(why) => {
            assert!(why.starts_with('$') && why.len() < 8192, "{why}");
            // Arguments that are no object of these two names are refused as well.
            assert!(matches!(FUNCTIONS.read(function, &value), Some(Read::Refused(_))));
        }
    }
});
