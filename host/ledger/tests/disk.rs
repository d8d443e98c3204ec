//! Disks that are full or fail: single system calls of one thread are made to fail by a seccomp filter, so that SQLite
//! meets the real errors.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;

use common::{begin, fresh, lines, steps, verify};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use serde_json::json;
use toolcrib_ledger::{Durability, Ledger, LedgerError, NewEvent, RunId, Seq};

const FLUSHES: &[i64] = &[libc::SYS_fsync, libc::SYS_fdatasync];
const WRITES: &[i64] =
    &[libc::SYS_write, libc::SYS_pwrite64, libc::SYS_pwritev, libc::SYS_ftruncate, libc::SYS_fallocate];

/// From here on these system calls fail with `errno` in this thread, until it ends.
fn fail(calls: &[i64], errno: i32) {
    let rules: BTreeMap<_, _> = calls.iter().map(|call| (*call, Vec::new())).collect();
    let errno = SeccompAction::Errno(errno.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH).expect("a known processor");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, arch).expect("a filter");
    let program: BpfProgram = filter.try_into().expect("a program");
    seccompiler::apply_filter(&program).expect("the filter is set");
}

fn append(ledger: &Ledger, run: RunId, durability: Durability) -> Result<Seq, LedgerError> {
    let event = NewEvent::new("step", json!({ "text": "y".repeat(20_000) }));
    ledger.append(run, event, durability).map(|written| written.seq)
}

/// Runs `work` in a thread whose calls fail.
fn failing<T: Send>(calls: &[i64], errno: i32, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            fail(calls, errno);
            work()
        });
        thread.join().expect("no panic")
    })
}

#[test]
fn only_a_commit_that_must_survive_the_loss_of_power_waits_for_a_flush() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    append(&ledger, run, Durability::Power).unwrap();
    failing(FLUSHES, libc::EIO, || {
        append(&ledger, run, Durability::Process).unwrap();
        append(&ledger, run, Durability::Process).unwrap();
        let refused = append(&ledger, run, Durability::Power).unwrap_err();
        assert!(matches!(refused, LedgerError::Io { .. }), "{refused:?}");
        // The kernel may have dropped what it could not write: nothing more is promised.
        let stopped = append(&ledger, run, Durability::Process).unwrap_err();
        assert!(matches!(stopped, LedgerError::Stopped { .. }), "{stopped:?}");
        assert_eq!(ledger.run(run).unwrap().last_seq, Seq::new(3), "what was acknowledged can be read");
    });
    assert!(matches!(append(&ledger, run, Durability::Power), Err(LedgerError::Stopped { .. })));
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert!(ledger.run(run).unwrap().last_seq >= Seq::new(3));
    append(&ledger, run, Durability::Power).unwrap();
    assert!(verify(&ledger).is_sound());
}

#[test]
fn a_full_disk_refuses_the_append_and_loses_nothing_before_it() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 5);
    failing(WRITES, libc::ENOSPC, || {
        for durability in [Durability::Process, Durability::Power] {
            let refused = append(&ledger, run, durability).unwrap_err();
            assert!(refused.is_disk_full(), "{refused:?}");
            assert!(refused.to_string().starts_with("the disk is full: nothing was written to "), "{refused}");
        }
        let event = NewEvent::new("end", json!(1)).status("done").ends_run();
        assert!(ledger.append(run, event, Durability::Power).unwrap_err().is_disk_full());
        let events = ledger.events(run).unwrap().map(Result::unwrap).count();
        assert_eq!(events, 6);
    });
    // There is space again.
    assert_eq!(append(&ledger, run, Durability::Power).unwrap(), Seq::new(6));
    assert_eq!(ledger.run(run).unwrap().status, "running");
    let report = verify(&ledger);
    assert!(report.is_sound(), "{:?}", lines(&report));
}

#[test]
fn no_ledger_is_made_on_a_full_disk_and_the_next_try_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let refused = failing(WRITES, libc::ENOSPC, || Ledger::open(dir.path()).map(drop).unwrap_err());
    assert!(refused.is_disk_full(), "{refused:?}");
    assert!(!dir.path().join("ledger.db").exists());
    let ledger = Ledger::open(dir.path()).unwrap();
    begin(&ledger, "a");
    assert!(verify(&ledger).is_sound());
}

#[test]
fn a_disk_that_fails_to_write_refuses_the_append_with_what_it_said() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    let refused = failing(WRITES, libc::EIO, || append(&ledger, run, Durability::Process).unwrap_err());
    assert!(matches!(refused, LedgerError::Io { .. }), "{refused:?}");
    assert!(!refused.is_disk_full());
    append(&ledger, run, Durability::Process).unwrap();
    assert!(verify(&ledger).is_sound());
}
