//! What is known of a part's type before there is a call.

use super::error::RuleProblem;
use super::expr::Function;
use crate::names::shortened;
use crate::reader::nearest;

/// A type, as far as it is known. Arguments can be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Any,
    Null,
    Bool,
    Number,
    Text,
    /// One of a few texts.
    OneOf(&'static Words),
    List,
    Map,
    /// All labels, by argument.
    Labels,
    /// The label of one argument.
    Label,
    Run,
}

/// The few texts that something can be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) what: &'static str,
    pub(crate) known: &'static [&'static str],
}

pub(crate) static EFFECTS: Words =
    Words { what: "effect", known: &["read", "idempotent", "reversible", "irreversible"] };
pub(crate) static INTEGRITIES: Words = Words { what: "integrity", known: &["trusted", "untrusted"] };
pub(crate) static CONFIDENTIALITIES: Words = Words { what: "confidentiality", known: &["public", "private", "secret"] };

/// The fields of `run`.
pub(crate) const RUN_FIELDS: &[(&str, Type)] = &[
    ("id", Type::Text),
    ("goal", Type::Text),
    ("planner", Type::Text),
    ("attended", Type::Bool),
    ("calls", Type::Number),
];

impl Type {
    /// The type in words.
    pub(crate) const fn shown(self) -> &'static str {
        match self {
            Type::Any => "of any type",
            Type::Null => "null",
            Type::Bool => "a bool",
            Type::Number => "a number",
            Type::Text | Type::OneOf(_) => "a text",
            Type::List => "a list",
            Type::Map => "a map",
            Type::Labels => "the labels of all arguments",
            Type::Label => "a label",
            Type::Run => "the run",
        }
    }

    pub(crate) fn is_text(self) -> bool {
        matches!(self, Type::Text | Type::OneOf(_) | Type::Any)
    }

    /// Whether values of both types could be equal.
    pub(crate) fn compares(self, other: Type) -> bool {
        let whole = |one: Type| matches!(one, Type::Labels | Type::Label | Type::Run);
        match (self, other) {
            _ if whole(self) || whole(other) => false,
            (Type::Any, _) | (_, Type::Any) => true,
            _ => self == other || (self.is_text() && other.is_text()),
        }
    }

    /// Whether the type may be one of `accepted`.
    pub(crate) fn fits(self, accepted: &[Type]) -> bool {
        self == Type::Any || accepted.contains(&self) || (self.is_text() && accepted.contains(&Type::Text))
    }
}

impl Words {
    /// Checks a text that is compared with one of the words.
    pub(crate) fn check(&self, text: &str) -> Result<(), RuleProblem> {
        if self.known.contains(&text) {
            return Ok(());
        }
        Err(RuleProblem::NoSuchValue {
            value: shortened(text),
            of: self.what,
            nearest: nearest(text, self.known.iter().copied()),
            known: listed(self.known.iter().copied()),
        })
    }
}

impl Function {
    /// What each value may be, and what comes out.
    pub(crate) const fn signature(self) -> (&'static [&'static [Type]], Type) {
        const TEXT: &[Type] = &[Type::Text];
        match self {
            Function::Size => (&[&[Type::Text, Type::List, Type::Map]], Type::Number),
            Function::Contains | Function::StartsWith | Function::EndsWith => (&[TEXT, TEXT], Type::Bool),
            Function::LowerAscii | Function::UpperAscii => (&[TEXT], Type::Text),
            Function::Int | Function::Double => (&[&[Type::Text, Type::Number]], Type::Number),
            Function::Text => (&[&[Type::Text, Type::Number, Type::Bool]], Type::Text),
            Function::Host | Function::Path => (&[TEXT], Type::Text),
            Function::Under => (&[TEXT, TEXT], Type::Bool),
        }
    }
}

/// `a`, `b` and `c`.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
