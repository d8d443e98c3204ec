//! What a lock holds of one plugin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{Digest, Effect};

use super::Difference;
use super::difference::{compare_texts, compare_values};
use crate::plugin::Plugin;

/// A plugin, as a person saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// Its component.
    pub digest: Digest,
    /// The version that its manifest states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it says it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The key that it was signed with, where its signature was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// What it asks for, line by line, and the limits that suffice for it; the interfaces that it imports, where it has no manifest.
    #[serde(default)]
    pub requests: Vec<String>,
    /// Its tools.
    #[serde(default)]
    pub tools: BTreeMap<String, PinnedTool>,
}

/// A tool, as a person saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedTool {
    /// What it says it does.
    pub description: String,
    /// The effect that it declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The schema of its arguments.
    pub arguments: Value,
    /// The schema of its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

impl Pinned {
    /// The plugin as it is now.
    pub fn of(plugin: &Plugin, signed_by: Option<String>) -> Self {
        let requests = match plugin.manifest() {
            Some(manifest) => {
                let lines = manifest.requests.lines().into_iter().map(|(key, line)| format!("{key} {line}"));
                let limits = manifest.requests.limits.entries();
                lines.chain(limits.into_iter().map(|(name, value)| format!("limit {} {value}", name.key()))).collect()
            }
            None => plugin.imports().iter().map(|import| format!("import {import}")).collect(),
        };
        let tool = |tool: &crate::Tool| PinnedTool {
            description: tool.description().to_owned(),
            effect: tool.declared_effect().cloned(),
            arguments: tool.input_schema().value().clone(),
            result: tool.output_schema().map(|schema| schema.value().clone()),
        };
        Self {
            digest: *plugin.digest(),
            version: plugin.version().map(str::to_owned),
            description: plugin.description().to_owned(),
            signed_by,
            requests,
            tools: plugin.tools().iter().map(|t| (t.name().tool().to_owned(), tool(t))).collect(),
        }
    }

    /// All that there is to see of a plugin that nobody has seen yet.
    pub fn everything(&self) -> Vec<Difference> {
        let nothing = Self {
            digest: self.digest,
            version: None,
            description: String::new(),
            signed_by: None,
            requests: Vec::new(),
            tools: BTreeMap::new(),
        };
        let mut all = vec![Difference { at: "component".to_owned(), was: None, is: Some(self.digest.to_string()) }];
        all.extend(nothing.differences(self));
        let described = |(name, tool): (&String, &PinnedTool)| Difference {
            at: format!("tool {name}: description"),
            was: None,
            is: Some(tool.description.clone()),
        };
        all.extend(self.tools.iter().map(described));
        all
    }

    /// What is different in `now`; nothing where nothing is. Who signed it is not compared.
    pub fn differences(&self, now: &Pinned) -> Vec<Difference> {
        let mut found = Vec::new();
        let texts = |found: &mut Vec<_>, at: &str, was: Option<String>, is: Option<String>| {
            compare_texts(found, at, was.as_deref(), is.as_deref());
        };
        texts(&mut found, "component", Some(self.digest.to_string()), Some(now.digest.to_string()));
        texts(&mut found, "version", self.version.clone(), now.version.clone());
        texts(&mut found, "description", Some(self.description.clone()), Some(now.description.clone()));
        for line in self.requests.iter().filter(|line| !now.requests.contains(line)) {
            texts(&mut found, "asks for", Some(line.clone()), None);
        }
        for line in now.requests.iter().filter(|line| !self.requests.contains(line)) {
            texts(&mut found, "asks for", None, Some(line.clone()));
        }
        for (name, was) in &self.tools {
            match now.tools.get(name) {
                None => texts(&mut found, "tool", Some(name.clone()), None),
                Some(is) => was.compare(name, is, &mut found),
            }
        }
        for name in now.tools.keys().filter(|name| !self.tools.contains_key(*name)) {
            texts(&mut found, "tool", None, Some(name.clone()));
        }
        found
    }

    /// Whether `now` states an older version than this one.
    pub fn is_downgrade_to(&self, now: &Pinned) -> bool {
        let parse = |version: &Option<String>| semver::Version::parse(version.as_deref()?).ok();
        parse(&self.version).zip(parse(&now.version)).is_some_and(|(was, is)| is < was)
    }
}

impl PinnedTool {
    fn compare(&self, name: &str, now: &PinnedTool, found: &mut Vec<Difference>) {
        let at = |what: &str| format!("tool {name}: {what}");
        compare_texts(found, &at("description"), Some(&self.description), Some(&now.description));
        let effect = |tool: &PinnedTool| tool.effect.as_ref().map(|effect| effect.as_str().to_owned());
        compare_texts(found, &at("effect"), effect(self).as_deref(), effect(now).as_deref());
        if self.effect != now.effect && effect(self) == effect(now) {
            compare_texts(found, &at("undo"), Some(&format!("{:?}", self.effect)), Some(&format!("{:?}", now.effect)));
        }
        compare_values(found, &at("arguments"), Some(&self.arguments), Some(&now.arguments));
        compare_values(found, &at("result"), self.result.as_ref(), now.result.as_ref());
    }
}
