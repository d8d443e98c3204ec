//! Text to terms: words split where people and programmers split them, lower case, stemmed, without stop words.

use super::stem::stem;

/// The longest term kept, in characters. Longer runs are encoded data or an attack, not words.
const MAX_TERM_CHARS: usize = 40;

/// Words that say nothing about what a tool does. Sorted, for binary search.
const STOP_WORDS: &[&str] = &[
    "a", "about", "also", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "do",
    "does", "each", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "may",
    "me", "my", "no", "not", "of", "on", "one", "or", "our", "please", "should", "so", "some", "such", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "tool", "up", "us", "was", "we",
    "were", "what", "when", "where", "which", "who", "will", "with", "would", "you", "your",
];

/// The terms of a text, in order, repeated as often as they occur.
pub(crate) fn terms(text: &str) -> Vec<String> {
    words(text).into_iter().filter(|word| !is_stop_word(word)).map(|word| stem(&word)).collect()
}

/// The terms of a query. A query of stop words alone keeps them: they are all that it has.
pub(crate) fn query_terms(query: &str) -> Vec<String> {
    let found = terms(query);
    if !found.is_empty() {
        return found;
    }
    words(query).iter().map(|word| stem(word)).collect()
}

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Lower-case words: runs of letters and digits, split again inside `camelCase` and `HTTPServer`. A character of a
/// script that is written without spaces is a word of its own.
fn words(text: &str) -> Vec<String> {
    let mut found = Splitter::default();
    let mut chars = text.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(c) = chars.next() {
        if !c.is_alphanumeric() {
            found.end();
            before = None;
            continue;
        }
        if is_unspaced(c) {
            found.end();
            found.push(c);
            found.end();
            before = None;
            continue;
        }
        if before.is_some_and(|b| starts_word(b, c, chars.peek().copied())) {
            found.end();
        }
        found.push(c);
        before = Some(c);
    }
    found.end();
    found.words
}

/// Whether a new word begins at `c` inside a run: `getUrl` before `U`, `HTTPServer` before `S`.
fn starts_word(before: char, c: char, after: Option<char>) -> bool {
    let rises = !before.is_uppercase() && c.is_uppercase();
    let acronym_ends = before.is_uppercase() && c.is_uppercase() && after.is_some_and(char::is_lowercase);
    rises || acronym_ends
}

/// Scripts written without spaces between words: Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar.
fn is_unspaced(c: char) -> bool {
    matches!(c as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    word: String,
    chars: usize,
}

impl Splitter {
    fn push(&mut self, c: char) {
        if self.chars < MAX_TERM_CHARS {
            self.word.extend(c.to_lowercase());
            self.chars += 1;
        }
    }

    fn end(&mut self) {
        self.chars = 0;
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_stop_words_are_sorted_so_that_each_can_be_found() {
        assert!(STOP_WORDS.is_sorted());
        assert!(STOP_WORDS.iter().all(|word| is_stop_word(word)));
    }

    #[test]
    fn names_split_where_programmers_split_them() {
        assert_eq!(words("getHTTPUrl"), ["get", "http", "url"]);
        assert_eq!(words("list_open-issues.now"), ["list", "open", "issues", "now"]);
        assert_eq!(words("sha256Sum of UTF8"), ["sha256", "sum", "of", "utf8"]);
    }

    #[test]
    fn scripts_without_spaces_split_by_character() {
        assert_eq!(words("天気API"), ["天", "気", "api"]);
    }

    #[test]
    fn a_query_of_stop_words_keeps_them() {
        assert_eq!(query_terms("how to"), ["how", "to"]);
        assert_eq!(query_terms("how to read"), ["read"]);
        assert!(query_terms(" ?! ").is_empty());
    }

    #[test]
    fn an_endless_run_becomes_one_short_term() {
        assert_eq!(words(&"x".repeat(100_000)), ["x".repeat(MAX_TERM_CHARS)]);
    }

    proptest! {
        #[test]
        fn any_text_gives_terms_of_letters_and_digits(text in "\\PC{0,200}") {
            for term in terms(&text) {
                prop_assert!(!term.is_empty());
                prop_assert!(term.chars().count() <= 3 * MAX_TERM_CHARS);
            }
        }

        #[test]
        fn splitting_does_not_depend_on_what_separates_words(
            words in proptest::collection::vec("[a-z]{1,10}", 0..8)
        ) {
            prop_assert_eq!(terms(&words.join(" ")), terms(&words.join("--_\t")));
        }
    }
}
