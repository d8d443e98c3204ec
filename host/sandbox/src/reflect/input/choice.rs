//! Types of which a value is one alternative: variants, results, options and flags.

use serde_json::Value;
use wasmtime::component::Val;

use super::{Reader, boolean};
use crate::reflect::error::ValueError;
use crate::reflect::shape::{Case, OptionShape, ResultShape, Shape};
use crate::reflect::text::find_name;

impl Reader {
    pub(super) fn variant(&mut self, shape: &Shape, cases: &[Case], value: &Value) -> Result<Val, ValueError> {
        let chosen = choose(value, |name| find_name(cases.iter().map(|case| &*case.name), name));
        let Some((index, payload)) = chosen else {
            return Err(ValueError::mismatch(shape, value));
        };
        let case = &cases[index];
        let payload = self.payload(shape, case.payload.as_ref(), payload, value, &case.name)?;
        Ok(Val::Variant(self.name(&case.name)?, payload))
    }

    pub(super) fn result(&mut self, shape: &Shape, result: &ResultShape, value: &Value) -> Result<Val, ValueError> {
        let chosen = choose(value, |name| match () {
            () if name.eq_ignore_ascii_case("ok") => Some(0),
            () if name.eq_ignore_ascii_case("err") || name.eq_ignore_ascii_case("error") => Some(1),
            () => None,
        });
        match chosen {
            Some((0, payload)) => Ok(Val::Result(Ok(self.payload(shape, result.ok.as_ref(), payload, value, "ok")?))),
            Some((_, payload)) => {
                Ok(Val::Result(Err(self.payload(shape, result.err.as_ref(), payload, value, "err")?)))
            }
            None => Err(ValueError::mismatch(shape, value)),
        }
    }

    fn payload(
        &mut self,
        outer: &Shape,
        shape: Option<&Shape>,
        payload: Option<&Value>,
        whole: &Value,
        case: &str,
    ) -> Result<Option<Box<Val>>, ValueError> {
        match (shape, payload) {
            (Some(shape), Some(payload)) => self.boxed(shape, payload).map(Some).map_err(|error| error.in_key(case)),
            (Some(shape), None) if shape.is_optional() => Ok(Some(Box::new(Val::Option(None)))),
            (Some(_), None) => Err(ValueError::mismatch(outer, whole)),
            (None, None | Some(Value::Null | Value::Bool(true))) => Ok(None),
            (None, Some(Value::Object(object))) if object.is_empty() => Ok(None),
            (None, Some(payload)) => Err(ValueError::expected("null, since there is no payload", payload).in_key(case)),
        }
    }

    /// `null`, the value itself, or `{"some": …}` where that is needed or can mean nothing else.
    pub(super) fn option(&mut self, option: &OptionShape, value: &Value) -> Result<Val, ValueError> {
        if value.is_null() {
            return Ok(Val::Option(None));
        }
        let tagged = match value {
            Value::Object(object) if option.tag_is_free && object.len() == 1 => object.get("some"),
            _ => None,
        };
        let inner = match tagged {
            Some(inner) => self.boxed(&option.inner, inner).map_err(|error| error.in_key("some"))?,
            None => self.boxed(&option.inner, value)?,
        };
        Ok(Val::Option(Some(inner)))
    }

    /// An array of names, one name, or an object of booleans. The order is the type's own.
    pub(super) fn flags(&mut self, shape: &Shape, names: &[Box<str>], value: &Value) -> Result<Val, ValueError> {
        let mut set = vec![false; names.len()];
        let find = |name: &str| find_name(names.iter().map(|name| &**name), name);
        let one = |item: &Value| item.as_str().and_then(find).ok_or_else(|| ValueError::mismatch(shape, item));
        match value {
            Value::String(_) => set[one(value)?] = true,
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    set[one(item).map_err(|error| error.in_index(index))?] = true;
                }
            }
            Value::Object(object) => {
                for (name, on) in object {
                    let index = find(name).ok_or_else(|| ValueError::mismatch(shape, value))?;
                    let Some(Val::Bool(on)) = boolean(on) else {
                        return Err(ValueError::mismatch(&Shape::Bool, on).in_key(name));
                    };
                    set[index] = on;
                }
            }
            _ => return Err(ValueError::mismatch(shape, value)),
        }
        let mut flags = Vec::new();
        for (name, _) in names.iter().zip(set).filter(|(_, on)| *on) {
            self.spend(size_of::<String>())?;
            flags.push(self.name(name)?);
        }
        Ok(Val::Flags(flags))
    }
}

/// The case that a value names, and its payload: `"case"`, `{"case": payload}`, or the `{"tag": …, "val": …}` and
/// `{"case": …, "value": …}` of other hosts.
fn choose(value: &Value, find: impl Fn(&str) -> Option<usize>) -> Option<(usize, Option<&Value>)> {
    let object = match value {
        Value::String(name) => return Some((find(name)?, None)),
        Value::Object(object) => object,
        _ => return None,
    };
    if object.len() == 1 {
        let (name, payload) = object.iter().next()?;
        if let Some(index) = find(name) {
            return Some((index, Some(payload)));
        }
    }
    let name = object.get("tag").or_else(|| object.get("case"))?.as_str()?;
    let payload = object.get("val").or_else(|| object.get("value"));
    (object.len() == 1 + usize::from(payload.is_some())).then_some((find(name)?, payload))
}
