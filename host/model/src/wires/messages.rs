//! Anthropic Messages.
//!
//! A wanted schema goes in words: the field for it is unknown to older models and demands a stricter dialect
//! than callers write.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{Answer, Events};
use super::{Decoder, Target, arguments_object, parse, set, str_at, system_text, temperature, u64_at};
use crate::failure;
use crate::names::Names;
use crate::{Continuation, Message, ModelError, Part, Request, Response, StopReason, ToolChoice, Usage};

const WIRE: &str = "anthropic";
/// The wire demands a limit; this one is within what every current model allows.
const DEFAULT_MAX_TOKENS: u32 = 8192;

pub(crate) fn encode(request: &Request, target: Target<'_>, names: &Names) -> Value {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in &request.messages {
        let (role, blocks) = encode_message(message, names);
        // Results of parallel calls have to stand in one turn, and turns have to alternate.
        match turns.last_mut() {
            Some((last, content)) if *last == role => content.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => turns.push((role, blocks)),
        }
    }
    // With tools a conversation is sent again and again: let the service keep what it has read.
    if target.official
        && !request.tools.is_empty()
        && let Some(block) = turns.last_mut().and_then(|(_, blocks)| blocks.last_mut())
    {
        block["cache_control"] = json!({ "type": "ephemeral" });
    }
    let messages: Vec<Value> =
        turns.into_iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
    let mut body = json!({
        "model": target.model,
        "max_tokens": request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        "messages": messages,
        "stream": true,
    });
    set(&mut body, "system", system_text(request, true));
    set(&mut body, "temperature", temperature(request));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({
                "name": names.encode(&tool.name),
                "description": tool.description,
                "input_schema": tool.parameters,
            })
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.tool_choice {
            ToolChoice::Auto => json!({ "type": "auto" }),
            ToolChoice::None => json!({ "type": "none" }),
            ToolChoice::Required => json!({ "type": "any" }),
            ToolChoice::Named(name) => json!({ "type": "tool", "name": names.encode(name) }),
        };
    }
    body
}

fn encode_message(message: &Message, names: &Names) -> (&'static str, Vec<Value>) {
    match message {
        Message::User { parts } => ("user", parts.iter().filter_map(encode_part).collect()),
        Message::Assistant { text, tool_calls, continuation } => {
            // Signed reasoning stands before what came of it.
            let mut blocks: Vec<Value> = match continuation {
                Some(Continuation { wire, data: Value::Array(thoughts) }) if wire == WIRE => thoughts.clone(),
                _ => Vec::new(),
            };
            blocks.extend(text.as_deref().and_then(text_block));
            blocks.extend(tool_calls.iter().map(|call| {
                json!({
                    "type": "tool_use",
                    "id": call.id,
                    "name": names.encode(&call.name),
                    "input": arguments_object(&call.arguments),
                })
            }));
            ("assistant", blocks)
        }
        Message::Tool { call_id, content, is_error, .. } => {
            let block =
                json!({ "type": "tool_result", "tool_use_id": call_id, "content": content, "is_error": is_error });
            ("user", vec![block])
        }
    }
}

fn encode_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text } => text_block(text),
        Part::Image { media_type, data } => {
            let source = json!({ "type": "base64", "media_type": media_type, "data": data });
            Some(json!({ "type": "image", "source": source }))
        }
    }
}

/// A block of text, unless it is blank, which the wire rejects.
fn text_block(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }))
}

/// Reads the events of a message.
#[derive(Debug)]
pub(crate) struct Reader {
    answer: Answer,
    thoughts: BTreeMap<u64, Value>,
    refused: bool,
    ended: bool,
}

impl Reader {
    pub(crate) fn new(names: Names) -> Self {
        Self { answer: Answer::new(names), thoughts: BTreeMap::new(), refused: false, ended: false }
    }

    fn block_start(&mut self, event: &Value, events: Events<'_>) -> Result<(), ModelError> {
        let (key, block) = (u64_at(event, "/index"), &event["content_block"]);
        match str_at(block, "/type") {
            "text" => self.answer.text(str_at(block, "/text"), events),
            "tool_use" => {
                self.answer.open_call(key, block["id"].as_str(), str_at(block, "/name"), events);
                // Normally empty here; a compatible server may give it whole.
                if block["input"].as_object().is_some_and(|input| !input.is_empty()) {
                    self.answer.extend_call(key, &block["input"].to_string(), events)?;
                }
            }
            "thinking" | "redacted_thinking" => {
                self.thoughts.insert(key, block.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn block_delta(&mut self, event: &Value, events: Events<'_>) -> Result<(), ModelError> {
        let (key, delta) = (u64_at(event, "/index"), &event["delta"]);
        match str_at(delta, "/type") {
            "text_delta" => self.answer.text(str_at(delta, "/text"), events),
            "input_json_delta" => self.answer.extend_call(key, str_at(delta, "/partial_json"), events)?,
            "thinking_delta" => self.append(key, "thinking", str_at(delta, "/thinking")),
            "signature_delta" => self.append(key, "signature", str_at(delta, "/signature")),
            _ => {}
        }
        Ok(())
    }

    fn append(&mut self, key: u64, field: &str, text: &str) {
        if let Some(block) = self.thoughts.get_mut(&key).filter(|block| block.is_object()) {
            let whole = format!("{}{text}", block[field].as_str().unwrap_or_default());
            block[field] = json!(whole);
        }
    }

    /// The counts are cumulative and come in two parts: a field that is absent keeps its figure.
    fn usage(&mut self, usage: &Value, events: Events<'_>) {
        if !usage.is_object() {
            return;
        }
        let mut total = self.answer.usage;
        if usage["input_tokens"].is_u64() {
            total.cached = u64_at(usage, "/cache_read_input_tokens");
            total.input = u64_at(usage, "/input_tokens")
                .saturating_add(u64_at(usage, "/cache_creation_input_tokens"))
                .saturating_add(total.cached);
        }
        if let Some(output) = usage["output_tokens"].as_u64() {
            total.output = output;
        }
        if total != Usage::default() {
            self.answer.set_usage(total, events);
        }
    }
}

impl Decoder for Reader {
    fn decode(&mut self, frame: &str, events: Events<'_>) -> Result<bool, ModelError> {
        let event = parse(frame)?;
        match str_at(&event, "/type") {
            "message_start" => self.usage(&event["message"]["usage"], events),
            "content_block_start" => self.block_start(&event, events)?,
            "content_block_delta" => self.block_delta(&event, events)?,
            "message_delta" => {
                if let Some(reason) = event["delta"]["stop_reason"].as_str() {
                    self.refused = reason == "refusal";
                    self.answer.stop(match reason {
                        "end_turn" | "stop_sequence" => StopReason::End,
                        "tool_use" => StopReason::ToolCalls,
                        "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
                        other => StopReason::Other(other.to_owned()),
                    });
                }
                self.usage(&event["usage"], events);
            }
            "message_stop" => {
                self.ended = true;
                return Ok(true);
            }
            "error" => return Err(failure::in_stream(&event["error"])),
            // `ping`, `content_block_stop`, and what may come later.
            _ => {}
        }
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<Response, ModelError> {
        if self.refused {
            return Err(ModelError::Refused {
                detail: "the service stopped the answer by its usage policy".to_owned(),
            });
        }
        if self.answer.stopped() && !self.ended {
            return Err(ModelError::CutStream { detail: "the stream ended before `message_stop`".to_owned() });
        }
        let thoughts: Vec<Value> = self.thoughts.into_values().collect();
        let continuation =
            (!thoughts.is_empty()).then(|| Continuation { wire: WIRE.to_owned(), data: Value::Array(thoughts) });
        self.answer.finish(continuation)
    }
}
