//! The operations, each one transaction.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use toolcrib_sandbox::{Bucket, KeyValueError, Keys, Quota};

use crate::schema::of_file;

/// What a bucket holds.
#[derive(Clone, Copy, Default)]
struct Held {
    bytes: i64,
    keys: i64,
}

type Done<T> = Result<T, KeyValueError>;

/// What a failure of the database means.
pub(crate) fn failed(connection: &Connection) -> impl Fn(rusqlite::Error) -> KeyValueError + use<> {
    let path = connection.path().map(ToOwned::to_owned).unwrap_or_default();
    move |error| of_file(Path::new(&path), &error)
}

pub(crate) fn get(connection: &Connection, bucket: &Bucket, key: &str) -> Done<Option<Vec<u8>>> {
    let sql = "SELECT value FROM pair WHERE plugin = ?1 AND bucket = ?2 AND key = ?3";
    let found = connection.prepare_cached(sql).and_then(|mut query| {
        query.query_row(params![bucket.plugin.as_str(), bucket.name, key], |row| row.get(0)).optional()
    });
    found.map_err(failed(connection))
}

pub(crate) fn exists(connection: &Connection, bucket: &Bucket, key: &str) -> Done<bool> {
    let sql = "SELECT 1 FROM pair WHERE plugin = ?1 AND bucket = ?2 AND key = ?3";
    let found = connection
        .prepare_cached(sql)
        .and_then(|mut query| query.exists(params![bucket.plugin.as_str(), bucket.name, key]));
    found.map_err(failed(connection))
}

pub(crate) fn list(connection: &Connection, bucket: &Bucket, after: Option<u64>, most: usize) -> Done<Keys> {
    let sql = "SELECT id, key FROM pair WHERE plugin = ?1 AND bucket = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
    let after = after.map_or(0, |after| i64::try_from(after).unwrap_or(i64::MAX));
    // One more than asked for tells whether there are more.
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let read = connection.prepare_cached(sql).and_then(|mut query| {
        let rows = query.query_map(params![bucket.plugin.as_str(), bucket.name, after, limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.collect::<Result<Vec<_>, _>>()
    });
    let mut rows = read.map_err(failed(connection))?;
    let more = rows.len() > most;
    rows.truncate(most);
    let cursor = rows.last().filter(|_| more).and_then(|(id, _)| u64::try_from(*id).ok());
    Ok(Keys { keys: rows.into_iter().map(|(_, key)| key).collect(), cursor })
}

pub(crate) fn set(connection: &mut Connection, bucket: &Bucket, pairs: &[(String, Vec<u8>)], quota: Quota) -> Done<()> {
    write(connection, bucket, |transaction, held| {
        for (key, value) in pairs {
            put(transaction, bucket, key, value, held)?;
        }
        within(held, quota)
    })
}

pub(crate) fn delete(connection: &mut Connection, bucket: &Bucket, keys: &[String]) -> Done<()> {
    write(connection, bucket, |transaction, held| {
        for key in keys {
            remove(transaction, bucket, key, held)?;
        }
        Ok(())
    })
}

pub(crate) fn increment(
    connection: &mut Connection,
    bucket: &Bucket,
    key: &str,
    delta: u64,
    quota: Quota,
) -> Done<u64> {
    write(connection, bucket, |transaction, held| {
        let now = match get(transaction, bucket, key)? {
            None => 0,
            Some(text) => {
                std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or(KeyValueError::NotANumber)?
            }
        };
        let sum: u64 = delta.checked_add(now).ok_or(KeyValueError::NotANumber)?;
        put(transaction, bucket, key, sum.to_string().as_bytes(), held)?;
        within(held, quota)?;
        Ok(sum)
    })
}

/// Does something in a transaction of its own, together with the count of what the bucket holds.
fn write<T>(
    connection: &mut Connection,
    bucket: &Bucket,
    work: impl FnOnce(&Transaction<'_>, &mut Held) -> Done<T>,
) -> Done<T> {
    let failed = failed(connection);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    let mut held = held(&transaction, bucket).map_err(&failed)?;
    let done = work(&transaction, &mut held)?;
    let sql = "INSERT INTO held (plugin, bucket, bytes, keys) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (plugin, bucket) DO UPDATE SET bytes = excluded.bytes, keys = excluded.keys";
    let row = params![bucket.plugin.as_str(), bucket.name, held.bytes, held.keys];
    transaction.execute(sql, row).map_err(&failed)?;
    transaction.commit().map_err(&failed)?;
    Ok(done)
}

fn held(transaction: &Transaction<'_>, bucket: &Bucket) -> rusqlite::Result<Held> {
    let sql = "SELECT bytes, keys FROM held WHERE plugin = ?1 AND bucket = ?2";
    let row = transaction.query_row(sql, params![bucket.plugin.as_str(), bucket.name], |row| {
        Ok(Held { bytes: row.get(0)?, keys: row.get(1)? })
    });
    row.optional().map(Option::unwrap_or_default)
}

fn put(transaction: &Transaction<'_>, bucket: &Bucket, key: &str, value: &[u8], held: &mut Held) -> Done<()> {
    remove(transaction, bucket, key, held)?;
    let sql = "INSERT INTO pair (plugin, bucket, key, value) VALUES (?1, ?2, ?3, ?4)";
    let written = transaction
        .prepare_cached(sql)
        .and_then(|mut insert| insert.execute(params![bucket.plugin.as_str(), bucket.name, key, value]));
    written.map_err(failed(transaction))?;
    held.bytes += size(key, value.len());
    held.keys += 1;
    Ok(())
}

fn remove(transaction: &Transaction<'_>, bucket: &Bucket, key: &str, held: &mut Held) -> Done<()> {
    let sql = "DELETE FROM pair WHERE plugin = ?1 AND bucket = ?2 AND key = ?3 RETURNING length(value)";
    let removed = transaction.prepare_cached(sql).and_then(|mut delete| {
        delete.query_row(params![bucket.plugin.as_str(), bucket.name, key], |row| row.get::<_, i64>(0)).optional()
    });
    if let Some(length) = removed.map_err(failed(transaction))? {
        held.bytes -= size(key, usize::try_from(length).unwrap_or_default());
        held.keys -= 1;
    }
    Ok(())
}

fn size(key: &str, value: usize) -> i64 {
    i64::try_from(key.len() + value).unwrap_or(i64::MAX)
}

fn within(held: &Held, quota: Quota) -> Done<()> {
    let fits = |now: i64, most: u64| u64::try_from(now).is_ok_and(|now| now <= most);
    if fits(held.bytes, quota.bytes) && fits(held.keys, quota.keys) { Ok(()) } else { Err(KeyValueError::Full) }
}
