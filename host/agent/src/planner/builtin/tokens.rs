//! A goal as words and literals: paths, URLs, quoted texts, numbers, dates and the like stay whole.

use serde_json::Value;

use super::{literals, zones};

/// What a literal looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Url,
    Path,
    Quoted,
    Code,
    Json,
    Number,
    Date,
    Zone,
    Expression,
    /// A formula in a variable.
    Formula,
    Email,
}

/// A value that stands in the goal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Literal {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) value: Value,
}

impl Literal {
    pub(super) fn new(kind: Kind, text: &str) -> Self {
        let value = match kind {
            Kind::Number => serde_json::from_str(&text.replace(',', "")).unwrap_or_else(|_| Value::from(text)),
            Kind::Json => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
            _ => Value::from(text),
        };
        Self { kind, text: text.to_owned(), value }
    }
}

/// A piece of a goal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Word(String),
    Literal(Literal),
    Mark(char),
}

/// A piece and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) piece: Piece,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    /// The word in lower case, if it is one.
    pub(super) fn word(&self) -> Option<String> {
        match &self.piece {
            Piece::Word(word) => Some(word.to_lowercase()),
            _ => None,
        }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word().is_some_and(|own| own == word)
    }

    pub(super) fn literal(&self) -> Option<&Literal> {
        match &self.piece {
            Piece::Literal(literal) => Some(literal),
            _ => None,
        }
    }
}

/// Takes a goal apart.
pub(super) fn tokens(goal: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = goal[at..].chars().next() {
        let rest = &goal[at..];
        if c.is_whitespace() && c != '\n' {
            at += c.len_utf8();
            continue;
        }
        let begins = !goal[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let (piece, length) =
            enclosed(rest, begins).or_else(|| bare(rest, begins)).unwrap_or_else(|| word_or_mark(rest, c));
        found.push(Token { piece, start: at, end: at + length });
        at += length;
    }
    found
}

/// Literals with a begin and an end of their own.
fn enclosed(rest: &str, begins: bool) -> Option<(Piece, usize)> {
    for (open, close, kind) in [
        ("```", "```", Kind::Code),
        ("`", "`", Kind::Code),
        ("\"", "\"", Kind::Quoted),
        ("“", "”", Kind::Quoted),
        ("'", "'", Kind::Quoted),
    ] {
        let Some(inside) = rest.strip_prefix(open) else { continue };
        if open == "'" && !begins {
            return None;
        }
        let end = match open {
            // An apostrophe inside a word does not end the text.
            "'" => inside
                .match_indices('\'')
                .map(|(at, _)| at)
                .find(|at| !inside[at + 1..].starts_with(char::is_alphanumeric)),
            _ => inside.find(close),
        };
        let Some(end) = end.filter(|end| *end > 0) else { continue };
        let mut text = &inside[..end];
        if open == "```" {
            // The first line of a block names its language.
            text = text
                .split_once('\n')
                .filter(|(tag, _)| tag.chars().all(char::is_alphanumeric))
                .map_or(text, |(_, code)| code);
            text = text.trim_matches('\n');
        }
        // A path with a space in it is quoted.
        let quotes_path = kind == Kind::Quoted && !text.contains('\n') && starts_as_path(text);
        let kind = if quotes_path { Kind::Path } else { kind };
        return Some((Piece::Literal(Literal::new(kind, text)), open.len() + end + close.len()));
    }
    if rest.starts_with(['{', '[']) {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        if let Some(Ok(value)) = stream.next() {
            let length = stream.byte_offset();
            let literal = Literal { kind: Kind::Json, text: rest[..length].to_owned(), value };
            return Some((Piece::Literal(literal), length));
        }
        return in_single_quotes(rest);
    }
    None
}

/// JSON as some write it, with single quotes: `['a', 'b']`.
fn in_single_quotes(rest: &str) -> Option<(Piece, usize)> {
    let close = |c: char| if c == '[' { ']' } else { '}' };
    let end = rest.find(rest.chars().next().map(close)?)? + 1;
    let value = serde_json::from_str(&rest[..end].replace('\'', "\"")).ok()?;
    Some((Piece::Literal(Literal { kind: Kind::Json, text: rest[..end].to_owned(), value }), end))
}

/// Literals that end where the text around them goes on.
fn bare(rest: &str, begins: bool) -> Option<(Piece, usize)> {
    if !begins {
        return None;
    }
    let run = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let chunk = rest[..run].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '’', '”']);
    let literal = |kind, length: usize| Some((Piece::Literal(Literal::new(kind, &rest[..length])), length));
    if chunk.starts_with("http://") || chunk.starts_with("https://") {
        return literal(Kind::Url, chunk.len());
    }
    if let Some(length) = literals::date(chunk) {
        let found = Literal::new(Kind::Date, &rest[..length]);
        let value = literals::year_first(&found.text).map_or(found.value.clone(), Value::from);
        return Some((Piece::Literal(Literal { value, ..found }), length));
    }
    if let Some((length, iso)) = literals::spoken_date(rest) {
        let value = Value::from(iso);
        return Some((Piece::Literal(Literal { kind: Kind::Date, text: rest[..length].to_owned(), value }), length));
    }
    if let Some((head, end)) = literals::formula(rest) {
        let literal = Literal::new(Kind::Formula, &rest[head..end]);
        return Some((Piece::Literal(literal), end));
    }
    if let Some(length) = literals::expression(rest) {
        return literal(Kind::Expression, length);
    }
    if let Some(length) = literals::number(chunk) {
        return literal(Kind::Number, length);
    }
    if chunk.contains('@')
        && chunk.split('@').count() == 2
        && chunk.split('@').all(|part| !part.is_empty())
        && chunk.contains('.')
    {
        return literal(Kind::Email, chunk.len());
    }
    if chunk.contains('/') && zones::zone(chunk).is_some() {
        return literal(Kind::Zone, chunk.len());
    }
    if is_path(chunk) { literal(Kind::Path, chunk.len()) } else { None }
}

fn starts_as_path(text: &str) -> bool {
    ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start))
}

fn is_path(chunk: &str) -> bool {
    if starts_as_path(chunk) {
        return chunk == "/" || chunk.chars().any(char::is_alphanumeric);
    }
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let Some((stem, extension)) = chunk.rsplit_once('.') else {
        return chunk.contains('/') && chunk.chars().all(legal) && chunk.split('/').count() > 2;
    };
    let site = matches!(extension, "com" | "org" | "net" | "io" | "dev");
    let short = (2..=5).contains(&extension.len()) || matches!(extension, "c" | "h" | "r");
    stem.chars().filter(|c| c.is_alphanumeric()).count() >= 1
        && chunk.chars().all(legal)
        && short
        && !site
        && extension.chars().all(char::is_alphanumeric)
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn word_or_mark(rest: &str, first: char) -> (Piece, usize) {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '\'' | '’');
    if !first.is_alphanumeric() && first != '_' {
        return (Piece::Mark(first), first.len_utf8());
    }
    let end = rest.find(|c: char| !legal(c)).unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches(['-', '\'', '’']);
    (Piece::Word(word.to_owned()), word.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn literals(goal: &str) -> Vec<(Kind, String)> {
        tokens(goal).into_iter().filter_map(|t| t.literal().map(|l| (l.kind, l.text.clone()))).collect()
    }

    #[test]
    fn literals_stay_whole() {
        let cases: &[(&str, &[(Kind, &str)])] = &[
            ("How many words are in /work/notes.md?", &[(Kind::Path, "/work/notes.md")]),
            ("Fetch http://127.0.0.1:80/a.json, then", &[(Kind::Url, "http://127.0.0.1:80/a.json")]),
            ("say 'it isn't so' and \"x y\"", &[(Kind::Quoted, "it isn't so"), (Kind::Quoted, "x y")]),
            ("run `.a | .b` now", &[(Kind::Code, ".a | .b")]),
            ("between 2024-01-01 and 2026-11-23?", &[(Kind::Date, "2024-01-01"), (Kind::Date, "2026-11-23")]),
            ("compute 2+2*10 with", &[(Kind::Expression, "2+2*10")]),
            ("compute (3 + 4) * 2.", &[(Kind::Expression, "(3 + 4) * 2")]),
            ("over 10 and under 1,000.", &[(Kind::Number, "10"), (Kind::Number, "1,000")]),
            ("5,10 and 6kg", &[(Kind::Number, "5"), (Kind::Number, "10"), (Kind::Number, "6")]),
            ("sort ['b', 'a']", &[(Kind::Json, "['b', 'a']")]),
            ("on May 3rd 2022, at noon", &[(Kind::Date, "May 3rd 2022")]),
            ("derive y = 3x^2 + 1 at 2", &[(Kind::Formula, "3x^2 + 1"), (Kind::Number, "2")]),
            ("in Europe/Paris", &[(Kind::Zone, "Europe/Paris")]),
            ("post {\"a\": [1]} to", &[(Kind::Json, "{\"a\": [1]}")]),
            ("mail bob@example.com the notes.txt.", &[(Kind::Email, "bob@example.com"), (Kind::Path, "notes.txt")]),
            ("e.g. this, i.e. that", &[]),
            ("don't stop", &[]),
        ];
        for (goal, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect();
            assert_eq!(literals(goal), expected, "{goal}");
        }
    }

    proptest! {
        #[test]
        fn tokens_lie_in_order_inside_the_goal(goal in "\\PC{0,60}") {
            let mut last = 0;
            for token in tokens(&goal) {
                prop_assert!(token.start >= last && token.end > token.start);
                prop_assert!(goal.get(token.start..token.end).is_some());
                last = token.end;
            }
        }
    }
}
