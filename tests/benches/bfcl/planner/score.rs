//! Whether calls are right, by the rules of BFCL's AST checker: the right functions the right number of times; every
//! argument has one of the values that the answer lists; what is absent may be absent only where the list holds `""`.
//!
//! Texts are compared without case, spaces and `,./-_*^`. An integer is as good as a float where the schema says `float`;
//! JSON does not tell them apart, so this holds inside lists as well.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::data::{Case, Function};

/// Whether the calls are those of the answer, in any order.
pub(crate) fn is_right(case: &Case, calls: &[(String, Value)]) -> bool {
    if calls.len() != case.truth.len() {
        return false;
    }
    let mut left: Vec<&(String, Value)> = calls.iter().collect();
    case.truth.iter().all(|(name, wanted)| {
        let Some(function) = case.functions.iter().find(|function| function.name == *name) else { return false };
        let fits = |(called, arguments): &&(String, Value)| called == name && call_fits(function, wanted, arguments);
        let found = left.iter().position(fits);
        found.map(|at| left.remove(at)).is_some()
    })
}

/// Whether the right functions were called as often as the answer does, whatever the arguments.
pub(crate) fn has_the_functions(case: &Case, calls: &[(String, Value)]) -> bool {
    let count = |names: &mut dyn Iterator<Item = &String>| {
        names.fold(BTreeMap::<String, usize>::new(), |mut counts, name| {
            *counts.entry(name.clone()).or_default() += 1;
            counts
        })
    };
    count(&mut case.truth.iter().map(|(name, _)| name)) == count(&mut calls.iter().map(|(name, _)| name))
}

fn call_fits(function: &Function, wanted: &Map<String, Value>, arguments: &Value) -> bool {
    let (Some(arguments), Some(properties)) = (arguments.as_object(), function.parameters["properties"].as_object())
    else {
        return false;
    };
    let required = function.parameters["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let complete = required.into_iter().all(|name| arguments.contains_key(name));
    let absent_allowed = |name: &String| wanted[name].as_array().is_some_and(|list| list.iter().any(is_absence));
    complete
        && wanted.keys().all(|name| arguments.contains_key(name) || absent_allowed(name))
        && arguments.iter().all(|(name, value)| {
            let (Some(form), Some(list)) = (properties.get(name), wanted.get(name).and_then(Value::as_array)) else {
                return false;
            };
            value_fits(form, value, list)
        })
}

fn value_fits(form: &Value, value: &Value, list: &[Value]) -> bool {
    let kind = form["type"].as_str().unwrap_or("any");
    let value = as_python(form, value);
    let own = kind_of(&value);
    let expected = match kind {
        "any" => "string",
        "tuple" => "array",
        kind => kind,
    };
    let listed = list.iter().find(|value| !is_absence(value)).map(kind_of);
    // A value of another type counts where the answer itself has that type: it is a variable, and compared as it stands.
    if own != expected || listed.is_some_and(|listed| listed != expected) {
        return (own == expected || listed == Some(own)) && list.iter().any(|option| same(option, &value, false));
    }
    let nested = form["items"]["type"].as_str();
    match &value {
        Value::Object(fields) => list.iter().filter_map(Value::as_object).any(|option| object_fits(fields, option)),
        Value::Array(items) if nested == Some("dict") => {
            list.iter().filter_map(Value::as_array).any(|option| objects_fit(items, option))
        }
        value => list.iter().any(|option| same(option, value, true)),
    }
}

fn objects_fit(items: &[Value], options: &[Value]) -> bool {
    items.len() == options.len()
        && items.iter().zip(options).all(|(item, option)| match (item.as_object(), option.as_object()) {
            (Some(fields), Some(option)) => object_fits(fields, option),
            _ => false,
        })
}

/// An object whose fields each have one of the listed values.
fn object_fits(fields: &Map<String, Value>, option: &Map<String, Value>) -> bool {
    let list = |name: &String| option.get(name).and_then(Value::as_array);
    fields.iter().all(|(name, value)| {
        list(name).is_some_and(|list| list.iter().any(|option| same(option, value, value.is_string())))
    }) && option
        .keys()
        .all(|name| fields.contains_key(name) || list(name).is_some_and(|list| list.iter().any(is_absence)))
}

/// What a list holds where the argument may be absent.
fn is_absence(value: &Value) -> bool {
    value.as_str() == Some("")
}

/// Integers become floats where the form says `float`, on every level.
fn as_python(form: &Value, value: &Value) -> Value {
    match value {
        Value::Number(number) if form["type"] == "float" => number.as_f64().map_or_else(|| value.clone(), Value::from),
        Value::Array(items) => items.iter().map(|item| as_python(&form["items"], item)).collect(),
        _ => value.clone(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "dict",
    }
}

/// Equality as Python has it: `1 == 1.0`, lists item by item; texts in their plain form where `plainly`.
fn same(one: &Value, two: &Value, plainly: bool) -> bool {
    match (one, two) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::String(a), Value::String(b)) if plainly => plain(a) == plain(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, plainly)),
        _ => one == two,
    }
}

fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !matches!(c, ' ' | ',' | '.' | '/' | '-' | '_' | '*' | '^'));
    kept.flat_map(char::to_lowercase).map(|c| if c == '\'' { '"' } else { c }).collect()
}
