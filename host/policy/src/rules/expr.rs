//! A condition after it was read: every name is known, every pattern compiled, and each part knows where it stands.

use regex::Regex;

use super::number::Number;

/// A part of a condition, with its place: the offset in bytes in the text of the condition.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Expr>),
    Variable(Variable),
    /// A name outside a rule, such as `steps`: whoever evaluates the expression knows its value.
    Free(String),
    /// What the loop around it is at, by the depth of the loop.
    Element(usize),
    Field(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Has(Box<Expr>, String),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Conditional(Box<[Expr; 3]>),
    Compare(Comparison, Box<[Expr; 2]>),
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    In(Box<[Expr; 2]>),
    Call(Function, Vec<Expr>),
    Matches(Box<Expr>, Box<Regex>),
    Loop(Box<Loop>),
}

/// A walk over a list: what CEL calls a comprehension.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) over: Expr,
    /// What each element is called by [`Kind::Element`].
    pub(crate) depth: usize,
    /// Asked of each element; absent for a `map` of all.
    pub(crate) filter: Option<Expr>,
    /// Made of each element by `map`.
    pub(crate) result: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// What a condition speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    Tool,
    Plugin,
    Args,
    Effect,
    Labels,
    Run,
}

impl Variable {
    pub(crate) const ALL: &'static [(&'static str, Variable)] = &[
        ("tool", Variable::Tool),
        ("plugin", Variable::Plugin),
        ("args", Variable::Args),
        ("effect", Variable::Effect),
        ("labels", Variable::Labels),
        ("run", Variable::Run),
    ];

    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The functions, `has`, `matches` and the loops apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Int,
    Double,
    Text,
    Host,
    Path,
    Under,
}

/// How a function is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `host(url)`
    Plain,
    /// `text.contains(other)`
    Member,
    /// Either way.
    Both,
}

impl Function {
    /// Each function with its name, how it is written, and how many values it takes, the one before the dot included.
    pub(crate) const ALL: &'static [(&'static str, Function, Style, usize)] = &[
        ("size", Function::Size, Style::Both, 1),
        ("contains", Function::Contains, Style::Member, 2),
        ("startsWith", Function::StartsWith, Style::Member, 2),
        ("endsWith", Function::EndsWith, Style::Member, 2),
        ("lowerAscii", Function::LowerAscii, Style::Member, 1),
        ("upperAscii", Function::UpperAscii, Style::Member, 1),
        ("int", Function::Int, Style::Plain, 1),
        ("double", Function::Double, Style::Plain, 1),
        ("string", Function::Text, Style::Plain, 1),
        ("host", Function::Host, Style::Plain, 1),
        ("path", Function::Path, Style::Plain, 1),
        ("under", Function::Under, Style::Plain, 2),
    ];

    /// The names of everything that is written like a function.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        let rest = ["matches", "has", "all", "exists", "exists_one", "filter", "map"];
        Self::ALL.iter().map(|(name, ..)| *name).chain(rest)
    }
}

impl Expr {
    /// The parts directly inside.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Variable(_)
            | Kind::Free(_)
            | Kind::Element(_) => Vec::new(),
            Kind::Field(inner, _)
            | Kind::Has(inner, _)
            | Kind::Not(inner)
            | Kind::Negate(inner)
            | Kind::Matches(inner, _) => vec![inner],
            Kind::Index(list, index) => vec![list, index],
            Kind::List(parts) | Kind::And(parts) | Kind::Or(parts) | Kind::Call(_, parts) => parts.iter().collect(),
            Kind::Conditional(parts) => parts.iter().collect(),
            Kind::Compare(_, parts) | Kind::Arithmetic(_, parts) | Kind::In(parts) => parts.iter().collect(),
            Kind::Loop(walk) => [&walk.over].into_iter().chain(&walk.filter).chain(&walk.result).collect(),
        }
    }

    /// Whether the part, or one inside it, speaks of one of `variables`.
    pub(crate) fn mentions(&self, variables: &[Variable]) -> bool {
        match self.kind {
            Kind::Variable(variable) => variables.contains(&variable),
            _ => self.children().into_iter().any(|part| part.mentions(variables)),
        }
    }

    /// `args.to` where the part is written so, for messages.
    pub(crate) fn path(&self) -> Option<String> {
        match &self.kind {
            Kind::Variable(variable) => {
                Variable::ALL.iter().find(|(_, known)| known == variable).map(|(name, _)| (*name).to_owned())
            }
            Kind::Free(name) => Some(name.clone()),
            Kind::Field(inner, name) => Some(format!("{}.{name}", inner.path()?)),
            Kind::Index(inner, _) => Some(format!("{}[…]", inner.path()?)),
            _ => None,
        }
    }
}
