//! Credentials on their way: added after the gate, masked in what comes back, and nowhere else.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::header;
use toolcrib_policy::{Authority, OperatorFile, Requests, SecretReference};
use toolcrib_secrets::{Secret, forms};
use wasmtime_wasi_http::Error;

use super::super::credential::{Unavailable, Vault};
use super::server::{OK, Say, Server};
use super::{Bench, Recorder, get, request};

const SECRET: &str = "s3cr3t/Token+42";

/// A vault with some secrets, which writes down what it is asked for.
#[derive(Debug)]
struct Safe {
    secrets: HashMap<&'static str, &'static str>,
    asked: Mutex<Vec<String>>,
    rejected: Mutex<Vec<String>>,
}

#[async_trait]
impl Vault for Safe {
    async fn reveal(&self, reference: &SecretReference) -> Result<Secret, Unavailable> {
        self.asked.lock().unwrap().push(reference.to_string());
        let found = self.secrets.get(reference.to_string().as_str());
        let none = || Unavailable(format!("{reference} is not in the store"));
        found.map(|text| Secret::new((*text).to_owned())).ok_or_else(none)
    }

    async fn rejected(&self, reference: &SecretReference) {
        self.rejected.lock().unwrap().push(reference.to_string());
    }
}

fn safe() -> Arc<Safe> {
    let secrets = HashMap::from([
        ("{secret:token}", SECRET),
        ("{secret:password}", "correct horse"),
        ("{secret:short}", "abc"),
        ("{secret:line}", "two\nlines"),
    ]);
    Arc::new(Safe { secrets, asked: Mutex::default(), rejected: Mutex::default() })
}

/// The authority for a server, with these credentials.
fn authority(server: &Server, credentials: &str) -> Authority {
    let credentials = credentials.replace("SERVER", &server.url(""));
    let text = format!("[plugin.shop]\nhttp = [\"{}\"]\ncredentials = [{credentials}]\n", server.grant());
    let file = OperatorFile::parse(&text, "toolcrib.toml", Path::new("/")).unwrap();
    file.authority(&"shop".parse().unwrap(), &Requests::everything(), None)
}

fn bench(server: &Server, credentials: &str) -> (Bench, Arc<Safe>) {
    let safe = safe();
    (Bench::with_vault(authority(server, credentials), Recorder::new(), safe.clone()), safe)
}

const HEADER: &str = r#"{ for = "SERVER/**", header = "Authorization", value = "Bearer {secret:token}" }"#;

/// The lines of a request that begin with a name.
fn lines<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    request.lines().filter(|line| line.to_ascii_lowercase().starts_with(name)).collect()
}

#[tokio::test]
async fn a_header_is_added_once_whatever_the_guest_put_there() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let (bench, _) = bench(&server, HEADER);
    let mut asked = get(&server.url("/a"));
    asked.headers_mut().append(header::AUTHORIZATION, "Bearer mine".parse().unwrap());
    asked.headers_mut().append(header::AUTHORIZATION, "Bearer mine-too".parse().unwrap());
    bench.send(asked).await.unwrap();
    let sent = &server.requests()[0];
    assert_eq!(lines(sent, "authorization:"), [format!("authorization: Bearer {SECRET}")]);
    assert_eq!(lines(sent, "accept-encoding:"), ["accept-encoding: identity"]);
}

#[tokio::test]
async fn a_guest_gets_no_part_of_a_document() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let (bench, _) = bench(&server, HEADER);
    let mut asked = get(&server.url("/a"));
    asked.headers_mut().append(header::RANGE, "bytes=0-4".parse().unwrap());
    asked.headers_mut().append(header::IF_RANGE, "x".parse().unwrap());
    asked.headers_mut().append(header::ACCEPT_ENCODING, "gzip".parse().unwrap());
    bench.send(asked).await.unwrap();
    let sent = &server.requests()[0];
    assert!(lines(sent, "range:").is_empty() && lines(sent, "if-range:").is_empty(), "{sent}");
    assert_eq!(lines(sent, "accept-encoding:"), ["accept-encoding: identity"]);
}

#[tokio::test]
async fn a_parameter_is_added_once_and_stands_in_no_receipt() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let (bench, _) = bench(&server, r#"{ for = "SERVER/**", query = "key", value = "{secret:token}" }"#);
    bench.get(&server.url("/a?x=1&key=mine&%6bey=mine&y=2")).await.unwrap();
    assert!(
        server.requests()[0].starts_with("GET /a?x=1&y=2&key=s3cr3t%2FToken%2B42 HTTP/1.1"),
        "{:?}",
        server.requests()
    );
    let uses = bench.uses();
    let shown: Vec<_> = uses.iter().map(|used| (used.capability.as_str(), used.access.as_str())).collect();
    assert_eq!(shown, [("credentials", "query key"), ("http", "GET")]);
    let text = serde_json::to_string(&uses).unwrap();
    assert!(forms(SECRET).iter().all(|form| !text.contains(form)), "{text}");
    assert!(text.contains("{secret:token}"), "the receipt names the grant: {text}");
}

#[tokio::test]
async fn a_password_goes_as_basic_and_is_masked_in_both_forms() {
    let echo = "HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\nbWU6Y29ycmVjdCBob3JzZQ== me:correct horse ";
    let server = Server::saying(&[Say::Text(echo)]).await;
    let (bench, _) = bench(&server, r#"{ for = "SERVER/**", basic = "me:{secret:password}" }"#);
    let (_, _, body) = bench.get(&server.url("/")).await.unwrap();
    assert_eq!(lines(&server.requests()[0], "authorization:"), ["authorization: Basic bWU6Y29ycmVjdCBob3JzZQ=="]);
    assert_eq!(&body[..], b"************************ **************** ");
}

#[tokio::test]
async fn another_host_port_or_path_gets_nothing_and_nothing_is_asked_for() {
    let (server, other) = (Server::saying(&[Say::Text(OK)]).await, Server::saying(&[Say::Text(OK)]).await);
    let safe = safe();
    let credentials = HEADER.replace("SERVER/**", "SERVER/api/*").replace("SERVER", &server.url(""));
    let text = format!(
        "[plugin.shop]\nhttp = [\"{}\", \"{}\"]\ncredentials = [{credentials}]\n",
        server.grant(),
        other.grant()
    );
    let file = OperatorFile::parse(&text, "toolcrib.toml", Path::new("/")).unwrap();
    let authority = file.authority(&"shop".parse().unwrap(), &Requests::everything(), None);
    let bench = Bench::with_vault(authority, Recorder::new(), safe.clone());
    for url in [server.url("/"), server.url("/api/a/b"), server.url("/API/a"), other.url("/api/a")] {
        bench.get(&url).await.unwrap();
    }
    for sent in server.requests().iter().chain(&other.requests()) {
        assert!(lines(sent, "authorization:").is_empty(), "{sent}");
    }
    assert!(safe.asked.lock().unwrap().is_empty());
    bench.get(&server.url("/api/a")).await.unwrap();
    assert_eq!(*safe.asked.lock().unwrap(), ["{secret:token}"]);
}

#[tokio::test]
async fn an_answer_that_repeats_it_is_masked_in_headers_and_across_pieces() {
    let server = Server::saying(&[
        Say::Text(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/?t=s3cr3t%2fToken%2b42\r\nx-echo: Bearer s3cr3t/Token+42\r\n\
             transfer-encoding: chunked\r\n\r\n6\r\ngot s3\r\n",
        ),
        Say::Wait(20),
        Say::Text("5\r\ncr3t/\r\n"),
        Say::Wait(20),
        Say::Text("a\r\nToken+42!!\r\n0\r\nx-sum: s3cr3t/Token+42\r\n\r\n"),
    ])
    .await;
    let (bench, _) = bench(&server, HEADER);
    let (status, headers, body) = bench.get(&server.url("/")).await.unwrap();
    assert_eq!(status, 302);
    assert_eq!(headers[header::LOCATION], "http://127.0.0.1:1/?t=*******************");
    assert_eq!(headers["x-echo"], "Bearer ***************");
    assert_eq!(&body[..], b"got ***************!!");
}

#[tokio::test]
async fn an_encoded_answer_is_refused() {
    for head in ["content-encoding: gzip", "content-encoding: identity, br", "transfer-encoding: gzip, chunked"] {
        let text: &'static str = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n2\r\nxx\r\n0\r\n\r\n").leak();
        let server = Server::saying(&[Say::Text(text)]).await;
        let (bench, _) = bench(&server, HEADER);
        let error = bench.get(&server.url("/")).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseContentCoding(Some(_))), "{head}: {error:?}");
        assert_eq!(bench.uses().last().unwrap().error.as_deref(), Some("answer-encoded"));
    }
}

#[tokio::test]
async fn a_request_whose_secret_cannot_be_had_never_leaves() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    for (name, why) in [
        ("missing", "{secret:missing} is not in the store"),
        ("short", "{secret:short} has 3 bytes, and one of less than 4 cannot be masked in answers"),
        ("line", "its secret has a byte that no header can hold"),
    ] {
        let (bench, _) = bench(&server, &HEADER.replace("secret:token", &format!("secret:{name}")));
        let error = bench.get(&server.url("/")).await.unwrap_err();
        let Error::InternalError(Some(text)) = error else { panic!("{error:?}") };
        assert!(text.starts_with("credential-unavailable: ") && text.ends_with(why), "{text}");
        assert_eq!(bench.refusal(), Some("credential-unavailable"));
        assert!(bench.network.connects().is_empty(), "nothing was opened");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_vault_hears_that_a_server_did_not_accept_its_value() {
    let server = Server::saying(&[Say::Text("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")]).await;
    let (bench, safe) = bench(&server, HEADER);
    bench.get(&server.url("/")).await.unwrap();
    assert_eq!(*safe.rejected.lock().unwrap(), ["{secret:token}"]);
}

#[tokio::test]
async fn a_signed_request_carries_its_signature_and_no_key() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let message = r#"{ for = "SERVER/**", sign = "http-message", key-id = "k1", key = "{secret:token}" }"#;
    let (bench_1, _) = bench(&server, message);
    bench_1.send(request("POST", &server.url("/a?b=c"), b"body")).await.unwrap();
    let aws = r#"{ for = "SERVER/**", sign = "aws-sigv4", key-id = "AKIA", key = "{secret:token}", session-token = "{secret:password}", region = "eu-central-1", service = "s3" }"#;
    let (bench_2, _) = bench(&server, aws);
    bench_2.send(request("PUT", &server.url("/a"), b"body")).await.unwrap();
    let sent = server.requests();
    let input = lines(&sent[0], "signature-input:")[0];
    assert!(input.contains(r#"toolcrib=("@method" "@target-uri");created="#), "{input}");
    assert!(input.ends_with(r#";keyid="k1";alg="hmac-sha256""#), "{input}");
    assert!(lines(&sent[0], "signature: toolcrib=:")[0].ends_with("=:"));
    let authorization = lines(&sent[1], "authorization:")[0];
    assert!(authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
    let digest = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
    assert_eq!(lines(&sent[1], "x-amz-content-sha256:"), [format!("x-amz-content-sha256: {digest}")]);
    assert!(sent.iter().all(|sent| sent.ends_with("body") || sent.contains("body")), "the body is sent: {sent:?}");
    assert!(sent.iter().all(|sent| forms(SECRET).iter().all(|form| !sent.contains(form))), "{sent:?}");
}
