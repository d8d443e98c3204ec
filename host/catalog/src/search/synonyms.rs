//! Words that people use for the same thing when they look for a tool. They count less than the word itself.

use std::sync::LazyLock;

use super::stem::stem;

/// What a synonym counts, against 1 for the word that was asked for.
pub(super) const WEIGHT: f32 = 0.35;

/// Each row is one thing.
const GROUPS: &[&[&str]] = &[
    &["fetch", "download", "get", "retrieve", "request", "load"],
    &["url", "link", "web", "page", "website", "http"],
    &["find", "search", "lookup", "grep", "locate"],
    &["delete", "remove", "erase", "unlink"],
    &["directory", "dir", "folder"],
    &["list", "enumerate", "show"],
    &["create", "make", "new"],
    &["edit", "change", "modify", "update", "replace"],
    &["write", "save", "store"],
    &["read", "open", "load"],
    &["convert", "transform"],
    &["calculate", "compute", "evaluate"],
    &["execute", "run", "invoke", "eval"],
    &["count", "stats", "statistics"],
    &["difference", "diff", "compare"],
    &["hash", "checksum", "digest"],
    &["picture", "image", "photo"],
    &["mail", "email"],
    &["send", "post", "publish"],
    &["script", "code", "program", "javascript"],
    &["date", "time", "clock", "today"],
];

/// The rows as the index knows their words.
static STEMS: LazyLock<Vec<Vec<String>>> =
    LazyLock::new(|| GROUPS.iter().map(|group| group.iter().map(|word| stem(word)).collect()).collect());

/// The other words for the stem `term`, each once, in the table's order.
pub(super) fn of(term: &str) -> Vec<&'static str> {
    let mut others: Vec<&'static str> = Vec::new();
    for group in STEMS.iter().filter(|group| group.iter().any(|word| word == term)) {
        for other in group.iter().filter(|other| *other != term) {
            if !others.contains(&other.as_str()) {
                others.push(other);
            }
        }
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_says_the_same_stem_twice() {
        for group in STEMS.iter() {
            assert!(group.iter().all(|word| group.iter().filter(|other| *other == word).count() == 1), "{group:?}");
        }
    }

    #[test]
    fn a_word_in_two_rows_has_the_synonyms_of_both_and_never_itself() {
        let others = of(&stem("load"));
        assert!(others.contains(&"fetch") && others.contains(&"read"));
        assert!(!others.contains(&"load"));
        assert!(of("zebra").is_empty());
    }
}
