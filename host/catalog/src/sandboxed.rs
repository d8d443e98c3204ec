//! Inspection by the real engine.

use async_trait::async_trait;
use bytes::Bytes;
use toolcrib_sandbox::{LoadError, PluginInfo, Sandbox};

use crate::inspect::{Inspect, InspectError};

#[async_trait]
impl Inspect for Sandbox {
    async fn inspect(&self, component: Bytes) -> Result<PluginInfo, InspectError> {
        Sandbox::inspect(self, &component).await.map_err(|error| {
            let (code, message) = (error.code().into(), error.to_string());
            // The host's own trouble passes; everything else is in the bytes. Compiling that took too long counts as
            // trouble: the machine may have been busy.
            match error {
                LoadError::Worker(_) | LoadError::CompileLimit(_) | LoadError::Engine(_) => {
                    InspectError::Unavailable { code, message }
                }
                _ => InspectError::Rejected { code, message },
            }
        })
    }
}
