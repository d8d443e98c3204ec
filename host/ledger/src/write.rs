//! The one writer: makes events into links and commits them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::LedgerError;
use crate::event::{Checked, Durability, KIND_BEGUN, NewEvent, Recorded, RunMeta};
use crate::id::{RunId, Seq};
use crate::proof::{Digest, EventLink, HeadLink, SALT_LEN, heads_genesis, run_genesis, value_digest};
use crate::schema::Identity;
use crate::stamp::UnixMicros;
use crate::wal::{Nudge, Stopped};

/// Runs whose last link stays in memory. More than a host drives at once; the others are read again.
const TAILS_KEPT: usize = 256;

pub(crate) const CAUSE_BEGUN: &str = "begun";
pub(crate) const CAUSE_ENDED: &str = "ended";
pub(crate) const CAUSE_CHECKPOINT: &str = "checkpoint";

/// Where the time comes from; tests set it back.
pub(crate) type Clock = Box<dyn Fn() -> UnixMicros + Send + Sync>;

/// The last link of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    pub(crate) seq: Seq,
    pub(crate) chain: Digest,
    /// Whether that event ended the run.
    pub(crate) ended: bool,
}

/// The last link of the chain of heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadsTail {
    pub(crate) n: u64,
    pub(crate) chain: Digest,
}

pub(crate) struct Writer {
    conn: Connection,
    path: PathBuf,
    identity: Identity,
    clock: Clock,
    tails: HashMap<RunId, Tail>,
    heads: HeadsTail,
    full_sync: bool,
    stopped: Stopped,
    nudge: Nudge,
}

/// A transaction that is being written. What it learns enters the writer's memory only when it was committed.
pub(crate) struct Draft<'w> {
    pub(crate) conn: &'w Connection,
    path: &'w Path,
    identity: Identity,
    now: UnixMicros,
    known: &'w HashMap<RunId, Tail>,
    tails: HashMap<RunId, Tail>,
    heads: HeadsTail,
}

impl Writer {
    pub(crate) fn new(
        conn: Connection,
        path: &Path,
        identity: Identity,
        clock: Clock,
        stopped: Stopped,
        nudge: Nudge,
    ) -> Result<Self, LedgerError> {
        let heads = read_heads_tail(&conn, identity).map_err(|error| LedgerError::sqlite(path, error))?;
        let tails = HashMap::new();
        let path = path.to_owned();
        Ok(Self { conn, path, identity, clock, tails, heads, full_sync: false, stopped, nudge })
    }

    /// Runs `work` in one transaction: all of it is committed, or nothing.
    pub(crate) fn transact<T>(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&mut Draft<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        if self.stopped.is_set() {
            return Err(LedgerError::Stopped { path: self.path.clone() });
        }
        self.roll_back();
        self.sync_as(durability)?;
        let mut draft = Draft {
            conn: &self.conn,
            path: &self.path,
            identity: self.identity,
            now: (self.clock)(),
            known: &self.tails,
            tails: HashMap::new(),
            heads: self.heads,
        };
        let done = draft.run_sql("BEGIN IMMEDIATE").and_then(|()| work(&mut draft));
        let done = done.and_then(|value| draft.run_sql_noting("COMMIT", &self.stopped).map(|()| value));
        let (tails, heads) = (draft.tails, draft.heads);
        match done {
            Ok(value) => {
                self.remember(tails, heads);
                self.nudge.committed();
                Ok(value)
            }
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// Copies the whole log back and empties it, so that what was erased is in no file. `false` if a reader kept it.
    pub(crate) fn empty_log(&mut self) -> Result<bool, LedgerError> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = self.conn.query_row(sql, [], |row| row.get::<_, bool>(0)).map_err(|error| {
            self.stopped.note(&error);
            LedgerError::sqlite(&self.path, error)
        })?;
        Ok(!busy)
    }

    /// In WAL mode, FULL means that the commit returns after a flush of the log.
    fn sync_as(&mut self, durability: Durability) -> Result<(), LedgerError> {
        let full = durability == Durability::Power;
        if full != self.full_sync {
            let sql = if full { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            self.conn.execute_batch(sql).map_err(|error| LedgerError::sqlite(&self.path, error))?;
            self.full_sync = full;
        }
        Ok(())
    }

    fn remember(&mut self, tails: HashMap<RunId, Tail>, heads: HeadsTail) {
        if self.tails.len() + tails.len() > TAILS_KEPT {
            self.tails.clear();
        }
        self.tails.extend(tails);
        self.heads = heads;
    }

    fn roll_back(&self) {
        // SQLite has rolled back by itself after some errors, such as a full disk.
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction of the ledger could not be rolled back");
        }
    }

    #[cfg(test)]
    pub(crate) fn connection(&self) -> &Connection {
        &self.conn
    }
}

impl Draft<'_> {
    pub(crate) fn fail(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::sqlite(self.path, error)
    }

    fn run_sql(&self, sql: &str) -> Result<(), LedgerError> {
        let run = self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        run.map(drop).map_err(|error| self.fail(error))
    }

    fn run_sql_noting(&self, sql: &str, stopped: &Stopped) -> Result<(), LedgerError> {
        let run = self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        run.map(drop).map_err(|error| {
            stopped.note(&error);
            self.fail(error)
        })
    }

    /// Makes a run with its first event and its first head.
    pub(crate) fn begin(&mut self, meta: &RunMeta, first: Checked) -> Result<RunId, LedgerError> {
        let run = self.next_id()?;
        let status = first.status.as_deref().unwrap_or_default();
        self.conn
            .prepare_cached("INSERT INTO run (id, started_at, title, status) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut insert| insert.execute(params![run.sql(), self.now.get(), meta.title, status]))
            .map_err(|error| self.fail(error))?;
        self.link(run, Seq::FIRST, &run_genesis(self.identity.id, run), &first)?;
        self.chain_head(run, CAUSE_BEGUN)?;
        Ok(run)
    }

    fn next_id(&self) -> Result<RunId, LedgerError> {
        let newest: Option<i64> = self
            .conn
            .prepare_cached("SELECT max(id) FROM run")
            .and_then(|mut query| query.query_row([], |row| row.get(0)))
            .map_err(|error| self.fail(error))?;
        let damaged = |detail: &str| LedgerError::Corrupt { path: self.path.to_owned(), detail: detail.to_owned() };
        let newest = match newest {
            None => None,
            Some(number) => Some(RunId::from_sql(number).ok_or_else(|| damaged("the newest run has no valid name"))?),
        };
        let mut random = [0; 4];
        fill(&mut random)?;
        RunId::next(self.now, u32::from_ne_bytes(random), newest)
            .ok_or_else(|| damaged("the newest run has the last name there can be"))
    }

    /// Appends one event to a run.
    pub(crate) fn push(&mut self, run: RunId, event: &Checked) -> Result<Recorded, LedgerError> {
        let tail = self.tail(run)?;
        let seq = tail.seq.next();
        self.link(run, seq, &tail.chain, event)?;
        if let Some(status) = event.status.as_deref() {
            self.conn
                .prepare_cached("UPDATE run SET status = ?2 WHERE id = ?1")
                .and_then(|mut update| update.execute(params![run.sql(), status]))
                .map_err(|error| self.fail(error))?;
        }
        if event.ends {
            self.conn
                .prepare_cached("UPDATE run SET ended_seq = ?2 WHERE id = ?1")
                .and_then(|mut update| update.execute(params![run.sql(), seq.sql()]))
                .map_err(|error| self.fail(error))?;
            self.chain_head(run, CAUSE_ENDED)?;
        }
        Ok(Recorded { seq, at: self.now })
    }

    fn link(&mut self, run: RunId, seq: Seq, before: &Digest, event: &Checked) -> Result<(), LedgerError> {
        let mut salt = [0; SALT_LEN];
        fill(&mut salt)?;
        let digest = value_digest(&salt, run, seq, &event.payload);
        let status = event.status.as_deref();
        let chain = EventLink { run, seq, at: self.now, kind: &event.kind, status, digest }.chain(before);
        let sql = "INSERT INTO event (run, seq, at, kind, status, digest, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.conn
            .prepare_cached(sql)
            .and_then(|mut insert| {
                let at = self.now.get();
                insert.execute(params![run.sql(), seq.sql(), at, event.kind, status, digest.0, chain.0])
            })
            .map_err(|error| self.fail(error))?;
        self.conn
            .prepare_cached("INSERT INTO value (run, seq, salt, payload) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut insert| insert.execute(params![run.sql(), seq.sql(), salt, event.payload]))
            .map_err(|error| self.fail(error))?;
        self.tails.insert(run, Tail { seq, chain, ended: event.ends });
        Ok(())
    }

    /// Puts the head of a run into the chain of heads.
    pub(crate) fn chain_head(&mut self, run: RunId, cause: &str) -> Result<(), LedgerError> {
        let tail = self.tail(run)?;
        let (n, at, seq) = (self.heads.n + 1, self.now, tail.seq);
        let chain = HeadLink { n, at, cause, run, seq, run_head: tail.chain }.chain(&self.heads.chain);
        let sql = "INSERT INTO head (n, run, seq, at, cause, run_head, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.conn
            .prepare_cached(sql)
            .and_then(|mut insert| {
                let n = n.cast_signed();
                insert.execute(params![n, run.sql(), seq.sql(), at.get(), cause, tail.chain.0, chain.0])
            })
            .map_err(|error| self.fail(error))?;
        self.heads = HeadsTail { n, chain };
        Ok(())
    }

    /// The last link of a run: from this transaction, from memory, or from the table.
    pub(crate) fn tail(&self, run: RunId) -> Result<Tail, LedgerError> {
        if let Some(tail) = self.tails.get(&run).or_else(|| self.known.get(&run)) {
            return Ok(*tail);
        }
        let sql = "SELECT e.seq, e.chain, r.ended_seq IS e.seq FROM event e JOIN run r ON r.id = e.run
                   WHERE e.run = ?1 ORDER BY e.seq DESC LIMIT 1";
        let read = self.conn.prepare_cached(sql).and_then(|mut query| {
            let tail = query
                .query_row([run.sql()], |row| Ok((row.get::<_, i64>(0)?, Digest(row.get(1)?), row.get::<_, bool>(2)?)));
            tail.optional()
        });
        match read.map_err(|error| self.fail(error))? {
            None => Err(LedgerError::NoRun { given: run.to_string() }),
            Some((seq, chain, ended)) => {
                let seq = Seq::from_sql(seq).ok_or_else(|| LedgerError::Corrupt {
                    path: self.path.to_owned(),
                    detail: format!("run {run} has an event {seq}"),
                })?;
                Ok(Tail { seq, chain, ended })
            }
        }
    }

    pub(crate) fn heads(&self) -> HeadsTail {
        self.heads
    }
}

/// The first event of a run.
pub(crate) fn first_event(meta: &RunMeta) -> NewEvent {
    let payload = serde_json::json!({ "title": meta.title, "details": meta.details });
    NewEvent::new(KIND_BEGUN, payload).status(meta.status.clone())
}

pub(crate) fn read_heads_tail(conn: &Connection, identity: Identity) -> rusqlite::Result<HeadsTail> {
    let sql = "SELECT n, chain FROM head ORDER BY n DESC LIMIT 1";
    let tail = conn.query_row(sql, [], |row| {
        let number = row.get(0)?;
        let n = u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))?;
        Ok(HeadsTail { n, chain: Digest(row.get(1)?) })
    });
    let genesis = HeadsTail { n: 0, chain: heads_genesis(identity.id, identity.created_at) };
    Ok(tail.optional()?.unwrap_or(genesis))
}

fn fill(bytes: &mut [u8]) -> Result<(), LedgerError> {
    getrandom::fill(bytes).map_err(|error| LedgerError::NoRandomness { detail: error.to_string() })
}
