//! A line for each component whose first look takes long.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use toolcrib_runtime::Preparing;
use toolcrib_runtime::policy::PluginName;

use super::{bytes, errln, plain};

/// What is found in the cache is done before anybody wonders.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says on standard error what is being compiled.
#[derive(Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<BTreeSet<PluginName>>>);

impl Notices {
    fn pending(&self) -> MutexGuard<'_, BTreeSet<PluginName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Preparing for Notices {
    fn begun(&self, plugin: &PluginName, size: u64) {
        self.pending().insert(plugin.clone());
        let (notices, plugin) = (self.clone(), plugin.clone());
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if notices.pending().contains(&plugin) {
                errln!("compiling plugin `{}` ({}), once for this file", plain(plugin.as_str()), bytes(size));
            }
        });
    }

    fn ended(&self, plugin: &PluginName) {
        self.pending().remove(plugin);
    }

    fn waiting_for_ledger(&self, holder: Option<u32>) {
        let holder = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        errln!("waiting for the ledger, which {holder} has");
    }
}
