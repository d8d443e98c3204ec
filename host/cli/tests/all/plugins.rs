//! Plugins beside the embedded ones.

use crate::bench::Bench;

/// Records, enums, options, results and lists, in a component that knows nothing of this host.
const GEOMETRY: &str = r#"
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    ;; area(shape: {kind: enum, size: f64, scale: option<f64>}) -> result<f64, string>
    (func (export "area") (param $kind i32) (param $size f64) (param $has i32) (param $scale f64) (result i32)
      (f64.store (i32.const 24) (f64.mul (local.get $size) (local.get $size)))
      (if (local.get $has) (then (f64.store (i32.const 24) (f64.mul (f64.load (i32.const 24)) (local.get $scale)))))
      (i32.store (i32.const 16) (i32.const 0))
      (if (i32.eq (local.get $kind) (i32.const 1))
        (then
          (i32.store (i32.const 16) (i32.const 1))
          (i32.store (i32.const 24) (i32.const 64))
          (i32.store (i32.const 28) (i32.const 9))))
      (i32.const 16))
    ;; sum(list<u32>) -> u32
    (func (export "sum") (param $at i32) (param $len i32) (result i32)
      (local $total i32)
      (block $done (loop $next
        (br_if $done (i32.eqz (local.get $len)))
        (local.set $total (i32.add (local.get $total) (i32.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $len (i32.sub (local.get $len) (i32.const 1)))
        (br $next)))
      (local.get $total))
    (data (i32.const 64) "no circle"))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (type $kind-type (enum "square" "circle"))
  (export $kind "kind" (type $kind-type))
  (type $shape-type (record (field "kind" $kind) (field "size" f64) (field "scale" (option f64))))
  (export $shape "shape" (type $shape-type))
  (func $area (param "shape" $shape) (result (result f64 (error string)))
    (canon lift (core func $i "area") (memory $memory) (realloc $realloc)))
  (export "area" (func $area))
  (func $sum (param "numbers" (list u32)) (result u32)
    (canon lift (core func $i "sum") (memory $memory) (realloc $realloc)))
  (export "sum" (func $sum)))
"#;

#[test]
fn a_component_that_was_not_written_for_this_host_is_called() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("plugins")).expect("a folder");
    std::fs::write(bench.path("plugins/geometry.wasm"), wat::parse_str(GEOMETRY).expect("a component"))
        .expect("a file");
    let call = |tool: &str, arguments: &str| bench.toolcrib(&["call", "--json", tool, arguments]).json();

    assert_eq!(call("geometry.sum", r#"{"numbers":[1,2,39]}"#)["result"], 42);
    assert_eq!(call("geometry.area", r#"{"shape":{"kind":"square","size":3}}"#)["result"], 9.0);
    assert_eq!(call("geometry.area", r#"{"shape":{"kind":"Square","size":3,"scale":2}}"#)["result"], 18.0);
    let circle = call("geometry.area", r#"{"shape":{"kind":"circle","size":1}}"#);
    assert_eq!((&circle["outcome"], &circle["error"]["message"]), (&"error".into(), &"no circle".into()));
    let wrong = call("geometry.area", r#"{"shape":{"kind":"oval","size":1}}"#);
    assert_eq!(wrong["error"]["code"], "invalid-arguments");
    assert!(wrong["error"]["message"].as_str().is_some_and(|m| m.contains("shape.kind")), "{wrong}");
}

/// Reports that it has come half way, and returns.
const HALF_WAY: &str = r#"
(component
  (import "toolcrib:host/progress@0.1.0" (instance $progress
    (export "report" (func (param "done" u64) (param "total" (option u64)) (param "message" string)))))
  (core module $m (memory (export "memory") 1) (data (i32.const 64) "half way"))
  (core instance $memory (instantiate $m))
  (core func $report (canon lower (func $progress "report") (memory (core memory $memory "memory"))))
  (core module $n
    (import "host" "report" (func $report (param i64 i32 i64 i32 i32)))
    (func (export "work") (result i32)
      (call $report (i64.const 1) (i32.const 1) (i64.const 2) (i32.const 64) (i32.const 8))
      (i32.const 7)))
  (core instance $i (instantiate $n (with "host" (instance (export "report" (func $report))))))
  (func (export "work") (result u32) (canon lift (core func $i "work"))))
"#;

#[test]
fn the_progress_of_a_tool_is_shown() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("plugins")).expect("a folder");
    std::fs::write(bench.path("plugins/slow.wasm"), wat::parse_str(HALF_WAY).expect("a component")).expect("a file");
    let done = bench.toolcrib(&["call", "slow.work"]);
    assert_eq!((done.code, done.out.trim()), (0, "7"), "{}", done.err);
    assert!(done.err.contains("… 1/2 half way"), "{}", done.err);
    assert_eq!(bench.toolcrib(&["call", "slow.work", "--json"]).err, "");
}

#[test]
fn a_plugin_cannot_take_the_name_of_an_embedded_one() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("plugins")).expect("a folder");
    std::fs::write(bench.path("plugins/text.wasm"), wat::parse_str(GEOMETRY).expect("a component")).expect("a file");
    let tools = bench.toolcrib(&["tools", "--json"]).json();
    let names: Vec<&str> =
        tools["tools"].as_array().expect("tools").iter().filter_map(|t| t["name"].as_str()).collect();
    assert!(names.contains(&"text.stats") && !names.contains(&"text.area"), "{names:?}");
    assert!(tools["problems"][0].as_str().is_some_and(|problem| problem.contains("text")), "{tools}");
}

#[test]
fn inspecting_shows_reach_requests_and_grants() {
    let bench = Bench::new();
    bench.grant("");
    let shown = bench.toolcrib(&["inspect", "files"]);
    for part in ["files.read", "can ever reach", "read and write files", "is granted", "docs as /docs"] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let text = bench.toolcrib(&["inspect", "text"]).out;
    assert!(!text.contains("call other tools"), "{text}");
    assert_eq!(bench.toolcrib(&["inspect", "nobody"]).code, 2);
    let tool = bench.toolcrib(&["inspect", "data.convert"]).out;
    for part in ["input  any, required", "from  one of auto, json, csv, yaml, toml, optional", "output  string"] {
        assert!(tool.contains(part), "{part}: {tool}");
    }
}

#[test]
fn a_file_that_is_no_plugin_says_why_when_it_is_called() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("plugins")).expect("a folder");
    std::fs::write(bench.path("plugins/core.wasm"), b"\0asm\x01\0\0\0").expect("a file");
    for arguments in [["call", "core.run"], ["inspect", "core"]] {
        let done = bench.toolcrib(&arguments);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("core.wasm") && done.err.contains("core WebAssembly module"), "{}", done.err);
    }
}

#[test]
fn a_review_of_the_operators_file_names_what_matches_nothing() {
    let bench = Bench::new();
    bench.write("docs/a.txt", "a");
    let file = r#"
[ceiling]
reject-imports = ["wasi:socket"]
limits = { wall = "30 s" }
[plugin.file]
files = ["read ./docs as /docs"]
[plugin.files]
files = ["read ./docs/a.txt as /a", "read ./gone as /gone"]
limits = { fuel = "5 G" }
[plugin.http]
http = ["GTE https://example.com/**"]
tools = ["text.stat"]
"#;
    bench.write("toolcrib.toml", file);
    let done = bench.toolcrib(&["policy", "check"]);
    assert_eq!(done.code, 0);
    for part in ["ceiling", "reject-imports wasi:socket", "limits wall = 30 s", "limits fuel = 5 G"] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    for part in [
        "did you mean `[plugin.files]`?",
        "a.txt`, granted to `files` as `/a`, is a file: name the folder that holds it",
        "gone`, granted to `files` as `/gone`, is not there",
        "`wasi:socket` in `reject-imports` is no interface that this host has",
        "did you mean `text.stats`?",
        "`http` does not ask for what the line `text.stat` of its `tools` gives",
        "did you mean `GET`?",
    ] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    let inspected = bench.toolcrib(&["inspect", "files"]).out;
    assert!(inspected.contains("fuel = 5 G") && inspected.contains("wall = 30 s"), "{inspected}");
}

#[test]
fn a_place_that_cannot_be_used_is_the_hosts_failure_and_is_named() {
    let bench = Bench::new();
    bench.write("cache", "a file");
    let output = bench.command().env("XDG_CACHE_HOME", bench.path("cache")).arg("tools").output().expect("it runs");
    assert_eq!(output.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&output.stderr).contains("XDG_CACHE_HOME"));
    std::fs::create_dir_all(bench.path(".local/share/toolcrib")).expect("a folder");
    bench.write(".local/share/toolcrib/compile-cache.key", "short");
    let done = bench.toolcrib(&["call", "text.stats", "{\"text\":\"a\"}"]);
    assert_eq!((done.code, done.err.contains("compile-cache.key` is damaged")), (6, true), "{}", done.err);
    assert!(done.err.contains("remove it"), "{}", done.err);
}
