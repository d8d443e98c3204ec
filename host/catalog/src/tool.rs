//! One tool as everything outside the sandbox sees it: its text cleaned, its schemas checked.

use bytes::Bytes;
use serde_json::Value;
use toolcrib_policy::{Effect, PluginName, ToolName, ToolShape};
use toolcrib_sandbox::ToolInfo;

use crate::limits::{MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS};
use crate::schema::{self, Schema, SchemaError};
use crate::search::{Texts, document};
use crate::text::{Findings, line, passage};

/// One tool of one plugin.
#[derive(Debug, PartialEq)]
pub struct Tool {
    pub(crate) name: ToolName,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) effect: Option<Effect>,
    pub(crate) open_world: bool,
    pub(crate) input_schema: Schema,
    pub(crate) output_schema: Option<Schema>,
    /// The search document, as the index stores it.
    pub(crate) document: Bytes,
}

impl ToolShape for Tool {
    fn name(&self) -> &ToolName {
        &self.name
    }

    fn input(&self) -> &Value {
        self.input_schema.value()
    }
}

impl Tool {
    /// The qualified name, `plugin.tool`.
    pub fn name(&self) -> &ToolName {
        &self.name
    }

    /// A short name for people, if the plugin gave one. One line, nothing hidden.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What the tool does, as its author says. Nothing hidden, but not to be believed.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What a call does to the outside, as the manifest or else the component declares it. A claim: what counts is
    /// decided by policy.
    pub fn declared_effect(&self) -> Option<&Effect> {
        self.effect.as_ref()
    }

    /// Whether the tool says that it talks to an open world.
    pub fn open_world(&self) -> bool {
        self.open_world
    }

    /// The schema of the arguments; its type is `object`.
    pub fn input_schema(&self) -> &Schema {
        &self.input_schema
    }

    /// The schema of the structured result, where it has a fixed shape.
    pub fn output_schema(&self) -> Option<&Schema> {
        self.output_schema.as_ref()
    }

    /// The terms that the search knows the tool by.
    pub(crate) fn document(&self) -> Vec<(&str, u16)> {
        // A damaged document makes a tool that no search finds, nothing worse.
        postcard::from_bytes(&self.document).unwrap_or_default()
    }
}

/// What a manifest says about one tool; it comes before what the component says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) effect: Option<Effect>,
}

/// Why a tool is not in the catalog.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    #[error(transparent)]
    Name(#[from] toolcrib_policy::NameError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Takes in one tool of the plugin `plugin`. `findings` says what was taken out of its texts.
pub(crate) fn admit(
    plugin: &PluginName,
    plugin_description: &str,
    info: &ToolInfo,
    said: &Said,
    findings: &mut Findings,
) -> Result<Tool, ToolError> {
    let name = ToolName::new(plugin.clone(), &info.name)?;
    let mut note = |(text, found): (String, Findings)| {
        findings.join(found);
        text
    };
    let title = said.title.as_deref().or(info.title.as_deref()).map(|title| note(line(title, MAX_TITLE_CHARS)));
    let description = said.description.as_deref().unwrap_or(&info.description);
    let description = note(passage(description, MAX_DESCRIPTION_CHARS));
    let input_schema = schema::clean_input(&info.input_schema, findings)?;
    let output_schema = info.output_schema.as_ref();
    let output_schema = output_schema.map(|schema| schema::clean("output", schema, findings)).transpose()?;
    let document = document(&Texts {
        plugin: plugin.as_str(),
        plugin_description,
        tool: name.tool(),
        title: title.as_deref(),
        description: &description,
        input_schema: input_schema.value(),
    });
    Ok(Tool {
        name,
        title: title.filter(|title| !title.is_empty()),
        description,
        effect: said.effect.clone().or_else(|| info.effect.clone()),
        open_world: info.open_world,
        input_schema,
        output_schema,
        document: postcard::to_allocvec(&document).map(Bytes::from).unwrap_or_default(),
    })
}
