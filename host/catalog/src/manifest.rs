//! A plugin's `plugin.toml`: read by policy's parser, kept as the text that was read.

use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use toolcrib_policy::{Manifest, PluginName};

use crate::tool::Said;

/// The file that makes a folder a plugin.
pub const MANIFEST_FILE: &str = "plugin.toml";

/// The text of a manifest that was read without an error, parsed on first use.
#[derive(Debug)]
pub(crate) struct ManifestText {
    text: String,
    parsed: OnceLock<Option<Box<Manifest>>>,
}

impl ManifestText {
    /// Parses `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let manifest = Manifest::parse(text, MANIFEST_FILE).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), parsed: OnceLock::from(Some(Box::new(manifest))) })
    }

    /// A text that was parsed before, out of the index.
    pub(crate) fn parsed_before(text: String) -> Self {
        Self { text, parsed: OnceLock::new() }
    }

    /// The same text once more.
    pub(crate) fn again(&self) -> Self {
        Self::parsed_before(self.text.clone())
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn get(&self) -> Option<&Manifest> {
        let parse = || Manifest::parse(&self.text, MANIFEST_FILE).ok().map(Box::new);
        self.parsed.get_or_init(parse).as_deref()
    }
}

impl PartialEq for ManifestText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// What the catalog takes from a manifest.
pub(crate) struct Head<'a> {
    pub(crate) name: &'a PluginName,
    pub(crate) version: String,
    pub(crate) description: &'a str,
}

/// The plugin's name, version and description.
pub(crate) fn head(manifest: &Manifest) -> Head<'_> {
    Head { name: &manifest.name, version: manifest.version.to_string(), description: &manifest.description }
}

/// What the manifest says about the tool `tool`.
pub(crate) fn said(manifest: &Manifest, tool: &str) -> Said {
    let entry = manifest.tools.get(tool);
    Said {
        title: entry.and_then(|entry| entry.title.clone()),
        description: entry.and_then(|entry| entry.description.clone()),
        effect: entry.and_then(|entry| entry.effect.clone()),
    }
}

/// The tools that the manifest speaks of.
pub(crate) fn tools(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.tools.keys().map(String::as_str)
}

/// The component of the plugin in `folder`, which a manifest may only name inside that folder.
pub(crate) fn component_path(manifest: &Manifest, folder: &Path) -> Result<PathBuf, String> {
    let default = PathBuf::from(format!("{}.wasm", manifest.name));
    let relative = manifest.component.as_ref().map_or(default, PathBuf::from);
    if relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        Ok(folder.join(relative))
    } else {
        Err(format!(
            "{MANIFEST_FILE}: `component = \"{}\"` leaves the plugin's folder; name a file inside it",
            relative.display()
        ))
    }
}
