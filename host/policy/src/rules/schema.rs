//! Checks rules against the tools that are there: whether each argument that a rule speaks of exists, whether its type fits
//! what the rule does with it, and whether it is always given.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use super::error::RuleProblem;
use super::evaluate::{Scene, ask};
use super::expr::{Comparison, Expr, Kind, Loop, Variable};
use super::read::of_rule;
use super::{CallRule, Condition, Rules};
use crate::error::{Place, PolicyError};
use crate::names::{ToolName, shortened};
use crate::reader::nearest;

mod fit;
mod kinds;
mod look;

use kinds::Kinds;
use look::{Found, Segment, look};

/// A tool, as far as rules need to know it.
pub trait ToolShape {
    /// Its name.
    fn name(&self) -> &ToolName;
    /// The JSON Schema of its arguments. Only asked for where a rule speaks of them.
    fn input(&self) -> &Json;
}

/// What a rule says that will not do what it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWarning {
    /// Where.
    pub at: Place,
    /// The rule.
    pub rule: String,
    /// What will happen instead.
    pub message: String,
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: in rule `{}`: {}", self.at, self.rule, self.message)
    }
}

impl Rules {
    pub(crate) fn check(&self, tools: &[&dyn ToolShape]) -> Result<Vec<RuleWarning>, PolicyError> {
        let mut warnings = Vec::new();
        for rule in &self.list {
            let scope: Vec<&dyn ToolShape> = tools.iter().copied().filter(|t| rule.speaks_of(t.name())).collect();
            rule.check_patterns(tools, &mut warnings);
            let Some(condition) = &rule.condition else { continue };
            let mut check = Check { rule, condition, tools, warnings: Vec::new(), loops: Vec::new() };
            check.part(&condition.expr, &scope, &Guards::default())?;
            check.expect(&condition.expr, Kinds::BOOL, &scope)?;
            warnings.append(&mut check.warnings);
        }
        Ok(warnings)
    }
}

impl CallRule {
    /// Warns of patterns that match no tool.
    fn check_patterns(&self, tools: &[&dyn ToolShape], warnings: &mut Vec<RuleWarning>) {
        for pattern in self.tools.iter().flatten() {
            if tools.iter().any(|tool| pattern.matches(tool.name())) {
                continue;
            }
            let known: Vec<String> = tools.iter().map(|tool| tool.name().to_string()).collect();
            let near = did_you_mean(nearest(&pattern.to_string(), known.iter().map(String::as_str)));
            let message = format!("`{pattern}` in `tools` matches no tool that is there{near}");
            warnings.push(RuleWarning { at: self.tools_at.clone(), rule: self.name.clone(), message });
        }
    }
}

/// The paths that are known to be there where a part is evaluated, by `has(…)` beside or around it.
#[derive(Clone, Default)]
struct Guards(BTreeSet<Vec<Segment>>);

struct Check<'a> {
    rule: &'a CallRule,
    condition: &'a Condition,
    tools: &'a [&'a dyn ToolShape],
    warnings: Vec<RuleWarning>,
    /// What the elements of the loops around are: the path of the list, where it is one of the arguments.
    loops: Vec<Option<Vec<Segment>>>,
}

type Scope<'a> = [&'a dyn ToolShape];

impl<'a> Check<'a> {
    fn part(&mut self, expr: &Expr, scope: &Scope<'a>, guards: &Guards) -> Result<(), PolicyError> {
        self.fits(expr, scope)?;
        match &expr.kind {
            // What stands beside decides for which calls an error of a part counts, so that each narrows the others.
            Kind::And(parts) => self.narrowed(parts, true, scope, guards),
            Kind::Or(parts) => self.narrowed(parts, false, scope, guards),
            Kind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                self.part(condition, scope, guards)?;
                let (then_scope, then_guards) = self.given(condition, true, scope, guards);
                self.part(yes, &then_scope, &then_guards)?;
                let (else_scope, else_guards) = self.given(condition, false, scope, guards);
                self.part(no, &else_scope, &else_guards)
            }
            Kind::Compare(Comparison::Equal | Comparison::NotEqual, parts) => {
                self.literal(&parts[0], &parts[1]);
                self.literal(&parts[1], &parts[0]);
                parts.iter().try_for_each(|part| self.part(part, scope, guards))
            }
            Kind::In(parts) => {
                if let Kind::List(items) = &parts[1].kind {
                    items.iter().for_each(|item| self.literal(&parts[0], item));
                }
                parts.iter().try_for_each(|part| self.part(part, scope, guards))
            }
            Kind::Has(inner, name) => {
                self.part(inner, scope, guards)?;
                match self.path(inner) {
                    Some(path) => self.exists(expr.at, &with(path, Segment::Key(name.clone())), scope),
                    None => Ok(()),
                }
            }
            Kind::Field(..) | Kind::Index(..) => self.access(expr, scope, guards),
            Kind::Loop(walk) => self.walk(walk, scope, guards),
            _ => expr.children().into_iter().try_for_each(|part| self.part(part, scope, guards)),
        }
    }

    fn narrowed(&mut self, parts: &[Expr], truth: bool, scope: &Scope<'a>, guards: &Guards) -> Result<(), PolicyError> {
        for (index, part) in parts.iter().enumerate() {
            let (mut scope, mut guards) = (scope.to_vec(), guards.clone());
            for (_, beside) in parts.iter().enumerate().filter(|(other, _)| *other != index) {
                (scope, guards) = self.given(beside, truth, &scope, &guards);
            }
            self.part(part, &scope, &guards)?;
        }
        Ok(())
    }

    fn walk(&mut self, walk: &Loop, scope: &Scope<'a>, guards: &Guards) -> Result<(), PolicyError> {
        self.part(&walk.over, scope, guards)?;
        let element = self.path(&walk.over).map(|path| with(path, Segment::Item));
        self.loops.truncate(walk.depth);
        self.loops.push(element);
        if let Some(filter) = &walk.filter {
            self.part(filter, scope, guards)?;
            self.expect(filter, Kinds::BOOL, scope)?;
        }
        if let Some(result) = &walk.result {
            let (scope, guards) = match &walk.filter {
                Some(filter) => self.given(filter, true, scope, guards),
                None => (scope.to_vec(), guards.clone()),
            };
            self.part(result, &scope, &guards)?;
        }
        self.loops.truncate(walk.depth);
        Ok(())
    }

    /// The tools and guards where `condition` is `truth`.
    fn given(
        &self,
        condition: &Expr,
        truth: bool,
        scope: &Scope<'a>,
        guards: &Guards,
    ) -> (Vec<&'a dyn ToolShape>, Guards) {
        let mut guards = guards.clone();
        self.add_guards(condition, truth, &mut guards);
        let mut scope = scope.to_vec();
        if condition.mentions(&[Variable::Tool, Variable::Plugin]) {
            scope.retain(|tool| {
                let name = tool.name().to_string();
                let scene = Scene { tool: tool.name(), name: &name, effect: None, call: None };
                ask(condition, &scene).map_or(true, |answer| answer == truth)
            });
        }
        (scope, guards)
    }

    fn add_guards(&self, condition: &Expr, truth: bool, guards: &mut Guards) {
        match (&condition.kind, truth) {
            (Kind::Not(inner), _) => self.add_guards(inner, !truth, guards),
            (Kind::And(parts), true) | (Kind::Or(parts), false) => {
                parts.iter().for_each(|part| self.add_guards(part, truth, guards));
            }
            (Kind::Has(inner, name), true) => {
                guards.0.extend(self.path(inner).map(|path| with(path, Segment::Key(name.clone()))));
            }
            (Kind::In(parts), true) => {
                if let (Kind::Text(name), Some(path)) = (&parts[0].kind, self.path(&parts[1])) {
                    guards.0.insert(with(path, Segment::Key(name.clone())));
                }
            }
            _ => {}
        }
    }

    /// The path in the arguments that a part is, if it is one.
    fn path(&self, expr: &Expr) -> Option<Vec<Segment>> {
        match &expr.kind {
            Kind::Variable(Variable::Args) => Some(Vec::new()),
            Kind::Element(depth) => self.loops.get(*depth)?.clone(),
            Kind::Field(inner, name) => Some(with(self.path(inner)?, Segment::Key(name.clone()))),
            Kind::Index(inner, index) => match &index.kind {
                Kind::Text(name) => Some(with(self.path(inner)?, Segment::Key(name.clone()))),
                Kind::Number(_) => Some(with(self.path(inner)?, Segment::Item)),
                _ => None,
            },
            _ => None,
        }
    }

    fn access(&mut self, expr: &Expr, scope: &Scope<'a>, guards: &Guards) -> Result<(), PolicyError> {
        if let Some(name) = label(expr) {
            return self.exists(expr.at, &[Segment::Key(name.to_owned())], scope);
        }
        let Some(path) = self.path(expr) else {
            return expr.children().into_iter().try_for_each(|part| self.part(part, scope, guards));
        };
        self.exists(expr.at, &path, scope)?;
        self.always_there(expr, &path, scope, guards);
        Ok(())
    }

    /// Refuses a path that no tool in scope has.
    fn exists(&self, at: usize, path: &[Segment], scope: &Scope<'a>) -> Result<(), PolicyError> {
        let mut known = BTreeSet::new();
        for tool in scope {
            match look(tool.input(), path) {
                Found::Missing(there) => known.extend(there),
                _ => return Ok(()),
            }
        }
        if scope.is_empty() {
            return Ok(());
        }
        let last = path.iter().rev().find_map(Segment::key).unwrap_or_default();
        let problem = RuleProblem::NoSuchArgument {
            path: shortened(&shown(path)),
            nearest: nearest_name(last, &known),
            known: known.iter().map(|name| shortened(name)).collect(),
            tools: scope.iter().map(|tool| tool.name().to_string()).collect(),
        };
        Err(of_rule(&self.rule.name, problem).at(self.condition.places.at(at)))
    }

    /// Warns of a path that some tool in scope does not have, or not in every call: the rule denies there.
    fn always_there(&mut self, expr: &Expr, path: &[Segment], scope: &Scope<'a>, guards: &Guards) {
        // A beginning of the path that is not sure is complained about, not each step after it.
        let guarded = |path: &[Segment]| guards.0.contains(path);
        let (mut lack, mut optional) = (Vec::new(), Vec::new());
        let unsure = (1..=path.len()).map(|end| &path[..end]).find(|path| {
            (lack, optional) = (Vec::new(), Vec::new());
            if guarded(path) || !matches!(path.last(), Some(Segment::Key(_))) {
                return false;
            }
            for tool in scope {
                match look(tool.input(), path) {
                    Found::Missing(_) => lack.push(format!("`{}`", tool.name())),
                    Found::There { always: false } | Found::Anything => optional.push(format!("`{}`", tool.name())),
                    Found::There { always: true } => {}
                }
            }
            !lack.is_empty() || !optional.is_empty()
        });
        let Some(unsure) = unsure else { return };
        let unsure = shown(unsure);
        let message = if lack.is_empty() {
            format!(
                "`{unsure}` need not be in a call of {}, and the rule denies where it is missing: write `has({unsure}) && …`",
                some(&optional)
            )
        } else {
            format!(
                "`{unsure}` is no argument of {}, and the rule denies every call of it that comes so far: name the tools that \
                 have it in `tools`, or write `has({unsure}) && …`",
                some(&lack)
            )
        };
        self.warn(expr.at, message);
    }

    /// Warns of the name of a tool or plugin that is not there.
    fn literal(&mut self, variable: &Expr, literal: &Expr) {
        let (Kind::Variable(variable), Kind::Text(text)) = (&variable.kind, &literal.kind) else { return };
        let names = |of: fn(&ToolName) -> String| -> BTreeSet<String> {
            self.tools.iter().map(|tool| of(tool.name())).collect()
        };
        let (what, known) = match variable {
            Variable::Tool => ("tool", names(ToString::to_string)),
            Variable::Plugin => ("plugin", names(|tool| tool.plugin().to_string())),
            _ => return,
        };
        if !known.contains(text) {
            let near = did_you_mean(nearest(text, known.iter().map(String::as_str)));
            self.warn(literal.at, format!("there is no {what} `{}`{near}", shortened(text)));
        }
    }

    fn warn(&mut self, at: usize, message: String) {
        let warning = RuleWarning { at: self.condition.places.at(at), rule: self.rule.name.clone(), message };
        if !self.warnings.iter().any(|other| other.message == warning.message) {
            self.warnings.push(warning);
        }
    }
}

/// The argument whose label a part is.
fn label(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Field(inner, name) if matches!(inner.kind, Kind::Variable(Variable::Labels)) => Some(name),
        _ => None,
    }
}

fn with(mut path: Vec<Segment>, segment: Segment) -> Vec<Segment> {
    path.push(segment);
    path
}

fn shown(path: &[Segment]) -> String {
    let mut shown = "args".to_owned();
    for segment in path {
        match segment {
            Segment::Key(name) => shown.push_str(&format!(".{name}")),
            Segment::Item => shown.push_str("[…]"),
        }
    }
    shown
}

/// The argument that may be meant. Names that one contains in the other count as near: `recipient` and `recipients`.
fn nearest_name(name: &str, known: &BTreeSet<String>) -> Option<String> {
    nearest(name, known.iter().map(String::as_str))
        .or_else(|| known.iter().find(|other| other.contains(name) || name.contains(other.as_str())).cloned())
}

fn some(tools: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = if tools.len() > SHOWN { format!(" and {} more", tools.len() - SHOWN) } else { String::new() };
    format!("{}{more}", tools.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "))
}

fn did_you_mean(near: Option<String>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
