//! Expressions outside rules, over named JSON values: what plans and flows compute. The same language with the same
//! bounds as the conditions of rules.

use serde_json::{Number as JsonNumber, Value as Json};

use super::evaluate::{evaluate, wrong};
use super::expr::{Expr, Kind};
use super::number::Number;
use super::parse;
use super::value::Value;

/// How deep a value that is computed may nest.
const DEPTH_MAX: usize = 64;

/// An expression of CEL that was read: its names are known, its cost is bounded.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    expr: Expr,
}

/// Why an expression is refused, or has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`, character {column}: {why}")]
pub struct ExpressionError {
    /// The expression.
    pub text: String,
    /// The place in it, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub why: String,
}

impl Expression {
    /// Reads an expression that speaks of these names.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        match parse::expression(text, names) {
            Ok(expr) => Ok(Self { text: text.to_owned(), expr }),
            Err((at, problem)) => Err(error(text, at, problem.to_string())),
        }
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whatever it reads: each name with the fields behind it as far as they are written out, such as
    /// `["steps", "fetch", "body"]`.
    pub fn reads(&self) -> Vec<Vec<&str>> {
        let mut found = Vec::new();
        read_by(&self.expr, &mut found);
        found
    }

    /// The value. `lookup` gives the value of a name, or that of a field of a name that has none of its own.
    ///
    /// # Errors
    ///
    /// Something that it reads is not there or of the wrong type, or it costs more than an expression may.
    pub fn evaluate<'a>(
        &'a self,
        lookup: &'a (dyn Fn(&str, Option<&str>) -> Option<&'a Json> + 'a),
    ) -> Result<Json, ExpressionError> {
        let value = evaluate(&self.expr, lookup).and_then(|value| json(&self.expr, value, DEPTH_MAX));
        value.map_err(|failure| error(&self.text, failure.at, failure.why.to_string()))
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

fn error(text: &str, at: usize, why: String) -> ExpressionError {
    let column = text.get(..at).map_or(1, |before| before.chars().count() + 1);
    ExpressionError { text: text.chars().take(200).collect(), column, why }
}

fn read_by<'e>(expr: &'e Expr, found: &mut Vec<Vec<&'e str>>) {
    match path(expr) {
        Some(path) => found.push(path),
        None => {
            // An index stands beside the path that it is an index of.
            expr.children().into_iter().for_each(|part| read_by(part, found));
        }
    }
}

fn path(expr: &Expr) -> Option<Vec<&str>> {
    match &expr.kind {
        Kind::Free(name) => Some(vec![name]),
        Kind::Field(inner, name) | Kind::Has(inner, name) => {
            let mut path = path(inner)?;
            path.push(name);
            Some(path)
        }
        Kind::Index(inner, index) => match &index.kind {
            Kind::Text(name) => {
                let mut path = path(inner)?;
                path.push(name);
                Some(path)
            }
            _ => None,
        },
        _ => None,
    }
}

fn json(expr: &Expr, value: Value<'_>, depth: usize) -> Result<Json, super::evaluate::Failure> {
    let depth = depth.checked_sub(1).ok_or_else(|| wrong(expr, "it makes a value that is nested too deeply"))?;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Number(number) => Json::Number(match number {
            Number::Whole(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(whole)) => whole.into(),
                _ => return Err(wrong(expr, "it makes a whole number of more than 64 bits")),
            },
            Number::Fraction(fraction) => {
                JsonNumber::from_f64(fraction).ok_or_else(|| wrong(expr, "it makes what is not a number"))?
            }
        }),
        Value::Text(text) => Json::String(text.into_owned()),
        Value::Given(items) => Json::Array(items.to_vec()),
        Value::Made(items) => {
            let items = items.iter().map(|item| json(expr, item.clone(), depth));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Map(fields) => Json::Object(fields.clone()),
        Value::Labels | Value::Label(_) | Value::Run | Value::Space(_) => {
            return Err(wrong(expr, "it makes no value: name a field"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAMES: [&str; 3] = ["steps", "inputs", "item"];

    fn value(text: &str) -> Result<Json, String> {
        let fetch = json!({ "items": [{ "n": 1, "p": 2.5 }, { "n": 2, "p": 10 }], "ok": true });
        let inputs = json!({ "most": 5, "name": "Ada" });
        let item = json!("x");
        let lookup = |name: &str, field: Option<&str>| match (name, field) {
            ("steps", Some("fetch")) => Some(&fetch),
            ("inputs", None) => Some(&inputs),
            ("item", None) => Some(&item),
            _ => None,
        };
        let expression = Expression::parse(text, &NAMES).map_err(|error| error.to_string())?;
        expression.evaluate(&lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn values_of_every_kind_are_computed() {
        for (text, expected) in [
            ("steps.fetch.items.filter(i, i.p > inputs.most)", json!([{ "n": 2, "p": 10 }])),
            ("steps.fetch.items.map(i, i.n * 2)", json!([2, 4])),
            ("size(steps.fetch.items) > 1 && steps.fetch.ok", json!(true)),
            ("inputs.name + \"-\" + item", json!("Ada-x")),
            ("has(steps.later) ? steps.later : null", json!(null)),
            ("has(inputs.most)", json!(true)),
            ("steps[\"fetch\"].items[0].p / 4", json!(0.625)),
            ("inputs", json!({ "most": 5, "name": "Ada" })),
            ("[1, \"a\", [true]]", json!([1, "a", [true]])),
            ("18446744073709551615u", json!(u64::MAX)),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, expected) in [
            (
                "steps.later.x",
                "`steps.later.x`, character 1: `steps.later` is missing here; `has(…)` asks whether it is there",
            ),
            ("steps", "`steps`, character 1: it makes no value: name a field"),
            ("args.x", "`args.x`, character 1: there is no `args` here"),
            ("1 +", "`1 +`, character 4: "),
            ("inputs.name > 3", "`inputs.name > 3`, character 1: `inputs.name` is a text and has to be a number"),
            ("steps.fetch.items.map(steps, 1)", "`steps.fetch.items.map(steps, 1)`, character 23: a second meaning"),
        ] {
            let error = value(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        let wide = "[0,1,2,3,4,5,6,7,8,9]";
        let slow = format!("{wide}.map(a, {wide}.map(b, {wide})).map(c, size(c)) == [] || steps.fetch.ok");
        assert!(value(&slow).is_ok());
    }

    #[test]
    fn what_it_reads_is_known() {
        let text = "steps.a.list.filter(i, i.n > inputs.most)[steps.b.at].name + steps[\"c\"].x";
        let expression = Expression::parse(text, &NAMES).unwrap();
        assert_eq!(
            expression.reads(),
            [vec!["steps", "a", "list"], vec!["inputs", "most"], vec!["steps", "b", "at"], vec!["steps", "c", "x"]]
        );
    }
}
