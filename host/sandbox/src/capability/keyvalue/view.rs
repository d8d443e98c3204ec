//! The guest's side of the interface.

use std::sync::Arc;

use toolcrib_policy::{Access, Authority, Refusal};
use wasmtime::component::{HasData, Resource, ResourceTable};

use super::store::{Bucket, KeyValue, KeyValueError, Quota};
use super::{Keep, LISTED_KEYS, MANY_KEYS, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::bindings::keyvalue::wasi::keyvalue::store::{Error, KeyResponse};
use crate::bindings::keyvalue::wasi::keyvalue::{atomics, batch, store};
use crate::call::{CallState, Record};
use crate::capability::Capability;
use crate::receipt::{Came, Used};

/// A bucket that a guest has opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export the type of a resource")]
pub struct OpenBucket(Bucket);

impl HasData for Keep {
    type Data<'a> = KeepView<'a>;
}

pub(crate) struct KeepView<'a> {
    table: &'a mut ResourceTable,
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
    store: &'a Arc<dyn KeyValue>,
}

pub(super) fn view(state: &mut CallState) -> KeepView<'_> {
    KeepView {
        table: &mut state.table,
        authority: &state.authority,
        record: &state.record,
        store: &state.capabilities.keyvalue,
    }
}

type Answer<T> = wasmtime::Result<Result<T, Error>>;
type Handle = Resource<OpenBucket>;

/// What an operation does, and on what.
#[derive(Clone, Copy)]
struct Act<'a> {
    what: &'static str,
    access: Access,
    /// The key; none where it is about the whole bucket.
    key: Option<&'a str>,
    bytes: usize,
}

impl KeepView<'_> {
    fn charge(&self, bytes: usize) -> wasmtime::Result<()> {
        self.record.charge(bytes, &self.authority.limits)
    }

    /// Does one thing under the grant of its bucket, and writes down that it did.
    async fn act<T, F>(
        &mut self,
        handle: &Handle,
        act: Act<'_>,
        work: impl FnOnce(Arc<dyn KeyValue>, Bucket, Quota) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Result<T, KeyValueError>> + Send + 'static,
        T: Send + 'static,
    {
        self.charge(act.bytes)?;
        let bucket = self.table.get(handle)?.0.clone();
        let target = act.key.map_or_else(|| bucket.name.clone(), |key| format!("{}/{}", bucket.name, shown(key)));
        let authority = self.authority.clone();
        let grant = match authority.keyvalue(&bucket.name, act.access) {
            Ok(grant) => grant,
            Err(refusal) => return Ok(Err(self.refused(act.what, &target, &refusal))),
        };
        let used = Used::now(Keep::NAME, act.what, &target).by(grant);
        let write = act.access == Access::ReadWrite;
        self.record.allowed(&used, write);
        let quota = Quota { bytes: grant.max_bytes(), keys: grant.max_keys() };
        // A write that has begun ends also when the call is given up, and the receipt waits for it.
        let begun = write.then(|| self.record.begin_write());
        let working = work(self.store.clone(), bucket, quota);
        let done = tokio::spawn(async move {
            let done = working.await;
            drop(begun);
            done
        });
        let done = done.await.unwrap_or_else(|_| Err(KeyValueError::Failed("the store was given up".to_owned())));
        let error = done.as_ref().err().map(code);
        self.record.add(&used, Came { bytes: act.bytes as u64, took: used.began.elapsed(), error });
        Ok(done.map_err(|error| match error {
            KeyValueError::Full => self.refused(act.what, &target, &authority.keyvalue_full(grant)),
            other => Error::Other(other.to_string()),
        }))
    }

    fn refused(&self, what: &str, target: &str, refusal: &Refusal) -> Error {
        self.record.refused(Keep::NAME, what, target, refusal);
        Error::Other(format!("{}: {}", refusal.code, refusal.message))
    }
}

/// A stable code, for receipts.
fn code(error: &KeyValueError) -> &'static str {
    match error {
        KeyValueError::Full => "keyvalue-full",
        KeyValueError::NotANumber => "not-a-number",
        KeyValueError::Failed(_) => "keyvalue-failed",
    }
}

/// A key as a receipt shows it.
fn shown(key: &str) -> String {
    key.chars().take(100).flat_map(char::escape_debug).collect()
}

/// Whether a key can be one, with the reason why not.
fn check_key(key: &str) -> Result<(), Error> {
    match key.len() {
        0 => Err(Error::Other("a key has at least one byte".to_owned())),
        length if length > MAX_KEY_BYTES => {
            Err(Error::Other(format!("a key has at most {MAX_KEY_BYTES} bytes, and this one {length}")))
        }
        _ => Ok(()),
    }
}

fn check_value(value: &[u8]) -> Result<(), Error> {
    match value.len() {
        length if length > MAX_VALUE_BYTES => {
            Err(Error::Other(format!("a value has at most {MAX_VALUE_BYTES} bytes, and this one {length}")))
        }
        _ => Ok(()),
    }
}

fn check_many(keys: usize) -> Result<(), Error> {
    match keys > MANY_KEYS {
        true => Err(Error::Other(format!("one operation is on at most {MANY_KEYS} keys, and this one on {keys}"))),
        false => Ok(()),
    }
}

/// Gives the guest an error that was found before anything was done.
macro_rules! checked {
    ($check:expr) => {
        if let Err(error) = $check {
            return Ok(Err(error));
        }
    };
}

impl store::Host for KeepView<'_> {
    async fn open(&mut self, identifier: String) -> Answer<Handle> {
        self.charge(identifier.len())?;
        if let Err(refusal) = self.authority.keyvalue(&identifier, Access::Read) {
            return Ok(Err(self.refused("open", &shown(&identifier), &refusal)));
        }
        let bucket = Bucket { plugin: self.authority.plugin().clone(), name: identifier };
        Ok(Ok(self.table.push(OpenBucket(bucket))?))
    }
}

impl store::HostBucket for KeepView<'_> {
    async fn get(&mut self, bucket: Handle, key: String) -> Answer<Option<Vec<u8>>> {
        checked!(check_key(&key));
        let act = Act { what: "get", access: Access::Read, key: Some(&key.clone()), bytes: key.len() };
        let found = self.act(&bucket, act, |store, bucket, _| async move { store.get(&bucket, &key).await }).await?;
        self.charge(found.as_ref().ok().and_then(Option::as_ref).map_or(0, Vec::len))?;
        Ok(found)
    }

    async fn set(&mut self, bucket: Handle, key: String, value: Vec<u8>) -> Answer<()> {
        checked!(check_key(&key));
        checked!(check_value(&value));
        let shown = key.clone();
        let act = Act { what: "set", access: Access::ReadWrite, key: Some(&shown), bytes: key.len() + value.len() };
        let work = |store: Arc<dyn KeyValue>, bucket, quota| async move {
            store.set(&bucket, vec![(key, value)], quota).await
        };
        self.act(&bucket, act, work).await
    }

    async fn delete(&mut self, bucket: Handle, key: String) -> Answer<()> {
        checked!(check_key(&key));
        let shown = key.clone();
        let act = Act { what: "delete", access: Access::ReadWrite, key: Some(&shown), bytes: key.len() };
        self.act(&bucket, act, |store, bucket, _| async move { store.delete(&bucket, vec![key]).await }).await
    }

    async fn exists(&mut self, bucket: Handle, key: String) -> Answer<bool> {
        checked!(check_key(&key));
        let shown = key.clone();
        let act = Act { what: "exists", access: Access::Read, key: Some(&shown), bytes: key.len() };
        self.act(&bucket, act, |store, bucket, _| async move { store.exists(&bucket, &key).await }).await
    }

    async fn list_keys(&mut self, bucket: Handle, cursor: Option<u64>) -> Answer<KeyResponse> {
        let act = Act { what: "list", access: Access::Read, key: None, bytes: 0 };
        let work = |store: Arc<dyn KeyValue>, bucket, _| async move { store.list(&bucket, cursor, LISTED_KEYS).await };
        let listed = self.act(&bucket, act, work).await?;
        self.charge(listed.as_ref().map_or(0, |listed| listed.keys.iter().map(String::len).sum()))?;
        Ok(listed.map(|listed| KeyResponse { keys: listed.keys, cursor: listed.cursor }))
    }

    async fn drop(&mut self, bucket: Handle) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for KeepView<'_> {
    async fn increment(&mut self, bucket: Handle, key: String, delta: u64) -> Answer<u64> {
        checked!(check_key(&key));
        let shown = key.clone();
        let act = Act { what: "increment", access: Access::ReadWrite, key: Some(&shown), bytes: key.len() };
        let work =
            |store: Arc<dyn KeyValue>, bucket, quota| async move { store.increment(&bucket, &key, delta, quota).await };
        self.act(&bucket, act, work).await
    }
}

impl batch::Host for KeepView<'_> {
    async fn get_many(&mut self, bucket: Handle, keys: Vec<String>) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
        checked!(check_many(keys.len()));
        let mut found = Vec::new();
        for key in keys {
            let again = Resource::new_borrow(bucket.rep());
            match store::HostBucket::get(self, again, key.clone()).await? {
                Ok(value) => found.push(value.map(|value| (key, value))),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(found))
    }

    async fn set_many(&mut self, bucket: Handle, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        checked!(check_many(pairs.len()));
        for (key, value) in &pairs {
            checked!(check_key(key));
            checked!(check_value(value));
        }
        let bytes = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        let act = Act { what: "set", access: Access::ReadWrite, key: None, bytes };
        let work = |store: Arc<dyn KeyValue>, bucket, quota| async move { store.set(&bucket, pairs, quota).await };
        self.act(&bucket, act, work).await
    }

    async fn delete_many(&mut self, bucket: Handle, keys: Vec<String>) -> Answer<()> {
        checked!(check_many(keys.len()));
        for key in &keys {
            checked!(check_key(key));
        }
        let act =
            Act { what: "delete", access: Access::ReadWrite, key: None, bytes: keys.iter().map(String::len).sum() };
        self.act(&bucket, act, |store, bucket, _| async move { store.delete(&bucket, keys).await }).await
    }
}
