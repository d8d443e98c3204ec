//! The functions and operators of conditions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use super::evaluate::{Evaluation, Failure, wrong, wrong_type};
use super::expr::{Arithmetic, Expr, Function};
use super::number::Number;
use super::value::Value;
use crate::http::HttpTarget;

/// How deep values are compared.
const DEPTH_MAX: usize = 128;

/// Calls a function.
pub(crate) fn call<'a>(
    evaluation: &mut Evaluation<'a>,
    expr: &Expr,
    function: Function,
    values: &[Value<'a>],
) -> Result<Value<'a>, Failure> {
    let parts = expr.children();
    let part = |index: usize| parts.get(index).copied().unwrap_or(expr);
    let text = |index: usize| match values.get(index) {
        Some(Value::Text(text)) => Ok(text.as_ref()),
        other => Err(wrong_type(part(index), other.unwrap_or(&Value::Null), "a text")),
    };
    for value in values {
        if let Value::Text(text) = value {
            evaluation.pay_for(expr, text)?;
        }
    }
    Ok(match function {
        Function::Size => Value::Number(Number::Whole(size(part(0), &values[0])? as i128)),
        Function::Contains => Value::Bool(text(0)?.contains(text(1)?)),
        Function::StartsWith => Value::Bool(text(0)?.starts_with(text(1)?)),
        Function::EndsWith => Value::Bool(text(0)?.ends_with(text(1)?)),
        Function::LowerAscii | Function::UpperAscii => {
            let given = text(0)?;
            evaluation.make(expr, given.len())?;
            let lower = function == Function::LowerAscii;
            Value::Text(Cow::Owned(if lower { given.to_ascii_lowercase() } else { given.to_ascii_uppercase() }))
        }
        Function::Int => Value::Number(int(part(0), &values[0])?),
        Function::Double => Value::Number(double(part(0), &values[0])?),
        Function::Text => Value::Text(match &values[0] {
            Value::Text(text) => text.clone(),
            Value::Number(Number::Whole(whole)) => Cow::Owned(whole.to_string()),
            Value::Number(Number::Fraction(fraction)) => Cow::Owned(fraction.to_string()),
            Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            other => return Err(wrong_type(part(0), other, "a text, a number or a bool")),
        }),
        Function::Host => {
            let target = HttpTarget::parse("GET", text(0)?);
            // The address itself stays out of the message: it can carry a secret.
            let target = target.map_err(|_| wrong(part(0), "`host` needs an absolute URL with one clear host"))?;
            Value::Text(Cow::Owned(target.host.to_string()))
        }
        Function::Path => {
            let given = text(0)?;
            evaluation.make(expr, given.len())?;
            let path = HttpTarget::parse("GET", given).ok().and_then(|target| target.plain_path());
            let path = path.ok_or_else(|| {
                wrong(part(0), "`path` needs an absolute URL whose path every server reads in the same way")
            })?;
            Value::Text(Cow::Owned(path))
        }
        Function::Under => Value::Bool(under(text(0)?, text(1)?)),
    })
}

fn size(expr: &Expr, value: &Value<'_>) -> Result<usize, Failure> {
    match value {
        Value::Text(text) => Ok(text.chars().count()),
        Value::Map(fields) => Ok(fields.len()),
        other => other.length().ok_or_else(|| wrong_type(expr, other, "a text, a list or a map")),
    }
}

fn int(expr: &Expr, value: &Value<'_>) -> Result<Number, Failure> {
    let whole = match value {
        Value::Number(Number::Whole(whole)) => Some(*whole),
        Value::Number(Number::Fraction(fraction)) => fraction.is_finite().then(|| fraction.trunc() as i128),
        Value::Text(text) => text.parse::<i64>().ok().map(i128::from),
        other => return Err(wrong_type(expr, other, "a number or a text")),
    };
    whole.and_then(Number::whole).ok_or_else(|| wrong(expr, "`int` needs what is a whole number of 64 bits"))
}

fn double(expr: &Expr, value: &Value<'_>) -> Result<Number, Failure> {
    let fraction = match value {
        Value::Number(number) => Some(number.as_f64()),
        Value::Text(text) => text.parse().ok(),
        other => return Err(wrong_type(expr, other, "a number or a text")),
    };
    fraction.map(Number::Fraction).ok_or_else(|| wrong(expr, "`double` needs what is a number"))
}

/// The index that a number is, if it is one.
pub(crate) fn position(number: Number) -> Option<usize> {
    match number {
        Number::Whole(whole) => usize::try_from(whole).ok(),
        Number::Fraction(fraction) => (fraction >= 0.0 && fraction.fract() == 0.0).then_some(fraction as usize),
    }
}

/// Whether `path` lies in `folder` or is it, after `.`, `..` and doubled slashes were worked out. A relative path is
/// taken from the root, as the sandbox takes it. Links are not looked at: this is about the text of an argument, and the
/// grants hold when the file is opened.
pub(crate) fn under(path: &str, folder: &str) -> bool {
    normal(path).starts_with(&normal(folder))
}

fn normal(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts
}

/// Whether two values are equal; values of different types are not.
pub(crate) fn equal<'a>(
    evaluation: &mut Evaluation<'a>,
    expr: &Expr,
    one: &Value<'a>,
    two: &Value<'a>,
) -> Result<bool, Failure> {
    equal_within(evaluation, expr, one, two, DEPTH_MAX)
}

fn equal_within<'a>(
    evaluation: &mut Evaluation<'a>,
    expr: &Expr,
    one: &Value<'a>,
    two: &Value<'a>,
    depth: usize,
) -> Result<bool, Failure> {
    let depth = depth.checked_sub(1).ok_or_else(|| wrong(expr, "the values nest too deeply to be compared"))?;
    Ok(match (one, two) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(two)) => one == two,
        (Value::Number(one), Value::Number(two)) => one.order(*two) == Some(Ordering::Equal),
        (Value::Text(one), Value::Text(two)) => {
            evaluation.pay_for(expr, one)?;
            one == two
        }
        (Value::Map(one), Value::Map(two)) => {
            if one.len() != two.len() {
                return Ok(false);
            }
            for (key, value) in one.iter() {
                evaluation.pay(expr, 1)?;
                let Some(other) = two.get(key) else { return Ok(false) };
                if !equal_within(evaluation, expr, &value.into(), &other.into(), depth)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => match (one.length(), two.length()) {
            (Some(length), Some(other)) if length == other => {
                for index in 0..length {
                    evaluation.pay(expr, 1)?;
                    let (Some(one), Some(two)) = (one.item(index), two.item(index)) else { return Ok(false) };
                    if !equal_within(evaluation, expr, &one, &two, depth)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        },
    })
}

/// `+`, `-`, `*`, `/`, `%`. A whole number and a fraction make a fraction: arguments are JSON, where `4` can be either.
pub(crate) fn arithmetic<'a>(
    evaluation: &mut Evaluation<'a>,
    expr: &Expr,
    operation: Arithmetic,
    left: Value<'a>,
    right: Value<'a>,
) -> Result<Value<'a>, Failure> {
    match (left, right) {
        (Value::Number(one), Value::Number(two)) => {
            calculate(operation, one, two).map(Value::Number).map_err(|why| wrong(expr, why))
        }
        (Value::Text(one), Value::Text(two)) if operation == Arithmetic::Add => {
            evaluation.make(expr, one.len() + two.len())?;
            Ok(Value::Text(Cow::Owned(format!("{one}{two}"))))
        }
        (one, two) => match (one.length(), two.length()) {
            (Some(length), Some(other)) if operation == Arithmetic::Add => {
                evaluation.make(expr, (length + other) * super::evaluate::BYTES_PER_STEP)?;
                let items = |list: &Value<'a>, length| (0..length).filter_map(|i| list.item(i)).collect::<Vec<_>>();
                let mut joined = items(&one, length);
                joined.extend(items(&two, other));
                Ok(Value::Made(Rc::new(joined)))
            }
            _ => Err(wrong(expr, format!("{} and {} do not go together here", one.kind(), two.kind()))),
        },
    }
}

pub(crate) fn subtract(one: Number, two: Number) -> Result<Number, &'static str> {
    calculate(Arithmetic::Subtract, one, two)
}

fn calculate(operation: Arithmetic, one: Number, two: Number) -> Result<Number, &'static str> {
    const TOO_LARGE: &str = "the number does not fit 64 bits";
    const ZERO: &str = "it divides by zero";
    if let (Number::Whole(one), Number::Whole(two)) = (one, two) {
        // Neither has more than 64 bits, so that 128 hold every sum.
        let whole = match operation {
            Arithmetic::Add => one + two,
            Arithmetic::Subtract => one - two,
            Arithmetic::Multiply => one.checked_mul(two).ok_or(TOO_LARGE)?,
            Arithmetic::Divide => one.checked_div(two).ok_or(ZERO)?,
            Arithmetic::Remainder => one.checked_rem(two).ok_or(ZERO)?,
        };
        return Number::whole(whole).ok_or(TOO_LARGE);
    }
    let (one, two) = (one.as_f64(), two.as_f64());
    Ok(Number::Fraction(match operation {
        Arithmetic::Add => one + two,
        Arithmetic::Subtract => one - two,
        Arithmetic::Multiply => one * two,
        Arithmetic::Divide => one / two,
        Arithmetic::Remainder => return Err("`%` needs whole numbers"),
    }))
}
