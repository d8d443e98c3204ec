//! The catalog: a snapshot that is swapped, and the only way to a component's bytes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, broadcast};
use toolcrib_policy::{Digest, PluginName, TrustedKey, UnixMillis};
use toolcrib_sandbox::PluginInfo;

use crate::assemble::snapshot;
use crate::index::Index;
use crate::inspect::Inspect;
use crate::kept::Kept;
use crate::manifest::MANIFEST_FILE;
use crate::place;
use crate::plugin::{self, Origin, Plugin};
use crate::record::{Outcome, Records};
use crate::refresh::{Examiner, Unsettled, refresh};
use crate::signature::{self, SignatureError};
use crate::snapshot::{Change, Snapshot};
use crate::source::{Embedded, Rank, Sources};
use crate::state::{Source, SourceKind};

/// Changes that a slow listener may fall behind before it misses some. It can always look at the snapshot instead.
const CHANGE_BACKLOG: usize = 64;

/// What a catalog is opened with.
#[derive(Clone, Debug, Default)]
pub struct CatalogConfig {
    /// Where plugins are.
    pub sources: Sources,
    /// Where the index is kept. None: every start inspects everything.
    pub cache_dir: Option<PathBuf>,
    /// What inspections depend on besides the bytes: the version of the engine and of the program. An index that was
    /// made with another one is not used.
    pub engine: String,
    /// Inspections at a time. None: one for each processor.
    pub parallel: Option<usize>,
}

/// Why a component or its description was not given out.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No plugin has the name.
    #[error("there is no plugin `{0}`")]
    UnknownPlugin(PluginName),
    /// The file has other bytes than when it was listed.
    #[error("`{}` was listed as {expected} and is now {actual}; nothing of it was run, the plugins are read again at the next start or reload", path.display())]
    DigestMismatch {
        /// The component.
        path: PathBuf,
        /// The digest in the snapshot.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The place is another plugin than the one that was listed, or is one no longer.
    #[error("`{}` is no longer the plugin that was listed: {reason}; nothing of it was run, the plugins are read again at the next start or reload", path.display())]
    Changed {
        /// The `.wasm` file or the folder.
        path: PathBuf,
        /// What is different.
        reason: String,
    },
    /// The component says other things about itself than the index said.
    #[error(
        "the cached description of `{0}` is not what its component says; the cache was altered, and the plugin is inspected again at the next start or reload"
    )]
    IndexMismatch(PluginName),
    /// The reading was stopped.
    #[error("reading `{}` was stopped", .0.display())]
    Stopped(PathBuf),
}

impl CatalogError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CatalogError::UnknownPlugin(_) => "plugin-unknown",
            CatalogError::DigestMismatch { .. } => "digest-mismatch",
            CatalogError::Changed { .. } => "plugin-changed",
            CatalogError::IndexMismatch(_) => "index-mismatch",
            CatalogError::Stopped(_) => "unreadable",
        }
    }
}

/// The plugins of some sources. Cheap to clone; clones are the same catalog.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    examiner: Examiner,
    pub(crate) kept: Arc<Kept>,
    current: RwLock<Arc<Snapshot>>,
    /// What the next look begins with. Held during a look, so that there is one at a time.
    state: Mutex<State>,
    changes: broadcast::Sender<Change>,
}

struct State {
    sources: Vec<Source>,
    unsettled: Unsettled,
}

impl Catalog {
    /// Opens the catalog. Nothing fails: what is wrong is in the snapshot's problems. With a current index this reads
    /// one file for each source and asks for the stamps of the plugins, no more.
    pub async fn open(config: CatalogConfig, inspector: Arc<dyn Inspect>) -> Self {
        let processors = || std::thread::available_parallelism().map_or(2, usize::from);
        let parallel = config.parallel.unwrap_or_else(processors).max(1);
        let kept = Arc::new(Kept::default());
        let sources = tokio::task::spawn_blocking(move || loaded_sources(config)).await.unwrap_or_default();
        let catalog = Self {
            inner: Arc::new(Inner {
                examiner: Examiner { inspector, kept: Arc::clone(&kept), parallel },
                kept,
                current: RwLock::default(),
                state: Mutex::new(State { sources, unsettled: Unsettled::default() }),
                changes: broadcast::channel(CHANGE_BACKLOG).0,
            }),
        };
        catalog.reload().await;
        catalog
    }

    /// The catalog as it is now. Waits for nothing; what is given out never changes.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at all sources again and says what is different. A plugin whose file is broken now keeps its last good
    /// version, with a problem that says so; one whose file is gone is removed.
    pub async fn reload(&self) -> Change {
        self.look(None).await.0
    }

    /// Changes from now on, one for each look that found any.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// As [`Catalog::reload`]; with `patience`, files that are broken and changed that recently are left as they were.
    /// Also says whether there are such files.
    pub(crate) async fn look(&self, patience: Option<Duration>) -> (Change, bool) {
        let mut state = self.inner.state.lock().await;
        let State { sources, unsettled } = &mut *state;
        let before = self.snapshot();
        let Some(refreshed) = refresh(sources.clone(), &self.inner.examiner, patience, unsettled).await else {
            return (Change::default(), unsettled.any());
        };
        let generation = before.generation() + 1;
        let finished = tokio::task::spawn_blocking(move || {
            let mut refreshed = refreshed;
            refreshed.iter_mut().for_each(Source::store);
            let next = snapshot(generation, &refreshed);
            let change = before.change_to(&next);
            (refreshed, Arc::new(next), change)
        });
        let Ok((refreshed, next, change)) = finished.await else { return (Change::default(), unsettled.any()) };
        *sources = refreshed;
        if !change.is_empty() || next.generation() == 1 {
            self.inner.kept.retain(next.plugins().iter());
            *self.inner.current.write().unwrap_or_else(PoisonError::into_inner) = next;
            // Nobody listening is no error.
            let _ = self.inner.changes.send(change.clone());
        }
        (change, unsettled.any())
    }

    /// The bytes of a plugin's component: read once, hashed, compared with the snapshot, and only then given out. What
    /// is compiled must be what this returns; nothing may open the file again. The name, the manifest and the path of
    /// the component are checked against the disk in the same way.
    ///
    /// A watching catalog that still has the listed version in memory gives that out when the file has another one.
    pub async fn component(&self, name: &PluginName) -> Result<Bytes, CatalogError> {
        let snapshot = self.snapshot();
        let plugin = snapshot.plugin(name).ok_or_else(|| CatalogError::UnknownPlugin(name.clone()))?;
        self.component_of(plugin).await
    }

    /// As [`Catalog::component`], for a plugin of a snapshot that the caller holds.
    pub async fn component_of(&self, plugin: &Arc<Plugin>) -> Result<Bytes, CatalogError> {
        let (path, component) = match &plugin.origin {
            Origin::Embedded(embedded) => return Ok(Bytes::from_static(embedded.component)),
            Origin::File { path, component, .. } => (path, component),
        };
        let verify = {
            let (plugin, path, component) = (Arc::clone(plugin), path.clone(), component.clone());
            tokio::task::spawn_blocking(move || verified(&plugin, &path, &component))
        };
        match verify.await.unwrap_or_else(|_| Err(CatalogError::Stopped(path.clone()))) {
            Ok(bytes) => {
                self.inner.kept.keep(plugin, &bytes);
                Ok(bytes)
            }
            Err(error) => {
                self.doubt(plugin, false).await;
                self.inner.kept.get(plugin).ok_or(error)
            }
        }
    }

    /// Compares what a loaded component says about itself with what the snapshot says. To be called once after each
    /// load: what the snapshot says may come from an index that somebody altered.
    pub async fn confirm(&self, plugin: &Arc<Plugin>, info: &PluginInfo) -> Result<(), CatalogError> {
        let manifest = plugin.manifest.as_ref().map(|manifest| manifest.again());
        let said = plugin::admit(plugin.name.clone(), plugin.origin.clone(), manifest, info);
        if said.same(plugin) {
            return Ok(());
        }
        self.doubt(plugin, true).await;
        Err(CatalogError::IndexMismatch(plugin.name.clone()))
    }

    /// Checks the signatures of a plugin's component, and of its manifest where it has one, and says which key made them.
    /// The bytes that are checked are those with the listed digest. What is part of the program needs none.
    ///
    /// # Errors
    ///
    /// The component is not what was listed, or a signature does not count.
    pub async fn signer(
        &self,
        plugin: &Arc<Plugin>,
        keys: &[TrustedKey],
        now: UnixMillis,
    ) -> Result<Result<String, SignatureError>, CatalogError> {
        let bytes = self.component_of(plugin).await?;
        let Origin::File { path, component, .. } = &plugin.origin else { return Ok(Ok("embedded".to_owned())) };
        let (component, manifest) = (component.clone(), plugin.manifest.as_ref().map(|text| text.text().to_owned()));
        let (path, keys) = (path.clone(), keys.to_vec());
        let checked = tokio::task::spawn_blocking(move || {
            let by = signature::check_file(&component, &bytes, &keys, now)?;
            let Some(manifest) = manifest else { return Ok(by) };
            signature::check_file(&path.join(MANIFEST_FILE), manifest.as_bytes(), &keys, now)
        });
        checked.await.map_err(|_| CatalogError::Stopped(plugin.origin.path()))
    }

    /// The directories in which something may move: those of the sources, and those of components elsewhere in them.
    pub(crate) async fn directories(&self) -> (Vec<PathBuf>, BTreeSet<PathBuf>) {
        let state = self.inner.state.lock().await;
        let roots = state.sources.iter().filter_map(|source| match &source.kind {
            SourceKind::Directory(path, _) => Some(path.clone()),
            SourceKind::Embedded(_) => None,
        });
        let records = state.sources.iter().flat_map(|source| source.records.values());
        let components = records.filter_map(|record| record.component.as_ref());
        let parents = components.filter_map(|(path, _)| path.parent().map(Path::to_owned));
        (roots.collect(), parents.collect())
    }

    /// Makes the next look, also that of another process, read the plugin's place again, whatever its stamps say. With
    /// `forget`, what is said about it is not used again either.
    async fn doubt(&self, plugin: &Plugin, forget: bool) {
        let place = plugin.origin.path();
        let mut state = self.inner.state.lock().await;
        for source in state.sources.iter_mut().filter(|source| source.records.contains_key(&place)) {
            if forget {
                source.records.remove(&place);
            } else if let Some(record) = source.records.get_mut(&place) {
                record.manifest = None;
                record.component = None;
            }
            source.dirty = true;
            let mut written = source.clone();
            // A failure shows when the next look writes.
            let _ = tokio::task::spawn_blocking(move || written.store()).await;
        }
    }
}

fn loaded_sources(config: CatalogConfig) -> Vec<Source> {
    let CatalogConfig { sources, cache_dir, engine, .. } = config;
    let index = |place: &Path| cache_dir.as_ref().map(|cache| Index::new(cache, place, &engine));
    let source = |kind, index| Source { kind, index, records: Records::new(), problems: Vec::new(), dirty: false };
    let embedded: Arc<[Embedded]> = Arc::from(sources.embedded.as_slice());
    let mut loaded = vec![source(SourceKind::Embedded(embedded), index(Path::new("embedded")))];
    let directories: Vec<(PathBuf, Rank)> = sources.directories();
    loaded.extend(directories.into_iter().map(|(path, rank)| {
        let index = index(&path);
        source(SourceKind::Directory(path, rank), index)
    }));
    loaded.iter_mut().for_each(Source::load);
    loaded
}

/// The bytes of the plugin at `path`, if all that says whose they are is as it was listed. Blocks.
fn verified(plugin: &Plugin, path: &Path, component: &Path) -> Result<Bytes, CatalogError> {
    let changed = |reason: String| CatalogError::Changed { path: path.to_owned(), reason };
    let is_folder = plugin.manifest.is_some();
    let contents = place::read(path, is_folder).map_err(|record| match record.outcome {
        Outcome::Bad { problem, .. } => changed(problem.message),
        Outcome::Good(_) => changed("it cannot be read".to_owned()),
    })?;
    if contents.name != plugin.name {
        return Err(changed(format!("its name is `{}`", contents.name)));
    }
    if contents.manifest != plugin.manifest {
        return Err(changed("its manifest is another one".to_owned()));
    }
    if contents.component != component {
        return Err(changed(format!("its component is `{}`", contents.component.display())));
    }
    if contents.digest != plugin.digest {
        let (expected, actual) = (plugin.digest, contents.digest);
        return Err(CatalogError::DigestMismatch { path: component.to_owned(), expected, actual });
    }
    Ok(contents.bytes)
}
