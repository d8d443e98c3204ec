//! What the tests of the ledger share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use toolcrib_ledger::{Durability, Ledger, NewEvent, RunId, RunMeta, VerifyReport};

/// A ledger in a folder of its own.
pub(crate) fn fresh() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(dir.path()).expect("a new ledger");
    (dir, ledger)
}

/// Begins a run with this title.
pub(crate) fn begin(ledger: &Ledger, title: &str) -> RunId {
    let meta = RunMeta::new(title, "running").details(json!({ "goal": title }));
    ledger.begin_run(&meta).expect("a run")
}

/// Appends `count` steps.
pub(crate) fn steps(ledger: &Ledger, run: RunId, count: u64) {
    for number in 0..count {
        let event = NewEvent::new("step", json!({ "number": number, "text": "some text" }));
        ledger.append(run, event, Durability::Process).expect("a step");
    }
}

/// Ends a run.
pub(crate) fn end(ledger: &Ledger, run: RunId) {
    let event = NewEvent::new("done", json!({ "answer": 42 })).status("done").ends_run();
    ledger.append(run, event, Durability::Process).expect("an end");
}

/// A report without progress.
pub(crate) fn verify(ledger: &Ledger) -> VerifyReport {
    ledger.verify(|_| ()).expect("a report")
}

/// Runs SQL on the file of a closed ledger, as someone with the file in his hands can.
pub(crate) fn meddle(dir: &Path, sql: &str) -> usize {
    let conn = raw(dir);
    let before = conn.total_changes();
    conn.execute_batch(sql).expect(sql);
    usize::try_from(conn.total_changes() - before).expect("a count")
}

/// The file of a closed ledger.
pub(crate) fn raw(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("ledger.db")).expect("the file")
}

/// The findings as lines.
pub(crate) fn lines(report: &VerifyReport) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}
