//! One module per wire: how a request is written and an answer is read. No I/O.

pub(crate) mod answer;
mod chat;
mod gemini;
mod messages;
mod ollama;
mod responses;

use serde_json::{Value, json};

use crate::framing::Framing;
use crate::names::Names;
use crate::{Arguments, ModelError, Part, Request, Response, Wire};
use answer::Events;

/// What a wire needs to know besides the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The model's name.
    pub(crate) model: &'a str,
    /// Whether this is the vendor's own service, which takes fields that look-alikes reject.
    pub(crate) official: bool,
}

/// Reads one answer, frame by frame.
pub(crate) trait Decoder: Send {
    /// Takes the next frame. `true` means that the answer is complete and nothing more is expected.
    fn decode(&mut self, frame: &str, events: Events<'_>) -> Result<bool, ModelError>;

    /// Makes the response of what was read. An answer without its end mark is a cut stream.
    fn finish(self: Box<Self>) -> Result<Response, ModelError>;
}

/// Writes `request` for `wire`.
pub(crate) fn encode(wire: Wire, request: &Request, target: Target<'_>, names: &Names) -> Value {
    match wire {
        Wire::Responses => responses::encode(request, target, names),
        Wire::Chat => chat::encode(request, target, names),
        Wire::Messages => messages::encode(request, target, names),
        Wire::Gemini => gemini::encode(request, names),
        Wire::Ollama => ollama::encode(request, target, names),
    }
}

/// A reader for one answer on `wire`.
pub(crate) fn decoder(wire: Wire, names: Names) -> Box<dyn Decoder> {
    match wire {
        Wire::Responses => Box::new(responses::Reader::new(names)),
        Wire::Chat => Box::new(chat::Reader::new(names)),
        Wire::Messages => Box::new(messages::Reader::new(names)),
        Wire::Gemini => Box::new(gemini::Reader::new(names)),
        Wire::Ollama => Box::new(ollama::Reader::new(names)),
    }
}

/// How `wire` separates its frames.
pub(crate) fn framing(wire: Wire) -> Framing {
    match wire {
        Wire::Ollama => Framing::Lines,
        Wire::Responses | Wire::Chat | Wire::Messages | Wire::Gemini => Framing::Sse,
    }
}

/// Parses a frame.
fn parse(frame: &str) -> Result<Value, ModelError> {
    serde_json::from_str(frame).map_err(|error| {
        let start: String = frame.chars().take(120).collect();
        ModelError::Malformed { detail: format!("a piece of the answer is not JSON ({error}): {start}") }
    })
}

/// The text at `pointer`, or nothing.
fn str_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The count at `pointer`, or 0.
fn u64_at(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// A picture as the URL that two wires take.
fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

/// All texts of a person's turn in one.
fn joined_text(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        Part::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Arguments as text. What the model wrote wrongly goes back as it was.
fn arguments_text(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Json(map) => json!(map).to_string(),
        Arguments::Malformed { raw, .. } => raw.clone(),
    }
}

/// Arguments as an object, for wires that take nothing else.
fn arguments_object(arguments: &Arguments) -> Value {
    match arguments {
        Arguments::Json(map) => json!(map),
        Arguments::Malformed { raw, .. } => json!({ "malformed_arguments": raw }),
    }
}

/// A tool's answer, marked in words on wires that have no flag for a failure.
fn tool_text(content: &str, is_error: bool) -> String {
    if is_error { format!("error: {content}") } else { content.to_owned() }
}

/// The system text, with the wanted schema in words where the wire cannot be told otherwise.
fn system_text(request: &Request, schema_in_words: bool) -> Option<String> {
    let wish = request.response_schema.as_ref().filter(|_| schema_in_words).map(|schema| {
        format!(
            "When you give your final answer, write nothing but one JSON value that fits this JSON Schema, without a code fence:\n{schema}"
        )
    });
    let parts: Vec<&str> = request.system.as_deref().into_iter().chain(wish.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// Sets `key` if there is a value.
fn set<T: Into<Value>>(body: &mut Value, key: &str, value: Option<T>) {
    if let Some(value) = value {
        body[key] = value.into();
    }
}

/// A temperature as the decimal number that was meant: 0.7 and not 0.699999988079071.
fn temperature(request: &Request) -> Option<Value> {
    let value = request.temperature?;
    value.to_string().parse::<f64>().ok().map(Value::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Message, ToolSpec};

    fn encoded(wire: Wire, model: &str, official: bool) -> Value {
        let request = Request {
            messages: vec![Message::user("hello")],
            tools: vec![ToolSpec { name: "a.b".into(), description: "x".into(), parameters: json!({}) }],
            max_tokens: Some(9),
            ..Request::default()
        };
        encode(wire, &request, Target { model, official }, &Names::of(&request))
    }

    #[test]
    fn fields_that_look_alikes_reject_go_to_the_vendor_alone() {
        let vendor = encoded(Wire::Chat, "gpt-5", true);
        assert_eq!((&vendor["max_completion_tokens"], &vendor["max_tokens"]), (&json!(9), &Value::Null));
        let other = encoded(Wire::Chat, "gpt-5", false);
        assert_eq!((&other["max_completion_tokens"], &other["max_tokens"]), (&Value::Null, &json!(9)));

        let cached = |official| encoded(Wire::Messages, "claude", official)["messages"][0]["content"][0].clone();
        assert_eq!(cached(true)["cache_control"], json!({ "type": "ephemeral" }));
        assert_eq!(cached(false)["cache_control"], Value::Null);
    }

    #[test]
    fn reasoning_is_asked_for_where_a_model_reasons() {
        let asks = |model, official| !encoded(Wire::Responses, model, official)["include"].is_null();
        for model in ["gpt-5", "o3-mini", "gpt-6-next"] {
            assert!(asks(model, true), "{model}");
            assert!(!asks(model, false), "{model}");
        }
        for model in ["gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "chatgpt-4o-latest", "ft:gpt-4o:acme"] {
            assert!(!asks(model, true), "{model}");
        }
    }

    /// JSON that is made of the wires' own words, so that it reaches deep into the readers.
    fn frame() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec![
            "type",
            "index",
            "delta",
            "content",
            "text",
            "choices",
            "tool_calls",
            "function",
            "name",
            "arguments",
            "id",
            "usage",
            "message",
            "done",
            "candidates",
            "parts",
            "functionCall",
            "args",
            "finishReason",
            "error",
            "item",
            "response",
            "output",
            "output_index",
            "content_block",
            "tool_use",
            "input",
            "function_call",
            "thinking",
            "input_json_delta",
            "partial_json",
            "signature_delta",
            "response.completed",
            "response.output_item.done",
            "content_block_start",
            "content_block_delta",
            "message_delta",
            "message_stop",
            "call_id",
            "STOP",
        ]);
        let leaf = prop_oneof![
            word.clone().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((word.clone(), inner), 0..6)
                    .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_stream_makes_a_reader_panic(frames in prop::collection::vec(frame(), 0..12)) {
            for wire in Wire::ALL {
                let mut reader = decoder(wire, Names::default());
                for frame in &frames {
                    if reader.decode(&frame.to_string(), &mut |_| {}).is_err() {
                        break;
                    }
                }
                if let Ok(response) = reader.finish() {
                    prop_assert!(response.text.is_some() || !response.tool_calls.is_empty());
                }
            }
        }
    }
}
