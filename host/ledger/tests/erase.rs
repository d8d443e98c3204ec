//! What is erased is gone, and what is proved stays proved.

mod common;

use std::fs;
use std::path::Path;

use common::{begin, end, fresh, lines, meddle, steps, verify};
use serde_json::json;
use toolcrib_ledger::{
    Checkpoint, Durability, Ledger, LedgerError, Needle, NewEvent, RunFilter, Seq, UnixMicros, Verdict,
};

const SECRET: &str = "hunter2-hunter2-hunter2";

fn files_hold(dir: &Path, text: &str) -> bool {
    let files = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut contents = files.map(|path| fs::read(path).expect("a file"));
    contents.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn an_erased_value_is_in_no_file_and_the_proof_stays() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "log in");
    steps(&ledger, run, 5);
    let leak = NewEvent::new("result", json!({ "token": SECRET, "more": "x".repeat(9000) }));
    let leak = ledger.append(run, leak, Durability::Process).unwrap();
    steps(&ledger, run, 5);
    end(&ledger, run);
    let before = ledger.checkpoint().unwrap();
    assert!(files_hold(dir.path(), SECRET));

    let erased = ledger.erase(run, leak.seq, "it held a token").unwrap();
    assert_eq!((erased.values, erased.runs, erased.log_emptied), (1, 1, true));
    assert!(!files_hold(dir.path(), SECRET));
    assert_eq!(ledger.event(run, leak.seq).unwrap().payload, None);
    let report = ledger.verify_against(&before, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", lines(&report));
    assert_eq!((report.erased, report.checkpoint), (1, Some(Verdict::Holds)));
    let record = ledger.tail(run, Some(leak.seq), 99).unwrap().pop().unwrap();
    assert_eq!(record.kind, "ledger.erased");
    assert_eq!(record.payload, Some(json!({ "from": leak.seq, "to": leak.seq, "reason": "it held a token" })));
    assert!(ledger.run(run).unwrap().ended, "a record is no work of the run");
    drop(ledger);
    assert!(!files_hold(dir.path(), SECRET));
}

#[test]
fn erasing_the_first_event_blanks_the_title() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, SECRET);
    ledger.erase(run, Seq::FIRST, "").unwrap();
    assert_eq!(ledger.run(run).unwrap().title, "");
    assert!(!files_hold(dir.path(), SECRET));
    assert!(verify(&ledger).is_sound());
}

#[test]
fn erasing_again_does_nothing_and_a_record_cannot_be_erased() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 2);
    ledger.erase(run, Seq::new(1), "").unwrap();
    assert_eq!(ledger.erase(run, Seq::new(1), "").unwrap().values, 0);
    assert_eq!(ledger.run(run).unwrap().last_seq, Seq::new(3));
    let kept = ledger.erase(run, Seq::new(3), "");
    assert!(matches!(kept, Err(LedgerError::KeptForever { .. })));
    let none = ledger.erase(run, Seq::new(9), "");
    assert!(matches!(none, Err(LedgerError::NoEvent { .. })));
    assert!(verify(&ledger).is_sound());
}

#[test]
fn pruning_removes_the_values_of_old_runs_that_have_ended() {
    let (dir, ledger) = fresh();
    let old = begin(&ledger, SECRET);
    steps(&ledger, old, 4);
    ledger.erase(old, Seq::new(2), "first").unwrap();
    end(&ledger, old);
    let open = begin(&ledger, "open");
    steps(&ledger, open, 4);
    let before = ledger.checkpoint().unwrap();
    assert_eq!(ledger.prunable(UnixMicros::new(0)).unwrap(), []);

    let soon = UnixMicros::new(UnixMicros::now().get() + 1_000_000);
    assert_eq!(ledger.prunable(soon).unwrap(), [old]);
    // A run that is open is no run to prune, whoever asks.
    let pruned = ledger.prune(&[old, open], "a year has passed").unwrap();
    assert_eq!((pruned.values, pruned.runs, pruned.log_emptied), (5, 1, true));
    assert!(!files_hold(dir.path(), SECRET));
    let kept: Vec<_> = ledger.events(open).unwrap().map(|event| event.unwrap().payload.is_some()).collect();
    assert_eq!(kept, [true; 5]);
    let report = ledger.verify_against(&before, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", lines(&report));
    assert_eq!(report.erased, 6);
    assert_eq!(ledger.prunable(soon).unwrap(), []);
    assert_eq!(ledger.runs(&RunFilter { ended: Some(true), ..RunFilter::default() }, 9).unwrap().len(), 1);
}

#[test]
fn a_value_that_was_taken_away_behind_an_erasure_is_still_missing() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 4);
    ledger.erase(run, Seq::new(1), "").unwrap();
    steps(&ledger, run, 1);
    drop(ledger);
    meddle(dir.path(), "DELETE FROM value WHERE seq IN (2, 6)");
    let report = verify(&Ledger::open_read_only(dir.path()).unwrap());
    let missing: Vec<_> = report.findings.iter().map(|finding| finding.place.seq.unwrap().get()).collect();
    assert_eq!((missing, report.erased), (vec![2, 6], 1));
}

#[test]
fn a_cut_tail_shows_only_against_a_checkpoint() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 5);
    let early = ledger.checkpoint().unwrap();
    steps(&ledger, run, 5);
    let late: Checkpoint = ledger.checkpoint().unwrap().to_string().parse().unwrap();
    assert_eq!(late.n, early.n + 1);
    drop(ledger);
    // Whoever cuts the tail also cuts the head that names it.
    let cut = "DELETE FROM event WHERE seq > 7; DELETE FROM value WHERE seq > 7; DELETE FROM head WHERE n = 3;";
    meddle(dir.path(), cut);
    let ledger = Ledger::open_read_only(dir.path()).unwrap();
    assert!(verify(&ledger).is_sound(), "nothing inside the ledger tells");
    assert!(ledger.verify_against(&early, |_| ()).unwrap().is_sound());
    let report = ledger.verify_against(&late, |_| ()).unwrap();
    assert_eq!(report.checkpoint, Some(Verdict::Cut { last: 2, expected: 3 }));
    assert!(!report.is_sound());
    drop(ledger);

    // And writing on does not heal it.
    let ledger = Ledger::open(dir.path()).unwrap();
    steps(&ledger, run, 3);
    ledger.checkpoint().unwrap();
    let report = ledger.verify_against(&late, |_| ()).unwrap();
    assert_eq!((report.findings_total, report.checkpoint), (0, Some(Verdict::Rewritten { at: 3 })));
}

#[test]
fn a_checkpoint_of_another_ledger_does_not_hold() {
    let (_one, one) = fresh();
    let (_other, other) = fresh();
    let empty = one.checkpoint().unwrap();
    assert_eq!(empty.n, 0);
    begin(&one, "a");
    assert!(one.verify_against(&empty, |_| ()).unwrap().is_sound());
    begin(&other, "a");
    let report = other.verify_against(&one.checkpoint().unwrap(), |_| ()).unwrap();
    assert_eq!(report.checkpoint, Some(Verdict::OtherLedger { expected: one.id() }));
}

#[test]
fn a_checkpoint_without_news_is_the_same_one() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    end(&ledger, run);
    let one = ledger.checkpoint().unwrap();
    assert_eq!(ledger.checkpoint().unwrap(), one);
}

#[test]
fn verifying_tells_how_far_it_is() {
    let (_dir, ledger) = fresh();
    for _ in 0..3 {
        let run = begin(&ledger, "a");
        let events = (0..3000).map(|number| NewEvent::new("step", json!(number))).collect();
        ledger.append_all(run, events, Durability::Process).unwrap();
    }
    let mut seen = Vec::new();
    ledger.verify(|progress| seen.push((progress.runs, progress.runs_total, progress.events))).unwrap();
    assert_eq!(seen, [(1, 3, 6002), (3, 3, 9003)]);
}

#[test]
fn a_leaked_secret_is_found_in_every_form_and_gone_from_every_file() {
    let (dir, ledger) = fresh();
    let digits: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let forms = [
        format!("Bearer {SECRET}"),
        // `user:hunter2-hunter2-hunter2` in base64.
        "dXNlcjpodW50ZXIyLWh1bnRlcjItaHVudGVyMg==".to_owned(),
        digits,
        format!("{{\"text\":\"a \\\"{SECRET}\\\"\"}}"),
    ];
    let run = begin(&ledger, &format!("log in with {SECRET}"));
    steps(&ledger, run, 40);
    for form in &forms {
        let event = NewEvent::new("step", json!({ "deep": [{ "value": form }] }));
        ledger.append(run, event, Durability::Process).unwrap();
    }
    end(&ledger, run);
    let other = begin(&ledger, "other");
    steps(&ledger, other, 40);
    let kept = ledger.checkpoint().unwrap();

    let needle = Needle::new(SECRET).unwrap();
    assert!(!ledger.files_with(&needle).unwrap().is_empty());
    let found = ledger.find(&needle).unwrap();
    let places: Vec<_> = found.iter().map(|found| found.seq.get()).collect();
    assert_eq!(places, [0, 41, 42, 43, 44]);
    assert!(found.iter().all(|found| found.run == run));
    let erased = ledger.erase_all(found.iter().map(|found| (found.run, found.seq)), "a leaked password").unwrap();
    assert_eq!((erased.values, erased.runs, erased.log_emptied), (5, 1, true));

    assert_eq!(ledger.find(&needle).unwrap(), []);
    assert_eq!(ledger.files_with(&needle).unwrap(), Vec::<std::path::PathBuf>::new());
    for form in forms.iter().map(String::as_str).chain([SECRET]) {
        assert!(!files_hold(dir.path(), form), "{form}");
    }
    assert_eq!(ledger.run(run).unwrap().title, "");
    let report = ledger.verify_against(&kept, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", lines(&report));
    assert_eq!((report.erased, report.values), (5, 84));
    let records = ledger.events(run).unwrap().filter(|event| event.as_ref().unwrap().kind == "ledger.erased");
    assert_eq!(records.count(), 2, "places that follow one another are one record");
}

#[test]
fn a_copy_of_a_damaged_log_that_holds_the_secret_is_named() {
    let (dir, ledger) = fresh();
    begin(&ledger, "a");
    let copy = dir.path().join("ledger.db-wal.damaged");
    fs::write(&copy, format!("xx{SECRET}xx")).unwrap();
    assert_eq!(ledger.files_with(&Needle::new(SECRET).unwrap()).unwrap(), [copy]);
}

#[test]
fn erasing_a_run_leaves_its_events_and_its_proof() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, SECRET);
    steps(&ledger, run, 4);
    end(&ledger, run);
    let kept = ledger.checkpoint().unwrap();
    assert_eq!(ledger.erase_run(run, "asked for").unwrap().values, 6);
    assert_eq!(ledger.erase_run(run, "again").unwrap().values, 0);
    assert!(!files_hold(dir.path(), SECRET));
    let events: Vec<_> = ledger.events(run).unwrap().map(Result::unwrap).collect();
    let erased = events.iter().filter(|event| event.payload.is_none()).count();
    assert_eq!((events.len(), erased, events[6].kind.as_str()), (7, 6, "ledger.erased"));
    assert!(ledger.verify_against(&kept, |_| ()).unwrap().is_sound());
    assert!(ledger.run(run).unwrap().ended);
}
