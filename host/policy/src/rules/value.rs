//! Values during a call. Arguments are looked at where they are and never copied.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::number::Number;
use crate::label::Label;

#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// A list of the arguments.
    Given(&'a [Json]),
    /// A list that the condition made.
    Made(Rc<Vec<Value<'a>>>),
    Map(&'a Map<String, Json>),
    Labels,
    Label(Label),
    Run,
    /// A name outside a rule that has fields and no value of its own, such as `steps`.
    Space(&'a str),
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(Number::of_json(number)),
            Json::String(text) => Value::Text(Cow::Borrowed(text)),
            Json::Array(items) => Value::Given(items),
            Json::Object(fields) => Value::Map(fields),
        }
    }
}

impl<'a> Value<'a> {
    /// A text that is there already.
    pub(crate) fn text(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }

    /// What the value is, for messages: never the value itself, which can be somebody's secret.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::Given(_) | Value::Made(_) => "a list",
            Value::Map(_) | Value::Labels | Value::Label(_) | Value::Run | Value::Space(_) => "a map",
        }
    }

    /// How many items a list has; none where the value is no list.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Value::Given(items) => Some(items.len()),
            Value::Made(items) => Some(items.len()),
            _ => None,
        }
    }

    /// An item of a list.
    pub(crate) fn item(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Value::Given(items) => items.get(index).map(Value::from),
            Value::Made(items) => items.get(index).cloned(),
            _ => None,
        }
    }
}
