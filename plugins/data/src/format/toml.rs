//! TOML.

use ::toml::{Table, Value};
use jaq_json::{Num, Val};

use super::line_and_column;
use crate::limits::MAX_OUTPUT;
use crate::value::{Number, as_text, kind, object, text};

/// A table. Dates and times become text, as TOML writes them.
pub(super) fn read(source: &str) -> Result<Val, String> {
    let table: Table = ::toml::from_str(source).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        match error.span() {
            Some(span) => {
                let (line, column) = line_and_column(source, span.start);
                format!("{message} at line {line} column {column}")
            }
            None => message,
        }
    })?;
    Ok(from_value(Value::Table(table)))
}

fn from_value(value: Value) -> Val {
    match value {
        Value::String(string) => text(string),
        Value::Integer(integer) => Val::Num(Num::from_integral(integer)),
        Value::Float(float) => Val::from(float),
        Value::Boolean(boolean) => Val::Bool(boolean),
        Value::Datetime(time) => text(time.to_string()),
        Value::Array(items) => items.into_iter().map(from_value).collect(),
        Value::Table(table) => object(table.into_iter().map(|(key, member)| (key, from_value(member)))),
    }
}

pub(super) fn write(value: &Val) -> Result<String, String> {
    if !matches!(value, Val::Obj(_)) {
        return Err("a TOML document is a table; put it into an object under a key".to_owned());
    }
    let table = to_value(value, &mut Vec::new())?;
    let output = ::toml::to_string(&table).map_err(|error| error.to_string())?;
    if output.len() > MAX_OUTPUT {
        return Err(format!("it is longer than {MAX_OUTPUT} bytes"));
    }
    Ok(output)
}

fn to_value(value: &Val, path: &mut Vec<String>) -> Result<Value, String> {
    Ok(match value {
        Val::Null => return Err(format!("TOML has no null, and {} is null; leave it out", shown(path))),
        Val::Bool(boolean) => Value::Boolean(*boolean),
        Val::Num(number) => match Number::of(number) {
            Number::Float(float) => Value::Float(float),
            Number::Integer(integer) => Value::Integer(i64::try_from(integer).map_err(|_| {
                format!("the integers of TOML have 64 bits, and {} is {integer}; make it a text", shown(path))
            })?),
        },
        Val::TStr(_) | Val::BStr(_) => Value::String(as_text(value).unwrap_or_default().into_owned()),
        Val::Arr(items) => {
            let items = items.iter().enumerate().map(|(at, item)| inside(at.to_string(), item, path));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Val::Obj(members) => {
            let mut table = Table::new();
            for (key, member) in members.iter() {
                let key = as_text(key).unwrap_or_else(|| kind(key).into()).into_owned();
                table.insert(key.clone(), inside(key, member, path)?);
            }
            Value::Table(table)
        }
    })
}

fn inside(step: String, value: &Val, path: &mut Vec<String>) -> Result<Value, String> {
    path.push(step);
    let value = to_value(value, path)?;
    path.pop();
    Ok(value)
}

fn shown(path: &[String]) -> String {
    format!("`{}`", path.join("."))
}
