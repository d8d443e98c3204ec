//! From the command line to settings.

use std::path::Path;
use std::sync::Arc;

use toolcrib_runtime::ledger_store::{Ledger, LedgerError};
use toolcrib_runtime::policy::OperatorFile;
use toolcrib_runtime::sandbox::WorkerCommand;
use toolcrib_runtime::{Crib, CribError, Folders, Settings};
use tracing_subscriber::EnvFilter;

use crate::args::Common;
use crate::exit::BadInput;
use crate::render::{Notices, errln, plain};

/// The host's own log, on standard error. Quiet unless asked: what people need to know is printed as results.
pub(crate) fn logging(verbose: u8) {
    let level = match verbose {
        0 => "error",
        1 => "info,wasmtime=warn,cranelift=warn",
        _ => "debug,wasmtime=info,cranelift=info",
    };
    let filter = EnvFilter::try_from_env("TOOLCRIB_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // A second subscriber in the same process is no reason to stop.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().try_init();
}

/// The word before the profile on the command line of the compile worker, which no person types.
const COMPILE_WORKER: &str = "compile-worker";

/// The engine's profile, where this process is to compile one component for another process of this host.
pub(crate) fn compile_worker_profile(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> Option<String> {
    arguments.nth(1).filter(|word| word == COMPILE_WORKER)?;
    arguments.next()?.into_string().ok()
}

/// Opens the crib, and says what takes long on the way.
pub(crate) async fn crib_for_policy(common: &Common) -> anyhow::Result<Crib> {
    let mut settings = settings(common)?;
    settings.folders.check_cache()?;
    settings.preparing = Arc::new(Notices::default());
    Ok(Crib::open(settings).await?)
}

/// The same, and warns of rules that will not do what they seem to.
pub(crate) async fn crib(common: &Common) -> anyhow::Result<Crib> {
    let crib = crib_for_policy(common).await?;
    // A rule that speaks of no tool forbids nothing: its operator has to know at once.
    for warning in crib.rule_warnings()? {
        errln!("warning: {}", plain(&warning.to_string()));
    }
    Ok(crib)
}

/// Opens the crib with these grants instead of those of the operator's file.
pub(crate) async fn crib_with(common: &Common, operator: OperatorFile) -> anyhow::Result<Crib> {
    let mut settings = settings(common)?;
    settings.folders.check_cache()?;
    settings.preparing = Arc::new(Notices::default());
    settings.operator = operator;
    Ok(Crib::open(settings).await?)
}

/// Opens the crib without a word.
pub(crate) async fn quiet_crib(common: &Common) -> anyhow::Result<Crib> {
    let settings = settings(common)?;
    settings.folders.check_cache()?;
    Ok(Crib::open(settings).await?)
}

/// Opens the ledger for reading, where there is one. The plugins are not looked at.
pub(crate) fn ledger(common: &Common) -> anyhow::Result<Option<Ledger>> {
    match Ledger::open_read_only(settings(common)?.folders.data) {
        Ok(ledger) => Ok(Some(ledger)),
        Err(LedgerError::NoLedger { .. }) => Ok(None),
        Err(error) => Err(CribError::from(error).into()),
    }
}

/// Opens the ledger for writing. None is made where there is none.
pub(crate) fn ledger_for_writing(common: &Common) -> anyhow::Result<Ledger> {
    let data = settings(common)?.folders.data;
    // Looked at first, since opening one for writing would make it.
    Ledger::open_read_only(&data).and_then(|_| Ledger::open(&data)).map_err(|error| CribError::from(error).into())
}

/// Everything that the command line and the operator's file say.
pub(crate) fn settings(common: &Common) -> anyhow::Result<Settings> {
    let project = std::env::current_dir()?;
    let lookup = |name: &str| match name {
        "TOOLCRIB_HOME" => common.home.as_ref().map(|home| home.display().to_string()),
        name => std::env::var(name).ok(),
    };
    let mut folders = Folders::usual(&project, lookup)?;
    if !common.plugins.is_empty() {
        folders.project_plugins.clone_from(&common.plugins);
    }
    let mut operator = Settings::operator_file(&project, common.policy.as_deref())?;
    for grant in &common.grant {
        let (plugin, capability, line) = split_grant(grant)?;
        let plugin = plugin.parse().map_err(|e| BadInput(format!("--grant '{grant}': {e}")))?;
        operator.add_grant_from(&project, &plugin, capability, line).map_err(|e| BadInput(e.to_string()))?;
    }
    if let Some(judge) = &common.judge {
        operator.set_judge(judge.clone());
    }
    let worker = WorkerCommand { program: std::env::current_exe()?, arguments: vec![COMPILE_WORKER.to_owned()] };
    Ok(Settings::new(folders, operator, worker))
}

fn split_grant(grant: &str) -> Result<(&str, &str, &str), BadInput> {
    let parts = || {
        let (target, line) = grant.split_once('=')?;
        let (plugin, capability) = target.trim().split_once('.')?;
        Some((plugin, capability, line.trim()))
    };
    parts().ok_or_else(|| {
        BadInput(format!(
            "--grant '{grant}' is not 'PLUGIN.CAPABILITY=LINE', such as 'files.files=read ./docs as /docs' or \
             'http.http=GET https://example.com/**'"
        ))
    })
}

/// Raised by ctrl-C and by a request to terminate. A second one ends the process at once.
pub(crate) fn on_interrupt(first: impl Fn() + Send + Sync + 'static) {
    let first = Arc::new(first);
    tokio::spawn(async move {
        interrupt().await;
        crate::answer::interrupted();
        first();
        interrupt().await;
        std::process::exit(i32::from(crate::exit::CANCELLED));
    });
}

async fn interrupt() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Whether a path on the command line means a file rather than a name.
pub(crate) fn looks_like_file(text: &str) -> bool {
    text.contains('/') || text.ends_with(".wasm") || Path::new(text).is_file()
}
