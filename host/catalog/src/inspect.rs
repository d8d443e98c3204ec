//! How the catalog learns what a component's tools are, without knowing the engine.

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use toolcrib_policy::PluginName;
use toolcrib_sandbox::PluginInfo;

/// Looks into components. Called with the very bytes that the catalog has hashed.
#[async_trait]
pub trait Inspect: Send + Sync + 'static {
    /// What the component of the plugin `name` with these bytes is. Gives it no capability.
    async fn inspect(&self, name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError>;
}

/// Why a component could not be looked into. The catalog adds the path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// The bytes are at fault. The same bytes are not inspected again.
    #[error("{message}")]
    Rejected {
        /// A stable code, such as `component-invalid`.
        code: Cow<'static, str>,
        /// The cause and the way out.
        message: String,
    },
    /// The host is at fault: no memory, no process, a time-out. Tried again at the next reload.
    #[error("{message}")]
    Unavailable {
        /// A stable code, such as `compile-worker`.
        code: Cow<'static, str>,
        /// The cause and the way out.
        message: String,
    },
}
