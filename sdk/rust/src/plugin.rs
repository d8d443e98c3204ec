//! A plugin is a list of tools; a call finds its tool by name.

use crate::schema::Schema;
use crate::{Output, ToolError, arguments};

/// The longest name that the contract allows, in characters.
const MAX_NAME: usize = 64;

/// What a call does to the world outside the sandbox, as its author declares it.
///
/// The host believes the worse of this and of what the plugin is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing that anyone else could notice.
    Read,
    /// Changes something, and doing it twice is the same as doing it once.
    Idempotent,
    /// Changes something that the tool `undo` of the same plugin puts back.
    Reversible {
        /// The name of that tool.
        undo: &'static str,
    },
    /// Changes something that no tool puts back.
    Irreversible,
}

/// One tool: what it is called, what it takes, and the function behind it. Made by [`crate::tool`].
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    parts: ToolParts,
}

/// The parts of a [`Tool`], for the macro.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ToolParts {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub effect: Option<Effect>,
    pub open_world: bool,
    pub input_schema: fn() -> Schema,
    pub output_schema: fn() -> Option<Schema>,
    pub call: fn(&str) -> Result<Output, ToolError>,
}

/// A tool as a planner sees it, with its schemas built.
#[derive(Clone, Debug)]
pub struct Description {
    /// The name inside the plugin.
    pub name: &'static str,
    /// A short name for people, where the author gave one.
    pub title: Option<&'static str>,
    /// The doc comment of the function.
    pub description: &'static str,
    /// JSON Schema (draft 2020-12) of the arguments.
    pub input_schema: serde_json::Value,
    /// JSON Schema (draft 2020-12) of the structured result, where it has a shape.
    pub output_schema: Option<serde_json::Value>,
    /// What a call does, where the author said so.
    pub effect: Option<Effect>,
    /// Whether the tool talks to a world that is open.
    pub open_world: bool,
}

/// The tools of one plugin. Made by [`crate::plugin!`], which names it `PLUGIN`.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    tools: &'static [Tool],
}

impl Tool {
    /// Takes the parts as the macro found them.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(parts: ToolParts) -> Self {
        assert!(is_name(parts.name), "a tool's name is 1 to 64 of a-z, 0-9, - and _, and begins with a letter");
        Self { parts }
    }

    /// The name inside the plugin.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.parts.name
    }

    /// Builds the description, schemas included.
    #[must_use]
    pub fn describe(&self) -> Description {
        Description {
            name: self.parts.name,
            title: self.parts.title,
            description: self.parts.description,
            input_schema: (self.parts.input_schema)().to_value(),
            output_schema: (self.parts.output_schema)().map(Schema::to_value),
            effect: self.parts.effect,
            open_world: self.parts.open_world,
        }
    }
}

impl Plugin {
    /// Takes the tools in the order in which they are listed.
    ///
    /// # Panics
    ///
    /// When two tools share a name, or a tool is undone by one that is not in the list. In a `static`, which is how
    /// [`crate::plugin!`] uses it, that is an error of the compiler.
    ///
    /// ```compile_fail,E0080
    /// /// Does.
    /// #[toolcrib_sdk::tool(effect = reversible(undo = "redo"))]
    /// fn act() {}
    ///
    /// toolcrib_sdk::plugin!(act);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// /// Does.
    /// #[toolcrib_sdk::tool]
    /// fn act() {}
    ///
    /// toolcrib_sdk::plugin!(act, act);
    /// ```
    #[must_use]
    pub const fn new(tools: &'static [Tool]) -> Self {
        let mut at = 0;
        while at < tools.len() {
            assert!(position(tools, tools[at].name()) == at, "two tools of the plugin have the same name");
            if let Some(Effect::Reversible { undo }) = tools[at].parts.effect {
                assert!(position(tools, undo) < tools.len(), "the tool named in `undo` is not in this plugin");
            }
            at += 1;
        }
        Self { tools }
    }

    /// The tools, in the order of the list.
    #[must_use]
    pub const fn tools(&self) -> &'static [Tool] {
        self.tools
    }

    /// Describes every tool.
    #[must_use]
    pub fn describe(&self) -> Vec<Description> {
        self.tools.iter().map(Tool::describe).collect()
    }

    /// Calls a tool with a JSON object of arguments, as the host does.
    ///
    /// # Errors
    ///
    /// `not-found` for a name that is not in the list, `invalid-arguments` for arguments that do not fit, and whatever
    /// the tool itself reports.
    pub fn call(&self, name: &str, arguments: &str) -> Result<Output, ToolError> {
        match self.tools.iter().find(|tool| tool.name() == name) {
            Some(tool) => (tool.parts.call)(arguments),
            None => Err(self.unknown(name)),
        }
    }

    #[cold]
    fn unknown(&self, name: &str) -> ToolError {
        let names = self.tools.iter().map(Tool::name);
        let hint = match arguments::nearest(name, names) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        ToolError::not_found(format!("this plugin has no tool `{name}`{hint}"))
    }
}

/// Where the first tool of that name is, or the length of the list.
const fn position(tools: &[Tool], name: &str) -> usize {
    let mut at = 0;
    while at < tools.len() && !same(tools[at].name(), name) {
        at += 1;
    }
    at
}

/// `==` of strings, which is not const yet.
const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether the contract accepts the name.
const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') {
            return false;
        }
        at += 1;
    }
    true
}
