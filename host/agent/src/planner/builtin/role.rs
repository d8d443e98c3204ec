//! What the place of a word in a clause says about the argument that it is for: behind the parameter's name, behind a
//! preposition, or simply as a name.

use super::shape::Param;
use super::tokens::{Kind, Literal, Piece, Token};
use super::words::{is_verb, means, stem};

/// The most words that a name is taken to have.
const NAME_WORDS: usize = 4;

/// Parameters that say nothing about what belongs into them.
const VAGUE: &[&str] = &["text", "input", "data", "content", "value", "file", "path", "query"];

/// Parameters, and the prepositions before what they are about.
const BEHIND: &[(&[&str], &[&str])] = &[
    (&["to", "target", "destination", "recipient", "receiver"], &["to", "into"]),
    (&["from", "source", "origin", "sender"], &["from"]),
    (&["city", "place", "location", "country", "town", "region"], &["in", "at", "near", "for", "of"]),
];

/// The literal behind the parameter's own name: `subject "Hi"`, `amount: 3`.
pub(super) fn by_name<'c>(tokens: &'c [Token], param: &Param) -> Option<&'c Literal> {
    if param.words.is_empty() || param.words.iter().any(|word| VAGUE.contains(&word.as_str())) {
        return None;
    }
    let glue = |token: &&Token| {
        matches!(token.piece, Piece::Mark(':' | '='))
            || ["is", "of", "called", "named"].iter().any(|word| token.is(word))
    };
    let said = |window: &[Token]| {
        window.iter().zip(&param.words).all(|(token, own)| token.word().is_some_and(|word| stem(&word) == *own))
    };
    let at = tokens.windows(param.words.len()).position(said)?;
    tokens[at + param.words.len()..].iter().find(|token| !glue(token))?.literal()
}

/// The address, for a parameter that somebody is written to by.
pub(super) fn wants_address(param: &Param) -> bool {
    param.takes("string") && param.is(&["to", "recipient", "receiver", "email", "mail", "cc", "bcc"])
}

/// A name from its place: behind a preposition that suits the parameter, else any that is in no argument yet.
///
/// With `inside`, the tokens are the rest of a clause whose command was cut off.
pub(super) fn by_place(tokens: &[Token], param: &Param, taken: &[String], inside: bool) -> Option<String> {
    let free = |name: &String| !taken.contains(name);
    let own = BEHIND.iter().find(|(names, _)| param.is(names)).map(|(_, words)| *words);
    let behind = |words: &[&str]| {
        let places = (0..tokens.len()).filter(|at| words.iter().any(|word| tokens[*at].is(word)));
        places.filter_map(|at| name_at(tokens, at + 1, inside)).find(free)
    };
    if let Some(found) = own.and_then(behind) {
        return Some(found);
    }
    // `to` and `from` may also stand before a word that is no name.
    let named = own.filter(|_| param.is(&["to", "from"]));
    if let Some(found) = named.and_then(|words| word_behind(tokens, words)).filter(free) {
        return Some(found);
    }
    // What stands behind "to" is nothing for "from", and the other way round.
    let elsewhere = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| tokens[at].word());
        before.is_some_and(|word| {
            ["to", "into", "from"].contains(&word.as_str()) && own.is_some_and(|own| !own.contains(&word.as_str()))
        })
    };
    let starts = (0..tokens.len()).filter(|at| *at == 0 || !is_capital(&tokens[*at - 1]));
    starts.filter(|at| !elsewhere(*at)).filter_map(|at| name_at(tokens, at, inside)).find(free)
}

fn word_behind(tokens: &[Token], prepositions: &[&str]) -> Option<String> {
    let at = (0..tokens.len()).find(|at| prepositions.iter().any(|word| tokens[*at].is(word)))?;
    tokens.get(at + 1).and_then(Token::word).filter(|word| means(word))
}

/// The capitalised words that begin here. A command at the begin of a clause is no name.
fn name_at(tokens: &[Token], at: usize, inside: bool) -> Option<String> {
    let words: Vec<&str> = tokens
        .get(at..)?
        .iter()
        .take(NAME_WORDS)
        .take_while(|token| is_capital(token))
        .filter_map(|token| match &token.piece {
            Piece::Word(word) => Some(word.as_str()),
            Piece::Literal(_) | Piece::Mark(_) => None,
        })
        .collect();
    let first = words.first()?;
    let begins = at == 0 && !inside && (is_verb(first) || !means(first) || words.len() == 1);
    (!begins && means(first)).then(|| words.join(" "))
}

fn is_capital(token: &Token) -> bool {
    matches!(&token.piece, Piece::Word(word) if word.starts_with(char::is_uppercase))
}

/// Whether a literal may stand in a parameter of this type.
pub(super) fn suits(literal: &Literal, param: &Param) -> bool {
    match literal.kind {
        Kind::Number => param.takes("integer") || param.takes("number"),
        Kind::Json => true,
        _ => param.takes("string"),
    }
}
