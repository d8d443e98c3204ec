//! What reaches a server, and what comes back.

use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use toolcrib_policy::{HttpOutBytes, LimitName};
use wasmtime_wasi_http::{Error, WasiBody};

use super::super::body::{Finished, Whole};
use super::server::{OK, Say, Server};
use super::{Bench, Recorder, authority, get, request};
use crate::capability::http::{Network, SystemNetwork};

/// A body that a test feeds.
struct Fed(mpsc::Receiver<Bytes>);

impl Body for Fed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn fed(url: &str, finished: Finished) -> (mpsc::Sender<Bytes>, Request<WasiBody>) {
    let (sender, receiver) = mpsc::channel(1);
    let body = Whole::new(Fed(receiver).boxed_unsync(), finished).boxed_unsync();
    (sender, Request::builder().method("POST").uri(url).body(body).unwrap())
}

#[tokio::test]
async fn a_server_sees_one_host_header_and_a_request_line_without_a_host() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let bench = Bench::new(&[&server.grant()]);
    bench.get(&server.url("/a/../b?q=1")).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with("GET /b?q=1 HTTP/1.1\r\n"), "{request}");
    assert_eq!(request.to_lowercase().matches("host:").count(), 1);
    assert!(request.contains(&format!("host: {}\r\n", server.address)), "{request}");
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let there = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let server = Server::saying(&[Say::Text(there)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let (status, headers, _) = bench.get(&server.url("/")).await.unwrap();
    assert_eq!((status.as_u16(), &headers["location"]), (302, &"http://169.254.169.254/".parse().unwrap()));
    assert_eq!(bench.network.connects(), [server.address]);
    bench.get("http://169.254.169.254/").await.unwrap_err();
    assert_eq!(bench.refusal(), Some("net-address-blocked"));
}

#[tokio::test]
async fn an_encoded_answer_comes_as_it_is() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x00zz";
    let server = Server::saying(&[Say::Text(answer)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let (_, headers, body) = bench.get(&server.url("/")).await.unwrap();
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(&body[..], b"\x1f\x00zz");
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_an_error() {
    let server = Server::saying(&[Say::Text("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")]).await;
    let bench = Bench::new(&[&server.grant()]);
    let error = bench.get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{error}");
}

#[tokio::test]
async fn a_finished_body_arrives_whole() {
    let server = Server::saying(&[Say::Drain, Say::Text(OK)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let finished = Finished::default();
    let (sender, request) = fed(&server.url("/"), finished.clone());
    let feed = async move {
        sender.send(Bytes::from_static(b"hello")).await.unwrap();
        finished.set();
    };
    let (answer, ()) = tokio::join!(bench.send(request), feed);
    assert_eq!(answer.unwrap().0, 200);
    assert!(server.requests()[0].ends_with("5\r\nhello\r\n0\r\n\r\n"), "{:?}", server.requests());
}

#[tokio::test]
async fn a_body_whose_writer_went_away_never_looks_whole_to_the_server() {
    let server = Server::saying(&[Say::Drain, Say::Text(OK)]).await;
    let bench = Bench::new(&[&server.grant()]);
    let (sender, request) = fed(&server.url("/"), Finished::default());
    let feed = async move {
        sender.send(Bytes::from_static(b"half a docu")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let (answer, ()) = tokio::join!(bench.send(request), feed);
    answer.unwrap_err();
    server.all_closed().await;
    let request = server.requests().remove(0);
    assert!(request.ends_with("half a docu\r\n"), "{request}");
}

#[tokio::test]
async fn a_body_above_the_limit_ends_with_an_error_and_no_byte_more_leaves() {
    let server = Server::saying(&[Say::Drain, Say::Text(OK)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_out = HttpOutBytes::new(2000);
    let bench = Bench::with(authority, Recorder::new());
    let (sender, request) = fed(&server.url("/"), Finished::default());
    let feed = async move { while sender.send(Bytes::from_static(&[b'x'; 500])).await.is_ok() {} };
    let (answer, ()) = tokio::join!(bench.send(request), feed);
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::HttpRequestBodySize(Some(2000))), "{error}");
    assert!(bench.is_limit(LimitName::HttpOutBytes));
    server.all_closed().await;
    let sent = server.requests()[0].len();
    assert!((1000..=2000).contains(&sent), "{sent}");
    assert!(!server.requests()[0].ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn the_address_itself_counts_towards_what_may_be_sent() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_out = HttpOutBytes::new(1000);
    let bench = Bench::with(authority, Recorder::new());
    let url = server.url(&format!("/?q={}", "x".repeat(600)));
    bench.get(&url).await.unwrap();
    bench.get(&url).await.unwrap_err();
    assert!(bench.is_limit(LimitName::HttpOutBytes));
    assert_eq!(server.requests().len(), 1);
}

/// Run on its own by [`proxies_in_the_environment_are_ignored`], with a proxy in its environment.
#[tokio::test]
async fn the_system_s_network_goes_straight_to_the_server() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let network: Arc<dyn Network> = Arc::new(SystemNetwork::new());
    let authority = Arc::new(authority(&[&server.grant()]));
    let record = Arc::new(crate::call::Record::new(&authority.limits));
    let client =
        Arc::new(super::Client::new(authority, record, network, Arc::new(super::NoVault), Arc::new(super::NoRates)));
    let (parts, body) = get(&server.url("/")).into_parts();
    let checked = client.admit(&parts).unwrap();
    let (answer, _worker) = client.send(checked, body, Default::default()).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn proxies_in_the_environment_are_ignored() {
    let proxy = Server::saying(&[Say::Text(OK)]).await;
    let url = proxy.url("/");
    let status = tokio::task::spawn_blocking(move || {
        let name = "capability::http::tests::bodies::the_system_s_network_goes_straight_to_the_server";
        let mut this = Command::new(std::env::current_exe().unwrap());
        this.args(["--exact", name]);
        for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
            this.env(variable, &url);
        }
        this.output().unwrap()
    });
    let output = status.await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(proxy.requests().is_empty());
}

#[tokio::test]
async fn methods_of_all_kinds_arrive_as_they_were_asked() {
    let server = Server::saying(&[Say::Text("HTTP/1.1 204 No Content\r\n\r\n")]).await;
    let bench = Bench::new(&[&server.grant()]);
    for method in ["PUT", "DELETE", "PATCH", "PROPFIND", "HEAD", "OPTIONS"] {
        assert_eq!(bench.send(request(method, &server.url("/"), b"")).await.unwrap().0, 204);
        assert!(server.requests().last().unwrap().starts_with(&format!("{method} / HTTP/1.1\r\n")));
    }
}
