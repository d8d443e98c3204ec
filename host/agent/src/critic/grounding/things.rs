//! Finding the things in a text that must come from somewhere.

/// Something that must come from somewhere.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Thing {
    /// `https://example.com/a?b=c`
    Url(String),
    /// `ann@example.com`, `notes.txt`, `api.example.com`, `INV-0042`, a hash.
    Name(String),
    /// `/out/summary.md`, `docs/a.md`.
    Path(String),
    /// A number, with how it is written.
    Number {
        /// How it is written.
        text: String,
        /// What it is.
        number: f64,
    },
    /// `2026-11-27`, also with a time behind it.
    Date(String),
}

impl Thing {
    /// How it is written.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Url(text) | Self::Name(text) | Self::Path(text) | Self::Date(text) => text,
            Self::Number { text, .. } => text,
        }
    }
}

/// What ends a word, besides white space.
const BETWEEN: &[char] =
    &['"', '\'', '`', '<', '>', '(', ')', '[', ']', '{', '}', ',', ';', '|', '=', '“', '”', '‘', '’'];

/// The things in a text, in their order.
pub(super) fn things(text: &str) -> Vec<Thing> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((start, end)) = url(rest) {
        words(&rest[..start], &mut found);
        found.push(Thing::Url(rest[start..end].to_owned()));
        rest = &rest[end..];
    }
    words(rest, &mut found);
    found
}

/// The place of the first URL.
fn url(text: &str) -> Option<(usize, usize)> {
    let colon = text
        .match_indices("://")
        .map(|(at, _)| at)
        .find(|at| text[..*at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric()))?;
    let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let start = text[..colon].char_indices().rev().take_while(|(_, c)| scheme(*c)).last()?.0;
    let stop = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '|' | '\\' | '{' | '}' | '”');
    let end = text[colon..].find(stop).map_or(text.len(), |end| colon + end);
    let end = start + text[start..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']).len();
    Some((start, end))
}

fn words(text: &str, found: &mut Vec<Thing>) {
    let spaced = joined_thousands(text);
    for word in spaced.split(|c: char| c.is_whitespace() || BETWEEN.contains(&c)) {
        let word = word.trim_matches(|c: char| matches!(c, ':' | '!' | '?' | '*' | '#' | '…'));
        let word = word.strip_suffix('.').unwrap_or(word);
        found.extend(thing(word));
    }
}

/// `1,234,567` without what stands between its groups: a comma ends a word otherwise.
fn joined_thousands(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let separator = |at: usize| {
        matches!(chars[at], ',' | '_' | '\u{a0}' | '\u{202f}')
            && at > 0
            && digit(at - 1)
            && (at + 1..at + 4).all(digit)
            && !digit(at + 4)
    };
    (0..chars.len()).filter(|at| !separator(*at)).map(|at| chars[at]).collect()
}

fn thing(word: &str) -> Option<Thing> {
    if !word.chars().any(char::is_alphanumeric) {
        return None;
    }
    if let Some((who, host)) = word.split_once('@')
        && !who.is_empty()
        && host.contains('.')
    {
        return Some(Thing::Name(word.to_owned()));
    }
    if is_date(word) {
        return Some(Thing::Date(word.to_owned()));
    }
    if let Some(number) = number(word) {
        return Some(Thing::Number { text: word.to_owned(), number });
    }
    let digits = word.chars().any(|c| c.is_ascii_digit());
    let letters = word.chars().any(char::is_alphabetic);
    if word.contains('/') {
        let rooted = word.starts_with('/') || word.starts_with("./") || word.starts_with("~/");
        let parts = word.split('/').filter(|part| !part.is_empty()).count();
        // "and/or", "km/h" and "1/2" are no paths.
        let like = parts > 0 && (rooted || parts > 2 || (letters && (digits || has_dot(word))));
        return like.then(|| Thing::Path(word.to_owned()));
    }
    // "e.g" and "i.e" are words.
    let long = word.split('.').any(|part| part.chars().count() > 1);
    if has_dot(word) && letters && long && !word.starts_with('.') {
        return Some(Thing::Name(word.to_owned()));
    }
    let id = digits
        && letters
        && word.chars().count() >= 4
        && word.chars().all(|c| c.is_alphanumeric() || "-_:.".contains(c));
    id.then(|| Thing::Name(word.to_owned()))
}

/// A dot between two characters that could be a name's.
fn has_dot(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    chars.windows(3).any(|three| three[1] == '.' && three[0].is_alphanumeric() && three[2].is_alphanumeric())
}

/// Whether it begins with a whole date.
pub(super) fn is_date(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    bytes.len() >= 10
        && digits(0..4)
        && bytes[4] == b'-'
        && digits(5..7)
        && bytes[7] == b'-'
        && digits(8..10)
        && !bytes.get(10).is_some_and(u8::is_ascii_alphanumeric)
        || bytes.get(10).is_some_and(|b| matches!(b, b'T' | b't')) && is_date(word.get(..10).unwrap_or_default())
}

/// What a word means as a number: `42`, `-3.5`, `$1200`, `20%`, `5kg`, `2nd`.
pub(super) fn number(word: &str) -> Option<f64> {
    let plain = word.trim_start_matches(['$', '€', '£', '+', '~', '±']);
    let (sign, plain) = plain.strip_prefix(['-', '−']).map_or((1.0, plain), |rest| (-1.0, rest));
    let end = plain.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(plain.len());
    let (digits, rest) = plain.split_at(end);
    let unit =
        rest.chars().count() <= 4 && rest.chars().all(|c| c.is_alphabetic() || matches!(c, '%' | '°' | '€' | '$'));
    let starts = digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.');
    // A digit between letters is an id: `a1`, `7f3a`.
    (starts && unit).then(|| digits.parse::<f64>().ok().map(|number| sign * number)).flatten()
}
