//! Servers that are slow, silent or endless, and guests that ask for too much at once.

use std::time::{Duration, Instant};

use toolcrib_policy::{
    Authority, ConnectTime, ExchangeTime, FirstByteTime, HeaderBytes, HttpInBytes, LimitName, ParallelRequests,
};
use wasmtime_wasi_http::{Error, RequestOptions};

use super::server::{OK, Say, Server};
use super::{Bench, Recorder, authority, get, request};

/// Far above what the machine needs, far below what the test would wait for the default limits.
const SOON: Duration = Duration::from_secs(5);

const HEAD: &str = "HTTP/1.1 200 OK\r\n\r\n";

/// Sends a request to a server with `script`, under limits that `lower` lowers, and expects an error for `limit`.
async fn stopped(script: &[Say], lower: impl FnOnce(&mut Authority), limit: LimitName) -> Error {
    let server = Server::saying(script).await;
    let mut authority = authority(&[&server.grant()]);
    lower(&mut authority);
    let bench = Bench::with(authority, Recorder::new());
    let start = Instant::now();
    let error = bench.get(&server.url("/")).await.unwrap_err();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert!(bench.is_limit(limit), "{:?} instead of {}: {error}", bench.refusal(), limit.code());
    let codes: Vec<_> = bench.uses().into_iter().filter_map(|used| used.refusal).collect();
    assert_eq!(codes, [limit.code()]);
    server.all_closed().await;
    error
}

#[tokio::test]
async fn a_silent_server_ends_at_the_limit_for_the_first_byte() {
    let first = |a: &mut Authority| a.limits.http_first_byte = FirstByteTime::new(200);
    let error = stopped(&[Say::Wait(60_000)], first, LimitName::FirstByteTime).await;
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
}

#[tokio::test]
async fn a_server_that_says_a_header_a_moment_ends_at_the_limit_for_the_whole() {
    let total = |a: &mut Authority| a.limits.http_total = ExchangeTime::new(400);
    let script = [Say::Text("HTTP/1.1 200 OK\r\n"), Say::Forever("a: b\r\n", 50)];
    let error = stopped(&script, total, LimitName::ExchangeTime).await;
    assert!(matches!(error, Error::HttpResponseTimeout), "{error}");
}

#[tokio::test]
async fn a_server_that_says_a_byte_a_moment_ends_at_the_limit_for_the_whole() {
    let total = |a: &mut Authority| a.limits.http_total = ExchangeTime::new(400);
    let error = stopped(&[Say::Text(HEAD), Say::Forever("x", 20)], total, LimitName::ExchangeTime).await;
    assert!(matches!(error, Error::HttpResponseTimeout), "{error}");
}

#[tokio::test]
async fn endless_headers_end_at_their_size() {
    let header = |a: &mut Authority| a.limits.http_header_bytes = HeaderBytes::new(10_000);
    let script = [Say::Text("HTTP/1.1 200 OK\r\nlong: "), Say::Forever("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0)];
    let error = stopped(&script, header, LimitName::HeaderBytes).await;
    assert!(matches!(error, Error::HttpResponseHeaderSectionSize(_)), "{error}");
}

#[tokio::test]
async fn headers_above_a_limit_below_the_library_s_own_buffer_are_refused() {
    let header = |a: &mut Authority| a.limits.http_header_bytes = HeaderBytes::new(200);
    let script = [Say::Text("HTTP/1.1 200 OK\r\na: "), Say::Text(LONG), Say::Text("\r\ncontent-length: 0\r\n\r\n")];
    let error = stopped(&script, header, LimitName::HeaderBytes).await;
    assert!(matches!(error, Error::HttpResponseHeaderSectionSize(_)), "{error}");
}

const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

#[tokio::test]
async fn endless_answers_before_the_answer_end_at_the_size_of_what_may_come() {
    let size = |a: &mut Authority| a.limits.http_in = HttpInBytes::new(20_000);
    let error = stopped(&[Say::Forever("HTTP/1.1 100 Continue\r\n\r\n", 0)], size, LimitName::HttpInBytes).await;
    assert!(matches!(error, Error::HttpResponseBodySize(Some(20_000))), "{error}");
}

#[tokio::test]
async fn an_endless_body_ends_at_its_size() {
    let size = |a: &mut Authority| a.limits.http_in = HttpInBytes::new(20_000);
    let error = stopped(&[Say::Text(HEAD), Say::Forever(LONG, 0)], size, LimitName::HttpInBytes).await;
    assert!(matches!(error, Error::HttpResponseBodySize(Some(20_000))), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_never_made_ends_at_the_limit_for_connecting() {
    let mut authority = authority(&["POST http://name.example.com/**"]);
    authority.limits.http_connect = ConnectTime::new(100);
    let bench = Bench::with(authority, Recorder::stuck());
    let error = bench.send(request("POST", "http://name.example.com/", b"x")).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionTimeout), "{error}");
    assert!(bench.is_limit(LimitName::ConnectTime));
    assert!(!bench.record.possible_write());
}

#[tokio::test]
async fn a_guest_may_wait_less_than_the_limit_and_that_is_no_refusal() {
    let server = Server::saying(&[Say::Wait(60_000)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let options = RequestOptions { first_byte_timeout: Some(Duration::from_millis(100)), ..RequestOptions::default() };
    let error = bench.begin_with(get(&server.url("/")), options).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
    assert_eq!(bench.refusal(), None);
}

#[tokio::test]
async fn a_guest_may_end_a_pause_between_two_pieces() {
    use http_body_util::BodyExt;
    let server = Server::saying(&[Say::Text(HEAD), Say::Text("x"), Say::Wait(60_000)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let options =
        RequestOptions { between_bytes_timeout: Some(Duration::from_millis(100)), ..RequestOptions::default() };
    let (answer, _worker) = bench.begin_with(get(&server.url("/")), options).await.unwrap();
    let error = answer.into_body().collect().await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
    assert_eq!(bench.refusal(), None);
}

#[tokio::test]
async fn requests_above_the_limit_of_parallel_ones_wait_for_their_turn() {
    let server = Server::saying(&[Say::Wait(50), Say::Text(OK)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_parallel = ParallelRequests::new(2);
    let bench = Bench::with(authority, Recorder::new());
    let url = server.url("/");
    let all = futures::future::join_all((0..7).map(|_| bench.get(&url))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(server.requests().len(), 7);
    assert_eq!(server.most_open(), 2);
}

#[tokio::test]
async fn a_request_whose_turn_never_comes_ends_at_the_limit_of_parallel_ones() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_parallel = ParallelRequests::new(1);
    authority.limits.http_total = ExchangeTime::new(200);
    let bench = Bench::with(authority, Recorder::new());
    let taken = bench.client.parallel.clone().acquire_owned().await.unwrap();
    let error = bench.get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLimitReached), "{error}");
    assert!(bench.is_limit(LimitName::ParallelRequests));
    assert!(server.requests().is_empty());
    drop(taken);
    bench.get(&server.url("/")).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_read_keeps_its_place_until_it_is_dropped() {
    let server = Server::saying(&[Say::Text(HEAD), Say::Forever(LONG, 0)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_parallel = ParallelRequests::new(1);
    let bench = Bench::with(authority, Recorder::new());
    let answer = bench.begin(get(&server.url("/"))).await.unwrap();
    assert_eq!(bench.client.parallel.available_permits(), 0);
    drop(answer);
    server.all_closed().await;
    assert_eq!(bench.client.parallel.available_permits(), 1);
}
