//! Components that export `toolcrib:tool/tools`: they describe their tools themselves.

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::contract;
use crate::bindings::tool::toolcrib::tool::types as wit;
use crate::call::{Call, CallState, from_tool, from_trap};
use crate::error::LoadError;
use crate::info::ToolInfo;
use crate::outcome::{CallError, ToolOutput};

/// Tools that one plugin may have.
const MAX_TOOLS: usize = 256;

/// A version of the contract, ready for calls. A later version becomes another type beside this one, and whoever
/// calls sees no difference.
///
/// The two functions are looked up once; a call checks the types of the one that it needs and no other.
pub(crate) struct Describing {
    pre: InstancePre<CallState>,
    list_tools: ComponentExportIndex,
    call_tool: ComponentExportIndex,
}

impl Describing {
    /// The interface that this version of the contract exports.
    pub(crate) const INTERFACE: &'static str = "toolcrib:tool/tools";

    /// The adapter for a component that exports `exported`, which is [`Self::INTERFACE`] in some version. Compatible
    /// versions find each other.
    pub(super) fn new(component: &Component, pre: InstancePre<CallState>, exported: &str) -> Result<Self, LoadError> {
        let spoken = format!("{}@0.1.0", Self::INTERFACE);
        let interface = component
            .get_export_index(None, &spoken)
            .ok_or_else(|| LoadError::Rejected(format!("it exports `{exported}`, and this host speaks `{spoken}`")))?;
        let find = |name: &str| {
            component
                .get_export_index(Some(&interface), name)
                .ok_or_else(|| LoadError::Rejected(format!("its `{exported}` has no function `{name}`")))
        };
        Ok(Describing { list_tools: find("list-tools")?, call_tool: find("call-tool")?, pre })
    }

    /// Asks the plugin for its tools.
    pub(crate) async fn list(&self, store: &mut Store<CallState>) -> Result<Vec<ToolInfo>, CallError> {
        let plugin = self.pre.instantiate_async(&mut *store).await.map_err(|e| trapped(store, &e))?;
        store.data_mut().limiter.instantiated();
        // A plugin whose other function has the wrong type is refused here and not at its first call.
        plugin
            .get_typed_func::<(&str, &str), (Result<wit::Output, wit::Error>,)>(&mut *store, self.call_tool)
            .map_err(|e| CallError::new("failed", format!("`call-tool` has the wrong type: {e:#}")))?;
        let list = plugin
            .get_typed_func::<(), (Result<Vec<wit::Tool>, wit::Error>,)>(&mut *store, self.list_tools)
            .map_err(|e| CallError::new("failed", format!("`list-tools` has the wrong type: {e:#}")))?;
        let (listed,) = list.call_async(&mut *store, ()).await.map_err(|e| trapped(store, &e))?;
        let tools = listed.map_err(contract::error_from_guest)?;
        if tools.len() > MAX_TOOLS {
            return Err(CallError::new("failed", format!("{} tools; a plugin may have {MAX_TOOLS}", tools.len())));
        }
        tools.into_iter().map(|tool| contract::tool_info(tool).map_err(|why| CallError::new("failed", why))).collect()
    }

    /// Calls a tool; gives the result and its size in bytes.
    pub(crate) async fn call(
        &self,
        store: &mut Store<CallState>,
        call: &Call,
        arguments: &str,
    ) -> Result<(ToolOutput, u64), CallError> {
        match self.invoke(store, &call.tool, arguments).await? {
            Ok(output) => {
                let bytes = output.structured.as_ref().map_or(0, String::len) as u64;
                Ok((contract::output_from_guest(output)?, bytes))
            }
            Err(error) => {
                let said = error.message.clone();
                Err(weighed(contract::error_from_guest(error), &said, store))
            }
        }
    }

    /// The guest's own answer to a call.
    pub(crate) async fn invoke(
        &self,
        store: &mut Store<CallState>,
        tool: &str,
        arguments: &str,
    ) -> Result<Result<wit::Output, wit::Error>, CallError> {
        let plugin = self.pre.instantiate_async(&mut *store).await.map_err(|e| trapped(store, &e))?;
        store.data_mut().limiter.instantiated();
        let function = plugin
            .get_typed_func::<(&str, &str), (Result<wit::Output, wit::Error>,)>(&mut *store, self.call_tool)
            .map_err(|e| trapped(store, &e))?;
        let called = function.call_async(&mut *store, (tool, arguments)).await;
        let (answer,) = called.map_err(|e| trapped(store, &e))?;
        Ok(answer)
    }
}

pub(super) fn trapped(store: &Store<CallState>, error: &wasmtime::Error) -> CallError {
    let state = store.data();
    from_trap(error, &state.record, &state.authority.limits, &state.capabilities.streams.stderr.peek())
}

/// A tool's own error, seen beside the record. `said` is the error in the tool's own words.
pub(super) fn weighed(error: CallError, said: &str, store: &Store<CallState>) -> CallError {
    let state = store.data();
    from_tool(error, said, &state.record, &state.authority.limits, &state.capabilities.streams.stderr.peek())
}
