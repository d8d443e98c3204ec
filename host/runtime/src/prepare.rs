//! Components that are new are compiled before their tools are known, which takes seconds: somebody may want to say so.

use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use toolcrib_catalog::{Inspect, InspectError};
use toolcrib_policy::PluginName;
use toolcrib_sandbox::{PluginInfo, Sandbox};

/// Who is told of components that are looked into for the first time. `()` listens to nothing.
pub trait Preparing: Send + Sync + 'static {
    /// A component of so many bytes is being compiled, or found in the cache.
    fn begun(&self, plugin: &PluginName, bytes: u64);
    /// It is done, or was refused.
    fn ended(&self, plugin: &PluginName);
    /// Another process, the one of this number where that is known, has the ledger, and a run waits for it.
    fn waiting_for_ledger(&self, holder: Option<u32>) {
        let _ = holder;
    }
}

impl Preparing for () {
    fn begun(&self, _plugin: &PluginName, _bytes: u64) {}
    fn ended(&self, _plugin: &PluginName) {}
}

/// The sandbox as the catalog's inspector, told aloud.
pub(crate) struct Aloud {
    pub(crate) sandbox: Sandbox,
    pub(crate) preparing: Arc<dyn Preparing>,
}

#[async_trait]
impl Inspect for Aloud {
    async fn inspect(&self, name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError> {
        self.preparing.begun(name, component.len() as u64);
        let inspected = Inspect::inspect(&self.sandbox, name, component).await;
        self.preparing.ended(name);
        inspected
    }
}
