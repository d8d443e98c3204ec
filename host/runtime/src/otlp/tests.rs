//! What becomes of steps that fail, of calls inside calls, and of steps without an end.

use serde_json::{Value, json};
use toolcrib_ledger::{Durability, Ledger, NewEvent, RunId, RunMeta};

use super::OtlpExport;

fn started(node: u32, tool: &str) -> Value {
    json!({ "at": 1, "event": "step-started", "node": node, "attempt": 1, "tool": tool,
            "arguments": { "path": "/private" }, "effect": "read" })
}

fn finished(node: u32, outcome: &Value, receipt: &Value) -> Value {
    json!({ "at": 2, "event": "step-finished", "node": node, "outcome": outcome, "receipt": receipt })
}

fn receipt(wall_us: u64, more: &Value) -> Value {
    let mut receipt = json!({ "fuel": 7, "peak_memory_bytes": 1, "wall_us": wall_us, "argument_bytes": 2,
                              "result_bytes": 3, "host_calls": 4, "host_call_bytes": 5 });
    for (key, value) in more.as_object().into_iter().flatten() {
        receipt[key] = value.clone();
    }
    receipt
}

/// A ledger with one run that holds these events.
fn ledger(events: &[Value]) -> (tempfile::TempDir, Ledger, RunId) {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(dir.path()).expect("a ledger");
    let run = ledger.begin_run(&RunMeta::new("a private goal", "running")).expect("a run");
    for event in events {
        let kind = event["event"].as_str().expect("a kind");
        ledger.append(run, NewEvent::new(kind, event.clone()), Durability::Process).expect("an event");
    }
    (dir, ledger, run)
}

fn spans(ledger: &Ledger, run: RunId, values: bool) -> (Vec<Value>, usize) {
    let (mut spans, mut lines) = (Vec::new(), 0);
    let mut sink = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        lines += 1;
        spans.extend(line["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans").clone());
        Ok(())
    };
    OtlpExport { ledger, run, values }.traces(&mut sink).expect("an export");
    (spans, lines)
}

fn names(spans: &[Value]) -> Vec<&str> {
    spans.iter().map(|span| span["name"].as_str().expect("a name")).collect()
}

fn nanos(span: &Value, key: &str) -> u64 {
    span[key].as_str().expect("text").parse().expect("a number")
}

#[test]
fn a_call_inside_a_call_is_a_span_below_it() {
    let innermost = json!({ "tool": "text.stats", "at_us": 10, "outcome": "ok", "receipt": receipt(20, &json!({})) });
    let inner = receipt(100, &json!({ "inner": { "listed": [innermost] } }));
    let calls = json!({ "inner": { "listed": [
        { "tool": "relay.relay", "at_us": 50, "outcome": "ok", "receipt": inner },
        { "tool": "files.read", "at_us": 200, "outcome": "file-denied", "effect": "none" },
    ] } });
    let done = json!({ "outcome": "done", "output": { "text": "private" } });
    let (_dir, ledger, run) = ledger(&[started(1, "relay.relay"), finished(1, &done, &receipt(400, &calls))]);
    let (spans, _) = spans(&ledger, run, false);
    assert_eq!(names(&spans), ["relay.relay", "relay.relay", "text.stats", "files.read", "run"]);
    let parents: Vec<_> = spans.iter().map(|span| &span["parentSpanId"]).collect();
    let ids: Vec<_> = spans.iter().map(|span| &span["spanId"]).collect();
    assert_eq!(parents[..4], [ids[4], ids[0], ids[1], ids[0]]);
    assert!(nanos(&spans[2], "startTimeUnixNano") >= nanos(&spans[1], "startTimeUnixNano") + 10_000);
    assert_eq!(spans[3]["status"], json!({ "code": 2, "message": "file-denied" }));
    let unique: std::collections::BTreeSet<_> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(unique.len(), 5);
}

#[test]
fn a_failed_step_has_its_code_and_its_message_only_where_values_are_asked_for() {
    let failure = json!({ "code": "net-denied", "message": "private words", "effect": "none" });
    let failed = json!({ "outcome": "failed", "failure": failure });
    let (_dir, ledger, run) = ledger(&[started(1, "http.fetch"), finished(1, &failed, &Value::Null)]);
    let (quiet, _) = spans(&ledger, run, false);
    assert_eq!(quiet[0]["status"], json!({ "code": 2, "message": "net-denied" }));
    let text = serde_json::to_string(&quiet).expect("JSON");
    assert!(!text.contains("private"), "{text}");
    let (loud, _) = spans(&ledger, run, true);
    let text = serde_json::to_string(&loud).expect("JSON");
    for part in ["private words", "/private", "a private goal"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_step_without_an_end_is_a_span_until_the_last_event() {
    let (_dir, ledger, run) = ledger(&[started(1, "files.read"), json!({ "at": 3, "event": "cancel-requested" })]);
    let (spans, _) = spans(&ledger, run, false);
    assert_eq!(names(&spans), ["files.read", "run"]);
    assert_eq!(spans[0]["status"]["message"], "unfinished");
    assert_eq!(spans[0]["endTimeUnixNano"], spans[1]["endTimeUnixNano"]);
}

#[test]
fn a_step_whose_beginning_was_erased_has_a_span_as_long_as_its_receipt_says() {
    let done = json!({ "outcome": "done", "output": { "text": "x" } });
    let (_dir, ledger, run) = ledger(&[started(1, "files.read"), finished(1, &done, &receipt(400, &json!({})))]);
    ledger.erase(run, toolcrib_ledger::Seq::new(1), "asked for").expect("an erasure");
    let (spans, _) = spans(&ledger, run, true);
    assert_eq!(names(&spans), ["a call whose beginning was erased", "run"]);
    assert_eq!(nanos(&spans[0], "endTimeUnixNano") - nanos(&spans[0], "startTimeUnixNano"), 400_000);
}

#[test]
fn a_long_run_is_written_in_batches_and_every_event_is_a_record() {
    let done = json!({ "outcome": "done", "output": { "text": "x" } });
    let steps = (0..300).flat_map(|node| [started(node, "text.stats"), finished(node, &done, &Value::Null)]);
    let (_dir, ledger, run) = ledger(&steps.collect::<Vec<_>>());
    let (spans, lines) = spans(&ledger, run, false);
    assert_eq!((spans.len(), lines), (301, 3));
    let mut records = 0;
    let mut sink = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        records += line["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().expect("records").len();
        Ok(())
    };
    OtlpExport { ledger: &ledger, run, values: false }.logs(&mut sink).expect("an export");
    assert_eq!(records, 601);
}

#[test]
fn a_line_that_cannot_be_written_ends_the_export() {
    let (_dir, ledger, run) = ledger(&[]);
    let mut sink = |_: &str| Err(std::io::ErrorKind::StorageFull.into());
    let error = OtlpExport { ledger: &ledger, run, values: false }.traces(&mut sink).expect_err("no space");
    assert!(error.to_string().starts_with("the export could not be written: "), "{error}");
}
