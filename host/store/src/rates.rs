//! What was spent of a rate: one number for each line, the time at which all of it will have come back (the generic cell rate
//! algorithm of ATM). It is kept on disk, so that the next process goes on where this one stopped.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use toolcrib_sandbox::{KeyValueError, RatedLine};

use crate::buckets::failed;

/// Takes one request of a line at a time (since 1970), or says how long it has to wait.
pub(crate) fn take(
    connection: &mut Connection,
    line: &RatedLine,
    now: Duration,
) -> Result<Option<Duration>, KeyValueError> {
    let failed = failed(connection);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    let key = params![line.plugin.as_str(), line.text];
    let sql = "SELECT back_at FROM spent WHERE plugin = ?1 AND line = ?2";
    let back_at: Option<i64> = transaction.query_row(sql, key, |row| row.get(0)).optional().map_err(&failed)?;
    let period = micros(line.rate.period());
    let step = period / i64::from(line.rate.count()).max(1);
    let now = micros(now);
    // A clock that was set back does not lock anybody out for longer than the period.
    let begin = back_at.unwrap_or(now).clamp(now, now.saturating_add(period));
    let after = begin.saturating_add(step);
    if after > now.saturating_add(period) {
        let wait = after - now.saturating_add(period);
        return Ok(Some(Duration::from_micros(wait.unsigned_abs())));
    }
    let sql = "INSERT INTO spent (plugin, line, back_at) VALUES (?1, ?2, ?3)
               ON CONFLICT (plugin, line) DO UPDATE SET back_at = excluded.back_at";
    transaction.execute(sql, params![line.plugin.as_str(), line.text, after]).map_err(&failed)?;
    transaction.commit().map_err(&failed)?;
    Ok(None)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}
