//! Starting with a thousand plugins.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use toolcrib_catalog::{Catalog, CatalogConfig, Inspect, InspectError, Sources};
use toolcrib_policy::{Digest, PluginName};
use toolcrib_sandbox::{PluginInfo, PluginKind, ToolInfo};

use crate::measure::{Samples, Table, sample, shown};

const PLUGINS: usize = 1_000;

/// Stands in for the engine while the index is first made: compiling a thousand components is not what is measured.
struct Described;

#[async_trait]
impl Inspect for Described {
    async fn inspect(&self, _name: &PluginName, component: bytes::Bytes) -> Result<PluginInfo, InspectError> {
        let tool = |n: usize| ToolInfo {
            name: format!("tool-{n}"),
            title: None,
            description: "Does one thing and does it well, with a description of the usual length.".to_owned(),
            input_schema: json!({ "type": "object", "properties": { "text": { "type": "string" } } }),
            output_schema: Some(json!({ "type": "object", "properties": { "count": { "type": "integer" } } })),
            effect: None,
            open_world: false,
        };
        Ok(PluginInfo {
            digest: Digest::of(&component),
            kind: PluginKind::Describing,
            tools: (0..3).map(tool).collect(),
            imports: vec!["wasi:cli/stdout@0.2.6".to_owned()],
            exports: vec!["toolcrib:tool/tools@0.1.0".to_owned()],
            skipped: Vec::new(),
        })
    }
}

pub(crate) async fn rows(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).expect("a folder");
    for n in 0..PLUGINS {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend_from_slice(&n.to_le_bytes());
        std::fs::write(plugins.join(format!("plugin-{n}.wasm")), bytes).expect("a file");
    }
    let open = || async {
        let config = CatalogConfig {
            sources: Sources { project: vec![plugins.clone()], ..Sources::default() },
            cache_dir: Some(folder.path().join("cache")),
            engine: "bench".to_owned(),
            parallel: None,
        };
        let catalog = Catalog::open(config, Arc::new(Described)).await;
        let listed = catalog.snapshot().tools().len();
        assert_eq!(listed, PLUGINS * 3, "{:?}", catalog.snapshot().problems().first());
        listed
    };
    let cold = sample(open).await;
    let mut times = Vec::new();
    for _ in 0..20 {
        times.push(sample(open).await);
    }
    let warm = Samples::of(times).at(0.5);
    let ratio = warm.as_secs_f64() / cold.as_secs_f64();
    table.row(
        "catalog, 1,000 plugins, warm, to cold without compiling",
        shown(warm),
        format!("{ratio:.2}"),
        "<= 100 ms",
    );
}
