//! What lasts from one call of a plugin to the next: its buckets, and how often it has sent requests. One file of SQLite.
//!
//! ```text
//!  KeyValue ─► a thread that may block ─► one transaction: value, and what the bucket holds now ─► state.db
//! ```
//!
//! The quota is counted where the value is written, so that processes that write at once do not both find room. Nothing is
//! shared between plugins: the plugin's name is a part of every key.

mod buckets;
mod rates;
mod schema;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rusqlite::Connection;
use toolcrib_sandbox::{Bucket, KeyValue, KeyValueError, Keys, Quota, RatedLine, Rates};

/// The state of an installation's plugins. The file is made when it is first written or read.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    path: PathBuf,
    open: Mutex<Option<Connection>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({})", self.0.path.display())
    }
}

impl State {
    /// The state in the file at `path`. Nothing is opened yet.
    pub fn at(path: PathBuf) -> Self {
        Self(Arc::new(Inner { path, open: Mutex::default() }))
    }

    /// Does something with the database, on a thread that may block.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, KeyValueError> + Send + 'static,
    ) -> Result<T, KeyValueError> {
        let inner = self.0.clone();
        let working = tokio::task::spawn_blocking(move || inner.with(work));
        working.await.unwrap_or_else(|_| Err(KeyValueError::Failed("the store was given up".to_owned())))
    }
}

impl Inner {
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, KeyValueError>) -> Result<T, KeyValueError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *open {
            Some(connection) => connection,
            none => none.insert(schema::open(&self.path)?),
        };
        work(connection)
    }
}

#[async_trait]
impl KeyValue for State {
    async fn get(&self, bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let (bucket, key) = (bucket.clone(), key.to_owned());
        self.with(move |connection| buckets::get(connection, &bucket, &key)).await
    }

    async fn exists(&self, bucket: &Bucket, key: &str) -> Result<bool, KeyValueError> {
        let (bucket, key) = (bucket.clone(), key.to_owned());
        self.with(move |connection| buckets::exists(connection, &bucket, &key)).await
    }

    async fn set(&self, bucket: &Bucket, pairs: Vec<(String, Vec<u8>)>, quota: Quota) -> Result<(), KeyValueError> {
        let bucket = bucket.clone();
        self.with(move |connection| buckets::set(connection, &bucket, &pairs, quota)).await
    }

    async fn delete(&self, bucket: &Bucket, keys: Vec<String>) -> Result<(), KeyValueError> {
        let bucket = bucket.clone();
        self.with(move |connection| buckets::delete(connection, &bucket, &keys)).await
    }

    async fn list(&self, bucket: &Bucket, after: Option<u64>, most: usize) -> Result<Keys, KeyValueError> {
        let bucket = bucket.clone();
        self.with(move |connection| buckets::list(connection, &bucket, after, most)).await
    }

    async fn increment(&self, bucket: &Bucket, key: &str, delta: u64, quota: Quota) -> Result<u64, KeyValueError> {
        let (bucket, key) = (bucket.clone(), key.to_owned());
        self.with(move |connection| buckets::increment(connection, &bucket, &key, delta, quota)).await
    }
}

#[async_trait]
impl Rates for State {
    async fn take(&self, line: &RatedLine) -> Result<Option<Duration>, String> {
        let line = line.clone();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.with(move |connection| rates::take(connection, &line, now)).await.map_err(|error| error.to_string())
    }
}
