//! A command, `wasi:cli/run`, as a tool: a program with arguments and standard input.

use serde::Deserialize;
use serde_json::Value;

use super::error::{Problem, ValueError};

/// What a command is run with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CommandInput {
    /// The arguments, without the name of the program.
    pub(crate) args: Vec<String>,
    /// What the program reads from standard input.
    pub(crate) stdin: String,
}

impl CommandInput {
    /// Reads the arguments of a call.
    ///
    /// # Errors
    ///
    /// The arguments are not an object with at most `args` and `stdin`.
    pub(crate) fn read(arguments: &Value) -> Result<Self, ValueError> {
        if arguments.is_null() {
            return Ok(CommandInput::default());
        }
        CommandInput::deserialize(arguments).map_err(|error| {
            let expected = "an object with `args`, an array of strings, and `stdin`, a string".to_owned();
            ValueError::new(Problem::Mismatch { expected, found: error.to_string() })
        })
    }
}
