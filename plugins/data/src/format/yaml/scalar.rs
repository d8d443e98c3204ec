//! What a plain scalar stands for, and which texts can be written plain.

use jaq_json::{Num, Val};

use crate::value::{integer, text};

/// The value of a plain scalar in the core schema: null, a boolean, a number, or else text.
pub(super) fn resolve(scalar: &str) -> Val {
    match scalar {
        "" | "~" | "null" | "Null" | "NULL" => return Val::Null,
        "true" | "True" | "TRUE" => return Val::Bool(true),
        "false" | "False" | "FALSE" => return Val::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Val::from(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Val::from(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Val::from(f64::NEG_INFINITY),
        _ => {}
    }
    number(scalar).unwrap_or_else(|| text(scalar))
}

fn number(scalar: &str) -> Option<Val> {
    let unsigned = scalar.strip_prefix(['-', '+']).unwrap_or(scalar);
    if !unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = scalar.strip_prefix(prefix) {
            let valid = digits.chars().all(|digit| digit.is_digit(radix));
            let integer = i128::from_str_radix(digits, radix).ok().filter(|_| valid)?;
            return Some(Val::Num(Num::from_integral(integer)));
        }
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit())
        && let Some(integer) = integer(scalar)
    {
        return Some(integer);
    }
    let letters = |letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.' | 'e' | 'E');
    if !scalar.chars().all(letters) {
        return None;
    }
    let float: f64 = scalar.parse().ok()?;
    float.is_finite().then(|| Val::from(float))
}

/// Whether a text may stand without quotes. Narrower than the rules of YAML, so that old readers agree as well: they
/// take `yes` for a boolean and `12:30` for a number.
pub(super) fn is_plain(scalar: &str) -> bool {
    const OLD_BOOLEANS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let first = |letter: char| letter.is_alphabetic() || letter == '_' || letter == '/';
    let rest = |letter: char| letter.is_alphanumeric() || " _-./@+()%".contains(letter);
    if !scalar.starts_with(first) || scalar.ends_with(' ') {
        return false;
    }
    let mut letters = scalar.chars().peekable();
    while let Some(letter) = letters.next() {
        // A colon is part of the text where something follows, as in a URL.
        let inner_colon = letter == ':' && letters.peek().is_some_and(|next| *next != ' ');
        if !rest(letter) && !inner_colon {
            return false;
        }
    }
    matches!(resolve(scalar), Val::TStr(_)) && !OLD_BOOLEANS.iter().any(|word| word.eq_ignore_ascii_case(scalar))
}

/// Whether a text of several lines reads well, and is unchanged, as a literal block.
pub(super) fn is_literal(scalar: &str) -> bool {
    let odd = |letter: char| {
        (letter.is_control() && letter != '\n')
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let blank = |line: &str| !line.is_empty() && line.trim().is_empty();
    scalar.trim_end_matches('\n').contains('\n')
        && !scalar.starts_with([' ', '\n'])
        && !scalar.ends_with("\n\n")
        && !scalar.contains(odd)
        && !scalar.split('\n').any(blank)
}
