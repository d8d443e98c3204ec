//! Whose certificates count, for which name.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use wasmtime_wasi_http::Error;

use super::server::{OK, Say, Server, serve_tls};
use super::{Bench, Recorder, authority};
use crate::capability::http::Trust;

const NAME: &str = "secure.example.com";

/// An authority that a test makes up, and a server's certificate by it.
struct Made {
    root: Vec<u8>,
    server: rustls::ServerConfig,
}

fn made(name: &str) -> Made {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_der = root.self_signed(&root_key).unwrap().der().to_vec();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    Made { root: root_der, server }
}

/// Asks a TLS server with a certificate for `certified` for [`NAME`], trusting `trust`. The second value is the name that
/// the server was asked for.
async fn ask(made: Made, trust: Trust) -> (Result<http::StatusCode, Error>, Option<String>, Bench) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(serve_tls(listener, Arc::new(made.server)));
    let network = Recorder::new().trusting(trust).answering(NAME, &["127.0.0.1"]);
    let bench = Bench::with(authority(&[&format!("* https://{NAME}:{port}/** via 127.0.0.1")]), network);
    let answer = bench.get(&format!("https://{NAME}:{port}/")).await.map(|(status, ..)| status);
    (answer, serving.await.unwrap(), bench)
}

fn only(root: &[u8]) -> Trust {
    Trust::only([root]).unwrap()
}

#[tokio::test]
async fn a_certificate_by_a_trusted_authority_is_accepted_and_asked_for_by_name() {
    let made = made(NAME);
    let trust = only(&made.root);
    let (answer, asked, bench) = ask(made, trust).await;
    assert_eq!(answer.unwrap(), 200);
    assert_eq!(asked.as_deref(), Some(NAME));
    assert_eq!(bench.network.lookups(), [NAME]);
}

#[tokio::test]
async fn a_certificate_by_an_unknown_authority_is_refused() {
    let (answer, asked, bench) = ask(made(NAME), Trust::web()).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error}");
    assert_eq!(asked, None);
    assert_eq!(bench.network.connects().len(), 1, "no second try without TLS");
    let uses = bench.uses();
    assert_eq!((uses.len(), uses[0].allowed, uses[0].error.as_deref()), (1, true, Some("tls-failed")));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let made = made("other.example.com");
    let trust = only(&made.root);
    let error = ask(made, trust).await.0.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_way_around_it() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let port = server.address.port();
    let bench = Bench::new(&[&format!("* https://127.0.0.1:{port}/**")]);
    let sent = tokio::time::timeout(std::time::Duration::from_millis(500), async {
        bench.get(&format!("https://127.0.0.1:{port}/")).await
    });
    // It waits for the end of a request that never comes in the clear.
    assert!(!matches!(sent.await, Ok(Ok(_))));
    assert!(!server.requests().concat().contains("HTTP/1.1"));
    assert!(!bench.record.possible_write());
}

#[test]
fn what_is_no_certificate_is_no_root() {
    assert!(Trust::only([&b"nonsense"[..]]).is_err());
}
