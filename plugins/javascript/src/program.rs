//! How code is run: as a script, or as the body of an async function where it has `return` or `await` at the top.

use std::ops::ControlFlow;
use std::path::Path;

use boa_engine::Source;
use boa_engine::ast::Expression;
use boa_engine::ast::declaration::Declaration;
use boa_engine::ast::expression::Identifier;
use boa_engine::ast::scope::Scope;
use boa_engine::ast::statement::Statement;
use boa_engine::ast::visitor::{VisitWith, Visitor};
use boa_engine::ast::{Position, Script, Spanned, StatementListItem};
use boa_engine::interner::{Interner, Sym};
use boa_engine::parser::Parser;
use boa_engine::parser::source::UTF8Input;
use toolcrib_sdk::ToolError;

/// What the code is called in messages of the engine.
pub(crate) const NAME: &str = "program";
/// The most brackets that may be open: the parser takes the stack of the component for each.
const BRACKETS_MAX: usize = 100;

/// Code that can be parsed.
#[derive(Debug)]
pub(crate) struct Program {
    code: String,
    /// How many lines stand before the code of the caller.
    lines_before: u32,
}

impl Program {
    /// Finds out how the code has to be run.
    pub(crate) fn read(code: &str) -> Result<Self, ToolError> {
        check_depth(code)?;
        let script = parse(code);
        let wants_body = match &script {
            Ok((script, interner)) => awaits(script, interner),
            Err(_) => true,
        };
        if !wants_body {
            return Ok(Self { code: code.to_owned(), lines_before: 0 });
        }
        match (body(code), script) {
            (Ok(body), _) => Ok(body),
            (Err(_), Ok(_)) => Ok(Self { code: code.to_owned(), lines_before: 0 }),
            // Of two complaints, the one about what the code seems to be.
            (Err(in_body), Err(in_script)) => {
                let meant = ["await", "return"].iter().any(|word| code.contains(word));
                let message = if meant { in_body } else { in_script };
                Err(ToolError::invalid_arguments(format!("`code` is not JavaScript: {message}")))
            }
        }
    }

    /// The code for the engine.
    pub(crate) fn source(&self) -> Source<'_, UTF8Input<&[u8]>> {
        Source::from_bytes(&self.code).with_path(Path::new(NAME))
    }

    /// A line as the caller counts.
    pub(crate) const fn line(&self, line: u32) -> u32 {
        line.saturating_sub(self.lines_before)
    }
}

/// The code as the body of a function, the last expression returned.
fn body(code: &str) -> Result<Program, String> {
    // The line end ends a comment in the last line.
    let wrapped = |code: &str| format!("(async function () {{\n{code}\n}})()");
    let declared = format!("async function program() {{\n{code}\n}}");
    let shifted = |message: String| shift_lines(&message);
    let (script, _) = parse(&declared).map_err(shifted)?;
    let [StatementListItem::Declaration(declaration)] = script.statements().statements() else {
        return Err("a closing brace has no opening one".to_owned());
    };
    let Declaration::AsyncFunctionDeclaration(function) = declaration.as_ref() else {
        return Err("a closing brace has no opening one".to_owned());
    };
    let mut code = code.to_owned();
    if let Some(StatementListItem::Statement(last)) = function.body().statements().last()
        && let Statement::Expression(expression) = last.as_ref()
        && let Some(at) = offset(&code, beginning(expression))
    {
        let returned = format!("{}return {}", &code[..at], &code[at..]);
        if parse(&wrapped(&returned)).is_ok() {
            code = returned;
        }
    }
    Ok(Program { code: wrapped(&code), lines_before: 1 })
}

fn parse(code: &str) -> Result<(Script, Interner), String> {
    let mut interner = Interner::default();
    let parsed = Parser::new(Source::from_bytes(code)).parse_script(&Scope::new_global(), &mut interner);
    parsed.map(|script| (script, interner)).map_err(|error| error.to_string())
}

/// Whether `await` is used as if it were a variable: `await (x)` is a call in a script.
fn awaits(script: &Script, interner: &Interner) -> bool {
    struct Names(Sym);

    impl<'ast> Visitor<'ast> for Names {
        type BreakTy = ();

        fn visit_identifier(&mut self, identifier: &'ast Identifier) -> ControlFlow<()> {
            if identifier.sym() == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    let Some(name) = interner.get("await") else {
        return false;
    };
    script.visit_with(&mut Names(name)).is_break()
}

/// Where an expression begins: the engine says of a call only where its arguments do.
fn beginning(expression: &Expression) -> Position {
    struct First(Position);

    impl<'ast> Visitor<'ast> for First {
        type BreakTy = ();

        fn visit_expression(&mut self, expression: &'ast Expression) -> ControlFlow<()> {
            self.0 = self.0.min(expression.span().start());
            expression.visit_with(self)
        }
    }

    let mut first = First(expression.span().start());
    let _ = expression.visit_with(&mut first);
    first.0
}

/// Where in the code of the caller a place in the wrapped code is.
fn offset(code: &str, place: Position) -> Option<usize> {
    let (mut line, mut column) = (2, 1);
    let mut letters = code.char_indices().peekable();
    loop {
        if (line, column) == (place.line_number(), place.column_number()) {
            return Some(letters.peek().map_or(code.len(), |(at, _)| *at));
        }
        let (_, letter) = letters.next()?;
        if letter == '\r' {
            letters.next_if(|(_, next)| *next == '\n');
        }
        (line, column) =
            if matches!(letter, '\n' | '\r' | '\u{2028}' | '\u{2029}') { (line + 1, 1) } else { (line, column + 1) };
    }
}

/// The message with its line as the caller counts.
fn shift_lines(message: &str) -> String {
    let mut parts = message.split("line ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let line = part[..end].parse::<u32>().map(|line| line.saturating_sub(1).max(1).to_string());
        out.push_str("line ");
        out.push_str(&line.unwrap_or_else(|_| part[..end].to_owned()));
        out.push_str(&part[end..]);
    }
    out
}

/// Refuses what would overflow the stack of the parser. Text in quotes and comments is not looked into.
fn check_depth(code: &str) -> Result<(), ToolError> {
    let mut open = 0_usize;
    let mut letters = code.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '"' | '\'' => skip_quoted(&mut letters, letter),
            '/' if letters.peek() == Some(&'/') => {
                letters.by_ref().find(|letter| *letter == '\n');
            }
            _ => {}
        }
        if open > BRACKETS_MAX {
            let message = format!("`code` has more than {BRACKETS_MAX} brackets one in another: give data as `input`");
            return Err(ToolError::invalid_arguments(message));
        }
    }
    Ok(())
}

fn skip_quoted(letters: &mut impl Iterator<Item = char>, quote: char) {
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '\n' => return,
            letter if letter == quote => return,
            _ => {}
        }
    }
}
