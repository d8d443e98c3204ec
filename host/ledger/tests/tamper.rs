//! Someone has the file in his hands: every change is found and named.

mod common;

use std::path::Path;

use common::{begin, end, fresh, lines, meddle, raw, steps, verify};
use rusqlite::types::Value;
use tempfile::TempDir;
use toolcrib_ledger::{Field, Finding, Ledger, Problem, RunId, Seq, VerifyReport};

/// A closed ledger with three runs of ten steps, the second of which has ended.
fn sample() -> (TempDir, [RunId; 3]) {
    let (dir, ledger) = fresh();
    let runs = ["one", "two", "three"].map(|title| begin(&ledger, title));
    for run in runs {
        steps(&ledger, run, 10);
    }
    end(&ledger, runs[1]);
    assert!(verify(&ledger).is_sound());
    (dir, runs)
}

fn verify_at(dir: &Path) -> VerifyReport {
    let ledger = Ledger::open_read_only(dir).expect("it opens");
    verify(&ledger)
}

fn flipped(value: Value) -> Value {
    match value {
        Value::Integer(number) => Value::Integer(number ^ 64),
        Value::Text(text) => {
            let mut bytes = text.into_bytes();
            bytes[0] ^= 1;
            Value::Text(String::from_utf8(bytes).expect("ASCII stays ASCII"))
        }
        Value::Blob(mut bytes) => {
            bytes[5] ^= 0x10;
            Value::Blob(bytes)
        }
        other => panic!("nothing to flip in {other:?}"),
    }
}

/// Flips one bit in one column of one row, and gives the report.
fn flip(table: &str, column: &str, row: &str) -> (VerifyReport, [RunId; 3]) {
    let (dir, runs) = sample();
    let row = row.replace("RUN", &runs[1].bits().to_string());
    let conn = raw(dir.path());
    let select = format!("SELECT {column} FROM {table} WHERE {row}");
    let value: Value = conn.query_row(&select, [], |row| row.get(0)).expect(&select);
    let update = format!("UPDATE {table} SET {column} = ?1 WHERE {row}");
    assert_eq!(conn.execute(&update, [flipped(value)]).expect(&update), 1);
    drop(conn);
    (verify_at(dir.path()), runs)
}

#[test]
fn one_flipped_bit_is_named_in_whichever_column_it_is() {
    let event = "run = RUN AND seq = 5";
    let last = "run = RUN AND seq = 11";
    let head = "run = RUN AND cause = 'begun'";
    let run = "id = RUN";
    let cases = [
        ("event", "at", event, Field::Content, "seq 5"),
        ("event", "kind", event, Field::Content, "seq 5"),
        ("event", "digest", event, Field::Digest, "seq 5"),
        ("event", "chain", event, Field::Chain, "seq 5"),
        ("event", "seq", last, Field::Event, "seq 11"),
        ("event", "run", event, Field::Event, "seq 5"),
        ("event", "at", last, Field::Content, "seq 11"),
        ("event", "status", last, Field::Content, "seq 11"),
        ("event", "chain", last, Field::Chain, "seq 11"),
        ("value", "payload", event, Field::Value, "seq 5"),
        ("value", "salt", event, Field::Value, "seq 5"),
        ("value", "seq", last, Field::Value, "seq 11"),
        ("value", "run", event, Field::Value, "seq 5"),
        ("value", "payload", "run = RUN AND seq = 0", Field::Value, "seq 0"),
        ("head", "at", head, Field::Content, "head 2"),
        ("head", "cause", head, Field::Content, "head 2"),
        ("head", "seq", head, Field::Content, "head 2"),
        ("head", "run", head, Field::Content, "head 2"),
        ("head", "run_head", head, Field::Content, "head 2"),
        ("head", "chain", head, Field::Chain, "head 2"),
        ("head", "n", "cause = 'ended'", Field::Head, "head 4"),
        ("run", "id", run, Field::Run, "run"),
        ("run", "started_at", run, Field::StartedAt, "run"),
        ("run", "title", run, Field::Title, "run"),
        ("run", "status", run, Field::Status, "run"),
        ("run", "ended_seq", run, Field::End, "run"),
        ("ledger", "created_at", "1", Field::Content, "head 1"),
        ("ledger", "id", "1", Field::Content, "head 1"),
    ];
    for (table, column, row, field, place) in cases {
        let (report, runs) = flip(table, column, row);
        let fits = |finding: &&Finding| {
            let at = finding.place;
            finding.field == field
                && match place.split_once(' ') {
                    Some(("seq", seq)) => at.run == Some(runs[1]) && at.seq == seq.parse().ok().map(Seq::new),
                    Some((_, head)) => at.head == head.parse().ok(),
                    None => at.run == Some(runs[1]),
                }
        };
        assert!(!report.is_sound());
        let named = report.findings.iter().find(fits);
        assert!(named.is_some(), "{table}.{column} at {place}: {:#?}", lines(&report));
        let noise = report.findings_total;
        // These take an event, a run or the ledger out of more than one place.
        let spreads = table == "ledger" || matches!(column, "run" | "id" | "seq" | "n");
        let summarised = (table, column) == ("event", "status");
        let expected = if summarised { 2 } else { 1 };
        assert!(spreads || noise == expected, "{table}.{column}: {:#?}", lines(&report));
    }
}

#[test]
fn the_table_of_flipped_columns_names_every_column_of_the_schema() {
    let (dir, _) = sample();
    let conn = raw(dir.path());
    let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'";
    let mut query = conn.prepare(sql).unwrap();
    let columns: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(columns.len(), 25, "a new column needs a case above: {columns:?}");
}

#[test]
fn a_removed_event_is_missing_where_it_was() {
    let (dir, runs) = sample();
    meddle(dir.path(), &format!("DELETE FROM event WHERE run = {} AND seq BETWEEN 4 AND 6", runs[0].bits()));
    let report = verify_at(dir.path());
    let text = lines(&report);
    assert!(
        text.contains(&format!("run {} event 4: the event is missing: and all up to event 6", runs[0])),
        "{text:#?}"
    );
    assert!(
        text.contains(&format!("run {} event 5: the value was put in: there is no event for it", runs[0])),
        "{text:#?}"
    );
}

#[test]
fn a_removed_first_event_is_missing() {
    let (dir, runs) = sample();
    meddle(dir.path(), &format!("DELETE FROM event WHERE run = {} AND seq = 0", runs[0].bits()));
    let report = verify_at(dir.path());
    let first = &report.findings[0];
    assert_eq!((first.problem, first.place.seq), (Problem::Missing, Some(Seq::FIRST)), "{:?}", lines(&report));
}

#[test]
fn a_removed_end_of_a_run_that_ended_is_missing() {
    let (dir, runs) = sample();
    let run = runs[1].bits();
    meddle(
        dir.path(),
        &format!("DELETE FROM event WHERE run = {run} AND seq > 7; DELETE FROM value WHERE run = {run} AND seq > 7"),
    );
    let report = verify_at(dir.path());
    let text = lines(&report);
    let expected =
        format!("head 4 run {} event 11: the event is missing: the run went this far, so its end was cut off", runs[1]);
    assert!(text.contains(&expected), "{text:#?}");
}

#[test]
fn a_removed_run_is_missing() {
    let (dir, runs) = sample();
    let run = runs[2].bits();
    meddle(
        dir.path(),
        &format!(
            "DELETE FROM event WHERE run = {run}; DELETE FROM value WHERE run = {run}; DELETE FROM run WHERE id = {run}"
        ),
    );
    let report = verify_at(dir.path());
    assert_eq!(report.findings_total, 1, "{:#?}", lines(&report));
    assert_eq!((report.findings[0].problem, report.findings[0].place.head), (Problem::Missing, Some(3)));
}

#[test]
fn a_removed_head_is_missing() {
    let (dir, _) = sample();
    meddle(dir.path(), "DELETE FROM head WHERE n = 2");
    let report = verify_at(dir.path());
    assert_eq!(lines(&report), ["head 2: the head is missing"]);
}

#[test]
fn swapped_events_are_named_with_the_places_where_they_belong() {
    let (dir, runs) = sample();
    let swap = |table: &str| {
        let run = runs[0].bits();
        format!(
            "UPDATE {table} SET seq = 1000 WHERE run = {run} AND seq = 3;
             UPDATE {table} SET seq = 3 WHERE run = {run} AND seq = 7;
             UPDATE {table} SET seq = 7 WHERE run = {run} AND seq = 1000;"
        )
    };
    meddle(dir.path(), &(swap("event") + &swap("value")));
    let report = verify_at(dir.path());
    let moved: Vec<_> = report
        .findings
        .iter()
        .filter_map(|finding| match finding.problem {
            Problem::Moved { belongs_at } => Some((finding.place.seq?.get(), belongs_at.get())),
            _ => None,
        })
        .collect();
    assert_eq!(moved, [(3, 7), (7, 3)], "{:#?}", lines(&report));
    let innocent = |finding: &Finding| matches!(finding.place.seq.map(Seq::get), Some(3 | 7));
    assert!(report.findings.iter().all(innocent), "{:#?}", lines(&report));
}

#[test]
fn swapped_neighbours_are_named_too() {
    let (dir, runs) = sample();
    let run = runs[0].bits();
    meddle(
        dir.path(),
        &format!(
            "UPDATE event SET seq = 1000 WHERE run = {run} AND seq = 3;
         UPDATE event SET seq = 3 WHERE run = {run} AND seq = 4;
         UPDATE event SET seq = 4 WHERE run = {run} AND seq = 1000;"
        ),
    );
    let report = verify_at(dir.path());
    let text = lines(&report);
    let run = runs[0];
    assert!(text.contains(&format!("run {run} event 3: the event was moved here from place 4")), "{text:#?}");
    assert!(text.contains(&format!("run {run} event 4: the event was moved here from place 3")), "{text:#?}");
    assert_eq!(report.findings_total, 2, "{text:#?}");
}

#[test]
fn a_value_that_was_taken_away_is_no_erased_one() {
    let (dir, runs) = sample();
    meddle(dir.path(), &format!("DELETE FROM value WHERE run = {} AND seq = 4", runs[0].bits()));
    let report = verify_at(dir.path());
    assert_eq!(
        lines(&report),
        [format!("run {} event 4: the value is missing: no erasure of it is on record", runs[0])]
    );
    assert_eq!((report.values, report.erased), (33, 0));
}

#[test]
fn a_run_that_was_written_anew_without_its_heads_is_found() {
    let (dir, runs) = sample();
    let (other, ledger) = fresh();
    drop(ledger);
    // The forger knows the encoding: the same run, with another payload, chained as it should be.
    std::fs::copy(dir.path().join("ledger.db"), other.path().join("ledger.db")).unwrap();
    let run = runs[1].bits();
    forge(other.path(), runs[1]);
    let conn = raw(dir.path());
    conn.execute("ATTACH ?1 AS forged", [other.path().join("ledger.db").to_str().unwrap()]).unwrap();
    conn.execute_batch(&format!(
        "DELETE FROM event WHERE run = {run}; DELETE FROM value WHERE run = {run};
         INSERT INTO event SELECT * FROM forged.event WHERE run = {run};
         INSERT INTO value SELECT * FROM forged.value WHERE run = {run};"
    ))
    .unwrap();
    drop(conn);
    let report = verify_at(dir.path());
    let expected = format!(
        "head 4 run {} event 11: the chain was changed: the run was written anew: its head was another one",
        runs[1]
    );
    assert_eq!(lines(&report), [expected]);
}

/// Rewrites a run with a payload of its own, and all digests and chains from it on, but not the heads.
fn forge(dir: &Path, run: RunId) {
    use toolcrib_ledger::proof::{EventLink, run_genesis, value_digest};
    let id = Ledger::open_read_only(dir).expect("it opens").id();
    let conn = raw(dir);
    conn.execute(
        "UPDATE value SET payload = '{\"number\":666}' WHERE run = ?1 AND seq = 5",
        [run.bits().cast_signed()],
    )
    .expect("a forged value");
    let mut before = run_genesis(id, run);
    for number in 0..=11_i64 {
        let sql = "SELECT e.at, e.kind, e.status, v.salt, v.payload FROM event e JOIN value v USING (run, seq)
                   WHERE e.run = ?1 AND e.seq = ?2";
        let row = conn.query_row(sql, [run.bits().cast_signed(), number], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        });
        let (at, kind, status, salt, payload): (i64, String, Option<String>, Vec<u8>, String) = row.expect("an event");
        let seq = Seq::new(number.unsigned_abs());
        let digest = value_digest(&salt, run, seq, &payload);
        let at = toolcrib_ledger::UnixMicros::new(at);
        before = EventLink { run, seq, at, kind: &kind, status: status.as_deref(), digest }.chain(&before);
        let sql = "UPDATE event SET digest = ?3, chain = ?4 WHERE run = ?1 AND seq = ?2";
        let key = run.bits().cast_signed();
        conn.execute(sql, rusqlite::params![key, number, digest.as_bytes(), before.as_bytes()]).expect("a forged link");
    }
}

#[test]
fn text_that_is_no_text_any_more_is_found() {
    for (table, column, field) in
        [("event", "kind", Field::Content), ("value", "payload", Field::Value), ("run", "title", Field::Title)]
    {
        let (dir, runs) = sample();
        let key = if table == "run" { "id" } else { "seq = 5 AND run" };
        let sql = format!("UPDATE {table} SET {column} = CAST(x'ff22' AS TEXT) WHERE {key} = {}", runs[0].bits());
        assert_eq!(meddle(dir.path(), &sql), 1);
        let report = verify_at(dir.path());
        assert!(report.findings.iter().any(|finding| finding.field == field), "{table}: {:#?}", lines(&report));
    }
}

#[test]
fn any_flipped_byte_of_the_file_is_found_or_changes_nothing() {
    let (dir, runs) = sample();
    let whole = export(&Ledger::open_read_only(dir.path()).unwrap(), &runs);
    let file = dir.path().join("ledger.db");
    let original = std::fs::read(&file).unwrap();
    let (mut found, mut harmless) = (0, 0);
    // A stride that is prime to the page size meets every kind of page and every place in it.
    for place in (0..original.len()).step_by(53) {
        let mut bytes = original.clone();
        bytes[place] ^= 0x41;
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join("ledger.db"), bytes).unwrap();
        let report = Ledger::open_read_only(copy.path()).and_then(|ledger| {
            let report = ledger.verify(|_| ())?;
            Ok((ledger, report))
        });
        match report {
            Ok((ledger, report)) if report.is_sound() => {
                assert_eq!(export(&ledger, &runs), whole, "byte {place}");
                harmless += 1;
            }
            Ok((_, report)) => {
                let named = report.findings.iter().any(is_named);
                assert!(named, "byte {place}: {:#?}", lines(&report));
                found += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("ledger.db"), "byte {place}: {error}");
                found += 1;
            }
        }
    }
    assert!(found > harmless / 20, "{found} found, {harmless} harmless");
}

/// Whether a finding says where: an event, a run, a head, a page of the file, a table or index by its name, or what of the
/// header of the file.
fn is_named(finding: &Finding) -> bool {
    let place = finding.place;
    place.run.is_some() || place.head.is_some() || place.page.is_some() || names_a_part(&finding.detail)
}

fn names_a_part(detail: &str) -> bool {
    ["index", "table `", "header", "Freelist", "vacuum"].iter().any(|part| detail.contains(part))
}

fn export(ledger: &Ledger, runs: &[RunId]) -> Vec<String> {
    let lines = runs.iter().flat_map(|run| ledger.export(*run).expect("the run"));
    lines.map(|line| line.expect("a line")).collect()
}
