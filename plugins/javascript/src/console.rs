//! `console`: lines that go into the result.

use std::cell::RefCell;

use boa_engine::native_function::NativeFunction;
use boa_engine::object::ObjectInitializer;
use boa_engine::property::Attribute;
use boa_engine::{Context, JsResult, JsString, JsValue, js_string};

use crate::convert;

/// The most lines, and the most bytes of them. The host bounds the standard output of a program alike.
const LINES_MAX: usize = 10_000;
const BYTES_MAX: usize = 1024 * 1024;

/// What was written.
#[derive(Default)]
pub(crate) struct Console {
    written: RefCell<Written>,
}

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    bytes: usize,
    dropped: usize,
}

impl Console {
    /// The lines, and how many more there were.
    pub(crate) fn lines(&self) -> Vec<String> {
        let written = self.written.borrow();
        let mut lines = written.lines.clone();
        if written.dropped > 0 {
            lines.push(format!("… {} more lines", written.dropped));
        }
        lines
    }

    fn write(&self, text: &str) {
        let mut written = self.written.borrow_mut();
        for line in text.split('\n') {
            if written.lines.len() >= LINES_MAX || written.bytes + line.len() > BYTES_MAX {
                written.dropped += 1;
            } else {
                written.bytes += line.len() + 1;
                written.lines.push(line.to_owned());
            }
        }
    }
}

/// Makes the global `console`.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    context.insert_data(Console::default());
    let mut object = ObjectInitializer::new(context);
    for name in ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "group"] {
        object.function(NativeFunction::from_fn_ptr(log), JsString::from(name), 0);
    }
    for name in ["groupEnd", "groupCollapsed", "time", "timeEnd", "timeLog", "count", "countReset", "clear"] {
        object.function(NativeFunction::from_fn_ptr(nothing), JsString::from(name), 0);
    }
    object.function(NativeFunction::from_fn_ptr(assert), js_string!("assert"), 0);
    let console = object.build();
    context.register_global_property(js_string!("console"), console, Attribute::all())
}

fn log(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let shown: Vec<String> =
        arguments.iter().map(|argument| convert::shown(argument, context)).collect::<JsResult<_>>()?;
    if let Some(console) = context.get_data::<Console>() {
        console.write(&shown.join(" "));
    }
    Ok(JsValue::undefined())
}

fn assert(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if arguments.first().is_some_and(JsValue::to_boolean) {
        return Ok(JsValue::undefined());
    }
    let mut said = vec![js_string!("assertion failed").into()];
    said.extend(arguments.iter().skip(1).cloned());
    log(this, &said, context)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that the engine calls")]
fn nothing(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Ok(JsValue::undefined())
}
