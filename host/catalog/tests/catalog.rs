//! The catalog from outside: directories in, snapshots and bytes out.

mod support;

use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;

use support::{Crib, component, index_files, manifest, name, problems, tools};
use toolcrib_catalog::{CatalogConfig, CatalogError, Embedded, Rank};
use toolcrib_policy::{Digest, Effect};

#[tokio::test]
async fn files_and_folders_become_tools_with_qualified_names() {
    let crib = Crib::new();
    crib.write("project/word_count.wasm", component("count", "Counts words."));
    crib.write("user/any folder/plugin.toml", manifest("notes"));
    crib.write("user/any folder/notes.wasm", component("add", "Adds a note."));
    let snapshot = crib.open().await.snapshot();
    assert_eq!(tools(&snapshot), ["notes.add: Adds a note.", "word-count.count: Counts words."]);
    assert!(snapshot.problems().is_empty());
    let notes = snapshot.plugin(&name("notes")).unwrap();
    assert_eq!((notes.version(), notes.description()), (Some("1.0.0"), "The notes plugin."));
    assert_eq!(notes.imports(), ["wasi:cli/environment@0.2.0"]);
    assert_eq!(notes.origin().rank(), Rank::User);
    assert!(snapshot.tool(&"notes.add".parse().unwrap()).is_some());
    assert!(snapshot.tool(&"notes.count".parse().unwrap()).is_none());
}

#[tokio::test]
async fn a_warm_start_inspects_nothing_and_says_the_same() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("read", "Reads.\u{200b}"));
    crib.write("project/broken.wasm", "garbage");
    crib.write("project/folder/plugin.toml", manifest("b"));
    crib.write("project/folder/b.wasm", component("write", "Writes."));
    let cold = crib.open().await.snapshot();
    assert_eq!(crib.fake.count(), 3);
    let warm = crib.open().await.snapshot();
    assert_eq!(crib.fake.count(), 0);
    assert_eq!(tools(&warm), tools(&cold));
    assert_eq!(warm.problems(), cold.problems());
    assert_eq!(warm.problems().len(), 2);
    for (warm, cold) in warm.plugins().iter().zip(cold.plugins()) {
        assert_eq!((warm.digest(), warm.kind(), warm.version()), (cold.digest(), cold.kind(), cold.version()));
        assert_eq!((warm.imports(), warm.exports()), (cold.imports(), cold.exports()));
        assert_eq!(warm.manifest(), cold.manifest());
        for (warm, cold) in warm.tools().iter().zip(cold.tools()) {
            assert_eq!(warm.input_schema().value(), cold.input_schema().value());
            assert_eq!(warm.output_schema().unwrap().json(), cold.output_schema().unwrap().json());
        }
    }
    let hits = |query| warm.search(query, 5).iter().map(|hit| hit.tool.name().to_string()).collect::<Vec<_>>();
    assert_eq!(hits("writing"), ["b.write"]);
    assert_eq!(hits("path").len(), 2);
}

#[tokio::test]
async fn only_what_changed_is_inspected_again() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("one", "1"));
    crib.write("project/b.wasm", component("two", "2"));
    let catalog = crib.open().await;
    assert_eq!(crib.fake.count(), 2);
    crib.write("project/a.wasm", component("one", "1"));
    assert!(catalog.reload().await.is_empty());
    assert_eq!(crib.fake.count(), 0, "the same bytes were written once more");
    crib.write("project/b.wasm", component("two", "3"));
    assert_eq!(catalog.reload().await.changed, [name("b")]);
    assert_eq!(crib.fake.count(), 1);
    assert_eq!(tools(&crib.open().await.snapshot()), ["a.one: 1", "b.two: 3"]);
    assert_eq!(crib.fake.count(), 0);
}

#[tokio::test]
async fn a_broken_version_leaves_the_last_good_one_in_use_until_it_is_mended_or_removed() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("read", "1"));
    let catalog = crib.open().await;
    let first = catalog.snapshot();
    crib.write("project/a.wasm", "garbage");
    let change = catalog.reload().await;
    assert_eq!((change.changed, change.problems.len()), (vec![name("a")], 1));
    let kept = catalog.snapshot();
    assert_eq!(tools(&kept), ["a.read: 1"]);
    assert!(kept.is_superseded(&name("a")));
    let digest = first.plugin(&name("a")).unwrap().digest().short();
    let expected = format!(
        "project/a.wasm: not a component: expected value at line 1 column 1; the version before it ({digest}) stays in use"
    );
    assert_eq!(problems(&kept, &crib), [expected]);

    crib.write("project/a.wasm", component("read", "2"));
    let change = catalog.reload().await;
    assert_eq!((change.changed, change.solved.len()), (vec![name("a")], 1));
    assert_eq!(tools(&catalog.snapshot()), ["a.read: 2"]);

    std::fs::remove_file(crib.path("project/a.wasm")).unwrap();
    assert_eq!(catalog.reload().await.removed, [name("a")]);
    assert!(catalog.snapshot().tools().is_empty());
    assert_eq!(tools(&first), ["a.read: 1"], "a snapshot that is held does not change");
}

#[tokio::test]
async fn a_manifest_with_a_typo_names_line_and_key_and_the_last_good_plugin_stays() {
    let crib = Crib::new();
    crib.write("project/a/plugin.toml", manifest("a"));
    crib.write("project/a/a.wasm", component("read", "1"));
    let catalog = crib.open().await;
    crib.write("project/a/plugin.toml", manifest("a").replace("description", "descripton"));
    catalog.reload().await;
    let snapshot = catalog.snapshot();
    assert_eq!(tools(&snapshot), ["a.read: 1"]);
    let said = problems(&snapshot, &crib).join("\n");
    assert!(said.starts_with("project/a: plugin.toml:3"), "{said}");
    assert!(said.contains("`descripton`") && said.contains("`description`"), "{said}");
}

#[tokio::test]
async fn a_manifest_speaks_for_its_tools_and_only_for_those_that_exist() {
    let crib = Crib::new();
    let tools =
        "[tool.read]\neffect = \"read\"\ndescription = \"As the manifest says.\"\n[tool.raed]\neffect = \"read\"\n";
    crib.write("project/a/plugin.toml", manifest("a") + tools);
    crib.write("project/a/a.wasm", component("read", "As the component says."));
    let snapshot = crib.open().await.snapshot();
    let tool = snapshot.tool(&"a.read".parse().unwrap()).unwrap();
    assert_eq!((tool.description(), tool.declared_effect()), ("As the manifest says.", Some(&Effect::Read)));
    assert_eq!(problems(&snapshot, &crib), ["project/a: plugin.toml: it has no tool `raed`; its tools are: read"]);
}

#[tokio::test]
async fn a_swapped_file_is_never_given_out() {
    let crib = Crib::new();
    let (listed, swapped) = (component("read", "1"), component("read", "2"));
    crib.write("project/a.wasm", &listed);
    let catalog = crib.open().await;
    assert_eq!(catalog.component(&name("a")).await.unwrap(), listed.as_bytes());
    crib.write("project/a.wasm", &swapped);
    let error = catalog.component(&name("a")).await.unwrap_err();
    let (before, after) = (Digest::of(listed.as_bytes()), Digest::of(swapped.as_bytes()));
    assert!(
        matches!(&error, CatalogError::DigestMismatch { expected, actual, .. } if (*expected, *actual) == (before, after))
    );
    assert_eq!(error.code(), "digest-mismatch");
    assert!(error.to_string().contains(&before.to_string()) && error.to_string().contains(&after.to_string()));
    catalog.reload().await;
    assert_eq!(catalog.component(&name("a")).await.unwrap(), swapped.as_bytes());
}

#[tokio::test]
async fn a_changed_manifest_or_a_missing_file_gives_no_bytes_either() {
    let crib = Crib::new();
    crib.write("project/a/plugin.toml", manifest("a"));
    crib.write("project/a/a.wasm", component("read", "1"));
    let catalog = crib.open().await;
    for toml in [manifest("b"), manifest("a") + "[requests]\nask = true\n", "name =".to_owned()] {
        crib.write("project/a/plugin.toml", toml);
        let error = catalog.component(&name("a")).await.unwrap_err();
        assert!(matches!(error, CatalogError::Changed { .. }), "{error}");
    }
    std::fs::remove_dir_all(crib.path("project/a")).unwrap();
    assert!(matches!(catalog.component(&name("a")).await, Err(CatalogError::Changed { .. })));
    assert!(matches!(catalog.component(&name("b")).await, Err(CatalogError::UnknownPlugin(_))));
    assert_eq!(catalog.reload().await.removed, [name("a")]);
}

#[tokio::test]
async fn an_index_that_is_cut_altered_or_of_another_engine_is_made_anew() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("read", "1"));
    crib.open().await;
    crib.fake.count();
    let cache = crib.path("cache");
    let good: Vec<_> = index_files(&cache).into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect();
    let longest = good.iter().map(|(bytes, _)| bytes.len()).max().unwrap();
    let damages: [fn(&mut Vec<u8>); 7] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(20),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.push(0),
        |bytes| bytes[0] ^= 1,
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| *bytes = vec![0xff; 4096],
    ];
    for damage in damages {
        for (bytes, file) in &good {
            let mut bytes = bytes.clone();
            damage(&mut bytes);
            std::fs::write(file, bytes).unwrap();
        }
        assert_eq!(tools(&crib.open().await.snapshot()), ["a.read: 1"]);
        assert_eq!(crib.fake.count(), 1);
    }
    assert!(longest > 100);
    let other = CatalogConfig { engine: "engine 2".to_owned(), ..crib.config() };
    crib.open_with(other).await;
    assert_eq!(crib.fake.count(), 1);
}

#[tokio::test]
async fn without_a_cache_everything_works_and_an_unwritable_one_is_noted() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("read", "1"));
    let none = CatalogConfig { cache_dir: None, ..crib.config() };
    assert_eq!(tools(&crib.open_with(none).await.snapshot()), ["a.read: 1"]);
    crib.write("file", "");
    let unwritable = CatalogConfig { cache_dir: Some(crib.path("file")), ..crib.config() };
    let snapshot = crib.open_with(unwritable).await.snapshot();
    assert_eq!(tools(&snapshot), ["a.read: 1"]);
    assert!(snapshot.problems().iter().all(|problem| problem.code == "cache-unwritable"));
    assert!(!snapshot.problems().is_empty());
}

#[tokio::test]
async fn trouble_of_the_host_is_tried_again() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("read", "1"));
    crib.fake.unavailable.store(true, Ordering::SeqCst);
    let catalog = crib.open().await;
    assert_eq!(problems(&catalog.snapshot(), &crib), ["project/a.wasm: no process could be started"]);
    crib.fake.unavailable.store(false, Ordering::SeqCst);
    assert_eq!(catalog.reload().await.added, [name("a")]);
    assert!(catalog.snapshot().problems().is_empty());
}

#[tokio::test]
async fn an_embedded_plugin_is_there_without_a_file_and_cannot_be_shadowed() {
    let crib = Crib::new();
    let bytes: &'static [u8] = Box::leak(component("read", "The real one.").into_boxed_str().into_boxed_bytes());
    let digest: &'static str = Box::leak(Digest::of(bytes).to_string().into_boxed_str());
    let manifest_toml: &'static str = Box::leak(manifest("files").into_boxed_str());
    let embedded = Embedded { name: "files", manifest_toml, component: bytes, digest };
    crib.write("project/files.wasm", component("read", "Another one."));
    crib.write("user/flles.wasm", component("read", "A look-alike."));
    crib.write("project/src/plugin.toml", manifest("files"));
    let mut config = crib.config();
    config.sources.embedded = vec![embedded];
    let catalog = crib.open_with(config.clone()).await;
    let snapshot = catalog.snapshot();
    assert_eq!(tools(&snapshot), ["files.read: The real one."]);
    let expected = [
        "project/files.wasm: the name `files` is taken by embedded:files (embedded); rename or remove this file",
        "user/flles.wasm: the name `flles` looks like `files`, which is embedded:files (embedded); rename or remove this file",
    ];
    assert_eq!(problems(&snapshot, &crib), expected);
    assert_eq!(catalog.component(&name("files")).await.unwrap(), bytes);
    crib.fake.count();
    assert_eq!(tools(&crib.open_with(config.clone()).await.snapshot()), tools(&snapshot));
    assert_eq!(crib.fake.count(), 0);

    config.sources.embedded[0].digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let snapshot = crib.open_with(config).await.snapshot();
    assert!(snapshot.plugins().is_empty());
    assert!(snapshot.problems().iter().any(|problem| problem.code == "digest-mismatch"));
}

#[tokio::test]
async fn things_that_are_no_plugins_cost_one_clear_line_each() {
    let crib = Crib::new();
    std::fs::File::create(crib.path("project/huge.wasm")).unwrap().set_len(1 << 40).unwrap();
    crib.write("project/Wrong Name.wasm", component("read", "1"));
    crib.write("project/missing/plugin.toml", manifest("missing"));
    crib.write("project/grant-all.wasm", component("read", "1"));
    symlink("/dev/zero", crib.path("project/zero.wasm")).unwrap();
    std::process::Command::new("mkfifo").arg(crib.path("project/pipe.wasm")).status().unwrap();
    let snapshot = crib.open().await.snapshot();
    assert!(snapshot.plugins().is_empty());
    let expected = [
        "project/Wrong Name.wasm: `Wrong Name` is not a plugin name: 1 to 64 characters of a-z, 0-9 and `-`, \
         beginning with a letter; rename the file to `wrong-name.wasm`",
        "project/grant-all.wasm: the name `grant-all` is reserved: `grant` speaks for the host; rename or remove this file",
        "project/huge.wasm: 1099511627776 bytes, and the most that is accepted is 134217728",
        "project/missing: `missing.wasm`: the component is missing; build it, or name another with `component` in plugin.toml",
        "project/pipe.wasm: not a regular file",
        "project/zero.wasm: not a regular file",
    ];
    assert_eq!(problems(&snapshot, &crib), expected);
    assert_eq!(crib.fake.count(), 1, "only the reserved name was worth an inspection");
}

#[tokio::test]
async fn a_missing_component_that_appears_is_found() {
    let crib = Crib::new();
    crib.write("project/a/plugin.toml", manifest("a"));
    let catalog = crib.open().await;
    assert!(catalog.snapshot().plugins().is_empty());
    crib.write("project/a/a.wasm", component("read", "1"));
    assert_eq!(catalog.reload().await.added, [name("a")]);
}
