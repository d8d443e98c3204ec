//! Values with expressions in them: finding these, and putting values in their place.

use serde_json::{Map, Value};

use super::{Read, RefError, Scope, Source, as_text};
use crate::StepName;

/// Marks a value as data in which nothing is a reference.
pub fn literal(value: Value) -> Value {
    let mut map = Map::new();
    map.insert("$literal".to_owned(), value);
    Value::Object(map)
}

/// Marks a value as data where any of it could be mistaken for a reference, whatever names there are, and leaves it alone
/// otherwise.
pub fn escape(value: Value) -> Value {
    if has_marker(&value) { literal(value) } else { value }
}

fn has_marker(value: &Value) -> bool {
    match value {
        Value::Object(map) => marker(map).is_some() || map.values().any(has_marker),
        Value::Array(items) => items.iter().any(has_marker),
        Value::String(text) => text.contains("{{"),
        _ => false,
    }
}

/// Whatever `arguments` read of steps and variables. `names` are the names that expressions may speak of.
///
/// # Errors
///
/// The first expression that cannot be read.
pub fn reads(arguments: &Value, names: &[&str]) -> Result<Vec<Read>, RefError> {
    let mut found = Vec::new();
    walk(arguments, names, &mut String::new(), &mut |_, source| {
        found.extend(source.reads());
        Ok(Value::Null)
    })?;
    Ok(found)
}

/// Shows each expression in `arguments` with the JSON pointer of the place that it stands in.
///
/// # Errors
///
/// The first expression that cannot be read.
pub fn each_source(arguments: &Value, names: &[&str], visit: &mut dyn FnMut(&str, &Source)) -> Result<(), RefError> {
    walk(arguments, names, &mut String::new(), &mut |at, source| {
        visit(at, source);
        Ok(Value::Null)
    })
    .map(drop)
}

/// The arguments with null in the place of each reference, and the JSON pointers of these places.
///
/// # Errors
///
/// A reference that cannot be read.
pub fn skeleton(arguments: &Value, names: &[&str]) -> Result<(Value, Vec<String>), RefError> {
    let mut places = Vec::new();
    let value = walk(arguments, names, &mut String::new(), &mut |at, _| {
        places.push(at.to_owned());
        Ok(Value::Null)
    })?;
    Ok((value, places))
}

/// The arguments with each reference replaced by its value, and the steps that they came from.
///
/// # Errors
///
/// A reference that cannot be read, or that leads nowhere.
pub fn resolve(arguments: &Value, names: &[&str], scope: &dyn Scope) -> Result<(Value, Vec<StepName>), RefError> {
    let mut sources = Vec::new();
    let value = walk(arguments, names, &mut String::new(), &mut |_, source| {
        for read in source.reads() {
            let from = match &read {
                Read::Step { name, .. } => scope.origin(name).into_iter().collect(),
                Read::Variable(name) => scope.sources(name),
            };
            from.into_iter().for_each(|step| {
                if !sources.contains(&step) {
                    sources.push(step);
                }
            });
        }
        source.evaluate(scope)
    })?;
    Ok((value, sources))
}

type Visit<'f> = &'f mut dyn FnMut(&str, &Source) -> Result<Value, RefError>;

fn walk(value: &Value, names: &[&str], at: &mut String, visit: Visit<'_>) -> Result<Value, RefError> {
    match value {
        Value::Object(map) => match marker(map) {
            Some(("$ref", Value::String(text))) => visit(at, &Source::parse(text, names)?),
            Some(("$literal", inner)) => Ok(inner.clone()),
            _ => {
                let mut new = Map::new();
                for (key, item) in map {
                    let item =
                        below(at, &key.replace('~', "~0").replace('/', "~1"), |at| walk(item, names, at, visit))?;
                    new.insert(key.clone(), item);
                }
                Ok(Value::Object(new))
            }
        },
        Value::Array(items) => {
            let new: Result<_, _> = items
                .iter()
                .enumerate()
                .map(|(n, item)| below(at, &n.to_string(), |at| walk(item, names, at, visit)))
                .collect();
            Ok(Value::Array(new?))
        }
        Value::String(text) => template(text, names, at, visit),
        other => Ok(other.clone()),
    }
}

fn below<T>(at: &mut String, key: &str, inner: impl FnOnce(&mut String) -> T) -> T {
    let length = at.len();
    at.push('/');
    at.push_str(key);
    let out = inner(at);
    at.truncate(length);
    out
}

fn marker(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    let known = (key == "$ref" && value.is_string()) || key == "$literal";
    known.then_some((key.as_str(), value))
}

fn template(text: &str, names: &[&str], at: &str, visit: Visit<'_>) -> Result<Value, RefError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let inside = &rest[start + 2..];
        let end = inside.find("}}").filter(|end| Source::is_meant(&inside[..*end], names));
        let Some(end) = end else {
            out.push_str(&rest[..start + 2]);
            rest = inside;
            continue;
        };
        let value = visit(at, &Source::parse(&inside[..end], names)?)?;
        let after = &inside[end + 2..];
        if start == 0 && after.is_empty() && out.is_empty() {
            return Ok(value);
        }
        out.push_str(&rest[..start]);
        out.push_str(&as_text(&value));
        rest = after;
    }
    out.push_str(rest);
    Ok(Value::String(out))
}
