//! From what is known of the sources to a snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::record::Outcome;
use crate::resolve::{Claim, resolve};
use crate::snapshot::Snapshot;
use crate::state::Source;

/// The snapshot that follows from what is known of the sources.
pub(crate) fn snapshot(generation: u64, sources: &[Source]) -> Snapshot {
    let mut problems: Vec<Problem> = Vec::new();
    let mut claims: Vec<Claim> = Vec::new();
    let mut superseded = BTreeSet::new();
    let embedded: BTreeSet<&str> = sources.iter().flat_map(Source::embedded_names).collect();
    for source in sources {
        problems.extend(source.problems.iter().cloned());
        for (place, record) in &source.records {
            let plugin = record.plugin();
            if let Outcome::Bad { problem, .. } = &record.outcome {
                let is_source = problem.plugin.as_ref().is_some_and(|name| embedded.contains(name.as_str()));
                if problem.code == "component-missing" && is_source {
                    // The source folder of an embedded plugin, not built: it claims nothing that it does not have.
                    continue;
                }
                problems.push(with_version_in_use(problem, plugin));
                superseded.extend(plugin.map(|plugin| plugin.name.clone()));
            }
            let name = plugin.map(|plugin| plugin.name.clone()).or_else(|| record.broken_name());
            let Some(name) = name else { continue };
            claims.push(Claim { rank: source.rank(), place: place.clone(), name, plugin: plugin.cloned() });
        }
    }
    let (plugins, refused) = resolve(claims);
    problems.extend(refused);
    problems.extend(plugins.iter().flat_map(|plugin| plugin.notes.iter().cloned()));
    superseded.retain(|name| plugins.iter().any(|plugin| plugin.name == *name));
    Snapshot::new(generation, plugins, superseded, problems)
}

fn with_version_in_use(problem: &Problem, plugin: Option<&Arc<Plugin>>) -> Problem {
    let mut problem = problem.clone();
    if let Some(plugin) = plugin {
        problem.message =
            format!("{}; the version before it ({}) stays in use", problem.message, plugin.digest.short());
        problem.plugin = Some(plugin.name.clone());
    }
    problem
}
