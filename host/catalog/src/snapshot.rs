//! The catalog at one moment. Never changes; whoever holds it keeps it while the next one takes its place.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use toolcrib_policy::{PluginName, ToolName};

use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::search::SearchIndex;
use crate::tool::Tool;

/// The plugins and tools of one moment.
#[derive(Default)]
pub struct Snapshot {
    generation: u64,
    plugins: Vec<Arc<Plugin>>,
    tools: Vec<Arc<Tool>>,
    superseded: BTreeSet<PluginName>,
    problems: Vec<Problem>,
    search: OnceLock<SearchIndex>,
}

/// A tool that a search found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The tool.
    pub tool: Arc<Tool>,
    /// How well it fits; greater is better. Comparable within one search only.
    pub score: f32,
}

/// The difference between two snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The number of the new snapshot.
    pub generation: u64,
    /// Plugins that were not there before.
    pub added: Vec<PluginName>,
    /// Plugins whose component, manifest or state is another one.
    pub changed: Vec<PluginName>,
    /// Plugins that are no longer there.
    pub removed: Vec<PluginName>,
    /// Problems that were not there before.
    pub problems: Vec<Problem>,
    /// Problems that are no longer there.
    pub solved: Vec<Problem>,
}

impl Change {
    /// Whether both snapshots say the same.
    pub fn is_empty(&self) -> bool {
        *self == Self { generation: self.generation, ..Self::default() }
    }
}

impl Snapshot {
    /// `plugins` are sorted by name; `superseded` are those whose file holds something newer that is broken.
    pub(crate) fn new(
        generation: u64,
        plugins: Vec<Arc<Plugin>>,
        superseded: BTreeSet<PluginName>,
        mut problems: Vec<Problem>,
    ) -> Self {
        problems.sort();
        problems.dedup();
        let mut tools: Vec<Arc<Tool>> = plugins.iter().flat_map(|plugin| plugin.tools.iter().cloned()).collect();
        // Already in order unless the index was tampered with, and then this is what makes look-ups safe.
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        Self { generation, plugins, tools, superseded, problems, search: OnceLock::new() }
    }

    /// A number that grows with each snapshot of a catalog.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The plugins, sorted by name.
    pub fn plugins(&self) -> &[Arc<Plugin>] {
        &self.plugins
    }

    /// The plugin of that name.
    pub fn plugin(&self, name: &PluginName) -> Option<&Arc<Plugin>> {
        let found = self.plugins.binary_search_by(|plugin| plugin.name.cmp(name)).ok()?;
        self.plugins.get(found)
    }

    /// All tools, sorted by qualified name.
    pub fn tools(&self) -> &[Arc<Tool>] {
        &self.tools
    }

    /// The tool of that qualified name.
    pub fn tool(&self, name: &ToolName) -> Option<&Arc<Tool>> {
        let found = self.tools.binary_search_by(|tool| tool.name.cmp(name)).ok()?;
        self.tools.get(found)
    }

    /// Whether this is an older version of the plugin, in use because what its file holds now is broken.
    pub fn is_superseded(&self, name: &PluginName) -> bool {
        self.superseded.contains(name)
    }

    /// What is wrong, the worst first.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The best `limit` tools for a query in words, best first; equal ones by name. The first search of a snapshot
    /// builds its index.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let index = self.search.get_or_init(|| SearchIndex::build(self.tools.iter().map(|tool| tool.document())));
        let hits = index.search(query, limit).into_iter();
        hits.filter_map(|(number, score)| Some(Hit { tool: Arc::clone(self.tools.get(number as usize)?), score }))
            .collect()
    }

    /// What is different in `next`.
    pub(crate) fn change_to(&self, next: &Snapshot) -> Change {
        let mut change = Change { generation: next.generation, ..Change::default() };
        for plugin in &next.plugins {
            match self.plugin(&plugin.name) {
                None => change.added.push(plugin.name.clone()),
                Some(before) => {
                    let state = |snapshot: &Snapshot| snapshot.is_superseded(&plugin.name);
                    let same = Arc::ptr_eq(before, plugin) || before.same(plugin);
                    if !same || state(self) != state(next) {
                        change.changed.push(plugin.name.clone());
                    }
                }
            }
        }
        let gone = self.plugins.iter().filter(|plugin| next.plugin(&plugin.name).is_none());
        change.removed.extend(gone.map(|plugin| plugin.name.clone()));
        let missing = |from: &[Problem], other: &[Problem]| -> Vec<Problem> {
            from.iter().filter(|problem| other.binary_search(problem).is_err()).cloned().collect()
        };
        change.problems = missing(&next.problems, &self.problems);
        change.solved = missing(&self.problems, &next.problems);
        change
    }
}
