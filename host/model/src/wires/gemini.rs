//! Gemini `streamGenerateContent`.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Events};
use super::{Decoder, arguments_object, parse, set, str_at, system_text, temperature, u64_at};
use crate::failure;
use crate::names::{MADE_UP_ID, Names};
use crate::{Continuation, Message, ModelError, Part, Request, Response, StopReason, ToolCall, ToolChoice, Usage};

const WIRE: &str = "gemini";
/// What the service takes in place of a signature for a call that it did not make itself.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

pub(crate) fn encode(request: &Request, names: &Names) -> Value {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in &request.messages {
        let (role, parts) = encode_message(message, names);
        // Results of parallel calls stand in one turn.
        match turns.last_mut() {
            Some((last, content)) if *last == role => content.extend(parts),
            _ if parts.is_empty() => {}
            _ => turns.push((role, parts)),
        }
    }
    let contents: Vec<Value> = turns.into_iter().map(|(role, parts)| json!({ "role": role, "parts": parts })).collect();
    let mut body = json!({ "contents": contents });
    // Most models reject a schema for the answer together with tools: then it goes in words.
    let has_tools = !request.tools.is_empty();
    if let Some(system) = system_text(request, has_tools) {
        body["systemInstruction"] = json!({ "parts": [{ "text": system }] });
    }
    if has_tools {
        let tools = request.tools.iter().map(|tool| {
            json!({
                "name": names.encode(&tool.name),
                "description": tool.description,
                "parametersJsonSchema": tool.parameters,
            })
        });
        body["tools"] = json!([{ "functionDeclarations": tools.collect::<Vec<_>>() }]);
        let config = match &request.tool_choice {
            ToolChoice::Auto => json!({ "mode": "AUTO" }),
            ToolChoice::None => json!({ "mode": "NONE" }),
            ToolChoice::Required => json!({ "mode": "ANY" }),
            ToolChoice::Named(name) => {
                json!({ "mode": "ANY", "allowedFunctionNames": [names.encode(name)] })
            }
        };
        body["toolConfig"] = json!({ "functionCallingConfig": config });
    }
    let mut config = Value::Object(Map::new());
    set(&mut config, "maxOutputTokens", request.max_tokens);
    set(&mut config, "temperature", temperature(request));
    if let Some(schema) = request.response_schema.as_ref().filter(|_| !has_tools) {
        config["responseMimeType"] = json!("application/json");
        config["responseJsonSchema"] = schema.clone();
    }
    if config.as_object().is_some_and(|config| !config.is_empty()) {
        body["generationConfig"] = config;
    }
    body
}

fn encode_message(message: &Message, names: &Names) -> (&'static str, Vec<Value>) {
    match message {
        Message::User { parts } => {
            let parts = parts.iter().map(|part| match part {
                Part::Text { text } => json!({ "text": text }),
                Part::Image { media_type, data } => {
                    json!({ "inlineData": { "mimeType": media_type, "data": data } })
                }
            });
            ("user", parts.collect())
        }
        // The service wants its own parts back as they were, signatures in place.
        Message::Assistant { continuation: Some(Continuation { wire, data: Value::Array(parts) }), .. }
            if wire == WIRE =>
        {
            ("model", parts.clone())
        }
        Message::Assistant { text, tool_calls, .. } => {
            let text = text.iter().map(|text| json!({ "text": text }));
            let calls = tool_calls.iter().enumerate().map(|(index, call)| foreign_call(call, index == 0, names));
            ("model", text.chain(calls).collect())
        }
        Message::Tool { call_id, name, content, is_error } => {
            let content = serde_json::from_str::<Value>(content).unwrap_or_else(|_| json!(content));
            let field = if *is_error { "error" } else { "output" };
            let mut response = json!({ "name": names.encode(name), "response": { field: content } });
            set(&mut response, "id", service_id(call_id));
            ("user", vec![json!({ "functionResponse": response })])
        }
    }
}

/// A call that another back end made. The first of a turn needs something in place of a signature.
fn foreign_call(call: &ToolCall, first: bool, names: &Names) -> Value {
    let mut function = json!({ "name": names.encode(&call.name), "args": arguments_object(&call.arguments) });
    set(&mut function, "id", service_id(&call.id));
    let mut part = json!({ "functionCall": function });
    set(&mut part, "thoughtSignature", first.then_some(NO_SIGNATURE));
    part
}

/// The id, unless it was made up here.
fn service_id(id: &str) -> Option<&str> {
    (!id.starts_with(MADE_UP_ID)).then_some(id)
}

/// Reads `GenerateContentResponse` pieces.
#[derive(Debug)]
pub(crate) struct Reader {
    answer: Answer,
    parts: Vec<Value>,
    signed: bool,
    refusal: Option<String>,
}

impl Reader {
    pub(crate) fn new(names: Names) -> Self {
        Self { answer: Answer::new(names), parts: Vec::new(), signed: false, refusal: None }
    }

    fn part(&mut self, part: &Value, events: Events<'_>) {
        let (signed, thought) = (part.get("thoughtSignature").is_some(), part["thought"] == json!(true));
        if let Some(call) = part.get("functionCall") {
            self.answer.whole_call(call["id"].as_str(), str_at(call, "/name"), call["args"].clone(), events);
        } else if !thought {
            self.answer.text(str_at(part, "/text"), events);
        }
        self.signed |= signed;
        if !thought || signed {
            self.keep(part, signed);
        }
    }

    /// Keeps a part for the next request; plain text is joined, as it comes in many small pieces.
    fn keep(&mut self, part: &Value, signed: bool) {
        let plain = |part: &Value| part.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("text"));
        match self.parts.last_mut() {
            Some(last) if !signed && plain(last) && plain(part) => {
                last["text"] = json!(format!("{}{}", str_at(last, "/text"), str_at(part, "/text")));
            }
            _ => self.parts.push(part.clone()),
        }
    }
}

impl Decoder for Reader {
    fn decode(&mut self, frame: &str, events: Events<'_>) -> Result<bool, ModelError> {
        let chunk = parse(frame)?;
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            return Err(failure::in_stream(error));
        }
        if let Some(reason) = chunk.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
            self.refusal = Some(format!("the prompt was blocked ({reason})"));
        }
        let candidate = &chunk["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            self.part(part, events);
        }
        if let Some(usage) = chunk.get("usageMetadata").filter(|usage| usage.is_object()) {
            let usage = Usage {
                input: u64_at(usage, "/promptTokenCount"),
                output: u64_at(usage, "/candidatesTokenCount").saturating_add(u64_at(usage, "/thoughtsTokenCount")),
                cached: u64_at(usage, "/cachedContentTokenCount"),
            };
            self.answer.set_usage(usage, events);
        }
        match candidate["finishReason"].as_str() {
            None | Some("FINISH_REASON_UNSPECIFIED") => {}
            Some("STOP") => self.answer.stop(StopReason::End),
            Some("MAX_TOKENS") => self.answer.stop(StopReason::MaxTokens),
            Some(
                reason @ ("SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
                | "IMAGE_SAFETY"),
            ) => self.refusal = Some(format!("the answer was stopped ({reason})")),
            Some(other) => self.answer.stop(StopReason::Other(other.to_owned())),
        }
        // The wire has no end mark of its own: a later piece may still bring counts.
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<Response, ModelError> {
        if let Some(detail) = self.refusal {
            return Err(ModelError::Refused { detail });
        }
        let Self { answer, parts, signed, .. } = *self;
        answer.finish(signed.then(|| Continuation { wire: WIRE.to_owned(), data: Value::Array(parts) }))
    }
}
