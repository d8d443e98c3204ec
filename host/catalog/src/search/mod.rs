//! Lexical search over tools: BM25 with field weights, on an inverted index in memory.
//!
//! ```text
//! tool ─► document (terms × field weights) ─► index ─► query ─► expand (exact, prefix, typo, synonym) ─► ranked hits
//! ```
//!
//! A document is made once, when a plugin is inspected, and travels in the cached index; the inverted index is made from
//! documents when a snapshot is first searched. Ties are broken by name, so that the same catalog always answers the same.

mod document;
mod expand;
mod stem;
mod synonyms;
mod tokens;

use std::collections::{HashMap, HashSet};

pub(crate) use document::{Texts, document};
use expand::Dictionary;
use tokens::query_terms;

/// How fast further occurrences of a term stop counting.
const K1: f32 = 1.2;

/// How much a long document is held against it. Low: tool descriptions are short, and longer is often better.
const B: f32 = 0.4;

/// Terms of a query that count. More is a pasted text, whose beginning says what it is about.
const MAX_QUERY_TERMS: usize = 64;

/// Documents that can be searched. They are numbered in the order they are given, and that order breaks ties.
pub(crate) struct SearchIndex {
    dictionary: Dictionary,
    /// For each term the documents that it is in, with what it adds to their score.
    postings: Vec<Vec<(u32, f32)>>,
    documents: usize,
}

impl SearchIndex {
    /// Builds the index. `documents` are in the order in which equal scores are listed.
    pub(crate) fn build<'a, D, T>(documents: D) -> Self
    where
        D: IntoIterator<Item = T>,
        T: IntoIterator<Item = (&'a str, u16)>,
    {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut raw: Vec<Vec<(u32, f32)>> = Vec::new();
        let mut lengths: Vec<f32> = Vec::new();
        for (doc, document) in (0_u32..).zip(documents) {
            let mut length = 0.0;
            for (term, weight) in document {
                let weight = f32::from(weight) / document::UNIT;
                length += weight;
                let number = *numbers.entry(term).or_insert_with(|| {
                    raw.push(Vec::new());
                    raw.len() - 1
                });
                if let Some(posting) = raw.get_mut(number) {
                    posting.push((doc, weight));
                }
            }
            lengths.push(length);
        }
        let mut sorted: Vec<(&str, usize)> = numbers.into_iter().collect();
        sorted.sort_unstable();
        let average = (lengths.iter().sum::<f32>() / lengths.len().max(1) as f32).max(f32::MIN_POSITIVE);
        let postings = sorted
            .iter()
            .map(|(_, number)| weigh(raw.get(*number).map_or(&[], Vec::as_slice), &lengths, average))
            .collect();
        let terms = sorted.into_iter().map(|(term, _)| Box::from(term)).collect();
        Self { dictionary: Dictionary::new(terms), postings, documents: lengths.len() }
    }

    /// The best `limit` documents for a query, best first, with their scores.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<(u32, f32)> {
        let mut terms = query_terms(query);
        terms.truncate(MAX_QUERY_TERMS);
        let mut seen = HashSet::new();
        terms.retain(|term| seen.insert(term.clone()));

        let mut scores = vec![0.0_f32; self.documents];
        let mut best = vec![0.0_f32; self.documents];
        for term in &terms {
            self.add(term, &mut scores, &mut best);
        }
        let mut hits: Vec<(u32, f32)> = (0_u32..).zip(scores).filter(|(_, score)| *score > 0.0).collect();
        let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if limit < hits.len() {
            hits.select_nth_unstable_by(limit, order);
            hits.truncate(limit);
        }
        hits.sort_unstable_by(order);
        hits
    }

    /// Adds what one query term is worth to each document. Of several words that it may stand for, the best counts,
    /// so that a vague term is not worth more than an exact one. `best` is all zero before and after.
    fn add(&self, term: &str, scores: &mut [f32], best: &mut [f32]) {
        let expansions = self.dictionary.expand(term);
        let touched = || {
            expansions.iter().filter_map(|(number, factor)| {
                let posting = self.postings.get(*number as usize)?;
                Some(posting.iter().map(move |(doc, worth)| (*doc as usize, worth * factor)))
            })
        };
        for (doc, worth) in touched().flatten() {
            if let Some(best) = best.get_mut(doc) {
                *best = best.max(worth);
            }
        }
        for (doc, _) in touched().flatten() {
            if let (Some(best), Some(score)) = (best.get_mut(doc), scores.get_mut(doc)) {
                *score += std::mem::take(best);
            }
        }
    }
}

/// BM25: rare terms count more, repetition less and less, and long documents a little less.
fn weigh(posting: &[(u32, f32)], lengths: &[f32], average: f32) -> Vec<(u32, f32)> {
    let (documents, with_term) = (lengths.len() as f32, posting.len() as f32);
    let rarity = (1.0 + (documents - with_term + 0.5) / (with_term + 0.5)).ln();
    let worth = |&(doc, weight): &(u32, f32)| {
        let length = lengths.get(doc as usize).copied().unwrap_or(average);
        let dampened = weight * (K1 + 1.0) / (weight + K1 * (1.0 - B + B * length / average));
        (doc, rarity * dampened)
    };
    posting.iter().map(worth).collect()
}

#[cfg(test)]
mod tests;
