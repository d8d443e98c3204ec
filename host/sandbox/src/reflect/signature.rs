//! The signature of one exported function: arguments in, result or failure out.

use serde_json::Value;
use wasmtime::component::{Val, types::ComponentFunc};

use super::error::{ResultError, ValueError};
use super::input::Reader;
use super::limits::{MESSAGE_BYTES, ReflectError, cut};
use super::output::Writer;
use super::shape::{Builder, Field, NoShape, Shape};

/// The types of one function, ready for calls.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(super) params: Box<[Field]>,
    pub(super) result: Option<Shape>,
}

/// What a call of a function came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Returned {
    /// It succeeded. Nothing where the function returns nothing, or `result` without a value.
    Ok(Option<Value>),
    /// It returned the `err` side of its `result`.
    Err(Failure),
}

/// The `err` side of a function's `result`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// The error in one line, for people and models.
    pub(crate) message: String,
    /// The case that the error names, such as `not-found`, where its type is an enum or a variant, or a record that
    /// has one as `code` or `kind`.
    pub(crate) case: Option<String>,
    /// The whole error as JSON; `null` where the type carries none.
    pub(crate) data: Value,
}

/// Why an exported function is not a tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotATool {
    /// A type that JSON cannot say.
    #[error("`{at}` is a {kind}, which has no form in JSON")]
    UnsupportedType {
        /// The kind of type, such as `resource`.
        kind: &'static str,
        /// Where it is in the signature, such as `request.body`.
        at: String,
    },
    /// The namespace is the platform's: what it exports is called by hosts, not by agents.
    #[error("`{interface}` is an interface of the platform")]
    Platform {
        /// The interface.
        interface: String,
    },
    /// The toolchain that built the component calls it while it builds, and nobody afterwards.
    #[error("it belongs to the toolchain that built the component")]
    Toolchain,
    /// Something else than a function that is exported inside an interface.
    #[error("only functions of an interface are tools, and this is an interface inside an interface")]
    Nested,
    /// No name could be made that another tool does not have.
    #[error("its name `{name}` belongs to another tool")]
    NameTaken {
        /// The name.
        name: String,
    },
}

/// Either kind of refusal while a signature is read.
pub(super) enum SignatureError {
    NotATool(NotATool),
    Refused(ReflectError),
}

impl Signature {
    /// Reads a signature and says how many bytes of schema it is estimated to give.
    pub(super) fn read(name: &str, func: &ComponentFunc) -> Result<(Self, usize), SignatureError> {
        let mut builder = Builder::new(name);
        let signature = Self::build(&mut builder, func).map_err(|error| match error {
            NoShape::Refused(error) => SignatureError::Refused(error),
            NoShape::Unsupported(unsupported) => SignatureError::NotATool(NotATool::UnsupportedType {
                kind: unsupported.kind,
                at: unsupported.at.join("."),
            }),
        })?;
        Ok((signature, builder.spent()))
    }

    fn build(builder: &mut Builder<'_>, func: &ComponentFunc) -> Result<Self, NoShape> {
        let params = func.params().map(|(name, ty)| builder.field(name, &ty)).collect::<Result<_, _>>()?;
        let result = func.results().next().map(|ty| builder.shape(&ty)).transpose();
        let result = result.map_err(|error| error.inside("the result"))?;
        Ok(Signature { params, result })
    }

    /// The values to call the function with.
    ///
    /// # Errors
    ///
    /// Names the place in `arguments` that does not fit, what was expected and what was found.
    pub(crate) fn arguments(&self, arguments: &Value) -> Result<Vec<Val>, ValueError> {
        Reader::new().arguments(&self.params, arguments)
    }

    /// A vector of the length that the engine wants for results.
    pub(crate) fn result_slots(&self) -> Vec<Val> {
        self.result.iter().map(|_| Val::Bool(false)).collect()
    }

    /// What a call came to, from the values that the engine left in [`Signature::result_slots`].
    ///
    /// # Errors
    ///
    /// The result as JSON text would take more than `limit` bytes, or the values are not of the function's type.
    pub(crate) fn returned(&self, results: Vec<Val>, limit: u64) -> Result<Returned, ResultError> {
        let mut writer = Writer::new(limit);
        match (&self.result, results.into_iter().next()) {
            (None, _) => Ok(Returned::Ok(None)),
            (Some(Shape::Result(shape)), Some(Val::Result(result))) => match result {
                Ok(val) => {
                    let pair = shape.ok.as_ref().zip(val);
                    pair.map(|(shape, val)| writer.json(shape, *val)).transpose().map(Returned::Ok)
                }
                Err(val) => {
                    let pair = shape.err.as_ref().zip(val);
                    let data = pair.map(|(shape, val)| writer.json(shape, *val)).transpose()?;
                    Ok(Returned::Err(Failure::of(shape.err.as_ref(), data.unwrap_or(Value::Null))))
                }
            },
            (Some(shape), Some(val)) => writer.json(shape, val).map(|value| Returned::Ok(Some(value))),
            (Some(shape), None) => Err(ResultError::Unexpected { expected: shape.in_words() }),
        }
    }
}

impl Failure {
    fn of(shape: Option<&Shape>, data: Value) -> Self {
        let case = shape.and_then(|shape| case_of(shape, &data));
        let detail = detail(&data).filter(|detail| Some(*detail) != case.as_deref());
        let payload = case.as_deref().and_then(|case| payload(&data, case));
        let message = match (&case, detail, payload) {
            (Some(case), Some(detail), _) => format!("{case}: {}", cut(detail, MESSAGE_BYTES)),
            (Some(case), None, Some(payload)) => format!("{case}: {}", cut(&payload, MESSAGE_BYTES)),
            (Some(case), None, None) => case.clone(),
            (None, Some(detail), _) => cut(detail, MESSAGE_BYTES).to_owned(),
            (None, None, _) if data.is_null() => "the tool failed and gave no reason".to_owned(),
            (None, None, _) => format!("the tool failed: {}", cut(&data.to_string(), MESSAGE_BYTES)),
        };
        Failure { message, case, data }
    }
}

/// The case of an enum or a variant, or of the `code` or `kind` of a record.
fn case_of(shape: &Shape, data: &Value) -> Option<String> {
    match (shape, data) {
        (Shape::Enum(_) | Shape::Variant(_), Value::String(name)) => Some(name.clone()),
        (Shape::Variant(_), Value::Object(object)) => object.keys().next().cloned(),
        (Shape::Record(fields), Value::Object(object)) => {
            let field = fields.iter().find(|field| matches!(&*field.name, "code" | "kind"))?;
            match field.shape {
                Shape::Enum(_) | Shape::Variant(_) => case_of(&field.shape, object.get(&*field.name)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a variant's case carries, as compact JSON: `9` of `{"unknown-item": 9}`.
fn payload(data: &Value, case: &str) -> Option<String> {
    let object = data.as_object().filter(|object| object.len() == 1)?;
    object.get(case).filter(|value| !value.is_null()).map(Value::to_string)
}

/// The text in an error: itself, the payload of its case, or a field that errors commonly have.
fn detail(data: &Value) -> Option<&str> {
    match data {
        Value::String(text) => Some(text),
        Value::Object(object) => {
            let named = ["message", "msg", "reason", "detail", "error", "description"];
            let text = named.iter().find_map(|name| object.get(*name)?.as_str());
            text.or_else(|| match object.len() {
                1 => object.values().next().and_then(detail),
                _ => None,
            })
        }
        _ => None,
    }
}
