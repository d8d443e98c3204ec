//! The table of the index: plugins without their long texts.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use toolcrib_policy::{Digest, Effect, PluginName, ToolName};
use toolcrib_sandbox::PluginKind;

use crate::manifest::ManifestText;
use crate::plugin::{LazyReach, Origin, Plugin, embedded_path};
use crate::problem::Problem;
use crate::record::{Outcome, Record, Records};
use crate::schema::Schema;
use crate::source::{Embedded, Rank};
use crate::stamp::Stamp;
use crate::tool::Tool;

/// Everything in one index but its texts.
#[derive(Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) key: String,
    records: Vec<StoredRecord>,
}

#[derive(Serialize, Deserialize)]
struct StoredRecord {
    place: PathBuf,
    manifest: Option<Stamp>,
    component: Option<(PathBuf, Option<Stamp>)>,
    outcome: StoredOutcome,
}

#[derive(Serialize, Deserialize)]
enum StoredOutcome {
    Good(StoredPlugin),
    Bad(Problem),
}

#[derive(Serialize, Deserialize)]
struct StoredPlugin {
    name: PluginName,
    version: Option<String>,
    description: String,
    digest: [u8; 32],
    kind: PluginKind,
    manifest: Option<Span>,
    tools: Vec<StoredTool>,
    reach: Span,
    notes: Vec<Problem>,
}

#[derive(Serialize, Deserialize)]
struct StoredTool {
    name: String,
    title: Option<String>,
    description: String,
    effect: Option<Effect>,
    open_world: bool,
    input_schema: Span,
    output_schema: Option<Span>,
    document: Span,
}

/// Where a text lies behind the table.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Span {
    start: u32,
    length: u32,
}

impl Table {
    /// The table and the texts behind it. Places whose names are not UTF-8 and records that do not last are left out:
    /// they are looked at again at the next start.
    pub(super) fn new(key: String, records: &Records) -> (Self, Vec<u8>) {
        let mut texts = Texts(Vec::new());
        let records = records.iter().filter_map(|(place, record)| texts.record(place, record)).collect();
        (Self { key, records }, texts.0)
    }

    pub(super) fn into_records(self, texts: &Bytes, rank: Rank, embedded: &[Embedded]) -> Option<Records> {
        let reader = Reader { texts, rank, embedded };
        self.records.into_iter().map(|record| reader.record(record)).collect()
    }
}

/// Puts texts one behind the other.
struct Texts(Vec<u8>);

impl Texts {
    fn add(&mut self, text: &[u8]) -> Option<Span> {
        let start = u32::try_from(self.0.len()).ok()?;
        let length = u32::try_from(text.len()).ok()?;
        self.0.extend_from_slice(text);
        Some(Span { start, length })
    }

    fn record(&mut self, place: &Path, record: &Record) -> Option<StoredRecord> {
        let outcome = match &record.outcome {
            // A file without a stamp is in doubt and is read again.
            Outcome::Good(plugin) if record.component.is_none() && plugin.origin.rank() != Rank::Embedded => {
                return None;
            }
            Outcome::Good(plugin) => StoredOutcome::Good(self.plugin(plugin)?),
            Outcome::Bad { problem, lasting: true } => StoredOutcome::Bad(problem.clone()),
            Outcome::Bad { lasting: false, .. } => return None,
        };
        let component = record.component.clone();
        let paths = [Some(place), component.as_ref().map(|(path, _)| path.as_path())];
        let storable = paths.into_iter().flatten().all(|path| path.to_str().is_some());
        storable.then(|| StoredRecord { place: place.to_owned(), manifest: record.manifest, component, outcome })
    }

    fn plugin(&mut self, plugin: &Plugin) -> Option<StoredPlugin> {
        let manifest = plugin.manifest.as_ref();
        Some(StoredPlugin {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            description: plugin.description.clone(),
            digest: *plugin.digest.as_bytes(),
            kind: plugin.kind,
            manifest: found(manifest.map(|manifest| self.add(manifest.text().as_bytes())))?,
            tools: plugin.tools.iter().map(|tool| self.tool(tool)).collect::<Option<_>>()?,
            reach: self.add(&plugin.reach.encoded)?,
            notes: plugin.notes.clone(),
        })
    }

    fn tool(&mut self, tool: &Tool) -> Option<StoredTool> {
        let output = tool.output_schema.as_ref();
        Some(StoredTool {
            name: tool.name.tool().to_owned(),
            title: tool.title.clone(),
            description: tool.description.clone(),
            effect: tool.effect.clone(),
            open_world: tool.open_world,
            input_schema: self.add(tool.input_schema.bytes())?,
            output_schema: found(output.map(|schema| self.add(schema.bytes())))?,
            document: self.add(&tool.document)?,
        })
    }
}

/// Turns "wanted or not" around "found or not": none only if something wanted was not found.
fn found<T>(wanted: Option<Option<T>>) -> Option<Option<T>> {
    match wanted {
        None => Some(None),
        Some(found) => found.map(Some),
    }
}

struct Reader<'a> {
    texts: &'a Bytes,
    rank: Rank,
    embedded: &'a [Embedded],
}

impl Reader<'_> {
    fn text(&self, span: Span) -> Option<Bytes> {
        let start = usize::try_from(span.start).ok()?;
        let end = start.checked_add(usize::try_from(span.length).ok()?)?;
        (end <= self.texts.len()).then(|| self.texts.slice(start..end))
    }

    fn record(&self, stored: StoredRecord) -> Option<(PathBuf, Record)> {
        let StoredRecord { place, manifest, component, outcome } = stored;
        let outcome = match outcome {
            StoredOutcome::Good(plugin) => {
                let file = component.as_ref().map(|(path, _)| path.as_path());
                Outcome::Good(Arc::new(self.plugin(plugin, &place, file)?))
            }
            StoredOutcome::Bad(problem) => Outcome::Bad { problem, lasting: true },
        };
        Some((place, Record { manifest, component, outcome, last_good: None }))
    }

    fn plugin(&self, stored: StoredPlugin, place: &Path, component: Option<&Path>) -> Option<Plugin> {
        let name = stored.name;
        let origin = match component {
            Some(component) => {
                Origin::File { rank: self.rank, path: place.to_owned(), component: component.to_owned() }
            }
            None => Origin::Embedded(*self.embedded.iter().find(|embedded| embedded_path(embedded.name) == place)?),
        };
        let tools = stored.tools.into_iter().map(|tool| self.tool(&name, tool).map(Arc::new)).collect::<Option<_>>()?;
        let manifest = found(stored.manifest.map(|span| self.text(span)))?;
        let manifest = found(manifest.map(|text| String::from_utf8(text.to_vec()).ok()))?;
        Some(Plugin {
            version: stored.version,
            description: stored.description,
            origin,
            digest: Digest::from_bytes(stored.digest),
            kind: stored.kind,
            manifest: manifest.map(ManifestText::parsed_before),
            tools,
            reach: LazyReach { encoded: self.text(stored.reach)?, decoded: OnceLock::new() },
            notes: stored.notes,
            name,
        })
    }

    fn tool(&self, plugin: &PluginName, stored: StoredTool) -> Option<Tool> {
        Some(Tool {
            name: ToolName::new(plugin.clone(), &stored.name).ok()?,
            title: stored.title,
            description: stored.description,
            effect: stored.effect,
            open_world: stored.open_world,
            input_schema: Schema::from_text(self.text(stored.input_schema)?),
            output_schema: found(stored.output_schema.map(|span| self.text(span)))?.map(Schema::from_text),
            document: self.text(stored.document)?,
        })
    }
}
