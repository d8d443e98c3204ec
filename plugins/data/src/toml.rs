//! TOML in and out.

use jaq_json::{Map, Num, Val};
use toml::Value;
use toolcrib_sdk::ToolError;

use crate::format::place;
use crate::json::{self, text_of};
use crate::limits::{Sink, check_depth};

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Val, ToolError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = place(text, at);
        ToolError::invalid_arguments(format!("not TOML: {} at line {line} column {column}", error.message().trim()))
    })?;
    Ok(from_toml(Value::Table(table)))
}

/// Dates and times have no place in JSON and become text.
fn from_toml(value: Value) -> Val {
    match value {
        Value::String(text) => Val::from(text),
        Value::Integer(number) => Val::Num(Num::from_integral(number)),
        Value::Float(number) => Val::from(number),
        Value::Boolean(truth) => Val::from(truth),
        Value::Datetime(time) => Val::from(time.to_string()),
        Value::Array(items) => items.into_iter().map(from_toml).collect(),
        Value::Table(members) => {
            let members = members.into_iter();
            Val::obj(members.map(|(key, value)| (Val::from(key), from_toml(value))).collect())
        }
    }
}

/// Writes a document, which is an object.
pub(crate) fn write(value: &Val) -> Result<String, ToolError> {
    let Val::Obj(members) = value else {
        let message = "TOML takes an object; put the data into one, such as `{items: .}`";
        return Err(ToolError::invalid_arguments(message));
    };
    let mut sink = Sink::default();
    table(&mut sink, members, &mut Vec::new())?;
    Ok(sink.finish())
}

/// The values of a table first, then the tables in it: what follows a header belongs to it.
fn table(sink: &mut Sink, members: &Map, path: &mut Vec<String>) -> Result<(), ToolError> {
    check_depth(path.len())?;
    for (name, value) in members {
        if !is_table(value) && !is_tables(value) {
            let name = text_of(name)?;
            sink.push(&key(&name))?;
            sink.push(" = ")?;
            path.push(name);
            inline(sink, value, path)?;
            path.pop();
            sink.push("\n")?;
        }
    }
    for (name, value) in members {
        path.push(text_of(name)?);
        match value {
            Val::Obj(inner) => {
                // A table that holds only tables needs no header of its own.
                if inner.is_empty() || inner.values().any(|value| !is_table(value)) {
                    header(sink, path, "[", "]")?;
                }
                table(sink, inner, path)?;
            }
            Val::Arr(items) if is_tables(value) => {
                for item in items.iter() {
                    if let Val::Obj(inner) = item {
                        header(sink, path, "[[", "]]")?;
                        table(sink, inner, path)?;
                    }
                }
            }
            _ => {}
        }
        path.pop();
    }
    Ok(())
}

fn header(sink: &mut Sink, path: &[String], open: &str, close: &str) -> Result<(), ToolError> {
    if !sink.is_empty() {
        sink.push("\n")?;
    }
    sink.push(open)?;
    for (at, name) in path.iter().enumerate() {
        if at > 0 {
            sink.push(".")?;
        }
        sink.push(&key(name))?;
    }
    sink.push(close)?;
    sink.push("\n")
}

/// A value on the right of an equals sign.
fn inline(sink: &mut Sink, value: &Val, path: &mut Vec<String>) -> Result<(), ToolError> {
    check_depth(path.len())?;
    match value {
        Val::Null => Err(ToolError::invalid_arguments(format!(
            "TOML has no null, which stands at `{}`; leave it out, as with `del(..|nulls)`",
            path.join(".")
        ))),
        Val::Bool(truth) => sink.push(if *truth { "true" } else { "false" }),
        Val::Num(number) => sink.push(&self::number(number, path)?),
        Val::TStr(_) | Val::BStr(_) => sink.push(&quoted(&text_of(value)?)),
        Val::Arr(items) => {
            sink.push("[")?;
            for (at, item) in items.iter().enumerate() {
                sink.push(if at > 0 { ", " } else { "" })?;
                path.push(at.to_string());
                inline(sink, item, path)?;
                path.pop();
            }
            sink.push("]")
        }
        Val::Obj(members) => {
            sink.push("{ ")?;
            for (at, (name, item)) in members.iter().enumerate() {
                let name = text_of(name)?;
                sink.push(if at > 0 { ", " } else { "" })?;
                sink.push(&key(&name))?;
                sink.push(" = ")?;
                path.push(name);
                inline(sink, item, path)?;
                path.pop();
            }
            sink.push(if members.is_empty() { "}" } else { " }" })
        }
    }
}

fn number(number: &Num, path: &[String]) -> Result<String, ToolError> {
    match number {
        Num::Float(float) if float.is_nan() => return Ok("nan".to_owned()),
        Num::Float(float) if float.is_infinite() => {
            return Ok(if *float > 0.0 { "inf" } else { "-inf" }.to_owned());
        }
        _ => {}
    }
    let text = json::number(number);
    let whole = !text.contains(['.', 'e', 'E']);
    if whole && text.parse::<i64>().is_err() {
        return Err(ToolError::invalid_arguments(format!(
            "the number {text} at `{}` is too big for TOML, which has 64 bits",
            path.join(".")
        )));
    }
    Ok(text)
}

fn is_table(value: &Val) -> bool {
    matches!(value, Val::Obj(_))
}

fn is_tables(value: &Val) -> bool {
    matches!(value, Val::Arr(items) if !items.is_empty() && items.iter().all(is_table))
}

fn key(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    quoted(name)
}

/// The escapes of JSON are those of TOML, which also wants one for delete.
fn quoted(text: &str) -> String {
    json::quoted(text).replace('\u{7f}', "\\u007f")
}
