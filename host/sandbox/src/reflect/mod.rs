//! Any component as tools: its exported functions, with JSON in and JSON out.
//!
//! ```text
//!  component type ─► Reflection ─► Export { name, path, Signature }
//!        │               │ skipped: why not            │
//!        ▼               ▼                             ▼
//!  package-docs ─► describe ─► schemas      JSON ─► Signature::arguments ─► values ─► call
//!                                           JSON ◄─ Signature::returned  ◄─ values ◄─┘
//! ```
//!
//! Types are copied out of the engine once ([`Reflection::of`]), within the limits of [`limits`]. Schemas and
//! descriptions ([`describe`]) are made when a plugin is added; a call only walks the copied types.
//!
//! Values have the JSON that a language model writes by itself. Names are those of WIT, verbatim; spelling, tags and
//! numbers are read leniently and written in one form:
//!
//! | WIT | written | also read |
//! |---|---|---|
//! | `bool` | `true` | `"true"` |
//! | integers | number; beyond 2^53 - 1 a string of digits | string of digits, `3.0` |
//! | `f32`, `f64` | number, `"NaN"`, `"Infinity"`, `"-Infinity"` | number in a string |
//! | `char`, `string` | string | |
//! | `list<u8>` | text as a string, else `{"base64": …}` | `{"text": …}`, array of bytes |
//! | `list`, `tuple`, `list<T, N>` | array | |
//! | `map` | object | array of pairs, array of `{"key": …, "value": …}` |
//! | `record` | object, `null` for none | names in snake or camel case, absent for none |
//! | `enum` | the name | any case, `_` for `-` |
//! | `flags` | array of names | one name, object of booleans |
//! | `variant` | `"case"`, `{"case": payload}` | `{"tag": …, "val": …}`, `{"case": …, "value": …}` |
//! | `option` | `null` or the value; `{"some": …}` around an option | absent, `{"some": …}` |
//! | `result` inside a value | `{"ok": …}`, `{"err": …}` | bare `"ok"`, `"err"` |
//!
//! Every kind is also read inside a tag of its name, such as `{"__option": …}`.

mod command;
mod docs;
mod error;
mod input;
mod limits;
mod names;
mod number;
mod output;
mod schema;
mod shape;
mod signature;
mod text;

#[cfg(test)]
mod tests;

use serde_json::Value;
use wasmtime::Engine;
use wasmtime::component::types::{self, ComponentItem};

pub(crate) use command::CommandInput;
pub(crate) use docs::Docs;
pub(crate) use error::ResultError;
pub(crate) use limits::ReflectError;
pub(crate) use names::ExportPath;
pub(crate) use signature::{Failure, NotATool, Returned, Signature};

use docs::TypeIndex;
use limits::{COMPONENT_BYTES, EXPORTS, check_name};
use names::Interface;
use signature::SignatureError;

/// The functions of a component that are tools, and those that are not.
#[derive(Debug)]
pub(crate) struct Reflection {
    /// In the order of the exports.
    pub(crate) tools: Vec<Export>,
    /// What is exported and is not a tool, with the reason, for `inspect`.
    pub(crate) skipped: Vec<(ExportPath, NotATool)>,
}

/// An exported function that is a tool.
#[derive(Debug)]
pub(crate) struct Export {
    /// The tool's name inside the plugin: 1 to 64 characters of `a-z`, `0-9`, `-` and `_`, beginning with a letter.
    pub(crate) name: String,
    /// Where the function is.
    pub(crate) path: ExportPath,
    /// How it is called.
    pub(crate) entry: Entry,
}

/// How an exported function is called.
#[derive(Debug)]
pub(crate) enum Entry {
    /// With the values of its arguments.
    Function(Signature),
    /// As a command, `wasi:cli/run`: arguments and standard input come from the environment ([`CommandInput`]), the
    /// result is what it prints, and its own result only says whether it failed.
    Command(Signature),
}

/// What a planner or a person reads about a tool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Description {
    /// A short name for people.
    pub(crate) title: String,
    /// The function's comment, or which function it is.
    pub(crate) text: String,
    /// JSON Schema of the arguments; its type is `object`.
    pub(crate) input_schema: Value,
    /// JSON Schema of the result of a call that succeeds; nothing where there is none. Its type is not always
    /// `object`: a function that returns a string gives a string.
    pub(crate) output_schema: Option<Value>,
}

impl Reflection {
    /// Finds the tools of a component.
    ///
    /// # Errors
    ///
    /// The component is beyond one of the [`limits`], or nothing that it exports is a tool. A function whose types have
    /// no form in JSON is no error beside others that have one: it is skipped.
    pub(crate) fn of(engine: &Engine, component: &types::Component) -> Result<Reflection, ReflectError> {
        let mut found = Found::default();
        for (name, item) in component.exports(engine) {
            found.count(1)?;
            check_name(name)?;
            match item.ty {
                ComponentItem::ComponentFunc(func) => found.function(None, name, &func)?,
                ComponentItem::ComponentInstance(instance) => found.instance(engine, name, &instance)?,
                _ => {}
            }
        }
        let reflection = found.named();
        match reflection.tools.is_empty() {
            false => Ok(reflection),
            true => Err(ReflectError::NoTools { why: reflection.why_none() }),
        }
    }

    /// Why nothing that is exported is a tool, in a few words.
    fn why_none(&self) -> String {
        const SHOWN: usize = 3;
        let reasons = self.skipped.iter().take(SHOWN).map(|(path, reason)| format!("; `{path}`: {reason}"));
        let more = self.skipped.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        reasons.collect::<String>() + &more
    }

    /// The tool of that name.
    #[cfg(test)]
    fn get(&self, name: &str) -> Option<&Export> {
        self.tools.iter().find(|tool| tool.name == name)
    }
}

/// Reads what people and planners need to know about each tool, in the order of [`Reflection::tools`].
pub(crate) fn describe(
    engine: &Engine,
    component: &types::Component,
    reflection: &Reflection,
    docs: &Docs,
) -> Vec<Description> {
    let types = TypeIndex::new(engine, component, docs);
    let describe = |tool: &Export| {
        let text = match docs.function(&tool.path) {
            Some(text) => schema::description(text),
            None => match &tool.path.interface {
                Some(_) if matches!(tool.entry, Entry::Command(_)) => "Runs the program.".to_owned(),
                Some(interface) => {
                    format!("The function `{}` of `{interface}`.", tool.path.function)
                }
                None => format!("The function `{}`.", tool.path.function),
            },
        };
        let (input_schema, output_schema) = match &tool.entry {
            Entry::Function(signature) => (signature.input_schema(&types), signature.output_schema(&types)),
            Entry::Command(_) => (schema::command_input_schema(), Some(schema::command_output_schema())),
        };
        Description { title: names::title(&tool.name), text, input_schema, output_schema }
    };
    reflection.tools.iter().map(describe).collect()
}

/// What has been found while walking over the exports.
#[derive(Default)]
struct Found {
    exports: usize,
    schema_bytes: usize,
    functions: Vec<(ExportPath, Signature)>,
    skipped: Vec<(ExportPath, NotATool)>,
}

impl Found {
    fn count(&mut self, items: usize) -> Result<(), ReflectError> {
        self.exports = self.exports.saturating_add(items);
        if self.exports > EXPORTS {
            return Err(ReflectError::TooManyExports { found: self.exports });
        }
        Ok(())
    }

    fn instance(
        &mut self,
        engine: &Engine,
        interface: &str,
        instance: &types::ComponentInstance,
    ) -> Result<(), ReflectError> {
        let exports = instance.exports(engine);
        self.count(exports.len())?;
        for (name, item) in exports {
            check_name(name)?;
            let path = || ExportPath { interface: Some(interface.to_owned()), function: name.to_owned() };
            match item.ty {
                ComponentItem::ComponentFunc(func) => self.function(Some(interface), name, &func)?,
                ComponentItem::ComponentInstance(_) => self.skipped.push((path(), NotATool::Nested)),
                _ => {}
            }
        }
        Ok(())
    }

    fn function(
        &mut self,
        interface: Option<&str>,
        name: &str,
        func: &types::ComponentFunc,
    ) -> Result<(), ReflectError> {
        let path = ExportPath { interface: interface.map(str::to_owned), function: name.to_owned() };
        if let Some(interface) = interface
            && Interface::parse(interface).is_platform()
            && !path.is_command()
        {
            self.skipped.push((path, NotATool::Platform { interface: interface.to_owned() }));
            return Ok(());
        }
        if path.is_of_toolchain(func.params().map(|(name, _)| name)) {
            self.skipped.push((path, NotATool::Toolchain));
            return Ok(());
        }
        match Signature::read(name, func) {
            Ok((signature, bytes)) => {
                self.schema_bytes = self.schema_bytes.saturating_add(bytes);
                if self.schema_bytes > COMPONENT_BYTES {
                    return Err(ReflectError::ComponentTooLarge);
                }
                self.functions.push((path, signature));
            }
            Err(SignatureError::NotATool(reason)) => self.skipped.push((path, reason)),
            Err(SignatureError::Refused(error)) => return Err(error),
        }
        Ok(())
    }

    fn named(mut self) -> Reflection {
        let paths: Vec<ExportPath> = self.functions.iter().map(|(path, _)| path.clone()).collect();
        let mut tools = Vec::with_capacity(paths.len());
        for (name, (path, signature)) in names::assign(&paths).into_iter().zip(self.functions) {
            match name {
                Some(name) => {
                    let command = path.is_command();
                    let entry = if command { Entry::Command(signature) } else { Entry::Function(signature) };
                    tools.push(Export { name, path, entry });
                }
                None => {
                    let name = path.function.clone();
                    self.skipped.push((path, NotATool::NameTaken { name }));
                }
            }
        }
        Reflection { tools, skipped: self.skipped }
    }
}
