//! Plugins that were loaded, by digest: each is compiled, linked and checked once in a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use toolcrib_catalog::Plugin;
use toolcrib_policy::{Digest, PluginName};

use crate::crib::Crib;
use crate::error::CribError;

type Slot = Arc<OnceCell<Arc<toolcrib_sandbox::Plugin>>>;

/// The loaded plugins.
#[derive(Default)]
pub(crate) struct Loaded(Mutex<HashMap<Digest, Slot>>);

impl Loaded {
    fn slot(&self, digest: &Digest) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(*digest).or_default().clone()
    }
}

impl Crib {
    /// A plugin, ready for calls. The bytes that are loaded are the bytes whose digest was compared.
    pub(crate) async fn load(&self, plugin: &Arc<Plugin>) -> Result<Arc<toolcrib_sandbox::Plugin>, CribError> {
        let slot = self.0.loaded.slot(plugin.digest());
        let loaded = slot.get_or_try_init(|| self.load_now(plugin)).await?;
        Ok(loaded.clone())
    }

    async fn load_now(&self, plugin: &Arc<Plugin>) -> Result<Arc<toolcrib_sandbox::Plugin>, CribError> {
        self.check_admission(plugin)?;
        let component = self.0.catalog.component_of(plugin).await?;
        let load = |source| CribError::Load { plugin: plugin.name().clone(), source };
        let loaded = self.0.sandbox.load(&component).await.map_err(load)?;
        self.0.catalog.confirm(plugin, loaded.info()).await?;
        Ok(loaded)
    }

    /// The plugins that are kept out, each with the reason.
    pub fn rejected(&self) -> Vec<(PluginName, CribError)> {
        let snapshot = self.snapshot();
        let rejected = |plugin: &Arc<Plugin>| Some((plugin.name().clone(), self.check_admission(plugin).err()?));
        snapshot.plugins().iter().filter_map(rejected).collect()
    }

    /// The first gate: what a component could ever reach.
    pub(crate) fn check_imports(&self, plugin: &Plugin) -> Result<(), CribError> {
        for import in plugin.imports() {
            if let Some(line) = self.operator().rejects_import(import) {
                return Err(CribError::ImportRejected {
                    plugin: plugin.name().clone(),
                    import: import.clone(),
                    line: line.to_owned(),
                });
            }
        }
        Ok(())
    }
}
