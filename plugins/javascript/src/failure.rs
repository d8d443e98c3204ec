//! Why a program brought no value.

use boa_engine::error::EngineError;
use boa_engine::{Context, JsError, JsValue};

use crate::convert;
use crate::program::{self, Program};

/// The longest message, in characters: a program can throw anything.
const MESSAGE_MAX: usize = 2000;

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The program threw something that it did not catch.
    Thrown(JsError),
    /// The value is a promise that nothing will settle.
    Forever,
    /// The value refers to itself.
    Cyclic,
    /// The value has more levels than fit into a result.
    TooDeep(usize),
    /// The value has more parts than fit into a result.
    TooLarge(usize),
}

impl From<JsError> for Failure {
    fn from(error: JsError) -> Self {
        Self::Thrown(error)
    }
}

impl Failure {
    /// The message for the caller.
    pub(crate) fn told(self, program: &Program, context: &mut Context) -> String {
        match self {
            Self::Thrown(error) => thrown(error, program, context),
            Self::Forever => "the value is a promise that is never settled".to_owned(),
            Self::Cyclic => {
                "the value refers to itself and cannot become JSON: return the parts that matter".to_owned()
            }
            Self::TooDeep(most) => format!("the value has more than {most} levels and cannot be given back"),
            Self::TooLarge(most) => format!("the value has more than {most} parts and cannot be given back"),
        }
    }
}

fn thrown(error: JsError, program: &Program, context: &mut Context) -> String {
    // The engine gives the way to the place only as text.
    let trace = error.to_string();
    let place = place(&trace, program);
    let message = match error.as_engine() {
        Some(EngineError::RuntimeLimit(_)) => "RangeError: too many calls are open one in another".to_owned(),
        Some(broken) => format!("the engine gave up: {broken}"),
        None => match error.into_opaque(context) {
            Ok(value) => said(&value, context),
            Err(_) => trace.lines().next().unwrap_or_default().to_owned(),
        },
    };
    let message: String = message.chars().take(MESSAGE_MAX).collect();
    match place {
        Some((line, column)) => format!("{message} (line {line}, column {column})"),
        None => message,
    }
}

fn said(value: &JsValue, context: &mut Context) -> String {
    let shown = convert::shown(value, context).unwrap_or_else(|_| "something that cannot be shown".to_owned());
    if convert::is_error(value) { shown } else { format!("thrown: {shown}") }
}

/// The innermost place in the program, as in `at f (program:2:5)`.
fn place(trace: &str, program: &Program) -> Option<(u32, u32)> {
    let trace = &trace[trace.find("\n    at ")?..];
    trace.lines().find_map(|line| {
        let (_, place) = line.trim_end().strip_suffix(')')?.rsplit_once('(')?;
        let (line, column) = place.strip_prefix(program::NAME)?.strip_prefix(':')?.split_once(':')?;
        Some((program.line(line.parse().ok()?), column.parse().ok()?))
    })
}
