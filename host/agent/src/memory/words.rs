//! The words of a text, as they are compared: lower case, without the `s` of a plural, numbers as they stand.

use std::ops::Range;

/// The longest word in bytes: what is longer is data and not looked for.
const WORD_BYTES_MAX: usize = 64;

/// One word.
pub(super) struct Word {
    /// How it is compared.
    pub(super) stem: String,
    /// Where it stands, in bytes.
    pub(super) place: Range<usize>,
}

/// The words of a text. `read_file` and `two-way` are two words each.
pub(super) fn words(text: &str) -> impl Iterator<Item = Word> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let begin = at + rest.find(char::is_alphanumeric)?;
            let found = text.get(begin..)?;
            let end = begin + found.find(|c: char| !c.is_alphanumeric()).unwrap_or(found.len());
            at = end;
            if end - begin <= WORD_BYTES_MAX {
                return Some(Word { stem: stem(text.get(begin..end)?), place: begin..end });
            }
        }
    })
}

fn stem(word: &str) -> String {
    let lower = word.to_lowercase();
    match lower.strip_suffix('s') {
        Some(one) if one.len() > 2 && !one.ends_with(['s', 'u', 'i']) => one.to_owned(),
        _ => lower,
    }
}
