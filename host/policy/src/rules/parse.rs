//! From the text of a condition to [`Expr`]: the parser is the `cel` crate's, and what it read is walked once. Whatever
//! is not known, not bounded, or can never be right is refused here, so that asking a condition is cheap and safe.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr as Ast, LiteralValue, SelectExpr, SourceInfo};
use regex::RegexBuilder;

use super::error::RuleProblem;
use super::expr::{Arithmetic, Comparison, Expr, Function, Kind, Loop, LoopKind, Style, Variable};
use super::number::Number;
use super::types::{CONFIDENTIALITIES, EFFECTS, INTEGRITIES, RUN_FIELDS, Type, Words, listed};
use crate::names::shortened;
use crate::reader::nearest;

/// The longest condition, in bytes. A longer one is several rules.
pub(crate) const SOURCE_MAX: usize = 2048;
/// The most parts of a condition: names, values, operators.
const PARTS_MAX: usize = 200;
/// How deep parts may nest.
const NESTING_MAX: usize = 32;
/// How deep loops may nest: one inside another.
const LOOPS_MAX: usize = 2;
/// The largest compiled pattern, in bytes. Patterns run in linear time; this bounds their memory.
const PATTERN_MAX: usize = 128 * 1024;
/// Names that are no loop variable, because they mean something already, or to CEL.
const TAKEN: &[&str] = &["true", "false", "null", "in"];

/// What is wrong, and at which byte of the condition.
pub(crate) type Wrong = (usize, RuleProblem);

/// Reads a condition.
pub(crate) fn condition(text: &str) -> Result<Expr, Wrong> {
    let read = read(text, None)?;
    match read.of {
        Type::Bool | Type::Any => Ok(read.expr),
        other => Err((read.expr.at, wrong_type("the condition", other, "a bool"))),
    }
}

/// Reads an expression that speaks of these names, and of nothing that a rule speaks of.
pub(crate) fn expression(text: &str, free: &[&str]) -> Result<Expr, Wrong> {
    read(text, Some(free)).map(|read| read.expr)
}

fn read(text: &str, free: Option<&[&str]>) -> Result<Typed, Wrong> {
    if text.len() > SOURCE_MAX {
        return Err((0, too_much("a condition", format!("{} bytes", text.len()), SOURCE_MAX, "write several")));
    }
    // Without the standard macros: `has` and the loops stay as they are written.
    let program = cel::Env::default().compile(text).map_err(|errors| syntax(text, &errors))?;
    let mut reader = Reader { text, places: program.source_info(), parts: 0, names: Vec::new(), free };
    reader.read(program.expression(), 0)
}

/// A part with what is known of its type.
struct Typed {
    expr: Expr,
    of: Type,
}

struct Reader<'a> {
    text: &'a str,
    places: &'a SourceInfo,
    parts: usize,
    /// The variables of the loops around, with the types of what they go over.
    names: Vec<(String, Type)>,
    /// What it speaks of, where it is no condition of a rule.
    free: Option<&'a [&'a str]>,
}

impl Reader<'_> {
    fn read(&mut self, ast: &IdedExpr, depth: usize) -> Result<Typed, Wrong> {
        let at = self.at(ast);
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err((at, too_much("a condition", "more parts".to_owned(), PARTS_MAX, "write several rules")));
        }
        if depth > NESTING_MAX {
            return Err((at, too_deep()));
        }
        let depth = depth + 1;
        match &ast.expr {
            Ast::Literal(value) => self.literal(at, value),
            Ast::Ident(name) => self.name(at, name),
            Ast::Select(select) => self.field(select, depth),
            Ast::List(list) if list.optional_indices.is_empty() => {
                let items = list.elements.iter().map(|item| Ok(self.read(item, depth)?.expr));
                Ok(typed(at, Kind::List(items.collect::<Result<_, _>>()?), Type::List))
            }
            Ast::Call(call) => self.call(at, call, depth),
            Ast::Map(_) => Err((at, RuleProblem::NotInRules { what: "a map", instead: "compare single values" })),
            _ => Err((at, RuleProblem::NotInRules { what: "this", instead: "compare values, fields and lists" })),
        }
    }

    /// Where a part begins, as well as the parser tells: a call is known by its parenthesis.
    fn at(&self, ast: &IdedExpr) -> usize {
        let at = self.places.offset_for(ast.id).map_or(0, |(start, _)| start as usize).min(self.text.len());
        let before = self.text.get(..at).unwrap_or_default();
        match &ast.expr {
            Ast::Call(call) if before.ends_with(call.func_name.as_str()) => at - call.func_name.len(),
            _ => at,
        }
    }

    fn literal(&self, at: usize, value: &LiteralValue) -> Result<Typed, Wrong> {
        Ok(match value {
            LiteralValue::Null => typed(at, Kind::Null, Type::Null),
            LiteralValue::Boolean(value) => typed(at, Kind::Bool(*value.inner()), Type::Bool),
            LiteralValue::Int(value) => typed(at, Kind::Number(Number::Whole((*value.inner()).into())), Type::Number),
            LiteralValue::UInt(value) => typed(at, Kind::Number(Number::Whole((*value.inner()).into())), Type::Number),
            LiteralValue::Double(value) => typed(at, Kind::Number(Number::Fraction(*value.inner())), Type::Number),
            LiteralValue::String(text) => typed(at, Kind::Text(text.inner().to_owned()), Type::Text),
            LiteralValue::Bytes(_) => {
                return Err((at, RuleProblem::NotInRules { what: "a text of bytes", instead: "write a plain text" }));
            }
        })
    }

    fn name(&self, at: usize, name: &str) -> Result<Typed, Wrong> {
        if let Some(depth) = self.names.iter().rposition(|(known, _)| known == name) {
            return Ok(typed(at, Kind::Element(depth), self.names[depth].1));
        }
        let spoken =
            self.free.map_or_else(|| Variable::ALL.iter().map(|(known, _)| *known).collect(), <[&str]>::to_vec);
        if self.free.is_some() && spoken.contains(&name) {
            return Ok(typed(at, Kind::Free(name.to_owned()), Type::Any));
        }
        let variable = if self.free.is_some() { None } else { Variable::find(name) };
        let Some(variable) = variable else {
            let known = spoken.iter().copied();
            let names = self.names.iter().map(|(name, _)| name.as_str());
            let problem = RuleProblem::UnknownName {
                name: shortened(name),
                nearest: nearest(name, known.clone().chain(names)),
                known: listed(known),
            };
            return Err((at, problem));
        };
        let of = match variable {
            Variable::Tool | Variable::Plugin => Type::Text,
            Variable::Args => Type::Map,
            Variable::Effect => Type::OneOf(&EFFECTS),
            Variable::Labels => Type::Labels,
            Variable::Run => Type::Run,
        };
        Ok(typed(at, Kind::Variable(variable), of))
    }

    fn field(&mut self, select: &SelectExpr, depth: usize) -> Result<Typed, Wrong> {
        let inner = self.read(&select.operand, depth)?;
        let of = field_type(&inner, &select.field)?;
        let at = inner.expr.at;
        Ok(typed(at, Kind::Field(Box::new(inner.expr), select.field.clone()), of))
    }

    fn call(&mut self, at: usize, call: &CallExpr, depth: usize) -> Result<Typed, Wrong> {
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            ("_&&_" | "_||_", None, _) => self.junction(name, call, depth),
            ("!_", None, [inner]) => {
                let inner = self.expect(inner, depth, "what follows `!`", &[Type::Bool], "a bool")?;
                Ok(typed(at, Kind::Not(Box::new(inner.expr)), Type::Bool))
            }
            ("-_", None, [inner]) => {
                let inner = self.expect(inner, depth, "what follows `-`", &[Type::Number], "a number")?;
                Ok(typed(at, Kind::Negate(Box::new(inner.expr)), Type::Number))
            }
            ("_?_:_", None, [condition, yes, no]) => {
                let condition = self.expect(condition, depth, "what stands before `?`", &[Type::Bool], "a bool")?;
                let (yes, no) = (self.read(yes, depth)?, self.read(no, depth)?);
                let of = if yes.of == no.of { yes.of } else { Type::Any };
                let at = condition.expr.at;
                Ok(typed(at, Kind::Conditional(Box::new([condition.expr, yes.expr, no.expr])), of))
            }
            ("@in", None, [item, list]) => self.membership(item, list, depth),
            ("_[_]", None, [list, index]) => self.index(list, index, depth),
            ("has", None, [inner]) => self.has(at, inner, depth),
            ("matches", target, args) => self.matches(at, target, args, depth),
            (_, Some(over), args) if loop_kind(name).is_some() => self.walk(at, name, over, args, depth),
            (_, None, [left, right]) => match (comparison(name), arithmetic(name)) {
                (Some(comparison), _) => self.compare(comparison, left, right, depth),
                (_, Some(arithmetic)) => self.arithmetic(arithmetic, left, right, depth),
                _ => self.function(at, call, depth),
            },
            _ => self.function(at, call, depth),
        }
    }

    /// A chain of `&&` or `||`, which the parser makes a tree of. Flat, it is as long as it likes without nesting.
    fn junction(&mut self, name: &str, call: &CallExpr, depth: usize) -> Result<Typed, Wrong> {
        let mut waiting: Vec<&IdedExpr> = call.args.iter().rev().collect();
        let mut parts = Vec::new();
        while let Some(next) = waiting.pop() {
            match &next.expr {
                Ast::Call(inner) if inner.func_name == name => waiting.extend(inner.args.iter().rev()),
                _ => {
                    let what = if name == "_&&_" { "each side of `&&`" } else { "each side of `||`" };
                    parts.push(self.expect(next, depth, what, &[Type::Bool], "a bool")?.expr);
                }
            }
        }
        let at = parts.first().map_or(0, |part| part.at);
        let kind = if name == "_&&_" { Kind::And(parts) } else { Kind::Or(parts) };
        Ok(typed(at, kind, Type::Bool))
    }

    fn expect(
        &mut self,
        ast: &IdedExpr,
        depth: usize,
        what: &str,
        accepted: &[Type],
        expected: &'static str,
    ) -> Result<Typed, Wrong> {
        let read = self.read(ast, depth)?;
        if read.of.fits(accepted) {
            return Ok(read);
        }
        let what = read.expr.path().map_or_else(|| what.to_owned(), |path| format!("`{path}`"));
        Err((read.expr.at, wrong_type(&what, read.of, expected)))
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: &IdedExpr,
        right: &IdedExpr,
        depth: usize,
    ) -> Result<Typed, Wrong> {
        let (left, right) = (self.read(left, depth)?, self.read(right, depth)?);
        let at = left.expr.at;
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        for side in [&left, &right] {
            if ordered && !side.of.fits(&[Type::Number, Type::Text]) {
                let what =
                    side.expr.path().map_or("each side of the comparison".to_owned(), |path| format!("`{path}`"));
                return Err((side.expr.at, wrong_type(&what, side.of, "a number or a text")));
            }
        }
        if !left.of.compares(right.of) {
            return Err((at, RuleProblem::NeverEqual { left: left.of.shown(), right: right.of.shown() }));
        }
        one_of(&left, &right)?;
        one_of(&right, &left)?;
        Ok(typed(at, Kind::Compare(comparison, Box::new([left.expr, right.expr])), Type::Bool))
    }

    fn arithmetic(
        &mut self,
        arithmetic: Arithmetic,
        left: &IdedExpr,
        right: &IdedExpr,
        depth: usize,
    ) -> Result<Typed, Wrong> {
        let accepted: &[Type] = match arithmetic {
            Arithmetic::Add => &[Type::Number, Type::Text, Type::List],
            _ => &[Type::Number],
        };
        let left = self.expect(left, depth, "the left side", accepted, "a number")?;
        let right = self.expect(right, depth, "the right side", accepted, "a number")?;
        let at = left.expr.at;
        if !left.of.compares(right.of) {
            return Err((right.expr.at, wrong_type("the right side", right.of, left.of.shown())));
        }
        let of = match (left.of, right.of) {
            (Type::Any, Type::Any) if arithmetic == Arithmetic::Add => Type::Any,
            (Type::Any, Type::Any) => Type::Number,
            (Type::Any, known) | (known, _) => {
                if known.is_text() {
                    Type::Text
                } else {
                    known
                }
            }
        };
        Ok(typed(at, Kind::Arithmetic(arithmetic, Box::new([left.expr, right.expr])), of))
    }

    fn membership(&mut self, item: &IdedExpr, list: &IdedExpr, depth: usize) -> Result<Typed, Wrong> {
        let item = self.read(item, depth)?;
        let list = self.expect(list, depth, "what follows `in`", &[Type::List, Type::Map], "a list or a map")?;
        if let (Type::OneOf(words), Kind::List(known)) = (item.of, &list.expr.kind) {
            known.iter().try_for_each(|part| check_word(words, part))?;
        }
        let at = item.expr.at;
        Ok(typed(at, Kind::In(Box::new([item.expr, list.expr])), Type::Bool))
    }

    fn index(&mut self, list: &IdedExpr, index: &IdedExpr, depth: usize) -> Result<Typed, Wrong> {
        let list = self.read(list, depth)?;
        let index =
            self.expect(index, depth, "what stands in `[]`", &[Type::Number, Type::Text], "a number or a text")?;
        let at = list.expr.at;
        let of = match (list.of, &index.expr.kind) {
            // `run["id"]` is `run.id`.
            (Type::Labels | Type::Label | Type::Run, Kind::Text(name)) => {
                let of = field_type(&list, name)?;
                return Ok(typed(at, Kind::Field(Box::new(list.expr), name.clone()), of));
            }
            (Type::Labels, _) if index.of.is_text() => Type::Label,
            (Type::List | Type::Map | Type::Any, _) => Type::Any,
            (other, _) => return Err((at, wrong_type("what stands before `[`", other, "a list or a map"))),
        };
        Ok(typed(at, Kind::Index(Box::new(list.expr), Box::new(index.expr)), of))
    }

    fn has(&mut self, at: usize, inner: &IdedExpr, depth: usize) -> Result<Typed, Wrong> {
        let inner = self.read(inner, depth)?;
        match (inner.of, inner.expr.kind) {
            (Type::Any, Kind::Field(of, name)) => Ok(typed(at, Kind::Has(of, name), Type::Bool)),
            (Type::Label, _) => {
                let instead = "every argument has a label";
                Err((at, RuleProblem::NotInRules { what: "`has` of a label", instead }))
            }
            _ => Err((at, shape("has(args.name)"))),
        }
    }

    fn matches(
        &mut self,
        at: usize,
        target: Option<&IdedExpr>,
        args: &[IdedExpr],
        depth: usize,
    ) -> Result<Typed, Wrong> {
        let (text, pattern) = match (target, args) {
            (Some(text), [pattern]) | (None, [text, pattern]) => (text, pattern),
            _ => return Err((at, shape("args.name.matches(\"pattern\")"))),
        };
        let text = self.expect(text, depth, "what stands before `.matches`", &[Type::Text], "a text")?;
        let pattern = self.read(pattern, depth)?;
        let Kind::Text(source) = &pattern.expr.kind else {
            let instead = "write the pattern itself, so that it is checked when the file is read";
            let what = "a pattern that is made during a call";
            return Err((pattern.expr.at, RuleProblem::NotInRules { what, instead }));
        };
        let mut builder = RegexBuilder::new(source);
        let regex = builder.size_limit(PATTERN_MAX).dfa_size_limit(PATTERN_MAX).nest_limit(NESTING_MAX as u32).build();
        let regex = regex.map_err(|error| (pattern.expr.at, bad_pattern(source, &error)))?;
        let at = text.expr.at;
        Ok(typed(at, Kind::Matches(Box::new(text.expr), Box::new(regex)), Type::Bool))
    }

    fn walk(
        &mut self,
        at: usize,
        name: &str,
        over: &IdedExpr,
        args: &[IdedExpr],
        depth: usize,
    ) -> Result<Typed, Wrong> {
        let kind = loop_kind(name).unwrap_or(LoopKind::All);
        let example = || shape(&format!("args.list.{name}(item, …)"));
        let (variable, body) = args.split_first().ok_or_else(|| (at, example()))?;
        let Ast::Ident(variable_name) = &variable.expr else {
            return Err((at, example()));
        };
        let spoken_of = match self.free {
            Some(free) => free.contains(&variable_name.as_str()),
            None => Variable::find(variable_name).is_some(),
        };
        if spoken_of || TAKEN.contains(&variable_name.as_str()) {
            let problem = RuleProblem::NotInRules { what: "a second meaning of a name", instead: "take another one" };
            return Err((self.at(variable), problem));
        }
        let accepted = &[Type::List, Type::Map, Type::Labels];
        let over = self.expect(over, depth, "what a loop goes over", accepted, "a list or a map")?;
        if self.names.len() >= LOOPS_MAX {
            let instead = "ask about fewer lists at once";
            return Err((at, too_much("a loop", "more loops inside".to_owned(), LOOPS_MAX - 1, instead)));
        }
        let element = if matches!(over.of, Type::Map | Type::Labels) { Type::Text } else { Type::Any };
        let slot = self.names.len();
        self.names.push((variable_name.clone(), element));
        let (filter, result) = match (kind, body) {
            (LoopKind::Map, [result]) => (None, Some(self.read(result, depth)?.expr)),
            (LoopKind::Map, [filter, result]) => {
                let filter = self.expect(filter, depth, "what a loop asks", &[Type::Bool], "a bool")?;
                (Some(filter.expr), Some(self.read(result, depth)?.expr))
            }
            (LoopKind::Map, _) => return Err((at, example())),
            (_, [filter]) => {
                let filter = self.expect(filter, depth, "what a loop asks", &[Type::Bool], "a bool")?;
                (Some(filter.expr), None)
            }
            _ => return Err((at, example())),
        };
        self.names.pop();
        let of = if matches!(kind, LoopKind::Map | LoopKind::Filter) { Type::List } else { Type::Bool };
        let at = over.expr.at;
        Ok(typed(at, Kind::Loop(Box::new(Loop { kind, over: over.expr, depth: slot, filter, result })), of))
    }

    fn function(&mut self, at: usize, call: &CallExpr, depth: usize) -> Result<Typed, Wrong> {
        let name = call.func_name.as_str();
        let Some((_, function, style, takes)) = Function::ALL.iter().find(|(known, ..)| *known == name) else {
            let problem = RuleProblem::UnknownFunction {
                name: shortened(name),
                nearest: nearest(name, Function::names()),
                known: listed(Function::names()),
            };
            return Err((at, problem));
        };
        let member = call.target.is_some();
        let given: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        if given.len() != *takes || (member && *style == Style::Plain) || (!member && *style == Style::Member) {
            return Err((at, shape(written(*function))));
        }
        let (accepted, of) = function.signature();
        let mut values = Vec::with_capacity(given.len());
        for (ast, accepted) in given.into_iter().zip(accepted) {
            let what = format!("what `{name}` takes");
            let expected = if accepted.len() == 1 { "a text" } else { written_types(*function) };
            values.push(self.expect(ast, depth, &what, accepted, expected)?.expr);
        }
        Ok(typed(at, Kind::Call(*function, values), of))
    }
}

fn typed(at: usize, kind: Kind, of: Type) -> Typed {
    Typed { expr: Expr { at, kind }, of }
}

/// The type of a field.
fn field_type(inner: &Typed, field: &str) -> Result<Type, Wrong> {
    let at = inner.expr.at;
    let unknown = |known: &mut dyn Iterator<Item = &'static str>| {
        let known: Vec<&str> = known.collect();
        let nearest = nearest(field, known.iter().copied());
        let path = inner.expr.path().map_or_else(|| field.to_owned(), |path| format!("{path}.{field}"));
        (at, RuleProblem::UnknownName { name: shortened(&path), nearest, known: listed(known.into_iter()) })
    };
    match inner.of {
        Type::Any | Type::Map => Ok(Type::Any),
        Type::Labels => Ok(Type::Label),
        Type::Label => match field {
            "integrity" => Ok(Type::OneOf(&INTEGRITIES)),
            "confidentiality" => Ok(Type::OneOf(&CONFIDENTIALITIES)),
            _ => Err(unknown(&mut ["integrity", "confidentiality"].into_iter())),
        },
        Type::Run => {
            let found = RUN_FIELDS.iter().find(|(known, _)| *known == field);
            found.map(|(_, of)| *of).ok_or_else(|| unknown(&mut RUN_FIELDS.iter().map(|(known, _)| *known)))
        }
        other => {
            let what = inner.expr.path().map_or("what stands before the dot".to_owned(), |path| format!("`{path}`"));
            Err((at, wrong_type(&what, other, "a map to have fields")))
        }
    }
}

fn one_of(one: &Typed, other: &Typed) -> Result<(), Wrong> {
    match one.of {
        Type::OneOf(words) => check_word(words, &other.expr),
        _ => Ok(()),
    }
}

fn check_word(words: &Words, part: &Expr) -> Result<(), Wrong> {
    match &part.kind {
        Kind::Text(text) => words.check(text).map_err(|problem| (part.at, problem)),
        _ => Ok(()),
    }
}

fn loop_kind(name: &str) -> Option<LoopKind> {
    match name {
        "all" => Some(LoopKind::All),
        "exists" => Some(LoopKind::Exists),
        "exists_one" | "existsOne" => Some(LoopKind::ExistsOne),
        "filter" => Some(LoopKind::Filter),
        "map" => Some(LoopKind::Map),
        _ => None,
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    match name {
        "_==_" => Some(Comparison::Equal),
        "_!=_" => Some(Comparison::NotEqual),
        "_<_" => Some(Comparison::Less),
        "_<=_" => Some(Comparison::LessOrEqual),
        "_>_" => Some(Comparison::Greater),
        "_>=_" => Some(Comparison::GreaterOrEqual),
        _ => None,
    }
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    match name {
        "_+_" => Some(Arithmetic::Add),
        "_-_" => Some(Arithmetic::Subtract),
        "_*_" => Some(Arithmetic::Multiply),
        "_/_" => Some(Arithmetic::Divide),
        "_%_" => Some(Arithmetic::Remainder),
        _ => None,
    }
}

fn written(function: Function) -> &'static str {
    match function {
        Function::Size => "size(args.list)",
        Function::Contains => "args.name.contains(\"text\")",
        Function::StartsWith => "args.name.startsWith(\"text\")",
        Function::EndsWith => "args.name.endsWith(\"text\")",
        Function::LowerAscii => "args.name.lowerAscii()",
        Function::UpperAscii => "args.name.upperAscii()",
        Function::Int => "int(args.number)",
        Function::Double => "double(args.number)",
        Function::Text => "string(args.number)",
        Function::Host => "host(args.url)",
        Function::Path => "path(args.url)",
        Function::Under => "under(args.path, \"/folder\")",
    }
}

fn written_types(function: Function) -> &'static str {
    match function {
        Function::Size => "a text, a list or a map",
        Function::Text => "a text, a number or a bool",
        _ => "a number or a text",
    }
}

fn wrong_type(what: &str, found: Type, expected: &'static str) -> RuleProblem {
    RuleProblem::Type { what: what.to_owned(), found: found.shown(), expected }
}

fn shape(written: &str) -> RuleProblem {
    RuleProblem::Shape { shape: written.to_owned() }
}

fn too_much(what: &'static str, found: String, most: usize, instead: &'static str) -> RuleProblem {
    RuleProblem::TooMuch { what, found, most, instead }
}

fn too_deep() -> RuleProblem {
    too_much("a condition", "parts nested deeper".to_owned(), NESTING_MAX, "write several rules")
}

fn bad_pattern(pattern: &str, error: &regex::Error) -> RuleProblem {
    let why = match error {
        regex::Error::CompiledTooBig(_) => format!("needs more than {PATTERN_MAX} bytes: make its repetitions smaller"),
        // The reader of patterns draws a picture; its last line says what is wrong.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("is no regular expression: {}", last.trim_start_matches("error: "))
        }
    };
    RuleProblem::Pattern { pattern: shortened(pattern), why }
}

/// The first complaint of the parser, without what only its authors understand.
fn syntax(text: &str, errors: &cel::ParseErrors) -> Wrong {
    if errors.errors.iter().any(|error| error.msg.contains("ecursion limit")) {
        return (0, too_deep());
    }
    let Some(first) = errors.errors.iter().min_by_key(|error| error.pos) else {
        return (0, RuleProblem::Syntax("this is no CEL".to_owned()));
    };
    let message = first.msg.trim_start_matches("Syntax error: ");
    let message = match message.split_once(" expecting {") {
        Some(("mismatched input '<EOF>'" | "extraneous input '<EOF>'", _)) => "the condition ends too early",
        Some((head, _)) => head,
        None => message,
    };
    let problem = RuleProblem::Syntax(format!("this is no CEL: {}", shortened(message)));
    (offset(text, first.pos), problem)
}

/// The byte at a line and a column, both from 1, columns in characters.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let Some(found) = text.split_inclusive('\n').nth(line) else {
        return text.len();
    };
    let begin = found.as_ptr() as usize - text.as_ptr() as usize;
    begin + found.char_indices().nth(column).map_or(found.len(), |(at, _)| at)
}
