//! Text that Markdown would take for markup.

/// Writes text behind `out`, with a backslash before what would be markup. `in_link`: brackets would end the link.
pub(super) fn push(out: &mut String, text: &str, in_link: bool) {
    let mut previous = out.chars().next_back();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let markup = match letter {
            '\\' | '`' | '*' => true,
            // Inside of a word it is an ordinary letter.
            '_' => !(previous.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
            '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')),
            '[' => in_link,
            ']' => in_link || next == Some('('),
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(letter);
        previous = Some(letter);
    }
}

/// A paragraph whose lines do not look like headings, lists, quotes or rules.
pub(super) fn line_starts(paragraph: &str) -> String {
    let mut safe = String::with_capacity(paragraph.len());
    for (number, line) in paragraph.split('\n').enumerate() {
        if number > 0 {
            safe.push('\n');
        }
        match marker(line) {
            Some(at) => {
                safe.push_str(&line[..at]);
                safe.push('\\');
                safe.push_str(&line[at..]);
            }
            None => safe.push_str(line),
        }
    }
    safe
}

/// Where in a line the backslash belongs.
fn marker(line: &str) -> Option<usize> {
    let first = line.chars().next()?;
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    match first {
        '#' => ends(line.trim_start_matches('#')).then_some(0),
        '>' => Some(0),
        '-' | '+' | '=' => {
            let rule = first != '+' && line.trim_end().chars().all(|letter| letter == first || letter == ' ');
            (rule || (first != '=' && ends(&line[1..]))).then_some(0)
        }
        '~' => line.starts_with("~~~").then_some(0),
        '0'..='9' => {
            let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
            let at = line.len() - rest.len();
            (at <= 9 && rest.starts_with(['.', ')']) && ends(&rest[1..])).then_some(at)
        }
        _ => None,
    }
}
