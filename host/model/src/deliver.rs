//! An answer that is there at once, told piece by piece, as a back end's stream would tell it.

use crate::{Arguments, Delta, Response, ToolCall, Usage};

/// Tells the whole of `response`.
pub(crate) fn response(response: &Response, events: &mut (dyn FnMut(Delta) + Send)) {
    text(response.text.as_deref().unwrap_or_default(), events);
    for (index, call) in response.tool_calls.iter().enumerate() {
        tool_call(index, call, events);
    }
    usage(response.usage, events);
}

/// Tells `text` word by word.
pub(crate) fn text(text: &str, events: &mut (dyn FnMut(Delta) + Send)) {
    for piece in text.split_inclusive(char::is_whitespace) {
        events(Delta::Text { text: piece.to_owned() });
    }
}

pub(crate) fn usage(usage: Usage, events: &mut (dyn FnMut(Delta) + Send)) {
    if usage != Usage::default() {
        events(Delta::Usage { usage });
    }
}

/// Tells that a call begins, then its arguments.
fn tool_call(index: usize, call: &ToolCall, events: &mut (dyn FnMut(Delta) + Send)) {
    let written = match &call.arguments {
        Arguments::Json(map) => serde_json::Value::Object(map.clone()).to_string(),
        Arguments::Malformed { raw, .. } => raw.clone(),
    };
    for fragment in [String::new(), written] {
        events(Delta::ToolCall { index, name: call.name.clone(), fragment });
    }
}
