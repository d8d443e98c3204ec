//! The memory of a run: everything that its steps and goals came to, found again by words or by name.
//!
//! ```text
//! states ─► entries (steps, computed values, goals with an answer) ─► BM25 over their words ─► excerpts around the hits
//! ```
//!
//! It is made from the fold when it is asked for, and thrown away. An index on disk would hold words of values that an
//! operator can erase from the ledger, and would have to be erased with them.

mod words;

use std::collections::HashMap;

use serde_json::Value;
use toolcrib_policy::Label;

use crate::look::{Excerpt, HIT_CHARS_MAX, READ_CHARS_MAX, RESULTS_FOUND_MAX};
use crate::plan::refs;
use crate::{Body, NodeId, State, Status};
use words::{Word, words};

/// How fast further occurrences of a word stop counting.
const K1: f64 = 1.2;
/// How much a long result is held against it.
const B: f64 = 0.4;
/// What a word in a name or in the arguments weighs against one in the result.
const ABOUT_WEIGHT: u32 = 3;
/// The most bytes of one result whose words are looked at. Beyond it a result is read by its name, piece by piece.
const WORDS_BYTES_MAX: usize = 64 << 10;
/// The most characters of an entry's description.
const ABOUT_CHARS: usize = 160;

/// One thing that can be remembered.
struct Entry<'s> {
    of: String,
    run: Option<&'s str>,
    about: String,
    text: String,
    label: Label,
}

/// What can be remembered.
#[derive(Default)]
pub struct Memory<'s>(Vec<Entry<'s>>);

impl<'s> Memory<'s> {
    /// What this run came to so far.
    pub fn of(state: &'s State) -> Self {
        let mut memory = Self::default();
        memory.add(None, state);
        memory
    }

    /// Adds what another run came to.
    pub fn add(&mut self, run: Option<&'s str>, state: &'s State) {
        let found = state.plan().nodes().iter().filter_map(|node| entry(run, state, node.id));
        self.0.extend(found);
    }

    /// The entries that fit these words best, best first, of equally good ones the latest.
    pub fn search(&self, query: &str) -> Vec<Excerpt> {
        let mut wanted: Vec<String> = words(query).map(|word| word.stem).collect();
        wanted.sort();
        wanted.dedup();
        let counted: Vec<Counted> = self.0.iter().map(|entry| Counted::of(entry, &wanted)).collect();
        let (entries, average) = (counted.len() as f64, average(&counted));
        let rarity: Vec<f64> = (0..wanted.len())
            .map(|word| {
                let with = counted.iter().filter(|entry| entry.weights.contains_key(&word)).count() as f64;
                (1.0 + (entries - with + 0.5) / (with + 0.5)).ln()
            })
            .collect();
        let score = |entry: &Counted| -> f64 {
            let worth = |(word, weight): (&usize, &u32)| {
                let (weight, length) = (f64::from(*weight), entry.length as f64);
                rarity[*word] * weight * (K1 + 1.0) / (weight + K1 * (1.0 - B + B * length / average))
            };
            entry.weights.iter().map(worth).sum()
        };
        let mut hits: Vec<(usize, f64)> = counted.iter().map(score).enumerate().filter(|(_, s)| *s > 0.0).collect();
        hits.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        hits.truncate(RESULTS_FOUND_MAX);
        hits.into_iter().map(|(at, _)| self.0[at].around(&counted[at].best(&rarity))).collect()
    }

    /// What the step or goal of this name in this run came to, from this character on.
    pub fn read(&self, of: &str, from: usize) -> Option<Excerpt> {
        let entry = self.0.iter().find(|entry| entry.run.is_none() && entry.of == of)?;
        Some(entry.piece(from, READ_CHARS_MAX))
    }
}

fn average(counted: &[Counted]) -> f64 {
    let sum: usize = counted.iter().map(|entry| entry.length).sum();
    (sum as f64 / counted.len().max(1) as f64).max(1.0)
}

fn entry<'s>(run: Option<&'s str>, state: &'s State, id: NodeId) -> Option<Entry<'s>> {
    let node = state.plan().node(id)?;
    let name = node.body.name().map(ToString::to_string);
    let (of, about, text) = match &node.body {
        Body::Step(step) => {
            let arguments = state.record(id).map_or(&step.arguments, |record| &*record.arguments);
            let text = match (&node.status, state.result_of(id)) {
                (_, Some(value)) => refs::as_text(value),
                (Status::Failed { why, .. }, None) => format!("failed: {why}"),
                _ => return None,
            };
            (name?, format!("{} {arguments}", step.tool), text)
        }
        Body::Value(_) => (name?, String::new(), refs::as_text(state.result_of(id)?)),
        Body::Goal(goal) => match (state.answer(id), state.result_of(id)) {
            (Some(answer), _) => (id.to_string(), goal.text.clone(), answer.text.clone()),
            (None, Some(value)) => (name.unwrap_or_else(|| id.to_string()), goal.text.clone(), refs::as_text(value)),
            (None, None) => return None,
        },
    };
    let about = refs::short(&Value::from(about), ABOUT_CHARS);
    Some(Entry { of, run, about, text, label: state.label_of(id) })
}

impl Entry<'_> {
    /// So many characters of the text, from this one on.
    fn piece(&self, from: usize, most: usize) -> Excerpt {
        let all = self.text.chars().count();
        let from = from.min(all);
        let text: String = self.text.chars().skip(from).take(most).collect();
        let behind = all - from - text.chars().count();
        let run = self.run.map(str::to_owned);
        Excerpt { of: self.of.clone(), run, about: self.about.clone(), text, before: from, behind, label: self.label }
    }

    /// The piece in the middle of which these bytes of the text stand.
    fn around(&self, hit: &std::ops::Range<usize>) -> Excerpt {
        let before = self.text.get(..hit.start).map_or(0, |text| text.chars().count());
        let inside = self.text.get(hit.clone()).map_or(0, |text| text.chars().count());
        let margin = HIT_CHARS_MAX.saturating_sub(inside) / 2;
        self.piece(before.saturating_sub(margin), HIT_CHARS_MAX)
    }
}

/// The wanted words of one entry.
struct Counted {
    /// What each of them weighs here.
    weights: HashMap<usize, u32>,
    /// Where they stand in the text.
    places: Vec<(usize, std::ops::Range<usize>)>,
    /// How many words there are in all.
    length: usize,
}

impl Counted {
    fn of(entry: &Entry<'_>, wanted: &[String]) -> Self {
        let mut counted = Self { weights: HashMap::new(), places: Vec::new(), length: 0 };
        let find = |word: &Word| wanted.binary_search(&word.stem).ok();
        for about in [&entry.of, &entry.about] {
            for word in words(about) {
                counted.length += 1;
                if let Some(at) = find(&word) {
                    *counted.weights.entry(at).or_default() += ABOUT_WEIGHT;
                }
            }
        }
        for word in words(&entry.text).take_while(|word| word.place.end <= WORDS_BYTES_MAX) {
            counted.length += 1;
            if let Some(at) = find(&word) {
                *counted.weights.entry(at).or_default() += 1;
                counted.places.push((at, word.place));
            }
        }
        counted
    }

    /// The stretch, short enough to be shown, that holds the most of what is wanted, the rarest words above all.
    fn best(&self, rarity: &[f64]) -> std::ops::Range<usize> {
        let (mut best, mut most) = (0..0, 0.0);
        let mut inside: HashMap<usize, usize> = HashMap::new();
        let mut first = 0;
        for (word, place) in &self.places {
            *inside.entry(*word).or_default() += 1;
            // What is too far away goes, and what stands nearer once more.
            while let Some((left, begin)) = self.places.get(first)
                && let Some(count) = inside.get_mut(left)
                && (*count > 1 || place.end - begin.start > HIT_CHARS_MAX)
            {
                *count -= 1;
                first += 1;
            }
            let Some((_, begin)) = self.places.get(first) else { return best };
            let worth: f64 = inside.iter().filter(|(_, count)| **count > 0).map(|(word, _)| rarity[*word]).sum();
            if worth > most {
                (best, most) = (begin.start..place.end, worth);
            }
        }
        best
    }
}
