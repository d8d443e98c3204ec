//! Asks a condition about a call. Every step, and every byte that is looked at or made, is paid from a budget, so that
//! no arguments make a rule slow.

use std::borrow::Cow;
use std::rc::Rc;

use super::expr::{Comparison, Expr, Kind, Loop, LoopKind, Variable};
use super::functions;
use super::number::Number;
use super::value::Value;
use crate::effect::Effect;
use crate::gate::RunFacts;
use crate::label::{Label, Labels};
use crate::names::ToolName;

/// What one rule may cost: about this many steps, some milliseconds. A usual rule takes ten.
pub(crate) const BUDGET: u32 = 100_000;
/// Bytes of text that cost one step.
pub(crate) const BYTES_PER_STEP: usize = 16;
/// The most items or bytes that a condition makes for itself, in one value.
const MADE_MAX: usize = 64 * 1024;

/// What a condition is asked about. What is not known yet is `None`: the answer is then unknown where it matters.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) tool: &'a ToolName,
    /// The same as text.
    pub(crate) name: &'a str,
    pub(crate) effect: Option<&'a Effect>,
    pub(crate) call: Option<Happening<'a>>,
}

/// What is known only when there is a call.
#[derive(Clone, Copy)]
pub(crate) struct Happening<'a> {
    pub(crate) args: &'a serde_json::Value,
    pub(crate) labels: &'a Labels,
    pub(crate) run: &'a RunFacts,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) at: usize,
    pub(crate) why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    /// It depends on what is not known yet.
    #[error("it depends on the call")]
    Unknown,
    #[error("it takes more than {BUDGET} steps with these arguments")]
    Budget,
    #[error("{0}")]
    Wrong(String),
}

/// Gives the names outside a rule their values: of a whole name, or of one of its fields where it has no value of its own.
pub(crate) type Lookup<'a> = dyn Fn(&str, Option<&str>) -> Option<&'a serde_json::Value> + 'a;

/// What an expression speaks of.
#[derive(Clone, Copy)]
enum World<'a> {
    Call(&'a Scene<'a>),
    Names(&'a Lookup<'a>),
}

/// Evaluates an expression that is no condition of a rule.
pub(crate) fn evaluate<'a>(expr: &'a Expr, lookup: &'a Lookup<'a>) -> Result<Value<'a>, Failure> {
    Evaluation { world: World::Names(lookup), left: BUDGET, elements: Vec::new() }.value(expr)
}

/// Asks a condition.
pub(crate) fn ask(condition: &Expr, scene: &Scene<'_>) -> Result<bool, Failure> {
    let mut evaluation = Evaluation { world: World::Call(scene), left: BUDGET, elements: Vec::new() };
    match evaluation.value(condition)? {
        Value::Bool(answer) => Ok(answer),
        other => Err(wrong(condition, format!("the condition is {} and has to be a bool", other.kind()))),
    }
}

pub(crate) struct Evaluation<'a> {
    world: World<'a>,
    left: u32,
    /// What the loops around are at.
    elements: Vec<Value<'a>>,
}

type Answer<'a> = Result<Value<'a>, Failure>;

impl<'a> Evaluation<'a> {
    pub(crate) fn value(&mut self, expr: &'a Expr) -> Answer<'a> {
        self.pay(expr, 1)?;
        Ok(match &expr.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(*number),
            Kind::Text(text) => Value::text(text),
            Kind::List(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.value(item)).collect();
                Value::Made(Rc::new(items?))
            }
            Kind::Variable(variable) => self.variable(expr, *variable)?,
            Kind::Free(name) => match self.world {
                World::Names(lookup) => lookup(name, None).map_or(Value::Space(name), Value::from),
                World::Call(_) => return Err(missing(expr)),
            },
            Kind::Element(depth) => self.elements.get(*depth).cloned().unwrap_or(Value::Null),
            Kind::Field(inner, name) => self.field(expr, inner, name)?,
            Kind::Index(list, index) => self.index(expr, list, index)?,
            Kind::Has(inner, name) => match self.value(inner)? {
                Value::Map(fields) => Value::Bool(fields.contains_key(name)),
                Value::Space(space) => Value::Bool(self.in_space(space, name).is_some()),
                other => return Err(no_fields(inner, &other)),
            },
            Kind::Not(inner) => Value::Bool(!self.truth(inner)?),
            Kind::Negate(inner) => {
                let zero = Number::Whole(0);
                Value::Number(functions::subtract(zero, self.number(inner)?).map_err(|why| wrong(expr, why))?)
            }
            Kind::And(parts) => Value::Bool(!self.first(parts.iter(), false)?),
            Kind::Or(parts) => Value::Bool(self.first(parts.iter(), true)?),
            Kind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let taken = if self.truth(condition)? { yes } else { no };
                self.value(taken)?
            }
            Kind::Compare(comparison, parts) => Value::Bool(self.compare(*comparison, &parts[0], &parts[1])?),
            Kind::Arithmetic(operation, parts) => {
                let (left, right) = (self.value(&parts[0])?, self.value(&parts[1])?);
                functions::arithmetic(self, expr, *operation, left, right)?
            }
            Kind::In(parts) => Value::Bool(self.membership(&parts[0], &parts[1])?),
            Kind::Call(function, parts) => {
                let values: Result<Vec<_>, _> = parts.iter().map(|part| self.value(part)).collect();
                functions::call(self, expr, *function, &values?)?
            }
            Kind::Matches(text, pattern) => {
                let text = self.text(text)?;
                self.pay_for(expr, &text)?;
                Value::Bool(pattern.is_match(&text))
            }
            Kind::Loop(walk) => self.walk(walk)?,
        })
    }

    /// Takes `steps` from the budget.
    pub(crate) fn pay(&mut self, expr: &Expr, steps: usize) -> Result<(), Failure> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps));
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Failure { at: expr.at, why: Why::Budget })
    }

    /// Pays for reading a text once.
    pub(crate) fn pay_for(&mut self, expr: &Expr, text: &str) -> Result<(), Failure> {
        self.pay(expr, text.len() / BYTES_PER_STEP)
    }

    /// Refuses to make what is too large, and pays for it.
    pub(crate) fn make(&mut self, expr: &Expr, size: usize) -> Result<(), Failure> {
        if size > MADE_MAX {
            return Err(too_large(expr));
        }
        self.pay(expr, size / BYTES_PER_STEP)
    }

    /// The scene, where there is a call.
    fn scene(&self) -> Option<&'a Scene<'a>> {
        match self.world {
            World::Call(scene) => Some(scene),
            World::Names(_) => None,
        }
    }

    fn call(&self) -> Option<&'a Happening<'a>> {
        self.scene()?.call.as_ref()
    }

    fn in_space(&self, space: &str, name: &str) -> Option<Value<'a>> {
        match self.world {
            World::Names(lookup) => lookup(space, Some(name)).map(Value::from),
            World::Call(_) => None,
        }
    }

    fn variable(&mut self, expr: &Expr, variable: Variable) -> Answer<'a> {
        let unknown = Failure { at: expr.at, why: Why::Unknown };
        let Some(scene) = self.scene() else { return Err(unknown) };
        let call = scene.call.as_ref();
        Ok(match variable {
            Variable::Tool => Value::text(scene.name),
            Variable::Plugin => Value::text(scene.tool.plugin().as_str()),
            Variable::Effect => Value::text(scene.effect.ok_or(unknown)?.as_str()),
            Variable::Args => Value::from(call.ok_or(unknown)?.args),
            Variable::Labels => call.map(|_| Value::Labels).ok_or(unknown)?,
            Variable::Run => call.map(|_| Value::Run).ok_or(unknown)?,
        })
    }

    fn field(&mut self, expr: &Expr, inner: &'a Expr, name: &'a str) -> Answer<'a> {
        match self.value(inner)? {
            Value::Map(fields) => fields.get(name).map(Value::from).ok_or_else(|| missing(expr)),
            Value::Labels => Ok(Value::Label(self.label(name))),
            Value::Label(label) => Ok(Value::text(if name == "integrity" {
                label.integrity.as_str()
            } else {
                label.confidentiality.as_str()
            })),
            Value::Run => self.run_field(expr, name),
            Value::Space(space) => self.in_space(space, name).ok_or_else(|| missing(expr)),
            other => Err(no_fields(inner, &other)),
        }
    }

    fn run_field(&self, expr: &Expr, name: &str) -> Answer<'a> {
        let run = self.call().ok_or(Failure { at: expr.at, why: Why::Unknown })?.run;
        Ok(match name {
            "id" => Value::text(&run.id),
            "goal" => Value::text(&run.goal),
            "planner" => Value::text(&run.planner),
            "attended" => Value::Bool(run.attended),
            "calls" => Value::Number(Number::Whole(run.calls.into())),
            _ => return Err(missing(expr)),
        })
    }

    fn label(&self, argument: &str) -> Label {
        let labels = self.call().map(|call| call.labels);
        labels.and_then(|labels| labels.get(argument)).copied().unwrap_or(Label::TRUSTED)
    }

    fn index(&mut self, expr: &Expr, list: &'a Expr, index: &'a Expr) -> Answer<'a> {
        let (list, at) = (self.value(list)?, self.value(index)?);
        match (&list, &at) {
            (Value::Space(space), Value::Text(name)) => self.in_space(space, name).ok_or_else(|| missing(expr)),
            (Value::Labels, Value::Text(name)) => Ok(Value::Label(self.label(name))),
            (Value::Map(fields), Value::Text(name)) => {
                fields.get(name.as_ref()).map(Value::from).ok_or_else(|| missing(expr))
            }
            (Value::Given(_) | Value::Made(_), Value::Number(number)) => {
                let index = functions::position(*number);
                index.and_then(|index| list.item(index)).ok_or_else(|| wrong(expr, "the list has no such item"))
            }
            (Value::Given(_) | Value::Made(_) | Value::Map(_), _) => {
                Err(wrong(index, format!("{} is no place in {}", at.kind(), list.kind())))
            }
            _ => Err(no_fields(expr, &list)),
        }
    }

    /// Whether one of `parts` is `wanted`, which settles the whole: an error beside it does not count.
    fn first(&mut self, parts: impl Iterator<Item = &'a Expr>, wanted: bool) -> Result<bool, Failure> {
        let mut failed = None;
        for part in parts {
            match self.truth(part) {
                Ok(answer) if answer == wanted => return Ok(true),
                Ok(_) => {}
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    fn truth(&mut self, expr: &'a Expr) -> Result<bool, Failure> {
        match self.value(expr)? {
            Value::Bool(answer) => Ok(answer),
            other => Err(wrong_type(expr, &other, "a bool")),
        }
    }

    fn number(&mut self, expr: &'a Expr) -> Result<Number, Failure> {
        match self.value(expr)? {
            Value::Number(number) => Ok(number),
            other => Err(wrong_type(expr, &other, "a number")),
        }
    }

    fn text(&mut self, expr: &'a Expr) -> Result<Cow<'a, str>, Failure> {
        match self.value(expr)? {
            Value::Text(text) => Ok(text),
            other => Err(wrong_type(expr, &other, "a text")),
        }
    }

    fn compare(&mut self, comparison: Comparison, left: &'a Expr, right: &'a Expr) -> Result<bool, Failure> {
        let (one, two) = (self.value(left)?, self.value(right)?);
        match comparison {
            Comparison::Equal => return functions::equal(self, left, &one, &two),
            Comparison::NotEqual => return Ok(!functions::equal(self, left, &one, &two)?),
            _ => {}
        }
        let order = match (&one, &two) {
            (Value::Number(one), Value::Number(two)) => one.order(*two),
            (Value::Text(one), Value::Text(two)) => {
                self.pay_for(left, one)?;
                Some(one.cmp(two))
            }
            // What was given is wrong, not what the rule says.
            (given, Value::Number(_)) if right.path().is_none() => return Err(wrong_type(left, given, "a number")),
            (given, Value::Text(_)) if right.path().is_none() => return Err(wrong_type(left, given, "a text")),
            (Value::Number(_), other) => return Err(wrong_type(right, other, "a number")),
            (Value::Text(_), other) => return Err(wrong_type(right, other, "a text")),
            (other, _) => return Err(wrong_type(left, other, "a number or a text")),
        };
        // What is not a number is in no order with anything.
        Ok(order.is_some_and(|order| match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    fn membership(&mut self, item: &'a Expr, list: &'a Expr) -> Result<bool, Failure> {
        let (wanted, within) = (self.value(item)?, self.value(list)?);
        if let Value::Map(fields) = within {
            return Ok(matches!(wanted, Value::Text(name) if fields.contains_key(name.as_ref())));
        }
        let length = within.length().ok_or_else(|| wrong_type(list, &within, "a list or a map"))?;
        for index in 0..length {
            self.pay(item, 1)?;
            if within.item(index).map_or(Ok(false), |item_there| functions::equal(self, item, &wanted, &item_there))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn walk(&mut self, walk: &'a Loop) -> Answer<'a> {
        let over = self.over(&walk.over)?;
        let length = over.length().unwrap_or(0);
        let (mut failed, mut found, mut made) = (None, 0usize, Vec::new());
        for index in 0..length {
            let Some(item) = over.item(index) else { break };
            self.elements.truncate(walk.depth);
            self.elements.push(item.clone());
            match (walk.kind, self.passes(walk)) {
                (_, Err(failure)) if failure.why == Why::Budget => return Err(failure),
                (LoopKind::All | LoopKind::Exists, Err(failure)) => failed = failed.or(Some(failure)),
                (_, Err(failure)) => return Err(failure),
                (LoopKind::All, Ok(false)) => return Ok(Value::Bool(false)),
                (LoopKind::Exists, Ok(true)) => return Ok(Value::Bool(true)),
                (_, Ok(false)) => {}
                (LoopKind::Filter, Ok(true)) => made.push(item),
                (LoopKind::Map, Ok(true)) => made.push(walk.result.as_ref().map_or(Ok(item), |r| self.value(r))?),
                (_, Ok(true)) => found += 1,
            }
            if made.len() > MADE_MAX {
                return Err(too_large(&walk.over));
            }
        }
        self.elements.truncate(walk.depth);
        if let Some(failure) = failed {
            return Err(failure);
        }
        Ok(match walk.kind {
            LoopKind::All => Value::Bool(true),
            LoopKind::Exists => Value::Bool(false),
            LoopKind::ExistsOne => Value::Bool(found == 1),
            LoopKind::Filter | LoopKind::Map => Value::Made(Rc::new(made)),
        })
    }

    fn passes(&mut self, walk: &'a Loop) -> Result<bool, Failure> {
        self.pay(&walk.over, 1)?;
        walk.filter.as_ref().map_or(Ok(true), |filter| self.truth(filter))
    }

    /// The list that a loop goes over: of a map its keys, of the labels the names of the arguments.
    fn over(&mut self, over: &'a Expr) -> Answer<'a> {
        let keys: Vec<Value<'a>> = match self.value(over)? {
            list @ (Value::Given(_) | Value::Made(_)) => return Ok(list),
            Value::Map(fields) => fields.keys().map(|key| Value::text(key)).collect(),
            Value::Labels => {
                let call = self.call();
                let given = call.and_then(|call| call.args.as_object()).into_iter().flat_map(|args| args.keys());
                let labels = call.map(|call| call.labels);
                let more = labels.into_iter().flat_map(|labels| labels.keys());
                let more = more.filter(|name| call.is_some_and(|call| call.args.get(name.as_str()).is_none()));
                given.chain(more).map(|name| Value::text(name)).collect()
            }
            other => return Err(wrong_type(over, &other, "a list or a map")),
        };
        self.pay(over, keys.len())?;
        Ok(Value::Made(Rc::new(keys)))
    }
}

fn too_large(expr: &Expr) -> Failure {
    wrong(expr, format!("it would make a text or list of more than {MADE_MAX}"))
}

pub(crate) fn wrong(expr: &Expr, why: impl Into<String>) -> Failure {
    Failure { at: expr.at, why: Why::Wrong(why.into()) }
}

pub(crate) fn wrong_type(expr: &Expr, found: &Value<'_>, expected: &str) -> Failure {
    let what = expr.path().map_or_else(|| "a value".to_owned(), |path| format!("`{path}`"));
    wrong(expr, format!("{what} is {} and has to be {expected}", found.kind()))
}

fn missing(expr: &Expr) -> Failure {
    let name = || match &expr.kind {
        Kind::Field(_, name) => format!("the field `{name}`"),
        _ => "a field".to_owned(),
    };
    let what = expr.path().map_or_else(name, |path| format!("`{path}`"));
    wrong(expr, format!("{what} is missing here; `has(…)` asks whether it is there"))
}

fn no_fields(expr: &Expr, found: &Value<'_>) -> Failure {
    let what = expr.path().map_or_else(|| "a value".to_owned(), |path| format!("`{path}`"));
    wrong(expr, format!("{what} is {} and has no fields", found.kind()))
}
