//! The crib: the catalog, the sandbox, and the operator's word.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use toolcrib_catalog::{Catalog, CatalogConfig, Embedded, Plugin, Problem, Rank, Severity, Snapshot, Sources, Tool};
use toolcrib_ledger::{Ledger, LedgerError};
use toolcrib_policy::{
    Authority, Effect, HttpTarget, Method, OperatorFile, PluginName, Requests, RuleWarning, ToolName, ToolShape, Trust,
};
use toolcrib_sandbox::{CacheConfig, Sandbox, SandboxConfig, Vault};
use toolcrib_store::State;

use crate::admission::Admission;
use crate::approvals::{Spool, inbox};
use crate::credentials::Safe;
use crate::error::CribError;
use crate::plugins::Loaded;
use crate::prepare::Aloud;
use crate::settings::Settings;

/// How long a run waits for a ledger that another process has. Most runs end sooner; one that does not is worth knowing of.
const LEDGER_PATIENCE: Duration = Duration::from_secs(5);
/// After how long somebody is told that it waits.
const LEDGER_NOTICE: Duration = Duration::from_secs(1);
const LEDGER_RETRY: Duration = Duration::from_millis(100);

/// Similar tools that an error names.
const NEAR: usize = 3;

/// Everything that a door needs. Cloning gives another handle to the same crib.
#[derive(Clone)]
pub struct Crib(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) sandbox: Sandbox,
    pub(crate) catalog: Catalog,
    pub(crate) loaded: Loaded,
    pub(crate) admission: Admission,
    pub(crate) vault: Arc<dyn Vault>,
    /// Buckets, and how often requests were sent.
    pub(crate) state: Arc<State>,
}

impl Crib {
    /// Opens the crib: looks at the plugins, compares them with the lock, and reads nothing else yet.
    ///
    /// # Errors
    ///
    /// The lock cannot be used, or a rule of the operator speaks of an argument that no tool has.
    pub async fn open(settings: Settings) -> Result<Self, CribError> {
        let folders = &settings.folders;
        let mut config = SandboxConfig::new(settings.worker.clone());
        config.network = settings.network.clone();
        config.cache = Some(CacheConfig { folder: folders.cache.join("compiled"), key_file: folders.key_file() });
        let sandbox = Sandbox::new(config);
        let catalog = CatalogConfig {
            sources: Sources {
                project: folders.project_plugins.clone(),
                user: Some(folders.user_plugins.clone()),
                embedded: embedded(),
            },
            cache_dir: Some(folders.cache.join("catalog")),
            engine: sandbox.version_key(),
            parallel: None,
        };
        let inspector = Aloud { sandbox: sandbox.clone(), preparing: settings.preparing.clone() };
        let catalog = Catalog::open(catalog, Arc::new(inspector)).await;
        let (loaded, admission) = (Loaded::default(), Admission::default());
        let state = Arc::new(State::at(settings.folders.state_file()));
        let store = Arc::new(settings.secret_store());
        let vault = Arc::new(Safe::new(store, &settings.operator, &settings.network));
        let crib = Crib(Arc::new(Inner { settings, sandbox, catalog, loaded, admission, vault, state }));
        crib.admit().await?;
        crib.rule_warnings()?;
        Ok(crib)
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// The catalog as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.catalog.snapshot()
    }

    /// What the crib was opened with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What the operator allows.
    pub fn operator(&self) -> &OperatorFile {
        &self.0.settings.operator
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// The ledger, for writing, after some waiting where another process has it: runs that were started together come
    /// one after the other.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or another process still has it once the patience has ended.
    pub async fn ledger_in_turn(&self) -> Result<Ledger, CribError> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let holder = match Ledger::open(&self.0.settings.folders.data).map_err(CribError::from) {
                Err(CribError::Ledger(LedgerError::Locked { pid, .. })) if begun.elapsed() < LEDGER_PATIENCE => pid,
                Ok(ledger) => {
                    inbox::sweep(&ledger, &Spool::in_data(&self.0.settings.folders.data))?;
                    return Ok(ledger);
                }
                Err(error) => return Err(error),
            };
            if !told && begun.elapsed() >= LEDGER_NOTICE {
                told = true;
                self.0.settings.preparing.waiting_for_ledger(holder);
            }
            tokio::time::sleep(LEDGER_RETRY).await;
        }
    }

    /// The ledger, for reading, also while another process writes.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn ledger_read_only(&self) -> Result<Ledger, CribError> {
        Ok(Ledger::open_read_only(&self.0.settings.folders.data)?)
    }

    /// The tool of that name.
    ///
    /// # Errors
    ///
    /// There is none; the error names similar ones.
    pub fn tool(&self, name: &str) -> Result<(Arc<Plugin>, Arc<Tool>), CribError> {
        let snapshot = self.snapshot();
        let found = name
            .parse::<ToolName>()
            .ok()
            .and_then(|name| Some((snapshot.plugin(name.plugin())?.clone(), snapshot.tool(&name)?.clone())));
        found.ok_or_else(|| {
            if let Some(refused) = self.refused_plugin(name.split('.').next().unwrap_or(name)) {
                return refused;
            }
            let near = snapshot.search(name, NEAR).into_iter().map(|hit| hit.tool.name().clone()).collect();
            CribError::UnknownTool { name: name.escape_debug().to_string(), near }
        })
    }

    /// The plugin of that name.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn plugin(&self, name: &str) -> Result<Arc<Plugin>, CribError> {
        let unknown = || {
            let refused = self.refused_plugin(name);
            refused.unwrap_or_else(|| CribError::UnknownPlugin(name.escape_debug().to_string()))
        };
        let parsed = PluginName::try_from(name).map_err(|_| unknown())?;
        self.snapshot().plugin(&parsed).cloned().ok_or_else(unknown)
    }

    /// Why there is no plugin of that name although there is a file for one.
    fn refused_plugin(&self, name: &str) -> Option<CribError> {
        let snapshot = self.snapshot();
        let is_it = |problem: &&Problem| {
            let of_file = || problem.path.file_stem().is_some_and(|stem| stem == name);
            problem.severity == Severity::Refused
                && problem.plugin.as_ref().map_or_else(of_file, |plugin| plugin.as_str() == name)
        };
        snapshot.problems().iter().find(is_it).map(|problem| CribError::Refused(problem.clone()))
    }

    /// What a plugin asks for: what its manifest says, else all that its imports could use.
    pub fn requests(plugin: &Plugin) -> Requests {
        match plugin.manifest() {
            Some(manifest) => manifest.requests.clone(),
            None => Requests::from_imports(plugin.imports()),
        }
    }

    /// What a plugin may do.
    pub fn authority(&self, plugin: &Plugin, delegated: Option<&Authority>) -> Authority {
        self.operator().authority(plugin.name(), &Self::requests(plugin), delegated)
    }

    /// The operator's rules, held against the tools that are there: what they say that will not do what it seems to.
    ///
    /// # Errors
    ///
    /// A rule speaks of an argument that none of its tools has.
    pub fn rule_warnings(&self) -> Result<Vec<RuleWarning>, CribError> {
        self.warnings_of_rules_in(self.operator())
    }

    /// The same with the rules of another operator's file.
    ///
    /// # Errors
    ///
    /// As [`Crib::rule_warnings`].
    pub fn warnings_of_rules_in(&self, operator: &OperatorFile) -> Result<Vec<RuleWarning>, CribError> {
        if operator.rules().is_empty() && operator.relabels().is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.snapshot();
        let tools: Vec<&dyn ToolShape> = snapshot.tools().iter().map(|tool| &**tool as &dyn ToolShape).collect();
        Ok(operator.check_rules(&tools)?)
    }

    /// The effect class of a tool that counts.
    pub fn effect(&self, plugin: &Plugin, tool: &Tool) -> Effect {
        self.effect_with_calls(plugin, tool)
    }

    /// The effect class of a tool that would count under another operator's file.
    pub fn effect_under(operator: &OperatorFile, plugin: &Plugin, tool: &Tool) -> Effect {
        let trust = if plugin.origin().rank() == Rank::Embedded { Trust::FirstParty } else { Trust::Stranger };
        let authority = operator.authority(plugin.name(), &Self::requests(plugin), None);
        authority.effect_of(tool.name().tool(), tool.declared_effect(), trust)
    }

    /// The effect class of one call. The first-party `http.fetch` does what its method says: safe methods change nothing
    /// (RFC 9110, 9.2.1), and a request that carries an idempotency key is done once however often it comes.
    pub fn effect_of_call(&self, plugin: &Plugin, tool: &Tool, arguments: &Value) -> Effect {
        let effect = self.effect(plugin, tool);
        if plugin.origin().rank() != Rank::Embedded || tool.name().to_string() != "http.fetch" {
            return effect;
        }
        let text = |name: &str, usual| arguments.get(name).map_or(Some(usual), Value::as_str);
        let (Some(method), Some(url)) = (text("method", "GET"), text("url", "")) else { return effect };
        if Method::parse(method).is_ok_and(|method| method.is_safe()) {
            return Effect::Read;
        }
        let authority = self.authority(plugin, None);
        let keyed = |target| authority.http(&target).is_ok_and(|grant| grant.key().is_some());
        let said = authority.says_effect_of(tool.name().tool());
        let keyed = !said && HttpTarget::parse(method, url).is_ok_and(keyed);
        if keyed { Effect::Idempotent } else { effect }
    }
}

fn embedded() -> Vec<Embedded> {
    let embed = |plugin: &toolcrib_bundled::Bundled| Embedded {
        name: plugin.name,
        manifest_toml: plugin.manifest,
        component: plugin.component,
        digest: plugin.digest,
    };
    toolcrib_bundled::PLUGINS.iter().map(embed).collect()
}
