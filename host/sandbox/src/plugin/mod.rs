//! A component that is ready to be called: its template, made once, and what it is.

pub(crate) mod contract;
mod describing;
mod reflected;
mod template;

use serde::{Deserialize, Serialize};

use crate::engine::Profile;
use crate::info::PluginInfo;

pub(crate) use describing::Describing;
pub(crate) use template::Template;

/// A plugin that was loaded. Calls make a fresh instance from its template.
pub struct Plugin {
    pub(crate) info: PluginInfo,
    pub(crate) profile: Profile,
    /// Memories of one instance.
    pub(crate) memories: u32,
    pub(crate) template: Template,
}

impl Plugin {
    /// What the plugin is.
    pub fn info(&self) -> &PluginInfo {
        &self.info
    }

    /// The engine profile that it runs on.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// What it could ever reach, from its imports alone.
    pub fn reach(&self) -> Vec<Reach> {
        reach(&self.info.imports)
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("digest", &self.info.digest).field("profile", &self.profile).finish()
    }
}

/// One capability that a component's imports touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The capability, such as `http`.
    pub capability: String,
    /// The imports that touch it.
    pub interfaces: Vec<String>,
    /// What it could do with every grant, as a plain sentence; absent where nothing outside the call can be reached.
    pub sentence: Option<String>,
}

/// Every interface that components can import from this host, such as `wasi:http/types`, without versions.
pub fn interfaces() -> impl Iterator<Item = &'static str> {
    crate::capability::interfaces()
}

/// What a component with these imports could ever reach.
pub fn reach(imports: &[String]) -> Vec<Reach> {
    crate::capability::reach(imports)
}
