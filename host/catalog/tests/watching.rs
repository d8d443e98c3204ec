//! Hot reload with the system's own events.

mod support;

use std::io::Write;
use std::time::Duration;

use support::{Crib, component, name, tools};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use toolcrib_catalog::{Catalog, Change, WatchOptions, Watcher};

/// Long enough for a busy machine, and only waited for when a test fails.
const LONG: Duration = Duration::from_secs(30);

fn options() -> WatchOptions {
    WatchOptions {
        quiet: Duration::from_millis(50),
        patience: Duration::from_millis(1500),
        poll: Duration::from_secs(60),
        ..WatchOptions::default()
    }
}

async fn watched(crib: &Crib, options: WatchOptions) -> (Catalog, Watcher, Receiver<Change>) {
    let catalog = crib.open().await;
    let changes = catalog.subscribe();
    let watcher = catalog.watch(options);
    // The first look after the events were switched on makes no change; give it time to pass.
    tokio::time::sleep(Duration::from_millis(300)).await;
    (catalog, watcher, changes)
}

async fn next(changes: &mut Receiver<Change>) -> Change {
    timeout(LONG, changes.recv()).await.expect("a change in time").expect("no change was missed")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_changed_and_removed_arrives() {
    let crib = Crib::new();
    let (catalog, _watcher, mut changes) = watched(&crib, options()).await;
    crib.write("project/a.wasm", component("read", "1"));
    assert_eq!(next(&mut changes).await.added, [name("a")]);
    crib.write("project/a.wasm", component("read", "2"));
    assert_eq!(next(&mut changes).await.changed, [name("a")]);
    assert_eq!(tools(&catalog.snapshot()), ["a.read: 2"]);
    std::fs::remove_file(crib.path("project/a.wasm")).unwrap();
    assert_eq!(next(&mut changes).await.removed, [name("a")]);
    assert!(catalog.snapshot().tools().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_copied_slowly_appears_once_and_whole() {
    let crib = Crib::new();
    crib.write("project/a.wasm", component("read", "1"));
    let (catalog, _watcher, mut changes) = watched(&crib, options()).await;
    let whole = component("read", "2");
    let mut file = std::fs::File::create(crib.path("project/a.wasm")).unwrap();
    for part in whole.as_bytes().chunks(whole.len().div_ceil(4)) {
        file.write_all(part).unwrap();
        file.sync_all().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(catalog.snapshot().problems().is_empty());
    }
    drop(file);
    let change = next(&mut changes).await;
    assert_eq!((change.changed, change.problems), (vec![name("a")], Vec::new()));
    assert_eq!(tools(&catalog.snapshot()), ["a.read: 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_counts_after_a_while_and_the_good_bytes_can_still_be_loaded() {
    let crib = Crib::new();
    let good = component("read", "1");
    crib.write("project/a.wasm", &good);
    let (catalog, _watcher, mut changes) = watched(&crib, options()).await;
    crib.write("project/a.wasm", "garbage");
    let change = next(&mut changes).await;
    assert_eq!((change.changed, change.problems.len()), (vec![name("a")], 1));
    assert_eq!(tools(&catalog.snapshot()), ["a.read: 1"]);
    assert_eq!(catalog.component(&name("a")).await.unwrap(), good.as_bytes());
    crib.write("project/a.wasm", component("read", "2"));
    let change = next(&mut changes).await;
    assert_eq!((change.changed, change.solved.len()), (vec![name("a")], 1));
    assert_eq!(catalog.component(&name("a")).await.unwrap(), component("read", "2").as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_made_later_is_found_by_the_poll_and_then_followed() {
    let crib = Crib::new();
    std::fs::remove_dir(crib.path("project")).unwrap();
    let poll = Duration::from_millis(200);
    let (_catalog, _watcher, mut changes) = watched(&crib, WatchOptions { poll, ..options() }).await;
    crib.write("project/a.wasm", component("read", "1"));
    assert_eq!(next(&mut changes).await.added, [name("a")]);
    crib.write("project/b/b.wasm", component("read", "1"));
    crib.write("project/b/plugin.toml", support::manifest("b"));
    assert_eq!(next(&mut changes).await.added, [name("b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_after_the_watcher_is_dropped() {
    let crib = Crib::new();
    let (catalog, watcher, mut changes) = watched(&crib, options()).await;
    drop(watcher);
    crib.write("project/a.wasm", component("read", "1"));
    assert!(timeout(Duration::from_millis(500), changes.recv()).await.is_err());
    assert_eq!(catalog.reload().await.added, [name("a")]);
}
