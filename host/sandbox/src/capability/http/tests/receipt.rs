//! What a receipt says of an exchange, and when an effect may have happened.

use std::time::Duration;

use toolcrib_policy::LimitName;

use super::server::{OK, Say, Server};
use super::{Bench, Recorder, authority, get, request};

#[tokio::test]
async fn a_receipt_lists_the_exchange_without_its_query_and_with_all_its_bytes() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let bench = Bench::new(&[&server.grant()]);
    bench.get(&server.url("/a?key=secret")).await.unwrap();
    let uses = bench.uses();
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].access.as_str(), uses[0].allowed), ("GET", true));
    assert_eq!(uses[0].target, server.url("/a"));
    assert_eq!(uses[0].bytes as usize, server.requests()[0].len() + OK.len());
}

#[tokio::test]
async fn only_a_method_that_may_change_something_counts_as_a_possible_write() {
    for (method, write) in [("GET", false), ("HEAD", false), ("OPTIONS", false), ("POST", true), ("DELETE", true)] {
        let server = Server::saying(&[Say::Text("HTTP/1.1 204 No Content\r\n\r\n")]).await;
        let bench = Bench::new(&[&server.grant()]);
        bench.send(request(method, &server.url("/"), b"")).await.unwrap();
        assert_eq!(bench.record.possible_write(), write, "{method}");
    }
}

#[tokio::test]
async fn a_write_that_found_no_server_changed_nothing_and_is_listed() {
    let network = Recorder::new().answering("name.example.com", &["10.0.0.1"]);
    let bench = Bench::with(authority(&["POST http://name.example.com/** via 10.0.0.1"]), network);
    let error = bench.send(request("POST", "http://name.example.com/", b"x")).await.unwrap_err();
    assert!(matches!(error, wasmtime_wasi_http::Error::ConnectionRefused), "{error}");
    assert_eq!(bench.network.connects().len(), 1);
    assert!(!bench.record.possible_write());
    let uses = bench.uses();
    assert_eq!((uses.len(), uses[0].allowed, uses[0].bytes), (1, true, 0));
    assert_eq!((uses[0].error.as_deref(), uses[0].failed), (Some("connect-refused"), 1));
}

#[tokio::test]
async fn a_receipt_names_the_grant_and_how_long_the_exchange_took() {
    let server = Server::saying(&[Say::Wait(40), Say::Text(OK)]).await;
    let bench = Bench::new(&[&server.grant()]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.get(&server.url("/a")).await.unwrap();
    let uses = bench.uses();
    assert_eq!((uses[0].by.as_deref(), uses[0].error.as_deref()), (Some(server.grant().as_str()), None));
    assert!(uses[0].at_us >= 10_000, "{uses:?}");
    assert!((40_000..5_000_000).contains(&uses[0].took_us), "{uses:?}");
}

#[tokio::test]
async fn a_name_without_an_address_is_a_failed_use() {
    let bench = Bench::new(&["GET http://name.example.com/**"]);
    for _ in 0..2 {
        bench.get("http://name.example.com/").await.unwrap_err();
    }
    let uses = bench.uses();
    assert_eq!((uses.len(), uses[0].times, uses[0].failed), (1, 2, 2), "{uses:?}");
    assert_eq!(uses[0].error.as_deref(), Some("dns-failed"));
}

#[tokio::test]
async fn an_exchange_that_took_too_long_is_a_failed_use_beside_the_limit() {
    let server = Server::saying(&[Say::Wait(60_000)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_first_byte = toolcrib_policy::FirstByteTime::new(50);
    let bench = Bench::with(authority, Recorder::new());
    bench.get(&server.url("/")).await.unwrap_err();
    let uses = bench.uses();
    let failed: Vec<_> = uses.iter().filter(|used| used.allowed).collect();
    assert_eq!((failed.len(), failed[0].error.as_deref()), (1, Some("answer-timed-out")), "{uses:?}");
    assert!(uses.iter().any(|used| used.refusal.as_deref() == Some(LimitName::FirstByteTime.code())), "{uses:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_failed_use() {
    let server = Server::saying(&[Say::Text("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")]).await;
    let bench = Bench::new(&[&server.grant()]);
    bench.get(&server.url("/")).await.unwrap_err();
    assert_eq!(bench.uses()[0].error.as_deref(), Some("answer-incomplete"));
}

#[tokio::test]
async fn a_write_whose_answer_never_came_may_have_happened() {
    let server = Server::saying(&[Say::Wait(50)]).await;
    let bench = Bench::new(&[&server.grant()]);
    bench.send(request("POST", &server.url("/"), b"x")).await.unwrap_err();
    assert!(bench.record.possible_write());
}

#[tokio::test]
async fn an_exchange_that_is_given_up_ends_at_once_and_is_listed() {
    let server = Server::saying(&[Say::Wait(60_000)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let sending = bench.begin(request("POST", &server.url("/"), b"x"));
    assert!(tokio::time::timeout(Duration::from_millis(200), sending).await.is_err());
    tokio::time::timeout(Duration::from_secs(1), bench.record.writes_settled()).await.unwrap();
    server.all_closed().await;
    assert!(bench.record.possible_write());
    let uses = bench.uses();
    assert_eq!((uses.len(), uses[0].error.as_deref()), (1, Some("given-up")));
}

#[tokio::test]
async fn an_exchange_that_is_given_up_while_it_connects_wrote_nothing_and_is_listed() {
    let bench = Bench::with(authority(&["POST http://name.example.com/**"]), Recorder::stuck());
    let sending = bench.send(request("POST", "http://name.example.com/", b"x"));
    assert!(tokio::time::timeout(Duration::from_millis(50), sending).await.is_err());
    tokio::time::timeout(Duration::from_secs(1), bench.record.writes_settled()).await.unwrap();
    assert!(!bench.record.possible_write());
    let uses = bench.uses();
    assert_eq!((uses.len(), uses[0].allowed, uses[0].bytes), (1, true, 0));
}

#[tokio::test]
async fn dropping_the_task_of_an_answer_closes_its_connection() {
    let server = Server::saying(&[Say::Text("HTTP/1.1 200 OK\r\n\r\nx"), Say::Wait(60_000)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let (answer, worker) = bench.begin(get(&server.url("/"))).await.unwrap();
    assert_eq!(server.open(), 1);
    drop((answer, worker));
    server.all_closed().await;
}
