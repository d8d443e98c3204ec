//! Finds out what was done to events that do not link to the one before.
//!
//! An event that was moved still makes its old chain at its old place. An event whose content was changed is followed by
//! one that builds on its stored chain; one whose chain was changed, by one that builds on what the chain should be.

use super::run::Link;
use super::{Field, Place, Problem, VerifyReport};
use crate::id::Seq;
use crate::proof::Digest;

/// Suspects that are tried at every place of every other: the tries grow with the cube.
const TRIED: usize = 16;
/// Places of a gap that suspects are tried at.
const GAP_TRIED: u64 = 16;

/// An event that does not link to the one before it.
#[derive(Debug)]
pub(super) struct Suspect {
    link: Link,
    /// The stored chain before it; `None` after a gap, where nothing can be said of the link.
    before: Option<Digest>,
    /// Whether the event after it builds on its stored chain.
    built_on: bool,
}

impl Suspect {
    pub(super) fn new(link: Link, before: Option<Digest>) -> Self {
        Self { link, before, built_on: false }
    }

    /// What its chain should be, if its content is right.
    fn expected_chain(&self) -> Option<Digest> {
        self.before.map(|before| self.link.chain_at(self.link.seq, &before))
    }
}

/// All suspects of one run, and the places where events are missing.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    all: Vec<Suspect>,
    gaps: Vec<Seq>,
}

impl Suspects {
    pub(super) fn push(&mut self, suspect: Suspect) {
        self.all.push(suspect);
    }

    /// The event at `seq` links to the stored chain of the one before.
    pub(super) fn linked(&mut self, seq: Seq) {
        if let Some(last) = self.all.last_mut()
            && last.link.seq.next() == seq
        {
            last.built_on = true;
        }
    }

    pub(super) fn gap(&mut self, first: Seq, last: Seq) {
        let end = last.get().min(first.get().saturating_add(GAP_TRIED));
        self.gaps.extend((first.get()..=end).map(Seq::new));
    }

    /// Reports on each suspect. `heads` are the heads of the run.
    pub(super) fn judge(&self, heads: &[(Seq, Digest)], report: &mut VerifyReport) {
        let links = if self.all.len() <= TRIED { self.known_links() } else { Vec::new() };
        for suspect in &self.all {
            let link = &suspect.link;
            let place = Place::event(link.run, link.seq);
            match self.true_place(suspect, &links) {
                // The event is right; the one before it is not.
                Some(seq) if seq == link.seq => {}
                Some(belongs_at) => report.find(Problem::Moved { belongs_at }, Field::Event, place, ""),
                // After a gap nothing speaks against it.
                None if suspect.before.is_none() => {}
                None => {
                    let (field, detail) = self.cause(suspect, heads);
                    report.find(Problem::Changed, field, place, detail);
                }
            }
        }
    }

    /// Every chain that a suspect may have been built on.
    fn known_links(&self) -> Vec<Digest> {
        let each =
            self.all.iter().flat_map(|suspect| [Some(suspect.link.chain), suspect.before, suspect.expected_chain()]);
        each.flatten().collect()
    }

    /// The place at which the event makes its stored chain.
    fn true_place(&self, suspect: &Suspect, links: &[Digest]) -> Option<Seq> {
        let own = std::iter::once(suspect.link.seq);
        let others = self.all.iter().map(|other| other.link.seq).chain(self.gaps.iter().copied().take(TRIED));
        let fits = |seq: &Seq| links.iter().any(|before| suspect.link.chain_at(*seq, before) == suspect.link.chain);
        own.chain(others).find(fits)
    }

    /// Whether the content or the chain was changed.
    fn cause(&self, suspect: &Suspect, heads: &[(Seq, Digest)]) -> (Field, &'static str) {
        let seq = suspect.link.seq;
        let expected = suspect.expected_chain();
        let head = |chain: Digest| heads.contains(&(seq, chain));
        let chain_expected = expected.is_some_and(|expected| {
            let next = self.all.iter().find(|other| other.link.seq == seq.next());
            let builds = next.is_some_and(|next| next.link.chain_at(seq.next(), &expected) == next.link.chain);
            builds || head(expected)
        });
        if chain_expected {
            return (Field::Chain, "what follows builds on another one");
        }
        if suspect.built_on || head(suspect.link.chain) {
            return (Field::Content, "its time, kind, status or digest is not what was chained");
        }
        (Field::Content, "it or its chain is not what was written, and nothing that follows tells which")
    }
}
