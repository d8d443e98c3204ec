//! Between the generated bindings and the types of this crate. Values are moved, never copied.

use crate::bindings::toolcrib::tool::types as wit;
use crate::{Content, Description, Effect, EffectState, ErrorKind, Output, Plugin, ToolError};

/// What [`crate::plugin!`] implements for the component.
pub use crate::bindings::exports::toolcrib::tool::tools::Guest;
/// The results of that interface.
pub use crate::bindings::exports::toolcrib::tool::tools::{Error as WitError, Output as WitOutput, Tool as WitTool};

/// Answers `list-tools`.
///
/// # Errors
///
/// None today; the contract has the place.
pub fn list_tools(plugin: &Plugin) -> Result<Vec<WitTool>, WitError> {
    Ok(plugin.describe().into_iter().map(tool).collect())
}

/// Answers `call-tool`.
///
/// # Errors
///
/// What the tool reports, and what does not fit its parameters.
pub fn call_tool(plugin: &Plugin, name: &str, arguments: &str) -> Result<WitOutput, WitError> {
    match plugin.call(name, arguments) {
        Ok(reply) => Ok(output(reply)),
        Err(failure) => Err(error(failure)),
    }
}

fn tool(description: Description) -> WitTool {
    WitTool {
        name: description.name.to_owned(),
        title: description.title.map(str::to_owned),
        description: description.description.to_owned(),
        input_schema: description.input_schema.to_string(),
        output_schema: description.output_schema.map(|schema| schema.to_string()),
        effect: description.effect.map(|effect| match effect {
            Effect::Read => wit::Effect::Read,
            Effect::Idempotent => wit::Effect::Idempotent,
            Effect::Reversible { undo } => wit::Effect::Reversible(undo.to_owned()),
            Effect::Irreversible => wit::Effect::Irreversible,
        }),
        open_world: description.open_world,
    }
}

fn output(output: Output) -> WitOutput {
    let (content, structured) = output.into_parts();
    WitOutput { content: content.into_iter().map(content_block).collect(), structured }
}

fn content_block(content: Content) -> wit::Content {
    match content {
        Content::Text(text) => wit::Content::Text(text),
        Content::Image { data, media_type } => wit::Content::Image(wit::Blob { data, media_type }),
        Content::Audio { data, media_type } => wit::Content::Audio(wit::Blob { data, media_type }),
        Content::Link { uri, title, media_type } => wit::Content::Link(wit::Link { uri, title, media_type }),
    }
}

fn error(error: ToolError) -> WitError {
    let (kind, message, effect) = error.into_parts();
    WitError {
        kind: match kind {
            ErrorKind::InvalidArguments => wit::ErrorKind::InvalidArguments,
            ErrorKind::Denied => wit::ErrorKind::Denied,
            ErrorKind::NotFound => wit::ErrorKind::NotFound,
            ErrorKind::NeedsAuth => wit::ErrorKind::NeedsAuth,
            ErrorKind::RateLimited { retry_after } => wit::ErrorKind::RateLimited(retry_after),
            ErrorKind::Unavailable => wit::ErrorKind::Unavailable,
            ErrorKind::Failed => wit::ErrorKind::Failed,
        },
        message,
        effect: match effect {
            EffectState::None => wit::EffectState::None,
            EffectState::Done => wit::EffectState::Done,
            EffectState::Unknown => wit::EffectState::Unknown,
        },
    }
}
