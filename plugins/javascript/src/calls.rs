//! `tools`: calls of other tools, where the operator grants them.
//!
//! The host answers one call after the other, so that a promise is settled as soon as it is made. It is one all the same:
//! programs are written with `await`.

use boa_engine::native_function::NativeFunction;
use boa_engine::object::builtins::JsPromise;
use boa_engine::property::Attribute;
use boa_engine::{Context, JsArgs, JsError, JsNativeError, JsResult, JsString, JsValue, Source, js_string};
use serde_json::{Map, Value};
use toolcrib_sdk::{EffectState, ErrorKind, ToolError, tools};

use crate::convert;
use crate::failure::Failure;

/// Makes `tools` out of a function that calls.
const PRELUDE: &str = "(call => {
    globalThis.ToolError = class ToolError extends Error {
        constructor(message, about) { super(message); Object.assign(this, about); }
        get name() { return 'ToolError'; }
    };
    const then = name => name === 'then' || typeof name === 'symbol';
    const plugin = plugin => new Proxy({}, {
        get: (_, tool) => then(tool) ? undefined : arguments => call(`${plugin}.${tool}`, arguments),
    });
    return new Proxy({ call }, { get: (own, name) => then(name) || name in own ? own[name] : plugin(name) });
})";

/// Makes the global `tools`.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    let call = NativeFunction::from_fn_ptr(call).to_js_function(context.realm());
    let make = context.eval(Source::from_bytes(PRELUDE))?;
    let make = make.as_callable().ok_or_else(|| JsNativeError::typ().with_message("the prelude is broken"))?;
    let tools = make.call(&JsValue::undefined(), &[call.into()], context)?;
    context.register_global_property(js_string!("tools"), tools, Attribute::all())
}

fn call(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let promise = match made(arguments, context) {
        Ok(value) => JsPromise::resolve(value, context)?,
        Err(error) => JsPromise::reject(error, context)?,
    };
    Ok(promise.into())
}

fn made(arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let Some(tool) = arguments.get_or_undefined(0).as_string() else {
        return Err(JsNativeError::typ()
            .with_message("`tools.call` needs the name of a tool, such as \"files.read\"")
            .into());
    };
    let tool = tool.to_std_string_lossy();
    let given = arguments.get_or_undefined(1);
    let given = if given.is_null_or_undefined() {
        Value::Object(Map::new())
    } else {
        convert::to_json(given, context).map_err(|failure| unfit(failure, &tool))?
    };
    match tools::call(&tool, &given) {
        Ok(result) => JsValue::from_json(&result, context),
        Err(error) => Err(thrown(&error, &tool, context)?),
    }
}

/// Arguments that cannot become JSON.
fn unfit(failure: Failure, tool: &str) -> JsError {
    match failure {
        Failure::Thrown(error) => error,
        _ => JsNativeError::typ().with_message(format!("the arguments of `{tool}` cannot become JSON")).into(),
    }
}

/// The error of a tool as one of the program's.
fn thrown(error: &ToolError, tool: &str, context: &mut Context) -> JsResult<JsError> {
    let effect = match error.effect_state() {
        EffectState::None => "none",
        EffectState::Done => "done",
        EffectState::Unknown => "unknown",
    };
    let retry = match error.kind() {
        ErrorKind::RateLimited { retry_after } => retry_after,
        _ => None,
    };
    let about = serde_json::json!({
        "code": error.kind().as_str(), "effect": effect, "tool": tool, "retryAfter": retry,
    });
    let about = JsValue::from_json(&about, context)?;
    let class = context.global_object().get(js_string!("ToolError"), context)?;
    let Some(class) = class.as_constructor() else {
        return Ok(JsNativeError::error().with_message(error.message().to_owned()).into());
    };
    let message = JsString::from(error.message());
    Ok(JsError::from_opaque(class.construct(&[message.into(), about], None, context)?.into()))
}
