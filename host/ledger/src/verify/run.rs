//! Walks the events of one run.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use super::suspects::{Suspect, Suspects};
use super::{Check, Field, Place, Problem, VerifyReport};
use crate::event::KIND_ERASED;
use crate::id::{LedgerId, RunId, Seq};
use crate::proof::{Digest, EventLink, run_genesis, value_digest};
use crate::stamp::UnixMicros;
use crate::write::CAUSE_ENDED;

/// One row of `event`, with its value if there is one.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) run: RunId,
    pub(super) seq: Seq,
    at: UnixMicros,
    kind: String,
    status: Option<String>,
    pub(super) digest: Digest,
    pub(super) chain: Digest,
    /// The digest that salt and payload make.
    value: Option<Digest>,
}

impl Link {
    /// The chain that this event makes at the place `seq` after the link `before`.
    pub(super) fn chain_at(&self, seq: Seq, before: &Digest) -> Digest {
        self.chain_with(seq, before, self.digest)
    }

    fn chain_with(&self, seq: Seq, before: &Digest, digest: Digest) -> Digest {
        let status = self.status.as_deref();
        EventLink { run: self.run, seq, at: self.at, kind: &self.kind, status, digest }.chain(before)
    }

    fn place(&self) -> Place {
        Place::event(self.run, self.seq)
    }
}

/// What is known of a run while its events pass by.
pub(super) struct Walk {
    run: RunId,
    expected: Seq,
    /// The link before; `None` after a gap.
    before: Option<Digest>,
    suspects: Suspects,
    /// Values that are gone, and places of which an erasure is on record.
    gone: Vec<Seq>,
    erased: Vec<(u64, u64)>,
    started_at: Option<UnixMicros>,
    title: Option<String>,
    status: Option<String>,
}

impl Walk {
    fn new(ledger: LedgerId, run: RunId) -> Self {
        Self {
            run,
            expected: Seq::FIRST,
            before: Some(run_genesis(ledger, run)),
            suspects: Suspects::default(),
            gone: Vec::new(),
            erased: Vec::new(),
            started_at: None,
            title: None,
            status: None,
        }
    }

    fn missing_until(&mut self, seq: Seq, report: &mut VerifyReport) {
        if seq > self.expected {
            let last = Seq::new(seq.get() - 1);
            let detail = if last == self.expected { String::new() } else { format!("and all up to event {last}") };
            report.find(Problem::Missing, Field::Event, Place::event(self.run, self.expected), detail);
            self.suspects.gap(self.expected, last);
            self.before = None;
        }
        self.expected = seq.next();
    }

    fn link(&mut self, link: Link, payload: Option<&str>, report: &mut VerifyReport) {
        report.events += 1;
        self.missing_until(link.seq, report);
        let value_fits = link.value.is_none_or(|value| value == link.digest);
        let before = self.before.replace(link.chain);
        match (before, link.value) {
            (Some(before), _) if link.chain_at(link.seq, &before) == link.chain => {
                self.suspects.linked(link.seq);
                if !value_fits {
                    let detail = "payload and salt do not match the digest";
                    report.find(Problem::Changed, Field::Value, link.place(), detail);
                }
            }
            (Some(before), Some(value)) if link.chain_with(link.seq, &before, value) == link.chain => {
                self.suspects.linked(link.seq);
                report.find(
                    Problem::Changed,
                    Field::Digest,
                    link.place(),
                    "the value and the chain agree on another one",
                );
            }
            _ => self.suspects.push(Suspect::new(link.clone(), before)),
        }
        self.note(&link, payload.filter(|_| value_fits), report);
    }

    /// Keeps what the checks after the walk need.
    fn note(&mut self, link: &Link, payload: Option<&str>, report: &mut VerifyReport) {
        if link.value.is_none() {
            self.gone.push(link.seq);
        } else {
            report.values += 1;
        }
        if let Some(status) = &link.status {
            self.status = Some(status.clone());
        }
        if link.seq == Seq::FIRST {
            self.started_at = Some(link.at);
            let title = payload.and_then(|text| field(text, "title"));
            let title = title.and_then(|title| title.as_str().map(str::to_owned));
            // An erased value leaves an empty title behind; of a damaged one nothing is known.
            let known = payload.is_some() || link.value.is_none();
            self.title = known.then(|| title.unwrap_or_default());
        }
        if link.kind == KIND_ERASED
            && let Some(payload) = payload
        {
            let number = |name| field(payload, name).and_then(|value| value.as_u64());
            if let (Some(from), Some(to)) = (number("from"), number("to")) {
                // An erasure reaches only what was there before it.
                self.erased.push((from, to.min(link.seq.get().saturating_sub(1))));
            }
        }
    }

    /// Tells values that were erased from values that were taken away.
    fn judge_gone(&mut self, report: &mut VerifyReport) {
        self.erased.sort_unstable();
        let (mut ranges, mut reach) = (self.erased.iter().peekable(), None);
        for seq in &self.gone {
            while let Some(&&(from, to)) = ranges.peek()
                && from <= seq.get()
            {
                reach = reach.max(Some(to));
                ranges.next();
            }
            if reach >= Some(seq.get()) {
                report.erased += 1;
            } else {
                let detail = "no erasure of it is on record";
                report.find(Problem::Missing, Field::Value, Place::event(self.run, *seq), detail);
            }
        }
    }
}

fn field(payload: &str, name: &str) -> Option<Value> {
    serde_json::from_str::<Value>(payload).ok()?.get_mut(name).map(Value::take)
}

impl Check<'_> {
    pub(super) fn run(&mut self, run: RunId) {
        self.report.runs += 1;
        let mut walk = Walk::new(self.identity.id, run);
        let walked = self.walk(run, &mut walk);
        if let Err(error) = walked {
            let place = Place::event(run, walk.expected);
            self.report.find(Problem::Unreadable, Field::Event, place, error.to_string());
            return;
        }
        let heads = self.heads_of(run).unwrap_or_default();
        walk.suspects.judge(&heads, self.report);
        walk.judge_gone(self.report);
        let checked = self.strays(run).and_then(|()| self.summary(run, &walk));
        if let Err(error) = checked {
            self.report.find(Problem::Unreadable, Field::Run, Place::run(run), error.to_string());
        }
    }

    fn walk(&mut self, run: RunId, walk: &mut Walk) -> rusqlite::Result<()> {
        let sql = "SELECT e.seq, e.at, e.kind, e.status, e.digest, e.chain, v.salt, v.payload FROM event e
                   LEFT JOIN value v ON v.run = e.run AND v.seq = e.seq WHERE e.run = ?1 ORDER BY e.seq";
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query([run.sql()])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let Some(seq) = Seq::from_sql(number) else {
                let detail = format!("its place is {number}");
                self.report.find(Problem::Unexpected, Field::Event, Place::run(run), detail);
                continue;
            };
            match link(row, run, seq) {
                Ok((link, payload)) => walk.link(link, payload, self.report),
                Err(error) => {
                    walk.missing_until(seq, self.report);
                    walk.before = None;
                    let place = Place::event(run, seq);
                    self.report.find(Problem::Changed, Field::Content, place, format!("it cannot be decoded: {error}"));
                }
            }
        }
        Ok(())
    }

    /// Heads of a run: where, and what the chain of the run was there.
    fn heads_of(&self, run: RunId) -> rusqlite::Result<Vec<(Seq, Digest)>> {
        let mut query = self.conn.prepare_cached("SELECT seq, run_head FROM head WHERE run = ?1")?;
        let rows = query.query_map([run.sql()], |row| Ok((crate::read::seq(row, 0)?, Digest(row.get(1)?))))?;
        rows.collect()
    }

    /// Values without an event.
    fn strays(&mut self, run: RunId) -> rusqlite::Result<()> {
        let sql = "SELECT v.seq FROM value v LEFT JOIN event e ON e.run = v.run AND e.seq = v.seq
                   WHERE v.run = ?1 AND e.seq IS NULL";
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query([run.sql()])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let place = Place { seq: Seq::from_sql(number), ..Place::run(run) };
            self.report.find(Problem::Unexpected, Field::Value, place, "there is no event for it");
        }
        Ok(())
    }

    /// Compares the row of the run with what the events say.
    fn summary(&mut self, run: RunId, walk: &Walk) -> rusqlite::Result<()> {
        let place = Place::run(run);
        if walk.expected == Seq::FIRST {
            self.report.find(Problem::Missing, Field::Event, place, "the run has no events at all");
            return Ok(());
        }
        let sql = "SELECT started_at, title, status, ended_seq FROM run WHERE id = ?1";
        let row = self.conn.prepare_cached(sql)?.query_row([run.sql()], |row| {
            let title = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned();
            let status = String::from_utf8_lossy(row.get_ref(2)?.as_bytes()?).into_owned();
            Ok((UnixMicros::new(row.get(0)?), title, status, row.get::<_, Option<i64>>(3)?))
        });
        let Some((started_at, title, status, ended)) = row.optional()? else {
            self.report.find(Problem::Missing, Field::Run, place, "there are events of it");
            return Ok(());
        };
        let sql = "SELECT max(seq) FROM head WHERE run = ?1 AND cause = ?2";
        let end: Option<i64> =
            self.conn.prepare_cached(sql)?.query_row(rusqlite::params![run.sql(), CAUSE_ENDED], |row| row.get(0))?;
        let mut disagree = |field, detail: String| self.report.find(Problem::Disagrees, field, place, detail);
        if walk.started_at.is_some_and(|at| at != started_at) {
            disagree(Field::StartedAt, format!("it says {started_at}"));
        }
        if walk.title.as_ref().is_some_and(|known| *known != title) {
            disagree(Field::Title, String::new());
        }
        if walk.status.as_ref().is_some_and(|known| *known != status) {
            disagree(Field::Status, format!("it says `{}`", crate::id::excerpt(&status)));
        }
        if end != ended {
            disagree(Field::End, format!("it says {ended:?}, the heads say {end:?}"));
        }
        Ok(())
    }
}

/// Reads one row. Text that is no UTF-8 any more is an error here, not in the walk.
fn link<'r>(row: &'r Row<'_>, run: RunId, seq: Seq) -> rusqlite::Result<(Link, Option<&'r str>)> {
    let (salt, payload) = (row.get_ref(6)?, row.get_ref(7)?);
    let (value, payload) = match (salt, payload) {
        (ValueRef::Blob(salt), ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(payload) => (Some(value_digest(salt, run, seq, payload)), Some(payload)),
            // Whatever these bytes were, they were JSON: some digest that fits no event.
            Err(_) => (Some(Digest([0; 32])), None),
        },
        _ => (None, None),
    };
    let link = Link {
        run,
        seq,
        at: UnixMicros::new(row.get(1)?),
        kind: row.get_ref(2)?.as_str()?.to_owned(),
        status: row.get_ref(3)?.as_str_or_null()?.map(str::to_owned),
        digest: Digest(row.get(4)?),
        chain: Digest(row.get(5)?),
        value,
    };
    Ok((link, payload))
}
