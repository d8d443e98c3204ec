//! A tool reads the key that the ledger has.

use serde_json::Value;

use crate::bench::Bench;

/// Gives the key of its call.
const KEYED: &str = r#"
(component
  (import "toolcrib:host/call@0.1.0" (instance $call
    (export "idempotency-key" (func (result (option string))))))
  (core module $base
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $base (instantiate $base))
  (alias core export $base "memory" (core memory $memory))
  (alias core export $base "realloc" (core func $realloc))
  (core func $lowered (canon lower (func $call "idempotency-key") (memory $memory) (realloc $realloc)))
  (core module $m
    (import "host" "key" (func $key (param i32)))
    (func (export "key") (result i32) (call $key (i32.const 64)) (i32.const 64)))
  (core instance $i (instantiate $m (with "host" (instance (export "key" (func $lowered))))))
  (func (export "key") (result (option string))
    (canon lift (core func $i "key") (memory $memory) (realloc $realloc))))
"#;

const FLOW: &str = "
flow: keys
steps:
  - { each: '[1, 1]', as: n, step: rounds, steps: [{ step: key, tool: keyed.key, arguments: {} }] }
result: { keys: '{{ steps.rounds }}' }
";

#[test]
fn a_tool_reads_its_key_and_no_two_calls_have_the_same() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("plugins")).expect("a folder");
    std::fs::write(bench.path("plugins/keyed.wasm"), wat::parse_str(KEYED).expect("a component")).expect("a file");
    bench.write("keys.yaml", FLOW);
    let mut read = Vec::new();
    let mut recorded = Vec::new();
    for _ in 0..2 {
        let done = bench.toolcrib(&["flow", "run", "keys.yaml", "--json"]);
        assert_eq!(done.code, 0, "{}{}", done.out, done.err);
        let done = done.json();
        read.extend(done["result"]["answer"]["value"]["keys"].as_array().expect("a list").clone());
        let events = bench.toolcrib(&["show", done["run"].as_str().expect("a run"), "--events"]).out;
        let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
        recorded.extend(
            events.filter(|event| event["kind"] == "step-started").map(|event| event["payload"]["key"].clone()),
        );
    }
    assert_eq!(read, recorded);
    let different: std::collections::BTreeSet<_> = read.iter().filter_map(Value::as_str).collect();
    assert_eq!(different.len(), 4, "{read:?}");
}
