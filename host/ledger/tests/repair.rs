//! A damaged ledger gives up what is good of it, and stays as it is.

mod common;

use std::fs;

use common::{begin, end, fresh, lines, meddle, steps};
use serde_json::json;
use tempfile::TempDir;
use toolcrib_ledger::{Checkpoint, Durability, Ledger, LedgerError, NewEvent, RunId, Seq, Verdict};

/// Three runs of ten steps, the second of which has ended and lost a value to an erasure.
fn sample() -> (TempDir, [RunId; 3], Checkpoint) {
    let (dir, ledger) = fresh();
    let runs = ["one", "two", "three"].map(|title| begin(&ledger, title));
    for run in runs {
        steps(&ledger, run, 10);
    }
    end(&ledger, runs[1]);
    ledger.erase(runs[1], Seq::new(3), "asked for").expect("an erasure");
    let kept = ledger.checkpoint().expect("a checkpoint");
    (dir, runs, kept)
}

fn payloads(ledger: &Ledger, run: RunId) -> Vec<Option<serde_json::Value>> {
    ledger.events(run).expect("the run").map(|event| event.expect("an event").payload).collect()
}

#[test]
fn a_whole_ledger_is_taken_over_as_it_is() {
    let (dir, runs, kept) = sample();
    let out = tempfile::tempdir().unwrap();
    let repaired = Ledger::repair(dir.path(), &out.path().join("new")).unwrap();
    assert_eq!((repaired.runs_lost, repaired.lost.len(), repaired.values_lost), (0, 0, 0), "{repaired:?}");
    let (old, new) = (Ledger::open_read_only(dir.path()).unwrap(), Ledger::open(out.path().join("new")).unwrap());
    assert_eq!(old.id(), new.id());
    for run in runs {
        assert_eq!(old.run(run).unwrap(), new.run(run).unwrap());
        let export = |ledger: &Ledger| ledger.export(run).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(export(&old), export(&new));
    }
    assert!(new.verify_against(&kept, |_| ()).unwrap().is_sound());
    steps(&new, runs[0], 3);
    assert!(new.verify_against(&kept, |_| ()).unwrap().is_sound());
}

#[test]
fn of_a_run_with_a_changed_event_the_part_before_it_is_taken() {
    let (dir, runs, kept) = sample();
    meddle(dir.path(), &format!("UPDATE event SET at = at + 1 WHERE seq = 5 AND run = {}", runs[1].bits()));
    let before = fs::read(dir.path().join("ledger.db")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let repaired = Ledger::repair(dir.path(), out.path()).unwrap();
    assert_eq!(fs::read(dir.path().join("ledger.db")).unwrap(), before, "the damaged file stays");
    assert!(repaired.report.is_sound(), "{:?}", lines(&repaired.report));
    let lost: Vec<_> = repaired.lost.iter().map(|lost| (lost.run, lost.from)).collect();
    assert_eq!(lost, [(Some(runs[1]), 5), (None, 4)], "{:?}", repaired.lost);
    let new = Ledger::open(out.path()).unwrap();
    // Events 0 to 4 of it, one of which has lost its value, and of the erasure of that the record is lost.
    assert_eq!(repaired.values_lost, 1);
    assert_eq!(new.run(runs[1]).unwrap().last_seq, Seq::new(5));
    assert!(!new.run(runs[1]).unwrap().ended);
    assert_eq!(new.run(runs[2]).unwrap().last_seq, Seq::new(10));
    // That something is missing shows where it was kept elsewhere.
    let report = new.verify_against(&kept, |_| ()).unwrap();
    assert_eq!(report.checkpoint, Some(Verdict::Cut { last: 3, expected: kept.n }));
}

#[test]
fn a_damaged_value_is_lost_and_its_event_is_not() {
    let (dir, runs, kept) = sample();
    let damage = "UPDATE value SET payload = '{\"number\":666}' WHERE seq = 0 AND run = ";
    meddle(dir.path(), &format!("{damage}{}", runs[0].bits()));
    let out = tempfile::tempdir().unwrap();
    let repaired = Ledger::repair(dir.path(), out.path()).unwrap();
    assert_eq!((repaired.lost.len(), repaired.values_lost), (0, 1), "{repaired:?}");
    let new = Ledger::open(out.path()).unwrap();
    assert_eq!(payloads(&new, runs[0])[0], None);
    let record = &payloads(&new, runs[0])[11];
    assert_eq!(record.as_ref().unwrap()["reason"], "the value was damaged, and lost in a repair");
    assert_eq!(new.run(runs[0]).unwrap().title, "");
    assert!(new.verify_against(&kept, |_| ()).unwrap().is_sound());
}

#[test]
fn a_ledger_is_never_repaired_over_another_one() {
    let (dir, ..) = sample();
    let (other, ledger) = fresh();
    drop(ledger);
    assert!(matches!(Ledger::repair(dir.path(), other.path()), Err(LedgerError::Exists { .. })));
    assert!(matches!(Ledger::repair(dir.path(), dir.path()), Err(LedgerError::Exists { .. })));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Ledger::repair(empty.path(), other.path()), Err(LedgerError::NoLedger { .. })));
}

/// Whatever byte is flipped or whatever piece is missing: a repair gives a sound ledger with nothing in it that was not
/// recorded, or says that nothing can be read.
#[test]
fn any_damage_leaves_a_sound_part_or_a_clear_refusal() {
    let (dir, ledger) = fresh();
    let runs = ["one", "two"].map(|title| begin(&ledger, title));
    for run in runs {
        let events = (0..60).map(|number| NewEvent::new("step", json!({ "number": number, "text": "t".repeat(300) })));
        ledger.append_all(run, events.collect(), Durability::Process).unwrap();
    }
    end(&ledger, runs[0]);
    let whole = runs.map(|run| payloads(&ledger, run));
    drop(ledger);
    let original = fs::read(dir.path().join("ledger.db")).unwrap();
    let flips = (0..original.len()).step_by(509).map(|place| {
        let mut bytes = original.clone();
        bytes[place] ^= 0x41;
        bytes
    });
    let pages = (0..original.len()).step_by(4096).map(|page| {
        let mut bytes = original.clone();
        bytes[page..page + 4096].fill(0);
        bytes
    });
    let cuts = (1..8).map(|part| original[..original.len() / 8 * part].to_vec());
    let (mut whole_events, mut part, mut refused) = (0, 0, 0);
    for bytes in flips.chain(pages).chain(cuts) {
        let damaged = tempfile::tempdir().unwrap();
        fs::write(damaged.path().join("ledger.db"), bytes).unwrap();
        let out = damaged.path().join("out");
        let Ok(repaired) = Ledger::repair(damaged.path(), &out) else {
            refused += 1;
            continue;
        };
        assert!(repaired.report.is_sound(), "{:?}", lines(&repaired.report));
        let new = Ledger::open(&out).unwrap();
        let mut taken = 0;
        for (run, whole) in runs.iter().zip(&whole) {
            let Ok(summary) = new.run(*run) else { continue };
            taken += summary.last_seq.get() + 1;
            for (old, new) in whole.iter().zip(payloads(&new, *run)) {
                // A record of what is lost stands behind what was taken.
                let record = new.as_ref().is_some_and(|new| new.get("reason").is_some());
                assert!(new.is_none() || record || new == *old);
            }
        }
        if taken >= 123 { whole_events += 1 } else { part += 1 }
    }
    assert!(whole_events > 10 && part > 10 && refused > 3, "{whole_events} {part} {refused}");
}
