//! Component values to JSON, in the one canonical form that the input side reads back to the same value.
//!
//! Values are consumed, so that strings and names move instead of being copied, and every piece is paid for before
//! it is built: a result beyond the limit is refused while it is still the engine's.

use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::error::ResultError;
use super::number::{float_json, integer_json, integer_of, narrow_json};
use super::shape::{OptionShape, Shape};
use super::text::{as_text, base64, json_len};

/// Writes JSON up to a number of bytes of text.
pub(super) struct Writer {
    left: u64,
    limit: u64,
}

/// Room for one number that is not an integer; the longest have 24 characters, most have fewer.
const FLOAT_LEN: usize = 18;

impl Writer {
    pub(super) fn new(limit: u64) -> Self {
        Writer { left: limit, limit }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ResultError> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ResultError::TooLarge { limit: self.limit }),
        }
    }

    fn string(&mut self, text: String) -> Result<Value, ResultError> {
        self.spend(json_len(&text))?;
        Ok(Value::String(text))
    }

    /// The canonical JSON of a value of the shape's type.
    pub(super) fn json(&mut self, shape: &Shape, val: Val) -> Result<Value, ResultError> {
        match (shape, val) {
            (Shape::Bool, Val::Bool(value)) => self.spend(5).map(|()| Value::Bool(value)),
            (Shape::Int(_), val) => match integer_of(&val) {
                Some(number) => {
                    self.spend(digits(number))?;
                    Ok(integer_json(number))
                }
                None => Err(unexpected(shape)),
            },
            (Shape::F32, Val::Float32(float)) => self.spend(FLOAT_LEN).map(|()| narrow_json(float)),
            (Shape::F64, Val::Float64(float)) => self.spend(FLOAT_LEN).map(|()| float_json(float)),
            (Shape::Char, Val::Char(char)) => self.string(char.into()),
            (Shape::String, Val::String(text)) => self.string(text),
            (Shape::Enum(_), Val::Enum(name)) => self.string(name),
            (Shape::Bytes, Val::List(bytes)) => self.bytes(bytes),
            (Shape::List(element), Val::List(items)) | (Shape::FixedList(element, _), Val::FixedLengthList(items)) => {
                self.array(std::iter::repeat_n(&**element, items.len()), items)
            }
            (Shape::Tuple(shapes), Val::Tuple(items)) if shapes.len() == items.len() => {
                self.array(shapes.iter(), items)
            }
            (Shape::Map(_, inner), Val::Map(pairs)) => self.map(shape, inner, pairs),
            (Shape::Record(fields), Val::Record(values)) if fields.len() == values.len() => {
                self.spend(2)?;
                let mut object = Map::new();
                for (field, (name, val)) in fields.iter().zip(values) {
                    self.spend(name.len() + 4)?;
                    object.insert(name, self.json(&field.shape, val)?);
                }
                Ok(Value::Object(object))
            }
            (Shape::Variant(cases), Val::Variant(name, payload)) => {
                let case = cases.iter().find(|case| *case.name == *name).ok_or_else(|| unexpected(shape))?;
                match (&case.payload, payload) {
                    (None, None) => self.string(name),
                    (Some(shape), Some(val)) => self.tagged(name, Some((shape, *val))),
                    _ => Err(unexpected(shape)),
                }
            }
            (Shape::Option(option), Val::Option(val)) => self.option(option, val),
            (Shape::Result(result), Val::Result(val)) => {
                let (name, shape, val) = match val {
                    Ok(val) => ("ok", &result.ok, val),
                    Err(val) => ("err", &result.err, val),
                };
                self.tagged(name.to_owned(), shape.as_ref().zip(val.map(|val| *val)))
            }
            (Shape::Flags(_), Val::Flags(names)) => {
                self.spend(2 + names.len())?;
                Ok(Value::Array(names.into_iter().map(|name| self.string(name)).collect::<Result<_, _>>()?))
            }
            _ => Err(unexpected(shape)),
        }
    }

    fn array<'s>(&mut self, shapes: impl Iterator<Item = &'s Shape>, items: Vec<Val>) -> Result<Value, ResultError> {
        // The least that the items can take, before room for all of them is made.
        self.spend(2 + items.len())?;
        let mut array = Vec::with_capacity(items.len());
        for (shape, item) in shapes.zip(items) {
            array.push(self.json(shape, item)?);
        }
        Ok(Value::Array(array))
    }

    fn bytes(&mut self, values: Vec<Val>) -> Result<Value, ResultError> {
        self.spend(values.len() + 2)?;
        let bytes: Option<Vec<u8>> = values
            .into_iter()
            .map(|val| match val {
                Val::U8(byte) => Some(byte),
                _ => None,
            })
            .collect();
        match as_text(bytes.ok_or_else(|| unexpected(&Shape::Bytes))?) {
            Ok(text) => {
                self.spend(json_len(&text) - text.len() - 2)?;
                Ok(Value::String(text))
            }
            Err(bytes) => {
                self.spend(bytes.len() / 3 + 16)?;
                Ok(Value::Object(Map::from_iter([("base64".to_owned(), Value::String(base64(&bytes)))])))
            }
        }
    }

    fn map(&mut self, shape: &Shape, inner: &Shape, pairs: Vec<(Val, Val)>) -> Result<Value, ResultError> {
        self.spend(2)?;
        let mut object = Map::new();
        for (key, val) in pairs {
            let key = match key {
                Val::String(text) => text,
                Val::Char(char) => char.into(),
                Val::Bool(value) => value.to_string(),
                key => integer_of(&key).ok_or_else(|| unexpected(shape))?.to_string(),
            };
            self.spend(json_len(&key) + 2)?;
            object.insert(key, self.json(inner, val)?);
        }
        Ok(Value::Object(object))
    }

    fn tagged(&mut self, name: String, payload: Option<(&Shape, Val)>) -> Result<Value, ResultError> {
        self.spend(name.len() + 5)?;
        let payload = match payload {
            Some((shape, val)) => self.json(shape, val)?,
            None => self.spend(4).map(|()| Value::Null)?,
        };
        Ok(Value::Object(Map::from_iter([(name, payload)])))
    }

    fn option(&mut self, option: &OptionShape, val: Option<Box<Val>>) -> Result<Value, ResultError> {
        match val {
            None => self.spend(4).map(|()| Value::Null),
            Some(val) if option.nested => self.tagged("some".to_owned(), Some((&option.inner, *val))),
            Some(val) => self.json(&option.inner, *val),
        }
    }
}

fn unexpected(shape: &Shape) -> ResultError {
    ResultError::Unexpected { expected: shape.in_words() }
}

/// Characters of an integer in JSON.
fn digits(number: i128) -> usize {
    let sign = usize::from(number < 0);
    sign + number.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1)
}
