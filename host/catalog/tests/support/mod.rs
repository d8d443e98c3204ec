//! A directory of plugins, and an inspector for components that are just JSON.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "helpers of tests, of which each file uses a part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use toolcrib_catalog::{Catalog, CatalogConfig, Inspect, InspectError, Snapshot, Sources};
use toolcrib_policy::{Digest, PluginName};
use toolcrib_sandbox::{PluginInfo, PluginKind, ToolInfo};

/// Takes `{"tools": {"NAME": "DESCRIPTION"}}` for a component, and counts.
#[derive(Default)]
pub struct Fake {
    inspections: AtomicUsize,
    pub unavailable: AtomicBool,
}

impl Fake {
    /// Inspections since the last call.
    pub fn count(&self) -> usize {
        self.inspections.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl Inspect for Fake {
    async fn inspect(&self, _name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError> {
        self.inspections.fetch_add(1, Ordering::SeqCst);
        if self.unavailable.load(Ordering::SeqCst) {
            let message = "no process could be started".to_owned();
            return Err(InspectError::Unavailable { code: "compile-worker".into(), message });
        }
        let invalid = |error| InspectError::Rejected {
            code: "component-invalid".into(),
            message: format!("not a component: {error}"),
        };
        let value: Value = serde_json::from_slice(&component).map_err(invalid)?;
        let tools = value["tools"].as_object().into_iter().flatten();
        let tool = |(name, description): (&String, &Value)| ToolInfo {
            name: name.clone(),
            title: None,
            description: description.as_str().unwrap_or_default().to_owned(),
            input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
            output_schema: Some(json!({"type": "string"})),
            effect: None,
            open_world: false,
        };
        Ok(PluginInfo {
            digest: Digest::of(&component),
            kind: PluginKind::Describing,
            tools: tools.map(tool).collect(),
            imports: vec!["wasi:cli/environment@0.2.0".to_owned()],
            exports: vec!["toolcrib:tool/tools@0.1.0".to_owned()],
            skipped: Vec::new(),
        })
    }
}

/// A component with one tool.
pub fn component(tool: &str, description: &str) -> String {
    json!({"tools": {tool: description}}).to_string()
}

/// A manifest.
pub fn manifest(name: &str) -> String {
    format!("name = \"{name}\"\nversion = \"1.0.0\"\ndescription = \"The {name} plugin.\"\n")
}

/// A project directory, a user directory and a cache.
pub struct Crib {
    pub dir: TempDir,
    pub fake: Arc<Fake>,
}

impl Crib {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["project", "user"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir, fake: Arc::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn config(&self) -> CatalogConfig {
        CatalogConfig {
            sources: Sources {
                project: vec![self.path("project")],
                user: Some(self.path("user")),
                embedded: Vec::new(),
            },
            cache_dir: Some(self.path("cache")),
            engine: "engine 1".to_owned(),
            parallel: None,
        }
    }

    pub async fn open(&self) -> Catalog {
        self.open_with(self.config()).await
    }

    pub async fn open_with(&self, config: CatalogConfig) -> Catalog {
        Catalog::open(config, Arc::clone(&self.fake) as Arc<dyn Inspect>).await
    }
}

pub fn name(text: &str) -> PluginName {
    PluginName::try_from(text).unwrap()
}

pub fn tools(snapshot: &Snapshot) -> Vec<String> {
    snapshot.tools().iter().map(|tool| format!("{}: {}", tool.name(), tool.description())).collect()
}

/// The problems, with the directory left out.
pub fn problems(snapshot: &Snapshot, crib: &Crib) -> Vec<String> {
    let root = format!("{}/", crib.path("").display()).replace("//", "/");
    snapshot.problems().iter().map(|problem| problem.to_string().replace(&root, "")).collect()
}

/// The index files in the cache.
pub fn index_files(cache: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
