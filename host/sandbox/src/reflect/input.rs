//! JSON to component values: lenient in what a model or a person may write, exact in what the component gets.
//!
//! The walk follows the type, never the JSON alone, so its depth is the depth of the type, which is bounded.

mod choice;
mod map;

use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::error::{Problem, ValueError, list};
use super::limits::{ARGUMENT_MEMORY_BYTES, cut};
use super::number::{Int, float, integer, narrow};
use super::shape::{Field, Shape};
use super::text::{find_name, from_base64};

/// Reads JSON within the memory that the arguments of one call may take.
pub(super) struct Reader {
    left: usize,
}

impl Reader {
    pub(super) fn new() -> Self {
        Reader { left: ARGUMENT_MEMORY_BYTES }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ValueError> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ValueError::new(Problem::TooLarge { limit: ARGUMENT_MEMORY_BYTES })),
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
            Shape::Enum(names) => match value.as_str().and_then(|text| find_name(names.iter().map(|n| &**n), text)) {
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

    fn list(&mut self, shape: &Shape, element: &Shape, value: &Value) -> Result<Vec<Val>, ValueError> {
        let Value::Array(items) = value else {
            return Err(ValueError::mismatch(shape, value));
        };
        let mut values = self.values(items.len())?;
        for (index, item) in items.iter().enumerate() {
            values.push(self.val(element, item).map_err(|error| error.in_index(index))?);
        }
        Ok(values)
    }

    fn fixed_list(&mut self, shape: &Shape, element: &Shape, length: u32, value: &Value) -> Result<Val, ValueError> {
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
            values.push(self.val(shape, item).map_err(|error| error.in_index(index))?);
        }
        Ok(Val::Tuple(values))
    }

    /// Text, `{"base64": …}`, `{"text": …}` or an array of bytes.
    fn bytes(&mut self, value: &Value) -> Result<Val, ValueError> {
        let single = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
        match (value, single) {
            (Value::String(text), _) => self.byte_values(text.as_bytes()),
            (Value::Array(_), _) => self.list(&Shape::Bytes, &Shape::Int(Int::U8), value).map(Val::List),
            (_, Some((key, Value::String(text)))) if key == "text" => self.byte_values(text.as_bytes()),
            (_, Some((key, Value::String(text)))) if key == "base64" => {
                self.spend(text.len())?;
                match from_base64(text) {
                    Some(bytes) => self.byte_values(&bytes),
                    None => Err(ValueError::expected("base64", &Value::from(cut(text, 64))).in_key(key)),
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

    fn record(&mut self, shape: &Shape, fields: &[Field], value: &Value) -> Result<Val, ValueError> {
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
    pub(super) fn arguments(&mut self, params: &[Field], arguments: &Value) -> Result<Vec<Val>, ValueError> {
        let none = Map::new();
        let object = match arguments {
            Value::Object(object) => object,
            Value::Null => &none,
            other => {
                let expected = match params {
                    [] => "an empty object".to_owned(),
                    _ => format!("an object with {}", list(params.iter().map(|param| &*param.name))),
                };
                return Err(ValueError::expected(expected, other));
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
        let exact = fields.iter().filter(|field| object.contains_key(&*field.name)).count();
        let respelt = if exact == object.len() { Vec::new() } else { respelt(fields, object)? };
        for (index, field) in fields.iter().enumerate() {
            let given = match respelt.iter().find(|(at, _)| *at == index) {
                Some((_, value)) => Some(*value),
                None => object.get(&*field.name),
            };
            let val = match given {
                Some(value) => self.val(&field.shape, value).map_err(|error| error.in_key(&field.name))?,
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
}

/// The payload of a tag that other hosts write, such as `{"__option": …}`, or the value itself. No WIT name begins
/// with an underscore, so that only a map could hold such a key as its own.
fn untag<'v>(shape: &Shape, value: &'v Value) -> &'v Value {
    let Value::Object(object) = value else {
        return value;
    };
    match object.iter().next() {
        Some((key, inner)) if object.len() == 1 && !matches!(shape, Shape::Map(..)) => match key.strip_prefix("__") {
            Some(kind) if kind == shape.kind() => inner,
            _ => value,
        },
        _ => value,
    }
}

/// The values whose keys are not exact, each with the field that it is meant for.
fn respelt<'v>(fields: &[Field], object: &'v Map<String, Value>) -> Result<Vec<(usize, &'v Value)>, ValueError> {
    let mut respelt: Vec<(usize, &Value)> = Vec::new();
    for (key, value) in object {
        let names = fields.iter().map(|field| &*field.name);
        let Some(index) = find_name(names.clone(), key) else {
            let expected = if fields.is_empty() { "nothing".to_owned() } else { list(names) };
            return Err(ValueError::new(Problem::Unknown { name: cut(key, 64).to_owned(), expected }));
        };
        let name = &fields[index].name;
        if **name == *key.as_str() {
            continue;
        }
        if object.contains_key(&**name) || respelt.iter().any(|(at, _)| *at == index) {
            return Err(ValueError::new(Problem::Twice { name: name.to_string() }));
        }
        respelt.push((index, value));
    }
    Ok(respelt)
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
