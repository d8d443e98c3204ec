//! What the first-party tools do, in small, over files and pages in memory. Queries answer from a script.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use toolcrib_agent::{EffectState, ToolCall, ToolFailure};

use crate::catalog::first_party;
use crate::support::{Shed, failure};

/// Files, pages, and what queries give.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) files: Mutex<BTreeMap<String, String>>,
    pages: BTreeMap<String, String>,
    queries: BTreeMap<String, Value>,
    denied: Vec<String>,
}

impl World {
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.files.lock().unwrap().insert(path.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn page(mut self, url: &str, body: &str) -> Self {
        self.pages.insert(url.to_owned(), body.to_owned());
        self
    }

    /// The results of one jq program; any other is a failure.
    pub(crate) fn query(mut self, program: &str, results: Value) -> Self {
        self.queries.insert(program.to_owned(), results);
        self
    }

    /// Policy refuses this tool.
    pub(crate) fn deny(mut self, tool: &str) -> Self {
        self.denied.push(tool.to_owned());
        self
    }

    pub(crate) fn shed(self) -> (Arc<Shed>, Arc<World>) {
        let world = Arc::new(self);
        let inside = Arc::clone(&world);
        (Arc::new(Shed::new(first_party(), move |call| inside.act(call))), world)
    }

    fn act(&self, call: &ToolCall) -> Result<Value, ToolFailure> {
        let name = call.tool.to_string();
        if self.denied.contains(&name) {
            let grant = Some("http = [\"GET http://127.0.0.1/**\"]".to_owned());
            return Err(ToolFailure { grant, ..failure("net-denied", EffectState::None) });
        }
        let text = |key: &str| call.arguments[key].as_str().unwrap_or_default().to_owned();
        let missing = |what: &str| ToolFailure {
            message: format!("there is no `{what}`"),
            ..failure("not-found", EffectState::None)
        };
        match name.as_str() {
            "files.list" => Ok(json!({ "entries": self.entries(&text("path"))?, "truncated": false })),
            "files.read" => {
                let path = text("path");
                let found = self.files.lock().unwrap().get(&path).cloned().ok_or_else(|| missing(&path))?;
                Ok(
                    json!({ "path": path, "lines": found.lines().count(), "bytes": found.len(), "text": found, "truncated": false }),
                )
            }
            "files.write" => {
                let (path, text) = (text("path"), text("text"));
                let bytes = text.len();
                let old = self.files.lock().unwrap().insert(path.clone(), text);
                Ok(json!({ "path": path, "bytes": bytes, "created": old.is_none() }))
            }
            "files.search" => Ok(self.matches(&text("pattern"), &text("path"))),
            "files.edit" => {
                self.edit(&text("path"), &text("find"), &text("replace")).ok_or_else(|| missing(&text("path")))
            }
            "http.fetch" => {
                let url = text("url");
                let body = self.pages.get(&url).ok_or_else(|| missing(&url))?;
                Ok(
                    json!({ "status": 200, "url": url, "headers": {}, "media_type": "application/json", "body": body, "truncated": false }),
                )
            }
            "http.links" => Ok(json!({ "url": text("url"), "links": [{ "url": "http://127.0.0.1/a", "text": "A" }] })),
            "data.query" => {
                let program = text("query");
                let results =
                    self.queries.get(&program).ok_or_else(|| failure("invalid-arguments", EffectState::None))?;
                Ok(json!({ "results": results, "count": results.as_array().map_or(0, Vec::len) }))
            }
            "data.convert" => {
                Ok(json!({ "output": format!("as {}: {}", text("to"), text("input")), "format": text("to") }))
            }
            "text.stats" => {
                let text = text("text");
                let words = text.split_whitespace().count();
                Ok(
                    json!({ "bytes": text.len(), "characters": text.chars().count(), "words": words, "lines": text.lines().count(),
                    "sentences": 1, "unique_words": words.min(3), "longest_line": 9, "most_common": [] }),
                )
            }
            "text.replace" => {
                let (pattern, replacement) = (text("pattern"), text("replacement"));
                Ok(
                    json!({ "text": text("text").replace(&pattern, &replacement), "replacements": text("text").matches(&pattern).count() }),
                )
            }
            "text.hash" => {
                Ok(json!({ "algorithm": call.arguments["algorithm"], "hash": format!("{:x}", text("text").len()) }))
            }
            "time.now" => Ok(
                json!({ "time": "2026-11-24T11:00:00+09:00", "zone": call.arguments["zone"], "unix_seconds": 1, "weekday": "Tuesday", "week": 48 }),
            ),
            "time.difference" => {
                Ok(json!({ "seconds": 91_324_800, "human": "2 years", "iso8601": "P2Y10M22D", "days": 1057.0 }))
            }
            "javascript.run" => Ok(json!({ "value": 22, "stdout": [] })),
            other => Err(ToolFailure {
                message: format!("the world has no {other}"),
                ..failure("failed", EffectState::None)
            }),
        }
    }

    fn entries(&self, folder: &str) -> Result<Vec<Value>, ToolFailure> {
        let files = self.files.lock().unwrap();
        let inside = files.iter().filter(|(path, _)| path.starts_with(&format!("{}/", folder.trim_end_matches('/'))));
        let entries: Vec<_> =
            inside.map(|(path, text)| json!({ "path": path, "kind": "file", "size": text.len() })).collect();
        if entries.is_empty() { Err(failure("not-found", EffectState::None)) } else { Ok(entries) }
    }

    fn matches(&self, pattern: &str, folder: &str) -> Value {
        let files = self.files.lock().unwrap();
        let mut found = Vec::new();
        for (path, text) in files.iter().filter(|(path, _)| path.starts_with(folder)) {
            let lines = text.lines().enumerate().filter(|(_, line)| line.contains(pattern));
            found.extend(lines.map(|(at, line)| json!({ "path": path, "line": at + 1, "text": line })));
        }
        json!({ "matches": found, "files_searched": files.len(), "truncated": false })
    }

    fn edit(&self, path: &str, find: &str, replace: &str) -> Option<Value> {
        let mut files = self.files.lock().unwrap();
        let text = files.get_mut(path)?;
        let replacements = text.matches(find).count();
        *text = text.replace(find, replace);
        Some(json!({ "path": path, "replacements": replacements }))
    }
}
