//! A ledger in somebody's hands: bytes of the file are changed. Nothing panics, and whatever `verify` calls sound holds what was
//! recorded.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use toolcrib_ledger::{Durability, Ledger, NewEvent, RunId, RunMeta};

struct Original {
    bytes: Vec<u8>,
    runs: Vec<RunId>,
    events: Vec<Vec<Option<Value>>>,
}

static ORIGINAL: LazyLock<Original> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path()).expect("a ledger");
    let mut runs = Vec::new();
    for title in ["one", "two"] {
        let run = ledger.begin_run(&RunMeta::new(title, "running")).expect("a run");
        for nth in 0..5 {
            let payload = json!({ "step": nth, "text": "x".repeat(nth * 40) });
            ledger.append(run, NewEvent::new("step", payload), Durability::Process).expect("an event");
        }
        runs.push(run);
    }
    let events = runs.iter().map(|run| payloads(&ledger, *run).expect("they are there")).collect();
    drop(ledger);
    let bytes = std::fs::read(folder.path().join("ledger.db")).expect("a file");
    Original { bytes, runs, events }
});

fn payloads(ledger: &Ledger, run: RunId) -> Option<Vec<Option<Value>>> {
    let events = ledger.events(run).ok()?;
    events.map(|event| event.ok().map(|event| event.payload)).collect()
}

/// Three bytes say where, one says what.
fn changed(original: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for change in data.chunks_exact(4).take(16) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % bytes.len();
        bytes[at] ^= change[3];
    }
    bytes
}

fn look(folder: &Path, original: &Original) {
    let Ok(ledger) = Ledger::open_read_only(folder) else { return };
    let Ok(report) = ledger.verify(|_| {}) else { return };
    let found: Vec<_> = original.runs.iter().map(|run| payloads(&ledger, *run)).collect();
    if report.is_sound() {
        for (now, then) in found.iter().zip(&original.events) {
            // A run that cannot be read at all is told as an error, not as another history.
            if let Some(now) = now {
                assert!(now == then || now.is_empty(), "sound, and not what was recorded: {now:?} {then:?}");
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let original = &*ORIGINAL;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ledger.db"), changed(&original.bytes, data)).expect("a file");
    look(folder.path(), original);
    let output = folder.path().join("repaired");
    if Ledger::repair(folder.path(), &output).is_ok() {
        let repaired = Ledger::open_read_only(&output).expect("what was repaired opens");
        let report = repaired.verify(|_| {}).expect("it can be verified");
        assert!(report.is_sound(), "what was repaired is sound");
        drop(repaired);
    }
});
