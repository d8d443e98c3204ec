//! Running a program in the language of jq.

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader, span};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile, load};
use jaq_json::{Map, Val};
use serde_json::value::RawValue;
use toolcrib_sdk::ToolError;

use crate::format::place;
use crate::json;
use crate::limits::{MAX_DEPTH, MAX_OUTPUT, MAX_RESULTS};

/// Variables that a program may use. The environment is empty: a query depends on its input alone.
const VARIABLES: [&str; 1] = ["$ENV"];

/// Runs the program on each value and collects what it gives, as JSON text.
pub(crate) fn run(program: &str, inputs: Vec<Val>) -> Result<Vec<Box<RawValue>>, ToolError> {
    check_nesting(program)?;
    let arena = Arena::default();
    let filter = compile(program, &arena)?;
    let mut results = Vec::new();
    let mut length = 0;
    for input in inputs {
        let environment = Val::obj(Map::default());
        let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([environment]));
        for result in filter.id.run((context, input)) {
            let value = match result {
                Ok(value) => value,
                Err(exception) => match exception.get_err() {
                    Ok(error) => return Err(failed(&error, results.len())),
                    // `halt` and its like end the program.
                    Err(_) => return Ok(results),
                },
            };
            let text = json::write(&value);
            // Freeing what is too deep to write would take as much stack as writing it.
            let text = text.inspect_err(|_| std::mem::forget(value))?;
            length += text.len();
            if length > MAX_OUTPUT || results.len() >= MAX_RESULTS {
                return Err(ToolError::invalid_arguments(format!(
                    "the query gives more than {MAX_RESULTS} results or {MAX_OUTPUT} bytes; bound it with `limit(n; …)`"
                )));
            }
            results.push(RawValue::from_string(text)?);
        }
    }
    Ok(results)
}

fn compile<'a>(program: &'a str, arena: &'a Arena) -> Result<Filter<JustLut<Val>>, ToolError> {
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let file = File { code: program, path: () };
    let modules = Loader::new(definitions).load(arena, file).map_err(|errors| not_loaded(program, &errors))?;
    Compiler::default()
        .with_funs(functions)
        .with_global_vars(VARIABLES)
        .compile(modules)
        .map_err(|errors| not_compiled(program, &errors))
}

/// The parser follows brackets with the stack; so this looks for too many of them first. Brackets in strings count as
/// well: a program with so many is not one that anybody wrote.
fn check_nesting(program: &str) -> Result<(), ToolError> {
    let mut depth = 0_usize;
    for byte in program.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let message = format!("the query nests brackets deeper than {MAX_DEPTH} levels");
            return Err(ToolError::invalid_arguments(message));
        }
    }
    Ok(())
}

fn not_loaded(program: &str, errors: &load::Errors<&str, ()>) -> ToolError {
    let found = errors.iter().find_map(|(_, error)| match error {
        load::Error::Lex(errors) => errors.first().map(|(expected, rest)| (expected.as_str(), *rest)),
        load::Error::Parse(errors) => errors.first().map(|(expected, rest)| (expected.as_str(), *rest)),
        load::Error::Io(errors) => errors.first().map(|(path, _)| ("no module, since there are no files here", *path)),
    });
    let Some((expected, rest)) = found else {
        return ToolError::invalid_arguments("`query` is not a jq program");
    };
    let rest_found = match rest.split_whitespace().next() {
        Some(word) => format!("`{}`", word.chars().take(40).collect::<String>()),
        None => "the end".to_owned(),
    };
    ToolError::invalid_arguments(format!(
        "`query` is not a jq program: expected {expected}, found {rest_found} at {}",
        position(program, rest)
    ))
}

fn not_compiled(program: &str, errors: &compile::Errors<&str, ()>) -> ToolError {
    let Some((name, kind)) = errors.iter().flat_map(|(_, errors)| errors).next() else {
        return ToolError::invalid_arguments("`query` is not a jq program");
    };
    let arguments = match kind {
        compile::Undefined::Filter(0) => String::new(),
        compile::Undefined::Filter(count) => format!(" with {count} arguments"),
        _ => String::new(),
    };
    let kind = match kind {
        compile::Undefined::Filter(_) => "function",
        other => other.as_str(),
    };
    let shown: String = name.chars().take(60).collect();
    ToolError::invalid_arguments(format!(
        "there is no {kind} `{shown}`{arguments} at {}; a key is written with a dot, as `.{shown}`",
        position(program, name)
    ))
}

/// Where a part of the program stands in it.
fn position(program: &str, part: &str) -> String {
    let (line, column) = place(program, span(program, part).start.min(program.len()));
    format!("line {line} column {column}")
}

fn failed(error: &jaq_json::Error, before: usize) -> ToolError {
    let message: String = error.to_string().chars().take(400).collect();
    let after = match before {
        0 => String::new(),
        count => format!(" (after {count} results)"),
    };
    ToolError::invalid_arguments(format!("the query failed on this input: {message}{after}"))
}
