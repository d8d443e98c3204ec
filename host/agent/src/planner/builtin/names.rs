//! Names of a clause: capitalised words that belong together, quoted texts, identifiers and dates, with what stands around
//! them.

use super::places;
use super::tokens::{Kind, Piece, Token};
use super::words::{is_verb, means, stem};

/// The most words that a name is taken to have.
const NAME_WORDS: usize = 7;

/// Words that may stand inside a name, between two capitalised ones.
const JOINTS: &[&str] = &["of", "the", "de", "du", "da", "del", "von", "van", "la", "le", "v", "vs"];

/// Kinds of places that stand in lower case behind their names.
const KINDS: &[&str] =
    &["river", "lake", "ocean", "sea", "mountain", "mountains", "forest", "rainforest", "desert", "island"];

/// Words before a name that say how it belongs to the rest.
const PREPOSITIONS: &[&str] = &[
    "from", "to", "in", "at", "near", "around", "for", "by", "of", "between", "on", "with", "against", "into", "about",
    "and", "or", "than", "as",
];

/// What a name is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Capitalised words.
    Words,
    /// A quoted text.
    Quoted,
    /// Letters and digits: `XY1234`.
    Identifier,
    /// A date.
    Date,
}

/// One name.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// Its first token, and the one behind its last.
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) text: String,
    /// A state or country behind a comma: the whole with it, and it alone.
    pub(super) with_tail: Option<(String, String)>,
    pub(super) made: Made,
    /// The words before it, nearest first, stemmed.
    pub(super) before: Vec<String>,
    /// The words behind it, nearest first, stemmed.
    pub(super) behind: Vec<String>,
    /// The preposition before it.
    pub(super) preposition: Option<String>,
}

/// All names of a clause, in order.
pub(super) fn names(text: &str, tokens: &[Token]) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let from = found.last().map_or(0, |last| last.end);
        match read(text, tokens, at, from) {
            Some(name) => {
                at = name.end;
                found.push(name);
            }
            None => at += 1,
        }
    }
    found
}

fn read(text: &str, tokens: &[Token], at: usize, from: usize) -> Option<Name> {
    let (end, made, own) = match &tokens[at].piece {
        Piece::Literal(literal) => {
            let made = match literal.kind {
                Kind::Quoted | Kind::Code => Made::Quoted,
                Kind::Date => Made::Date,
                _ => return None,
            };
            (at + 1, made, literal.text.clone())
        }
        Piece::Word(word) if is_identifier(word) => (at + 1, Made::Identifier, word.clone()),
        Piece::Word(_) => {
            let end = words_end(tokens, at)?;
            let raw = &text[tokens[at].start..tokens[end - 1].end];
            (end, Made::Words, raw.strip_suffix("'s").or(raw.strip_suffix("’s")).unwrap_or(raw).to_owned())
        }
        Piece::Mark(_) => return None,
    };
    let tail = if made == Made::Words { tail(text, tokens, end) } else { None };
    let (end, with_tail) = match tail {
        Some((end, tail)) => (end, Some((format!("{own}, {tail}"), tail))),
        None => (end, None),
    };
    let word = |token: &Token| token.word().map(|word| stem(&word));
    let before: Vec<String> = tokens[from..at].iter().rev().filter_map(word).take(6).collect();
    let stops = |token: &&Token| matches!(token.piece, Piece::Word(_)) && !token.is("and");
    let behind = tokens[end..].iter().take_while(stops).filter_map(word).take(3).collect();
    let spoken = tokens[from.min(at)..at].iter().rev().take(4).take_while(|token| token.word().is_some());
    let preposition = spoken.filter_map(Token::word).find(|word| PREPOSITIONS.contains(&word.as_str()));
    Some(Name { at, end, text: own, with_tail, made, before, behind, preposition })
}

/// Where the capitalised words end that begin here.
fn words_end(tokens: &[Token], at: usize) -> Option<usize> {
    let capital = |at: usize| matches!(tokens.get(at).map(|token| &token.piece), Some(Piece::Word(word)) if word.starts_with(char::is_uppercase));
    let begins = at == 0 || matches!(tokens[at - 1].piece, Piece::Mark('.' | '!' | '?' | '\n' | '"'));
    let first = tokens[at].word()?;
    if !capital(at) || !means(&first) || matches!(first.as_str(), "i'm" | "i've" | "i'd") {
        return None;
    }
    // A capital at the begin of a sentence says nothing by itself.
    if begins && (is_verb(&first) || !capital(at + 1)) {
        return None;
    }
    let mut end = at + 1;
    loop {
        // `D.C.`, `Inc.`, `St. Louis`: the point belongs to the name.
        let point = matches!(tokens.get(end).map(|token| &token.piece), Some(Piece::Mark('.')));
        let glued = point && tokens[end].start == tokens[end - 1].end;
        let short = tokens[end - 1].word().is_some_and(|word| word.len() == 1 || is_short_form(&word));
        if glued && short {
            let goes_on = capital(end + 1) && end + 1 < tokens.len();
            end += 1;
            if goes_on {
                end += 1;
            }
            continue;
        }
        let ended = tokens[end - 1].word().is_some_and(|word| word.ends_with("'s") || word.ends_with("’s"));
        if ended || end - at >= NAME_WORDS {
            break;
        }
        if capital(end) {
            end += 1;
            continue;
        }
        let both = matches!(tokens.get(end).map(|token| &token.piece), Some(Piece::Mark('&')));
        if both && capital(end + 1) {
            end += 2;
            continue;
        }
        let joints = (end..end + 2).take_while(|at| tokens.get(*at).is_some_and(is_joint)).count();
        if joints > 0 && capital(end + joints) {
            end += joints + 1;
            continue;
        }
        break;
    }
    let end = end + usize::from(is_numbered(tokens, end));
    // "Amazon rainforest", "Mississippi river": what it is belongs to its name.
    let kind = tokens.get(end).and_then(Token::word).is_some_and(|word| KINDS.contains(&word.as_str()));
    Some(end + usize::from(kind))
}

/// "Maroon 5", "S&P 500": a number that ends a name. A year or what is measured does not.
fn is_numbered(tokens: &[Token], at: usize) -> bool {
    let number = tokens.get(at).and_then(Token::literal).filter(|literal| literal.kind == Kind::Number);
    let short = number.and_then(|literal| literal.value.as_u64()).is_some_and(|n| n < 1000);
    let ends = |token: &Token| {
        matches!(token.piece, Piece::Mark(',' | '.' | '?' | ';'))
            || ["and", "or", "in", "on", "with", "for", "from", "to"].iter().any(|word| token.is(word))
    };
    short && tokens.get(at + 1).is_none_or(ends)
}

/// Words that are written short, with a point.
pub(super) fn is_short_form(word: &str) -> bool {
    matches!(
        word.to_lowercase().as_str(),
        "inc"
            | "ltd"
            | "llc"
            | "co"
            | "corp"
            | "mr"
            | "mrs"
            | "ms"
            | "dr"
            | "st"
            | "vs"
            | "jr"
            | "sr"
            | "prof"
            | "no"
            | "mt"
            | "ft"
            | "sq"
            | "approx"
            | "e.g"
            | "i.e"
            | "etc"
    )
}

fn is_joint(token: &Token) -> bool {
    token.word().is_some_and(|word| JOINTS.contains(&word.as_str()))
}

fn is_identifier(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_ascii_alphabetic()).count();
    let digits = word.chars().filter(char::is_ascii_digit).count();
    letters > 0 && digits > 1 && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// A state or country behind a comma: `Boston, MA`.
fn tail(text: &str, tokens: &[Token], end: usize) -> Option<(usize, String)> {
    if !matches!(tokens.get(end)?.piece, Piece::Mark(',')) {
        return None;
    }
    for length in [4, 2, 1] {
        let span = tokens.get(end + 1..end + 1 + length);
        let Some([first, .., last] | [first @ last]) = span else { continue };
        let said = &text[first.start..last.end];
        if places::is_larger(said) {
            return Some((end + 1 + length, said.to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        names(text, &tokens(text)).into_iter().map(|name| name.text).collect()
    }

    #[test]
    fn names_are_words_that_belong_together() {
        for (text, expected) in [
            ("Find flights from New York to Washington D.C. today", vec!["New York", "Washington D.C."]),
            ("What did Ada Lovelace write?", vec!["Ada Lovelace"]),
            ("exhibitions in the Museum of Modern Art", vec!["Museum of Modern Art"]),
            ("Retrieve the gene 'BRCA1' and rs6034464", vec!["BRCA1", "rs6034464"]),
            ("the stock of Apple Inc. and Tesla's", vec!["Apple Inc.", "Tesla"]),
            ("Restaurants nearby", vec![]),
            ("songs of Maroon 5 and Adele in Rome for 3 days", vec!["Maroon 5", "Adele", "Rome"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn a_state_or_country_belongs_to_its_city_and_another_city_does_not() {
        let text = "hotels in Boston, MA and Paris, Rome";
        let names = names(text, &tokens(text));
        assert_eq!(names[0].with_tail, Some(("Boston, MA".to_owned(), "MA".to_owned())));
        assert_eq!(names[1].with_tail, None);
        assert_eq!(names[0].preposition.as_deref(), Some("in"));
    }
}
