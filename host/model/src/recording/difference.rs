//! Requests in a form that can be compared, and where two differ.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::Request;
use crate::files::quoted;

/// A request by its content: equal requests have equal ones.
pub(super) type Digest = [u8; 32];

/// A request as JSON, with its digest.
#[derive(Debug)]
pub(super) struct Canonical {
    pub(super) value: Value,
    pub(super) digest: Digest,
}

impl Canonical {
    pub(super) fn of(request: &Request) -> Result<Self, serde_json::Error> {
        let value = serde_json::to_value(request)?;
        let mut text = String::new();
        write(&value, &mut text);
        Ok(Self { digest: Sha256::digest(text).into(), value })
    }
}

/// Writes `value` with its keys in order and without white space.
fn write(value: &Value, to: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            to.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                to.push_str(&Value::from(key.as_str()).to_string());
                to.push(':');
                write(value, to);
            }
            to.push('}');
        }
        Value::Array(items) => {
            to.push('[');
            for (index, value) in items.iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                write(value, to);
            }
            to.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => to.push_str(&value.to_string()),
    }
}

/// In how many places two values differ; a part that one of them lacks counts with all that it holds.
pub(super) fn distance(left: &Value, right: &Value) -> usize {
    let children = children(left, right);
    match children {
        Some(children) => children.into_iter().map(|(_, left, right)| of_pair(left, right)).sum(),
        None => usize::from(left != right),
    }
}

fn of_pair(left: Option<&Value>, right: Option<&Value>) -> usize {
    match (left, right) {
        (Some(left), Some(right)) => distance(left, right),
        (Some(only), None) | (None, Some(only)) => size(only),
        (None, None) => 0,
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(size).sum::<usize>().max(1),
        Value::Array(items) => items.iter().map(size).sum::<usize>().max(1),
        _ => 1,
    }
}

/// The first place in which two values differ, and both sides of it.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    /// A JSON pointer.
    pub(super) pointer: String,
    /// What was recorded there.
    pub(super) recorded: String,
    /// What came.
    pub(super) came: String,
}

/// The first difference, with keys in order.
pub(super) fn first(recorded: &Value, came: &Value) -> Option<Difference> {
    let mut pointer = String::new();
    let (recorded, came) = descend(Some(recorded), Some(came), &mut pointer)?;
    let (recorded, came) = match (recorded, came) {
        (Some(Value::String(left)), Some(Value::String(right))) => around(left, right),
        (left, right) => (shown(left), shown(right)),
    };
    Some(Difference { pointer, recorded, came })
}

type Sides<'a> = (Option<&'a Value>, Option<&'a Value>);

fn descend<'a>(left: Option<&'a Value>, right: Option<&'a Value>, pointer: &mut String) -> Option<Sides<'a>> {
    let children = match (left, right) {
        (Some(left), Some(right)) => children(left, right),
        _ => None,
    };
    let Some(children) = children else {
        return (left != right).then_some((left, right));
    };
    for (key, left, right) in children {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        if let Some(found) = descend(left, right, pointer) {
            return Some(found);
        }
        pointer.truncate(length);
    }
    None
}

type Child<'a> = (String, Option<&'a Value>, Option<&'a Value>);

/// The children of two objects or of two arrays, side by side.
fn children<'a>(left: &'a Value, right: &'a Value) -> Option<Vec<Child<'a>>> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            Some(keys.into_iter().map(|key| (key.clone(), left.get(key), right.get(key))).collect())
        }
        (Value::Array(left), Value::Array(right)) => {
            let count = left.len().max(right.len());
            Some((0..count).map(|index| (index.to_string(), left.get(index), right.get(index))).collect())
        }
        _ => None,
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => quoted(text),
        Some(other) => {
            let text = other.to_string();
            let begin: String = text.chars().take(80).collect();
            if begin.len() < text.len() { format!("{begin}…") } else { begin }
        }
    }
}

/// Two texts from shortly before where they part.
fn around(left: &str, right: &str) -> (String, String) {
    /// How much of what is the same is shown.
    const BEFORE: usize = 16;
    let same = left.chars().zip(right.chars()).take_while(|(a, b)| a == b).count();
    let skip = same.saturating_sub(BEFORE);
    let from = |text: &str| {
        let rest: String = text.chars().skip(skip).collect();
        quoted(&if skip > 0 { format!("…{rest}") } else { rest })
    };
    (from(left), from(right))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_has_a_pointer_and_both_sides() {
        let recorded = json!({ "b": [1, { "x/y~": "a long text that is the same, and then red" }], "c": 1 });
        let came = json!({ "b": [1, { "x/y~": "a long text that is the same, and then blue" }], "c": 2 });
        let difference = first(&recorded, &came).unwrap();
        assert_eq!(difference.pointer, "/b/1/x~1y~0");
        assert_eq!(came.pointer(&difference.pointer).unwrap(), "a long text that is the same, and then blue");
        assert_eq!(difference.recorded, "\"… same, and then red\"");
        assert_eq!(difference.came, "\"… same, and then blue\"");
        assert_eq!(distance(&recorded, &came), 2);
    }

    #[test]
    fn what_one_side_lacks_counts_with_all_that_it_holds() {
        let (short, long) = (json!([1]), json!([1, { "a": 1, "b": [2, 3] }]));
        assert_eq!((distance(&short, &long), distance(&long, &short)), (3, 3));
        let difference = first(&short, &long).unwrap();
        assert_eq!((difference.pointer.as_str(), difference.recorded.as_str()), ("/1", "nothing"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c~/]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
            ]
        })
    }

    proptest! {
        #[test]
        fn two_values_differ_somewhere_or_are_equal(left in any_json(), right in any_json()) {
            let difference = first(&left, &right);
            prop_assert_eq!(difference.is_none(), left == right);
            prop_assert_eq!(distance(&left, &right) == 0, left == right);
            if let Some(Difference { pointer, .. }) = difference {
                prop_assert_ne!(left.pointer(&pointer), right.pointer(&pointer));
            }
        }

        #[test]
        fn a_request_that_was_written_and_read_has_the_same_digest(
            schema in any_json(), system in proptest::option::of("\\PC{0,20}"), temperature in proptest::option::of(0_f32..2.0)
        ) {
            let request = Request { system, temperature, response_schema: Some(schema), ..Request::default() };
            let text = serde_json::to_string(&request).unwrap();
            let read: Request = serde_json::from_str(&text).unwrap();
            let (written, read) = (Canonical::of(&request).unwrap(), Canonical::of(&read).unwrap());
            // `null` and nothing are one to a reader.
            if request.response_schema != Some(Value::Null) {
                prop_assert_eq!(written.digest, read.digest);
            }
            prop_assert_eq!(first(&written.value, &read.value).is_some(), written.digest != read.digest);
        }
    }
}
