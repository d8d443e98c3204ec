//! The sandbox: engines, compiled code, and calls.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use toolcrib_policy::{Authority, Digest};
use wasmtime::component::{Component, Linker};

use crate::call::{self, Call, CallState};
use crate::capability::http::{Network, SystemNetwork};
use crate::capability::link_all;
use crate::compile::{self, Cache, Compiled, Compiler, WorkerCommand};
use crate::engine::{Engines, MEMORIES_MAX, Pooling, Profile};
use crate::error::{LoadError, SandboxError};
use crate::info::PluginInfo;
use crate::outcome::{CallError, CallReport};
use crate::plugin::{Plugin, Template};

/// Raised when the tools that are reflected from a component change: what was kept of them is read anew.
const REFLECTION: u32 = 2;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The program that compiles untrusted components in a process of its own.
    pub worker: WorkerCommand,
    /// Where compiled code is kept; without it, each process compiles again.
    pub cache: Option<CacheConfig>,
    /// How names are resolved and connections made. Tests give one that records and never connects.
    pub network: Arc<dyn Network>,
    /// How instances get their memory.
    pub pooling: Pooling,
}

/// Where compiled code is kept.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// The folder for compiled code.
    pub folder: PathBuf,
    /// The file with the key that authenticates it. Made where there is none; readable by its owner alone.
    pub key_file: PathBuf,
}

impl SandboxConfig {
    /// The usual configuration: the system's network, tuned pools, no cache.
    pub fn new(worker: WorkerCommand) -> Self {
        SandboxConfig { worker, cache: None, network: Arc::new(SystemNetwork::new()), pooling: Pooling::default() }
    }
}

/// Runs components. Cloning gives another handle to the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    config: SandboxConfig,
    engines: Engines,
    compiler: Compiler,
    small: OnceLock<Linked>,
    large: OnceLock<Linked>,
}

/// What belongs to one engine.
struct Linked {
    linker: Linker<CallState>,
    cache: Option<Cache>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Sets a sandbox up. Engines start when the first component of their profile is loaded.
    pub fn new(config: SandboxConfig) -> Self {
        let compiler = Compiler::new(config.worker.clone());
        let engines = Engines::new(config.pooling);
        Sandbox(Arc::new(Inner { config, engines, compiler, small: OnceLock::new(), large: OnceLock::new() }))
    }

    /// What a component is. Its compiled code goes into the cache on the way.
    ///
    /// # Errors
    ///
    /// Says why the component cannot be a plugin.
    pub async fn inspect(&self, component: &[u8]) -> Result<PluginInfo, LoadError> {
        Ok(self.load(component).await?.info.clone())
    }

    /// Makes a component ready for calls: compiled or found in the cache, linked, its tools known.
    ///
    /// # Errors
    ///
    /// Says why the component cannot be a plugin.
    pub async fn load(&self, component: &[u8]) -> Result<Arc<Plugin>, LoadError> {
        let profile = Profile::for_component(component.len());
        let digest = Digest::of(component);
        let linked = self.linked(profile).map_err(|e| LoadError::Engine(e.to_string()))?;
        let compiled = compile::compile(&self.0.compiler, linked.cache.as_ref(), profile, &digest, component).await?;
        let mut plugin = self.link(profile, linked, digest, &compiled)?;
        self.list_tools(&mut plugin, linked).await?;
        Ok(Arc::new(plugin))
    }

    /// Calls a tool. There is a receipt whatever happens.
    pub async fn call(&self, plugin: &Plugin, call: Call) -> CallReport {
        match self.0.engines.get(plugin.profile) {
            Ok(engine) => {
                let _slot = match self.slot(plugin, &call).await {
                    Ok(slot) => slot,
                    Err(error) => return CallReport::not_made(error),
                };
                call::run(engine, &plugin.template, &self.0.config.network, call).await
            }
            // A plugin exists only after its engine started.
            Err(error) => {
                CallReport { outcome: Err(CallError::new("engine", error.to_string())), receipt: Default::default() }
            }
        }
    }

    /// A place for a call. One that is inside another waits until there is one at its depth, or it is cancelled.
    async fn slot(&self, plugin: &Plugin, call: &Call) -> Result<tokio::sync::SemaphorePermit<'_>, CallError> {
        let slots = self.0.engines.slots(plugin.profile);
        let busy = || CallError::new("busy", "all places for calls are taken at this moment; try again");
        if call.depth == 0 {
            return slots.outer(plugin.memories).ok_or_else(busy);
        }
        tokio::select! {
            biased;
            slot = slots.inner(call.depth, plugin.memories) => slot.map_err(|_| busy()),
            () = call.cancel.cancelled() => Err(CallError::new("cancelled", "the call was cancelled")),
        }
    }

    /// What makes the compiled code and reflected schemas of this sandbox differ from another's.
    pub fn version_key(&self) -> String {
        format!("{}/wasmtime-48/reflection-{REFLECTION}", env!("CARGO_PKG_VERSION"))
    }

    #[cfg(feature = "measure")]
    pub(crate) fn engine(&self, profile: Profile) -> Result<&wasmtime::Engine, SandboxError> {
        self.0.engines.get(profile)
    }

    #[cfg(feature = "measure")]
    pub(crate) fn network(&self) -> &Arc<dyn Network> {
        &self.0.config.network
    }

    fn linked(&self, profile: Profile) -> Result<&Linked, SandboxError> {
        let slot = match profile {
            Profile::Small => &self.0.small,
            Profile::Large => &self.0.large,
        };
        if let Some(linked) = slot.get() {
            return Ok(linked);
        }
        let engine = self.0.engines.get(profile)?;
        let mut linker = Linker::new(engine);
        link_all(&mut linker)?;
        let open = |config: &CacheConfig| {
            Cache::open(&config.folder, &config.key_file, profile, engine)
                .map_err(|source| SandboxError::Cache { path: config.folder.clone(), source })
        };
        let cache = self.0.config.cache.as_ref().map(open).transpose()?;
        Ok(slot.get_or_init(|| Linked { linker, cache }))
    }

    fn link(
        &self,
        profile: Profile,
        linked: &Linked,
        digest: Digest,
        compiled: &Compiled,
    ) -> Result<Plugin, LoadError> {
        let engine = self.0.engines.get(profile).map_err(|e| LoadError::Engine(e.to_string()))?;
        #[expect(
            unsafe_code,
            reason = "the bytes come from this process's own compile worker, or from the cache with a valid \
                      authentication code; `compile` gives no others"
        )]
        // SAFETY: see the reason above.
        let component = unsafe { Component::deserialize(engine, &compiled.code) }.map_err(|e| unfit(&e))?;
        refuse_unknown_imports(&component)?;
        let pre = linked
            .linker
            .instantiate_pre(&component)
            .map_err(|e| LoadError::Rejected(format!("an import does not have the type that it should: {e:#}")))?;
        let (template, info) = Template::new(digest, &component, pre, &compiled.facts)?;
        // A component of a kind that the engine cannot count takes the most that one may have.
        let memories = component.resources_required().map_or(MEMORIES_MAX, |needs| needs.num_memories.max(1));
        Ok(Plugin { info, profile, memories, template })
    }

    /// A describing plugin is asked once, with no capability, and what it said is kept beside its code.
    async fn list_tools(&self, plugin: &mut Plugin, linked: &Linked) -> Result<(), LoadError> {
        let Template::Describing(describing) = &plugin.template else {
            return Ok(());
        };
        let kept = linked.cache.as_ref().and_then(|cache| cache.get("tools", &plugin.info.digest));
        if let Some(tools) = kept.and_then(|bytes: Bytes| serde_json::from_slice(&bytes).ok()) {
            plugin.info.tools = tools;
            return Ok(());
        }
        let engine = self.0.engines.get(plugin.profile).map_err(|e| LoadError::Engine(e.to_string()))?;
        let listing = self.0.engines.slots(plugin.profile).listing(plugin.memories).await;
        let _slot = listing.map_err(|error| LoadError::Engine(error.to_string()))?;
        let asked = Call::new("", serde_json::Value::Null, Arc::new(Authority::nothing()));
        let tools = call::list_tools(engine, describing, &self.0.config.network, &asked)
            .await
            .map_err(|error| LoadError::ListTools(error.to_string()))?;
        if let (Some(cache), Ok(bytes)) = (&linked.cache, serde_json::to_vec(&tools)) {
            cache.put("tools", &plugin.info.digest, &bytes);
        }
        plugin.info.tools = tools;
        Ok(())
    }
}

/// The worker's engine has no pools, so that what is too large for them shows only here.
fn unfit(error: &wasmtime::Error) -> LoadError {
    let cause = error.root_cause().to_string();
    // These errors of the engine have no public type; a test for each holds their words.
    if cause.contains("exceeds the") {
        return LoadError::Rejected(format!("it asks for more than any call may have: {cause}"));
    }
    LoadError::Engine(format!("{error:#}"))
}

/// Names every import that this host does not have, not just the first.
fn refuse_unknown_imports(component: &Component) -> Result<(), LoadError> {
    let engine = component.engine();
    let unknown: Vec<String> = component
        .component_type()
        .imports(engine)
        .map(|(name, _)| name)
        .filter(|name| !crate::capability::supports(name))
        .map(str::to_owned)
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(LoadError::Imports(unknown)) }
}
