//! Inspection by the real engine.

use async_trait::async_trait;
use bytes::Bytes;
use toolcrib_policy::PluginName;
use toolcrib_sandbox::{LoadError, PluginInfo, Sandbox};

use crate::inspect::{Inspect, InspectError};

#[async_trait]
impl Inspect for Sandbox {
    async fn inspect(&self, _name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError> {
        Sandbox::inspect(self, &component).await.map_err(|error| {
            let (code, message) = (error.code().into(), error.to_string());
            match error {
                // The host's own trouble passes; everything else is in the bytes.
                LoadError::Worker(_) | LoadError::Engine(_) => InspectError::Unavailable { code, message },
                // The machine may have been busy, but a component made to be slow must not hold up every start.
                LoadError::CompileLimit(_) => {
                    let message = format!("{message}; touch the file to try again");
                    InspectError::Rejected { code, message }
                }
                _ => InspectError::Rejected { code, message },
            }
        })
    }
}
