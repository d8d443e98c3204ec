//! What stands between `{{` and `}}`, or behind `$ref`.

use serde_json::Value;
use toolcrib_policy::Expression;

use super::{RefError, Reference};
use crate::StepName;

/// The names that every expression may speak of. A loop adds its variable, an error branch `error`.
pub const NAMES: [&str; 2] = ["steps", "inputs"];

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The way to a part of a result.
    Path(Reference),
    /// Anything else.
    Computed(Expression),
}

/// Something that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// The result of a step.
    Step {
        /// The name that it has where the expression stands.
        name: StepName,
        /// Whether the expression can ask first whether there is one.
        guarded: bool,
    },
    /// A variable: `inputs`, that of a loop, or `error`.
    Variable(String),
}

/// The values that an expression sees where it stands.
pub trait Scope {
    /// The result of the step that is called so here.
    fn step(&self, name: &StepName) -> Option<&Value>;

    /// The name that this step has in the whole run.
    fn origin(&self, name: &StepName) -> Option<StepName>;

    /// The value of a variable.
    fn value(&self, name: &str) -> Option<&Value>;

    /// The steps that a variable's value came from.
    fn sources(&self, name: &str) -> Vec<StepName>;
}

impl Source {
    /// Reads an expression that may speak of `names`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, RefError> {
        match Reference::parse(text) {
            Ok(reference) => Ok(Self::Path(reference)),
            // What a path can be is told by the reader of paths, anything else by that of expressions.
            Err(why) => match Expression::parse(text.trim(), names) {
                Ok(expression) => Ok(Self::Computed(expression)),
                Err(_) if text.trim_start().starts_with("steps.") && !text.contains('(') => Err(why),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Whether the text is meant as an expression: it begins with one of the names, or it is one and reads one of them.
    pub(super) fn is_meant(text: &str, names: &[&str]) -> bool {
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (first, rest) = text.split_at(end);
        let begins =
            names.contains(&first) && (rest.is_empty() || !rest.starts_with(char::is_whitespace) || is_operator(rest));
        begins
            || text.starts_with("size(steps.")
            || Expression::parse(text, names).is_ok_and(|expression| !expression.reads().is_empty())
    }

    /// Everything that it reads.
    pub fn reads(&self) -> Vec<Read> {
        match self {
            Self::Path(reference) => vec![Read::Step { name: reference.step.clone(), guarded: false }],
            Self::Computed(expression) => expression.reads().iter().filter_map(|path| read(path)).collect(),
        }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// It reads what is not there, or what is of the wrong type.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, RefError> {
        match self {
            Self::Path(reference) => {
                let result = scope.step(&reference.step).ok_or_else(|| RefError::NoResult(reference.to_string()))?;
                reference.evaluate(result)
            }
            Self::Computed(expression) => {
                let lookup = |name: &str, field: Option<&str>| match (name, field) {
                    ("steps", None) => None,
                    ("steps", Some(step)) => scope.step(&StepName::try_from(step.to_owned()).ok()?),
                    (name, None) => scope.value(name),
                    (_, Some(_)) => None,
                };
                Ok(expression.evaluate(&lookup)?)
            }
        }
    }
}

/// Whether what follows a name goes on with it.
fn is_operator(rest: &str) -> bool {
    let rest = rest.trim_start();
    ["==", "!=", "<", ">", "+", "-", "*", "/", "%", "&&", "||", "?", "in "].iter().any(|sign| rest.starts_with(sign))
}

fn read(path: &[&str]) -> Option<Read> {
    match path {
        ["steps", step, ..] => {
            let name = StepName::try_from((*step).to_owned()).ok()?;
            Some(Read::Step { name, guarded: true })
        }
        ["steps"] | [] => None,
        [name, ..] => Some(Read::Variable((*name).to_owned())),
    }
}
