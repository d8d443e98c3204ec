//! What can still be read of a damaged ledger, as a new one that can be used.
//!
//! The damaged files are only read. Of each run the events are taken up to the first that does not link, of the chain of
//! heads the links up to the first that does not, or that names an event which is gone. What is taken keeps its
//! digests, chains and the ledger's id, so that it proves what it proved before; that something is missing shows
//! against a checkpoint that was kept elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use crate::error::LedgerError;
use crate::event::Durability;
use crate::folder::Folder;
use crate::id::{RunId, Seq};
use crate::proof::{Digest, EventLink, HeadLink, heads_genesis, run_genesis, value_digest};
use crate::read::{run_id, seq};
use crate::schema::{self, Identity};
use crate::stamp::UnixMicros;
use crate::store::Ledger;
use crate::verify::{Field, Problem, VerifyReport};
use crate::write::CAUSE_ENDED;

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Runs that are lost from their first event on.
    pub runs_lost: u64,
    /// Where something is missing now.
    pub lost: Vec<Lost>,
    /// Values that were damaged: their events are there, and a record says that the value is gone.
    pub values_lost: u64,
    /// What was taken over, checked.
    pub report: VerifyReport,
}

/// Something that could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The run; `None` for the chain of heads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The first event, or the first head, that is missing.
    pub from: u64,
    /// Why.
    pub why: String,
}

impl Ledger {
    /// Takes what is good of the ledger in the folder `dir` over into a new one in the folder `output`.
    ///
    /// # Errors
    /// [`LedgerError::NoLedger`] if there is none, [`LedgerError::Corrupt`] if not even its beginning can be read,
    /// [`LedgerError::Exists`] if there is a ledger in `output`, and what the system says.
    pub fn repair(dir: &Path, output: &Path) -> Result<Repaired, LedgerError> {
        let (from, to) = (Folder::new(dir), Folder::new(output));
        if !from.db.is_file() {
            return Err(LedgerError::NoLedger { path: from.dir });
        }
        if to.db.exists() {
            return Err(LedgerError::Exists { path: to.dir });
        }
        let source = schema::open_reader(&from.db)?;
        let identity = schema::identity(&from.db, &source)?;
        to.make()?;
        let lock = to.lock()?;
        schema::create(&to, identity)?;
        let target = schema::open_writer(&to.db)?;
        let copied = copy(&source, &target, identity).map_err(|error| LedgerError::sqlite(&to.db, error))?;
        drop((target, lock));
        let ledger = Ledger::open(output)?;
        let values_lost = ledger.record_lost_values()?;
        let report = ledger.verify(|_| ())?;
        Ok(Repaired { runs_lost: copied.runs_lost, lost: copied.lost, values_lost, report })
    }

    /// Records that values are gone which no erasure explains.
    fn record_lost_values(&self) -> Result<u64, LedgerError> {
        let mut gone: BTreeMap<RunId, Vec<Seq>> = BTreeMap::new();
        let missing = |field, problem| field == Field::Value && problem == Problem::Missing;
        // A report lists a part of what it finds: until there is nothing left to find.
        let mut lost = 0;
        loop {
            for finding in self.verify(|_| ())?.findings {
                if let (true, Some(run), Some(seq)) =
                    (missing(finding.field, finding.problem), finding.place.run, finding.place.seq)
                {
                    gone.entry(run).or_default().push(seq);
                }
            }
            if gone.is_empty() {
                return Ok(lost);
            }
            for (run, seqs) in std::mem::take(&mut gone) {
                lost += seqs.len() as u64;
                self.writer()?.transact(Durability::Process, |draft| draft.record_lost(run, &seqs))?;
            }
        }
    }
}

#[derive(Default)]
struct Copied {
    runs_lost: u64,
    lost: Vec<Lost>,
}

/// One transaction: the new ledger holds all that could be taken, or nothing.
fn copy(source: &Connection, target: &Connection, identity: Identity) -> rusqlite::Result<Copied> {
    let mut copied = Copied::default();
    let transaction = target.unchecked_transaction()?;
    for run in runs(source) {
        let taken = copy_run(source, &transaction, identity, run)?;
        if taken.next == Seq::FIRST {
            copied.runs_lost += 1;
        }
        if let Some(why) = taken.broken {
            copied.lost.push(Lost { run: Some(run), from: taken.next.get(), why });
        }
    }
    copied.lost.extend(copy_heads(source, &transaction, identity)?);
    transaction.execute(
        "UPDATE run SET ended_seq = (SELECT max(seq) FROM head WHERE run = run.id AND cause = ?1)",
        [CAUSE_ENDED],
    )?;
    transaction.commit()?;
    Ok(copied)
}

/// Every run that a readable row of any table names, in order.
fn runs(source: &Connection) -> Vec<RunId> {
    let mut found = std::collections::BTreeSet::new();
    for sql in ["SELECT id FROM run", "SELECT DISTINCT run FROM event", "SELECT run FROM head"] {
        let Ok(mut query) = source.prepare(sql) else { continue };
        let Ok(mut rows) = query.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            found.extend(run_id(row, 0));
        }
    }
    found.into_iter().collect()
}

/// How far the events of a run could be taken.
struct Taken {
    /// The first place that could not.
    next: Seq,
    /// Why, unless that is where the run ends.
    broken: Option<String>,
}

/// One row of an event with its value.
struct EventRow {
    seq: Seq,
    at: i64,
    kind: String,
    status: Option<String>,
    digest: Digest,
    chain: Digest,
    value: Option<(Vec<u8>, String)>,
}

impl EventRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        // A value that cannot be read is lost, and its event is not.
        let value = match (row.get(6), row.get(7)) {
            (Ok(Some(salt)), Ok(Some(payload))) => Some((salt, payload)),
            _ => None,
        };
        Ok(Self {
            seq: seq(row, 0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            status: row.get(3)?,
            digest: Digest(row.get(4)?),
            chain: Digest(row.get(5)?),
            value,
        })
    }

    fn links(&self, run: RunId, before: &Digest) -> bool {
        let (at, status) = (UnixMicros::new(self.at), self.status.as_deref());
        EventLink { run, seq: self.seq, at, kind: &self.kind, status, digest: self.digest }.chain(before) == self.chain
    }
}

fn copy_run(source: &Connection, target: &Connection, identity: Identity, run: RunId) -> rusqlite::Result<Taken> {
    let sql = "SELECT e.seq, e.at, e.kind, e.status, e.digest, e.chain, v.salt, v.payload FROM event e
               LEFT JOIN value v ON v.run = e.run AND v.seq = e.seq WHERE e.run = ?1 ORDER BY e.seq";
    let mut taken = Taken { next: Seq::FIRST, broken: None };
    let mut before = run_genesis(identity.id, run);
    let mut summary = Summary::default();
    let read = source.prepare_cached(sql);
    let mut query = match read {
        Ok(query) => query,
        Err(error) => return Ok(Taken { broken: Some(error.to_string()), ..taken }),
    };
    let mut rows = query.query([run.sql()])?;
    loop {
        let event = match rows.next().and_then(|row| row.map(EventRow::read).transpose()) {
            Ok(Some(event)) => event,
            Ok(None) => {
                taken.broken = (taken.next == Seq::FIRST).then(|| "none of its events is there".to_owned());
                break;
            }
            Err(error) => {
                taken.broken = Some(format!("it cannot be read: {error}"));
                break;
            }
        };
        if event.seq != taken.next {
            taken.broken = Some("it is missing".to_owned());
            break;
        }
        if !event.links(run, &before) {
            taken.broken = Some("it was changed: it does not link to the one before".to_owned());
            break;
        }
        summary.note(run, &event);
        insert(target, run, &event)?;
        (before, taken.next) = (event.chain, event.seq.next());
    }
    if taken.next != Seq::FIRST {
        target
            .prepare_cached("INSERT INTO run (id, started_at, title, status) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![run.sql(), summary.started_at, summary.title, summary.status])?;
    }
    Ok(taken)
}

/// The row of a run, as its events tell it.
#[derive(Default)]
struct Summary {
    started_at: i64,
    title: String,
    status: String,
}

impl Summary {
    fn note(&mut self, run: RunId, event: &EventRow) {
        if event.seq == Seq::FIRST {
            self.started_at = event.at;
            let begun = event.value.as_ref().filter(|value| fits(run, event, value));
            let begun = begun.and_then(|(_, payload)| serde_json::from_str::<serde_json::Value>(payload).ok());
            let title = begun.as_ref().and_then(|begun| begun.get("title")?.as_str());
            self.title = title.unwrap_or_default().to_owned();
        }
        if let Some(status) = &event.status {
            self.status.clone_from(status);
        }
    }
}

fn fits(run: RunId, event: &EventRow, (salt, payload): &(Vec<u8>, String)) -> bool {
    value_digest(salt, run, event.seq, payload) == event.digest
}

fn insert(target: &Connection, run: RunId, event: &EventRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO event (run, seq, at, kind, status, digest, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (run_number, seq) = (run.sql(), event.seq.sql());
    target.prepare_cached(sql)?.execute(params![
        run_number,
        seq,
        event.at,
        event.kind,
        event.status,
        event.digest.0,
        event.chain.0
    ])?;
    if let Some(value) = event.value.as_ref().filter(|value| fits(run, event, value)) {
        let sql = "INSERT INTO value (run, seq, salt, payload) VALUES (?1, ?2, ?3, ?4)";
        target.prepare_cached(sql)?.execute(params![run_number, seq, value.0, value.1])?;
    }
    Ok(())
}

/// Takes the heads up to the first that does not link, or whose event was not taken.
fn copy_heads(source: &Connection, target: &Connection, identity: Identity) -> rusqlite::Result<Option<Lost>> {
    let sql = "SELECT n, run, seq, at, cause, run_head, chain FROM head ORDER BY n";
    let mut before = heads_genesis(identity.id, identity.created_at);
    let mut next = 1;
    let lost = |from, why: &str| Ok(Some(Lost { run: None, from, why: why.to_owned() }));
    let mut query = match source.prepare(sql) {
        Ok(query) => query,
        Err(error) => return lost(next, &error.to_string()),
    };
    let mut rows = query.query([])?;
    loop {
        let read = rows.next().and_then(|row| {
            row.map(|row| {
                let (run, seq) = (run_id(row, 1)?, seq(row, 2)?);
                let (n, at, cause): (i64, i64, String) = (row.get(0)?, row.get(3)?, row.get(4)?);
                Ok((n.unsigned_abs(), run, seq, at, cause, Digest(row.get(5)?), Digest(row.get(6)?)))
            })
            .transpose()
        });
        let (n, run, seq, at, cause, run_head, chain) = match read {
            Ok(None) => return Ok(None),
            Ok(Some(head)) => head,
            Err(error) => return lost(next, &format!("it cannot be read: {error}")),
        };
        let link = HeadLink { n, at: UnixMicros::new(at), cause: &cause, run, seq, run_head };
        if n != next || link.chain(&before) != chain {
            return lost(next, "it is missing, or was changed");
        }
        let held = "SELECT count(*) FROM event WHERE run = ?1 AND seq = ?2 AND chain = ?3";
        let held: i64 =
            target.prepare_cached(held)?.query_row(params![run.sql(), seq.sql(), run_head.0], |row| row.get(0))?;
        if held == 0 {
            return lost(next, &format!("it names event {seq} of run {run}, which is lost"));
        }
        let sql = "INSERT INTO head (n, run, seq, at, cause, run_head, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        target.prepare_cached(sql)?.execute(params![
            n.cast_signed(),
            run.sql(),
            seq.sql(),
            at,
            cause,
            run_head.0,
            chain.0
        ])?;
        (before, next) = (chain, n + 1);
    }
}
