//! Either kind of plugin, ready for calls.

use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

use super::describing::Describing;
use super::reflected::Reflected;
use crate::call::{Call, CallState};
use crate::compile::Facts;
use crate::error::LoadError;
use crate::info::{PluginInfo, PluginKind};
use crate::outcome::{CallError, ToolOutput};
use toolcrib_policy::Digest;

/// What a fresh instance is made from.
pub(crate) enum Template {
    Describing(Describing),
    Reflected(Reflected),
}

impl Template {
    /// Finds out which kind a component is. The tools of a describing one are not known yet.
    pub(crate) fn new(
        digest: Digest,
        component: &Component,
        pre: InstancePre<CallState>,
        facts: &Facts,
    ) -> Result<(Self, PluginInfo), LoadError> {
        let engine = component.engine();
        let ty = component.component_type();
        let imports: Vec<String> = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
        let exports: Vec<String> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
        let contract = exports.iter().find(|name| name.split('@').next() == Some(Describing::INTERFACE));
        let (template, kind, tools, skipped) = match contract {
            Some(version) => {
                let describing = Template::Describing(Describing::new(component, pre, version)?);
                (describing, PluginKind::Describing, Vec::new(), Vec::new())
            }
            None => {
                let (reflected, tools, skipped) = Reflected::new(component, pre, facts)?;
                (Template::Reflected(reflected), PluginKind::Reflected, tools, skipped)
            }
        };
        Ok((template, PluginInfo { digest, kind, tools, imports, exports, skipped }))
    }

    /// Calls a tool; gives the result and its size in bytes.
    pub(crate) async fn call(
        &self,
        store: &mut Store<CallState>,
        call: &Call,
        arguments: &str,
    ) -> Result<(ToolOutput, u64), CallError> {
        match self {
            Template::Describing(plugin) => plugin.call(store, call, arguments).await,
            Template::Reflected(plugin) => plugin.call(store, call).await,
        }
    }
}
