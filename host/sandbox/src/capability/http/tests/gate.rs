//! The gate alone: nothing is resolved or connected.

use http::Request;
use http::header::{HeaderName, HeaderValue};
use proptest::prelude::*;
use toolcrib_policy::{HeaderBytes, HttpOutBytes, HttpRequestCount, LimitName, RefusalCode};

use super::super::check::{check, is_forbidden, shown_unchecked};
use super::{Bench, Recorder, authority, get, request};

const GRANTED: &str = "GET,POST https://api.example.com/**";

fn parts(method: &str, url: &str, headers: &[(&str, &str)]) -> http::request::Parts {
    let (mut parts, ()) = Request::builder().method(method).uri(url).body(()).unwrap().into_parts();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).unwrap();
        parts.headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    parts
}

fn refused(grants: &[&str], method: &str, url: &str) -> toolcrib_policy::Refusal {
    check(&authority(grants), &parts(method, url, &[])).expect_err(url)
}

#[test]
fn without_a_grant_every_request_is_refused_and_the_missing_grant_is_named() {
    let refusal = refused(&[], "GET", "https://api.example.com/repos?key=secret");
    assert_eq!(refusal.code, RefusalCode::NetDenied);
    assert!(refusal.grant.unwrap().contains("GET https://api.example.com/repos"));
    assert!(!refusal.message.contains("secret"));
}

#[test]
fn another_port_scheme_method_or_host_than_granted_is_refused() {
    for (method, url) in [
        ("GET", "https://api.example.com:8443/"),
        ("GET", "http://api.example.com/"),
        ("DELETE", "https://api.example.com/"),
        ("GET", "https://evilapi.example.com/"),
        ("GET", "https://api.example.com.evil.com/"),
    ] {
        assert_eq!(refused(&[GRANTED], method, url).code, RefusalCode::NetDenied, "{method} {url}");
    }
    assert!(refused(&[GRANTED], "GET", "https://api.example.com:8443/").message.contains("8443"));
}

#[test]
fn an_address_that_hides_its_host_is_refused() {
    for url in
        ["https://api.example.com@evil.com/", "https://api.example.com:443@evil.com/", "https://user@api.example.com/"]
    {
        assert_eq!(refused(&[GRANTED], "GET", url).code, RefusalCode::UrlInvalid, "{url}");
    }
}

#[test]
fn a_scheme_that_is_not_of_the_web_is_refused() {
    assert_eq!(refused(&[GRANTED], "GET", "ftp://api.example.com/").code, RefusalCode::UrlInvalid);
}

#[test]
fn tunnels_and_echoes_are_refused() {
    for method in ["CONNECT", "TRACE", "connect"] {
        assert_eq!(
            refused(&["* https://api.example.com/**"], method, "https://api.example.com/").code,
            RefusalCode::UrlInvalid
        );
    }
}

#[test]
fn what_is_sent_is_rebuilt_from_what_was_checked() {
    let parts = parts("GET", "HTTPS://API.Example.com:443/a/../b/./%7ec?q=%2b", &[("accept", "text/plain")]);
    let checked = check(&authority(&[GRANTED]), &parts).unwrap();
    let request = checked.into_request(http_body_util::Empty::<bytes::Bytes>::new());
    assert_eq!(request.uri().to_string(), "/b/~c?q=%2B");
    assert_eq!(request.headers()["host"], "api.example.com");
    assert_eq!(request.headers().len(), 2);
}

#[test]
fn the_port_stands_in_the_host_header_where_it_is_not_the_scheme_s_own() {
    let grant = "GET https://api.example.com:8443/**";
    let checked = check(&authority(&[grant]), &parts("GET", "https://api.example.com:8443/", &[])).unwrap();
    let request = checked.into_request(http_body_util::Empty::<bytes::Bytes>::new());
    assert_eq!(request.headers()["host"], "api.example.com:8443");
}

#[test]
fn headers_that_the_host_writes_are_refused() {
    for name in [
        "Host",
        "Connection",
        "Transfer-Encoding",
        "Upgrade",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Proxy-Connection",
        "Proxy-Authorization",
        "Proxy-Anything",
        "HTTP2-Settings",
    ] {
        let parts = parts("GET", "https://api.example.com/", &[(name, "x")]);
        let refusal = check(&authority(&[GRANTED]), &parts).expect_err(name);
        assert!(refusal.message.contains(&name.to_lowercase()), "{}", refusal.message);
        assert!(is_forbidden(&HeaderName::try_from(name).unwrap()));
    }
}

#[test]
fn two_lengths_of_one_body_are_refused() {
    let headers = [("content-length", "5"), ("content-length", "6")];
    let refusal = check(&authority(&[GRANTED]), &parts("POST", "https://api.example.com/", &headers)).unwrap_err();
    assert!(refusal.message.contains("twice"));
}

#[test]
fn more_headers_than_a_request_may_have_are_refused() {
    let mut authority = authority(&[GRANTED]);
    authority.limits.http_header_bytes = HeaderBytes::new(100);
    let value = "x".repeat(80);
    let parts = parts("GET", "https://api.example.com/", &[("a", &value)]);
    assert_eq!(check(&authority, &parts).unwrap_err().code, RefusalCode::Limit(LimitName::HeaderBytes));
}

#[test]
fn a_write_without_a_body_says_that_its_length_is_zero_and_a_read_says_nothing() {
    for (method, length) in [("POST", Some("0")), ("GET", None)] {
        let checked = check(&authority(&[GRANTED]), &parts(method, "https://api.example.com/", &[])).unwrap();
        let request = checked.into_request(http_body_util::Empty::<bytes::Bytes>::new());
        assert_eq!(request.headers().get("content-length").map(|v| v.to_str().unwrap()), length);
    }
}

#[tokio::test]
async fn requests_are_counted_and_the_one_above_the_limit_is_refused() {
    let mut authority = authority(&["GET http://nowhere.example.com/**"]);
    authority.limits.http_requests = HttpRequestCount::new(2);
    let bench = Bench::with(authority, Recorder::new());
    for _ in 0..2 {
        assert!(bench.get("http://nowhere.example.com/").await.is_err());
        assert_eq!(bench.refusal(), None);
    }
    let error = bench.get("http://nowhere.example.com/").await.unwrap_err();
    assert!(bench.is_limit(LimitName::HttpRequestCount));
    assert!(error.to_string().contains("limit-http-requests: "), "{error}");
    assert_eq!(bench.network.lookups().len(), 2);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_before_anything_leaves() {
    let mut authority = authority(&["POST http://nowhere.example.com/**"]);
    authority.limits.http_out = HttpOutBytes::new(1000);
    let bench = Bench::with(authority, Recorder::new());
    let mut request = request("POST", "http://nowhere.example.com/", b"");
    request.headers_mut().insert("content-length", HeaderValue::from_static("2000"));
    bench.send(request).await.unwrap_err();
    assert!(bench.is_limit(LimitName::HttpOutBytes));
    assert!(bench.network.lookups().is_empty());
}

#[tokio::test]
async fn the_guest_s_error_begins_with_the_code_and_names_the_request() {
    let bench = Bench::new(&[]);
    let error = bench.send(get("https://api.example.com/a?key=secret")).await.unwrap_err();
    let wasmtime_wasi_http::Error::InternalError(Some(text)) = error else { panic!("{error}") };
    assert!(text.starts_with("net-denied: "), "{text}");
    assert!(text.contains("GET https://api.example.com/a") && !text.contains("secret"), "{text}");
    let uses = bench.uses();
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].target.as_str(), uses[0].allowed), ("https://api.example.com/a", false));
}

#[test]
fn a_receipt_shows_neither_query_nor_user_nor_control_characters() {
    let shown = shown_unchecked("https", "user:pass@evil.com", "/a\n\u{1b}[2J?key=secret#f");
    assert_eq!(shown, "https://evil.com/a\\n\\u{1b}[2J");
}

proptest! {
    #[test]
    fn whatever_passes_the_gate_is_sent_to_the_host_that_was_checked(
        host in "(?i)(api\\.example\\.com|example\\.com|evil\\.com|127\\.0\\.0\\.1)(:[0-9]{1,5})?",
        path in "(/[a-z0-9./%~;@:-]{0,20}){0,4}(\\?[ -~&&[^# \"<>`{}|\\\\^]]{0,20})?",
    ) {
        let Ok(request) = Request::builder().uri(format!("https://{host}{path}")).body(()) else { return Ok(()) };
        let (parts, ()) = request.into_parts();
        if let Ok(checked) = check(&authority(&[GRANTED]), &parts) {
            let request = checked.into_request(http_body_util::Empty::<bytes::Bytes>::new());
            prop_assert_eq!(&request.headers()["host"], "api.example.com");
            prop_assert!(request.uri().scheme().is_none() && request.uri().authority().is_none());
            prop_assert!(request.uri().path().starts_with('/'));
        }
    }
}
