//! Where everything lies, and what the operator allows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toolcrib_policy::{OperatorFile, PolicyError};
use toolcrib_sandbox::{Network, SystemNetwork, WorkerCommand};
use toolcrib_secrets::{SecretStore, StoreConfig};

use crate::error::CribError;
use crate::prepare::Preparing;

/// The name of the operator's file.
pub const OPERATOR_FILE: &str = "toolcrib.toml";

/// The folders of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The ledger and the key of the compile cache. Losing it loses the proof.
    pub data: PathBuf,
    /// Compiled code and the catalog's index. Losing it costs time.
    pub cache: PathBuf,
    /// The identity that secrets are encrypted to. It does not lie with the data, so that a copy of these shows no secret.
    pub config: PathBuf,
    /// The user's own plugins.
    pub user_plugins: PathBuf,
    /// The project's plugins, in the order of their names on the command line.
    pub project_plugins: Vec<PathBuf>,
}

impl Folders {
    /// The usual places: `TOOLCRIB_HOME` with everything below it, else the XDG base directories, else those below
    /// `HOME`; and `./plugins` of the project. `lookup` gives environment variables.
    ///
    /// # Errors
    ///
    /// None of the variables is set.
    pub fn usual(project: &Path, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let below_home = |path: &str| set("HOME").map(|home| home.join(path));
        let project_plugins = vec![project.join("plugins")];
        if let Some(home) = set("TOOLCRIB_HOME") {
            let user_plugins = home.join("plugins");
            let (data, cache, config) = (home.join("data"), home.join("cache"), home.join("config"));
            return Ok(Folders { data, cache, config, user_plugins, project_plugins });
        }
        let xdg = |name: &str, usual: &str| {
            let base = set(name).filter(|path| path.is_absolute()).or_else(|| below_home(usual));
            base.map(|base| base.join("toolcrib")).ok_or(SettingsError::NoHome)
        };
        let data = xdg("XDG_DATA_HOME", ".local/share")?;
        let cache = xdg("XDG_CACHE_HOME", ".cache")?;
        let config = xdg("XDG_CONFIG_HOME", ".config")?;
        let user_plugins = data.join("plugins");
        Ok(Folders { data, cache, config, user_plugins, project_plugins })
    }
}

/// The bytes of the key that compiled code is authenticated with.
const KEY_BYTES: u64 = 32;

impl Folders {
    /// The file with the key of the compile cache.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.data.join("compile-cache.key")
    }

    /// Makes the folders for data (for its owner only) and cache.
    ///
    /// # Errors
    ///
    /// One cannot be made; the error names it.
    pub fn make(&self) -> Result<(), CribError> {
        let mut private = std::fs::DirBuilder::new();
        private.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
        private.create(&self.data).map_err(|error| CribError::Place {
            path: self.data.display().to_string(),
            why: format!("cannot hold the ledger ({error}): name another place with --home or `XDG_DATA_HOME`"),
        })?;
        self.check_cache()
    }

    /// The file with what plugins keep from one call to the next.
    pub(crate) fn state_file(&self) -> PathBuf {
        self.data.join("state.db")
    }

    /// The file with the key that checkpoints of the ledger are signed with.
    pub fn signing_key(&self) -> PathBuf {
        self.data.join("checkpoint.key")
    }

    /// Checks what no plugin can do without: a place for compiled code, and a whole key for it where there is one.
    ///
    /// # Errors
    ///
    /// The cache folder cannot be made or the key cannot be used; the error says what to do.
    pub fn check_cache(&self) -> Result<(), CribError> {
        let place = |path: &Path, why: String| CribError::Place { path: path.display().to_string(), why };
        std::fs::create_dir_all(&self.cache).map_err(|error| {
            place(
                &self.cache,
                format!("cannot hold compiled plugins ({error}): name another place with --home or `XDG_CACHE_HOME`"),
            )
        })?;
        let key = self.key_file();
        match std::fs::metadata(&key) {
            Ok(found) if !found.is_file() || found.len() != KEY_BYTES => Err(place(
                &key,
                format!(
                    "is damaged ({} bytes, not {KEY_BYTES}): remove it, the next command makes a new one",
                    found.len()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no place for data.
    #[error("there is no place for data: neither `TOOLCRIB_HOME` nor `HOME` is set")]
    NoHome,
    /// The operator's file could not be read.
    #[error("`{}` could not be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The operator's file is wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// What a crib is opened with.
#[derive(Clone)]
pub struct Settings {
    /// Where everything lies.
    pub folders: Folders,
    /// What the operator allows.
    pub operator: OperatorFile,
    /// The program that compiles untrusted components.
    pub worker: WorkerCommand,
    /// How names are resolved and connections made.
    pub network: Arc<dyn Network>,
    /// Environment variables that grants may show to plugins.
    pub environment: Arc<[(String, String)]>,
    /// Who is told of components that are compiled.
    pub preparing: Arc<dyn Preparing>,
}

impl Settings {
    /// Settings with the system's network and environment.
    pub fn new(folders: Folders, operator: OperatorFile, worker: WorkerCommand) -> Self {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Settings {
            folders,
            operator,
            worker,
            network: Arc::new(SystemNetwork::new()),
            environment: environment.collect::<Vec<_>>().into(),
            preparing: Arc::new(()),
        }
    }

    /// The secrets of this installation. Nothing is read yet.
    pub fn secret_store(&self) -> SecretStore {
        let settings = self.operator.secret_settings();
        SecretStore::new(StoreConfig {
            sources: settings.sources.clone(),
            file: self.folders.data.join("secrets.age"),
            identity: self.secret_identity(),
            environment: self.environment.clone(),
        })
    }

    /// The file with the identity that secrets are encrypted to.
    pub fn secret_identity(&self) -> PathBuf {
        let settings = self.operator.secret_settings();
        settings.identity.clone().unwrap_or_else(|| self.folders.config.join("secrets.key"))
    }

    /// Reads the operator's file: `given`, else `toolcrib.toml` in the project, else nothing is granted.
    ///
    /// # Errors
    ///
    /// A file that was given is not there, or a file says something wrong.
    pub fn operator_file(project: &Path, given: Option<&Path>) -> Result<OperatorFile, SettingsError> {
        let path = given.map_or_else(|| project.join(OPERATOR_FILE), Path::to_owned);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
                let base = absolute.parent().unwrap_or(project);
                Ok(OperatorFile::parse(&text, &path.display().to_string(), base)?)
            }
            Err(source) if given.is_none() && source.kind() == std::io::ErrorKind::NotFound => {
                Ok(OperatorFile::empty(project))
            }
            Err(source) => Err(SettingsError::Unreadable { path, source }),
        }
    }
}
