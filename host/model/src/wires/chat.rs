//! OpenAI Chat Completions, the wire that most compatible servers speak.

use serde_json::{Value, json};

use super::answer::{Answer, Events};
use super::{Decoder, Target, arguments_text, data_url, parse, set, str_at, temperature, tool_text, u64_at};
use crate::failure;
use crate::names::Names;
use crate::{Message, ModelError, Part, Request, Response, StopReason, ToolChoice, Usage};

pub(crate) fn encode(request: &Request, target: Target<'_>, names: &Names) -> Value {
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if let Some(system) = &request.system {
        messages.push(json!({ "role": "system", "content": system }));
    }
    messages.extend(request.messages.iter().map(|message| encode_message(message, names)));
    let mut body = json!({
        "model": target.model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let function = json!({
                "name": names.encode(&tool.name),
                "description": tool.description,
                "parameters": tool.parameters,
            });
            json!({ "type": "function", "function": function })
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.tool_choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::None => json!("none"),
            ToolChoice::Required => json!("required"),
            ToolChoice::Named(name) => {
                json!({ "type": "function", "function": { "name": names.encode(name) } })
            }
        };
    }
    // The vendor's newer models reject the old name, and look-alikes do not know the new one.
    let limit = if target.official { "max_completion_tokens" } else { "max_tokens" };
    set(&mut body, limit, request.max_tokens);
    set(&mut body, "temperature", temperature(request));
    if let Some(schema) = &request.response_schema {
        let format = json!({ "name": "answer", "schema": schema, "strict": false });
        body["response_format"] = json!({ "type": "json_schema", "json_schema": format });
    }
    body
}

fn encode_message(message: &Message, names: &Names) -> Value {
    match message {
        Message::User { parts } => json!({ "role": "user", "content": encode_parts(parts) }),
        Message::Assistant { text, tool_calls, .. } => {
            let mut message = json!({ "role": "assistant", "content": text });
            if !tool_calls.is_empty() {
                let calls = tool_calls.iter().map(|call| {
                    let function =
                        json!({ "name": names.encode(&call.name), "arguments": arguments_text(&call.arguments) });
                    json!({ "id": call.id, "type": "function", "function": function })
                });
                message["tool_calls"] = calls.collect();
            }
            message
        }
        Message::Tool { call_id, content, is_error, .. } => {
            json!({ "role": "tool", "tool_call_id": call_id, "content": tool_text(content, *is_error) })
        }
    }
}

/// Text alone goes as a plain string, which every server takes.
fn encode_parts(parts: &[Part]) -> Value {
    if let [Part::Text { text }] = parts {
        return json!(text);
    }
    let parts = parts.iter().map(|part| match part {
        Part::Text { text } => json!({ "type": "text", "text": text }),
        Part::Image { media_type, data } => {
            json!({ "type": "image_url", "image_url": { "url": data_url(media_type, data) } })
        }
    });
    parts.collect()
}

/// Reads `chat.completion.chunk` events.
#[derive(Debug)]
pub(crate) struct Reader {
    answer: Answer,
    filtered: bool,
}

impl Reader {
    pub(crate) fn new(names: Names) -> Self {
        Self { answer: Answer::new(names), filtered: false }
    }

    fn tool_call(&mut self, call: &Value, events: Events<'_>) -> Result<(), ModelError> {
        let id = call["id"].as_str().filter(|id| !id.is_empty());
        // Some servers leave the number out: then an id that is new begins a call, and none goes on with the last.
        let key = match (call["index"].as_u64(), id) {
            (Some(index), _) => index,
            (None, Some(id)) => self.answer.key_of(id).unwrap_or_else(|| self.answer.next_key()),
            (None, None) => self.answer.last_key().unwrap_or(0),
        };
        let name = str_at(call, "/function/name");
        if id.is_some() || !name.is_empty() {
            self.answer.open_call(key, id, name, events);
        }
        match &call["function"]["arguments"] {
            Value::String(fragment) => self.answer.extend_call(key, fragment, events),
            // A few servers send the finished object instead of text.
            Value::Object(map) => self.answer.extend_call(key, &json!(map).to_string(), events),
            _ => Ok(()),
        }
    }
}

impl Decoder for Reader {
    fn decode(&mut self, frame: &str, events: Events<'_>) -> Result<bool, ModelError> {
        if frame.trim() == "[DONE]" {
            return Ok(true);
        }
        let chunk = parse(frame)?;
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            return Err(failure::in_stream(error));
        }
        let choice = &chunk["choices"][0];
        self.answer.text(str_at(choice, "/delta/content"), events);
        self.answer.refusal(str_at(choice, "/delta/refusal"));
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            self.tool_call(call, events)?;
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.filtered = reason == "content_filter";
            self.answer.stop(match reason {
                "stop" | "content_filter" => StopReason::End,
                "tool_calls" | "function_call" => StopReason::ToolCalls,
                "length" => StopReason::MaxTokens,
                other => StopReason::Other(other.to_owned()),
            });
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            let usage = Usage {
                input: u64_at(usage, "/prompt_tokens"),
                output: u64_at(usage, "/completion_tokens"),
                cached: u64_at(usage, "/prompt_tokens_details/cached_tokens"),
            };
            self.answer.set_usage(usage, events);
        }
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<Response, ModelError> {
        if self.filtered {
            return Err(ModelError::Refused { detail: "a content filter stopped the answer".to_owned() });
        }
        self.answer.finish(None)
    }
}
