//! What is known of each source between two looks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::index::Index;
use crate::problem::Problem;
use crate::record::{Record, Records};
use crate::scan::{Form, scan};
use crate::source::{Embedded, Rank};

/// One source and what is known of it.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) index: Option<Index>,
    pub(crate) records: Records,
    /// Problems of the directory itself.
    pub(crate) problems: Vec<Problem>,
    /// Whether the index has to be written.
    pub(crate) dirty: bool,
}

#[derive(Clone)]
pub(crate) enum SourceKind {
    Embedded(Arc<[Embedded]>),
    Directory(PathBuf, Rank),
}

/// A place that has to be looked into, with what was known of it.
pub(crate) struct Stale {
    pub(crate) place: PathBuf,
    pub(crate) form: Form,
    pub(crate) before: Option<Record>,
}

impl Source {
    /// What is known from the index alone.
    pub(crate) fn load(&mut self) {
        if let Some(index) = &self.index {
            self.records = match &self.kind {
                SourceKind::Embedded(embedded) => index.load(Rank::Embedded, embedded),
                SourceKind::Directory(_, rank) => index.load(*rank, &[]),
            };
        }
    }

    /// Keeps the records of untouched places and gives back the others. Blocks.
    pub(crate) fn look(&mut self) -> Vec<Stale> {
        let SourceKind::Directory(directory, _) = &self.kind else { return Vec::new() };
        let found = scan(directory);
        let mut known = std::mem::take(&mut self.records);
        let mut stale = Vec::new();
        for (place, form) in found.places {
            match known.remove(&place) {
                Some(record) if record.is_current(&form) => {
                    self.records.insert(place, record);
                }
                before => stale.push(Stale { place, form, before }),
            }
        }
        self.problems = found.problems;
        self.dirty |= !known.is_empty() || !stale.is_empty();
        stale
    }

    /// Writes the index if anything changed. Blocks.
    pub(crate) fn store(&mut self) {
        let Some(index) = self.index.as_ref().filter(|_| self.dirty) else { return };
        if let Err(error) = index.store(&self.records) {
            let message = format!("the plugin index cannot be written, so the next start inspects again: {error}");
            self.problems.push(Problem::note(index.path(), "cache-unwritable", message));
        }
        self.dirty = false;
    }

    /// Who put the source's plugins there.
    pub(crate) fn rank(&self) -> Rank {
        match self.kind {
            SourceKind::Embedded(_) => Rank::Embedded,
            SourceKind::Directory(_, rank) => rank,
        }
    }

    /// The names that belong to the program.
    pub(crate) fn embedded_names(&self) -> impl Iterator<Item = &'static str> {
        let embedded = match &self.kind {
            SourceKind::Embedded(embedded) => Some(embedded),
            SourceKind::Directory(..) => None,
        };
        embedded.into_iter().flat_map(|embedded| embedded.iter().map(|embedded| embedded.name))
    }

    /// Whether `place` lies in this directory.
    pub(crate) fn holds(&self, place: &Path) -> bool {
        matches!(&self.kind, SourceKind::Directory(directory, _) if place.starts_with(directory))
    }
}
