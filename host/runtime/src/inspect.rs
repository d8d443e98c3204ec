//! What a plugin is, what it can ever reach, and what it is granted.

use std::path::Path;

use serde::Serialize;
use toolcrib_catalog::Plugin;
use toolcrib_policy::{Effect, LimitName, Limits, Risk, Source};
use toolcrib_sandbox::{PluginInfo, PluginKind, Reach, Sandbox, reach};

use crate::crib::Crib;
use crate::error::CribError;

/// What `inspect` shows.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The plugin's name.
    pub name: String,
    /// Its version, where its manifest states one.
    pub version: Option<String>,
    /// What it is for, as it says itself.
    pub description: String,
    /// Where it lies.
    pub origin: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// Whether it describes its tools itself.
    pub kind: PluginKind,
    /// Its tools.
    pub tools: Vec<InspectedTool>,
    /// What it could ever reach, from its imports alone.
    pub reach: Vec<Reach>,
    /// What its manifest asks for; absent where there is no manifest.
    pub requests: Option<Vec<Line>>,
    /// What the operator's file grants it.
    pub grants: Vec<Line>,
    /// How bad it could get with everything that it asks for.
    pub risk_if_all_granted: Risk,
    /// How bad it could get with what it is granted.
    pub risk: Risk,
    /// The limits of its calls that differ from those of every call, as `key = value`.
    pub limits: Vec<String>,
    /// What keeps it out, where something does.
    pub rejected: Option<String>,
    /// What was wrong with it and did not keep it out.
    pub notes: Vec<String>,
}

/// A tool in an inspection.
#[derive(Clone, Debug, Serialize)]
pub struct InspectedTool {
    /// Its qualified name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it declares of its effect.
    pub declared: Option<Effect>,
    /// The effect class that counts.
    pub effect: Effect,
    /// What a result has of its own, and where its arguments may go.
    #[serde(flatten)]
    pub source: Source,
}

/// A line of a manifest or an operator's file.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The capability.
    pub capability: String,
    /// The line.
    pub line: String,
}

impl Line {
    pub(crate) fn all(lines: Vec<(&'static str, String)>) -> Vec<Line> {
        lines.into_iter().map(|(capability, line)| Line { capability: capability.to_owned(), line }).collect()
    }
}

impl Crib {
    /// What a plugin of the catalog is.
    ///
    /// # Errors
    ///
    /// There is no such plugin.
    pub fn inspect(&self, name: &str) -> Result<Inspection, CribError> {
        let plugin = self.plugin(name)?;
        let authority = self.authority(&plugin, None);
        let tool = |tool: &std::sync::Arc<toolcrib_catalog::Tool>| InspectedTool {
            name: tool.name().to_string(),
            description: tool.description().to_owned(),
            declared: tool.declared_effect().cloned(),
            effect: self.effect(&plugin, tool),
            source: self.source(&plugin, tool),
        };
        Ok(Inspection {
            name: plugin.name().to_string(),
            version: plugin.version().map(str::to_owned),
            description: plugin.description().to_owned(),
            origin: plugin.origin().path().display().to_string(),
            digest: plugin.digest().to_string(),
            kind: plugin.kind(),
            tools: plugin.tools().iter().map(tool).collect(),
            reach: reach(plugin.imports()),
            requests: plugin.manifest().map(|manifest| Line::all(manifest.requests.lines())),
            grants: Line::all(self.operator().grants(plugin.name())),
            risk_if_all_granted: Risk::of_requests(&Self::requests(&plugin)),
            risk: Risk::of_authority(&authority),
            limits: lowered(&authority.limits),
            rejected: self.check_admission(&plugin).err().map(|error| error.to_string()),
            notes: notes(&plugin),
        })
    }
}

fn lowered(limits: &Limits) -> Vec<String> {
    let usual = Limits::default();
    let lowered = LimitName::ALL.iter().filter(|name| limits.shown(**name) != usual.shown(**name));
    lowered.map(|name| format!("{} = {}", name.key(), limits.shown(*name))).collect()
}

fn notes(plugin: &Plugin) -> Vec<String> {
    plugin.notes().iter().map(ToString::to_string).collect()
}

/// Looks into a component file that is no plugin of the catalog.
///
/// # Errors
///
/// The file cannot be read, or is no component that could be a plugin.
pub async fn inspect_file(sandbox: &Sandbox, path: &Path) -> Result<PluginInfo, CribError> {
    let file = |why: String| CribError::File { path: path.display().to_string(), why };
    let bytes = tokio::fs::read(path).await.map_err(|e| file(e.to_string()))?;
    sandbox.inspect(&bytes).await.map_err(|e| file(e.to_string()))
}
