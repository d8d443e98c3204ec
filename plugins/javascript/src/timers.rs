//! `setTimeout`, `setInterval` and what stops them.

use boa_engine::native_function::NativeFunction;
use boa_engine::object::builtins::JsFunction;
use boa_engine::{Context, JsArgs, JsNativeError, JsResult, JsString, JsValue};

use crate::jobs::{Loop, Timer};

/// A function that the engine calls.
type Function = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>;

/// Makes the global functions.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    let functions: [(&str, Function); 6] = [
        ("setTimeout", |_, arguments, context| set(arguments, false, context)),
        ("setInterval", |_, arguments, context| set(arguments, true, context)),
        ("setImmediate", |_, arguments, context| immediate(arguments, context)),
        ("clearTimeout", stop),
        ("clearInterval", stop),
        ("clearImmediate", stop),
    ];
    for (name, function) in functions {
        context.register_global_callable(JsString::from(name), 0, NativeFunction::from_fn_ptr(function))?;
    }
    Ok(())
}

fn set(arguments: &[JsValue], again: bool, context: &mut Context) -> JsResult<JsValue> {
    let after = arguments.get_or_undefined(1).to_number(context)?;
    // NaN and what is negative is now.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let after = after.clamp(0.0, f64::from(i32::MAX)) as u64;
    let every = again.then_some(after.max(1));
    add(arguments.get_or_undefined(0), arguments.get(2..).unwrap_or_default(), after, every, context)
}

fn immediate(arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    add(arguments.get_or_undefined(0), arguments.get(1..).unwrap_or_default(), 0, None, context)
}

fn add(
    function: &JsValue,
    arguments: &[JsValue],
    after: u64,
    every: Option<u64>,
    context: &mut Context,
) -> JsResult<JsValue> {
    let Some(function) = function.as_object().and_then(JsFunction::from_object) else {
        return Err(JsNativeError::typ().with_message("a timer needs a function to call").into());
    };
    let timer = Timer::Callback { function, arguments: arguments.to_vec(), every };
    let number = context.downcast_job_executor::<Loop>().map_or(0, |jobs| jobs.set(timer, after));
    Ok(JsValue::from(number))
}

fn stop(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let number = arguments.get_or_undefined(0).to_u32(context)?;
    if let Some(jobs) = context.downcast_job_executor::<Loop>() {
        jobs.stop(number);
    }
    Ok(JsValue::undefined())
}
