//! How to write what a refusal offers into the operator's file as it stands.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::OperatorFile;
use super::grants::PluginGrants;
use crate::files::{FileGrant, GuestPath, beside};
use crate::http::HttpGrant;
use crate::keyvalue::KeyValueGrant;
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
        let offered = line.as_deref().and_then(|line| Offered::read(&key, line, &self.base));
        let place = format!("[plugin.{plugin}] of {name}");
        let written = self.written.get(plugin);
        let mut text = match (offered.as_ref().and_then(|offered| self.change(plugin, offered)), written, &line) {
            (Some(Change { from, to, in_file }), ..) => {
                let place = if in_file { place } else { "what --grant gives".to_owned() };
                format!("to allow it, change the line `{from}` into `{to}` in {place}")
            }
            (None, None, _) => format!("to allow it, add to {name}:\n[plugin.{plugin}]\n{grant}"),
            (None, Some(grants), Some(line)) if grants.keys.contains(key.as_str()) => {
                format!("to allow it, in {place}, add to `{key}`:\n{}", toml::Value::from(line.as_str()))
            }
            // A second one beside a switch that is off would be an error.
            (None, Some(grants), None) if grants.is_off(&key) => {
                format!("to allow it, change `{key} = false` into `{grant}` in {place}")
            }
            _ => format!("to allow it, in {place}, add:\n{grant}"),
        };
        let mut shown = None;
        if let Some(Offered::Folder(folder)) = &offered {
            let known = self.plugins.get(plugin).map_or(&[][..], |grants| grants.files.as_slice());
            for inside in known.iter().filter(|other| weaker_inside(other, folder)) {
                text.push_str(&format!("\nand take out the line `{}`, which lies inside", self.as_written(inside)));
            }
            if folder.guest == GuestPath::root() && known.is_empty() {
                text.push_str(
                    "\nbetter, show the folder in a place of its own, as in `read ./folder as /folder`, and ask for what \
                     is below that",
                );
            }
            shown = line.as_deref().and_then(host_of).map(|host| (host, folder.host.clone()));
        }
        self.count_as_written(plugin, key, offered);
        Advice { text, folder: shown }
    }

    /// The line of `plugin` that `offered` takes the place of: the file takes one line for a folder of the sandbox and for
    /// a bucket, and a request that opens an address keeps the rate of its line.
    fn change(&self, plugin: &PluginName, offered: &Offered) -> Option<Change> {
        let known = self.plugins.get(plugin)?;
        let in_file = self.written.get(plugin).is_some_and(|grants| has_place(grants, offered));
        let (from, to) = match offered {
            Offered::Folder(folder) => {
                let same = known.files.iter().find(|other| other.guest == folder.guest)?;
                (self.as_written(same), self.as_written(folder))
            }
            Offered::Bucket(bucket) => {
                let same = known.keyvalue.iter().find(|other| other.bucket == bucket.bucket)?;
                (same.to_string(), bucket.to_string())
            }
            Offered::Request(request) => {
                let same = known.http.iter().find(|other| other.widens_to(request))?;
                (same.to_string(), request.to_string())
            }
        };
        Some(Change { from, to, in_file })
    }

    /// The line as people write it: folders beside the file begin with `./`.
    pub(super) fn as_written(&self, grant: &FileGrant) -> String {
        FileGrant { host: self.folder_as_written(&grant.host), ..grant.clone() }.to_string()
    }

    /// The folder as people write it.
    pub(super) fn folder_as_written(&self, host: &Path) -> PathBuf {
        match host.strip_prefix(&self.base) {
            Ok(rest) if !self.base.as_os_str().is_empty() => beside(rest),
            _ => host.to_owned(),
        }
    }

    fn count_as_written(&mut self, plugin: &PluginName, key: String, offered: Option<Offered>) {
        for sections in [&mut self.written, &mut self.plugins] {
            let grants: &mut PluginGrants = Arc::make_mut(sections.entry(plugin.clone()).or_default());
            grants.keys.insert(key.clone());
            match &offered {
                Some(Offered::Folder(folder)) => {
                    grants.files.retain(|other| other.guest != folder.guest && !weaker_inside(other, folder));
                    grants.files.push(folder.clone());
                }
                Some(Offered::Bucket(bucket)) => {
                    grants.keyvalue.retain(|other| other.bucket != bucket.bucket);
                    grants.keyvalue.push(bucket.clone());
                }
                Some(Offered::Request(request)) => {
                    grants.http.retain(|other| !other.widens_to(request));
                    grants.http.push(request.clone());
                }
                None if key == "ask" => grants.ask = true,
                None if key == "model" => grants.model = true,
                None => {}
            }
        }
    }
}

/// A line that may have to take the place of another one.
enum Offered {
    Folder(FileGrant),
    Bucket(KeyValueGrant),
    Request(HttpGrant),
}

impl Offered {
    fn read(key: &str, line: &str, base: &Path) -> Option<Self> {
        match key {
            "files" => FileGrant::parse(line, base).ok().map(Self::Folder),
            "keyvalue" => KeyValueGrant::parse(line).ok().map(Self::Bucket),
            "http" => HttpGrant::parse(line).ok().map(Self::Request),
            _ => None,
        }
    }
}

/// One line for another.
struct Change {
    from: String,
    to: String,
    /// Whether the line stands in the file; else a `--grant` gave it.
    in_file: bool,
}

/// Whether these grants have the line that `offered` takes the place of.
fn has_place(grants: &PluginGrants, offered: &Offered) -> bool {
    match offered {
        Offered::Folder(folder) => grants.files.iter().any(|other| other.guest == folder.guest),
        Offered::Bucket(bucket) => grants.keyvalue.iter().any(|other| other.bucket == bucket.bucket),
        Offered::Request(request) => grants.http.iter().any(|other| other.widens_to(request)),
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
