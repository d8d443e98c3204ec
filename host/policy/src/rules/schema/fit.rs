//! Whether what a rule does with an argument fits the type that the argument has in every tool.

use super::kinds::{Kinds, kinds};
use super::look::Segment;
use super::{Check, Scope, shown, with};
use crate::error::PolicyError;
use crate::names::shortened;
use crate::rules::error::RuleProblem;
use crate::rules::expr::{Arithmetic, Comparison, Expr, Kind, LoopKind, Variable};
use crate::rules::read::of_rule;
use crate::rules::types::RUN_FIELDS;

impl<'a> Check<'a> {
    /// Refuses a part whose arguments never have the type that it needs.
    pub(super) fn fits(&self, expr: &Expr, scope: &Scope<'a>) -> Result<(), PolicyError> {
        match &expr.kind {
            Kind::Compare(comparison, parts) => {
                let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if ordered {
                    parts.iter().try_for_each(|part| self.expect(part, Kinds::NUMBER | Kinds::TEXT, scope))?;
                }
                self.compares(&parts[0], &parts[1], scope)
            }
            Kind::In(parts) => {
                let [item, list] = &**parts;
                match &list.kind {
                    Kind::List(items) => items.iter().try_for_each(|other| self.compares(item, other, scope)),
                    _ => {
                        self.expect(list, Kinds::LIST | Kinds::MAP, scope)?;
                        let Some(path) = self.path(list) else { return Ok(()) };
                        let path = with(path, Segment::Item);
                        self.never_meet(list.at, quoted(&path), of_path(&path, scope), self.kinds(item, scope), scope)
                    }
                }
            }
            Kind::Arithmetic(Arithmetic::Add, parts) => {
                let accepted = Kinds::NUMBER | Kinds::TEXT | Kinds::LIST;
                parts.iter().try_for_each(|part| self.expect(part, accepted, scope))?;
                let left = self.kinds(&parts[0], scope);
                self.expect(&parts[1], left & accepted, scope)
            }
            Kind::Arithmetic(_, parts) => parts.iter().try_for_each(|part| self.expect(part, Kinds::NUMBER, scope)),
            Kind::Negate(inner) => self.expect(inner, Kinds::NUMBER, scope),
            Kind::Not(inner) => self.expect(inner, Kinds::BOOL, scope),
            Kind::And(parts) | Kind::Or(parts) => {
                parts.iter().try_for_each(|part| self.expect(part, Kinds::BOOL, scope))
            }
            Kind::Conditional(parts) => self.expect(&parts[0], Kinds::BOOL, scope),
            Kind::Matches(inner, _) => self.expect(inner, Kinds::TEXT, scope),
            Kind::Call(function, values) => {
                let (accepted, _) = function.signature();
                values.iter().zip(accepted).try_for_each(|(value, accepted)| {
                    let accepted = accepted.iter().fold(Kinds::NONE, |all, of| all | Kinds::from(*of));
                    self.expect(value, accepted, scope)
                })
            }
            Kind::Loop(walk) => self.expect(&walk.over, Kinds::LIST | Kinds::MAP, scope),
            _ => Ok(()),
        }
    }

    /// Refuses a part that never is one of `accepted`.
    pub(super) fn expect(&self, expr: &Expr, accepted: Kinds, scope: &Scope<'a>) -> Result<(), PolicyError> {
        let found = self.kinds(expr, scope);
        if accepted.is_none() || !(found & accepted).is_none() {
            return Ok(());
        }
        let problem = RuleProblem::Misfit {
            what: self.named(expr),
            found: found.to_string(),
            expected: accepted.to_string(),
            tools: names(scope),
        };
        Err(of_rule(&self.rule.name, problem).at(self.condition.places.at(expr.at)))
    }

    fn compares(&self, one: &Expr, other: &Expr, scope: &Scope<'a>) -> Result<(), PolicyError> {
        let (left, right) = (self.kinds(one, scope), self.kinds(other, scope));
        // The side that is an argument is the one to name.
        match self.path(one) {
            None if self.path(other).is_some() => self.never_meet(other.at, self.named(other), right, left, scope),
            _ => self.never_meet(one.at, self.named(one), left, right, scope),
        }
    }

    fn never_meet(
        &self,
        at: usize,
        what: String,
        is: Kinds,
        other: Kinds,
        scope: &Scope<'a>,
    ) -> Result<(), PolicyError> {
        if is.is_none() || other.is_none() || !(is & other).is_none() {
            return Ok(());
        }
        let (found, other) = (is.to_string(), other.to_string());
        let problem = RuleProblem::NeverMeet { what, found, other, tools: names(scope) };
        Err(of_rule(&self.rule.name, problem).at(self.condition.places.at(at)))
    }

    /// What a part can be, as far as the tools in scope say.
    fn kinds(&self, expr: &Expr, scope: &Scope<'a>) -> Kinds {
        if let Some(path) = self.path(expr) {
            return if path.is_empty() { Kinds::MAP } else { of_path(&path, scope) };
        }
        match &expr.kind {
            Kind::Null => Kinds::NULL,
            Kind::Number(_) | Kind::Negate(_) => Kinds::NUMBER,
            Kind::Text(_) | Kind::Variable(Variable::Tool | Variable::Plugin | Variable::Effect) => Kinds::TEXT,
            Kind::List(_) => Kinds::LIST,
            Kind::Bool(_)
            | Kind::Has(..)
            | Kind::Not(_)
            | Kind::And(_)
            | Kind::Or(_)
            | Kind::Compare(..)
            | Kind::In(_)
            | Kind::Matches(..) => Kinds::BOOL,
            Kind::Call(function, _) => Kinds::from(function.signature().1),
            Kind::Loop(walk) if matches!(walk.kind, LoopKind::Map | LoopKind::Filter) => Kinds::LIST,
            Kind::Loop(_) => Kinds::BOOL,
            Kind::Conditional(parts) => self.kinds(&parts[1], scope) | self.kinds(&parts[2], scope),
            Kind::Arithmetic(Arithmetic::Add, parts) => {
                let both = self.kinds(&parts[0], scope) & self.kinds(&parts[1], scope);
                if both.is_none() { Kinds::ANY } else { both }
            }
            Kind::Arithmetic(..) => Kinds::NUMBER,
            Kind::Field(inner, name) if matches!(inner.kind, Kind::Variable(Variable::Run)) => {
                let found = RUN_FIELDS.iter().find(|(known, _)| known == name);
                found.map_or(Kinds::ANY, |(_, of)| Kinds::from(*of))
            }
            _ => Kinds::ANY,
        }
    }

    /// A part as messages name it.
    fn named(&self, expr: &Expr) -> String {
        match (self.path(expr), expr.path()) {
            (Some(path), _) => quoted(&path),
            (None, Some(path)) => format!("`{}`", shortened(&path)),
            (None, None) => "this".to_owned(),
        }
    }
}

fn quoted(path: &[Segment]) -> String {
    format!("`{}`", shortened(&shown(path)))
}

/// What a path can be in the tools that have it; anything where none of them says.
fn of_path(path: &[Segment], scope: &Scope<'_>) -> Kinds {
    let found = scope.iter().filter_map(|tool| kinds(tool.input(), path));
    found.reduce(|one, other| one | other).unwrap_or(Kinds::ANY)
}

fn names(scope: &Scope<'_>) -> Vec<String> {
    scope.iter().map(|tool| tool.name().to_string()).collect()
}
