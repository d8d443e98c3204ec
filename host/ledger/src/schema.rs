//! The file format: whose file it is, which version it has, and the connections to it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use crate::error::LedgerError;
use crate::folder::{Folder, private};
use crate::id::LedgerId;
use crate::stamp::UnixMicros;

/// Marks the file as a ledger of toolcrib: "TCLG".
const APPLICATION_ID: u32 = 0x5443_4c47;
/// Step `i` makes version `i + 1` out of version `i`. Steps are only ever added.
const STEPS: &[&str] = &[V1, V2];
/// How long a call waits for another process; only opening, closing and truncating the log ever make one wait.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements that stay ready on each connection: more than there are.
const STATEMENTS: usize = 64;
/// Pages in the log at which a commit copies them back itself, should the sweeper not keep up.
const BACKSTOP_PAGES: i64 = 16_384;

/// Size to which the log shrinks when it begins anew after a busy time.
const LOG_BYTES_KEPT: i64 = 8 << 20;

const V1: &str = "
    CREATE TABLE ledger (
        id BLOB NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
    -- A summary for listings, derived from the events.
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        started_at INTEGER NOT NULL,
        title TEXT NOT NULL,
        status TEXT NOT NULL,
        ended_seq INTEGER
    ) STRICT;
    CREATE TABLE event (
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        status TEXT,
        digest BLOB NOT NULL,
        chain BLOB NOT NULL,
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
    -- What can be erased: without its salt, the digest of a value tells nothing of it.
    CREATE TABLE value (
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        salt BLOB NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE head (
        n INTEGER PRIMARY KEY,
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        cause TEXT NOT NULL,
        run_head BLOB NOT NULL,
        chain BLOB NOT NULL
    ) STRICT;
    CREATE INDEX head_of_run ON head (run, seq);
";

/// Questions and answers about calls are looked up across all runs.
const V2: &str = "CREATE INDEX event_by_kind ON event (kind, run, seq);";

/// Who a ledger is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) id: LedgerId,
    pub(crate) created_at: UnixMicros,
}

impl Identity {
    /// Of a ledger that is made now.
    pub(crate) fn new(now: UnixMicros) -> Result<Self, LedgerError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| LedgerError::NoRandomness { detail: error.to_string() })?;
        Ok(Self { id: LedgerId(id), created_at: now })
    }
}

/// Whether there is a file to open. Looks at its first bytes only, so that what is not ours is never touched.
pub(crate) fn exists(path: &Path) -> Result<bool, LedgerError> {
    const HEADER: usize = 100;
    let failed = |error| LedgerError::io(path, &error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    let mut header = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut header).map_err(failed)?;
    if header.is_empty() {
        return Ok(false);
    }
    let alien = |found| LedgerError::NotALedger { path: path.to_owned(), found };
    if header.len() < HEADER || !header.starts_with(b"SQLite format 3\0") {
        return Err(alien("no SQLite database"));
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != APPLICATION_ID {
        return Err(alien("a SQLite database of another program"));
    }
    check_version(path, i64::from(number(60)))?;
    Ok(true)
}

fn check_version(path: &Path, found: i64) -> Result<(), LedgerError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(LedgerError::FutureVersion { path: path.to_owned(), found, known });
    }
    Ok(())
}

/// Makes a new, empty ledger. It appears under its name in one moment, complete and flushed.
pub(crate) fn create(folder: &Folder, identity: Identity) -> Result<(), LedgerError> {
    let path = &folder.new_db;
    let failed = |error| LedgerError::io(path, &error);
    private().truncate(true).open(path).map_err(failed)?;
    // Left behind by a host that died here.
    for ending in ["-journal", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    fill_new(path, identity).map_err(|error| LedgerError::sqlite(path, error))?;
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(path, &folder.db).map_err(failed)?;
    folder.flush_names()
}

fn fill_new(path: &Path, identity: Identity) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    let tx = conn.transaction()?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    climb(&tx, STEPS, 0)?;
    tx.execute(
        "INSERT INTO ledger (id, created_at) VALUES (?1, ?2)",
        params![identity.id.as_bytes(), identity.created_at.get()],
    )?;
    tx.commit()?;
    // Copies the log back into the file and removes it, since only the file is renamed.
    conn.close().map_err(|(_, error)| error)
}

/// Takes the steps that a database of version `from` lacks, inside the caller's transaction.
fn climb(conn: &Connection, steps: &[&str], from: usize) -> rusqlite::Result<()> {
    for step in steps.iter().skip(from) {
        conn.execute_batch(step)?;
    }
    conn.pragma_update(None, "user_version", i64::try_from(steps.len()).unwrap_or(i64::MAX))
}

/// Opens the one connection that writes, and brings the file to the version of this build.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error| LedgerError::sqlite(path, error);
    let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    prepare(&conn).map_err(failed)?;
    let version = checked_version(path, &conn)?;
    // WAL keeps readers and the writer out of each other's way; NORMAL syncs it when it is copied back, and a commit
    // that must survive the loss of power turns FULL on for itself. Erased values are overwritten.
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = {BACKSTOP_PAGES};
         PRAGMA journal_size_limit = {LOG_BYTES_KEPT};"
    ))
    .map_err(failed)?;
    migrate(&mut conn, STEPS, version).map_err(failed)?;
    Ok(conn)
}

fn migrate(conn: &mut Connection, steps: &[&str], version: usize) -> rusqlite::Result<()> {
    if version < steps.len() {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        climb(&tx, steps, version)?;
        tx.commit()?;
        tracing::info!(from = version, to = steps.len(), "brought the ledger to the format of this version");
    }
    Ok(())
}

/// Opens a connection that can only read.
///
/// In a folder that cannot be written and holds no log, SQLite cannot make the files that readers share; the database is
/// then read as the unchanging file that it is.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, LedgerError> {
    let failed = |error| LedgerError::sqlite(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match Connection::open_with_flags(path, flags).and_then(|conn| prepare(&conn).map(|()| conn)) {
        Ok(conn) => conn,
        Err(first) => match immutable_uri(path) {
            Some(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
                .and_then(|conn| prepare(&conn).map(|()| conn))
                .map_err(failed)?,
            None => return Err(failed(first)),
        },
    };
    let version = checked_version(path, &conn)?;
    if version < STEPS.len() {
        let detail = "an older format, which the next run brings up to date".to_owned();
        return Err(LedgerError::Io { path: path.to_owned(), detail });
    }
    Ok(conn)
}

/// The name under which SQLite reads a file without locks, if nothing can be writing to it.
fn immutable_uri(path: &Path) -> Option<String> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log_is_empty = fs::metadata(log).map_or(true, |log| log.len() == 0);
    let can_write = rustix::fs::access(path.parent()?, rustix::fs::Access::WRITE_OK).is_ok();
    if !log_is_empty || can_write {
        return None;
    }
    let mut uri = "file:".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    Some(uri + "?immutable=1")
}

/// What every connection has. The first read is here, so that a file that cannot be read is found at once.
fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")?;
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// The version of an open database, which its first bytes do not tell while the log holds newer ones.
fn checked_version(path: &Path, conn: &Connection) -> Result<usize, LedgerError> {
    let failed = |error| LedgerError::sqlite(path, error);
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    check_version(path, version)?;
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')";
    let planted: i64 = conn.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    if planted > 0 {
        // Code in the file would run at each of our writes.
        return Err(LedgerError::NotALedger { path: path.to_owned(), found: "it holds triggers or views" });
    }
    Ok(usize::try_from(version).unwrap_or(0))
}

/// Reads who the ledger is.
pub(crate) fn identity(path: &Path, conn: &Connection) -> Result<Identity, LedgerError> {
    let read = conn.query_row("SELECT id, created_at FROM ledger", [], |row| {
        Ok(Identity { id: LedgerId(row.get(0)?), created_at: UnixMicros::new(row.get(1)?) })
    });
    read.map_err(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => {
            LedgerError::Corrupt { path: path.to_owned(), detail: "its id is gone".to_owned() }
        }
        error => LedgerError::sqlite(path, error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_takes_the_steps_that_are_lacking_and_no_other() {
        let mut conn = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)";
        let two = "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7";
        migrate(&mut conn, &[one], 0).unwrap();
        migrate(&mut conn, &[one, two], 1).unwrap();
        migrate(&mut conn, &[one, two], 2).unwrap();
        let row: (i64, i64) = conn.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, (1, 7));
        let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 2);
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let mut conn = Connection::open_in_memory().unwrap();
        let good = "CREATE TABLE a (x INTEGER)";
        migrate(&mut conn, &[good], 0).unwrap();
        assert!(migrate(&mut conn, &[good, "CREATE TABLE b (x)", "NONSENSE"], 1).is_err());
        let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!((version, tables), (1, 1));
    }
}
