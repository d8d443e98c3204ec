//! Counting.

use std::collections::BTreeMap;

use toolcrib_sdk::value;

/// How many of the most common words are listed.
const MOST_COMMON: usize = 10;

/// What was counted.
#[value(output)]
pub(crate) struct Stats {
    /// Bytes in UTF-8.
    bytes: usize,
    /// Unicode characters (code points).
    characters: usize,
    /// Words: what stands between white space or dashes (—) and has a letter or digit in it.
    words: usize,
    /// Lines. A line end at the very end begins no further line.
    lines: usize,
    /// Sentences: what ends in a full stop, question or exclamation mark, or with the text.
    sentences: usize,
    /// Different words, whatever their case and the punctuation around them.
    unique_words: usize,
    /// Characters of the longest line.
    longest_line: usize,
    /// The most common words, the most frequent first, ties in the order of the alphabet.
    most_common: Vec<WordCount>,
}

/// One word and how often it occurs.
#[value(output)]
pub(crate) struct WordCount {
    /// The word in lower case.
    word: String,
    /// How often it occurs.
    count: usize,
}

pub(crate) fn of(text: &str) -> Stats {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut words = 0;
    let pieces = text.split(|letter: char| letter.is_whitespace() || letter == '—');
    for word in pieces.filter_map(bare) {
        words += 1;
        let word = word.to_lowercase();
        match counts.get_mut(&word) {
            Some(count) => *count += 1,
            None => {
                counts.insert(word, 1);
            }
        }
    }
    Stats {
        bytes: text.len(),
        characters: text.chars().count(),
        words,
        lines: text.lines().count(),
        sentences: sentences(text),
        unique_words: counts.len(),
        longest_line: text.lines().map(|line| line.chars().count()).max().unwrap_or(0),
        most_common: most_common(counts),
    }
}

/// The word without the punctuation around it, or nothing where there is only punctuation.
fn bare(word: &str) -> Option<&str> {
    let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    (!bare.is_empty()).then_some(bare)
}

fn most_common(counts: BTreeMap<String, usize>) -> Vec<WordCount> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    // Stable: words of the same count stay in the order of the alphabet.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(MOST_COMMON);
    let counts = counts.into_iter();
    counts.map(|(word, count)| WordCount { word, count }).collect()
}

/// A sentence needs a letter or digit, and ends where a mark is followed by white space or the end of the text: "3.14"
/// and "e.g." inside a line do not count twice, and "..." ends one sentence.
fn sentences(text: &str) -> usize {
    let mut count = 0;
    let mut has_word = false;
    let mut ended = false;
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            has_word = true;
            ended = false;
        } else if matches!(letter, '。' | '！' | '？') {
            count += usize::from(has_word);
            has_word = false;
        } else if matches!(letter, '.' | '!' | '?' | '…') {
            ended = has_word;
        } else if letter.is_whitespace() && ended {
            count += 1;
            has_word = false;
            ended = false;
        }
    }
    count + usize::from(has_word)
}
