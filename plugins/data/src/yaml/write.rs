//! Values as block YAML, which every reader of YAML 1.1 and 1.2 takes for the same.

use jaq_json::{Num, Val};
use toolcrib_sdk::ToolError;

use super::scalar;
use crate::json::{self, text_of};
use crate::limits::{Sink, check_depth};

/// Words that some version of YAML takes for something else than text.
const RESERVED: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];

/// Writes a document.
pub(crate) fn write(value: &Val) -> Result<String, ToolError> {
    let mut sink = Sink::default();
    match value {
        Val::Arr(_) | Val::Obj(_) if !is_empty(value) => block(&mut sink, value, 0)?,
        scalar => {
            inline(&mut sink, scalar, 0)?;
            sink.push("\n")?;
        }
    }
    Ok(sink.finish())
}

/// The lines of a collection that has something in it, each at the indentation of its depth.
fn block(sink: &mut Sink, value: &Val, depth: usize) -> Result<(), ToolError> {
    check_depth(depth)?;
    match value {
        Val::Arr(items) => {
            for item in items.iter() {
                sink.indent(depth * 2)?;
                sink.push("-")?;
                after(sink, item, depth)?;
            }
        }
        Val::Obj(members) => {
            for (key, item) in members.iter() {
                sink.indent(depth * 2)?;
                sink.push(&quoted_where_needed(&text_of(key)?))?;
                sink.push(":")?;
                after(sink, item, depth)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What follows a dash or a colon: a scalar on the same line, a collection on the next.
fn after(sink: &mut Sink, value: &Val, depth: usize) -> Result<(), ToolError> {
    if matches!(value, Val::Arr(_) | Val::Obj(_)) && !is_empty(value) {
        sink.push("\n")?;
        return block(sink, value, depth + 1);
    }
    sink.push(" ")?;
    inline(sink, value, depth + 1)?;
    sink.push("\n")
}

fn inline(sink: &mut Sink, value: &Val, depth: usize) -> Result<(), ToolError> {
    match value {
        Val::Num(Num::Float(float)) if float.is_nan() => sink.push(".nan"),
        Val::Num(Num::Float(float)) if float.is_infinite() => sink.push(if *float > 0.0 { ".inf" } else { "-.inf" }),
        Val::TStr(_) | Val::BStr(_) => {
            let text = text_of(value)?;
            if is_lines(&text) {
                return lines(sink, &text, depth);
            }
            sink.push(&quoted_where_needed(&text))
        }
        other => sink.push(&json::write(other)?),
    }
}

fn is_empty(value: &Val) -> bool {
    match value {
        Val::Arr(items) => items.is_empty(),
        Val::Obj(members) => members.is_empty(),
        _ => true,
    }
}

/// Whether the text reads well, and back, as a literal block: several lines, the first of which has no space in front.
fn is_lines(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\n', '\t'])
        && !body.ends_with('\n')
        && body.chars().all(|letter| letter == '\n' || is_printable(letter))
}

fn lines(sink: &mut Sink, text: &str, depth: usize) -> Result<(), ToolError> {
    sink.push(if text.ends_with('\n') { "|" } else { "|-" })?;
    for line in text.lines() {
        sink.push("\n")?;
        if !line.is_empty() {
            sink.indent(depth.max(1) * 2)?;
            sink.push(line)?;
        }
    }
    Ok(())
}

fn is_printable(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// Text as it is where nobody can take it for anything else; otherwise in quotes, with the escapes of JSON.
fn quoted_where_needed(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    for letter in json::quoted(text).chars() {
        if is_printable(letter) {
            quoted.push(letter);
        } else {
            // JSON leaves these as they are, YAML does not take them.
            quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
        }
    }
    quoted
}

fn is_plain(text: &str) -> bool {
    let first = |letter: char| letter.is_alphabetic() || matches!(letter, '_' | '/' | '$');
    let rest = |letter: char| letter.is_alphanumeric() || " _-./$@+()".contains(letter);
    text.starts_with(first)
        && !text.ends_with(' ')
        && text.chars().all(rest)
        && !RESERVED.contains(&text.to_lowercase().as_str())
        && scalar::number(text).is_none()
}
