//! Runs, events and names, as a host uses them.

mod common;

use common::{begin, end, fresh, steps, verify};
use serde_json::json;
use toolcrib_ledger::{Durability, Ledger, LedgerError, NewEvent, RunFilter, RunId, RunMeta, Seq};

#[test]
fn events_come_back_in_order_as_they_were_appended() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "count the files");
    let payload = json!({ "tool": "files.list", "args": { "path": "/é", "ratio": 0.1 + 0.2, "big": u64::MAX } });
    let one = ledger.append(run, NewEvent::new("call", payload.clone()), Durability::Power).unwrap();
    let rest = vec![NewEvent::new("result", json!(null)), NewEvent::new("note", json!([]))];
    let rest = ledger.append_all(run, rest, Durability::Process).unwrap();
    assert_eq!((one.seq, rest[0].seq, rest[1].seq), (Seq::new(1), Seq::new(2), Seq::new(3)));
    drop(ledger);

    let ledger = Ledger::open(dir.path()).unwrap();
    let events: Vec<_> = ledger.events(run).unwrap().collect::<Result<_, _>>().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["ledger.begun", "call", "result", "note"]);
    assert_eq!(events[0].payload.as_ref().unwrap()["title"], "count the files");
    assert_eq!(events[1].payload.as_ref(), Some(&payload));
    assert_eq!(events[2].payload, Some(json!(null)));
    assert_eq!(ledger.event(run, Seq::new(3)).unwrap(), events[3]);
    assert_eq!(ledger.tail(run, Some(Seq::new(1)), 1).unwrap(), events[2..3]);
    assert!(ledger.tail(run, Some(Seq::new(3)), 9).unwrap().is_empty());
    assert!(verify(&ledger).is_sound());
}

#[test]
fn appending_goes_on_where_it_stopped_after_the_ledger_was_closed() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    steps(&ledger, run, 3);
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    steps(&ledger, run, 2);
    assert_eq!(ledger.run(run).unwrap().last_seq, Seq::new(5));
    let report = verify(&ledger);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.runs, report.events, report.values), (1, 6, 6));
}

#[test]
fn several_events_are_appended_all_or_none() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "a");
    let bad = vec![NewEvent::new("good", json!(1)), NewEvent::new("not good", json!(2))];
    assert!(matches!(ledger.append_all(run, bad, Durability::Process), Err(LedgerError::BadKind { .. })));
    assert_eq!(ledger.run(run).unwrap().last_seq, Seq::FIRST);
    let stranger: RunId = "r000000000000".parse().unwrap();
    let refused = ledger.append(stranger, NewEvent::new("step", json!(1)), Durability::Process);
    assert!(matches!(refused, Err(LedgerError::NoRun { .. })));
    steps(&ledger, run, 1);
    assert_eq!(ledger.run(run).unwrap().last_seq, Seq::new(1));
}

#[test]
fn the_summary_of_a_run_follows_its_events() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "tidy up");
    let summary = ledger.run(run).unwrap();
    assert_eq!((summary.title.as_str(), summary.status.as_str(), summary.ended), ("tidy up", "running", false));
    let asks = NewEvent::new("asked", json!({})).status("asking");
    ledger.append(run, asks, Durability::Process).unwrap();
    steps(&ledger, run, 1);
    assert_eq!(ledger.run(run).unwrap().status, "asking");
    end(&ledger, run);
    let summary = ledger.run(run).unwrap();
    assert_eq!((summary.status.as_str(), summary.ended, summary.last_seq), ("done", true, Seq::new(3)));
    steps(&ledger, run, 1);
    assert!(!ledger.run(run).unwrap().ended, "a later event opens the run again");
    assert!(verify(&ledger).is_sound());
}

#[test]
fn runs_are_listed_newest_first_and_filtered() {
    let (_dir, ledger) = fresh();
    let runs: Vec<_> = (0..5).map(|number| begin(&ledger, &number.to_string())).collect();
    end(&ledger, runs[1]);
    end(&ledger, runs[3]);
    let titles = |filter: &RunFilter, limit| -> Vec<String> {
        ledger.runs(filter, limit).unwrap().into_iter().map(|run| run.title).collect()
    };
    assert_eq!(titles(&RunFilter::default(), 3), ["4", "3", "2"]);
    assert_eq!(titles(&RunFilter { before: Some(runs[2]), ..RunFilter::default() }, 9), ["1", "0"]);
    assert_eq!(titles(&RunFilter { ended: Some(true), ..RunFilter::default() }, 9), ["3", "1"]);
    assert_eq!(titles(&RunFilter { ended: Some(false), ..RunFilter::default() }, 9), ["4", "2", "0"]);
    let done = RunFilter { status: Some("done".to_owned()), ..RunFilter::default() };
    assert_eq!(titles(&done, 1), ["3"]);
}

#[test]
fn a_run_is_found_by_a_part_of_its_name_that_only_it_has() {
    let (_dir, ledger) = fresh();
    let one = begin(&ledger, "one");
    let name = one.to_string();
    assert_eq!(ledger.resolve(&name).unwrap(), one);
    assert_eq!(ledger.resolve(&name[..4]).unwrap(), one);
    assert_eq!(ledger.resolve(&format!(" {} ", name[9..].to_uppercase())).unwrap(), one);
    let two = begin(&ledger, "two");
    let ambiguous = ledger.resolve("r").unwrap_err();
    assert!(matches!(&ambiguous, LedgerError::AmbiguousRun { matches, total: 2, .. } if *matches == [two, one]));
    assert!(ambiguous.to_string().contains(&format!("fits 2 runs ({two}, {one})")), "{ambiguous}");
    for unknown in ["rzzzz", "", "no run", "r00000000000000", "'; DROP TABLE run"] {
        assert!(matches!(ledger.resolve(unknown), Err(LedgerError::NoRun { .. })), "{unknown}");
    }
}

#[test]
fn an_unknown_run_has_no_events_and_no_export() {
    let (_dir, ledger) = fresh();
    let run: RunId = "r000000000001".parse().unwrap();
    assert!(matches!(ledger.run(run), Err(LedgerError::NoRun { .. })));
    assert!(matches!(ledger.events(run), Err(LedgerError::NoRun { .. })));
    assert!(matches!(ledger.export(run), Err(LedgerError::NoRun { .. })));
    assert!(matches!(ledger.event(run, Seq::FIRST), Err(LedgerError::NoEvent { .. })));
}

#[test]
fn a_title_that_no_listing_can_show_is_refused() {
    let (_dir, ledger) = fresh();
    let refused = ledger.begin_run(&RunMeta::new("x".repeat(4097), "running"));
    assert!(matches!(refused, Err(LedgerError::TitleTooLong { len: 4097 })));
    let refused = ledger.begin_run(&RunMeta::new("x", ""));
    assert!(matches!(refused, Err(LedgerError::BadStatus { .. })));
    assert!(ledger.runs(&RunFilter::default(), 9).unwrap().is_empty());
}

#[test]
fn threads_that_append_to_their_runs_do_not_disturb_each_other() {
    const THREADS: u64 = 4;
    const EACH: u64 = 200;
    let (_dir, ledger) = fresh();
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let ledger = &ledger;
            scope.spawn(move || {
                let run = begin(ledger, &number.to_string());
                steps(ledger, run, EACH);
                let seen = ledger.events(run).unwrap().map(Result::unwrap).count();
                assert_eq!(seen as u64, EACH + 1);
            });
        }
    });
    let report = verify(&ledger);
    assert!(report.is_sound(), "{:?}", common::lines(&report));
    assert_eq!((report.runs, report.events), (THREADS, THREADS * (EACH + 1)));
}

#[test]
fn a_reader_follows_a_run_while_it_is_written() {
    let (dir, ledger) = fresh();
    let run = begin(&ledger, "long");
    let reader = Ledger::open_read_only(dir.path()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| steps(&ledger, run, 2000));
        let (mut after, mut seen) = (None, 0);
        while seen <= 2000 {
            for event in reader.tail(run, after, 100).unwrap() {
                assert_eq!(event.seq, after.map_or(Seq::FIRST, Seq::next));
                after = Some(event.seq);
                seen += 1;
            }
        }
        assert!(verify(&reader).is_sound());
    });
    let refused = reader.append(run, NewEvent::new("step", json!(1)), Durability::Process);
    assert!(matches!(refused, Err(LedgerError::ReadOnly { .. })));
    assert!(matches!(reader.checkpoint(), Err(LedgerError::ReadOnly { .. })));
}

#[test]
fn an_export_holds_what_a_third_party_needs() {
    let (_dir, ledger) = fresh();
    let run = begin(&ledger, "export me");
    steps(&ledger, run, 300);
    ledger.erase(run, Seq::new(2), "asked to").unwrap();
    let lines: Vec<serde_json::Value> =
        ledger.export(run).unwrap().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(lines.len(), 302);
    for (number, (line, event)) in lines.iter().zip(ledger.events(run).unwrap()).enumerate() {
        let event = event.unwrap();
        assert_eq!(line["seq"], number);
        assert_eq!(line["run"], run.to_string());
        assert_eq!(line["payload"], event.payload.unwrap_or_default());
        assert_eq!(line["salt"].is_null(), number == 2);
        assert_eq!(line["chain"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn events_of_one_kind_are_found_across_runs_and_erased_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let runs: Vec<_> = (0..3).map(|_| ledger.begin_run(&RunMeta::new("a", "running")).unwrap()).collect();
    for (n, run) in runs.iter().enumerate() {
        for kind in ["asked", "other", "asked"] {
            ledger.append(*run, NewEvent::new(kind, json!({ "n": n })), Durability::Process).unwrap();
        }
    }
    let found = ledger.events_of_kind("asked").unwrap();
    let places: Vec<_> = found.iter().map(|event| (event.run, event.seq.get())).collect();
    let all: Vec<_> = runs.iter().flat_map(|run| [(*run, 1), (*run, 3)]).collect();
    assert_eq!(places, all);
    assert!(found.iter().all(|event| event.payload.is_some()));
    assert!(ledger.events_of_kind("nothing").unwrap().is_empty());
}
