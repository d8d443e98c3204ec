//! Which terms of the dictionary a term of the query stands for: itself, else what it begins, else what it misspells.

use std::collections::HashMap;

use super::synonyms;

/// What a completion counts, against 1 for the term itself.
const PREFIX_WEIGHT: f32 = 0.6;

/// What a term one slip away counts.
const TYPO_WEIGHT: f32 = 0.5;

/// The shortest query term that is completed, in characters.
const MIN_PREFIX: usize = 3;

/// The shortest query term that may contain a slip: below it, too many words are one letter apart.
const MIN_TYPO: usize = 5;

/// Completions and corrections of one query term, each.
const MAX_EXPANSIONS: usize = 32;

/// The terms that occur in any document, sorted.
pub(super) struct Dictionary {
    sorted: Vec<Box<str>>,
    by_length: HashMap<usize, Vec<u32>>,
}

impl Dictionary {
    /// `sorted` is sorted and without repetitions; the position of a term is its number.
    pub(super) fn new(sorted: Vec<Box<str>>) -> Self {
        let mut by_length: HashMap<usize, Vec<u32>> = HashMap::new();
        for (number, term) in (0_u32..).zip(&sorted) {
            by_length.entry(term.chars().count()).or_default().push(number);
        }
        Self { sorted, by_length }
    }

    fn number(&self, term: &str) -> Option<u32> {
        let found = self.sorted.binary_search_by(|t| (**t).cmp(term)).ok()?;
        u32::try_from(found).ok()
    }

    /// The numbers of the terms that `term` stands for, each with what it counts.
    pub(super) fn expand(&self, term: &str) -> Vec<(u32, f32)> {
        let mut found: Vec<(u32, f32)> = Vec::new();
        match self.number(term) {
            Some(number) => found.push((number, 1.0)),
            None => {
                found.extend(self.completions(term).map(|n| (n, PREFIX_WEIGHT)));
                found.extend(self.corrections(term).map(|n| (n, TYPO_WEIGHT)));
            }
        }
        let others = synonyms::of(term).into_iter().filter_map(|other| self.number(other));
        found.extend(others.map(|n| (n, synonyms::WEIGHT)));
        found
    }

    fn completions(&self, term: &str) -> impl Iterator<Item = u32> {
        let start = self.sorted.partition_point(|t| **t < *term);
        let long_enough = term.chars().count() >= MIN_PREFIX;
        self.sorted
            .get(start..)
            .unwrap_or_default()
            .iter()
            .zip(start..)
            .take_while(move |(t, _)| long_enough && t.starts_with(term))
            .filter_map(|(_, number)| u32::try_from(number).ok())
            .take(MAX_EXPANSIONS)
    }

    fn corrections(&self, term: &str) -> impl Iterator<Item = u32> {
        let wanted: Vec<char> = term.chars().collect();
        let length = wanted.len();
        [length.saturating_sub(1), length, length + 1]
            .into_iter()
            .filter(move |_| length >= MIN_TYPO)
            .filter_map(|length| self.by_length.get(&length))
            .flatten()
            .copied()
            .filter(move |number| {
                let candidate = self.sorted.get(*number as usize);
                candidate.is_some_and(|candidate| one_slip_apart(&wanted, candidate))
            })
            .take(MAX_EXPANSIONS)
    }
}

/// Whether one insertion, deletion, replacement or swap of neighbours turns one word into the other.
fn one_slip_apart(word: &[char], candidate: &str) -> bool {
    let mut other = candidate.chars();
    let same = word.iter().zip(other.clone()).take_while(|(a, b)| *a == b).count();
    let word = word.get(same..).unwrap_or_default();
    if same > 0 {
        other.nth(same - 1);
    }
    let other: Vec<char> = other.collect();
    match (word, other.as_slice()) {
        ([], [_]) | ([_], []) => true,
        ([a, b, rest @ ..], [c, d, others @ ..]) if a == d && b == c && rest == others => true,
        ([_, rest @ ..], [_, others @ ..]) if rest == others => true,
        ([_, rest @ ..], others) if rest == others => true,
        (rest, [_, others @ ..]) if rest == others => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slip(a: &str, b: &str) -> bool {
        one_slip_apart(&a.chars().collect::<Vec<_>>(), b)
    }

    #[test]
    fn one_slip_is_an_insertion_a_deletion_a_replacement_or_a_swap() {
        for other in ["convertt", "conert", "convort", "covnert", "xconvert", "conver"] {
            assert!(slip("convert", other), "{other}");
        }
        for other in ["convert", "conort", "covnertt", "", "trevnoc"] {
            assert!(!slip("convert", other), "{other}");
        }
    }

    #[test]
    fn a_known_term_is_not_corrected() {
        let dictionary = Dictionary::new(["parse", "sparse"].map(Box::from).to_vec());
        assert_eq!(dictionary.expand("parse"), [(0, 1.0)]);
    }

    #[test]
    fn an_unknown_term_is_completed_and_corrected_at_a_lower_weight() {
        let dictionary = Dictionary::new(["convert", "converter", "javascript"].map(Box::from).to_vec());
        assert_eq!(dictionary.expand("conv"), [(0, PREFIX_WEIGHT), (1, PREFIX_WEIGHT)]);
        assert_eq!(dictionary.expand("javscript"), [(2, TYPO_WEIGHT)]);
        assert!(dictionary.expand("co").is_empty());
        assert!(dictionary.expand("jova").is_empty());
    }

    proptest! {
        #[test]
        fn a_slip_is_symmetric_and_never_the_word_itself(a in "[abc]{0,7}", b in "[abc]{0,7}") {
            prop_assert_eq!(slip(&a, &b), slip(&b, &a));
            prop_assert!(!slip(&a, &a));
        }
    }
}
