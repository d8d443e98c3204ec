//! Removing values, while the proof stays.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde_json::json;

use crate::error::LedgerError;
use crate::event::{Checked, Durability, KIND_ERASED, NewEvent};
use crate::id::{RunId, Seq};
use crate::stamp::UnixMicros;
use crate::store::Ledger;
use crate::write::Draft;

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Erased {
    /// Values that are gone now.
    pub values: u64,
    /// Runs that they belonged to.
    pub runs: u64,
    /// Whether the log was emptied too, so that no file of the ledger holds the values. A reader that is in the middle of a
    /// long read keeps the log; erase again (or close the ledger) when it is done.
    pub log_emptied: bool,
}

impl Ledger {
    /// Removes the value of one event, and its salt: from then on nothing in the ledger tells what it was.
    ///
    /// The event itself stays, with its place, time, kind, status and digest, and the erasure is recorded as an event
    /// `ledger.erased` in the same run, so that `verify` can tell an erased value from one that was taken away. The freed bytes of
    /// the files are overwritten; copies that the disk or a backup keeps are out of reach. Erasing event 0 blanks the title
    /// of the run. `reason` is kept in the record, and must not hold what is to be removed.
    ///
    /// # Errors
    /// [`LedgerError::NoEvent`], [`LedgerError::KeptForever`] for the record of an erasure, and as [`Ledger::append`].
    pub fn erase(&self, run: RunId, seq: Seq, reason: &str) -> Result<Erased, LedgerError> {
        let record = record(seq, seq, reason)?;
        let mut writer = self.writer()?;
        let values = writer.transact(Durability::Power, |draft| {
            match draft.kind(run, seq)? {
                None => return Err(LedgerError::NoEvent { run, seq }),
                Some(kind) if kind == KIND_ERASED => {
                    return Err(LedgerError::KeptForever { run, seq });
                }
                Some(_) => {}
            }
            draft.erase(run, seq, seq, record)
        })?;
        Ok(Erased { values, runs: u64::from(values > 0), log_emptied: writer.empty_log()? })
    }

    /// Removes the values of several events, as [`Ledger::erase`] does with one. What is gone already, and records of
    /// erasures, are passed over.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] and as [`Ledger::append`]. Runs that were done before the error stay done.
    pub fn erase_all(
        &self,
        targets: impl IntoIterator<Item = (RunId, Seq)>,
        reason: &str,
    ) -> Result<Erased, LedgerError> {
        let mut places: BTreeMap<RunId, BTreeSet<Seq>> = BTreeMap::new();
        for (run, seq) in targets {
            places.entry(run).or_default().insert(seq);
        }
        self.erase_each(places, Durability::Power, |draft, run, seqs| {
            let mut values = 0;
            for (from, to) in ranges(&seqs) {
                values += draft.erase(run, from, to, record(from, to, reason)?)?;
            }
            Ok(values)
        })
    }

    /// Removes all values of a run.
    ///
    /// # Errors
    /// As [`Ledger::erase_all`].
    pub fn erase_run(&self, run: RunId, reason: &str) -> Result<Erased, LedgerError> {
        self.erase_each([(run, ())], Durability::Power, |draft, run, ()| {
            let last = draft.tail(run)?.seq;
            draft.erase(run, Seq::FIRST, last, record(Seq::FIRST, last, reason)?)
        })
    }

    /// Removes all values of these runs, where they have ended: open runs need theirs to go on.
    ///
    /// The space is used for later events; the file does not shrink.
    ///
    /// # Errors
    /// As [`Ledger::append`]. Runs that were done before the error stay done.
    pub fn prune(&self, runs: &[RunId], reason: &str) -> Result<Erased, LedgerError> {
        self.erase_each(runs.iter().map(|run| (*run, ())), Durability::Process, |draft, run, ()| {
            let tail = draft.tail(run)?;
            // It may have been opened again since it was listed.
            if !tail.ended {
                return Ok(0);
            }
            draft.erase(run, Seq::FIRST, tail.seq, record(Seq::FIRST, tail.seq, reason)?)
        })
    }

    /// Does something with each run in a transaction of its own, and empties the log at last.
    fn erase_each<T>(
        &self,
        runs: impl IntoIterator<Item = (RunId, T)>,
        durability: Durability,
        mut erase: impl FnMut(&mut Draft<'_>, RunId, T) -> Result<u64, LedgerError>,
    ) -> Result<Erased, LedgerError> {
        let mut done = Erased::default();
        let mut writer = self.writer()?;
        for (run, what) in runs {
            let values = writer.transact(durability, |draft| erase(draft, run, what))?;
            done.values += values;
            done.runs += u64::from(values > 0);
        }
        done.log_emptied = writer.empty_log()?;
        Ok(done)
    }

    /// The runs that have ended, whose last event was before `before`, and that have values left; oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub fn prunable(&self, before: UnixMicros) -> Result<Vec<RunId>, LedgerError> {
        let sql = "SELECT r.id FROM run r JOIN event e ON e.run = r.id AND e.seq = r.ended_seq
                   WHERE e.at < ?1 AND e.seq = (SELECT max(seq) FROM event WHERE run = r.id)
                   AND EXISTS (SELECT 1 FROM value v JOIN event o ON o.run = v.run AND o.seq = v.seq
                               WHERE v.run = r.id AND o.kind <> ?2)
                   ORDER BY r.id";
        self.readers().with(|conn| {
            let read = conn.prepare(sql).and_then(|mut query| {
                let rows = query.query_map(params![before.get(), KIND_ERASED], |row| crate::read::run_id(row, 0))?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            });
            read.map_err(|error| LedgerError::sqlite(self.db_path(), error))
        })
    }
}

/// Places that follow one another, as ranges with both ends included.
fn ranges(seqs: &BTreeSet<Seq>) -> Vec<(Seq, Seq)> {
    let mut ranges: Vec<(Seq, Seq)> = Vec::new();
    for seq in seqs {
        match ranges.last_mut() {
            Some((_, to)) if to.next() == *seq => *to = *seq,
            _ => ranges.push((*seq, *seq)),
        }
    }
    ranges
}

fn record(from: Seq, to: Seq, reason: &str) -> Result<Checked, LedgerError> {
    NewEvent::new(KIND_ERASED, json!({ "from": from, "to": to, "reason": reason })).check_own()
}

impl Draft<'_> {
    fn kind(&self, run: RunId, seq: Seq) -> Result<Option<String>, LedgerError> {
        let mut query = self
            .conn
            .prepare_cached("SELECT kind FROM event WHERE run = ?1 AND seq = ?2")
            .map_err(|error| self.fail(error))?;
        let kind = query.query_row([run.sql(), seq.sql()], |row| row.get(0)).optional();
        kind.map_err(|error| self.fail(error))
    }

    /// Records that values are gone which were damaged, so that they are not missing.
    pub(crate) fn record_lost(&mut self, run: RunId, seqs: &[Seq]) -> Result<(), LedgerError> {
        for (from, to) in ranges(&seqs.iter().copied().collect()) {
            let mut record = record(from, to, "the value was damaged, and lost in a repair")?;
            record.ends = self.tail(run)?.ended;
            self.push(run, &record)?;
        }
        Ok(())
    }

    /// Removes the values from `from` to `to` and appends the record, if there was anything to remove.
    fn erase(&mut self, run: RunId, from: Seq, to: Seq, mut record: Checked) -> Result<u64, LedgerError> {
        let sql = "DELETE FROM value WHERE run = ?1 AND seq BETWEEN ?2 AND ?3
                   AND seq NOT IN (SELECT seq FROM event WHERE run = ?1 AND kind = ?4)";
        let removed = self
            .conn
            .execute(sql, params![run.sql(), from.sql(), to.sql(), KIND_ERASED])
            .map_err(|error| self.fail(error))?;
        if removed == 0 {
            return Ok(0);
        }
        if from == Seq::FIRST {
            self.conn
                .execute("UPDATE run SET title = '' WHERE id = ?1", [run.sql()])
                .map_err(|error| self.fail(error))?;
        }
        // A record is no work of the run: what had ended stays ended.
        record.ends = self.tail(run)?.ended;
        self.push(run, &record)?;
        Ok(removed as u64)
    }
}
