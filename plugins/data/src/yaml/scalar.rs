//! What a plain scalar means: the core schema of YAML 1.2.

use jaq_json::{Num, Val};

use crate::json;

/// The value of a scalar without quotes and without a tag.
pub(super) fn resolve(text: &str) -> Val {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Val::Null,
        "true" | "True" | "TRUE" => Val::Bool(true),
        "false" | "False" | "FALSE" => Val::Bool(false),
        text => match number(text) {
            Some(number) => Val::Num(number),
            None => Val::from(text.to_owned()),
        },
    }
}

/// The number that the text is, if it is one.
pub(super) fn number(text: &str) -> Option<Num> {
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8);
    }
    if let Some(number) = json::parse_number(text) {
        return Some(number);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            return Some(Num::Float(sign * f64::INFINITY));
        }
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(Num::Float(f64::NAN)),
        _ => {}
    }
    let mut letters = unsigned.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_digit() || first == '.');
    let digits = unsigned.chars().any(|letter| letter.is_ascii_digit());
    let fits = unsigned.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E' | '+' | '-'));
    if !begins || !digits || !fits {
        return None;
    }
    // `+12` and `012` are whole as well.
    if unsigned.chars().all(|letter| letter.is_ascii_digit()) {
        return Num::from_str_radix(text.strip_prefix('+').unwrap_or(text), 10);
    }
    text.parse().ok().map(Num::Float)
}

fn based(digits: &str, radix: u32) -> Option<Num> {
    let fits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    if !fits {
        return None;
    }
    Num::from_str_radix(digits, radix)
}
