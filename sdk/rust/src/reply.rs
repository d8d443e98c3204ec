//! What a tool's function may give back, and how it becomes an [`Output`].

use std::any::Any;
use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::schema::{self, Schema};
use crate::{Output, ToolError};

/// A return type of a tool.
///
/// | type | becomes |
/// |---|---|
/// | any `Serialize + JsonSchema` | the structured result, with an output schema |
/// | `String`, `&'static str` | one block of text |
/// | `()` | an empty result |
/// | [`Output`] | itself: text, pictures, links, and structured JSON |
/// | `Result<T, E>` of these, with `E: Into<ToolError>` | the value, or the typed error |
///
/// `Kind` only keeps the cases apart; it is never named.
#[diagnostic::on_unimplemented(
    message = "a tool cannot give back `{Self}`",
    label = "the return type of this tool",
    note = "give back a type with `#[toolcrib_sdk::value]`, a string, `()`, `Output`, or a `Result` of one of these whose error becomes a `ToolError`"
)]
pub trait Reply<Kind>: Sized {
    /// Turns the value into what the host gets.
    ///
    /// # Errors
    ///
    /// The tool's own error, or a value that cannot be written as JSON.
    fn into_output(self) -> Result<Output, ToolError>;

    /// The schema of the structured result, where there is one.
    #[doc(hidden)]
    fn schema() -> Option<Schema>;
}

/// A value with a shape.
#[doc(hidden)]
#[derive(Debug)]
pub struct Plain;

/// An [`Output`] that the tool put together.
#[doc(hidden)]
#[derive(Debug)]
pub struct Built;

/// A [`Result`] of another kind.
#[doc(hidden)]
#[derive(Debug)]
pub struct Fallible<Kind>(Kind);

impl<T: Serialize + JsonSchema + 'static> Reply<Plain> for T {
    fn into_output(self) -> Result<Output, ToolError> {
        if is::<T, ()>() {
            return Ok(Output::new());
        }
        let mut value = Some(self);
        if let Some(text) = take_text(&mut value) {
            return Ok(Output::new().text(text));
        }
        match value {
            Some(value) => Output::new().structured(&value),
            None => Ok(Output::new()),
        }
    }

    fn schema() -> Option<Schema> {
        let shapeless = is::<T, ()>() || is::<T, String>() || is::<T, &'static str>();
        let shapeless = shapeless || is::<T, Cow<'static, str>>();
        (!shapeless).then(schema::output_schema::<T>)
    }
}

impl Reply<Built> for Output {
    fn into_output(self) -> Result<Output, ToolError> {
        Ok(self)
    }

    fn schema() -> Option<Schema> {
        None
    }
}

impl<T: Reply<Kind>, E: Into<ToolError>, Kind> Reply<Fallible<Kind>> for Result<T, E> {
    fn into_output(self) -> Result<Output, ToolError> {
        match self {
            Ok(value) => value.into_output(),
            Err(error) => Err(error.into()),
        }
    }

    fn schema() -> Option<Schema> {
        T::schema()
    }
}

/// Ends a call.
///
/// # Errors
///
/// Those of [`Reply::into_output`].
#[doc(hidden)]
pub fn finish<Kind, T: Reply<Kind>>(value: T) -> Result<Output, ToolError> {
    value.into_output()
}

/// The output schema of a function, found through its return type.
#[doc(hidden)]
#[must_use]
pub fn output_schema<Kind, T: Reply<Kind>>() -> Option<Schema> {
    T::schema()
}

fn is<T: 'static, U: 'static>() -> bool {
    std::any::TypeId::of::<T>() == std::any::TypeId::of::<U>()
}

/// Takes the text out, where the value is one. The comparison is of types, so nothing of it is left in the program.
fn take_text(value: &mut dyn Any) -> Option<String> {
    if let Some(text) = value.downcast_mut::<Option<String>>() {
        return text.take();
    }
    if let Some(text) = value.downcast_mut::<Option<&'static str>>() {
        return text.take().map(str::to_owned);
    }
    value.downcast_mut::<Option<Cow<'static, str>>>()?.take().map(Cow::into_owned)
}
