//! One place at which a plugin is not what it was.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// The most places that are named for one plugin: whoever changes more has written another plugin.
const PLACES_MAX: usize = 200;

/// One place that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The place, such as `tool read: arguments/properties/path/description`.
    pub at: String,
    /// What was there; nothing where the place is new.
    pub was: Option<String>,
    /// What is there; nothing where the place is gone.
    pub is: Option<String>,
}

pub(super) fn compare_texts(found: &mut Vec<Difference>, at: &str, was: Option<&str>, is: Option<&str>) {
    if was != is && found.len() < PLACES_MAX {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        found.push(Difference { at: at.to_owned(), was: owned(was), is: owned(is) });
    }
}

/// Walks both values side by side. Schemas are bounded in size and depth where plugins come in.
pub(super) fn compare_values(found: &mut Vec<Difference>, at: &str, was: Option<&Value>, is: Option<&Value>) {
    match (was, is) {
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            for key in keys {
                compare_values(found, &format!("{at}/{key}"), was.get(key), is.get(key));
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) if was.len() == is.len() => {
            for (nth, (was, is)) in was.iter().zip(is).enumerate() {
                compare_values(found, &format!("{at}/{nth}"), Some(was), Some(is));
            }
        }
        (was, is) if was != is => {
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            compare_texts(found, at, text(was).as_deref(), text(is).as_deref());
        }
        _ => {}
    }
}
