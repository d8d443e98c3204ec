//! The ledger from the outside: checkpoints, erasure, export, repair.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::bench::{Bench, Done};

const SECRET: &str = "hunter2-canary-of-this-test";

/// A bench with two runs: one that read the secret, one that read nothing.
fn with_runs() -> Bench {
    let bench = Bench::new();
    bench.grant("");
    bench.write("docs/a.txt", SECRET);
    bench.write("docs/b.txt", "nothing");
    assert_eq!(bench.toolcrib(&["run", "--unattended", "read /docs/a.txt"]).code, 0);
    assert_eq!(bench.toolcrib(&["run", "--unattended", "read /docs/b.txt"]).code, 0);
    bench
}

/// The runs, oldest first.
fn runs(bench: &Bench) -> Vec<String> {
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let runs = runs["runs"].as_array().expect("runs").iter();
    runs.rev().map(|run| run["run"].as_str().expect("a name").to_owned()).collect()
}

fn data(bench: &Bench) -> std::path::PathBuf {
    bench.path(".local/share/toolcrib")
}

/// The files below a folder that hold a text.
fn files_with(folder: &Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).expect("a file").windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}

fn with_input(bench: &Bench, arguments: &[&str], input: &str) -> Done {
    let mut child = bench
        .command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn line(done: Done) -> String {
    assert_eq!(done.code, 0, "{}", done.err);
    done.out.trim().to_owned()
}

#[test]
fn a_checkpoint_is_signed_and_holds_while_the_ledger_grows() {
    let bench = with_runs();
    let kept = line(bench.toolcrib(&["verify", "--checkpoint"]));
    let key = line(bench.toolcrib(&["verify", "--public-key"]));
    assert!(kept.starts_with("toolcrib-checkpoint:2:") && key.starts_with("toolcrib-key:1:"));
    assert_eq!(bench.toolcrib(&["run", "--unattended", "read /docs/b.txt"]).code, 0);
    for arguments in [&["verify", "--against", &kept][..], &["verify", "--against", &kept, "--key", &key]] {
        let done = bench.toolcrib(arguments);
        assert_eq!(done.code, 0, "{}", done.out);
        assert!(
            done.out.contains("checkpoint: the checkpoint holds")
                && done.out.contains("signature: signed by the trusted key on 2"),
            "{}",
            done.out
        );
    }
    let plain = line(bench.toolcrib(&["verify", "--checkpoint", "--unsigned"]));
    let done = bench.toolcrib(&["verify", "--against", &plain]);
    assert!(done.code == 0 && done.out.contains("signature: not signed: it proves something only if"), "{}", done.out);
    assert_eq!(bench.toolcrib(&["verify", "--against", &plain, "--key", &key]).code, 2);
}

#[test]
fn a_forged_checkpoint_proves_nothing_and_says_so() {
    let (bench, other) = (with_runs(), with_runs());
    let key = line(bench.toolcrib(&["verify", "--public-key"]));
    let theirs = line(other.toolcrib(&["verify", "--checkpoint"]));
    // Whoever swapped the ledger, and made a checkpoint of the new one with a key of their own.
    std::fs::copy(data(&other).join("ledger.db"), data(&bench).join("ledger.db")).expect("a swap");
    for arguments in [&["verify", "--against", &theirs][..], &["verify", "--against", &theirs, "--key", &key]] {
        let done = bench.toolcrib(arguments);
        assert_eq!(done.code, 1, "{}", done.out);
        assert!(done.out.contains("signature: signed by another key than the trusted one"), "{}", done.out);
    }
    // Somebody without the key changed the number in a line.
    let mut parts: Vec<&str> = theirs.split(':').collect();
    parts[3] = "2";
    let done = other.toolcrib(&["verify", "--against", &parts.join(":")]);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("its checksum does not fit"), "{}", done.err);
}

#[test]
fn a_rebuilt_ledger_is_told_from_the_one_of_the_checkpoint() {
    let bench = with_runs();
    let kept = line(bench.toolcrib(&["verify", "--checkpoint"]));
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(data(&bench).join(file));
    }
    assert_eq!(bench.toolcrib(&["run", "--unattended", "read /docs/b.txt"]).code, 0);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0, "nothing inside it tells");
    let done = bench.toolcrib(&["verify", "--against", &kept]);
    assert_eq!(done.code, 1);
    assert!(done.out.contains("the file was swapped, or the ledger was removed and a new one made"), "{}", done.out);
}

#[test]
fn a_leaked_secret_is_erased_from_every_file_and_the_proof_stays() {
    let bench = with_runs();
    let kept = line(bench.toolcrib(&["verify", "--checkpoint"]));
    assert!(!files_with(&data(&bench), SECRET).is_empty());
    let asked = with_input(&bench, &["erase", "--stdin", "--reason", "a leaked password"], SECRET);
    assert_eq!((asked.code, asked.out.as_str()), (2, ""));
    assert!(asked.err.contains("3 values hold the text:") && !asked.err.contains(SECRET), "{}", asked.err);
    let told = with_input(&bench, &["erase", "--stdin", "--reason", SECRET, "--yes"], SECRET);
    assert!(told.code == 2 && told.err.contains("the reason holds the text"), "{}", told.err);
    let done =
        with_input(&bench, &["erase", "--stdin", "--json", "--yes", "--reason", "leaked"], &format!("{SECRET}\n"));
    let erased = done.json();
    assert_eq!((done.code, &erased["erased"]["values"]), (0, &3.into()), "{erased}");
    assert_eq!(files_with(&data(&bench), SECRET), Vec::<std::path::PathBuf>::new());
    assert_eq!(bench.toolcrib(&["verify", "--against", &kept]).code, 0);
    let again = with_input(&bench, &["erase", "--stdin", "--reason", "leaked"], SECRET);
    assert_eq!((again.code, again.out.trim()), (0, "no value holds the text"));

    let [run, _] = &runs(&bench)[..] else { panic!("two runs") };
    let shown = bench.toolcrib(&["show", run]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(
        shown.out.contains("3 values were erased") && shown.out.contains("step-finished  (erased)"),
        "{}",
        shown.out
    );
    let shown = bench.toolcrib(&["show", run, "--json"]).json();
    assert_eq!(shown["erased"]["erasures"][0]["reason"], "leaked");
    assert_eq!(shown["erased"]["events"].as_array().expect("places").len(), 3);
    assert_eq!(bench.toolcrib(&["show", run, "--events"]).code, 0);
}

#[test]
fn a_run_or_one_event_is_erased_by_name_and_a_record_never() {
    let bench = with_runs();
    let [run, other] = &runs(&bench)[..] else { panic!("two runs") };
    let one = bench.toolcrib(&["erase", &format!("{run}#4"), "--reason", "asked for", "--yes", "--json"]);
    assert_eq!(one.json()["erased"]["values"], 1);
    let record = bench.toolcrib(&["show", run, "--events", "--json"]).json();
    let last = record["events"].as_array().expect("events").last().expect("one")["seq"].as_u64().expect("a place");
    let refused = bench.toolcrib(&["erase", &format!("{run}#{last}"), "--reason", "x", "--yes"]);
    assert!(refused.code == 2 && refused.err.contains("is the record of an erasure"), "{}", refused.err);
    let none = bench.toolcrib(&["erase", &format!("{run}#999"), "--reason", "x", "--yes"]);
    assert!(none.code == 2 && none.err.contains("has no event 999"), "{}", none.err);
    assert_eq!(bench.toolcrib(&["erase", run, other, "--reason", "all", "--yes"]).code, 0);
    let left = bench.toolcrib(&["runs", "--json"]).json();
    let titles: Vec<_> = left["runs"].as_array().expect("runs").iter().map(|run| run["title"].clone()).collect();
    assert_eq!(titles, ["", ""]);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

#[test]
fn pruning_takes_the_runs_that_are_old_enough_and_named() {
    let bench = with_runs();
    let [first, second] = &runs(&bench)[..] else { panic!("two runs") };
    assert_eq!(
        bench.toolcrib(&["prune", "--older-than", "1d", "--dry-run", "--json"]).json()["would_prune"],
        Value::Array(vec![])
    );
    let would = bench.toolcrib(&["prune", "--before", "2200-01-01", "--dry-run", "--json"]).json();
    assert_eq!(would["would_prune"], serde_json::json!([first, second]));
    let pruned = bench.toolcrib(&["prune", "--older-than", "0s", "--runs", first, "--reason", "old", "--json"]).json();
    assert_eq!((&pruned["pruned"], &pruned["erased"]["runs"]), (&serde_json::json!([first]), &1.into()));
    assert_eq!(files_with(&data(&bench), SECRET), Vec::<std::path::PathBuf>::new());
    assert_eq!(bench.toolcrib(&["show", first]).code, 0);
    assert!(bench.toolcrib(&["show", second]).out.contains("files.read"));
    assert_eq!(bench.toolcrib(&["prune"]).code, 2);
    let wrong = bench.toolcrib(&["prune", "--before", "yesterday"]);
    assert!(wrong.code == 2 && wrong.err.contains("write a day as 2026-09-21"), "{}", wrong.err);
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn every_event_is_exported_as_a_line_that_proves_itself() {
    let bench = with_runs();
    let [first, second] = &runs(&bench)[..] else { panic!("two runs") };
    let lines = json_lines(&bench.toolcrib(&["export"]).out);
    let named: BTreeSet<&str> = lines.iter().map(|line| line["run"].as_str().expect("a run")).collect();
    assert_eq!(named, BTreeSet::from([first.as_str(), second.as_str()]));
    for key in ["ledger", "run", "seq", "at", "kind", "status", "digest", "chain", "salt", "payload"] {
        assert!(lines.iter().all(|line| line.get(key).is_some()), "{key}");
    }
    assert!(lines.iter().any(|line| line["payload"].to_string().contains(SECRET)));
    let one = bench.toolcrib(&["export", second, "--output", "one.jsonl"]);
    assert_eq!((one.code, one.out.as_str()), (0, ""));
    assert!(json_lines(&bench.read("one.jsonl")).iter().all(|line| line["run"] == second.as_str()));
    assert!(!bench.path("one.jsonl.partial").exists());
    assert_eq!(bench.toolcrib(&["export", "--since", "2200-01-01"]).out, "");
    assert_eq!(bench.toolcrib(&["export", "--since", "1h"]).out.lines().count(), lines.len());
    let closed = bench.toolcrib(&["export", "--output", "/proc/nothing/x"]);
    assert!(closed.code != 0 && closed.err.contains("/proc/nothing/x"), "{}", closed.err);
}

/// All spans or records of an export.
fn items(text: &str, outer: &str, scope: &str, inner: &str) -> Vec<Value> {
    let lines = json_lines(text);
    let items = lines.iter().flat_map(|line| line[outer][0][scope][0][inner].as_array().expect("a batch").clone());
    items.collect()
}

fn attribute<'v>(item: &'v Value, key: &str) -> Option<&'v Value> {
    let found = item["attributes"].as_array()?.iter().find(|attribute| attribute["key"] == key)?;
    found["value"].as_object()?.values().next()
}

#[test]
fn a_run_is_a_trace_with_a_span_for_each_call_and_an_event_for_each_use() {
    let bench = with_runs();
    let [first, _] = &runs(&bench)[..] else { panic!("two runs") };
    let text = bench.toolcrib(&["export", first, "--format", "otlp-traces"]).out;
    assert_eq!(text, bench.toolcrib(&["export", first, "--format", "otlp-traces"]).out, "ids are derived");
    assert!(!text.contains(SECRET), "values are not exported unless they are asked for");
    let spans = items(&text, "resourceSpans", "scopeSpans", "spans");
    let [step, run] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((&step["name"], &run["name"]), (&"files.read".into(), &"run".into()));
    assert_eq!(step["parentSpanId"], run["spanId"]);
    assert!(run.get("parentSpanId").is_none());
    assert_eq!((step["traceId"].as_str().expect("hex").len(), step["spanId"].as_str().expect("hex").len()), (32, 16));
    assert_eq!((&step["status"]["code"], &run["status"]["code"]), (&1.into(), &1.into()));
    assert_eq!(attribute(step, "toolcrib.outcome"), Some(&"done".into()));
    assert!(attribute(step, "toolcrib.fuel").is_some());
    let read =
        step["events"].as_array().expect("uses").iter().find(|event| event["name"] == "files read").expect("one");
    assert_eq!(attribute(read, "toolcrib.target"), Some(&"/docs/a.txt".into()));
    assert_eq!(attribute(read, "toolcrib.bytes"), Some(&SECRET.len().to_string().into()));
    let nanos = |span: &Value, key: &str| span[key].as_str().expect("text").parse::<u64>().expect("a number");
    let at = nanos(read, "timeUnixNano");
    assert!((nanos(step, "startTimeUnixNano")..=nanos(step, "endTimeUnixNano")).contains(&at));

    let records = bench.toolcrib(&["export", first, "--format", "otlp-logs", "--values"]).out;
    assert!(records.contains(SECRET));
    let records = items(&records, "resourceLogs", "scopeLogs", "logRecords");
    assert_eq!(records.len(), bench.toolcrib(&["export", first]).out.lines().count());
    let ids: BTreeSet<&str> = spans.iter().map(|span| span["spanId"].as_str().expect("hex")).collect();
    assert!(records.iter().all(|record| ids.contains(record["spanId"].as_str().expect("hex"))));
    assert!(records.iter().all(|record| record["traceId"] == run["traceId"]));
}

/// Takes one request on loopback, answers it, and gives the request.
fn collector(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let taking = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let read = stream.read(&mut piece).expect("a piece");
            request.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&request);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if read == 0 || Some(body.len()) >= length {
                break;
            }
        }
        stream.write_all(answer.as_bytes()).expect("an answer");
        String::from_utf8(request).expect("text")
    });
    (endpoint, taking)
}

#[test]
fn an_export_is_sent_to_a_collector_on_this_machine() {
    let bench = with_runs();
    let [first, _] = &runs(&bench)[..] else { panic!("two runs") };
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n{\"partialSuccess\":{}}";
    let (endpoint, taking) = collector(ok);
    let done = bench.toolcrib(&["export", first, "--format", "otlp-traces", "--endpoint", &endpoint]);
    assert_eq!((done.code, done.err.trim()), (0, "sent 1 batch"), "{}", done.err);
    let request = taking.join().expect("a request");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(
        head.starts_with("POST /v1/traces HTTP/1.1\r\n") && head.contains("content-type: application/json"),
        "{head}"
    );
    let file = bench.toolcrib(&["export", first, "--format", "otlp-traces"]).out;
    assert_eq!(body, file.trim_end());

    let no = "HTTP/1.1 400 Bad Request\r\ncontent-length: 22\r\n\r\n{\"message\":\"too old\"}\n";
    let (endpoint, taking) = collector(no);
    let done = bench.toolcrib(&["export", first, "--format", "otlp-logs", "--endpoint", &endpoint]);
    assert!(done.code != 0 && done.err.contains("refused a batch: 400 Bad Request too old"), "{}", done.err);
    assert!(taking.join().expect("a request").starts_with("POST /v1/logs "));

    let done = bench.toolcrib(&["export", first, "--format", "otlp-logs", "--endpoint", &endpoint]);
    assert!(done.code == 6 && done.err.contains("no collector at 127.0.0.1:"), "{}", done.err);
    let done = bench.toolcrib(&["export", "--format", "otlp-logs", "--endpoint", "http://collector.example.com:4318"]);
    assert!(done.code == 2 && done.err.contains("is no collector on this machine"), "{}", done.err);
    assert_eq!(bench.toolcrib(&["export", "--endpoint", &endpoint]).code, 2);
}

#[test]
fn an_erased_run_is_still_exported() {
    let bench = with_runs();
    let [first, _] = &runs(&bench)[..] else { panic!("two runs") };
    assert_eq!(bench.toolcrib(&["erase", first, "--reason", "x", "--yes"]).code, 0);
    let lines = json_lines(&bench.toolcrib(&["export", first]).out);
    assert!(lines.iter().any(|line| line["payload"].is_null() && line["salt"].is_null()));
    let text = bench.toolcrib(&["export", first, "--format", "otlp-traces"]).out;
    assert_eq!(items(&text, "resourceSpans", "scopeSpans", "spans").len(), 1);
    let text = bench.toolcrib(&["export", first, "--format", "otlp-logs"]).out;
    let records = items(&text, "resourceLogs", "scopeLogs", "logRecords");
    assert_eq!(attribute(&records[1], "toolcrib.erased"), Some(&true.into()));
}

#[test]
fn a_damaged_ledger_is_named_and_repaired_into_another_folder() {
    let bench = with_runs();
    let file = data(&bench).join("ledger.db");
    let mut bytes = std::fs::read(&file).expect("the ledger");
    let at = bytes.windows(SECRET.len()).position(|part| part == SECRET.as_bytes()).expect("the secret");
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).expect("damage");
    let [first, _] = &runs(&bench)[..] else { panic!("two runs") };
    let verified = bench.toolcrib(&["verify"]);
    assert_eq!(verified.code, 1);
    assert!(verified.err.contains(&format!("run {first} event ")), "{}", verified.err);
    let output = bench.path("repaired");
    let repaired = bench.toolcrib(&["repair", "--json", "--output", output.to_str().expect("text")]).json();
    assert_eq!(repaired["repaired"]["values_lost"], 1, "{repaired}");
    assert_eq!(std::fs::read(&file).expect("the ledger"), bytes, "it stays as it was");
    std::fs::copy(output.join("ledger.db"), &file).expect("the new one");
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
    assert_eq!(
        bench.toolcrib(&["repair", "--output", output.to_str().expect("text")]).code,
        2,
        "never over another one"
    );
}

#[test]
fn a_ledger_that_cannot_be_opened_leads_to_repair() {
    let bench = with_runs();
    let file = data(&bench).join("ledger.db");
    let mut bytes = std::fs::read(&file).expect("the ledger");
    bytes[100..400].fill(0xee);
    std::fs::write(&file, &bytes).expect("damage");
    let done = bench.toolcrib(&["verify"]);
    assert_eq!(done.code, 6);
    assert!(done.err.contains("toolcrib repair --output DIR"), "{}", done.err);
}
