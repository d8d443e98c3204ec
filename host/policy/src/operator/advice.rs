//! How to write what a refusal offers into the operator's file as it stands.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::OperatorFile;
use super::grants::PluginGrants;
use crate::files::FileGrant;
use crate::names::PluginName;

/// What to change in the operator's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    text: String,
    /// The folder that would be granted: as the line writes it, and where it is. Nobody has looked whether it is there.
    pub folder: Option<(String, PathBuf)>,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl OperatorFile {
    /// How to add `grant`, the TOML that a refusal for `plugin` offers, to this file, which is called `name`. From then
    /// on the grant counts as added, so that the advice for a further one goes with it.
    pub fn advise(&mut self, plugin: &PluginName, grant: &str, name: &str) -> Advice {
        let Some((key, line)) = read(grant) else {
            return Advice { text: format!("to allow it, add to {name}:\n[plugin.{plugin}]\n{grant}"), folder: None };
        };
        let folder = line.as_deref().filter(|_| key == "files").and_then(|l| FileGrant::parse(l, &self.base).ok());
        let known = self.plugins.get(plugin).map_or(&[][..], |grants| grants.files.as_slice());
        let same = folder.as_ref().and_then(|folder| known.iter().find(|other| other.guest == folder.guest));
        let written = self.written.get(plugin);
        let place = format!("[plugin.{plugin}] of {name}");
        let mut text = match (&folder, same, written, &line) {
            (Some(folder), Some(same), written, _) => {
                let in_file = written.is_some_and(|grants| grants.files.contains(same));
                let place = if in_file { place } else { "what --grant gives".to_owned() };
                format!(
                    "to allow it, change the line `{}` into `{}` in {place}",
                    self.as_written(same),
                    self.as_written(folder)
                )
            }
            (_, _, None, _) => format!("to allow it, add to {name}:\n[plugin.{plugin}]\n{grant}"),
            (_, _, Some(grants), Some(line)) if grants.keys.contains(key.as_str()) => {
                format!("to allow it, in {place}, add to `{key}`:\n{}", toml::Value::from(line.as_str()))
            }
            (_, _, Some(grants), None) if grants.keys.contains(key.as_str()) => {
                format!("to allow it, in {place}, write:\n{grant}")
            }
            _ => format!("to allow it, in {place}, add:\n{grant}"),
        };
        for inside in folder.iter().flat_map(|folder| known.iter().filter(|other| weaker_inside(other, folder))) {
            text.push_str(&format!("\nand take out the line `{}`, which lies inside", self.as_written(inside)));
        }
        let shown = folder.as_ref().zip(line).and_then(|(folder, line)| Some((host_of(&line)?, folder.host.clone())));
        self.count_as_written(plugin, key, folder);
        Advice { text, folder: shown }
    }

    /// The line as people write it: folders beside the file begin with `./`.
    pub(super) fn as_written(&self, grant: &FileGrant) -> String {
        match grant.host.strip_prefix(&self.base) {
            Ok(rest) if !self.base.as_os_str().is_empty() => {
                FileGrant { host: PathBuf::from(".").join(rest), ..grant.clone() }.to_string()
            }
            _ => grant.to_string(),
        }
    }

    fn count_as_written(&mut self, plugin: &PluginName, key: String, folder: Option<FileGrant>) {
        for sections in [&mut self.written, &mut self.plugins] {
            let grants: &mut PluginGrants = Arc::make_mut(sections.entry(plugin.clone()).or_default());
            grants.keys.insert(key.clone());
            grants.files.extend(folder.clone());
        }
    }
}

fn weaker_inside(inner: &FileGrant, outer: &FileGrant) -> bool {
    inner.guest != outer.guest && inner.guest.below(&outer.guest).is_some() && inner.access < outer.access
}

/// `./etc` of `read ./etc as /etc`.
fn host_of(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(' ')?;
    Some(rest.rsplit_once(" as ")?.0.to_owned())
}

/// The key of a grant, and its line where it is a list of one.
fn read(grant: &str) -> Option<(String, Option<String>)> {
    let table = DeTable::parse(grant).ok()?;
    let (key, value) = table.get_ref().iter().next()?;
    let line = match value.get_ref() {
        DeValue::Array(items) => match items.first()?.get_ref() {
            DeValue::String(line) => Some(line.to_string()),
            _ => None,
        },
        _ => None,
    };
    Some((key.get_ref().to_string(), line))
}
