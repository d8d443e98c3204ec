//! What numbers, dates and formulas look like in a goal: each function says how long the literal at the begin of a text is.

use super::units;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A number: `-3`, `1,000.5`, `1e-9`; also before a unit (`5kg`), a percent sign, a list (`5,10`) or `-day`.
pub(super) fn number(chunk: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(chunk.starts_with('-'));
    let whole = digits(&chunk[end..]);
    if whole == 0 {
        return None;
    }
    end += whole;
    // Groups of three, and no more digits behind them: `5,10` are two numbers.
    if whole <= 3 {
        let mut grouped = end;
        while chunk[grouped..].starts_with(',') && digits(&chunk[grouped + 1..]) == 3 {
            grouped += 4;
        }
        let list = chunk[grouped..].starts_with(',') && digits(&chunk[grouped + 1..]) > 0;
        if !list {
            end = grouped;
        }
    }
    if chunk[end..].starts_with('.') && digits(&chunk[end + 1..]) > 0 {
        end += 1 + digits(&chunk[end + 1..]);
    }
    if let Some(power) = chunk[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(power.starts_with(['-', '+']));
        if digits(&power[sign..]) > 0 {
            end += 1 + sign + digits(&power[sign..]);
        }
    }
    let rest = &chunk[end..];
    let goes_on = |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_'));
    let ends = match rest.chars().next() {
        None => true,
        Some(',' | '%' | ')' | ']' | '}' | '°' | ';' | '"' | '\'' | '’' | '?' | '!' | '=') => true,
        Some('-') => rest[1..].starts_with(|c: char| c.is_ascii_lowercase()),
        Some(c) if c.is_alphabetic() => {
            let letters = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            units::is_suffix(&rest[..letters]) && !goes_on(&rest[letters..])
        }
        Some(_) => false,
    };
    ends.then_some(end)
}

/// A date or time in digits: `2026-11-23`, `2026-11-23T10:00Z`, `01-31-1980`, `2022/08/16`, `10:30`.
pub(super) fn date(chunk: &str) -> Option<usize> {
    let shape: String = chunk.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if let Some(rest) = shape.strip_prefix("0000-00-00") {
        let clock = |c: char| c.is_ascii_digit() || matches!(c, 'T' | 't' | 'Z' | 'z' | ':' | '.' | '+' | '-');
        let fits = rest.is_empty() || (rest.starts_with(['T', 't']) && rest.chars().all(clock));
        return fits.then_some(chunk.len());
    }
    matches!(
        shape.as_str(),
        "00:00"
            | "0:00"
            | "00:00:00"
            | "00-00-0000"
            | "00/00/0000"
            | "0/0/0000"
            | "0/00/0000"
            | "00/0/0000"
            | "0000/00/00"
    )
    .then_some(chunk.len())
}

/// `2022/08/16` in ISO form.
pub(super) fn year_first(date: &str) -> Option<String> {
    let (year, rest) = date.split_once('/').filter(|(year, _)| year.len() == 4)?;
    rest.contains('/').then(|| format!("{year}-{}", rest.replace('/', "-")))
}

/// A date with the name of its month and its year, and the same in ISO form: `May 3rd, 2022`, `3 May 2022`.
pub(super) fn spoken_date(rest: &str) -> Option<(usize, String)> {
    let mut parts: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    while parts.len() < 3 {
        let gap = rest[at..].len() - rest[at..].trim_start_matches([' ', ',', '.']).len();
        if gap == 0 && !parts.is_empty() {
            break;
        }
        let begin = at + gap;
        let end = begin + rest[begin..].find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len() - begin);
        if begin == end {
            break;
        }
        parts.push((&rest[begin..end], end));
        at = end;
    }
    let [(one, _), (two, _), (three, length)] = parts.as_slice() else { return None };
    let (month, day) = match (month(one), month(two)) {
        (Some(month), _) => (month, day(two)?),
        (None, Some(month)) => (month, day(one)?),
        (None, None) => return None,
    };
    let year: u32 = three.parse().ok().filter(|year| (1000..=2999).contains(year))?;
    Some((*length, format!("{year:04}-{month:02}-{day:02}")))
}

fn month(word: &str) -> Option<usize> {
    let word = word.to_lowercase();
    let known = |month: &str| month == word || (word.len() >= 3 && word.len() <= 4 && month.starts_with(&word));
    MONTHS.iter().position(|month| known(month)).map(|at| at + 1)
}

fn day(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = &word[digits.len()..];
    let day: u32 = digits.parse().ok()?;
    (matches!(ending, "" | "st" | "nd" | "rd" | "th") && (1..=31).contains(&day)).then_some(day)
}

/// Arithmetic: digits, operators between them, parentheses.
pub(super) fn expression(rest: &str) -> Option<usize> {
    let legal = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '*' | '/' | '%' | '^' | '(' | ')' | '.' | ' ');
    let run = rest.find(|c: char| !legal(c)).unwrap_or(rest.len());
    let text = rest[..run].trim_end_matches([' ', '.', '(']);
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '(' | '-'));
    let after = text.trim_start_matches(['(', '-', ' ']);
    let operator = after.find(['+', '-', '*', '/', '%', '^'])?;
    let both = after[..operator].contains(|c: char| c.is_ascii_digit())
        && after[operator..].contains(|c: char| c.is_ascii_digit());
    let whole = !rest[text.len()..].starts_with(char::is_alphanumeric);
    // `1. - 2`: a list, not a difference.
    (starts && both && whole && !text.contains(". ")).then_some(text.len())
}

/// A formula in `x`, `y` or `z`, and where it begins behind a head such as `y =` or `f(x) =`: `3x^2 + 2x - 1`.
pub(super) fn formula(rest: &str) -> Option<(usize, usize)> {
    let head = head(rest);
    let mut at = head;
    let (mut powers, mut operators, mut variables) = (0, 0, 0);
    let mut end = at;
    loop {
        let term = Term::read(&rest[at..])?;
        powers += usize::from(term.power);
        variables += usize::from(term.variable);
        end = if term.length > 0 { at + term.length } else { break };
        let gap = rest[end..].len() - rest[end..].trim_start_matches(' ').len();
        let after = &rest[end + gap..];
        let Some(operator) = after.chars().next().filter(|c| matches!(c, '+' | '-' | '*' | '/' | '−')) else { break };
        let begin = end + gap + operator.len_utf8();
        let space = rest[begin..].len() - rest[begin..].trim_start_matches(' ').len();
        // A dash with a space on one side only is a dash.
        if (gap > 0) != (space > 0) || Term::read(&rest[begin + space..]).is_none_or(|term| term.length == 0) {
            break;
        }
        operators += 1;
        at = begin + space;
    }
    let whole = !rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (whole && variables > 0 && (powers > 0 || operators > 0)).then_some((head, end))
}

/// The length of `y =` or `f(x) =`.
fn head(rest: &str) -> usize {
    let Some((left, _)) = rest.split_once('=') else { return 0 };
    let name = left.trim_end();
    let variable = matches!(name, "x" | "y" | "z" | "f(x)" | "g(x)" | "f(y)");
    if !variable {
        return 0;
    }
    let behind = &rest[left.len() + 1..];
    left.len() + 1 + (behind.len() - behind.trim_start_matches(' ').len())
}

/// One term of a formula: `3`, `2x`, `x^3`, `5*x**2`, `sin(x)`.
struct Term {
    length: usize,
    variable: bool,
    power: bool,
}

impl Term {
    fn read(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let mut term = Term { length: usize::from(text.starts_with('-')), variable: false, power: false };
        let begin = term.length;
        for name in ["sin", "cos", "tan", "exp", "log", "ln", "sqrt"] {
            let Some(inside) = text[begin..].strip_prefix(name).and_then(|rest| rest.strip_prefix('(')) else {
                continue;
            };
            let close = inside.find(')')?;
            let inner = &inside[..close];
            if Term::read(inner)?.length != inner.len() {
                return None;
            }
            return Some(Term { length: begin + name.len() + close + 2, variable: true, power: true });
        }
        term.length += digits(&text[term.length..]).min(12);
        // The point that ends a sentence is no part of the number.
        while text[begin..term.length].ends_with('.') {
            term.length -= 1;
        }
        let product = usize::from(term.length > begin && text[term.length..].starts_with('*'));
        let variable = text[term.length + product..].chars().next().filter(|c| matches!(c, 'x' | 'y' | 'z'));
        if variable.is_some() {
            term.length += product + 1;
            term.variable = true;
            let power = ["^", "**"].iter().find_map(|mark| text[term.length..].strip_prefix(mark).map(|_| mark.len()));
            if let Some(mark) = power {
                let exponent = digits(&text[term.length + mark..]);
                if exponent > 0 {
                    term.length += mark + exponent;
                    term.power = true;
                }
                while text[..term.length].ends_with('.') {
                    term.length -= 1;
                }
            }
        }
        if term.length == begin {
            term.length = 0;
        }
        Some(term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_before_lists_units_and_signs() {
        for (chunk, expected) in [
            ("1,000", Some("1,000")),
            ("5,10", Some("5")),
            ("-3.5", Some("-3.5")),
            ("1e-9", Some("1e-9")),
            ("5kg", Some("5")),
            ("100µF", Some("100")),
            ("7-day", Some("7")),
            ("5%", Some("5")),
            ("46.603354,1.8883340", Some("46.603354")),
            ("127.0.0.1", None),
            ("123456-ABC", None),
            ("3rd", None),
            ("2x", None),
            ("10kg.txt", None),
        ] {
            assert_eq!(number(chunk).map(|length| &chunk[..length]), expected, "{chunk}");
        }
    }

    #[test]
    fn dates_with_the_name_of_a_month_have_an_iso_form() {
        let iso = |text: &str| spoken_date(text).map(|(length, iso)| (text[..length].to_owned(), iso));
        for (text, said) in
            [("May 3rd, 2022 and", "May 3rd, 2022"), ("3 May 2022.", "3 May 2022"), ("Mar. 3, 2022", "Mar. 3, 2022")]
        {
            let (found, iso) = iso(text).unwrap();
            assert_eq!(found, said);
            assert!(iso.starts_with("2022-0") && iso.ends_with("-03"), "{iso}");
        }
        for text in ["May I have 2022", "March 2022", "may 40, 2022", "3 apples 2022"] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn formulas_stay_whole_and_lose_their_head() {
        let found = |text: &str| formula(text).map(|(head, end)| text[head..end].to_owned());
        for (text, expected) in [
            ("3x^2 + 2x - 1.", Some("3x^2 + 2x - 1")),
            ("y=x^2 from x=1", Some("x^2")),
            ("f(x) = 3x^2 from", Some("3x^2")),
            ("2x^2 at x = 1", Some("2x^2")),
            ("y=3x+2 and y=2x+3", Some("3x+2")),
            ("sin(x) from", Some("sin(x)")),
            ("x = 1", None),
            ("5x zoom", None),
            ("10 - 3", None),
            ("xylophone", None),
        ] {
            assert_eq!(found(text).as_deref(), expected, "{text}");
        }
    }
}
