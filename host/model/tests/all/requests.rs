//! What each wire is sent, for one conversation that has everything in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use toolcrib_model::{Arguments, Message, Part, Request, ToolCall, ToolChoice, ToolSpec};

use crate::answers::ANSWERS;
use crate::server::{Asked, Server, complete, config, stream};

fn conversation() -> Request {
    let call = |id: &str, name: &str, arguments| ToolCall { id: id.into(), name: name.into(), arguments };
    let read = call("c1", "files.read", Arguments::Json(Map::from_iter([("path".to_owned(), json!("a"))])));
    let broken = call("toolcrib-call-1", "time.now", Arguments::parse("{oops"));
    let schema = json!({ "type": "object" });
    Request {
        system: Some("be brief".into()),
        messages: vec![
            Message::User {
                parts: vec![
                    Part::Text { text: "look".into() },
                    Part::Image { media_type: "image/png".into(), data: "AAAA".into() },
                ],
            },
            Message::Assistant {
                text: Some("so".into()),
                tool_calls: vec![read.clone(), broken.clone()],
                continuation: None,
            },
            Message::tool(&read, "{\"n\":1}", false),
            Message::tool(&broken, "not JSON", true),
            Message::user("go on"),
        ],
        tools: vec![ToolSpec { name: "files.read".into(), description: "reads".into(), parameters: schema.clone() }],
        tool_choice: ToolChoice::Named("files.read".into()),
        max_tokens: Some(99),
        temperature: Some(0.7),
        response_schema: Some(schema),
    }
}

/// One line per field, one per element of a list, keys in order.
fn shown(body: &Value) -> String {
    fn sorted(value: &Value) -> String {
        match value {
            Value::Object(map) => {
                let map: BTreeMap<_, _> = map.iter().collect();
                let fields: Vec<String> = map.iter().map(|(k, v)| format!("{}:{}", json!(k), sorted(v))).collect();
                format!("{{{}}}", fields.join(","))
            }
            Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
            other => other.to_string(),
        }
    }
    let mut text = String::new();
    let fields: BTreeMap<_, _> = body.as_object().unwrap().iter().collect();
    for (key, value) in fields {
        match value {
            Value::Array(items) => {
                writeln!(text, "{key}:").unwrap();
                for item in items {
                    writeln!(text, "  {}", sorted(item)).unwrap();
                }
            }
            other => writeln!(text, "{key}: {}", sorted(other)).unwrap(),
        }
    }
    text
}

async fn sent(wire: &str, request: &Request) -> Asked {
    let (_, content_type, body) = ANSWERS.into_iter().find(|(name, ..)| *name == wire).unwrap();
    let server = Server::play(vec![stream(content_type, body)]).await;
    complete(config(wire, &server.origin), request).await.0.unwrap();
    server.asked().remove(0)
}

#[tokio::test]
async fn openai_responses() {
    let asked = sent("openai", &conversation()).await;
    assert_eq!(asked.request_line(), "POST /v1/responses HTTP/1.1");
    assert_eq!(asked.header("authorization"), Some("Bearer sk-test-0123456789"));
    insta::assert_snapshot!(shown(&asked.body), @r#"
    input:
      {"content":[{"text":"look","type":"input_text"},{"image_url":"data:image/png;base64,AAAA","type":"input_image"}],"role":"user","type":"message"}
      {"content":[{"text":"so","type":"output_text"}],"role":"assistant","type":"message"}
      {"arguments":"{\"path\":\"a\"}","call_id":"c1","name":"files__read","type":"function_call"}
      {"arguments":"{oops","call_id":"toolcrib-call-1","name":"time__now","type":"function_call"}
      {"call_id":"c1","output":"{\"n\":1}","type":"function_call_output"}
      {"call_id":"toolcrib-call-1","output":"error: not JSON","type":"function_call_output"}
      {"content":[{"text":"go on","type":"input_text"}],"role":"user","type":"message"}
    instructions: "be brief"
    max_output_tokens: 99
    model: "m"
    store: false
    stream: true
    temperature: 0.7
    text: {"format":{"name":"answer","schema":{"type":"object"},"strict":false,"type":"json_schema"}}
    tool_choice: {"name":"files__read","type":"function"}
    tools:
      {"description":"reads","name":"files__read","parameters":{"type":"object"},"strict":false,"type":"function"}
    "#);
}

#[tokio::test]
async fn openai_chat_completions() {
    let asked = sent("openai-chat", &conversation()).await;
    assert_eq!(asked.request_line(), "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(asked.header("accept"), Some("text/event-stream"));
    insta::assert_snapshot!(shown(&asked.body), @r#"
    max_tokens: 99
    messages:
      {"content":"be brief","role":"system"}
      {"content":[{"text":"look","type":"text"},{"image_url":{"url":"data:image/png;base64,AAAA"},"type":"image_url"}],"role":"user"}
      {"content":"so","role":"assistant","tool_calls":[{"function":{"arguments":"{\"path\":\"a\"}","name":"files__read"},"id":"c1","type":"function"},{"function":{"arguments":"{oops","name":"time__now"},"id":"toolcrib-call-1","type":"function"}]}
      {"content":"{\"n\":1}","role":"tool","tool_call_id":"c1"}
      {"content":"error: not JSON","role":"tool","tool_call_id":"toolcrib-call-1"}
      {"content":"go on","role":"user"}
    model: "m"
    response_format: {"json_schema":{"name":"answer","schema":{"type":"object"},"strict":false},"type":"json_schema"}
    stream: true
    stream_options: {"include_usage":true}
    temperature: 0.7
    tool_choice: {"function":{"name":"files__read"},"type":"function"}
    tools:
      {"function":{"description":"reads","name":"files__read","parameters":{"type":"object"}},"type":"function"}
    "#);
}

#[tokio::test]
async fn anthropic_messages() {
    let asked = sent("anthropic", &conversation()).await;
    assert_eq!(asked.request_line(), "POST /v1/messages HTTP/1.1");
    assert_eq!(asked.header("x-api-key"), Some("sk-test-0123456789"));
    assert_eq!(asked.header("anthropic-version"), Some("2023-06-01"));
    insta::assert_snapshot!(shown(&asked.body), @r#"
    max_tokens: 99
    messages:
      {"content":[{"text":"look","type":"text"},{"source":{"data":"AAAA","media_type":"image/png","type":"base64"},"type":"image"}],"role":"user"}
      {"content":[{"text":"so","type":"text"},{"id":"c1","input":{"path":"a"},"name":"files__read","type":"tool_use"},{"id":"toolcrib-call-1","input":{"malformed_arguments":"{oops"},"name":"time__now","type":"tool_use"}],"role":"assistant"}
      {"content":[{"content":"{\"n\":1}","is_error":false,"tool_use_id":"c1","type":"tool_result"},{"content":"not JSON","is_error":true,"tool_use_id":"toolcrib-call-1","type":"tool_result"},{"text":"go on","type":"text"}],"role":"user"}
    model: "m"
    stream: true
    system: "be brief\n\nWhen you give your final answer, write nothing but one JSON value that fits this JSON Schema, without a code fence:\n{\"type\":\"object\"}"
    temperature: 0.7
    tool_choice: {"name":"files__read","type":"tool"}
    tools:
      {"description":"reads","input_schema":{"type":"object"},"name":"files__read"}
    "#);
}

#[tokio::test]
async fn gemini() {
    let asked = sent("gemini", &conversation()).await;
    assert_eq!(asked.request_line(), "POST /v1beta/models/m:streamGenerateContent?alt=sse HTTP/1.1");
    assert_eq!(asked.header("x-goog-api-key"), Some("sk-test-0123456789"));
    insta::assert_snapshot!(shown(&asked.body), @r#"
    contents:
      {"parts":[{"text":"look"},{"inlineData":{"data":"AAAA","mimeType":"image/png"}}],"role":"user"}
      {"parts":[{"text":"so"},{"functionCall":{"args":{"path":"a"},"id":"c1","name":"files__read"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"args":{"malformed_arguments":"{oops"},"name":"time__now"}}],"role":"model"}
      {"parts":[{"functionResponse":{"id":"c1","name":"files__read","response":{"output":{"n":1}}}},{"functionResponse":{"name":"time__now","response":{"error":"not JSON"}}},{"text":"go on"}],"role":"user"}
    generationConfig: {"maxOutputTokens":99,"temperature":0.7}
    systemInstruction: {"parts":[{"text":"be brief\n\nWhen you give your final answer, write nothing but one JSON value that fits this JSON Schema, without a code fence:\n{\"type\":\"object\"}"}]}
    toolConfig: {"functionCallingConfig":{"allowedFunctionNames":["files__read"],"mode":"ANY"}}
    tools:
      {"functionDeclarations":[{"description":"reads","name":"files__read","parametersJsonSchema":{"type":"object"}}]}
    "#);
}

#[tokio::test]
async fn ollama() {
    let asked = sent("ollama", &conversation()).await;
    assert_eq!(asked.request_line(), "POST /api/chat HTTP/1.1");
    insta::assert_snapshot!(shown(&asked.body), @r#"
    messages:
      {"content":"be brief\n\nWhen you give your final answer, write nothing but one JSON value that fits this JSON Schema, without a code fence:\n{\"type\":\"object\"}","role":"system"}
      {"content":"look","images":["AAAA"],"role":"user"}
      {"content":"so","role":"assistant","tool_calls":[{"function":{"arguments":{"path":"a"},"name":"files__read"}},{"function":{"arguments":{"malformed_arguments":"{oops"},"name":"time__now"}}]}
      {"content":"{\"n\":1}","role":"tool","tool_name":"files__read"}
      {"content":"error: not JSON","role":"tool","tool_name":"time__now"}
      {"content":"go on","role":"user"}
    model: "m"
    options: {"num_predict":99,"temperature":0.7}
    stream: true
    tools:
      {"function":{"description":"reads","name":"files__read","parameters":{"type":"object"}},"type":"function"}
    "#);
}

#[tokio::test]
async fn a_wanted_schema_without_tools_goes_into_the_field_for_it() {
    let request = Request { tools: vec![], tool_choice: ToolChoice::Auto, ..conversation() };
    let gemini = sent("gemini", &request).await.body;
    assert_eq!(gemini["generationConfig"]["responseJsonSchema"], json!({ "type": "object" }));
    let ollama = sent("ollama", &request).await.body;
    assert_eq!(ollama["format"], json!({ "type": "object" }));
    assert_eq!(ollama["messages"][0]["content"], "be brief");
}

#[tokio::test]
async fn every_choice_of_tools_has_its_word_on_each_wire() {
    let mut lines = String::new();
    for choice in [ToolChoice::Auto, ToolChoice::None, ToolChoice::Required] {
        let request = Request { tool_choice: choice.clone(), ..conversation() };
        let mut words = Vec::new();
        for wire in ["openai", "openai-chat", "anthropic"] {
            words.push(sent(wire, &request).await.body["tool_choice"].to_string());
        }
        words.push(sent("gemini", &request).await.body["toolConfig"]["functionCallingConfig"].to_string());
        words.push(sent("ollama", &request).await.body["tools"].as_array().map_or(0, Vec::len).to_string());
        writeln!(lines, "{choice:?}: {}", words.join(" ")).unwrap();
    }
    insta::assert_snapshot!(lines, @r#"
    Auto: "auto" "auto" {"type":"auto"} {"mode":"AUTO"} 1
    None: "none" "none" {"type":"none"} {"mode":"NONE"} 0
    Required: "required" "required" {"type":"any"} {"mode":"ANY"} 1
    "#);
}

#[test]
fn a_request_survives_the_ledger() {
    let request = conversation();
    let stored = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&stored).unwrap(), request);
}
