//! OpenAI Responses.
//!
//! Requests are stateless (`store: false`): the conversation is the caller's, and nothing is left on the
//! service. Models that reason give their reasoning along encrypted, and it goes back with the turn.

use serde_json::{Value, json};

use super::answer::{Answer, Events};
use super::{Decoder, Target, arguments_text, data_url, parse, set, str_at, temperature, tool_text, u64_at};
use crate::failure;
use crate::names::Names;
use crate::{Continuation, Message, ModelError, Part, Request, Response, StopReason, ToolChoice, Usage};

const WIRE: &str = "openai";

pub(crate) fn encode(request: &Request, target: Target<'_>, names: &Names) -> Value {
    let input: Vec<Value> = request.messages.iter().flat_map(|message| encode_message(message, names)).collect();
    let mut body = json!({ "model": target.model, "input": input, "stream": true, "store": false });
    set(&mut body, "instructions", request.system.clone());
    set(&mut body, "max_output_tokens", request.max_tokens);
    set(&mut body, "temperature", temperature(request));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({
                "type": "function",
                "name": names.encode(&tool.name),
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": false,
            })
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.tool_choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::None => json!("none"),
            ToolChoice::Required => json!("required"),
            ToolChoice::Named(name) => json!({ "type": "function", "name": names.encode(name) }),
        };
    }
    if let Some(schema) = &request.response_schema {
        let format = json!({ "type": "json_schema", "name": "answer", "schema": schema, "strict": false });
        body["text"] = json!({ "format": format });
    }
    if target.official && reasons(target.model) {
        body["include"] = json!(["reasoning.encrypted_content"]);
    }
    body
}

/// Whether a model of the vendor reasons. The older families do not, and reject the request for reasoning;
/// what is newer than this list does.
fn reasons(model: &str) -> bool {
    let older = ["gpt-3", "gpt-4", "chatgpt", "davinci", "babbage"];
    !older.iter().any(|family| model.starts_with(family) || model.starts_with(&format!("ft:{family}")))
        && !model.contains("-chat")
}

fn encode_message(message: &Message, names: &Names) -> Vec<Value> {
    match message {
        Message::User { parts } => {
            let content = parts.iter().map(|part| match part {
                Part::Text { text } => json!({ "type": "input_text", "text": text }),
                Part::Image { media_type, data } => {
                    json!({ "type": "input_image", "image_url": data_url(media_type, data) })
                }
            });
            vec![json!({ "type": "message", "role": "user", "content": content.collect::<Vec<_>>() })]
        }
        Message::Assistant { text, tool_calls, continuation } => {
            let mut items: Vec<Value> = match continuation {
                Some(Continuation { wire, data: Value::Array(thoughts) }) if wire == WIRE => thoughts.clone(),
                _ => Vec::new(),
            };
            items.extend(text.iter().map(|text| {
                let content = json!([{ "type": "output_text", "text": text }]);
                json!({ "type": "message", "role": "assistant", "content": content })
            }));
            items.extend(tool_calls.iter().map(|call| {
                json!({
                    "type": "function_call",
                    "call_id": call.id,
                    "name": names.encode(&call.name),
                    "arguments": arguments_text(&call.arguments),
                })
            }));
            items
        }
        Message::Tool { call_id, content, is_error, .. } => {
            let output = tool_text(content, *is_error);
            vec![json!({ "type": "function_call_output", "call_id": call_id, "output": output })]
        }
    }
}

/// Reads the events of a response.
#[derive(Debug)]
pub(crate) struct Reader {
    answer: Answer,
    thoughts: Vec<Value>,
    filtered: bool,
}

impl Reader {
    pub(crate) fn new(names: Names) -> Self {
        Self { answer: Answer::new(names), thoughts: Vec::new(), filtered: false }
    }

    fn item_done(&mut self, key: u64, item: &Value, events: Events<'_>) {
        match str_at(item, "/type") {
            "function_call" => {
                self.answer.open_call(key, item["call_id"].as_str(), str_at(item, "/name"), events);
                self.answer.complete_call(key, str_at(item, "/arguments"), events);
            }
            // Without its encrypted content it could not be sent back: the service keeps nothing.
            "reasoning" if item["encrypted_content"].is_string() => {
                let mut thought = item.clone();
                if let Some(thought) = thought.as_object_mut() {
                    thought.remove("status");
                }
                self.thoughts.push(thought);
            }
            _ => {}
        }
    }

    /// The closing event. Servers that skip the small events give the whole answer here.
    fn closed(&mut self, response: &Value, stop: StopReason, events: Events<'_>) {
        if self.answer.is_bare() {
            for (key, item) in (0..).zip(response["output"].as_array().into_iter().flatten()) {
                if str_at(item, "/type") == "function_call" {
                    self.item_done(key, item, events);
                }
                for part in item["content"].as_array().into_iter().flatten() {
                    match str_at(part, "/type") {
                        "output_text" => self.answer.text(str_at(part, "/text"), events),
                        "refusal" => self.answer.refusal(str_at(part, "/refusal")),
                        _ => {}
                    }
                }
            }
        }
        if let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) {
            let usage = Usage {
                input: u64_at(usage, "/input_tokens"),
                output: u64_at(usage, "/output_tokens"),
                cached: u64_at(usage, "/input_tokens_details/cached_tokens"),
            };
            self.answer.set_usage(usage, events);
        }
        self.answer.stop(stop);
    }
}

impl Decoder for Reader {
    fn decode(&mut self, frame: &str, events: Events<'_>) -> Result<bool, ModelError> {
        if frame.trim() == "[DONE]" {
            return Ok(true);
        }
        let event = parse(frame)?;
        let key = u64_at(&event, "/output_index");
        match str_at(&event, "/type") {
            "response.output_text.delta" => self.answer.text(str_at(&event, "/delta"), events),
            "response.refusal.delta" => self.answer.refusal(str_at(&event, "/delta")),
            "response.output_item.added" if str_at(&event, "/item/type") == "function_call" => {
                self.answer.open_call(key, event["item"]["call_id"].as_str(), str_at(&event, "/item/name"), events);
            }
            "response.function_call_arguments.delta" => {
                self.answer.extend_call(key, str_at(&event, "/delta"), events)?;
            }
            "response.output_item.done" => self.item_done(key, &event["item"], events),
            "response.completed" => {
                self.closed(&event["response"], StopReason::End, events);
                return Ok(true);
            }
            "response.incomplete" => {
                let stop = match str_at(&event, "/response/incomplete_details/reason") {
                    "max_output_tokens" => StopReason::MaxTokens,
                    other => StopReason::Other(other.to_owned()),
                };
                self.filtered = stop == StopReason::Other("content_filter".to_owned());
                self.closed(&event["response"], stop, events);
                return Ok(true);
            }
            "response.failed" => return Err(failure::in_stream(&event["response"]["error"])),
            "error" => return Err(failure::in_stream(event.get("error").unwrap_or(&event))),
            _ => {}
        }
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<Response, ModelError> {
        if self.filtered {
            return Err(ModelError::Refused { detail: "a content filter stopped the answer".to_owned() });
        }
        let Self { answer, thoughts, .. } = *self;
        let continuation =
            (!thoughts.is_empty()).then(|| Continuation { wire: WIRE.to_owned(), data: Value::Array(thoughts) });
        answer.finish(continuation)
    }
}
