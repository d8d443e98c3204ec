//! `plugin.toml`: what a plugin is and what it asks for.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::credential::CredentialPattern;
use crate::effect::Effect;
use crate::error::{PolicyError, PolicyProblem};
use crate::files::FileRequest;
use crate::flow::{ToolLabels, tool_labels};
use crate::http::HttpPattern;
use crate::keyvalue::KeyValueRule;
use crate::names::PluginName;
use crate::reader::{Node, Source, Table};
use crate::requests::Requests;
use crate::sections;
use crate::tools::{NamePattern, ToolPattern};

/// What stands in a `plugin.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The plugin's name. Its tools are called `name.tool`.
    pub name: PluginName,
    /// The plugin's version.
    pub version: semver::Version,
    /// What the plugin is for, in a sentence or two.
    pub description: String,
    /// The licence, as an SPDX expression.
    pub license: Option<String>,
    /// Where people find more.
    pub homepage: Option<String>,
    /// The component, relative to the manifest and inside its folder. Absent means `NAME.wasm`.
    pub component: Option<PathBuf>,
    /// What the plugin asks for, and the limits that suffice for it.
    pub requests: Requests,
    /// What the manifest says about single tools, by their names inside the plugin.
    pub tools: BTreeMap<String, ToolManifest>,
}

/// What a manifest says about one tool. It stands above what the component itself says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolManifest {
    /// What a call does.
    pub effect: Option<Effect>,
    /// A title for people.
    pub title: Option<String>,
    /// What the tool does, when to use it and what comes back.
    pub description: Option<String>,
    /// What it is as a source and as a sink.
    pub labels: ToolLabels,
}

impl Manifest {
    /// Reads a manifest. `origin` is what messages call it, such as its path.
    pub fn parse(text: &str, origin: &str) -> Result<Self, PolicyError> {
        let source = Source { text, origin };
        let root = source.parse()?;
        let mut table = Table::root(source, root.get_ref());
        let missing = |key, example| PolicyProblem::Missing { key, example }.at(source.whole());
        let name = table.take("name").ok_or_else(|| missing("name", "write `name = \"my-plugin\"`"))?;
        let name: PluginName = parsed(name)?;
        let version = table.take("version").ok_or_else(|| missing("version", "write `version = \"0.1.0\"`"))?;
        let manifest = Self {
            component: table.take("component").map(component).transpose()?,
            name,
            version: number(version)?,
            description: prose(&mut table, "description")?.unwrap_or_default(),
            license: prose(&mut table, "license")?,
            homepage: prose(&mut table, "homepage")?,
            requests: requests(&mut table)?,
            tools: sections::tools(&mut table, "", tool)?,
        };
        table.finish()?;
        Ok(manifest)
    }
}

fn parsed<T: std::str::FromStr<Err: ToString>>(node: Node<'_>) -> Result<T, PolicyError> {
    let text = node.text()?;
    text.parse().map_err(|error: T::Err| node.wrong(text, error))
}

/// A version: three numbers, as semantic versioning has them.
fn number(node: Node<'_>) -> Result<semver::Version, PolicyError> {
    const SHAPE: &str = "write three numbers, as in `0.1.0`";
    let text = node.text()?;
    text.parse().map_err(|error| {
        let numbers = text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        // What the reader of versions says of too few numbers is that the text ends.
        if numbers && text.split('.').count() < 3 {
            node.wrong(text, SHAPE)
        } else {
            node.wrong(text, format!("{SHAPE} ({error})"))
        }
    })
}

/// Text for people, at most 8 KiB of it.
fn prose(table: &mut Table<'_>, key: &'static str) -> Result<Option<String>, PolicyError> {
    let Some(node) = table.take(key) else {
        return Ok(None);
    };
    let text = node.text()?;
    if text.len() > 8 * 1024 {
        return Err(node.wrong(text, "it is longer than 8 KiB"));
    }
    Ok(Some(text.to_owned()))
}

fn component(node: Node<'_>) -> Result<PathBuf, PolicyError> {
    let text = node.text()?;
    let plain = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
    let inside = !text.is_empty() && Path::new(text).components().all(plain) && !text.contains(['\\', '\0']);
    if !inside || !text.ends_with(".wasm") {
        return Err(node.wrong(text, "name a `.wasm` file in the folder of the manifest or below"));
    }
    Ok(PathBuf::from(text))
}

fn requests(table: &mut Table<'_>) -> Result<Requests, PolicyError> {
    let mut requests = Requests { limits: sections::limits(table)?, ..Requests::nothing() };
    let Some(node) = table.take("requests") else {
        return Ok(requests);
    };
    let mut table = node.table("`[requests]`".to_owned())?;
    if let Some(node) = table.take("http") {
        requests.http = node.lines(HttpPattern::parse)?;
    }
    if let Some(node) = table.take("credentials") {
        requests.credentials = node.lines(CredentialPattern::parse)?;
    }
    if let Some(node) = table.take("files") {
        requests.files = node.lines(FileRequest::parse)?;
    }
    if let Some(node) = table.take("keyvalue") {
        requests.keyvalue = node.lines(KeyValueRule::parse)?;
    }
    if let Some(node) = table.take("env") {
        requests.env = node.lines(NamePattern::parse)?;
    }
    if let Some(node) = table.take("config") {
        requests.config = node.lines(NamePattern::parse)?;
    }
    if let Some(node) = table.take("tools") {
        requests.tools = node.lines(ToolPattern::parse)?;
    }
    requests.ask = table.take("ask").map_or(Ok(false), |node| node.boolean())?;
    requests.model = table.take("model").map_or(Ok(false), |node| node.boolean())?;
    table.finish()?;
    Ok(requests)
}

fn tool(table: &mut Table<'_>) -> Result<ToolManifest, PolicyError> {
    Ok(ToolManifest {
        effect: table.take("effect").map(sections::effect).transpose()?,
        title: prose(table, "title")?,
        description: prose(table, "description")?,
        labels: tool_labels(table)?,
    })
}
