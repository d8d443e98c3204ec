//! Servers that refuse, fall silent, flood, or are not there.

use std::time::Duration;

use toolcrib_model::{Message, ModelError, Phase, Request};

use crate::answers::ANSWERS;
use crate::server::{Server, Step, complete, config, head, status, stream};

fn request() -> Request {
    Request { messages: vec![Message::user("hello")], ..Request::default() }
}

#[tokio::test]
async fn a_rate_limit_tells_how_long_to_wait() {
    for (wire, ..) in ANSWERS {
        let body = r#"{"error":{"message":"slow down"}}"#;
        let server = Server::play(vec![
            status(429, "retry-after: 7\r\n", body),
            status(429, "retry-after-ms: 250\r\nretry-after: 7\r\n", body),
            status(503, "retry-after: Fri, 01 Jan 2100 00:00:00 GMT\r\n", body),
        ])
        .await;
        let (result, deltas) = complete(config(wire, &server.origin), &request()).await;
        let expected = ModelError::RateLimited {
            detail: "status 429: slow down".into(),
            retry_after: Some(Duration::from_secs(7)),
        };
        assert_eq!(result.unwrap_err(), expected, "{wire}");
        assert!(deltas.is_empty());
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        assert_eq!(result.unwrap_err().retry_after(), Some(Duration::from_millis(250)), "{wire}");
        let (result, _) = complete(config(wire, &server.origin), &request()).await;
        let error = result.unwrap_err();
        assert_eq!(error.code(), "unavailable", "{wire}");
        assert!(error.retry_after().unwrap() > Duration::from_secs(86_400), "{wire}");
    }
}

#[tokio::test]
async fn each_status_is_the_same_error_on_every_wire() {
    for (wire, ..) in ANSWERS {
        for (code, word) in [(400, "bad-request"), (401, "auth"), (404, "not-found"), (500, "unavailable")] {
            let server = Server::play(vec![status(code, "", "{}")]).await;
            let (result, _) = complete(config(wire, &server.origin), &request()).await;
            assert_eq!(result.unwrap_err().code(), word, "{wire}");
        }
    }
}

#[tokio::test]
async fn a_server_that_quotes_the_key_does_not_get_it_into_an_error() {
    let quote = r#"{"error":{"message":"wrong key sk-test-0123456789 given"}}"#;
    let in_stream = format!("data: {quote}\n\n");
    let server = Server::play(vec![status(401, "", quote), stream("text/event-stream", &in_stream)]).await;
    for _ in 0..2 {
        let (result, _) = complete(config("openai-chat", &server.origin), &request()).await;
        let error = result.unwrap_err();
        let everything = format!("{error} {error:?} {}", serde_json::to_string(&error).unwrap());
        assert!(!everything.contains("sk-test"), "{everything}");
        assert!(everything.contains("wrong key [key] given"), "{everything}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let elsewhere = Server::play(vec![status(200, "", "{}")]).await;
    let location = format!("location: {}/x\r\n", elsewhere.origin);
    let server = Server::play(vec![status(307, &location, "")]).await;
    let (result, _) = complete(config("openai", &server.origin), &request()).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), "not-found");
    assert!(error.to_string().contains(&elsewhere.origin), "{error}");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn silence_before_the_answer_runs_into_its_time_out() {
    let server = Server::play(vec![vec![Step::Wait(Duration::from_secs(60))]]).await;
    let mut config = config("openai", &server.origin);
    config.timeouts.first_byte = Duration::from_millis(80);
    let (result, _) = complete(config, &request()).await;
    let expected = ModelError::TimedOut { phase: Phase::FirstByte, after: Duration::from_millis(80) };
    assert_eq!(result.unwrap_err(), expected);
}

#[tokio::test]
async fn silence_within_the_answer_runs_into_its_time_out() {
    for (wire, content_type, body) in ANSWERS {
        let mut steps = stream(content_type, &body[..body.len() / 3].replace('\u{fffd}', ""));
        steps.push(Step::Wait(Duration::from_secs(60)));
        let server = Server::play(vec![steps]).await;
        let mut config = config(wire, &server.origin);
        config.timeouts.idle = Duration::from_millis(150);
        let (result, _) = complete(config, &request()).await;
        let expected = ModelError::TimedOut { phase: Phase::Idle, after: Duration::from_millis(150) };
        assert_eq!(result.unwrap_err(), expected, "{wire}");
    }
}

#[tokio::test]
async fn a_trickle_that_never_ends_runs_into_the_total_time_out() {
    let mut steps = stream("text/event-stream", "");
    for _ in 0..2000 {
        steps.push(Step::Send(b": ping\n".to_vec()));
        steps.push(Step::Wait(Duration::from_millis(10)));
    }
    let server = Server::play(vec![steps]).await;
    let mut config = config("anthropic", &server.origin);
    config.timeouts.total = Duration::from_millis(300);
    let (result, _) = complete(config, &request()).await;
    let error = result.unwrap_err();
    assert_eq!(error, ModelError::TimedOut { phase: Phase::Total, after: Duration::from_millis(300) });
    assert!(!error.retryable());
}

#[tokio::test]
async fn a_flood_is_dropped_at_the_limit() {
    for (wire, content_type, _) in ANSWERS {
        // One line without an end: it must not be collected without bound.
        let server = Server::play(vec![stream(content_type, &"x".repeat(300_000))]).await;
        let mut config = config(wire, &server.origin);
        config.max_response_bytes = 100_000;
        let (result, _) = complete(config, &request()).await;
        assert_eq!(result.unwrap_err(), ModelError::TooLarge { limit: 100_000 }, "{wire}");
    }
}

#[tokio::test]
async fn a_long_explanation_is_cut_short() {
    let server = Server::play(vec![status(400, "", &"blah ".repeat(100_000))]).await;
    let (result, _) = complete(config("openai", &server.origin), &request()).await;
    assert!(result.unwrap_err().to_string().len() < 1000);
}

#[tokio::test]
async fn nobody_listening_names_the_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (result, _) = complete(config("ollama", &origin), &request()).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    assert!(error.retryable());
    assert!(error.to_string().starts_with(&format!("cannot reach {origin}: ")), "{error}");
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_page_in_place_of_a_stream_is_malformed() {
    let server = Server::play(vec![stream("text/html", "<html>hello</html>")]).await;
    let (result, _) = complete(config("openai-chat", &server.origin), &request()).await;
    let error = result.unwrap_err();
    insta::assert_snapshot!(error, @"the back end's answer cannot be read: it is of type `text/html` where an event stream was asked for; check that the base URL speaks this wire");
}

#[tokio::test]
async fn dropping_the_future_closes_the_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config("openai", &format!("http://{}", listener.local_addr().unwrap()));
    let exchange = tokio::spawn(async move { complete(config, &request()).await.0 });
    let (mut stream, _) = listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head(200, "content-type: text/event-stream\r\n").as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    exchange.abort();
    let mut rest = Vec::new();
    let closed = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    // The end of the connection shows as its end or as a reset.
    let _ = tokio::time::timeout(Duration::from_secs(10), closed).await.expect("the connection stays open");
}
