//! Answers as they arrive, on every wire.

use crate::answers::ANSWERS;
use crate::server::{Server, Step, complete, config, head, stream};
use serde_json::json;
use toolcrib_model::{Arguments, Delta, Message, Request, Response, StopReason, ToolCall, Usage};

fn request() -> Request {
    Request { messages: vec![Message::user("hello")], ..Request::default() }
}

fn call(id: &str, name: &str, arguments: serde_json::Value) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), arguments: Arguments::from_value(arguments) }
}

fn assert_full(wire: &str, response: &Response) {
    assert_eq!(response.text.as_deref(), Some("Grüße 🦀"), "{wire}");
    let calls = [call("c1", "files.read", json!({ "path": "ä.txt" })), call("c2", "time.now", json!({}))];
    assert_eq!(response.tool_calls, calls, "{wire}");
    assert_eq!(response.stop, StopReason::ToolCalls, "{wire}");
    let cached = if wire == "ollama" { 0 } else { 5 };
    assert_eq!(response.usage, Usage { input: 20, output: 7, cached }, "{wire}");
}

#[tokio::test]
async fn a_full_answer_arrives_whole_and_its_deltas_add_up_to_it() {
    for (wire, content_type, body) in ANSWERS {
        let server = Server::play(vec![stream(content_type, body)]).await;
        let (result, deltas) = complete(config(wire, &server.origin), &request()).await;
        let response = result.unwrap();
        assert_full(wire, &response);

        let (mut text, mut arguments, mut usage) = (String::new(), vec![String::new(); 2], None);
        for delta in deltas {
            match delta {
                Delta::Text { text: more } => text.push_str(&more),
                Delta::ToolCall { index, name, fragment } => {
                    assert_eq!(name, response.tool_calls[index].name, "{wire}");
                    arguments[index].push_str(&fragment);
                }
                Delta::Usage { usage: latest } => usage = Some(latest),
                Delta::Retry { .. } => panic!("{wire}: nothing failed"),
            }
        }
        assert_eq!(Some(text), response.text, "{wire}");
        assert_eq!(usage, Some(response.usage), "{wire}");
        for (call, text) in response.tool_calls.iter().zip(arguments) {
            assert_eq!(Arguments::parse(&text), call.arguments, "{wire}");
        }
    }
}

#[tokio::test]
async fn pieces_may_end_anywhere_also_inside_a_character() {
    for (wire, content_type, body) in ANSWERS {
        let mut steps = vec![Step::Send(head(200, &format!("content-type: {content_type}\r\n")).into_bytes())];
        // Pieces of 7 bytes, each written by itself: they end inside lines, words and characters.
        for piece in body.replace('\n', "\r\n").as_bytes().chunks(7) {
            steps.push(Step::Send(piece.to_vec()));
            steps.push(Step::Wait(std::time::Duration::ZERO));
        }
        let server = Server::play(vec![steps]).await;
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        assert_full(wire, &result.unwrap());
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_anywhere_is_never_a_success() {
    for (wire, content_type, body) in ANSWERS {
        // The end of the last message that matters: what follows it may be missing.
        let needed = match wire {
            "openai-chat" => body.find("data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},").unwrap(),
            _ => body.trim_end().rfind('\n').unwrap(),
        };
        let cuts: Vec<usize> =
            (0..needed).filter(|at| body.is_char_boundary(*at)).step_by(37).chain([needed]).collect();
        let scripts = cuts.iter().map(|at| stream(content_type, &body[..*at])).collect();
        let server = Server::play(scripts).await;
        for at in cuts {
            let (result, _) = complete(config(wire, &server.origin), &request()).await;
            let error = result.expect_err(&format!("{wire} cut at {at}"));
            assert_eq!(error.code(), "cut-stream", "{wire} cut at {at}: {error}");
            assert!(error.retryable());
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_promised_length_is_a_cut_stream() {
    for (wire, content_type, body) in ANSWERS {
        let end = body.trim_end().rfind('\n').unwrap();
        let promised = format!("content-type: {content_type}\r\ncontent-length: {}\r\n", body.len() + 9);
        let steps = vec![Step::Send(format!("{}{}", head(200, &promised), &body[..end / 2]).into_bytes())];
        let server = Server::play(vec![steps]).await;
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        assert_eq!(result.unwrap_err().code(), "cut-stream", "{wire}");
    }
}

#[tokio::test]
async fn an_answer_with_nothing_in_it_is_an_error() {
    let empty = [
        ("openai", r#"data: {"type":"response.completed","response":{"output":[]}}"#),
        (
            "openai-chat",
            "data: {\"choices\":[{\"delta\":{\"content\":\" \"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]",
        ),
        (
            "anthropic",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\ndata: {\"type\":\"message_stop\"}",
        ),
        ("gemini", r#"data: {"candidates":[{"finishReason":"STOP"}]}"#),
        ("ollama", r#"{"message":{"content":""},"done":true}"#),
    ];
    for (wire, body) in empty {
        let server = Server::play(vec![stream("text/event-stream", &format!("{body}\n\n"))]).await;
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        assert_eq!(result.unwrap_err().code(), "empty", "{wire}");
    }
}

#[tokio::test]
async fn an_error_inside_a_stream_is_sorted_like_one_before_it() {
    let broken = [
        ("openai", r#"data: {"type":"error","code":"rate_limit_exceeded","message":"slow"}"#, "rate-limited"),
        ("openai", r#"data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}"#, "unavailable"),
        ("openai-chat", r#"data: {"error":{"message":"boom","type":"server_error"}}"#, "unavailable"),
        ("anthropic", r#"data: {"type":"error","error":{"type":"overloaded_error","message":"x"}}"#, "unavailable"),
        (
            "anthropic",
            r#"data: {"type":"error","error":{"type":"invalid_request_error","message":"x"}}"#,
            "bad-request",
        ),
        ("gemini", r#"data: {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}"#, "rate-limited"),
        ("ollama", r#"{"error":"the runner died"}"#, "unavailable"),
        ("openai-chat", "data: {nonsense", "malformed"),
        (
            "openai-chat",
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"arguments\":\"{\"}}]}}]}",
            "malformed",
        ),
    ];
    for (wire, body, code) in broken {
        let server = Server::play(vec![stream("text/event-stream", &format!("{body}\n\n"))]).await;
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        assert_eq!(result.unwrap_err().code(), code, "{wire}: {body}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_apart_from_an_answer() {
    let refused = [
        (
            "openai",
            "data: {\"type\":\"response.refusal.delta\",\"delta\":\"I will not\"}\n\ndata: {\"type\":\"response.completed\",\"response\":{}}",
        ),
        ("openai-chat", r#"data: {"choices":[{"delta":{"content":"a"},"finish_reason":"content_filter"}]}"#),
        (
            "anthropic",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\"}}\n\ndata: {\"type\":\"message_stop\"}",
        ),
        ("gemini", r#"data: {"promptFeedback":{"blockReason":"SAFETY"}}"#),
        ("gemini", r#"data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"SAFETY"}]}"#),
    ];
    for (wire, body) in refused {
        let server = Server::play(vec![stream("text/event-stream", &format!("{body}\n\n"))]).await;
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        let error = result.unwrap_err();
        assert_eq!(error.code(), "refused", "{wire}: {error}");
        assert!(!error.retryable());
    }
}

#[tokio::test]
async fn broken_arguments_are_kept_for_the_model_to_see() {
    let body = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"a__b\",\"arguments\":\"{\\\"x\\\":\"}}]},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";
    let server = Server::play(vec![stream("text/event-stream", body)]).await;
    let (result, _) = complete(config("openai-chat", &server.origin), &request()).await;
    let response = result.unwrap();
    assert_eq!(response.stop, StopReason::MaxTokens);
    let Arguments::Malformed { raw, reason } = &response.tool_calls[0].arguments else { panic!("{response:?}") };
    assert_eq!(raw, "{\"x\":");
    assert!(reason.starts_with("not valid JSON"), "{reason}");
}

#[tokio::test]
async fn signed_reasoning_goes_back_with_the_turn() {
    for (wire, content_type, body) in
        ANSWERS.into_iter().filter(|(wire, ..)| ["openai", "anthropic", "gemini"].contains(wire))
    {
        let server = Server::play(vec![stream(content_type, body), stream(content_type, body)]).await;
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        let response = result.unwrap();
        let stored: Response = serde_json::from_str(&serde_json::to_string(&response).unwrap()).unwrap();
        assert_eq!(stored, response, "{wire}: an exchange survives the ledger");

        let mut next = request();
        next.messages.push(stored.to_message());
        next.messages.push(Message::tool(&stored.tool_calls[0], "ok", false));
        next.messages.push(Message::tool(&stored.tool_calls[1], "ok", false));
        complete(config(wire, &server.origin), &next).await.0.unwrap();
        let sent = server.asked()[1].body.to_string();
        assert!(sent.contains("secret-thought"), "{wire}: {sent}");

        // Another back end does not get to see it.
        let other = if wire == "gemini" { ANSWERS[2] } else { ANSWERS[3] };
        let server = Server::play(vec![stream(other.1, other.2)]).await;
        complete(config(other.0, &server.origin), &next).await.0.unwrap();
        let sent = server.asked()[0].body.to_string();
        assert!(!sent.contains("secret-thought"), "{wire} to {}: {sent}", other.0);
    }
}
