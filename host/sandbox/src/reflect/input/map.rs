//! Maps: an object, or pairs where the caller wrote them so.

use serde_json::Value;
use wasmtime::component::Val;

use super::{Reader, boolean, only_char};
use crate::reflect::error::ValueError;
use crate::reflect::limits::cut;
use crate::reflect::number::{integer, integer_text};
use crate::reflect::shape::{MapKey, Shape};

impl Reader {
    /// An object, an array of pairs, or an array of `{"key": …, "value": …}`.
    pub(super) fn map(&mut self, shape: &Shape, key: MapKey, inner: &Shape, value: &Value) -> Result<Val, ValueError> {
        let mut pairs = Vec::new();
        match value {
            Value::Object(object) => {
                self.spend(object.len().saturating_mul(2 * size_of::<Val>()))?;
                pairs.reserve_exact(object.len());
                for (name, value) in object {
                    let key = self.key_text(key, name).ok_or_else(|| {
                        ValueError::expected(format!("{} as a key", shape.in_words()), &Value::from(cut(name, 64)))
                    })?;
                    pairs.push((key?, self.val(inner, value).map_err(|error| error.in_key(name))?));
                }
            }
            Value::Array(items) => {
                self.spend(items.len().saturating_mul(2 * size_of::<Val>()))?;
                pairs.reserve_exact(items.len());
                for (index, item) in items.iter().enumerate() {
                    let (name, value) = pair(item)
                        .ok_or_else(|| ValueError::expected("a pair of key and value", item).in_index(index))?;
                    let key = self.key(key, name).ok_or_else(|| ValueError::mismatch(shape, item).in_index(index))?;
                    pairs.push((key?, self.val(inner, value).map_err(|error| error.in_index(index))?));
                }
            }
            _ => return Err(ValueError::mismatch(shape, value)),
        }
        Ok(Val::Map(pairs))
    }

    fn key(&mut self, key: MapKey, value: &Value) -> Option<Result<Val, ValueError>> {
        match (key, value) {
            (_, Value::String(text)) => self.key_text(key, text),
            (MapKey::Int(int), value) => integer(value).and_then(|number| int.val(number)).map(Ok),
            (MapKey::Bool, value) => boolean(value).map(Ok),
            _ => None,
        }
    }

    fn key_text(&mut self, key: MapKey, text: &str) -> Option<Result<Val, ValueError>> {
        Some(Ok(match key {
            MapKey::Bool => Val::Bool(text.parse().ok()?),
            MapKey::Int(int) => int.val(integer_text(text)?)?,
            MapKey::Char => Val::Char(only_char(text)?),
            MapKey::String => return Some(self.name(text).map(Val::String)),
        }))
    }
}

fn pair(item: &Value) -> Option<(&Value, &Value)> {
    match item {
        Value::Array(pair) => match pair.as_slice() {
            [key, value] => Some((key, value)),
            _ => None,
        },
        Value::Object(object) if object.len() == 2 => Some((object.get("key")?, object.get("value")?)),
        _ => None,
    }
}
