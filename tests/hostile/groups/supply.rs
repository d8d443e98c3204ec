//! Files that change between listing and use.

use std::path::Path;
use std::sync::Arc;

use toolcrib_catalog::{Catalog, CatalogConfig, Sources};
use toolcrib_policy::{Digest, PluginName};

use crate::host::{Host, alone};

/// A component that gives `number`; all have the same length.
fn giving(number: u32) -> Vec<u8> {
    let text = format!(
        r#"(component (core module $m (func (export "give") (result i32) (i32.const {number})))
            (core instance $i (instantiate $m))
            (func (export "give") (result u32) (canon lift (core func $i "give"))))"#
    );
    wat::parse_str(text).expect("a component")
}

async fn catalog(host: &Host, folder: &Path) -> Catalog {
    let config = CatalogConfig {
        sources: Sources { project: vec![folder.join("plugins")], user: None, embedded: Vec::new() },
        cache_dir: Some(folder.join("cache")),
        engine: host.sandbox.version_key(),
        parallel: None,
    };
    Catalog::open(config, Arc::new(host.sandbox.clone())).await
}

#[test]
pub(crate) fn supply_digest_mismatch() {
    alone(async |host| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("plugins")).expect("a folder");
        let file = folder.path().join("plugins/giver.wasm");
        let (good, evil) = (giving(1), giving(2));
        assert_eq!(good.len(), evil.len());
        std::fs::write(&file, &good).expect("a file");
        let name: PluginName = "giver".parse().expect("a name");
        let listed = catalog(host, folder.path()).await;
        assert_eq!(listed.snapshot().plugins().len(), 1);
        assert_eq!(listed.component(&name).await.expect("it is as listed"), good);

        // Swapped, and the time set back, so that nothing but the bytes is different.
        let time = file.metadata().and_then(|metadata| metadata.modified()).expect("a time");
        std::fs::write(&file, &evil).expect("a file");
        let swapped = std::fs::File::options().write(true).open(&file).expect("the file");
        swapped.set_modified(time).expect("a time");
        drop(swapped);
        for catalog in [listed, catalog(host, folder.path()).await] {
            let error = match catalog.component(&name).await {
                Err(error) => error,
                Ok(bytes) => {
                    // A look that saw the new file lists the new digest: then it is no swap.
                    let snapshot = catalog.snapshot();
                    let plugin = snapshot.plugin(&name).expect("it is listed");
                    assert_eq!(*plugin.digest(), Digest::of(&bytes));
                    assert_eq!(bytes, evil);
                    continue;
                }
            };
            assert_eq!(error.code(), "digest-mismatch");
            let place = file.canonicalize().expect("it is there");
            let sentence = format!(
                "`{}` was listed as {} and is now {}; nothing of it was run, the plugins are read again at the next \
                 start or reload",
                place.display(),
                Digest::of(&good),
                Digest::of(&evil)
            );
            assert_eq!(error.to_string(), sentence);
        }
        // The next look sees what there is.
        let again = catalog(host, folder.path()).await;
        assert_eq!(again.component(&name).await.expect("it is as listed now"), evil);
    });
}
