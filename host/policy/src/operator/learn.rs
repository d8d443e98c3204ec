//! Grants that were missed, added in memory, and what was added as a person would write it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{OperatorFile, PluginGrants};
use crate::authority::Authority;
use crate::error::PolicyError;
use crate::files::{Access, FileGrant};
use crate::http::{HttpGrant, HttpTarget};
use crate::keyvalue::KeyValueGrant;
use crate::names::PluginName;
use crate::requests::Requests;

impl OperatorFile {
    /// Adds `grant`, the TOML that a refusal for `plugin` offers, for as long as this value lives. Relative folders are
    /// taken from `base`. `false` where it was there already.
    ///
    /// # Errors
    ///
    /// It is not the TOML of grants.
    pub fn extend(&mut self, base: &Path, plugin: &PluginName, grant: &str) -> Result<bool, PolicyError> {
        let read = Self::parse(&format!("[plugin.{plugin}]\n{grant}"), "the grant", base)?;
        let more = read.plugins.get(plugin).cloned().unwrap_or_default();
        let mut grants = self.plugins.get(plugin).map_or_else(PluginGrants::default, |grants| (**grants).clone());
        let before = grants.lines();
        let (plugin, all) = (plugin.clone(), Requests::everything());
        let allowed = self.authority(&plugin, &all, None);
        let new = more.http.iter().filter(|line| !covers(&allowed, line));
        new.for_each(|line| widen_request(&mut grants.http, line));
        let credentials = more.credentials.iter().filter(|grant| !grants.credentials.contains(grant));
        grants.credentials.extend(credentials.cloned().collect::<Vec<_>>());
        more.files.iter().for_each(|folder| widen(&mut grants.files, folder));
        more.keyvalue.iter().for_each(|bucket| widen_bucket(&mut grants.keyvalue, bucket));
        grants.env.extend(more.env.iter().cloned());
        grants.config.extend(more.config.clone());
        grants.tools.extend(more.tools.iter().filter(|line| !grants.tools.contains(line)).cloned().collect::<Vec<_>>());
        grants.ask |= more.ask;
        grants.model |= more.model;
        let changed = grants.lines() != before;
        self.plugins.insert(plugin, Arc::new(grants));
        Ok(changed)
    }

    /// The same file for a world in which nothing has an effect: what may be written may be read, and no request leaves.
    #[must_use]
    pub fn dry(&self) -> Self {
        let mut dry = self.clone();
        for grants in dry.plugins.values_mut() {
            let grants = Arc::make_mut(grants);
            grants.http.clear();
            grants.files.iter_mut().for_each(|folder| folder.access = Access::Read);
            grants.keyvalue.iter_mut().for_each(|bucket| bucket.access = Access::Read);
        }
        dry
    }

    /// The lines that this file has and `before` has not, as TOML; empty where there are none.
    pub fn added_since(&self, before: &OperatorFile) -> String {
        let mut text = String::new();
        for plugin in self.plugins.keys() {
            let old = before.grants(plugin);
            let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for (key, line) in self.grants(plugin).into_iter().filter(|line| !old.contains(line)) {
                keys.entry(key).or_default().push(self.shown(plugin, key, line));
            }
            if !keys.is_empty() {
                text.push_str(&format!("[plugin.{plugin}]\n"));
            }
            for (key, lines) in keys {
                text.push_str(&entry(key, &lines));
            }
        }
        text
    }

    /// The line as people write it: folders beside the file begin with `./`.
    fn shown(&self, plugin: &PluginName, key: &str, line: String) -> String {
        let grants = self.plugins.get(plugin).filter(|_| key == "files");
        let folder = grants.and_then(|grants| grants.files.iter().find(|grant| grant.to_string() == line));
        folder.map_or(line, |folder| self.as_written(folder))
    }
}

/// Whether a line for one address allows nothing that is not allowed already. One that opens a private range is another
/// matter than its address.
fn covers(allowed: &Authority, line: &HttpGrant) -> bool {
    let text = line.pattern().to_string();
    let target = text.split_once(' ').and_then(|(method, url)| HttpTarget::parse(method, url).ok());
    line.via().is_empty()
        && target.is_some_and(|target| allowed.http(&target).is_ok_and(|grant| grant.via().is_empty()))
}

/// Adds a line; where one says the same with fewer ranges opened, this one takes its place.
fn widen_request(lines: &mut Vec<HttpGrant>, more: &HttpGrant) {
    match lines.iter_mut().find(|known| known.widens_to(more)) {
        Some(known) => *known = more.clone(),
        None => lines.push(more.clone()),
    }
}

/// Adds a folder; where its place is taken, the wider of both stays.
fn widen(files: &mut Vec<FileGrant>, more: &FileGrant) {
    match files.iter_mut().find(|known| known.guest == more.guest) {
        Some(known) if known.access < more.access => *known = more.clone(),
        Some(_) => {}
        None => {
            files.retain(|known| known.guest.below(&more.guest).is_none() || known.access >= more.access);
            files.push(more.clone());
        }
    }
}

/// Adds a bucket; where there is a line for it, the wider access of both stays.
fn widen_bucket(buckets: &mut Vec<KeyValueGrant>, more: &KeyValueGrant) {
    match buckets.iter_mut().find(|known| known.bucket == more.bucket) {
        Some(known) => known.access = known.access.max(more.access),
        None => buckets.push(more.clone()),
    }
}

/// `http = ["…", "…"]`, `config = { key = "…" }`, `ask = true`.
fn entry(key: &str, lines: &[String]) -> String {
    match key {
        "ask" | "model" => format!("{key} = true\n"),
        "credentials" => format!("{key} = [{}]\n", lines.join(", ")),
        "config" => {
            let settings: toml::Table = lines
                .iter()
                .filter_map(|line| line.split_once('='))
                .map(|(key, value)| (key.to_owned(), toml::Value::from(value)))
                .collect();
            format!("config = {}\n", toml::Value::from(settings))
        }
        _ => format!("{key} = {}\n", toml::Value::from(lines.to_vec())),
    }
}
