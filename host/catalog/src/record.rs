//! What the catalog remembers of one place where a plugin may be, between one look and the next.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use toolcrib_policy::PluginName;

use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::scan::Form;
use crate::stamp::Stamp;

/// Records by their place: a `.wasm` file, a plugin's folder, or `embedded:NAME`.
pub(crate) type Records = BTreeMap<PathBuf, Record>;

/// The stamps of a manifest and of a component.
pub(crate) type Stamps = (Option<Stamp>, Option<Stamp>);

/// What was found at one place.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The stamp of the manifest, for a folder.
    pub(crate) manifest: Option<Stamp>,
    /// The component and its stamp; no stamp where it was missing, none at all where the manifest could not tell.
    pub(crate) component: Option<(PathBuf, Option<Stamp>)>,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// The version before, while the one on disk is broken. Lives as long as the process.
    pub(crate) last_good: Option<Arc<Plugin>>,
}

/// What came of a place.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A plugin.
    Good(Arc<Plugin>),
    /// No plugin.
    Bad {
        /// Why not.
        problem: Problem,
        /// Whether the same files would end the same way, so that looking again is useless.
        lasting: bool,
    },
}

impl Record {
    /// Whether the files that look like `form` are still those that the record speaks of.
    pub(crate) fn is_current(&self, form: &Form) -> bool {
        let lasting = !matches!(self.outcome, Outcome::Bad { lasting: false, .. });
        lasting
            && match (form, self.manifest, &self.component) {
                (Form::Lone(stamp), None, Some((_, Some(known)))) => stamp == known,
                (Form::Folder(stamp), Some(known), component) => *stamp == known && same_component(component.as_ref()),
                _ => false,
            }
    }

    /// The plugin that counts: the one on disk, else the version before it.
    pub(crate) fn plugin(&self) -> Option<&Arc<Plugin>> {
        match &self.outcome {
            Outcome::Good(plugin) => Some(plugin),
            Outcome::Bad { .. } => self.last_good.as_ref(),
        }
    }

    /// The name that a plugin without a good version has.
    pub(crate) fn broken_name(&self) -> Option<PluginName> {
        match &self.outcome {
            Outcome::Bad { problem, .. } => problem.plugin.clone(),
            Outcome::Good(_) => None,
        }
    }

    /// The stamps, for telling a file that still changes from one that is at rest.
    pub(crate) fn stamps(&self) -> Stamps {
        (self.manifest, self.component.as_ref().and_then(|(_, stamp)| *stamp))
    }
}

fn same_component(component: Option<&(PathBuf, Option<Stamp>)>) -> bool {
    component.is_none_or(|(path, known)| Stamp::of(path).ok() == *known)
}
