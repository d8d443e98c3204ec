//! A goal as clauses: one thing to do each, in order.

use super::tokens::{Kind, Piece, Token, tokens};
use super::words;

/// Words before a command that are not part of it.
const LEAD: &[&str] =
    &["please", "first", "next", "then", "finally", "also", "now", "and", "afterwards", "after", "that", "so"];

/// How a polite goal begins.
const POLITE: &[&[&str]] = &[
    &["can", "you"],
    &["could", "you"],
    &["would", "you"],
    &["i", "want", "you", "to"],
    &["i", "want", "to"],
    &["i", "would", "like", "to"],
    &["i", "need", "to"],
    &["tell", "me"],
    &["let", "me", "know"],
    &["show", "me", "how"],
];

/// The clauses of a goal, as texts that can stand alone.
pub(super) fn clauses(goal: &str) -> Vec<String> {
    let all = tokens(goal);
    let mut found: Vec<String> = Vec::new();
    for part in split(&all) {
        let part = without_lead(part);
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        if part.iter().all(|token| matches!(token.piece, Piece::Mark(_))) {
            continue;
        }
        match produce_and_write(goal, part, !found.is_empty()) {
            Some(both) => found.extend(both),
            None => found.push(goal[first.start..last.end].trim().to_owned()),
        }
    }
    found
}

fn split(all: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < all.len() {
        match boundary(all, at, at == start) {
            Some(length) => {
                parts.push(&all[start..at]);
                at += length;
                start = at;
            }
            None => at += 1,
        }
    }
    parts.push(&all[start..]);
    parts
}

/// How many tokens at `at` stand between two clauses; none where the clause goes on.
fn boundary(all: &[Token], at: usize, first: bool) -> Option<usize> {
    let token = &all[at];
    let next = |n: usize| all.get(at + n);
    let begins =
        |n: usize| next(n).and_then(Token::word).is_some_and(|word| words::is_verb(&word) || asks(&all[at + n..]));
    if let Piece::Mark(mark) = token.piece {
        return match mark {
            '.' | '!' | '?' | ';' => Some(1),
            // A line that goes on in the next one is one clause.
            '\n' => {
                let listed = |token: &Token| {
                    matches!(token.piece, Piece::Mark(_)) || token.literal().is_some_and(|l| l.kind == Kind::Number)
                };
                (first || next(1).is_none_or(listed) || begins(1)).then_some(1)
            }
            '-' | '*' | '•' if first => Some(1),
            ')' if first => Some(1),
            ',' if next(1).is_some_and(|token| token.is("and"))
                && (begins(2) || next(2).is_some_and(|t| t.is("then"))) =>
            {
                Some(2)
            }
            ',' if next(1).is_some_and(|token| token.is("then")) => Some(2),
            ',' if begins(1) => Some(1),
            _ => None,
        };
    }
    // The number of a list item: `1.` or `2)` at the begin of a line.
    let listed = token.literal().is_some_and(|literal| literal.kind == Kind::Number)
        && (at == 0 || all[at - 1].piece == Piece::Mark('\n'))
        && next(1).is_some_and(|token| matches!(token.piece, Piece::Mark('.' | ')')));
    if listed {
        return Some(2);
    }
    if first {
        return None;
    }
    match token.word()?.as_str() {
        "then" => Some(1),
        "and" if next(1).is_some_and(|token| token.is("then") || token.is("finally") || token.is("also")) => Some(2),
        "and" if begins(1) => Some(1),
        "before" | "after" if next(1).is_some_and(|token| token.is("that")) => Some(2),
        _ => None,
    }
}

fn asks(rest: &[Token]) -> bool {
    let word = |n: usize| rest.get(n).and_then(Token::word).unwrap_or_default();
    matches!(
        (word(0).as_str(), word(1).as_str()),
        ("how", "many" | "much" | "long" | "often") | ("what", "is" | "are" | "time")
    )
}

fn without_lead(mut part: &[Token]) -> &[Token] {
    loop {
        let word = |n: usize| part.get(n).and_then(Token::word).unwrap_or_default();
        let polite = POLITE.iter().find(|lead| lead.iter().enumerate().all(|(n, lead)| word(n) == *lead));
        let skip = match polite {
            Some(lead) => lead.len(),
            None if LEAD.contains(&word(0).as_str()) => 1,
            None if part.first().is_some_and(|token| matches!(token.piece, Piece::Mark(',' | ':' | ')' | '-'))) => 1,
            None => return part,
        };
        part = &part[skip.min(part.len())..];
    }
}

/// Commands that bring something, and what is then done to bring it.
const BRINGING: &[(&str, &str)] =
    &[("download", "fetch"), ("fetch", "fetch"), ("get", "get"), ("copy", "read"), ("read", "read")];

/// "Save the time in Tokyo to /out/t.txt" is two things: the time in Tokyo, and writing it. So is "copy /a to /b".
fn produce_and_write(goal: &str, part: &[Token], something_before: bool) -> Option<[String; 2]> {
    let first = part.first()?.word()?;
    let bring = BRINGING.iter().find(|(said, _)| *said == first).map(|(_, bring)| *bring);
    let verb = if words::is_writing(&first) { first } else { bring.map(|_| "write".to_owned())? };
    let last = part.len() - 1;
    part[last].literal().filter(|literal| literal.kind == Kind::Path)?;
    let named = |at: usize| part[at].word().is_some_and(|word| matches!(word.as_str(), "file" | "the" | "a" | "new"));
    let mut preposition = last.checked_sub(1)?;
    while preposition > 0 && named(preposition) {
        preposition -= 1;
    }
    let into = part[preposition].word()?;
    let fits = match bring {
        Some(_) => matches!(into.as_str(), "to" | "into" | "as"),
        None => matches!(into.as_str(), "to" | "into" | "in" | "as" | "at" | "under"),
    };
    if !fits {
        return None;
    }
    let object = part.get(1..preposition).filter(|object| !object.is_empty())?;
    let text = object
        .iter()
        .any(|token| token.literal().is_some_and(|l| matches!(l.kind, Kind::Quoted | Kind::Code | Kind::Json)));
    let back = object.iter().any(|token| token.word().is_some_and(|word| words::points_back(&word)));
    let source = object.iter().any(|token| {
        token.literal().is_some()
            || matches!(&token.piece, Piece::Word(word) if !something_before && super::zones::zone(word).is_some())
    });
    if text || back || !source {
        return None;
    }
    let made = &goal[object[0].start..object[object.len() - 1].end];
    let made = bring.map_or_else(|| made.to_owned(), |bring| format!("{bring} {made}"));
    let rest = &goal[part[preposition].start..part[last].end];
    Some([made, format!("{verb} the result {rest}")])
}

#[cfg(test)]
mod tests {
    use super::clauses;

    #[test]
    fn a_goal_comes_apart_where_a_new_command_begins() {
        let cases: &[(&str, &[&str])] = &[
            ("How many words are in /work/notes.md?", &["How many words are in /work/notes.md"]),
            (
                "Fetch http://127.0.0.1:1/i.json, take the names of all items whose price is over 10 and write them to /out/n.txt",
                &[
                    "Fetch http://127.0.0.1:1/i.json",
                    "take the names of all items whose price is over 10",
                    "write them to /out/n.txt",
                ],
            ),
            ("Find all TODO lines in /work and count them", &["Find all TODO lines in /work", "count them"]),
            (
                "Read a.txt. Then hash it. Please save the result as b.txt",
                &["Read a.txt", "hash it", "save the result as b.txt"],
            ),
            ("1. read /a.md\n2. count its words", &["read /a.md", "count its words"]),
            ("read /a.md\n\ncount its words", &["read /a.md", "count its words"]),
            ("How many words\nare in /a.md?", &["How many words\nare in /a.md"]),
            ("How many days between 2024-01-01 and 2026-11-23?", &["How many days between 2024-01-01 and 2026-11-23"]),
            ("names and prices of the items in /a.json", &["names and prices of the items in /a.json"]),
            ("Save the time in Tokyo to /out/t.txt", &["the time in Tokyo", "Save the result to /out/t.txt"]),
            (
                "Write the sha256 of /a.bin into the file /out/a.sha",
                &["the sha256 of /a.bin", "write the result into the file /out/a.sha"],
            ),
            ("Write \"hello\" to /out/x.txt", &["Write \"hello\" to /out/x.txt"]),
            ("Write the summary to a file", &["Write the summary to a file"]),
            ("Copy /a/x.md to /b/y.md", &["read /a/x.md", "write the result to /b/y.md"]),
            ("Download http://a.b/c to /out/c.html", &["fetch http://a.b/c", "write the result to /out/c.html"]),
            ("Read /a/x.md in /a/y.md", &["Read /a/x.md in /a/y.md"]),
            ("", &[]),
            ("?!.", &[]),
        ];
        for (goal, expected) in cases {
            let lower = |texts: &[String]| texts.iter().map(|t| t.to_lowercase()).collect::<Vec<_>>();
            let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(lower(&clauses(goal)), lower(&expected), "{goal}");
        }
    }
}
