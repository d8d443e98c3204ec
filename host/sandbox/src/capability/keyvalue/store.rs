//! Where buckets are kept: the other side of the capability.

use std::fmt;

use async_trait::async_trait;
use toolcrib_policy::PluginName;

/// A bucket of one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// Whose it is.
    pub plugin: PluginName,
    /// What the plugin calls it.
    pub name: String,
}

/// How much a bucket may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of keys and values together.
    pub bytes: u64,
    /// Keys.
    pub keys: u64,
}

/// Some keys of a bucket, and where the next ones begin; no cursor where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<String>,
    /// What to ask on with.
    pub cursor: Option<u64>,
}

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueError {
    /// The bucket would hold more than it may. Nothing was changed.
    #[error("the bucket is full")]
    Full,
    /// The value under the key is no number, and cannot be incremented.
    #[error("the value is no number")]
    NotANumber,
    /// The store cannot be used now.
    #[error("{0}")]
    Failed(String),
}

/// Keeps buckets. Grants are checked before any of these is called; the quota is enforced together with the write.
#[async_trait]
pub trait KeyValue: Send + Sync + fmt::Debug {
    /// The value of a key.
    async fn get(&self, bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, KeyValueError>;

    /// Whether there is a value.
    async fn exists(&self, bucket: &Bucket, key: &str) -> Result<bool, KeyValueError>;

    /// Sets values, all or none.
    async fn set(&self, bucket: &Bucket, pairs: Vec<(String, Vec<u8>)>, quota: Quota) -> Result<(), KeyValueError>;

    /// Removes keys, all or none. One that is not there is none.
    async fn delete(&self, bucket: &Bucket, keys: Vec<String>) -> Result<(), KeyValueError>;

    /// At most `most` keys, in the order in which they came, after a cursor.
    async fn list(&self, bucket: &Bucket, after: Option<u64>, most: usize) -> Result<Keys, KeyValueError>;

    /// Adds to a number, which is kept as its decimal digits; a key that is not there counts as 0.
    async fn increment(&self, bucket: &Bucket, key: &str, delta: u64, quota: Quota) -> Result<u64, KeyValueError>;
}

/// A host that keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeyValue;

fn none<T>() -> Result<T, KeyValueError> {
    Err(KeyValueError::Failed("this host keeps no data of plugins".to_owned()))
}

#[async_trait]
impl KeyValue for NoKeyValue {
    async fn get(&self, _bucket: &Bucket, _key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        none()
    }

    async fn exists(&self, _bucket: &Bucket, _key: &str) -> Result<bool, KeyValueError> {
        none()
    }

    async fn set(&self, _bucket: &Bucket, _pairs: Vec<(String, Vec<u8>)>, _quota: Quota) -> Result<(), KeyValueError> {
        none()
    }

    async fn delete(&self, _bucket: &Bucket, _keys: Vec<String>) -> Result<(), KeyValueError> {
        none()
    }

    async fn list(&self, _bucket: &Bucket, _after: Option<u64>, _most: usize) -> Result<Keys, KeyValueError> {
        none()
    }

    async fn increment(&self, _bucket: &Bucket, _key: &str, _delta: u64, _quota: Quota) -> Result<u64, KeyValueError> {
        none()
    }
}
