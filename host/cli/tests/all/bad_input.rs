//! What is wrong gives one clear line and its exit code, and loses nothing.

use std::time::{Duration, Instant};

use crate::bench::{Bench, Done};

#[track_caller]
fn refused(done: &Done, code: i32, says: &[&str]) {
    assert_eq!(done.code, code, "{}\n{}", done.out, done.err);
    let said = format!("{}{}", done.out, done.err);
    for part in says {
        assert!(said.contains(part), "{said:?} has no {part:?}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_core_module_is_told_from_a_component() {
    let bench = Bench::new();
    std::fs::write(bench.path("core.wasm"), b"\0asm\x01\0\0\0").expect("a file");
    refused(&bench.toolcrib(&["inspect", "core.wasm"]), 2, &["core WebAssembly module", "wasm32-wasip2"]);
}

#[test]
fn a_broken_component_names_its_file() {
    let bench = Bench::new();
    std::fs::write(bench.path("broken.wasm"), b"\0asm\x0d\0\x01\0\xff\xff\xff").expect("a file");
    refused(&bench.toolcrib(&["inspect", "broken.wasm"]), 2, &["broken.wasm", "not a component"]);
    std::fs::write(bench.path("text.wasm"), b"hello").expect("a file");
    refused(&bench.toolcrib(&["inspect", "text.wasm"]), 2, &["text.wasm", "magic"]);
}

#[test]
fn a_typo_in_a_manifest_is_named_with_the_nearest_key() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("plugins/mine")).expect("a folder");
    bench.write("plugins/mine/plugin.toml", "name = \"mine\"\nversion = \"1.0.0\"\ndescripton = \"x\"\n");
    let done = bench.toolcrib(&["tools"]);
    assert_eq!(done.code, 0);
    assert!(done.err.contains("descripton") && done.err.contains("`description`"), "{}", done.err);
}

#[test]
fn a_typo_in_the_operators_file_stops_everything() {
    let bench = Bench::new();
    bench.write("toolcrib.toml", "[plugin.files]\nfile = [\"read . as /\"]\n");
    refused(&bench.toolcrib(&["tools"]), 2, &["toolcrib.toml", "`file`", "`files`"]);
    refused(&bench.toolcrib(&["policy", "check"]), 2, &["toolcrib.toml"]);
}

#[test]
fn wrong_arguments_are_named_by_their_place() {
    let bench = Bench::new();
    refused(&bench.toolcrib(&["call", "text.stats", "{\"text\": 3}"]), 2, &["invalid-arguments", "text"]);
    refused(&bench.toolcrib(&["call", "text.stats", "{\"txt\": \"a\"}"]), 2, &["`txt`", "`text`"]);
    refused(&bench.toolcrib(&["call", "text.stats", "{not json"]), 2, &["not JSON"]);
    refused(&bench.toolcrib(&["call", "text.stts", "{}"]), 2, &["no tool `text.stts`", "text.stats"]);
    refused(&bench.toolcrib(&["run", "  "]), 2, &["the goal is empty"]);
    refused(&bench.toolcrib(&["tools", "--grant", "nonsense"]), 2, &["PLUGIN.CAPABILITY=LINE"]);
}

#[test]
fn a_missing_file_and_a_missing_folder_are_told_apart() {
    let bench = Bench::new();
    bench.grant("");
    refused(
        &bench.toolcrib(&["call", "files.read", "{\"path\":\"/docs/none.txt\"}"]),
        1,
        &["not-found", "/docs/none.txt"],
    );
    bench.write("toolcrib.toml", "[plugin.files]\nfiles = [\"read ./gone as /gone\"]\n");
    refused(&bench.toolcrib(&["call", "files.read", "{\"path\":\"/gone/a\"}"]), 1, &["grant-broken", "gone"]);
    assert!(bench.toolcrib(&["policy", "check"]).err.contains("is not there"));
}

#[test]
fn one_object_in_json_says_what_a_call_came_to() {
    let bench = Bench::new();
    let ok = bench.toolcrib(&["call", "--json", "text.stats", "{\"text\":\"a b\"}"]).json();
    assert_eq!((&ok["tool"], &ok["outcome"]), (&"text.stats".into(), &"ok".into()));
    assert_eq!(ok["result"]["words"], 2);
    for key in ["fuel", "peak_memory_bytes", "wall_us"] {
        assert!(ok["receipt"][key].as_u64().is_some_and(|n| n > 0), "{key}: {ok}");
    }
    let error = bench.toolcrib(&["call", "--json", "files.read", "{\"path\":\"/etc/passwd\"}"]).json();
    assert_eq!((&error["outcome"], &error["error"]["code"]), (&"error".into(), &"file-denied".into()));
    assert_eq!(error["error"]["effect"], "none");
    assert!(error["error"]["grant"].as_str().is_some_and(|grant| grant.contains("read ./etc as /etc")), "{error}");
}

#[test]
fn ctrl_c_ends_a_run_and_loses_nothing() {
    let bench = Bench::new();
    let mut child = bench
        .command()
        .args(["run", "run this javascript: `while (true) {}`"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the command runs");
    let begun = Instant::now();
    // The step has begun once its intent is in the ledger.
    loop {
        let runs = bench.toolcrib(&["runs", "--json"]);
        if runs.code == 0 && runs.json()["runs"][0]["last_seq"].as_u64().is_some_and(|seq| seq >= 4) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(600), "the run did not begin");
        std::thread::sleep(Duration::from_millis(100));
    }
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().expect("a signal");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    assert_eq!(runs["runs"][0]["status"], "cancelled", "{runs}");
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

#[test]
fn a_folder_that_is_there_does_not_count_as_created() {
    let bench = Bench::new();
    let files = "files = [\"read-write ./out as /out\"]\nlimits = { files-created = 1 }";
    bench.write("toolcrib.toml", &format!("[plugin.files]\n{files}\n"));
    let write =
        |name: &str| bench.toolcrib(&["call", "files.write", &format!("{{\"path\":\"/out/{name}\",\"text\":\"x\"}}")]);
    assert_eq!(write("a.txt").code, 0);
    refused(&write("new/b.txt"), 1, &["limit-files-created"]);
}

#[test]
fn a_file_that_a_quota_refuses_to_replace_stays_what_it_was() {
    let bench = Bench::new();
    bench.write("out/a.txt", "12345");
    bench.write("toolcrib.toml", "[plugin.files]\nfiles = [\"read-write ./out as /out, 10 B, 1 file\"]\n");
    let arguments = "{\"path\":\"/out/a.txt\",\"text\":\"longer than ten bytes\"}";
    refused(&bench.toolcrib(&["call", "files.write", arguments]), 1, &["limit-file-bytes-written", "10 B"]);
    assert_eq!(bench.read("out/a.txt"), "12345");
}

#[test]
fn folders_on_the_command_line_are_seen_from_where_one_is() {
    let bench = Bench::new();
    bench.write("docs/a.txt", "here");
    std::fs::create_dir(bench.path("elsewhere")).expect("a folder");
    bench.write("elsewhere/policy.toml", "");
    let grant = ["--policy", "elsewhere/policy.toml", "--grant", "files.files=read ./docs as /docs"];
    let done = bench.toolcrib(&[&["call", "files.read", "{\"path\":\"/docs/a.txt\"}"], &grant[..]].concat());
    assert_eq!((done.code, done.out.contains("here")), (0, true), "{}", done.err);
}
