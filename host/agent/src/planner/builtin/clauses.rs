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
    &["i'd", "like", "to"],
    &["help", "me", "to"],
    &["help", "him"],
    &["help", "her"],
    &["help", "them"],
    &["help", "us"],
    &["help", "me"],
    &["help", "to"],
    &["tell", "me"],
    &["let", "me", "know"],
    &["show", "me", "how"],
];

/// The clauses of a goal, as texts that can stand alone.
pub(super) fn clauses(goal: &str) -> Vec<String> {
    let goal = unquoted(goal);
    let all = tokens(goal);
    let mut found: Vec<String> = Vec::new();
    for part in with_statements(&all, split(&all)) {
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

/// A goal that stands in quotes as a whole is meant without them.
pub(super) fn unquoted(goal: &str) -> &str {
    let trimmed = goal.trim();
    let inside = ['"', '\''].iter().find_map(|quote| {
        let inside = trimmed.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (*quote == '"' || inside.split_whitespace().count() > 2).then_some((inside, *quote))
    });
    match inside {
        Some((inside, quote)) if !inside.contains(quote) && inside.contains(' ') => inside,
        _ => goal,
    }
}

fn split(all: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < all.len() {
        match boundary(all, at, at == start) {
            // "Then do the same for Rome" goes on with what came before.
            Some(length) if at > start && super::repeats::says_again(without_lead(&all[at + length..])) => at += length,
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

/// How a sentence begins that commands and asks nothing: it says more about the command beside it.
const STATEMENTS: &[&str] = &[
    "i",
    "i'm",
    "i've",
    "we",
    "my",
    "our",
    "the",
    "it",
    "he",
    "she",
    "they",
    "his",
    "her",
    "their",
    "its",
    "this",
    "these",
    "a",
    "an",
    "there",
    "given",
    "assume",
    "assuming",
    "consider",
    "suppose",
    "include",
    "each",
    "both",
    "prefer",
    "imagine",
    "in",
    "on",
    "at",
    "if",
    "using",
    "during",
    "with",
    "for",
    "considering",
    "however",
    "another",
    "some",
];

/// Sentences that only say something belong to the command behind them, or before them where none is behind.
fn with_statements<'t>(all: &'t [Token], parts: Vec<&'t [Token]>) -> Vec<&'t [Token]> {
    let place = |part: &[Token]| part.first().and_then(|first| all.iter().position(|token| token.start == first.start));
    let says = |part: &[Token]| {
        // "Using this, can you …": the command comes behind the comma.
        let polite = |three: &[Token]| {
            let asked = ["can", "could", "would", "will"].iter().any(|word| three[1].is(word)) && three[2].is("you");
            matches!(three[0].piece, Piece::Mark(',')) && (asked || asks(&three[1..]))
        };
        if part.windows(3).any(polite) {
            return false;
        }
        let part = without_lead(part);
        let word = |n: usize| part.get(n).and_then(Token::word).unwrap_or_default();
        let about = ["is", "are", "was", "were", "has", "have", "had", "wants", "needs"].contains(&word(1).as_str());
        STATEMENTS.contains(&word(0).as_str()) || (about && words::means(&word(0)) && !words::is_verb(&word(0)))
    };
    let full: Vec<&[Token]> =
        parts.into_iter().filter(|part| part.iter().any(|token| !matches!(token.piece, Piece::Mark(_)))).collect();
    if full.iter().all(|part| says(part)) {
        return full;
    }
    let mut kept: Vec<&[Token]> = Vec::new();
    let mut waiting: Option<usize> = None;
    for part in full {
        let Some(at) = place(part) else { continue };
        match (says(part), kept.last_mut()) {
            (true, Some(before)) => {
                // What was said about the command before it.
                if let Some(from) = place(before) {
                    *before = &all[from..at + part.len()];
                }
            }
            (true, None) => waiting = waiting.or(Some(at)),
            (false, _) => kept.push(&all[waiting.take().unwrap_or(at)..at + part.len()]),
        }
    }
    kept
}

/// Whether a point ends a sentence: not inside a name (`D.C.`), and not where the sentence goes on in lower case.
fn ends_sentence(all: &[Token], at: usize) -> bool {
    let Some(next) = all.get(at + 1) else { return true };
    let before = at.checked_sub(1).map(|before| &all[before]);
    let quoted = before.and_then(Token::literal).is_some_and(|literal| literal.kind == Kind::Quoted);
    if next.start == all[at].end {
        return quoted || matches!(next.piece, Piece::Mark(_));
    }
    let Piece::Word(word) = &next.piece else { return true };
    let lower = word.to_lowercase();
    let commands = words::is_verb(&lower) || LEAD.contains(&lower.as_str()) || asks(&all[at + 1..]);
    let initial = before.is_some_and(
        |token| matches!(&token.piece, Piece::Word(word) if word.len() == 1 && word.starts_with(char::is_uppercase)),
    );
    let short = initial || before.and_then(Token::word).is_some_and(|word| super::names::is_short_form(&word));
    commands || (!short && word.starts_with(char::is_uppercase))
}

/// How many tokens at `at` stand between two clauses; none where the clause goes on.
fn boundary(all: &[Token], at: usize, first: bool) -> Option<usize> {
    let token = &all[at];
    let next = |n: usize| all.get(at + n);
    let begins =
        |n: usize| next(n).and_then(Token::word).is_some_and(|word| words::is_verb(&word) || asks(&all[at + n..]));
    if let Piece::Mark(mark) = token.piece {
        return match mark {
            '.' if !ends_sentence(all, at) => None,
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
            ',' if next(1).is_some_and(|token| token.is("also")) && begins(2) => Some(2),
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
    // "It starts at 20 m/s and then accelerates": somebody does something, and nobody is told to.
    let tells = |n: usize| {
        let word = next(n).and_then(Token::word).unwrap_or_default();
        word.ends_with('s') && !word.ends_with("ss") && !words::is_verb(&word)
    };
    match token.word()?.as_str() {
        "then" if tells(1) => None,
        "and" if next(1).is_some_and(|token| token.is("then")) && tells(2) => None,
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
            ("Find hotels in Washington D.C. with a pool.", &["Find hotels in Washington D.C. with a pool"]),
            (
                "The first car drives at 20 km/h. The second one stands. If it goes on, can you find the distance?",
                &["The first car drives at 20 km/h. The second one stands. If it goes on, can you find the distance"],
            ),
            (
                "Find the sum of 1 and 2. After that, can you find it again for 3 and 4?",
                &["Find the sum of 1 and 2. After that, can you find it again for 3 and 4"],
            ),
            ("I have 100 euros. How much is it in dollars?", &["I have 100 euros. How much is it in dollars"]),
            (
                "Get the records of the house. The parcel number is 12. Then count them",
                &["Get the records of the house. The parcel number is 12", "count them"],
            ),
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
