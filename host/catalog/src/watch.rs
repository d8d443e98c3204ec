//! Hot reload: the system says that something moved, and when it has been quiet for a while the catalog looks again.
//!
//! Events only say *when* to look, never what to believe: a lost event costs time, not correctness, and a slow poll
//! covers what sends none (network file systems, targets of links, directories that do not exist yet).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use crate::catalog::Catalog;
use crate::limits::{MAX_ENTRIES, MAX_KEPT_BYTES};
use crate::plugin::Origin;
use crate::stamp::Stamp;

/// How a catalog watches.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// How long nothing must have moved before a look.
    pub quiet: Duration,
    /// How long a file may be broken, without changing, before that counts: whoever is copying it may be pausing.
    pub patience: Duration,
    /// The longest time between two looks, whatever moves.
    pub poll: Duration,
    /// Bytes of components kept in memory, so that the last good version can be loaded after its file was broken.
    pub keep_bytes: usize,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(150),
            patience: Duration::from_secs(1),
            poll: Duration::from_secs(5),
            keep_bytes: MAX_KEPT_BYTES,
        }
    }
}

/// Watches for as long as it lives.
#[must_use = "the catalog stops watching when this is dropped"]
pub struct Watcher {
    task: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Catalog {
    /// Watches the directories. Changes arrive in the snapshot and at those who [subscribed](Catalog::subscribe).
    /// Must be called inside a Tokio runtime.
    pub fn watch(&self, options: WatchOptions) -> Watcher {
        self.inner.kept.enable(options.keep_bytes);
        let catalog = self.clone();
        Watcher { task: tokio::spawn(async move { catalog.watch_for_ever(options).await }) }
    }

    async fn watch_for_ever(self, options: WatchOptions) {
        let moved = Arc::new(Notify::new());
        let mut events = self.follow(Events::new(&moved)).await;
        // What moved between the last look and now has sent no event.
        let (_, mut unsettled) = self.look(Some(options.patience)).await;
        self.keep_current().await;
        loop {
            let longest = if unsettled { options.patience.min(options.poll) } else { options.poll };
            let until = Instant::now() + longest;
            if timeout_at(until, moved.notified()).await.is_ok() {
                // Quiet means that nothing moves for a while, up to the time of the next poll.
                while timeout_at(Instant::now() + options.quiet, moved.notified()).await.is_ok()
                    && Instant::now() < until
                {}
            }
            // Followed before the look, so that what comes after the look sends an event.
            events = self.follow(events).await;
            let (change, still_unsettled) = self.look(Some(options.patience)).await;
            unsettled = still_unsettled;
            if !change.is_empty() {
                events = self.follow(events).await;
            }
        }
    }

    async fn follow(&self, mut events: Events) -> Events {
        let (roots, parents) = self.directories().await;
        let followed = tokio::task::spawn_blocking(move || {
            events.follow(roots, parents);
            events
        });
        followed.await.unwrap_or_default()
    }

    /// Brings the plugins that are listed into memory, as long as there is room, so that their files may break.
    async fn keep_current(&self) {
        for plugin in self.snapshot().plugins() {
            let Origin::File { component, .. } = plugin.origin() else { continue };
            let size = Stamp::of(component).ok().and_then(|stamp| usize::try_from(stamp.size()).ok());
            if self.inner.kept.get(plugin).is_none() && size.is_some_and(|size| self.inner.kept.has_room(size)) {
                if let Err(error) = self.component_of(plugin).await {
                    tracing::debug!(plugin = %plugin.name(), %error, "not kept in memory");
                }
                // Nobody waits for this; calls come first.
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// The system's events for some directories, each for itself: what a build leaves deep inside a plugin's folder is
/// nobody's business.
#[derive(Default)]
struct Events {
    watcher: Option<notify::RecommendedWatcher>,
    followed: BTreeSet<PathBuf>,
}

impl Events {
    fn new(moved: &Arc<Notify>) -> Self {
        let moved = Arc::clone(moved);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| matters(&event.kind)) {
                moved.notify_one();
            }
        });
        let watcher = watcher.inspect_err(|error| tracing::warn!(%error, "no file events: plugins are polled")).ok();
        Self { watcher, followed: BTreeSet::new() }
    }

    /// Follows `roots`, the folders in them, and `parents`, and lets go of everything else. Blocks.
    fn follow(&mut self, roots: Vec<PathBuf>, parents: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let mut wanted = parents;
        wanted.extend(roots.iter().flat_map(|root| folders(root)));
        wanted.extend(roots);
        wanted.retain(|directory| directory.is_dir());
        for gone in self.followed.difference(&wanted) {
            // The system forgets a directory that is gone by itself; an error says just that.
            let _ = watcher.unwatch(gone);
        }
        self.followed.retain(|directory| wanted.contains(directory));
        for directory in wanted {
            if self.followed.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.followed.insert(directory);
                }
                Err(error) => tracing::debug!(directory = %directory.display(), %error, "polled, not watched"),
            }
        }
    }
}

/// The folders in a directory that may be, or may become, plugins.
fn folders(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().take(MAX_ENTRIES);
    let visible = entries.filter(|entry| entry.file_name().as_encoded_bytes().first() != Some(&b'.'));
    visible.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Whether an event can mean a change. Reading a file sends events too, and a look reads files.
fn matters(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
