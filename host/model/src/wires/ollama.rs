//! Ollama's own chat wire.
//!
//! It has no field for the choice of a tool: `None` offers no tools, `Named` offers one, `Required` is left to
//! the model. A wanted schema constrains every word of the answer, so that no tool could be called: with tools
//! it goes in words.

use serde_json::{Value, json};

use super::answer::{Answer, Events};
use super::{
    Decoder, Target, arguments_object, joined_text, parse, set, str_at, system_text, temperature, tool_text, u64_at,
};
use crate::failure;
use crate::names::Names;
use crate::{Message, ModelError, Part, Request, Response, StopReason, ToolChoice, Usage};

pub(crate) fn encode(request: &Request, target: Target<'_>, names: &Names) -> Value {
    let tools: Vec<Value> = request
        .tools
        .iter()
        .filter(|tool| match &request.tool_choice {
            ToolChoice::Auto | ToolChoice::Required => true,
            ToolChoice::None => false,
            ToolChoice::Named(name) => tool.name == *name,
        })
        .map(|tool| {
            let function = json!({
                "name": names.encode(&tool.name),
                "description": tool.description,
                "parameters": tool.parameters,
            });
            json!({ "type": "function", "function": function })
        })
        .collect();
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if let Some(system) = system_text(request, !tools.is_empty()) {
        messages.push(json!({ "role": "system", "content": system }));
    }
    messages.extend(request.messages.iter().map(|message| encode_message(message, names)));
    let mut body = json!({ "model": target.model, "messages": messages, "stream": true });
    if tools.is_empty() {
        set(&mut body, "format", request.response_schema.clone());
    } else {
        body["tools"] = Value::Array(tools);
    }
    let mut options = json!({});
    set(&mut options, "num_predict", request.max_tokens);
    set(&mut options, "temperature", temperature(request));
    if options.as_object().is_some_and(|options| !options.is_empty()) {
        body["options"] = options;
    }
    body
}

fn encode_message(message: &Message, names: &Names) -> Value {
    match message {
        Message::User { parts } => {
            let mut message = json!({ "role": "user", "content": joined_text(parts) });
            let images: Vec<&str> = parts
                .iter()
                .filter_map(|part| match part {
                    Part::Image { data, .. } => Some(data.as_str()),
                    Part::Text { .. } => None,
                })
                .collect();
            if !images.is_empty() {
                message["images"] = json!(images);
            }
            message
        }
        Message::Assistant { text, tool_calls, .. } => {
            let mut message = json!({ "role": "assistant", "content": text.as_deref().unwrap_or_default() });
            if !tool_calls.is_empty() {
                let calls = tool_calls.iter().map(|call| {
                    let function =
                        json!({ "name": names.encode(&call.name), "arguments": arguments_object(&call.arguments) });
                    json!({ "function": function })
                });
                message["tool_calls"] = calls.collect();
            }
            message
        }
        Message::Tool { name, content, is_error, .. } => {
            json!({ "role": "tool", "tool_name": names.encode(name), "content": tool_text(content, *is_error) })
        }
    }
}

/// Reads the lines of an answer.
#[derive(Debug)]
pub(crate) struct Reader {
    answer: Answer,
}

impl Reader {
    pub(crate) fn new(names: Names) -> Self {
        Self { answer: Answer::new(names) }
    }
}

impl Decoder for Reader {
    fn decode(&mut self, frame: &str, events: Events<'_>) -> Result<bool, ModelError> {
        let line = parse(frame)?;
        if let Some(error) = line.get("error").filter(|error| !error.is_null()) {
            return Err(failure::in_stream(error));
        }
        self.answer.text(str_at(&line, "/message/content"), events);
        for call in line["message"]["tool_calls"].as_array().into_iter().flatten() {
            let function = &call["function"];
            self.answer.whole_call(
                call["id"].as_str(),
                str_at(function, "/name"),
                function["arguments"].clone(),
                events,
            );
        }
        if line["done"] != json!(true) {
            return Ok(false);
        }
        self.answer.stop(match str_at(&line, "/done_reason") {
            "stop" | "" => StopReason::End,
            "length" => StopReason::MaxTokens,
            other => StopReason::Other(other.to_owned()),
        });
        let usage =
            Usage { input: u64_at(&line, "/prompt_eval_count"), output: u64_at(&line, "/eval_count"), cached: 0 };
        self.answer.set_usage(usage, events);
        Ok(true)
    }

    fn finish(self: Box<Self>) -> Result<Response, ModelError> {
        self.answer.finish(None)
    }
}
