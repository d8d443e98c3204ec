//! Why something could not be done at all, as opposed to a call that failed or a run that did not reach its goal.

use toolcrib_catalog::{CatalogError, LockError, Problem};
use toolcrib_ledger::LedgerError;
use toolcrib_policy::{PluginName, PolicyError, ToolName};
use toolcrib_sandbox::LoadError;

use crate::admission::Held;

/// What went wrong before, or beside, a call or a run.
#[derive(Debug, thiserror::Error)]
pub enum CribError {
    /// No tool has the name.
    #[error("there is no tool `{name}`{}", did_you_mean(.near))]
    UnknownTool {
        /// The name as it was given.
        name: String,
        /// Tools with similar names or words.
        near: Vec<ToolName>,
    },
    /// The folders of a run cannot be put back.
    #[error("run {run} cannot be rolled back: {why}")]
    Rollback {
        /// The run.
        run: String,
        /// Why not.
        why: String,
    },
    /// No plugin has the name.
    #[error("there is no plugin `{0}`; `toolcrib tools` lists what there is")]
    UnknownPlugin(String),
    /// There is a file for the plugin, and it is no plugin.
    #[error("{0}")]
    Refused(Problem),
    /// The catalog did not give the component.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The component cannot be run.
    #[error("plugin `{plugin}`: {source}")]
    Load {
        /// The plugin.
        plugin: PluginName,
        /// Why.
        source: LoadError,
    },
    /// The operator's ceiling rejects an import.
    #[error(
        "plugin `{plugin}` imports `{import}`, which the operator's ceiling rejects (`reject-imports` has `{line}`)"
    )]
    ImportRejected {
        /// The plugin.
        plugin: PluginName,
        /// The import.
        import: String,
        /// The line that rejects it.
        line: String,
    },
    /// The operator's rules do not fit the tools that are there.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The plugin waits for a person.
    #[error("plugin `{plugin}` is kept out: {why}")]
    Held {
        /// The plugin.
        plugin: PluginName,
        /// Why.
        why: Box<Held>,
    },
    /// The lock cannot be read or written.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be written or read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A run's events are not those of a run.
    #[error("run {run} cannot be read: {why}")]
    Run {
        /// The run.
        run: String,
        /// What is wrong with it.
        why: String,
    },
    /// A flow does not fit the tools that are there.
    #[error("the flow cannot be run: {}", .0.join("; "))]
    Flow(Vec<String>),
    /// The plan that a person wrote for a run cannot be used.
    #[error("the plan cannot be used: {}", .0.join("; "))]
    Plan(Vec<String>),
    /// A run's plan cannot be changed, because it is not held.
    #[error(
        "run {run} is not held ({how}): only a plan of which nothing was done can be changed; `toolcrib run --plan GOAL` holds one"
    )]
    NotHeld {
        /// The run.
        run: String,
        /// Where it is.
        how: &'static str,
    },
    /// A run is over for good.
    #[error(
        "run {run} is over ({how}) and cannot go on; `toolcrib fork {run} --at EVENT` begins another one where it was"
    )]
    Over {
        /// The run.
        run: String,
        /// How it ended.
        how: &'static str,
    },
    /// A run cannot be forked there.
    #[error("run {run} cannot be forked at event {at}: {why}")]
    Fork {
        /// The run.
        run: String,
        /// The event.
        at: u64,
        /// Why not, and where it can.
        why: String,
    },
    /// The language model cannot be used.
    #[error("{0}")]
    Model(String),
    /// A budget in money cannot be kept.
    #[error("{0}")]
    Prices(String),
    /// A folder or file of the installation cannot be used.
    #[error("`{path}` {why}")]
    Place {
        /// The folder or file.
        path: String,
        /// What is wrong with it, and the way out.
        why: String,
    },
    /// A file could not be read.
    #[error("`{path}`: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl CribError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CribError::UnknownTool { .. } => "no-such-tool",
            CribError::UnknownPlugin(_) => "no-such-plugin",
            CribError::Refused(_) => "plugin-refused",
            CribError::Catalog(error) => error.code(),
            CribError::Load { source, .. } => source.code(),
            CribError::ImportRejected { .. } => "import-denied",
            CribError::Policy(_) => "policy",
            CribError::Held { why, .. } => why.code(),
            CribError::Lock(_) => "lock",
            CribError::Ledger(LedgerError::NoRun { .. }) => "no-such-run",
            CribError::Ledger(LedgerError::AmbiguousRun { .. }) => "ambiguous-run",
            CribError::Ledger(LedgerError::NoEvent { .. }) => "no-such-event",
            CribError::Ledger(LedgerError::NoLedger { .. }) => "no-ledger",
            CribError::Ledger(LedgerError::Exists { .. }) => "ledger-exists",
            CribError::Ledger(LedgerError::Locked { .. }) => "ledger-in-use",
            CribError::Ledger(error) if error.is_disk_full() => "disk-full",
            CribError::Ledger(_) => "ledger",
            CribError::Run { .. } => "run-unreadable",
            CribError::Flow(_) => "flow",
            CribError::Plan(_) => "plan",
            CribError::NotHeld { .. } => "run-not-held",
            CribError::Over { .. } => "run-over",
            CribError::Fork { .. } => "fork",
            CribError::Rollback { .. } => "rollback",
            CribError::Model(_) => "model",
            CribError::Prices(_) => "prices",
            CribError::File { .. } => "file",
            CribError::Place { .. } => "place",
        }
    }
}

fn did_you_mean(near: &[ToolName]) -> String {
    if near.is_empty() {
        return "; `toolcrib tools` lists what there is".to_owned();
    }
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", names.join(" or "))
}
