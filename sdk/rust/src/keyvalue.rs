//! What lasts from one call to the next: buckets of `wasi:keyvalue`, which are the plugin's own.
//!
//! Every call meets a fresh instance, so what a tool wants to find again it keeps in a bucket. The operator grants each one by
//! name, with a quota. Values are bytes; [`Bucket::set_json`] and [`Bucket::get_json`] keep anything that serde can write.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ToolError;

/// A bucket that the operator granted.
pub struct Bucket {
    name: String,
    inner: source::Bucket,
}

/// Opens a bucket. Nothing is asked of the host's disk yet: whether the grant allows a read or a write is decided at each.
///
/// # Errors
///
/// `denied` when the operator did not grant the bucket.
pub fn open(name: &str) -> Result<Bucket, ToolError> {
    let inner = source::open(name).map_err(|error| said(name, None, error))?;
    Ok(Bucket { name: name.to_owned(), inner })
}

impl Bucket {
    /// The value of a key; `None` where it has none.
    ///
    /// # Errors
    ///
    /// `denied` with the host's words when the grant does not allow it, `failed` when the host cannot.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ToolError> {
        self.inner.get(key).map_err(|error| said(&self.name, Some(key), error))
    }

    /// The value of a key, read as JSON.
    ///
    /// # Errors
    ///
    /// As [`Bucket::get`]; `failed` when the value is no such JSON.
    pub fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ToolError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let read = serde_json::from_slice(&value);
        read.map(Some).map_err(|error| ToolError::failed(format!("{}: {error}", place(&self.name, Some(key)))))
    }

    /// Sets the value of a key, in place of the one before.
    ///
    /// # Errors
    ///
    /// `denied` with the host's words when the grant does not allow it or the bucket is full; nothing was changed then.
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), ToolError> {
        self.inner.set(key, value.as_ref()).map_err(|error| said(&self.name, Some(key), error))
    }

    /// Sets the value of a key as JSON.
    ///
    /// # Errors
    ///
    /// As [`Bucket::set`]; `failed` when the value cannot be written as JSON.
    pub fn set_json<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), ToolError> {
        let text = serde_json::to_vec(value);
        self.set(key, text.map_err(|error| ToolError::failed(format!("{}: {error}", place(&self.name, Some(key)))))?)
    }

    /// Whether the key has a value.
    ///
    /// # Errors
    ///
    /// As [`Bucket::get`].
    pub fn exists(&self, key: &str) -> Result<bool, ToolError> {
        self.inner.exists(key).map_err(|error| said(&self.name, Some(key), error))
    }

    /// Removes a key. One that is not there is no error.
    ///
    /// # Errors
    ///
    /// As [`Bucket::set`].
    pub fn delete(&self, key: &str) -> Result<(), ToolError> {
        self.inner.delete(key).map_err(|error| said(&self.name, Some(key), error))
    }

    /// All keys, in the order in which they came.
    ///
    /// # Errors
    ///
    /// As [`Bucket::get`].
    pub fn keys(&self) -> Result<Vec<String>, ToolError> {
        self.inner.keys().map_err(|error| said(&self.name, None, error))
    }

    /// Adds to a number, also while other calls do, and gives back the sum. A key without a value counts as 0; the number is
    /// kept as its decimal digits.
    ///
    /// # Errors
    ///
    /// As [`Bucket::set`]; `failed` when the value is no number, or the sum too large.
    pub fn increment(&self, key: &str, by: u64) -> Result<u64, ToolError> {
        self.inner.increment(key, by).map_err(|error| said(&self.name, Some(key), error))
    }
}

fn place(bucket: &str, key: Option<&str>) -> String {
    key.map_or_else(|| format!("bucket `{bucket}`"), |key| format!("bucket `{bucket}`, key `{key}`"))
}

/// The error of an operation. The codes of the host's refusals stand before its words, and stay there.
fn said(bucket: &str, key: Option<&str>, error: source::Error) -> ToolError {
    let error = match error {
        source::Error::NoSuchStore => ToolError::not_found("the host has no such bucket"),
        source::Error::AccessDenied => ToolError::denied("the host does not allow it"),
        source::Error::Other(words) if REFUSALS.iter().any(|code| words.starts_with(code)) => ToolError::denied(words),
        source::Error::Other(words) => ToolError::failed(words),
    };
    error.context(place(bucket, key))
}

/// How the words of the host begin when it refused: without a grant, and over the quota of one.
const REFUSALS: [&str; 2] = ["keyvalue-denied:", "keyvalue-full:"];

#[cfg(target_family = "wasm")]
mod source {
    use crate::bindings::wasi::keyvalue::{atomics, store};

    pub(super) use store::Error;

    pub(super) struct Bucket(store::Bucket);

    pub(super) fn open(name: &str) -> Result<Bucket, Error> {
        store::open(name).map(Bucket)
    }

    impl Bucket {
        pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            self.0.get(key)
        }

        pub(super) fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.0.set(key, value)
        }

        pub(super) fn exists(&self, key: &str) -> Result<bool, Error> {
            self.0.exists(key)
        }

        pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
            self.0.delete(key)
        }

        pub(super) fn keys(&self) -> Result<Vec<String>, Error> {
            let mut page = self.0.list_keys(None)?;
            let mut keys = page.keys;
            while let Some(cursor) = page.cursor {
                page = self.0.list_keys(Some(cursor))?;
                keys.append(&mut page.keys);
            }
            Ok(keys)
        }

        pub(super) fn increment(&self, key: &str, by: u64) -> Result<u64, Error> {
            atomics::increment(&self.0, key, by)
        }
    }
}

/// Natively, the buckets that the test granted.
#[cfg(not(target_family = "wasm"))]
mod source {
    use crate::testing::{Values, with_bucket};

    /// As the interface has it.
    #[expect(dead_code, reason = "no test is answered with all of them")]
    pub(super) enum Error {
        NoSuchStore,
        AccessDenied,
        Other(String),
    }

    pub(super) struct Bucket(String);

    pub(super) fn open(name: &str) -> Result<Bucket, Error> {
        let bucket = Bucket(name.to_owned());
        bucket.with(|_| ())?;
        Ok(bucket)
    }

    impl Bucket {
        fn with<R>(&self, work: impl FnOnce(&mut Values) -> R) -> Result<R, Error> {
            let denied = || {
                let words = format!("keyvalue-denied: the test did not grant the bucket `{}`", self.0);
                Error::Other(words)
            };
            with_bucket(&self.0, work).ok_or_else(denied)
        }

        pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            self.with(|values| values.get(key).cloned())
        }

        pub(super) fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.with(|values| values.insert(key.to_owned(), value.to_vec())).map(drop)
        }

        pub(super) fn exists(&self, key: &str) -> Result<bool, Error> {
            self.with(|values| values.contains_key(key))
        }

        pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
            self.with(|values| values.remove(key)).map(drop)
        }

        pub(super) fn keys(&self) -> Result<Vec<String>, Error> {
            self.with(|values| values.keys().cloned().collect())
        }

        pub(super) fn increment(&self, key: &str, by: u64) -> Result<u64, Error> {
            let sum = self.with(|values| {
                let text = values.get(key).map_or(Some("0"), |value| std::str::from_utf8(value).ok());
                let sum = text.and_then(|text| text.parse::<u64>().ok())?.checked_add(by)?;
                values.insert(key.to_owned(), sum.to_string().into_bytes());
                Some(sum)
            })?;
            sum.ok_or_else(|| Error::Other("the value is no number".to_owned()))
        }
    }
}
