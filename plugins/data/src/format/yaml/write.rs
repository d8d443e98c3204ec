//! From a value to YAML in block style.

use std::fmt::{self, Write};

use jaq_json::Val;

use super::scalar::{is_literal, is_plain};
use crate::limits::{Bounded, Excess};
use crate::value::{Number, as_text};

/// The longest key that stands before its colon, in bytes of its text: YAML allows 1024 characters, with all escapes.
const MAX_IMPLICIT_KEY: usize = 128;

pub(crate) fn write(value: &Val) -> Result<String, String> {
    let mut output = Bounded::default();
    // The text is the one thing that can fail to take what is written.
    root(&mut output, value).map_err(|_| Excess::Size.to_string())?;
    Ok(output.into_text())
}

fn root(out: &mut Bounded, value: &Val) -> fmt::Result {
    if is_block(value) {
        return block(out, value, 0, false);
    }
    scalar(out, value)?;
    out.write_char('\n')
}

fn is_block(value: &Val) -> bool {
    match value {
        Val::Arr(items) => !items.is_empty(),
        Val::Obj(members) => !members.is_empty(),
        _ => false,
    }
}

/// A collection with something in it. `continued`: its first line has begun, behind `- `.
fn block(out: &mut Bounded, value: &Val, level: usize, mut continued: bool) -> fmt::Result {
    let mut begin = |out: &mut Bounded| if std::mem::take(&mut continued) { Ok(()) } else { indent(out, level) };
    match value {
        Val::Arr(items) => {
            for item in items.iter() {
                begin(out)?;
                out.write_char('-')?;
                if is_block(item) {
                    out.write_char(' ')?;
                    block(out, item, level + 1, true)?;
                } else {
                    leaf(out, item, level + 1)?;
                }
            }
        }
        Val::Obj(members) => {
            for (key, member) in members.iter() {
                begin(out)?;
                write_key(out, &as_text(key).unwrap_or_default(), level)?;
                if is_block(member) {
                    out.write_char('\n')?;
                    block(out, member, level + 1, false)?;
                } else {
                    leaf(out, member, level + 1)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn indent(out: &mut Bounded, level: usize) -> fmt::Result {
    (0..level).try_for_each(|_| out.write_str("  "))
}

fn write_key(out: &mut Bounded, key: &str, level: usize) -> fmt::Result {
    if key.len() > MAX_IMPLICIT_KEY {
        out.write_str("? ")?;
        string(out, key)?;
        out.write_char('\n')?;
        indent(out, level)?;
    } else {
        string(out, key)?;
    }
    out.write_char(':')
}

/// What stands on the line of its key or dash, and a text of several lines below it.
fn leaf(out: &mut Bounded, value: &Val, level: usize) -> fmt::Result {
    if let Some(text) = as_text(value)
        && is_literal(&text)
    {
        return literal(out, &text, level);
    }
    out.write_char(' ')?;
    scalar(out, value)?;
    out.write_char('\n')
}

fn literal(out: &mut Bounded, text: &str, level: usize) -> fmt::Result {
    let (lines, header) = match text.strip_suffix('\n') {
        Some(lines) => (lines, " |\n"),
        None => (text, " |-\n"),
    };
    out.write_str(header)?;
    for line in lines.split('\n') {
        if !line.is_empty() {
            indent(out, level)?;
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn scalar(out: &mut Bounded, value: &Val) -> fmt::Result {
    match value {
        Val::Null => out.write_str("null"),
        Val::Bool(boolean) => write!(out, "{boolean}"),
        Val::Num(number) => match Number::of(number) {
            Number::Integer(integer) => write!(out, "{integer}"),
            Number::Float(float) if float.is_nan() => out.write_str(".nan"),
            Number::Float(float) if float.is_infinite() => out.write_str(if float > 0.0 { ".inf" } else { "-.inf" }),
            // Shortest, and with a point or an exponent.
            Number::Float(float) => write!(out, "{float:?}"),
        },
        Val::TStr(_) | Val::BStr(_) => string(out, &as_text(value).unwrap_or_default()),
        Val::Arr(_) => out.write_str("[]"),
        Val::Obj(_) => out.write_str("{}"),
    }
}

fn string(out: &mut Bounded, text: &str) -> fmt::Result {
    if is_plain(text) {
        return out.write_str(text);
    }
    out.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            // Invisible, or the end of a line to some readers.
            odd if odd.is_control()
                || matches!(odd, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                write!(out, "\\u{:04x}", u32::from(odd))?;
            }
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}
