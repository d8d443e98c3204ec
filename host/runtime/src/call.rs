//! One call of one tool, by its qualified name.

use std::sync::Arc;

use serde_json::Value;
use toolcrib_agent::Person;
use toolcrib_model::Model;
use toolcrib_policy::Authority;
use toolcrib_sandbox::{Call, CancellationToken};

use crate::crib::Crib;
use crate::error::CribError;
use crate::services::CallServices;

pub use toolcrib_sandbox::CallReport;

/// Shown how far a call has come: done, total, message.
pub type Progress = Arc<dyn Fn(u64, Option<u64>, &str) + Send + Sync>;

/// Who calls: what a tool reaches when it reports, asks, or wants a completion.
#[derive(Clone, Default)]
pub struct Caller {
    /// Sees progress.
    pub progress: Option<Progress>,
    /// Answers questions.
    pub person: Option<Arc<dyn Person>>,
    /// Completes prompts.
    pub model: Option<Arc<dyn Model>>,
}

impl Crib {
    /// Calls a tool. A call that failed is a report, with its receipt.
    ///
    /// # Errors
    ///
    /// There is no such tool, or its plugin cannot be loaded.
    pub async fn call(
        &self,
        tool: &str,
        arguments: Value,
        caller: Caller,
        cancel: CancellationToken,
    ) -> Result<CallReport, CribError> {
        self.call_inside(tool, arguments, caller, cancel, None, 0).await
    }

    pub(crate) async fn call_inside(
        &self,
        tool: &str,
        arguments: Value,
        caller: Caller,
        cancel: CancellationToken,
        delegated: Option<&Authority>,
        depth: u8,
    ) -> Result<CallReport, CribError> {
        let (plugin, tool) = self.tool(tool)?;
        let loaded = self.load(&plugin).await?;
        let authority = Arc::new(self.authority(&plugin, delegated));
        let services =
            CallServices { crib: self.clone(), authority: authority.clone(), caller, cancel: cancel.clone(), depth };
        let mut call = Call::new(tool.name().tool(), arguments, authority);
        call.environment = self.0.settings.environment.clone();
        call.services = Arc::new(services);
        call.cancel = cancel;
        Ok(self.0.sandbox.call(&loaded, call).await)
    }
}
