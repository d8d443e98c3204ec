//! Readers: runs, events, and names.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::LedgerError;
use crate::event::{Event, RunFilter, RunSummary};
use crate::id::{RunId, Seq, excerpt};
use crate::schema;
use crate::stamp::UnixMicros;
use crate::store::Ledger;

/// Connections that stay open between reads.
const IDLE_READERS: usize = 4;
/// Events that an iterator reads at a time: each page is one short read, so that no log piles up behind a slow reader.
const PAGE: usize = 256;
/// Names that the message about an ambiguous one lists.
const MATCHES_SHOWN: usize = 5;

/// The connections that read. Each call has one for itself.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let conn = match taken {
            Some(conn) => conn,
            None => schema::open_reader(&self.path)?,
        };
        let done = read(&conn);
        let mut idle = idle();
        if idle.len() < IDLE_READERS && conn.is_autocommit() {
            idle.push(conn);
        }
        done
    }

    /// As [`Readers::with`], for work that fails with errors of SQLite only.
    fn query<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        self.with(|conn| read(conn).map_err(|error| LedgerError::sqlite(&self.path, error)))
    }
}

const SUMMARY: &str = "
    SELECT r.id, r.started_at, r.title, r.status, e.seq, e.at, r.ended_seq IS e.seq FROM run r
    JOIN event e ON e.run = r.id AND e.seq = (SELECT max(seq) FROM event WHERE run = r.id)";

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        run: run_id(row, 0)?,
        started_at: UnixMicros::new(row.get(1)?),
        title: row.get(2)?,
        status: row.get(3)?,
        last_seq: seq(row, 4)?,
        last_at: UnixMicros::new(row.get(5)?),
        ended: row.get(6)?,
    })
}

pub(crate) fn run_id(row: &Row<'_>, column: usize) -> rusqlite::Result<RunId> {
    let number = row.get(column)?;
    RunId::from_sql(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(crate) fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<Seq> {
    let number = row.get(column)?;
    Seq::from_sql(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn event(row: &Row<'_>, run: RunId) -> rusqlite::Result<Event> {
    const PAYLOAD: usize = 4;
    let not_json =
        |error| rusqlite::Error::FromSqlConversionFailure(PAYLOAD, rusqlite::types::Type::Text, Box::new(error));
    let text = row.get_ref(PAYLOAD)?.as_str_or_null()?;
    Ok(Event {
        run,
        seq: seq(row, 0)?,
        at: UnixMicros::new(row.get(1)?),
        kind: row.get(2)?,
        status: row.get(3)?,
        payload: text.map(serde_json::from_str).transpose().map_err(not_json)?,
    })
}

impl Ledger {
    /// One run.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] if there is none of this name.
    pub fn run(&self, run: RunId) -> Result<RunSummary, LedgerError> {
        let found = self.readers().query(|conn| {
            let mut query = conn.prepare_cached(&format!("{SUMMARY} WHERE r.id = ?1"))?;
            query.query_row([run.sql()], summary).optional()
        })?;
        found.ok_or_else(|| LedgerError::NoRun { given: run.to_string() })
    }

    /// The runs that pass the filter, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub fn runs(&self, filter: &RunFilter, limit: usize) -> Result<Vec<RunSummary>, LedgerError> {
        let sql = format!(
            "{SUMMARY} WHERE r.id < ?1 AND (?2 IS NULL OR r.status = ?2) AND (?3 IS NULL OR (r.ended_seq IS e.seq) = ?3)
             ORDER BY r.id DESC LIMIT ?4"
        );
        let before = filter.before.map_or(i64::MAX, RunId::sql);
        self.readers().query(|conn| {
            let mut query = conn.prepare_cached(&sql)?;
            let rows = query.query_map(params![before, filter.status, filter.ended, sql_limit(limit)], summary)?;
            rows.collect()
        })
    }

    /// The names of all runs that began since a point in time, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub fn run_ids(&self, since: Option<UnixMicros>) -> Result<Vec<RunId>, LedgerError> {
        let since = since.map_or(i64::MIN, UnixMicros::get);
        self.readers().query(|conn| {
            let mut query = conn.prepare_cached("SELECT id FROM run WHERE started_at >= ?1 ORDER BY id")?;
            let rows = query.query_map([since], |row| run_id(row, 0))?;
            rows.collect()
        })
    }

    /// The run that a person means: its whole name, or the beginning (`r1vd`) or else the ending (`q7zx`) of just one.
    ///
    /// Runs that began close together share their beginning, so the ending is the shorter way to name a recent one.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] if none fits, [`LedgerError::AmbiguousRun`] if several do.
    pub fn resolve(&self, name: &str) -> Result<RunId, LedgerError> {
        let name = name.trim();
        if let Some((low, high)) = RunId::range_of_prefix(name)
            && let Some(run) = self.one_of(name, "id BETWEEN ?1 AND ?2", low, high)?
        {
            return Ok(run);
        }
        if let Some((mask, value)) = RunId::mask_of_ending(name)
            && let Some(run) = self.one_of(name, "(id & ?1) = ?2", mask, value)?
        {
            return Ok(run);
        }
        Err(LedgerError::NoRun { given: excerpt(name) })
    }

    fn one_of(&self, name: &str, condition: &str, one: i64, two: i64) -> Result<Option<RunId>, LedgerError> {
        let sql =
            format!("SELECT id, count(*) OVER () FROM run WHERE {condition} ORDER BY id DESC LIMIT {MATCHES_SHOWN}");
        let found: Vec<(RunId, u64)> = self.readers().query(|conn| {
            let mut query = conn.prepare_cached(&sql)?;
            let rows =
                query.query_map([one, two], |row| Ok((run_id(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
            rows.collect()
        })?;
        match found.as_slice() {
            [] => Ok(None),
            [(run, _)] => Ok(Some(*run)),
            [(_, total), ..] => Err(LedgerError::AmbiguousRun {
                given: excerpt(name),
                matches: found.iter().map(|(run, _)| *run).collect(),
                total: *total,
            }),
        }
    }

    /// One event.
    ///
    /// # Errors
    /// [`LedgerError::NoEvent`] if the run has none there.
    pub fn event(&self, run: RunId, at: Seq) -> Result<Event, LedgerError> {
        let found = self.read_page(run, at.sql(), 1)?;
        found.into_iter().find(|event| event.seq == at).ok_or(LedgerError::NoEvent { run, seq: at })
    }

    /// The events of a run after the place `after` (`None`: from the first), in order, at most `limit`.
    ///
    /// To follow a run that another thread or process writes, ask again with the last place that was seen. A run that does
    /// not exist has no events.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if an event cannot be read, and what else the database says.
    pub fn tail(&self, run: RunId, after: Option<Seq>, limit: usize) -> Result<Vec<Event>, LedgerError> {
        let from = after.map_or(0, |seq| seq.next().sql());
        self.read_page(run, from, limit)
    }

    fn read_page(&self, run: RunId, from: i64, limit: usize) -> Result<Vec<Event>, LedgerError> {
        let sql = "SELECT e.seq, e.at, e.kind, e.status, v.payload FROM event e
                   LEFT JOIN value v ON v.run = e.run AND v.seq = e.seq
                   WHERE e.run = ?1 AND e.seq >= ?2 ORDER BY e.seq LIMIT ?3";
        let page: Vec<Event> = self.readers().query(|conn| {
            let mut query = conn.prepare_cached(sql)?;
            let rows = query.query_map(params![run.sql(), from, sql_limit(limit)], |row| event(row, run))?;
            rows.collect()
        })?;
        // A damaged index can answer with rows that were not asked for, again and again.
        let places = || page.iter().map(|event| event.seq.sql());
        let first = places().next().is_none_or(|first| first >= from);
        if first && places().zip(places().skip(1)).all(|(one, next)| one < next) {
            return Ok(page);
        }
        let detail = format!("the events of run {run} are not in their order");
        Err(LedgerError::Corrupt { path: self.db_path().to_owned(), detail })
    }

    /// The events of a kind in all runs, oldest run first, in order within each run.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if an event cannot be read, and what else the database says.
    pub fn events_of_kind(&self, kind: &str) -> Result<Vec<Event>, LedgerError> {
        let sql = "SELECT e.seq, e.at, e.kind, e.status, v.payload, e.run FROM event e
                   LEFT JOIN value v ON v.run = e.run AND v.seq = e.seq
                   WHERE e.kind = ?1 ORDER BY e.run, e.seq";
        self.readers().query(|conn| {
            let mut query = conn.prepare_cached(sql)?;
            let rows = query.query_map([kind], |row| event(row, run_id(row, 5)?))?;
            rows.collect()
        })
    }

    /// All events of a run in order, those included that are appended while the iterator goes on.
    ///
    /// It ends after its first error.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] if there is no such run; each item as [`Ledger::tail`].
    pub fn events(&self, run: RunId) -> Result<Events<'_>, LedgerError> {
        self.run(run)?;
        Ok(Events { ledger: self, run, after: None, page: Vec::new().into_iter(), done: false })
    }
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The events of a run; made by [`Ledger::events`].
#[derive(Debug)]
pub struct Events<'l> {
    ledger: &'l Ledger,
    run: RunId,
    after: Option<Seq>,
    page: std::vec::IntoIter<Event>,
    done: bool,
}

impl Iterator for Events<'_> {
    type Item = Result<Event, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(event) = self.page.next() {
            self.after = Some(event.seq);
            return Some(Ok(event));
        }
        if self.done {
            return None;
        }
        match self.ledger.tail(self.run, self.after, PAGE) {
            Ok(page) if page.is_empty() => {
                self.done = true;
                None
            }
            Ok(page) => {
                self.page = page.into_iter();
                self.next()
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}
