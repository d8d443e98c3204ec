//! One look at all sources: what is untouched is taken from before, the rest is read, hashed and inspected.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use toolcrib_policy::{Digest, PluginName};

use crate::inspect::{Inspect, InspectError};
use crate::kept::Kept;
use crate::manifest::{self, ManifestText};
use crate::place::{self, Contents};
use crate::plugin::{self, Origin, Plugin, embedded_path};
use crate::problem::Problem;
use crate::record::{Outcome, Record, Stamps};
use crate::scan::Form;
use crate::source::{Embedded, Rank};
use crate::state::{Source, SourceKind, Stale};

/// Files that are broken and may still be being written, since when they look as they do.
#[derive(Default)]
pub(crate) struct Unsettled {
    since: HashMap<PathBuf, (Stamps, Instant)>,
}

impl Unsettled {
    pub(crate) fn any(&self) -> bool {
        !self.since.is_empty()
    }

    /// Whether a broken file has looked like this for less than `patience`.
    fn is_young(&mut self, place: &PathBuf, record: &Record, patience: Duration) -> bool {
        let stamps = record.stamps();
        let now = Instant::now();
        let entry = self.since.entry(place.clone()).or_insert((stamps, now));
        if entry.0 != stamps {
            *entry = (stamps, now);
        }
        let young = now.duration_since(entry.1) < patience;
        if !young {
            self.since.remove(place);
        }
        young
    }
}

/// What a look needs besides the sources.
pub(crate) struct Examiner {
    pub(crate) inspector: Arc<dyn Inspect>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) parallel: usize,
}

/// Brings `sources` up to date. With `patience`, a file that is broken and has changed that recently stays what it was.
pub(crate) async fn refresh(
    mut sources: Vec<Source>,
    examiner: &Examiner,
    patience: Option<Duration>,
    unsettled: &mut Unsettled,
) -> Option<Vec<Source>> {
    let looked = tokio::task::spawn_blocking(move || {
        let stale: Vec<Vec<Stale>> = sources.iter_mut().map(Source::look).collect();
        (sources, stale)
    });
    let (mut sources, stale) = looked.await.ok()?;
    for (source, stale) in sources.iter_mut().zip(stale) {
        match &source.kind {
            SourceKind::Embedded(embedded) => {
                let embedded = Arc::clone(embedded);
                examiner.embedded(source, &embedded).await;
            }
            SourceKind::Directory(_, rank) => {
                let rank = *rank;
                examiner.directory(source, rank, stale, patience, unsettled).await;
            }
        }
    }
    Some(sources)
}

impl Examiner {
    async fn directory(
        &self,
        source: &mut Source,
        rank: Rank,
        stale: Vec<Stale>,
        patience: Option<Duration>,
        unsettled: &mut Unsettled,
    ) {
        let places: BTreeSet<PathBuf> = stale.iter().map(|stale| stale.place.clone()).collect();
        let in_directory = |place: &Path| source.holds(place);
        unsettled.since.retain(|place, _| places.contains(place) || !in_directory(place));
        let examined = futures::stream::iter(stale).map(|stale| self.examine(rank, stale));
        let mut examined = examined.buffer_unordered(self.parallel);
        while let Some((place, before, record)) = examined.next().await {
            let broken = matches!(record.outcome, Outcome::Bad { .. });
            let young = broken && patience.is_some_and(|patience| unsettled.is_young(&place, &record, patience));
            if !young {
                unsettled.since.remove(&place);
                source.records.insert(place, record);
            } else if let Some(before) = before {
                source.records.insert(place, before);
            }
        }
    }

    async fn examine(&self, rank: Rank, stale: Stale) -> (PathBuf, Option<Record>, Record) {
        let Stale { place, form, before } = stale;
        let is_folder = matches!(form, Form::Folder(_));
        let path = place.clone();
        let read = tokio::task::spawn_blocking(move || place::read(&path, is_folder)).await;
        let last_good = before.as_ref().and_then(Record::plugin).cloned();
        let mut record = match read {
            Ok(Ok(contents)) => self.contents(rank, &place, contents, last_good.as_ref()).await,
            Ok(Err(record)) => *record,
            Err(error) => {
                let problem = Problem::refused(&place, "unreadable", format!("reading was stopped: {error}"));
                let outcome = Outcome::Bad { problem, lasting: false };
                Record { manifest: None, component: None, outcome, last_good: None }
            }
        };
        // A component that is gone was removed, not broken.
        if matches!(&record.outcome, Outcome::Bad { problem, .. } if problem.code != "component-missing") {
            record.last_good = last_good;
        }
        (place, before, record)
    }

    async fn contents(&self, rank: Rank, place: &Path, contents: Contents, before: Option<&Arc<Plugin>>) -> Record {
        let Contents { name, manifest, manifest_stamp, component, component_stamp, bytes, digest } = contents;
        let same = |plugin: &&Arc<Plugin>| {
            let origin = matches!(&plugin.origin, Origin::File { component: known, .. } if *known == component);
            origin && plugin.name == name && plugin.digest == digest && plugin.manifest == manifest
        };
        let outcome = match before.filter(same) {
            Some(untouched) => {
                self.kept.keep(untouched, &bytes);
                Outcome::Good(Arc::clone(untouched))
            }
            None => {
                let origin = Origin::File { rank, path: place.to_owned(), component: component.clone() };
                self.inspect(name, origin, manifest, bytes, digest).await
            }
        };
        let component = Some((component, Some(component_stamp)));
        Record { manifest: manifest_stamp, component, outcome, last_good: None }
    }

    /// Inspects bytes that were hashed to `digest`.
    async fn inspect(
        &self,
        name: PluginName,
        origin: Origin,
        manifest: Option<ManifestText>,
        bytes: Bytes,
        digest: Digest,
    ) -> Outcome {
        let path = origin.path();
        let bad = |code, message: String, lasting| Outcome::Bad {
            problem: Problem::refused(&path, code, message).of(&name),
            lasting,
        };
        match self.inspector.inspect(&name, bytes.clone()).await {
            Ok(info) if info.digest == digest => {
                let plugin = Arc::new(plugin::admit(name, origin, manifest, &info));
                if plugin.origin.rank() != Rank::Embedded {
                    self.kept.keep(&plugin, &bytes);
                }
                Outcome::Good(plugin)
            }
            Ok(info) => {
                let message = format!("{digest} was inspected as {}; the component changed in between", info.digest);
                bad("digest-mismatch".into(), message, false)
            }
            Err(InspectError::Rejected { code, message }) => bad(code, message, true),
            Err(InspectError::Unavailable { code, message }) => bad(code, message, false),
        }
    }

    async fn embedded(&self, source: &mut Source, embedded: &[Embedded]) {
        let mut known = std::mem::take(&mut source.records);
        let mut stale = Vec::new();
        for embedded in embedded {
            let place = embedded_path(embedded.name);
            match known.remove(&place) {
                Some(record) if is_current(&record, embedded) => {
                    source.records.insert(place, record);
                }
                _ => stale.push((place, *embedded)),
            }
        }
        source.dirty |= !known.is_empty() || !stale.is_empty();
        let examined = futures::stream::iter(stale).map(|(place, embedded)| async move {
            let outcome = self.one_embedded(embedded).await;
            (place, Record { manifest: None, component: None, outcome, last_good: None })
        });
        let examined: Vec<_> = examined.buffer_unordered(self.parallel).collect().await;
        source.records.extend(examined);
    }

    async fn one_embedded(&self, embedded: Embedded) -> Outcome {
        let identity = || {
            let digest: Digest = embedded.digest.parse().map_err(|error| format!("{error}"))?;
            let manifest = ManifestText::parse(embedded.manifest_toml)?;
            let name = manifest.get().map(|parsed| manifest::head(parsed).name.clone());
            let name = name.filter(|name| name.as_str() == embedded.name);
            let name = name.ok_or_else(|| format!("its manifest does not name it `{}`", embedded.name))?;
            Ok((digest, manifest, name))
        };
        match identity() {
            Ok((digest, manifest, name)) => {
                let bytes = Bytes::from_static(embedded.component);
                self.inspect(name, Origin::Embedded(embedded), Some(manifest), bytes, digest).await
            }
            Err::<_, String>(message) => {
                let path = embedded_path(embedded.name);
                let message = format!("this build of the program is broken: {message}");
                Outcome::Bad { problem: Problem::refused(&path, "embedded-invalid", message), lasting: false }
            }
        }
    }
}

/// An embedded plugin's record is only what the index says; name, manifest and digest are those of the program.
fn is_current(record: &Record, embedded: &Embedded) -> bool {
    let Outcome::Good(plugin) = &record.outcome else { return false };
    plugin.name.as_str() == embedded.name
        && plugin.digest.to_string() == embedded.digest
        && plugin.manifest.as_ref().is_some_and(|manifest| manifest.text() == embedded.manifest_toml)
}
