//! Which plugins are let in: the ceiling's imports, the lock, and signatures.
//!
//! What is part of the program is let in as it is. Everything else is compared with the lock; what is different from what
//! a person has seen stays out until the person has seen that too (`toolcrib update`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use toolcrib_catalog::{Difference, Lock, LockError, Pinned, Plugin, Rank, SignatureError, Snapshot};
use toolcrib_policy::{Digest, PluginName};

use crate::crib::Crib;
use crate::error::CribError;
use crate::gate::now;

/// The lock in the data folder, where the operator names no other.
const LOCK_FILE: &str = "toolcrib.lock";

/// Why a plugin is kept out until a person has looked at it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Held {
    /// The operator's lock does not have it.
    #[error("it is not in the lock file; `toolcrib update {0}` shows it and lets it in")]
    Unlisted(PluginName),
    /// It is not what it was.
    #[error(
        "it is not what it was when somebody last looked ({}); `toolcrib update {plugin}` shows what is different and \
         lets it in",
        places(.differences)
    )]
    Changed {
        /// The plugin.
        plugin: PluginName,
        /// What is different.
        differences: Vec<Difference>,
    },
    /// The operator wants a signature.
    #[error("{0} (`require-signature` in `[plugins]`)")]
    Signature(SignatureError),
    /// Its bytes cannot be read as they were listed.
    #[error("{0}")]
    Unreadable(String),
}

impl Held {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unlisted(_) => "plugin-unlisted",
            Self::Changed { differences, .. } if differences.iter().any(|place| place.at == "component") => {
                "digest-mismatch"
            }
            Self::Changed { .. } => "plugin-changed",
            Self::Signature(error) => error.code(),
            Self::Unreadable(_) => "plugin-changed",
        }
    }
}

/// The first places, in one line.
fn places(differences: &[Difference]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(|place| match (&place.was, &place.is) {
            (Some(was), Some(is)) if place.at == "component" => format!("component {was} is now {is}"),
            _ => place.at.clone(),
        })
        .collect();
    if differences.len() > SHOWN {
        shown.push(format!("{} more", differences.len() - SHOWN));
    }
    shown.join(", ")
}

/// What was decided about the plugins of a snapshot, by name and bytes.
#[derive(Default)]
pub(crate) struct Admission {
    held: RwLock<BTreeMap<PluginName, (Digest, Held)>>,
}

/// A plugin that waits for a person, with everything that there is to see.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    /// The plugin.
    pub plugin: PluginName,
    /// Why it waits.
    pub why: String,
    /// A stable code for programs.
    pub code: &'static str,
    /// What is different from what a person last saw; everything, where nobody saw it yet.
    pub differences: Vec<Difference>,
    /// Whether it states an older version than it had.
    pub downgrade: bool,
    /// Whether it can be let in at all: one whose signature does not count cannot.
    pub acceptable: bool,
    /// Who signed it, where the operator wants to know.
    pub signed_by: Option<String>,
}

impl Crib {
    fn lock_path(&self) -> PathBuf {
        let usual = || self.0.settings.folders.data.join(LOCK_FILE);
        self.operator().admission().lock.clone().unwrap_or_else(usual)
    }

    fn lock(&self) -> Result<Lock, LockError> {
        Lock::read(&self.lock_path())
    }

    /// Compares every plugin with the lock. Where the operator names no lock file, what is new is pinned as it is.
    pub(crate) async fn admit(&self) -> Result<(), CribError> {
        let snapshot = self.snapshot();
        if snapshot.plugins().iter().all(|plugin| is_ours(plugin)) {
            return Ok(());
        }
        let mut lock = self.lock()?;
        let mut new = Vec::new();
        let mut held = BTreeMap::new();
        for plugin in snapshot.plugins().iter().filter(|plugin| !is_ours(plugin)) {
            match self.decide_about(plugin, &lock).await {
                Ok(None) => {}
                Ok(Some(pinned)) => new.push((plugin.name().clone(), pinned)),
                Err(why) => drop(held.insert(plugin.name().clone(), (*plugin.digest(), why))),
            }
        }
        if !new.is_empty() {
            for (name, pinned) in new {
                tracing::info!(plugin = %name, digest = %pinned.digest, "seen for the first time, and pinned as it is");
                lock.pin(name, pinned);
            }
            lock.write()?;
        }
        *self.0.admission.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }

    /// Nothing where the plugin is what was seen; what to pin where it is new and may be pinned.
    async fn decide_about(&self, plugin: &Arc<Plugin>, lock: &Lock) -> Result<Option<Pinned>, Held> {
        let settings = self.operator().admission();
        let name = plugin.name();
        match lock.get(name) {
            None if settings.lock.is_some() => Err(Held::Unlisted(name.clone())),
            None => Ok(Some(Pinned::of(plugin, self.signer(plugin).await?))),
            Some(pinned) => {
                let differences = pinned.differences(&Pinned::of(plugin, None));
                if !differences.is_empty() {
                    return Err(Held::Changed { plugin: name.clone(), differences });
                }
                // Looked at each time: what was signed when it was let in has to be so still.
                self.signer(plugin).await?;
                Ok(None)
            }
        }
    }

    /// Who signed the plugin, where the operator wants to know.
    async fn signer(&self, plugin: &Arc<Plugin>) -> Result<Option<String>, Held> {
        let settings = self.operator().admission();
        if !settings.require_signature {
            return Ok(None);
        }
        let checked = self.catalog().signer(plugin, &settings.trusted_keys, now()).await;
        let checked = checked.map_err(|error| Held::Unreadable(error.to_string()))?;
        checked.map(Some).map_err(Held::Signature)
    }

    /// Whether a plugin may be used, and why not.
    pub(crate) fn check_admission(&self, plugin: &Plugin) -> Result<(), CribError> {
        self.check_imports(plugin)?;
        let held = self.0.admission.held.read().unwrap_or_else(PoisonError::into_inner);
        match held.get(plugin.name()) {
            Some((digest, why)) if digest == plugin.digest() => {
                Err(CribError::Held { plugin: plugin.name().clone(), why: Box::new(why.clone()) })
            }
            _ => Ok(()),
        }
    }

    /// The plugins that wait for a person, of those named, or all.
    ///
    /// # Errors
    ///
    /// A name is of no plugin, or the lock cannot be read.
    pub async fn waiting(&self, names: &[String]) -> Result<Vec<Waiting>, CribError> {
        for name in names {
            self.plugin(name)?;
        }
        let (snapshot, lock) = (self.snapshot(), self.lock()?);
        let mut waiting = Vec::new();
        for plugin in named(&snapshot, names) {
            let Err(why) = self.decide_about(plugin, &lock).await else { continue };
            let signer = self.signer(plugin).await;
            let signed_by = signer.clone().ok().flatten();
            let now = Pinned::of(plugin, signed_by.clone());
            let before = lock.get(plugin.name());
            waiting.push(Waiting {
                plugin: plugin.name().clone(),
                code: why.code(),
                why: signer.as_ref().err().unwrap_or(&why).to_string(),
                differences: before.map_or_else(|| now.everything(), |before| before.differences(&now)),
                downgrade: before.is_some_and(|before| before.is_downgrade_to(&now)),
                acceptable: signer.is_ok(),
                signed_by,
            });
        }
        Ok(waiting)
    }

    /// Lets plugins in as they are now, as [`Crib::waiting`] showed them.
    ///
    /// # Errors
    ///
    /// The lock cannot be read or written, or a plugin is not what was shown any more.
    pub async fn accept(&self, seen: &[Waiting]) -> Result<(), CribError> {
        let again = self.waiting(&seen.iter().map(|w| w.plugin.to_string()).collect::<Vec<_>>()).await?;
        let (snapshot, mut lock) = (self.snapshot(), self.lock()?);
        for shown in seen {
            let same = again.iter().any(|now| now.plugin == shown.plugin && now.differences == shown.differences);
            let plugin = snapshot.plugin(&shown.plugin).filter(|_| same && shown.acceptable);
            let plugin = plugin.ok_or_else(|| CribError::UnknownPlugin(shown.plugin.to_string()))?;
            lock.pin(shown.plugin.clone(), Pinned::of(plugin, shown.signed_by.clone()));
        }
        lock.write()?;
        self.admit().await
    }
}

fn named<'s>(snapshot: &'s Snapshot, names: &'s [String]) -> impl Iterator<Item = &'s Arc<Plugin>> {
    let wanted = |plugin: &&Arc<Plugin>| names.is_empty() || names.iter().any(|name| name == plugin.name().as_str());
    snapshot.plugins().iter().filter(|plugin| !is_ours(plugin)).filter(wanted)
}

fn is_ours(plugin: &Plugin) -> bool {
    plugin.origin().rank() == Rank::Embedded
}
