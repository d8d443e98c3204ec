//! Files that are new, foreign, damaged, or written by somebody else.

mod common;

use std::fs;
use std::path::Path;

use common::{begin, end, fresh, meddle, steps, verify};
use toolcrib_ledger::{Ledger, LedgerError, RunFilter, Seq};

/// Opening fails in both ways with an error for which `fits` holds, and leaves the file as it is.
fn refused(dir: &Path, fits: impl Fn(&LedgerError) -> bool) {
    let file = dir.join("ledger.db");
    let before = fs::read(&file).expect("a file");
    for result in [Ledger::open(dir), Ledger::open_read_only(dir)] {
        let error = result.expect_err("it is refused");
        assert!(fits(&error), "{error:?}");
        assert!(error.to_string().contains("it was left as it is"), "{error}");
    }
    assert_eq!(fs::read(&file).expect("a file"), before);
}

/// Refused, and not even a file was put beside it.
fn refused_unopened(dir: &Path, fits: impl Fn(&LedgerError) -> bool) {
    refused(dir, fits);
    let mut names: Vec<_> =
        fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.lock"]);
}

#[test]
fn a_file_of_length_zero_is_a_new_ledger() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ledger.db"), "").unwrap();
    assert!(matches!(Ledger::open_read_only(dir.path()), Err(LedgerError::NoLedger { .. })));
    let ledger = Ledger::open(dir.path()).unwrap();
    begin(&ledger, "a");
    assert!(verify(&ledger).is_sound());
}

#[test]
fn a_folder_is_made_with_its_parents_and_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b");
    assert!(matches!(Ledger::open_read_only(&deep), Err(LedgerError::NoLedger { .. })));
    assert!(!deep.exists());
    let ledger = Ledger::open(&deep).unwrap();
    begin(&ledger, "a");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&deep), 0o700);
    assert_eq!(mode(&deep.join("ledger.db")), 0o600);
    assert_eq!(mode(&deep.join("ledger.db-wal")), 0o600);
}

#[test]
fn what_a_host_that_died_while_it_made_the_ledger_left_is_swept_away() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["ledger.db.new", "ledger.db.new-wal", "ledger.db.new-journal"] {
        fs::write(dir.path().join(name), "half a ledger").unwrap();
    }
    let ledger = Ledger::open(dir.path()).unwrap();
    begin(&ledger, "a");
    assert!(!dir.path().join("ledger.db.new").exists());
}

#[test]
fn a_text_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ledger.db"), "notes on ledgers").unwrap();
    refused_unopened(dir.path(), |error| matches!(error, LedgerError::NotALedger { .. }));
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    meddle(dir.path(), "CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES ('soup')");
    refused_unopened(dir.path(), |error| matches!(error, LedgerError::NotALedger { .. }));
}

#[test]
fn a_ledger_of_a_newer_version_is_refused_and_left_alone() {
    let (dir, ledger) = fresh();
    begin(&ledger, "a");
    drop(ledger);
    meddle(dir.path(), "PRAGMA user_version = 99");
    refused_unopened(dir.path(), |error| matches!(error, LedgerError::FutureVersion { found: 99, known: 2, .. }));
}

#[test]
fn a_ledger_with_code_planted_in_it_is_refused() {
    let (dir, ledger) = fresh();
    begin(&ledger, "a");
    drop(ledger);
    meddle(dir.path(), "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event; END");
    for result in [Ledger::open(dir.path()), Ledger::open_read_only(dir.path())] {
        assert!(matches!(result, Err(LedgerError::NotALedger { found: "it holds triggers or views", .. })));
    }
}

#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let (dir, ledger) = fresh();
    begin(&ledger, "a");
    drop(ledger);
    let file = dir.path().join("ledger.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100..4096].fill(0xee);
    fs::write(&file, &bytes).unwrap();
    refused(dir.path(), |error| matches!(error, LedgerError::Corrupt { .. }));
}

#[test]
fn of_a_run_that_is_damaged_in_the_middle_the_good_part_is_exported() {
    let (dir, ledger) = fresh();
    let (bad, good) = (begin(&ledger, "bad"), begin(&ledger, "good"));
    steps(&ledger, bad, 9);
    steps(&ledger, good, 9);
    drop(ledger);
    meddle(dir.path(), &format!("UPDATE event SET chain = x'00' WHERE seq = 5 AND run = {}", bad.bits()));
    let ledger = Ledger::open_read_only(dir.path()).unwrap();
    let lines: Vec<_> = ledger.export(bad).unwrap().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[..5].iter().all(Result::is_ok));
    assert!(matches!(lines[5], Err(LedgerError::Corrupt { .. })));
    assert_eq!(ledger.export(good).unwrap().filter(Result::is_ok).count(), 10);
    let report = verify(&ledger);
    assert_eq!(report.findings[0].place.seq, Some(Seq::new(5)), "{:?}", common::lines(&report));
}

#[test]
fn a_torn_log_loses_only_what_was_torn() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 50);
    // As after a loss of power: the files as they are, copied while the ledger is open.
    let torn = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join("ledger.db"), torn.path().join("ledger.db")).unwrap();
    let log = fs::read(dir.path().join("ledger.db-wal")).unwrap();
    fs::write(torn.path().join("ledger.db-wal"), &log[..log.len() - 2000]).unwrap();
    let survivor = Ledger::open(torn.path()).unwrap();
    let recovery = survivor.recovery().unwrap();
    assert_eq!(recovery.lost_commits, 1);
    let kept = fs::read(recovery.copy.as_ref().unwrap()).unwrap();
    assert_eq!(kept.len(), log.len() - 2000);
    let last = survivor.run(run).unwrap().last_seq.get();
    assert_eq!(last, 49);
    assert!(verify(&survivor).is_sound());
    steps(&survivor, run, 3);
    assert_eq!(survivor.run(run).unwrap().last_seq.get(), last + 3);
    assert!(verify(&survivor).is_sound());
}

#[test]
fn a_flipped_bit_in_the_middle_of_the_log_is_told_and_the_log_is_kept() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 50);
    let log = fs::read(dir.path().join("ledger.db-wal")).unwrap();
    let copy = |log: &[u8]| {
        let copy = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join("ledger.db"), copy.path().join("ledger.db")).unwrap();
        fs::write(copy.path().join("ledger.db-wal"), log).unwrap();
        copy
    };
    let whole = copy(&log);
    let ledger = Ledger::open(whole.path()).unwrap();
    assert_eq!((ledger.recovery(), ledger.run(run).unwrap().last_seq), (None, Seq::new(50)));
    for place in [3, 20, 26, log.len() / 2, log.len() - 4000] {
        let mut damaged = log.clone();
        damaged[place] ^= 4;
        let folder = copy(&damaged);
        let ledger = Ledger::open(folder.path()).unwrap();
        let left = ledger.run(run).map_or(0, |run| run.last_seq.get() + 1);
        // Every commit but the first, which made the run, wrote one event.
        let recovery = ledger.recovery().unwrap();
        assert_eq!(recovery.lost_commits + left, 51, "byte {place}");
        assert_eq!(fs::read(recovery.copy.as_ref().unwrap()).unwrap(), damaged);
    }
}

#[test]
fn a_log_of_another_ledger_is_found() {
    let ((one_dir, one), (other_dir, other)) = (fresh(), fresh());
    for (ledger, title) in [(&one, "one"), (&other, "other")] {
        let run = begin(ledger, title);
        steps(ledger, run, 30);
        end(ledger, run);
    }
    let kept = one.checkpoint().unwrap();
    // The database of one with the log of the other, as they are while both are open.
    let swapped = tempfile::tempdir().unwrap();
    drop(one);
    fs::copy(one_dir.path().join("ledger.db"), swapped.path().join("ledger.db")).unwrap();
    fs::copy(other_dir.path().join("ledger.db-wal"), swapped.path().join("ledger.db-wal")).unwrap();
    let sound = Ledger::open(swapped.path()).and_then(|ledger| ledger.verify_against(&kept, |_| ()));
    assert!(!sound.is_ok_and(|report| report.is_sound()));
}

#[test]
fn a_second_host_is_refused_with_the_pid_of_the_first_and_may_read() {
    let (dir, ledger) = fresh();
    begin(&ledger, "a");
    let refused = Ledger::open(dir.path()).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains(&format!("this very process ({})", std::process::id())), "{text}");
    let reader = Ledger::open_read_only(dir.path()).unwrap();
    assert_eq!(reader.runs(&RunFilter::default(), 9).unwrap().len(), 1);
    drop(ledger);
    assert!(Ledger::open(dir.path()).is_ok());
    assert_eq!(reader.runs(&RunFilter::default(), 9).unwrap().len(), 1);
}

#[test]
fn a_closed_ledger_is_one_file_that_can_be_copied() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 20);
    let _ = ledger.run(run).unwrap();
    end(&ledger, run);
    let checkpoint = ledger.checkpoint().unwrap();
    drop(ledger);
    let copy = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join("ledger.db"), copy.path().join("ledger.db")).unwrap();
    assert!(!dir.path().join("ledger.db-wal").exists());
    let copy = Ledger::open_read_only(copy.path()).unwrap();
    assert!(copy.verify_against(&checkpoint, |_| ()).unwrap().is_sound());
}
