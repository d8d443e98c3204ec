//! Between the WIT types of `toolcrib:tool` and the host's own.

use crate::bindings::tool::toolcrib::tool::types as wit;
use crate::info::ToolInfo;
use crate::outcome::{Blob, CallError, Content, EffectState, ToolOutput};
use toolcrib_policy::Effect;

/// A tool as its plugin describes it. Schemas that are no JSON object are the plugin's defect, and said so.
pub(crate) fn tool_info(tool: wit::Tool) -> Result<ToolInfo, String> {
    let schema = |text: &str, which: &str| {
        serde_json::from_str(text)
            .ok()
            .filter(serde_json::Value::is_object)
            .ok_or_else(|| format!("the {which} schema of `{}` is not a JSON object", tool.name.escape_debug()))
    };
    Ok(ToolInfo {
        input_schema: schema(&tool.input_schema, "input")?,
        output_schema: tool.output_schema.as_deref().map(|text| schema(text, "output")).transpose()?,
        name: tool.name,
        title: tool.title,
        description: tool.description,
        effect: tool.effect.map(effect),
        open_world: tool.open_world,
    })
}

fn effect(effect: wit::Effect) -> Effect {
    match effect {
        wit::Effect::Read => Effect::Read,
        wit::Effect::Idempotent => Effect::Idempotent,
        wit::Effect::Reversible(undo) => Effect::Reversible { undo },
        wit::Effect::Irreversible => Effect::Irreversible,
    }
}

/// What a guest returned. `structured` must be JSON.
pub(crate) fn output_from_guest(output: wit::Output) -> Result<ToolOutput, CallError> {
    let structured = output.structured.as_deref().map(serde_json::from_str).transpose().map_err(|e| {
        CallError::new("result-invalid", "the tool's structured result is not JSON").with_detail(e.to_string())
    })?;
    Ok(ToolOutput { content: output.content.into_iter().map(content_from_guest).collect(), structured })
}

fn content_from_guest(content: wit::Content) -> Content {
    let blob = |b: wit::Blob| Blob { data: b.data, media_type: b.media_type };
    match content {
        wit::Content::Text(text) => Content::Text { text },
        wit::Content::Image(image) => Content::Image(blob(image)),
        wit::Content::Audio(audio) => Content::Audio(blob(audio)),
        wit::Content::Link(link) => Content::Link { uri: link.uri, title: link.title, media_type: link.media_type },
    }
}

/// A guest's own error, before its effect is weighed against the receipt.
pub(crate) fn error_from_guest(error: wit::Error) -> CallError {
    let (code, retry_after_s) = match error.kind {
        wit::ErrorKind::InvalidArguments => ("invalid-arguments", None),
        wit::ErrorKind::Denied => ("denied", None),
        wit::ErrorKind::NotFound => ("not-found", None),
        wit::ErrorKind::NeedsAuth => ("needs-auth", None),
        wit::ErrorKind::RateLimited(after) => ("rate-limited", after),
        wit::ErrorKind::Unavailable => ("unavailable", None),
        wit::ErrorKind::Failed => ("failed", None),
    };
    let effect = match error.effect {
        wit::EffectState::None => EffectState::None,
        wit::EffectState::Done => EffectState::Done,
        wit::EffectState::Unknown => EffectState::Unknown,
    };
    CallError { retry_after_s, ..CallError::new(code, error.message) }.with_effect(effect)
}

/// A host-made result, for a guest that called another tool.
pub(crate) fn output_to_guest(output: ToolOutput) -> wit::Output {
    wit::Output {
        content: output.content.into_iter().map(content_to_guest).collect(),
        structured: output.structured.map(|value| value.to_string()),
    }
}

fn content_to_guest(content: Content) -> wit::Content {
    let blob = |b: Blob| wit::Blob { data: b.data, media_type: b.media_type };
    match content {
        Content::Text { text } => wit::Content::Text(text),
        Content::Image(image) => wit::Content::Image(blob(image)),
        Content::Audio(audio) => wit::Content::Audio(blob(audio)),
        Content::Link { uri, title, media_type } => wit::Content::Link(wit::Link { uri, title, media_type }),
    }
}

/// A host-made error, for a guest that called another tool.
pub(crate) fn error_to_guest(error: CallError) -> wit::Error {
    let kind = match error.code.as_str() {
        "invalid-arguments" => wit::ErrorKind::InvalidArguments,
        "not-found" => wit::ErrorKind::NotFound,
        "needs-auth" => wit::ErrorKind::NeedsAuth,
        "rate-limited" => wit::ErrorKind::RateLimited(error.retry_after_s),
        "unavailable" | "busy" => wit::ErrorKind::Unavailable,
        code if code.ends_with("denied") => wit::ErrorKind::Denied,
        _ => wit::ErrorKind::Failed,
    };
    let effect = match error.effect {
        EffectState::None => wit::EffectState::None,
        EffectState::Done => wit::EffectState::Done,
        EffectState::Unknown => wit::EffectState::Unknown,
    };
    wit::Error { kind, message: error.message, effect }
}

pub(crate) fn denied(message: String) -> wit::Error {
    wit::Error { kind: wit::ErrorKind::Denied, message, effect: wit::EffectState::None }
}

pub(crate) fn invalid_arguments(message: String) -> wit::Error {
    wit::Error { kind: wit::ErrorKind::InvalidArguments, message, effect: wit::EffectState::None }
}
