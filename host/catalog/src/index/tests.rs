//! What an index that somebody else wrote can and cannot do.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use toolcrib_policy::{Digest, Effect, PluginName};
use toolcrib_sandbox::{PluginInfo, PluginKind, ToolInfo};

use super::*;
use crate::catalog::{Catalog, CatalogConfig, CatalogError};
use crate::inspect::{Inspect, InspectError};
use crate::plugin::{Origin, Plugin};
use crate::record::Outcome;
use crate::source::Sources;
use crate::stamp::Stamp;
use crate::tool::Tool;

/// Every component has one tool, described by its bytes.
struct Echo;

fn info(component: &[u8]) -> PluginInfo {
    PluginInfo {
        digest: Digest::of(component),
        kind: PluginKind::Describing,
        tools: vec![ToolInfo {
            name: "send".to_owned(),
            title: None,
            description: String::from_utf8_lossy(component).into_owned(),
            input_schema: json!({"type": "object"}),
            output_schema: None,
            effect: Some(Effect::Irreversible),
            open_world: true,
        }],
        imports: vec!["wasi:http/outgoing-handler@0.2.0".to_owned()],
        exports: Vec::new(),
        skipped: Vec::new(),
    }
}

#[async_trait]
impl Inspect for Echo {
    async fn inspect(&self, _name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError> {
        Ok(info(&component))
    }
}

struct Tampered {
    dir: tempfile::TempDir,
    place: PathBuf,
}

impl Tampered {
    /// A catalog of one plugin, `a`, was opened; then somebody rewrote its index.
    async fn with(tamper: impl FnOnce(&mut Plugin, &mut (PathBuf, Option<Stamp>), &Path)) -> (Self, Catalog) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("plugins")).unwrap();
        std::fs::write(root.join("evil.bin"), "evil").unwrap();
        let place = root.join("plugins/a.wasm");
        std::fs::write(&place, "honest").unwrap();
        let tampered = Self { dir, place };
        tampered.open().await;

        let index = Index::new(&tampered.cache(), &root.join("plugins"), "engine");
        let mut records = index.load(Rank::Project, &[]);
        let record = records.get_mut(&tampered.place).unwrap();
        let Outcome::Good(plugin) = &mut record.outcome else { panic!("the plugin is good") };
        tamper(Arc::get_mut(plugin).unwrap(), record.component.as_mut().unwrap(), &root.join("evil.bin"));
        index.store(&records).unwrap();
        let catalog = tampered.open().await;
        (tampered, catalog)
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    async fn open(&self) -> Catalog {
        let sources = Sources { project: vec![self.dir.path().join("plugins")], ..Sources::default() };
        let config =
            CatalogConfig { sources, cache_dir: Some(self.cache()), engine: "engine".to_owned(), parallel: None };
        Catalog::open(config, Arc::new(Echo)).await
    }
}

fn name(text: &str) -> PluginName {
    PluginName::try_from(text).unwrap()
}

fn tool(plugin: &mut Plugin) -> &mut Tool {
    Arc::get_mut(&mut plugin.tools[0]).unwrap()
}

/// After a reload everything is as the file says, and the bytes are given out.
async fn heals(catalog: &Catalog) {
    catalog.reload().await;
    let snapshot = catalog.snapshot();
    let plugin = snapshot.plugin(&name("a")).unwrap();
    assert_eq!(plugin.tools()[0].description(), "honest");
    assert_eq!(catalog.component(&name("a")).await.unwrap(), "honest");
    catalog.confirm(plugin, &info(b"honest")).await.unwrap();
}

#[tokio::test]
async fn an_index_that_nobody_touched_is_confirmed() {
    let (_dir, catalog) = Tampered::with(|_, _, _| {}).await;
    heals(&catalog).await;
}

#[tokio::test]
async fn a_digest_in_the_index_does_not_make_other_bytes_right() {
    let (_dir, catalog) = Tampered::with(|plugin, _, _| plugin.digest = Digest::of(b"evil")).await;
    let error = catalog.component(&name("a")).await.unwrap_err();
    assert!(matches!(error, CatalogError::DigestMismatch { .. }), "{error}");
    heals(&catalog).await;
}

#[tokio::test]
async fn a_path_in_the_index_is_not_a_way_to_another_file() {
    let (_dir, catalog) = Tampered::with(|plugin, component, evil| {
        plugin.digest = Digest::of(b"evil");
        if let Origin::File { component, .. } = &mut plugin.origin {
            *component = evil.to_owned();
        }
        *component = (evil.to_owned(), Stamp::of(evil).ok());
    })
    .await;
    if catalog.snapshot().plugin(&name("a")).is_some_and(|plugin| *plugin.digest() == Digest::of(b"evil")) {
        let error = catalog.component(&name("a")).await.unwrap_err();
        assert!(matches!(error, CatalogError::Changed { .. }), "{error}");
    }
    heals(&catalog).await;
}

#[tokio::test]
async fn a_name_in_the_index_gives_no_plugin_the_grants_of_another() {
    let (_dir, catalog) = Tampered::with(|plugin, _, _| plugin.name = name("trusted")).await;
    let error = catalog.component(&name("trusted")).await.unwrap_err();
    assert!(matches!(error, CatalogError::Changed { .. }), "{error}");
    heals(&catalog).await;
    assert!(catalog.snapshot().plugin(&name("trusted")).is_none());
}

#[tokio::test]
async fn a_description_or_an_effect_in_the_index_is_found_out_when_the_component_is_loaded() {
    let tampers: [fn(&mut Plugin); 4] = [
        |plugin| tool(plugin).description = "harmless".to_owned(),
        |plugin| tool(plugin).effect = Some(Effect::Read),
        |plugin| tool(plugin).input_schema = crate::schema::Schema::from_text(Bytes::from_static(b"{}")),
        |plugin| plugin.reach.encoded = Bytes::from(postcard::to_allocvec(&(["x"; 0], ["x"; 0])).unwrap()),
    ];
    for tamper in tampers {
        let (_dir, catalog) = Tampered::with(|plugin, _, _| tamper(plugin)).await;
        let snapshot = catalog.snapshot();
        let plugin = snapshot.plugin(&name("a")).unwrap();
        let bytes = catalog.component(&name("a")).await.unwrap();
        let error = catalog.confirm(plugin, &info(&bytes)).await.unwrap_err();
        assert!(matches!(error, CatalogError::IndexMismatch(_)), "{error}");
        heals(&catalog).await;
    }
}

#[tokio::test]
async fn spans_that_point_nowhere_make_the_index_useless_and_nothing_worse() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::new(dir.path(), Path::new("/plugins"), "engine");
    let mut plugin = crate::plugin::tests::empty(&name("a"), Rank::Project, "/plugins/a.wasm");
    plugin.description = "x".repeat(100);
    let component = Some((PathBuf::from("/plugins/a.wasm"), None));
    let outcome = Outcome::Good(Arc::new(plugin));
    let record = crate::record::Record { manifest: None, component, outcome, last_good: None };
    index.store(&Records::from([(PathBuf::from("/plugins/a.wasm"), record)])).unwrap();
    assert_eq!(index.load(Rank::Project, &[]).len(), 1);

    let good = std::fs::read(index.path()).unwrap();
    let body = MAGIC.len() + CHECKSUM_BYTES;
    for position in body..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[position] ^= flip;
            // The attacker knows how to make a checksum.
            let checksum = blake3::hash(&bytes[body..]);
            bytes[MAGIC.len()..body].copy_from_slice(checksum.as_bytes());
            std::fs::write(index.path(), &bytes).unwrap();
            for record in index.load(Rank::Project, &[]).values() {
                if let Some(plugin) = record.plugin() {
                    let _ = (plugin.imports(), plugin.manifest(), plugin.tools());
                }
            }
        }
    }
}

#[test]
fn half_written_files_of_the_dead_and_old_indexes_are_swept_away_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, age: Duration| {
        let file = std::fs::File::create(dir.path().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
    };
    write(".plugins-abc", KEEP_UNFINISHED * 2);
    write(".plugins-new", Duration::ZERO);
    write("plugins-old.idx", KEEP_INDEX * 2);
    write("plugins-recent.idx", KEEP_UNFINISHED * 2);
    write("somebody-elses", KEEP_INDEX * 2);
    Index::new(dir.path(), Path::new("/plugins"), "engine").store(&Records::new()).unwrap();
    let mut left: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("plugins-") || !name.contains(|c: char| c.is_ascii_digit()))
        .collect();
    left.sort();
    assert_eq!(left, [".plugins-new", "plugins-recent.idx", "somebody-elses"]);
}
