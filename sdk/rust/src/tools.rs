//! Calls of other tools.
//!
//! ```
//! use serde_json::json;
//! use toolcrib_sdk::{ToolError, tools};
//!
//! # fn example() -> Result<(), ToolError> {
//! let page = tools::call("files.read", &json!({ "path": "/docs/a.txt" }))?;
//! let text = page["text"].as_str().unwrap_or_default();
//! # let _ = text;
//! # Ok(())
//! # }
//! ```

use serde_json::Value;

use crate::ToolError;

/// Calls the tool with the qualified name `plugin.tool` and gives its structured result; one that has none comes as
/// `{ "text": … }`.
///
/// Needs the grant `tools = ["plugin.tool"]`, and what the other tool does must be granted to this plugin too: it can
/// hand on only what it may do itself. The plugin's manifest has to ask for both. Natively the test answers: see
/// `testing::with_tools`.
///
/// # Errors
///
/// What the other tool reports, and `denied` where it must not be called.
pub fn call(tool: &str, arguments: &Value) -> Result<Value, ToolError> {
    send(tool, arguments)
}

#[cfg(target_family = "wasm")]
fn send(tool: &str, arguments: &Value) -> Result<Value, ToolError> {
    use crate::bindings::toolcrib::host::tools;
    use crate::bindings::toolcrib::tool::types as wit;
    use crate::{EffectState, ErrorKind};

    let output = tools::call(tool, &arguments.to_string()).map_err(|error| {
        let kind = match error.kind {
            wit::ErrorKind::InvalidArguments => ErrorKind::InvalidArguments,
            wit::ErrorKind::Denied => ErrorKind::Denied,
            wit::ErrorKind::NotFound => ErrorKind::NotFound,
            wit::ErrorKind::NeedsAuth => ErrorKind::NeedsAuth,
            wit::ErrorKind::RateLimited(retry_after) => ErrorKind::RateLimited { retry_after },
            wit::ErrorKind::Unavailable => ErrorKind::Unavailable,
            wit::ErrorKind::Failed => ErrorKind::Failed,
        };
        let effect = match error.effect {
            wit::EffectState::None => EffectState::None,
            wit::EffectState::Done => EffectState::Done,
            wit::EffectState::Unknown => EffectState::Unknown,
        };
        ToolError::new(kind, error.message).effect(effect)
    })?;
    match output.structured {
        Some(text) => Ok(serde_json::from_str(&text)?),
        None => {
            let texts = output.content.iter().filter_map(|content| match content {
                wit::Content::Text(text) => Some(text.as_str()),
                _ => None,
            });
            Ok(serde_json::json!({ "text": texts.collect::<Vec<_>>().join("\n") }))
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn send(tool: &str, arguments: &Value) -> Result<Value, ToolError> {
    let denied = "a native test has no other tools; answer the call with `testing::with_tools`";
    crate::testing::answer_call(tool, arguments).unwrap_or_else(|| Err(ToolError::denied(denied)))
}
