//! What a plugin is: its tools and the interfaces that it touches, as data that outlives the component.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{Digest, Effect};

/// How a component says what its tools are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginKind {
    /// It exports `toolcrib:tool/tools` and describes its tools itself.
    Describing,
    /// Its exported functions are its tools; names and schemas come from their WIT types.
    Reflected,
}

/// What a plugin is, without running it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginInfo {
    /// SHA-256 of the component's bytes.
    pub digest: Digest,
    /// How its tools are found.
    pub kind: PluginKind,
    /// Its tools, in the plugin's own order.
    pub tools: Vec<ToolInfo>,
    /// The interfaces that it imports, such as `wasi:http/outgoing-handler@0.2.0`: all that it can ever reach.
    pub imports: Vec<String>,
    /// The interfaces and functions that it exports.
    pub exports: Vec<String>,
    /// What it exports and is no tool, each as `path: why`, such as
    /// `wasi:http/incoming-handler@0.2.0#handle: ...`. Empty for a plugin that describes its tools itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
}

/// One tool of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolInfo {
    /// The name inside the plugin.
    pub name: String,
    /// A short name for people.
    pub title: Option<String>,
    /// What the tool does, as its author says.
    pub description: String,
    /// JSON Schema (draft 2020-12) of the arguments; its type is `object`.
    pub input_schema: Value,
    /// JSON Schema of the structured result, where it has a fixed shape.
    pub output_schema: Option<Value>,
    /// What a call does to the outside, as the plugin declares it. Not believed on its own.
    pub effect: Option<Effect>,
    /// Whether the tool says that it talks to an open world.
    pub open_world: bool,
}
