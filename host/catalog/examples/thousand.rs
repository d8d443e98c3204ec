//! Measures a catalog of many plugins: `cargo run --release -p toolcrib-catalog --example thousand [PLUGINS] [TOOLS_EACH]`.
//!
//! Components are stand-ins that an inspector here describes at once, so the cold figure is the catalog's own share of a
//! first start: reading, hashing, cleaning texts, writing the index. The warm figures are all that a later start costs.
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use toolcrib_catalog::{Catalog, CatalogConfig, Inspect, InspectError, Sources};
use toolcrib_policy::{Digest, PluginName};
use toolcrib_sandbox::{PluginInfo, PluginKind, ToolInfo};

const VERBS: [&str; 10] =
    ["create", "list", "read", "update", "delete", "search", "export", "send", "archive", "compare"];
const NOUNS: [&str; 12] = [
    "issue", "invoice", "customer", "message", "calendar", "document", "image", "ticket", "order", "branch", "report",
    "payment",
];

struct Describer {
    tools: usize,
}

#[async_trait]
impl Inspect for Describer {
    async fn inspect(&self, _name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError> {
        let digest = Digest::of(&component);
        let seed = usize::from(digest.as_bytes()[0]);
        Ok(PluginInfo {
            digest,
            kind: PluginKind::Describing,
            tools: (0..self.tools).map(|number| tool(seed, number)).collect(),
            imports: [
                "wasi:cli/environment",
                "wasi:clocks/wall-clock",
                "wasi:http/outgoing-handler",
                "wasi:io/streams",
            ]
            .map(|import| format!("{import}@0.2.0"))
            .to_vec(),
            exports: vec!["toolcrib:tool/tools@0.1.0".to_owned()],
            skipped: Vec::new(),
        })
    }
}

fn tool(seed: usize, number: usize) -> ToolInfo {
    let verb = VERBS[(seed + number) % VERBS.len()];
    let noun = NOUNS[(seed / 3 + number / VERBS.len()) % NOUNS.len()];
    let text = |what: &str| json!({"type": "string", "description": format!("The {what} of the {noun}, as the service knows it.")});
    ToolInfo {
        name: format!("{verb}-{noun}-{number}"),
        title: Some(format!("{verb} {noun}")),
        description: format!(
            "Use this to {verb} one {noun} or several of them in the connected workspace. Returns the {noun} with its \
             identifier, its state and the time of the last change; fails where the {noun} does not exist or the \
             account has no right to {verb} it. Long results come in pages."
        ),
        input_schema: json!({"type": "object", "required": ["id"], "properties": {
            "id": text("identifier"), "owner": text("owner"), "state": {"type": "string", "enum": ["open", "closed"]},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Most results of one page."},
            "filter": {"type": "object", "properties": {"since": text("first day"), "label": text("label")}}}}),
        output_schema: Some(json!({"type": "object", "properties": {"items": {"type": "array"}}})),
        effect: None,
        open_world: true,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let plugins = numbers.next().transpose()?.unwrap_or(1_000);
    let tools = numbers.next().transpose()?.unwrap_or(10);
    let dir = tempfile::tempdir()?;
    write_plugins(&dir.path().join("plugins"), plugins)?;
    tokio::runtime::Builder::new_multi_thread().build()?.block_on(measure(dir.path(), plugins, tools))
}

/// Half of the plugins are files, half are folders with a manifest.
fn write_plugins(directory: &Path, count: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for number in 0..count {
        let component = format!("stand-in {number} {}", "x".repeat(64 << 10));
        if number % 2 == 0 {
            std::fs::write(directory.join(format!("service-{number}-app.wasm")), component)?;
        } else {
            let folder = directory.join(format!("folder-{number}"));
            std::fs::create_dir(&folder)?;
            let name = format!("service-{number}-app");
            std::fs::write(folder.join("plugin.toml"), format!("name = \"{name}\"\nversion = \"1.0.0\"\n"))?;
            std::fs::write(folder.join(format!("{name}.wasm")), component)?;
        }
    }
    Ok(())
}

async fn measure(root: &Path, plugins: usize, tools: usize) -> Result<(), Box<dyn Error>> {
    let config = CatalogConfig {
        sources: Sources { project: vec![root.join("plugins")], ..Sources::default() },
        cache_dir: Some(root.join("cache")),
        engine: "example".to_owned(),
        parallel: None,
    };
    let open = || Catalog::open(config.clone(), Arc::new(Describer { tools }));
    let start = Instant::now();
    let catalog = open().await;
    let snapshot = catalog.snapshot();
    println!(
        "{} plugins, {} tools, {} problems",
        snapshot.plugins().len(),
        snapshot.tools().len(),
        snapshot.problems().len()
    );
    println!("cold open, own share     {:>9.2?}", start.elapsed());
    let size: u64 =
        std::fs::read_dir(root.join("cache"))?.flatten().flat_map(|file| file.metadata()).map(|m| m.len()).sum();
    println!("index                    {:>9} KiB", size >> 10);

    let mut opens = Vec::new();
    for _ in 0..15 {
        let start = Instant::now();
        let snapshot = open().await.snapshot();
        let listed = snapshot.tools().iter().map(|tool| tool.description().len()).sum::<usize>();
        opens.push(start.elapsed());
        assert!(listed > 0 && snapshot.plugins().len() == plugins);
    }
    print_times("warm open and list", opens);

    let snapshot = open().await.snapshot();
    let start = Instant::now();
    assert!(!snapshot.search("create issue", 10).is_empty());
    println!("first search (index)     {:>9.2?}", start.elapsed());
    let queries = ["create issue", "send a message to a customer", "archive old invoices", "delte branh", "calend"];
    let mut searches = Vec::new();
    for query in queries.iter().cycle().take(500) {
        let start = Instant::now();
        assert!(!snapshot.search(query, 20).is_empty());
        searches.push(start.elapsed());
    }
    print_times("search", searches);

    let mut looks = Vec::new();
    for _ in 0..15 {
        let start = Instant::now();
        assert!(catalog.reload().await.is_empty());
        looks.push(start.elapsed());
    }
    print_times("reload, nothing changed", looks);
    Ok(())
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!("{what:<24} {:>9.2?} p50 {:>9.2?} p99 {:>9.2?} least", at(50), at(99), times[0]);
}
