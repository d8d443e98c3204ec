//! Values of the program as JSON, and as lines to print.

use boa_engine::builtins::error::Error;
use boa_engine::builtins::regexp::RegExp;
use boa_engine::object::builtins::{JsMap, JsSet, JsTypedArray};
use boa_engine::property::PropertyKey;
use boa_engine::value::JsVariant;
use boa_engine::{Context, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};
use serde_json::{Map, Number, Value};

use crate::failure::Failure;

/// How many levels a value may have. The host takes 64 for the whole result.
const DEPTH_MAX: usize = 60;
/// How many parts a value may have. More would not fit into the 4 MiB of a result.
const PARTS_MAX: usize = 1_000_000;
/// How far integers are exact.
const EXACT: f64 = 9_007_199_254_740_991.0;

/// A value as JSON. What JSON cannot say at all, such as a function, is `null`.
pub(crate) fn to_json(value: &JsValue, context: &mut Context) -> Result<Value, Failure> {
    let mut writer = Writer { context, inside: Vec::new(), parts: 0, ask: None };
    Ok(writer.value(value, "")?.unwrap_or_default())
}

/// A value as `console.log` prints it.
pub(crate) fn shown(value: &JsValue, context: &mut Context) -> JsResult<String> {
    Ok(match value.variant() {
        JsVariant::Undefined => "undefined".to_owned(),
        JsVariant::String(text) => text.to_std_string_lossy(),
        JsVariant::BigInt(number) => format!("{number}n"),
        JsVariant::Symbol(symbol) => symbol.descriptive_string().to_std_string_lossy(),
        JsVariant::Object(function) if function.is_callable() => {
            let name = function.get(js_string!("name"), context)?.to_string(context)?;
            format!("[function {}]", name.to_std_string_lossy())
        }
        JsVariant::Object(object) if object.is::<Error>() || object.is::<RegExp>() => {
            value.to_string(context)?.to_std_string_lossy()
        }
        _ => match to_json(value, context) {
            Ok(Value::String(text)) => text,
            Ok(json) => json.to_string(),
            Err(Failure::Thrown(error)) => return Err(error),
            Err(_) => "[object that cannot be shown]".to_owned(),
        },
    })
}

/// Whether it is an error of JavaScript.
pub(crate) fn is_error(value: &JsValue) -> bool {
    value.as_object().is_some_and(|object| object.is::<Error>())
}

struct Writer<'a> {
    context: &'a mut Context,
    /// What is being written, to notice what is in itself.
    inside: Vec<JsObject>,
    parts: usize,
    /// `propertyIsEnumerable`, once it was needed.
    ask: Option<JsObject>,
}

impl Writer<'_> {
    /// A value under its key; nothing for what an object leaves out.
    fn value(&mut self, value: &JsValue, key: &str) -> Result<Option<Value>, Failure> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(Failure::TooLarge(PARTS_MAX));
        }
        Ok(match value.variant() {
            JsVariant::Undefined | JsVariant::Symbol(_) => None,
            JsVariant::Null => Some(Value::Null),
            JsVariant::Boolean(it) => Some(Value::Bool(it)),
            JsVariant::Integer32(number) => Some(Value::from(number)),
            JsVariant::Float64(number) => Some(float(number)),
            JsVariant::String(text) => Some(Value::String(text.to_std_string_lossy())),
            JsVariant::BigInt(number) => Some(Value::String(number.to_string())),
            JsVariant::Object(object) => return self.object(&object, key),
        })
    }

    fn object(&mut self, object: &JsObject, key: &str) -> Result<Option<Value>, Failure> {
        if object.is_callable() {
            return Ok(None);
        }
        if self.inside.iter().any(|known| JsObject::equals(known, object)) {
            return Err(Failure::Cyclic);
        }
        if self.inside.len() >= DEPTH_MAX {
            return Err(Failure::TooDeep(DEPTH_MAX));
        }
        self.inside.push(object.clone());
        let written = self.parts_of(object, key)?;
        self.inside.pop();
        Ok(written)
    }

    fn parts_of(&mut self, object: &JsObject, key: &str) -> Result<Option<Value>, Failure> {
        // A `Date` writes itself as every object with `toJSON` does.
        let own = object.get(js_string!("toJSON"), self.context)?;
        if let Some(own) = own.as_callable() {
            let key = JsString::from(key).into();
            let value = own.call(&object.clone().into(), &[key], self.context)?;
            return self.value(&value, "");
        }
        if object.is::<Error>() {
            return self.error(object).map(Some);
        }
        if object.is::<RegExp>() {
            let text = JsValue::from(object.clone()).to_string(self.context)?;
            return Ok(Some(Value::String(text.to_std_string_lossy())));
        }
        if let Some(primitive) = self.boxed(object)? {
            return self.value(&primitive, key);
        }
        if let Ok(map) = JsMap::from_object(object.clone()) {
            return self.map(&map).map(Some);
        }
        if let Ok(set) = JsSet::from_object(object.clone()) {
            let mut items = Vec::new();
            let mut failure = None;
            // The values first: to write them may run code that changes the set.
            set.for_each_native(|item| {
                items.push(item);
                Ok(())
            })
            .unwrap_or_else(|error| failure = Some(error));
            return match failure {
                Some(error) => Err(error.into()),
                None => self.array(&items).map(Some),
            };
        }
        if object.is_array() || JsTypedArray::from_object(object.clone()).is_ok() {
            return self.list(object).map(Some);
        }
        self.properties(object).map(Some)
    }

    /// What is in `new String("x")` and its like.
    fn boxed(&mut self, object: &JsObject) -> Result<Option<JsValue>, Failure> {
        let boxed = object.is::<f64>() || object.is::<bool>() || object.is::<JsString>();
        let boxed = boxed || object.is::<boa_engine::JsBigInt>();
        if !boxed {
            return Ok(None);
        }
        let value_of = object.get(js_string!("valueOf"), self.context)?;
        let Some(value_of) = value_of.as_callable() else {
            return Ok(None);
        };
        let value = value_of.call(&object.clone().into(), &[], self.context)?;
        Ok((!value.is_object()).then_some(value))
    }

    fn error(&mut self, object: &JsObject) -> Result<Value, Failure> {
        let mut members = Map::new();
        for key in ["name", "message"] {
            let text = object.get(JsString::from(key), self.context)?.to_string(self.context)?;
            members.insert(key.to_owned(), Value::String(text.to_std_string_lossy()));
        }
        Ok(Value::Object(members))
    }

    /// An object where all keys are text, else pairs.
    fn map(&mut self, map: &JsMap) -> Result<Value, Failure> {
        let mut entries = Vec::new();
        map.for_each_native(|key, value| {
            entries.push((key, value));
            Ok(())
        })?;
        if entries.iter().all(|(key, _)| key.is_string()) {
            let mut members = Map::new();
            for (key, value) in entries {
                let key = key.to_string(self.context)?.to_std_string_lossy();
                if let Some(value) = self.value(&value, &key)? {
                    members.insert(key, value);
                }
            }
            return Ok(Value::Object(members));
        }
        let mut pairs = Vec::new();
        for (key, value) in entries {
            pairs.push(self.array(&[key, value])?);
        }
        Ok(Value::Array(pairs))
    }

    fn array(&mut self, items: &[JsValue]) -> Result<Value, Failure> {
        let mut array = Vec::new();
        for (at, item) in items.iter().enumerate() {
            array.push(self.value(item, &at.to_string())?.unwrap_or_default());
        }
        Ok(Value::Array(array))
    }

    fn list(&mut self, object: &JsObject) -> Result<Value, Failure> {
        let length = object.get(js_string!("length"), self.context)?.to_length(self.context)?;
        if length > PARTS_MAX as u64 {
            return Err(Failure::TooLarge(PARTS_MAX));
        }
        let mut array = Vec::new();
        for at in 0..length {
            let item = object.get(at, self.context)?;
            array.push(self.value(&item, &at.to_string())?.unwrap_or_default());
        }
        Ok(Value::Array(array))
    }

    fn properties(&mut self, object: &JsObject) -> Result<Value, Failure> {
        let mut members = Map::new();
        for key in object.own_property_keys(self.context)? {
            let name = match &key {
                PropertyKey::String(name) => name.to_std_string_lossy(),
                PropertyKey::Index(index) => index.get().to_string(),
                PropertyKey::Symbol(_) => continue,
            };
            if !self.is_enumerable(object, &key)? {
                continue;
            }
            let value = object.get(key, self.context)?;
            if let Some(value) = self.value(&value, &name)? {
                members.insert(name, value);
            }
        }
        Ok(Value::Object(members))
    }

    fn is_enumerable(&mut self, object: &JsObject, key: &PropertyKey) -> Result<bool, Failure> {
        let ask = match &self.ask {
            Some(ask) => ask.clone(),
            None => {
                let prototype = self.context.intrinsics().constructors().object().prototype();
                let ask = prototype.get(js_string!("propertyIsEnumerable"), self.context)?;
                let broken = || JsNativeError::typ().with_message("`Object.prototype` is broken");
                self.ask.insert(ask.as_callable().ok_or_else(|| JsError::from(broken()))?).clone()
            }
        };
        let answer = ask.call(&object.clone().into(), &[key.clone().into()], self.context)?;
        Ok(answer.to_boolean())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be an integer in range")]
fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
