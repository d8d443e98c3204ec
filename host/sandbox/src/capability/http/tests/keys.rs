//! Idempotency keys on the wire.

use std::sync::Arc;

use serde_json::json;
use toolcrib_policy::{HttpOutBytes, IdempotencyKey, LimitName};

use super::server::{Say, Server};
use super::{Bench, Client, NoRates, NoVault, Recorder, authority, request};
use crate::call::Record;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn key() -> IdempotencyKey {
    IdempotencyKey::of_call("run", "n1", &"shop.pay".parse().unwrap(), &json!({}))
}

/// The sender of a call that has this key.
fn keyed(grants: &[&str], key: Option<IdempotencyKey>) -> Bench {
    let authority = authority(grants);
    let (record, network) = (Arc::new(Record::new(&authority.limits)), Arc::new(Recorder::new()));
    let (vault, rates) = (Arc::new(NoVault), Arc::new(NoRates));
    let client = Client::new(Arc::new(authority), record.clone(), network.clone(), vault, rates).with_key(key);
    Bench { client: Arc::new(client), record, network }
}

/// The lines of a request that have this header.
fn lines(sent: &str, header: &str) -> Vec<String> {
    let begin = format!("{header}: ");
    let found = sent.lines().map(str::to_ascii_lowercase).filter(|line| line.starts_with(&begin));
    found.map(|line| line[begin.len()..].to_owned()).collect()
}

#[tokio::test]
async fn the_host_sends_the_key_and_a_guest_s_own_is_not_sent() {
    let server = Server::saying(&[Say::Text(OK), Say::Text(OK), Say::Text(OK), Say::Text(OK)]).await;
    let place = server.url("");
    let bench = keyed(&[&format!("* {place}/**, idempotency-key")], Some(key()));
    let mut own = request("POST", &server.url("/a"), b"x");
    own.headers_mut().append("idempotency-key", "mine".parse().unwrap());
    own.headers_mut().append("idempotency-key", "mine too".parse().unwrap());
    bench.send(own).await.unwrap();
    bench.send(request("GET", &server.url("/b"), b"")).await.unwrap();
    bench.send(request("DELETE", &server.url("/c"), b"")).await.unwrap();
    bench.send(request("POST", &server.url("/a"), b"x")).await.unwrap();
    let sent: Vec<Vec<String>> = server.requests().iter().map(|sent| lines(sent, "idempotency-key")).collect();
    let nth = |n| vec![key().of_request(n).to_string()];
    // What changes nothing has none, and each request that may change something has its own.
    assert_eq!(sent, [nth(0), Vec::new(), nth(1), nth(2)]);
}

#[tokio::test]
async fn a_line_can_name_another_header_and_other_lines_send_none() {
    let server = Server::saying(&[Say::Text(OK), Say::Text(OK)]).await;
    let place = server.url("");
    let named = format!("POST {place}/pay/*, idempotency-key in X-Request-Key");
    // The line with the key is the one that counts, wherever it stands.
    let bench = keyed(&[&format!("POST {place}/**"), &named], Some(key()));
    bench.send(request("POST", &server.url("/pay/1"), b"")).await.unwrap();
    let mut own = request("POST", &server.url("/other"), b"");
    own.headers_mut().append("idempotency-key", "mine".parse().unwrap());
    bench.send(own).await.unwrap();
    let sent = server.requests();
    assert_eq!(lines(&sent[0], "x-request-key"), [key().to_string()]);
    assert_eq!(lines(&sent[0], "idempotency-key"), [""; 0]);
    assert_eq!(
        (lines(&sent[1], "x-request-key").len(), lines(&sent[1], "idempotency-key")),
        (0, vec!["mine".to_owned()])
    );
}

#[tokio::test]
async fn a_call_without_a_key_sends_nothing_where_one_is_wanted() {
    let bench = keyed(&["POST https://api.example.com/**, idempotency-key"], None);
    let refused = bench.send(request("POST", "https://api.example.com/a", b"")).await;
    assert!(refused.is_err());
    assert_eq!(bench.refusal(), Some("net-denied"));
    assert!(bench.network.lookups().is_empty());
}

#[tokio::test]
async fn the_key_counts_against_the_bytes_of_the_call() {
    let mut authority = authority(&["POST https://api.example.com/**, idempotency-key"]);
    authority.limits.http_out = HttpOutBytes::new(80);
    let (record, network) = (Arc::new(Record::new(&authority.limits)), Arc::new(Recorder::new()));
    let client =
        Client::new(Arc::new(authority), record.clone(), network.clone(), Arc::new(NoVault), Arc::new(NoRates));
    let bench = Bench { client: Arc::new(client.with_key(Some(key()))), record, network };
    assert!(bench.send(request("POST", "https://api.example.com/a", b"")).await.is_err());
    assert!(bench.is_limit(LimitName::HttpOutBytes), "{:?}", bench.refusal());
}
