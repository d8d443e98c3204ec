//! What a receipt tells of a call: each use with its grant and its time, and the calls inside it.

use serde_json::Value;

use crate::bench::{Bench, serve};

/// `relay(tool, arguments, times)` calls another tool so many times.
const RELAY: &str = include_str!("../../../../tests/hostile/calls_nested/guest.wat");

/// A bench with the relay, which may call itself and the tools of `files`.
fn with_relay() -> Bench {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("plugins/relay")).expect("a folder");
    std::fs::write(bench.path("plugins/relay/relay.wasm"), wat::parse_str(RELAY).expect("a component"))
        .expect("a file");
    let requests = "[requests]\ntools = [\"*\"]\nfiles = [\"read-write /**\"]\n";
    let about =
        "name = \"relay\"\nversion = \"1.0.0\"\ndescription = \"Calls other tools.\"\ncomponent = \"relay.wasm\"\n";
    bench.write("plugins/relay/plugin.toml", &format!("{about}\n{requests}"));
    // What is called inside may do no more than the caller.
    bench.grant("[plugin.relay]\ntools = [\"relay.*\", \"files.*\"]\nfiles = [\"read ./docs as /docs\"]\n");
    bench
}

fn relay(bench: &Bench, tool: &str, arguments: &Value, times: u32) -> Value {
    let arguments = serde_json::json!({ "tool": tool, "arguments": arguments.to_string(), "times": times });
    bench.toolcrib(&["call", "--json", "relay.relay", &arguments.to_string()]).json()
}

#[test]
fn a_receipt_holds_the_receipts_of_the_calls_inside() {
    let bench = with_relay();
    bench.write("docs/a.txt", "twelve bytes");
    let read = serde_json::json!({ "path": "/docs/a.txt" });
    let report = relay(&bench, "files.read", &read, 2);
    let (receipt, calls) = (&report["receipt"], &report["receipt"]["inner"]["listed"]);
    assert_eq!(calls.as_array().expect("calls").len(), 2, "{report:#}");
    let outer = &receipt["uses"]["listed"][0];
    assert_eq!((&outer["target"], &outer["by"], &outer["times"]), (&"files.read".into(), &"files.*".into(), &2.into()));
    let call = &calls[1];
    assert_eq!((&call["tool"], &call["outcome"]), (&"files.read".into(), &"ok".into()));
    assert!(call["at_us"].as_u64() >= calls[0]["at_us"].as_u64(), "{calls:#}");
    let used = call["receipt"]["uses"]["listed"].as_array().expect("uses");
    let used = used.iter().find(|used| used["access"] == "read").expect("a read");
    assert_eq!((&used["target"], &used["bytes"]), (&"/docs/a.txt".into(), &12.into()), "{used:#}");
    let by = used["by"].as_str().expect("a grant");
    assert!(by.starts_with("read /") && by.ends_with("/docs as /docs"), "{by}");
    assert!(receipt["wall_us"].as_u64() > call["receipt"]["wall_us"].as_u64(), "{receipt:#}");
}

#[test]
fn a_refusal_in_a_call_inside_a_call_is_in_the_outer_receipt() {
    let bench = with_relay();
    let write = serde_json::json!({ "path": "/docs/new.txt", "text": "x" }).to_string();
    let inner = serde_json::json!({ "tool": "files.write", "arguments": write, "times": 1 });
    let report = relay(&bench, "relay.relay", &inner, 1);
    let second = &report["receipt"]["inner"]["listed"][0];
    let third = &second["receipt"]["inner"]["listed"][0];
    assert_eq!((&third["tool"], &third["outcome"]), (&"files.write".into(), &"file-denied".into()), "{report:#}");
    assert_eq!(third["receipt"]["uses"]["listed"].as_array().expect("uses").last().expect("one")["allowed"], false);
    let text = bench.toolcrib(&[
        "call",
        "--receipt",
        "relay.relay",
        &serde_json::json!({ "tool": "files.write", "arguments": write, "times": 1 }).to_string(),
    ]);
    assert!(text.err.contains("  called  files.write: file-denied\n    "), "{}", text.err);
}

#[test]
fn a_call_of_a_tool_that_is_not_there_is_listed_with_its_code() {
    let bench = with_relay();
    let report = relay(&bench, "files.nothing", &serde_json::json!({}), 1);
    assert_eq!(report["receipt"]["inner"]["listed"][0]["outcome"], "no-such-tool", "{report:#}");
}

#[test]
fn a_write_that_a_limit_stops_leaves_the_old_file_and_nothing_beside_it() {
    let calls = (4..44).step_by(5).map(|calls| format!("host-calls = {calls}"));
    let (mut begun, mut stopped) = (0, 0);
    for limit in calls.chain(["file-bytes-written = \"64 KiB\"".to_owned()]) {
        let bench = Bench::new();
        bench.grant(&format!("limits = {{ {limit} }}"));
        bench.write("out/report.txt", "as it was");
        let arguments = serde_json::json!({ "path": "/out/report.txt", "text": "y".repeat(400 << 10) }).to_string();
        std::fs::write(bench.path("arguments.json"), &arguments).expect("a file");
        let input = std::fs::File::open(bench.path("arguments.json")).expect("a file");
        let output =
            bench.command().args(["call", "--json", "files.write", "-"]).stdin(input).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let names = std::fs::read_dir(bench.path("out")).expect("a folder").map(|e| e.expect("one").file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["report.txt"], "{limit}");
        let whole = bench.read("out/report.txt");
        let uses = report["receipt"]["uses"]["listed"].as_array().map_or(&[][..], Vec::as_slice);
        let beside = |access: &str| {
            uses.iter().any(|used| used["target"] == "/out/.report.txt.0.partial" && used["access"] == access)
        };
        if report["outcome"] == "ok" {
            assert_eq!(whole.len(), 400 << 10, "{limit}");
            continue;
        }
        assert!(report["error"]["code"].as_str().expect("a code").starts_with("limit-"), "{limit}: {report:#}");
        // A limit may also stop what follows the renaming.
        assert!(whole == "as it was" || beside("rename"), "{limit}: {report:#}");
        assert_eq!(beside("write"), beside("rename") || beside("remove unfinished"), "{limit}: {report:#}");
        stopped += 1;
        begun += u32::from(beside("remove unfinished"));
    }
    assert!(begun >= 2 && stopped > begun, "{begun} of {stopped}");
}

#[test]
fn a_request_names_the_grant_that_allowed_it() {
    let address = serve(&[("/", "text/plain", "hello")]);
    let bench = Bench::new();
    let grant = format!("GET http://{address}/**");
    bench.grant(&format!("[plugin.http]\nhttp = [\"{grant}\"]"));
    let url = serde_json::json!({ "url": format!("http://{address}/?key=1") }).to_string();
    let report = bench.toolcrib(&["call", "--json", "http.fetch", &url]).json();
    let used = &report["receipt"]["uses"]["listed"][0];
    assert_eq!((&used["access"], &used["by"]), (&"GET".into(), &grant.as_str().into()), "{report:#}");
    assert!(used["took_us"].as_u64() > Some(0), "{used:#}");
}

#[test]
fn a_line_with_a_rate_is_counted_from_one_process_to_the_next() {
    let bench = Bench::new();
    let address = serve(&[("/a", "text/plain", "hello")]);
    bench.write("toolcrib.toml", &format!("[plugin.http]\nhttp = [\"GET http://{address}/**, 2 per hour\"]\n"));
    let call = || bench.toolcrib(&["call", "http.fetch", &format!("{{\"url\": \"http://{address}/a\"}}"), "--json"]);
    assert_eq!((call().code, call().code), (0, 0));
    let third = call();
    assert_eq!(third.code, 1, "{}", third.err);
    let error = third.json()["error"].clone();
    assert_eq!(error["code"], "net-rate");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("2 per hour") && message.contains("room for the next one in 1"), "{message}");
    let why = bench.toolcrib(&["why"]);
    assert!(why.out.contains("net-rate"), "{}", why.out);
}
