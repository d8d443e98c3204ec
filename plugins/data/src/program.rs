//! jq programs.

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile, data};
use jaq_json::Val;
use toolcrib_sdk::ToolError;

use crate::limits::{Excess, MAX_BRACKETS, MAX_OUTPUT, MAX_PROGRAM, MAX_RESULTS, excerpt, measure};

/// The most of a message of jq, which may quote a value, in characters.
const MAX_MESSAGE: usize = 300;

/// Filters that are written in jq.
const OWN_DEFINITIONS: &str = include_str!("program.jq");

/// The only data of a run: the compiled program.
type Data = data::JustLut<Val>;

/// Runs a program on one value and gives back all of its results.
pub(crate) fn run(program: &str, input: Val) -> Result<Vec<Val>, ToolError> {
    let filter = compile(program)?;
    let context = Ctx::<Data>::new(&filter.lut, Vars::new([]));
    let mut results = Vec::new();
    let mut size = 0;
    for result in filter.id.run((context, input)) {
        let value = match result.map_err(jaq_core::Exn::get_err) {
            Ok(value) => value,
            Err(Ok(error)) => return Err(failed(&excerpt(&error, MAX_MESSAGE), results.len())),
            // `halt` ends the program, and what came before stands.
            Err(Err(_)) => break,
        };
        match measure(&value) {
            Ok(more) => size += more,
            Err(excess) => {
                // To drop it would recurse as deep as it is; the memory ends with the call.
                std::mem::forget(value);
                return Err(too_much(&excess, results.len()));
            }
        }
        results.push(value);
        if results.len() > MAX_RESULTS {
            return Err(ToolError::invalid_arguments(format!(
                "the jq program gives back more than {MAX_RESULTS} results; narrow it, such as with `limit(100; …)`"
            )));
        }
        if size > MAX_OUTPUT {
            return Err(ToolError::invalid_arguments(format!(
                "the results of the jq program are longer than {MAX_OUTPUT} bytes; narrow it, such as with `limit(100; …)` or fewer fields"
            )));
        }
    }
    Ok(results)
}

fn failed(message: &str, results: usize) -> ToolError {
    let after = match results {
        0 => String::new(),
        1 => " after 1 result".to_owned(),
        many => format!(" after {many} results"),
    };
    ToolError::invalid_arguments(format!("the jq program failed{after}: {message}"))
}

fn too_much(excess: &Excess, results: usize) -> ToolError {
    ToolError::invalid_arguments(format!("result {} of the jq program cannot be given back: {excess}", results + 1))
}

fn compile(program: &str) -> Result<jaq_core::Filter<Data>, ToolError> {
    refuse_excess(program)?;
    // The environment is nobody's business; a program that asks for it does not compile.
    let extra = jaq_std::funs::<Data>().filter(|function| function.0 != "env");
    let functions = jaq_core::funs::<Data>().chain(extra).chain(jaq_json::funs::<Data>());
    // The last definition of a name counts.
    let own = load::parse(OWN_DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(own);
    let arena = Arena::default();
    let modules = Loader::new(definitions)
        .load(&arena, File { code: program, path: () })
        .map_err(|errors| refused(program, syntax_error(program, errors)))?;
    Compiler::default().with_funs(functions).compile(modules).map_err(|errors| refused(program, undefined(errors)))
}

/// The parser and the compiler recurse, and so does what they make.
fn refuse_excess(program: &str) -> Result<(), ToolError> {
    if program.len() > MAX_PROGRAM {
        let message = format!("`query` is longer than {MAX_PROGRAM} bytes");
        return Err(ToolError::invalid_arguments(message));
    }
    let mut open: usize = 0;
    for byte in program.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_BRACKETS {
            let message = format!("`query` has more than {MAX_BRACKETS} brackets inside of each other");
            return Err(ToolError::invalid_arguments(message));
        }
    }
    Ok(())
}

/// What is wrong, and the piece of the program where it is.
type Fault<'a> = (String, Option<&'a str>);

fn refused(program: &str, fault: Option<Fault<'_>>) -> ToolError {
    let (what, place) = fault.unwrap_or_else(|| ("it does not compile".to_owned(), None));
    let at = place.and_then(|piece| position(program, piece));
    let at = at.map_or_else(String::new, |(line, column)| format!(" at line {line} column {column}"));
    ToolError::invalid_arguments(format!("`query` is not a jq program: {what}{at}"))
}

/// Line and column of a piece of the program, counted in characters from 1; nothing where it is no piece of it.
fn position(program: &str, piece: &str) -> Option<(usize, usize)> {
    let start = (piece.as_ptr() as usize).checked_sub(program.as_ptr() as usize)?;
    program.get(start..).map(|_| crate::format::line_and_column(program, start))
}

fn syntax_error<'a>(program: &'a str, errors: load::Errors<&'a str, ()>) -> Option<Fault<'a>> {
    let (_, error) = errors.into_iter().next()?;
    let (expected, found) = match error {
        load::Error::Io(errors) => {
            let (path, _) = errors.into_iter().next()?;
            return Some((format!("there is no module `{}` to load", excerpt(&path, 64)), Some(path)));
        }
        load::Error::Lex(errors) => {
            let (expected, found) = errors.into_iter().next()?;
            (expected.as_str(), found)
        }
        load::Error::Parse(errors) => {
            let (expected, found) = errors.into_iter().next()?;
            (expected.as_str(), found)
        }
    };
    let end = found.is_empty();
    let token = if end { "the end".to_owned() } else { format!("`{}`", excerpt(&found, 20)) };
    Some((format!("expected {expected}, found {token}"), Some(if end { &program[program.len()..] } else { found })))
}

fn undefined<'a>(errors: compile::Errors<&'a str, ()>) -> Option<Fault<'a>> {
    let (name, symbol) = errors.into_iter().flat_map(|(_, errors)| errors).next()?;
    let shown = excerpt(&name, 64);
    let what = match symbol {
        compile::Undefined::Filter(0) => {
            format!("there is no filter `{shown}` (a key is written with a dot, `.{shown}`)")
        }
        compile::Undefined::Filter(1) => format!("there is no filter `{shown}` that takes 1 argument"),
        compile::Undefined::Filter(count) => format!("there is no filter `{shown}` that takes {count} arguments"),
        other => format!("there is no {} `{shown}`", other.as_str()),
    };
    Some((what, Some(name)))
}
