//! A light English stemmer: plurals, `-ing`, `-ed` and the final `e`, so that `files`, `writing` and `parsed` meet
//! `file`, `write` and `parse`. A stem is a key, not a word.

/// The stem of a lower-case word. Words that are not plain ASCII letters, or are short, stay as they are.
pub(crate) fn stem(word: &str) -> String {
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut stem = word.to_owned();
    strip_plural(&mut stem);
    strip_participle(&mut stem);
    if stem.len() >= 4 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

fn strip_plural(word: &mut String) {
    if word.ends_with("ies") && word.len() > 4 {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if ["sses", "shes", "ches", "xes"].iter().any(|end| word.ends_with(end)) {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        word.pop();
    }
}

fn strip_participle(word: &mut String) {
    let end = if word.ends_with("ing") {
        3
    } else if word.ends_with("ed") && !word.ends_with("eed") {
        2
    } else {
        return;
    };
    let rest = word.len().saturating_sub(end);
    let has_vowel = word.bytes().take(rest).any(|b| b"aeiouy".contains(&b));
    if rest < 3 || !has_vowel {
        return;
    }
    word.truncate(rest);
    let doubled = matches!(word.as_bytes(), [.., a, b] if a == b && !b"aeioulsz".contains(a));
    if doubled && word.len() > 3 {
        word.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_word_share_a_stem() {
        let families: &[&[&str]] = &[
            &["file", "files"],
            &["write", "writes", "writing"],
            &["parse", "parses", "parsed", "parsing"],
            &["query", "queries"],
            &["run", "runs", "running"],
            &["search", "searches", "searched", "searching"],
            &["directory", "directories"],
            &["add", "added", "adding"],
            &["process", "processes", "processing"],
            &["hash", "hashes", "hashing"],
            &["time", "times", "timing", "timed"],
            &["call", "calls", "calling"],
        ];
        for family in families {
            let stems: Vec<String> = family.iter().map(|word| stem(word)).collect();
            assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{family:?} -> {stems:?}");
        }
    }

    #[test]
    fn words_that_only_look_inflected_stay() {
        for word in ["string", "thing", "status", "this", "feed", "need", "css", "red", "sha256", "naïves"] {
            assert_eq!(stem(word), word, "{word}");
        }
    }
}
