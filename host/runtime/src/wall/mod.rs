//! The second wall: what the process gives up before the first guest runs.
//!
//! The sandbox and the policy decide what a guest may do. Should one of them have a hole, the system itself still says no:
//! the process cannot open what no plugin is granted, cannot start programs, cannot connect to ports that no grant names.
//! It is raised while the process has one thread, so that all later ones stand behind it, and it cannot be taken down.
//!
//! | what | held by |
//! |---|---|
//! | files outside the granted folders, the data, the cache and the system's libraries | Landlock |
//! | programs other than this one | Landlock |
//! | TCP to ports that no grant names; listening | Landlock, from Linux 6.7 |
//! | signals and abstract sockets of processes outside | Landlock, from Linux 6.12 |
//! | debugging others, mounting, kernel modules, keys, `io_uring`, namespaces, ... | a system-call filter |
//! | core dumps, which would hold secrets | a resource limit |

#[cfg(target_os = "linux")]
mod linux;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;
use toolcrib_policy::{Access, SecondWall, SecretSource};

use crate::settings::Settings;

/// What stays possible.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Files and folders that are read.
    pub read: Vec<PathBuf>,
    /// Folders that are read and written.
    pub write: Vec<PathBuf>,
    /// Whether secrets are in the keyring of the system.
    pub keyring: bool,
    /// TCP ports that are connected to.
    pub ports: BTreeSet<u16>,
}

/// What stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WallReport {
    /// Files and programs.
    pub files: Strength,
    /// TCP ports.
    pub network: Strength,
    /// The system-call filter.
    pub calls: Strength,
    /// No core dumps.
    pub dumps: Strength,
}

/// How much of a part stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// All of it.
    Full,
    /// What this kernel can.
    Partial(String),
    /// Nothing, and why.
    None(String),
}

impl std::fmt::Display for Strength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Strength::Full => f.write_str("active"),
            Strength::Partial(what) => write!(f, "active in part: {what}"),
            Strength::None(why) => write!(f, "not active: {why}"),
        }
    }
}

impl WallReport {
    /// The parts with what they hold.
    pub fn parts(&self) -> [(&'static str, &Strength); 4] {
        [
            ("files and programs", &self.files),
            ("TCP ports", &self.network),
            ("system calls", &self.calls),
            ("core dumps", &self.dumps),
        ]
    }

    /// The first part that does not stand in full.
    fn gap(&self) -> Option<(&'static str, &Strength)> {
        self.parts().into_iter().find(|(_, strength)| **strength != Strength::Full)
    }

    fn absent(why: &str) -> Self {
        let none = || Strength::None(why.to_owned());
        Self { files: none(), network: none(), calls: none(), dumps: none() }
    }
}

/// The operator wants the whole wall, and this system does not have it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the second wall is required (`second-wall = \"require\"` in `[host]`), and {part} {what}; use a newer kernel, or \
     `second-wall = \"auto\"` to do without"
)]
pub struct WallError {
    part: &'static str,
    what: String,
}

impl Needs {
    /// What a host with these settings needs whatever it does, and what the grants need.
    pub fn of(settings: &Settings) -> Self {
        let folders = &settings.folders;
        let mut needs = Self { write: vec![folders.data.clone(), folders.cache.clone()], ..Self::default() };
        needs.read.extend(folders.project_plugins.iter().cloned());
        needs.read.push(folders.user_plugins.clone());
        needs.read.extend(settings.operator.admission().lock.clone());
        for (folder, access) in settings.operator.folders() {
            match access {
                Access::Read => needs.read.push(folder.to_owned()),
                Access::ReadWrite => needs.write.push(folder.to_owned()),
            }
        }
        needs.read.push(settings.secret_identity());
        for source in &settings.operator.secret_settings().sources {
            match source {
                SecretSource::Folder(folder) => needs.read.push(folder.clone()),
                SecretSource::Keyring => needs.keyring = true,
                SecretSource::File | SecretSource::Environment => {}
            }
        }
        needs.ports = settings.operator.ports();
        needs
    }
}

/// Raises the wall, as far as the operator wants it and the system has it. Call it while the process has one thread.
///
/// # Errors
///
/// The operator requires all of it, and a part cannot be raised.
pub fn raise(wanted: SecondWall, needs: &Needs) -> Result<WallReport, WallError> {
    let report = match wanted {
        SecondWall::Off => return Ok(WallReport::absent("`second-wall` is off in `[host]`")),
        SecondWall::Auto | SecondWall::Require => raised(needs),
    };
    match report.gap() {
        Some((part, strength)) if wanted == SecondWall::Require => {
            Err(WallError { part, what: format!("are {strength}") })
        }
        _ => Ok(report),
    }
}

#[cfg(target_os = "linux")]
fn raised(needs: &Needs) -> WallReport {
    linux::raise(needs)
}

#[cfg(not(target_os = "linux"))]
fn raised(_needs: &Needs) -> WallReport {
    WallReport::absent("this system has no Landlock and no system-call filter")
}
