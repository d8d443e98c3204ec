//! What is written where, and what comes back to a script: one object of JSON, exit codes, output that cannot be written.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use crate::bench::Bench;

fn run_once(bench: &Bench) {
    bench.write("docs/notes.md", "one two\n");
    let done = bench.toolcrib(&["run", "How many words are in /docs/notes.md?"]);
    assert_eq!(done.code, 0, "{}", done.err);
}

fn data(bench: &Bench) -> std::path::PathBuf {
    bench.path(".local/share/toolcrib/ledger.db")
}

#[test]
fn output_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    let bench = Bench::new();
    for arguments in [&["tools"][..], &["completions", "bash"], &["--help"]] {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let output = bench.command().args(arguments).stdout(full).output().expect("the command runs");
        assert_eq!(output.status.code(), Some(6), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.lines().count() == 1 && said.contains("standard output"), "{said}");
    }
    for arguments in [&["completions", "fish"][..], &["tools"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = bench.command().args(arguments).stdout(writer).output().expect("the command runs");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
    }
}

#[test]
fn completions_offer_what_people_type() {
    let bench = Bench::new();
    for shell in ["bash", "fish", "zsh"] {
        let script = bench.toolcrib(&["completions", shell]).out;
        assert!(script.contains("inspect") && !script.contains("compile-worker"), "{shell}");
    }
}

#[test]
fn json_is_one_object_for_results_and_for_errors() {
    let bench = Bench::new();
    bench.grant("");
    run_once(&bench);
    let run = bench.toolcrib(&["runs", "--json"]).json()["runs"][0]["run"].as_str().expect("a run").to_owned();
    for (code, key, arguments) in [
        (0, "checkpoint", vec!["verify", "--checkpoint", "--json"]),
        (0, "sound", vec!["verify", "--json"]),
        (0, "events", vec!["show", &run, "--events", "--json"]),
        (0, "plan", vec!["show", &run, "--json"]),
        (0, "tools", vec!["tools", "--json"]),
        (0, "plugins", vec!["policy", "check", "--json"]),
        (2, "error", vec!["run", "--json"]),
        (2, "error", vec!["call", "--json", "text.stats", "{}", "--no-such-flag"]),
        (2, "error", vec!["nonsense", "--json"]),
        (2, "error", vec!["runs", "--status", "nope", "--json"]),
        (2, "error", vec!["show", "nope", "--json"]),
        (2, "error", vec!["call", "--json", "nobody.home"]),
        (2, "error", vec!["--policy", "/nowhere.toml", "tools", "--json"]),
        (2, "error", vec!["verify", "--against", "nonsense", "--json"]),
    ] {
        let done = bench.toolcrib(&arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}{}", done.out, done.err);
        assert!(!done.json()[key].is_null(), "{arguments:?}: {}", done.out);
    }
    let error = bench.toolcrib(&["run", "--json"]).json();
    assert_eq!((&error["outcome"], &error["error"]["code"]), (&"error".into(), &"bad-input".into()), "{error}");
    assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("<GOAL>")), "{error}");
    let events = bench.toolcrib(&["show", &run, "--events", "--json"]).json();
    assert!(events["events"].as_array().is_some_and(|events| events.len() > 3), "{events}");
    assert!(bench.toolcrib(&["--help", "--json"]).out.contains("Usage"));
}

#[test]
fn a_fresh_home_is_empty_and_no_failure() {
    let bench = Bench::new();
    assert_eq!(bench.toolcrib(&["runs", "--json"]).json()["runs"], Value::Array(Vec::new()));
    let done = bench.toolcrib(&["verify"]);
    assert_eq!((done.code, done.out.contains("no ledger yet")), (0, true), "{}", done.err);
    assert_eq!(bench.toolcrib(&["verify", "--checkpoint"]).code, 2);
    assert_eq!(bench.toolcrib(&["show", "nope"]).code, 2);
    assert!(!data(&bench).exists(), "looking made a ledger");
}

#[test]
fn names_of_runs_that_fit_none_or_several_are_bad_input() {
    let bench = Bench::new();
    bench.grant("");
    run_once(&bench);
    run_once(&bench);
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let name = runs["runs"][0]["run"].as_str().expect("a run");
    let several = bench.toolcrib(&["show", &name[..4]]);
    assert_eq!((several.code, several.err.contains("fits 2 runs")), (2, true), "{}", several.err);
    assert_eq!(bench.toolcrib(&["show", "r0000"]).code, 2);
    let status = bench.toolcrib(&["runs", "--status", "nope"]);
    assert_eq!(status.code, 2);
    assert!(status.err.contains("reached") && status.err.contains("cancelled"), "{}", status.err);
}

#[test]
fn a_cut_ledger_is_not_sound() {
    let bench = Bench::new();
    bench.grant("");
    run_once(&bench);
    let before = std::fs::read(data(&bench)).expect("the ledger");
    run_once(&bench);
    let checkpoint = bench.toolcrib(&["verify", "--checkpoint"]).out;
    assert_eq!(bench.toolcrib(&["verify", "--against", checkpoint.trim()]).code, 0);
    std::fs::write(data(&bench), before).expect("an older ledger");
    let cut = bench.toolcrib(&["verify", "--against", checkpoint.trim()]);
    assert_eq!(cut.code, 1, "{}", cut.out);
    assert!(cut.out.contains("NOT sound") && cut.out.contains("the ledger was cut"), "{}", cut.out);
    assert_eq!(bench.toolcrib(&["verify", "--json", "--against", checkpoint.trim()]).json()["sound"], false);
    std::fs::remove_file(data(&bench)).expect("no ledger");
    assert_eq!(bench.toolcrib(&["verify", "--against", checkpoint.trim()]).code, 1);
}

#[test]
fn standard_input_is_text_with_or_without_a_mark_of_its_order() {
    let bench = Bench::new();
    let marked = bench.with_input(&["call", "text.stats", "-"], b"\xef\xbb\xbf{\"text\":\"a b\"}");
    assert_eq!(marked.code, 0, "{}", marked.err);
    let binary = bench.with_input(&["call", "text.stats", "-"], b"{\"text\":\"\xff\"}");
    assert_eq!((binary.code, binary.err.contains("not UTF-8")), (2, true), "{}", binary.err);
}

#[test]
fn lists_of_tools_end_where_they_are_told_to() {
    let bench = Bench::new();
    let one = bench.toolcrib(&["tools", "--limit", "1"]);
    assert_eq!(one.out.lines().count(), 1, "{}", one.out);
    assert!(one.err.contains("more; `--limit 0` shows all"), "{}", one.err);
    let all = bench.toolcrib(&["tools"]);
    assert!(all.out.lines().count() > 10 && !all.err.contains("more;"), "{}", all.err);
    assert_eq!(bench.toolcrib(&["tools", "--limit", "0", "text"]).err, "");
    let nowhere = bench.toolcrib(&["tools", "--plugins", "/nodir"]);
    assert_eq!((nowhere.code, nowhere.err.contains("problem: the folder `/nodir`")), (0, true), "{}", nowhere.err);
}

#[test]
fn two_runs_at_once_come_one_after_the_other() {
    let bench = Bench::new();
    bench.grant("");
    run_once(&bench);
    let lock = File::options().write(true).open(data(&bench).with_file_name("ledger.lock")).expect("the lock");
    lock.lock().expect("held");
    let child = bench
        .command()
        .args(["run", "How many words are in /docs/notes.md?"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    std::thread::sleep(std::time::Duration::from_millis(2500));
    // What only reads does not wait.
    assert_eq!(bench.toolcrib(&["verify", "--checkpoint"]).code, 0);
    drop(lock);
    let output = child.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("waiting for the ledger"), "{said}");
}

/// What a terminal would act on, or a reader would not see.
fn moves_a_terminal(text: &str) -> bool {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
    };
    text.contains(hidden)
}

#[test]
fn nothing_that_a_tool_or_a_goal_says_moves_the_terminal() {
    let bench = Bench::new();
    bench.grant("");
    let evil = "a\u{1b}[2J\u{1b}]0;owned\u{7}b\u{202e}c\u{200b}d\u{9b}31m\u{e0041}";
    bench.write("docs/evil.txt", evil);
    std::fs::write(bench.path(&format!("docs/{}", evil.replace('\u{1b}', "\u{1b}x"))), "x").expect("a file");
    let json = serde_json::json!({ "text": evil }).to_string();
    for arguments in [
        &["call", "files.read", "{\"path\": \"/docs/evil.txt\"}"][..],
        &["call", "files.list", "{\"path\": \"/docs\"}"],
        &["call", "text.stats", &json, "--receipt"],
        &[
            "call",
            "javascript.run",
            "{\"code\": \"console.log('\\u001b[2J\\u202e'); throw new Error('\\u001b]0;x\\u0007\\u200b')\"}",
        ],
        &["call", evil, "{}"],
        &["run", &format!("Read /docs/{evil}")],
        &["run", "Read /docs/evil.txt"],
        &["show", evil],
        &["tools", evil],
        &["inspect", evil],
    ] {
        let done = bench.toolcrib(arguments);
        assert!(!moves_a_terminal(&done.out), "{arguments:?}: {:?}", done.out);
        assert!(!moves_a_terminal(&done.err), "{arguments:?}: {:?}", done.err);
    }
    for arguments in [&["runs"][..], &["why"], &["approvals"]] {
        let done = bench.toolcrib(arguments);
        assert!(!moves_a_terminal(&done.out) && !moves_a_terminal(&done.err), "{arguments:?}: {:?}", done.out);
    }
    // The bytes themselves are kept.
    let newest = bench.toolcrib(&["export"]).out;
    assert!(newest.contains("\\u001b[2J"), "the ledger has what was said");
}

#[test]
fn no_line_of_runs_says_so_and_not_that_there_are_none() {
    let bench = Bench::new();
    bench.toolcrib(&["call", "text.stats", "{\"text\":\"a\"}"]);
    let done = bench.toolcrib(&["runs", "--limit", "0"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    assert!(done.err.contains("none is shown with `--limit 0`"), "{}", done.err);
}
