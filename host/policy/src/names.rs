//! Names that identify plugins and tools everywhere in the product.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::visible::is_hidden;

/// The longest name of a plugin, and of a tool inside its plugin, in bytes. Names stand in prompts, file names and
/// log lines, so they stay short.
pub const NAME_MAX: usize = 64;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is not a plugin name.
    #[error("`{0}` is not a plugin name: 1 to 64 characters of a-z, 0-9 and `-`, beginning with a letter")]
    Plugin(String),
    /// The text is not the name of a tool inside a plugin.
    #[error("`{0}` is not a tool name: 1 to 64 characters of a-z, 0-9, `-` and `_`, beginning with a letter")]
    Tool(String),
    /// The text has no dot between plugin and tool.
    #[error("`{0}` is not a qualified tool name: write `plugin.tool`")]
    Unqualified(String),
}

/// The name of a plugin: 1 to 64 characters of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(String);

impl PluginName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of an authority that belongs to no plugin.
    pub(crate) fn nobody() -> Self {
        Self("nobody".to_owned())
    }
}

impl FromStr for PluginName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_name(text, |byte| byte == b'-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Plugin(shortened(text)))
        }
    }
}

/// The qualified name of a tool: `plugin.tool`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName {
    plugin: PluginName,
    tool: String,
}

impl ToolName {
    /// The tool called `tool` (1 to 64 characters of `a-z`, `0-9`, `-` and `_`, beginning with a letter) of `plugin`.
    pub fn new(plugin: PluginName, tool: &str) -> Result<Self, NameError> {
        check_tool(tool)?;
        Ok(Self { plugin, tool: tool.to_owned() })
    }

    /// The plugin that has the tool.
    pub fn plugin(&self) -> &PluginName {
        &self.plugin
    }

    /// The name inside the plugin.
    pub fn tool(&self) -> &str {
        &self.tool
    }
}

impl FromStr for ToolName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (plugin, tool) = text.split_once('.').ok_or_else(|| NameError::Unqualified(shortened(text)))?;
        Self::new(plugin.parse()?, tool)
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.plugin, self.tool)
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for PluginName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl TryFrom<&str> for $name {
            type Error = NameError;
            fn try_from(text: &str) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.to_string()
            }
        }
    };
}
text_conversions!(PluginName);
text_conversions!(ToolName);

/// Checks the name of a tool inside its plugin.
pub(crate) fn check_tool(text: &str) -> Result<(), NameError> {
    if is_name(text, |byte| byte == b'-' || byte == b'_') { Ok(()) } else { Err(NameError::Tool(shortened(text))) }
}

fn is_name(text: &str, extra: impl Fn(u8) -> bool) -> bool {
    text.len() <= NAME_MAX
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || extra(byte))
}

/// `text` made safe for a message: at most 120 characters, control and invisible characters escaped.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    let mut shown: String = text.chars().take(SHOWN).flat_map(printable).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// The characters that stand for `character` in a message. Letters and digits of any script stay as they are; what
/// moves the cursor, hides or reorders text is escaped.
fn printable(character: char) -> impl Iterator<Item = char> {
    let hidden = character.is_control() || is_hidden(character);
    let escaped = if hidden { Some(character.escape_unicode()) } else { None };
    let plain = if hidden { None } else { Some(character) };
    escaped.into_iter().flatten().chain(plain)
}
