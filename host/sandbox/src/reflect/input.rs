//! JSON to component values: lenient in what a model or a person may write, exact in what the component gets.
//!
//! The walk follows the type, never the JSON alone, so its depth is the depth of the type, which is bounded.

use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::error::{Problem, ValueError, list};
use super::limits::{ARGUMENT_MEMORY_BYTES, cut};
use super::number::{float, integer, integer_text, narrow};
use super::shape::{Case, Field, MapKey, OptionShape, ResultShape, Shape};
use super::text::{find_name, from_base64};

/// Reads JSON within the memory that the arguments of one call may take.
pub(super) struct Reader {
    left: usize,
}

impl Reader {
    pub(super) fn new() -> Self {
        Reader {
            left: ARGUMENT_MEMORY_BYTES,
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ValueError> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ValueError::new(Problem::TooLarge {
                limit: ARGUMENT_MEMORY_BYTES,
            })),
        }
    }

    /// Room for a vector of values, taken before it is allocated.
    fn values(&mut self, count: usize) -> Result<Vec<Val>, ValueError> {
        self.spend(count.saturating_mul(size_of::<Val>()))?;
        Ok(Vec::with_capacity(count))
    }

    /// The component value that `value` stands for.
    pub(super) fn val(&mut self, shape: &Shape, value: &Value) -> Result<Val, ValueError> {
        let value = untag(shape, value);
        match shape {
            Shape::Bool => boolean(value),
            Shape::Int(int) => integer(value).and_then(|number| int.val(number)),
            Shape::F64 => float(value).map(Val::Float64),
            Shape::F32 => float(value).and_then(narrow).map(Val::Float32),
            Shape::Char => value.as_str().and_then(only_char).map(Val::Char),
            Shape::String => match value {
                Value::String(text) => {
                    self.spend(text.len())?;
                    Some(Val::String(text.clone()))
                }
                _ => None,
            },
            Shape::Enum(names) => match value
                .as_str()
                .and_then(|text| find_name(names.iter().map(|n| &**n), text))
            {
                Some(index) => Some(Val::Enum(self.name(&names[index])?)),
                None => None,
            },
            Shape::Bytes => return self.bytes(value),
            Shape::List(element) => return self.list(shape, element, value).map(Val::List),
            Shape::FixedList(element, length) => {
                return self.fixed_list(shape, element, *length, value);
            }
            Shape::Map(key, inner) => return self.map(shape, *key, inner, value),
            Shape::Record(fields) => return self.record(shape, fields, value),
            Shape::Tuple(shapes) => return self.tuple(shape, shapes, value),
            Shape::Variant(cases) => return self.variant(shape, cases, value),
            Shape::Option(option) => return self.option(option, value),
            Shape::Result(result) => return self.result(shape, result, value),
            Shape::Flags(names) => return self.flags(shape, names, value),
        }
        .ok_or_else(|| ValueError::mismatch(shape, value))
    }

    fn name(&mut self, name: &str) -> Result<String, ValueError> {
        self.spend(name.len())?;
        Ok(name.to_owned())
    }

    fn boxed(&mut self, shape: &Shape, value: &Value) -> Result<Box<Val>, ValueError> {
        self.spend(size_of::<Val>())?;
        self.val(shape, value).map(Box::new)
    }

    fn list(
        &mut self,
        shape: &Shape,
        element: &Shape,
        value: &Value,
    ) -> Result<Vec<Val>, ValueError> {
        let Value::Array(items) = value else {
            return Err(ValueError::mismatch(shape, value));
        };
        let mut values = self.values(items.len())?;
        for (index, item) in items.iter().enumerate() {
            values.push(
                self.val(element, item)
                    .map_err(|error| error.in_index(index))?,
            );
        }
        Ok(values)
    }

    fn fixed_list(
        &mut self,
        shape: &Shape,
        element: &Shape,
        length: u32,
        value: &Value,
    ) -> Result<Val, ValueError> {
        match value {
            Value::Array(items) if items.len() == length as usize => {
                self.list(shape, element, value).map(Val::FixedLengthList)
            }
            _ => Err(ValueError::mismatch(shape, value)),
        }
    }

    fn tuple(&mut self, shape: &Shape, shapes: &[Shape], value: &Value) -> Result<Val, ValueError> {
        let items = match value {
            Value::Array(items) if items.len() == shapes.len() => items,
            _ => return Err(ValueError::mismatch(shape, value)),
        };
        let mut values = self.values(items.len())?;
        for (index, (shape, item)) in shapes.iter().zip(items).enumerate() {
            values.push(
                self.val(shape, item)
                    .map_err(|error| error.in_index(index))?,
            );
        }
        Ok(Val::Tuple(values))
    }

    /// Text, `{"base64": …}`, `{"text": …}` or an array of bytes.
    fn bytes(&mut self, value: &Value) -> Result<Val, ValueError> {
        let single = value
            .as_object()
            .filter(|object| object.len() == 1)
            .and_then(|object| object.iter().next());
        match (value, single) {
            (Value::String(text), _) => self.byte_values(text.as_bytes()),
            (Value::Array(_), _) => self
                .list(&Shape::Bytes, &Shape::Int(super::number::Int::U8), value)
                .map(Val::List),
            (_, Some((key, Value::String(text)))) if key == "text" => {
                self.byte_values(text.as_bytes())
            }
            (_, Some((key, Value::String(text)))) if key == "base64" => {
                self.spend(text.len())?;
                match from_base64(text) {
                    Some(bytes) => self.byte_values(&bytes),
                    None => {
                        Err(ValueError::expected("base64", &Value::from(cut(text, 64))).in_key(key))
                    }
                }
            }
            _ => Err(ValueError::mismatch(&Shape::Bytes, value)),
        }
    }

    fn byte_values(&mut self, bytes: &[u8]) -> Result<Val, ValueError> {
        let mut values = self.values(bytes.len())?;
        values.extend(bytes.iter().copied().map(Val::U8));
        Ok(Val::List(values))
    }

    /// An object, an array of pairs, or an array of `{"key": …, "value": …}`.
    fn map(
        &mut self,
        shape: &Shape,
        key: MapKey,
        inner: &Shape,
        value: &Value,
    ) -> Result<Val, ValueError> {
        let mut pairs = Vec::new();
        match value {
            Value::Object(object) => {
                self.spend(object.len().saturating_mul(2 * size_of::<Val>()))?;
                pairs.reserve_exact(object.len());
                for (name, value) in object {
                    let key = self.key_text(key, name).ok_or_else(|| {
                        ValueError::expected(
                            format!("{} as a key", shape.in_words()),
                            &Value::from(cut(name, 64)),
                        )
                    })?;
                    pairs.push((
                        key?,
                        self.val(inner, value).map_err(|error| error.in_key(name))?,
                    ));
                }
            }
            Value::Array(items) => {
                self.spend(items.len().saturating_mul(2 * size_of::<Val>()))?;
                pairs.reserve_exact(items.len());
                for (index, item) in items.iter().enumerate() {
                    let (name, value) = pair(item).ok_or_else(|| {
                        ValueError::expected("a pair of key and value", item).in_index(index)
                    })?;
                    let key = self
                        .key(key, name)
                        .ok_or_else(|| ValueError::mismatch(shape, item).in_index(index))?;
                    pairs.push((
                        key?,
                        self.val(inner, value)
                            .map_err(|error| error.in_index(index))?,
                    ));
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

    fn record(
        &mut self,
        shape: &Shape,
        fields: &[Field],
        value: &Value,
    ) -> Result<Val, ValueError> {
        let Value::Object(object) = value else {
            return Err(ValueError::mismatch(shape, value));
        };
        let mut record = Vec::new();
        self.spend(fields.len() * size_of::<(String, Val)>())?;
        record.reserve_exact(fields.len());
        self.fields(fields, object, |reader, field, val| {
            record.push((reader.name(&field.name)?, val));
            Ok(())
        })?;
        Ok(Val::Record(record))
    }

    /// The arguments of a function, in its order.
    pub(super) fn arguments(
        &mut self,
        params: &[Field],
        arguments: &Value,
    ) -> Result<Vec<Val>, ValueError> {
        let none = Map::new();
        let object = match arguments {
            Value::Object(object) => object,
            Value::Null => &none,
            other => {
                let names = list(params.iter().map(|param| &*param.name));
                return Err(ValueError::expected(
                    format!("an object with {names}"),
                    other,
                ));
            }
        };
        let mut values = self.values(params.len())?;
        self.fields(params, object, |_, _, val| {
            values.push(val);
            Ok(())
        })?;
        Ok(values)
    }

    /// Every field in order, from an object that may spell names otherwise and leave out what is optional.
    fn fields(
        &mut self,
        fields: &[Field],
        object: &Map<String, Value>,
        mut take: impl FnMut(&mut Self, &Field, Val) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let exact = fields
            .iter()
            .filter(|field| object.contains_key(&*field.name))
            .count();
        let respelt = if exact == object.len() {
            Vec::new()
        } else {
            respelt(fields, object)?
        };
        for (index, field) in fields.iter().enumerate() {
            let given = match respelt.iter().find(|(at, _)| *at == index) {
                Some((_, value)) => Some(*value),
                None => object.get(&*field.name),
            };
            let val = match given {
                Some(value) => self
                    .val(&field.shape, value)
                    .map_err(|error| error.in_key(&field.name))?,
                None if field.shape.is_optional() => Val::Option(None),
                None => {
                    let (name, expected) = (field.name.to_string(), field.shape.in_words());
                    return Err(ValueError::new(Problem::Missing { name, expected }));
                }
            };
            take(self, field, val)?;
        }
        Ok(())
    }

    fn variant(&mut self, shape: &Shape, cases: &[Case], value: &Value) -> Result<Val, ValueError> {
        let chosen = choose(value, |name| {
            find_name(cases.iter().map(|case| &*case.name), name)
        });
        let Some((index, payload)) = chosen else {
            return Err(ValueError::mismatch(shape, value));
        };
        let case = &cases[index];
        let payload = self.payload(shape, case.payload.as_ref(), payload, value, &case.name)?;
        Ok(Val::Variant(self.name(&case.name)?, payload))
    }

    fn result(
        &mut self,
        shape: &Shape,
        result: &ResultShape,
        value: &Value,
    ) -> Result<Val, ValueError> {
        let chosen = choose(value, |name| match () {
            () if name.eq_ignore_ascii_case("ok") => Some(0),
            () if name.eq_ignore_ascii_case("err") || name.eq_ignore_ascii_case("error") => Some(1),
            () => None,
        });
        match chosen {
            Some((0, payload)) => Ok(Val::Result(Ok(self.payload(
                shape,
                result.ok.as_ref(),
                payload,
                value,
                "ok",
            )?))),
            Some((_, payload)) => Ok(Val::Result(Err(self.payload(
                shape,
                result.err.as_ref(),
                payload,
                value,
                "err",
            )?))),
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
            (Some(shape), Some(payload)) => self
                .boxed(shape, payload)
                .map(Some)
                .map_err(|error| error.in_key(case)),
            (Some(shape), None) if shape.is_optional() => Ok(Some(Box::new(Val::Option(None)))),
            (Some(_), None) => Err(ValueError::mismatch(outer, whole)),
            (None, None | Some(Value::Null | Value::Bool(true))) => Ok(None),
            (None, Some(Value::Object(object))) if object.is_empty() => Ok(None),
            (None, Some(payload)) => {
                Err(ValueError::expected("null, since there is no payload", payload).in_key(case))
            }
        }
    }

    /// `null`, the value itself, or `{"some": …}` where that is needed or can mean nothing else.
    fn option(&mut self, option: &OptionShape, value: &Value) -> Result<Val, ValueError> {
        if value.is_null() {
            return Ok(Val::Option(None));
        }
        let tagged = match value {
            Value::Object(object) if option.tag_is_free && object.len() == 1 => object.get("some"),
            _ => None,
        };
        let inner = match tagged {
            Some(inner) => self
                .boxed(&option.inner, inner)
                .map_err(|error| error.in_key("some"))?,
            None => self.boxed(&option.inner, value)?,
        };
        Ok(Val::Option(Some(inner)))
    }

    /// An array of names, one name, or an object of booleans. The order is the type's own.
    fn flags(
        &mut self,
        shape: &Shape,
        names: &[Box<str>],
        value: &Value,
    ) -> Result<Val, ValueError> {
        let mut set = vec![false; names.len()];
        let find = |name: &str| find_name(names.iter().map(|name| &**name), name);
        let one = |item: &Value| {
            item.as_str()
                .and_then(find)
                .ok_or_else(|| ValueError::mismatch(shape, item))
        };
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

/// The payload of a tag that other hosts write, such as `{"__option": …}`, or the value itself. No WIT name begins
/// with an underscore, so that only a map could hold such a key as its own.
fn untag<'v>(shape: &Shape, value: &'v Value) -> &'v Value {
    let Value::Object(object) = value else {
        return value;
    };
    match object.iter().next() {
        Some((key, inner)) if object.len() == 1 && !matches!(shape, Shape::Map(..)) => {
            match key.strip_prefix("__") {
                Some(kind) if kind == shape.kind() => inner,
                _ => value,
            }
        }
        _ => value,
    }
}

/// The values whose keys are not exact, each with the field that it is meant for.
fn respelt<'v>(
    fields: &[Field],
    object: &'v Map<String, Value>,
) -> Result<Vec<(usize, &'v Value)>, ValueError> {
    let mut respelt: Vec<(usize, &Value)> = Vec::new();
    for (key, value) in object {
        let names = fields.iter().map(|field| &*field.name);
        let Some(index) = find_name(names.clone(), key) else {
            let expected = if fields.is_empty() {
                "nothing".to_owned()
            } else {
                list(names)
            };
            return Err(ValueError::new(Problem::Unknown {
                name: cut(key, 64).to_owned(),
                expected,
            }));
        };
        let name = &fields[index].name;
        if **name == *key.as_str() {
            continue;
        }
        if object.contains_key(&**name) || respelt.iter().any(|(at, _)| *at == index) {
            return Err(ValueError::new(Problem::Twice {
                name: name.to_string(),
            }));
        }
        respelt.push((index, value));
    }
    Ok(respelt)
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

fn pair(item: &Value) -> Option<(&Value, &Value)> {
    match item {
        Value::Array(pair) => match pair.as_slice() {
            [key, value] => Some((key, value)),
            _ => None,
        },
        Value::Object(object) if object.len() == 2 => {
            Some((object.get("key")?, object.get("value")?))
        }
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<Val> {
    match value {
        Value::Bool(value) => Some(Val::Bool(*value)),
        Value::String(text) => text.trim().parse().ok().map(Val::Bool),
        _ => None,
    }
}

fn only_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}
