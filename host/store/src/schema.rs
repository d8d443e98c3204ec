//! The file: made where there is none, refused where it is of another program or version.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use toolcrib_sandbox::KeyValueError;

/// `tcst`: this program's state, for whoever looks at the file.
const APPLICATION: i32 = 0x7463_7374;
/// The version of the tables.
const VERSION: i32 = 1;
/// How long a write waits for another process. Each of them is short.
const PATIENCE: Duration = Duration::from_secs(5);

/// A row of `held` is what the rows of `pair` for the same bucket add up to: every write changes both.
const TABLES: &str = "
    CREATE TABLE pair (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        plugin TEXT NOT NULL,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        UNIQUE (plugin, bucket, key)
    ) STRICT;
    CREATE INDEX pair_in_order ON pair (plugin, bucket, id);
    CREATE TABLE held (
        plugin TEXT NOT NULL,
        bucket TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        keys INTEGER NOT NULL,
        PRIMARY KEY (plugin, bucket)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE spent (
        plugin TEXT NOT NULL,
        line TEXT NOT NULL,
        back_at INTEGER NOT NULL,
        PRIMARY KEY (plugin, line)
    ) STRICT, WITHOUT ROWID;
";

pub(crate) fn open(path: &Path) -> Result<Connection, KeyValueError> {
    let mut connection = Connection::open(path).map_err(|error| of_file(path, &error))?;
    let prepared = prepare(&mut connection).map_err(|error| of_file(path, &error))?;
    match prepared {
        Found::Ours => Ok(connection),
        Found::Newer(version) => Err(KeyValueError::Failed(format!(
            "`{}` is of version {version}, and this program reads {VERSION}: use the newer program",
            path.display()
        ))),
        Found::Foreign => Err(KeyValueError::Failed(format!(
            "`{}` is a database of another program, and is left as it is: move it away",
            path.display()
        ))),
    }
}

enum Found {
    Ours,
    Newer(i32),
    Foreign,
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<Found> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    // Two processes that find no tables make them one after the other, and the second finds them.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = match (application, version, tables) {
        (0, 0, 0) => {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            Found::Ours
        }
        (APPLICATION, VERSION, _) => Found::Ours,
        (APPLICATION, newer, _) => Found::Newer(newer),
        _ => Found::Foreign,
    };
    transaction.commit()?;
    Ok(found)
}

/// What went wrong, with the way out.
pub(crate) fn of_file(path: &Path, error: &rusqlite::Error) -> KeyValueError {
    let place = path.display();
    KeyValueError::Failed(match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            format!("`{place}` is damaged, and is left as it is: put it back from a copy, or move it away")
        }
        Some(ErrorCode::DiskFull) => format!("the disk is full: nothing was written to `{place}`"),
        Some(ErrorCode::DatabaseBusy) => format!("another process kept `{place}` for too long: try again"),
        _ => format!("`{place}` cannot be used: {error}"),
    })
}
