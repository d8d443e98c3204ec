//! Whom the client trusts, and which way it goes.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use toolcrib_model::{Message, ModelConfig, ProxySettings, Request};

use crate::answers::ANSWERS;
use crate::server::{Server, complete, config, head, http, stream};

fn request() -> Request {
    Request { messages: vec![Message::user("hello")], ..Request::default() }
}

/// An authority of our own, in PEM, and a server for `localhost` that it vouches for.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    (issuer.pem(), TlsAcceptor::from(Arc::new(server)))
}

/// Answers each connection that gets through the handshake with the Chat Completions answer.
async fn serve(acceptor: TlsAcceptor) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 8192]).await;
            let answer = format!("{}{}", head(200, "content-type: text/event-stream\r\n"), ANSWERS[1].2);
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    origin
}

#[tokio::test]
async fn a_root_that_was_added_is_trusted_and_no_other() {
    let (root, acceptor) = authority();
    let origin = serve(acceptor).await;

    let mut trusting = config("openai-chat", &origin);
    trusting.extra_roots = Some(root.into_bytes());
    let (result, _) = complete(trusting, &request()).await;
    assert_eq!(result.unwrap().text.as_deref(), Some("Grüße 🦀"));

    let (result, _) = complete(config("openai-chat", &origin), &request()).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_proxy_is_used_for_what_is_not_this_machine() {
    let (_, content_type, body) = ANSWERS[1];
    let proxy = Server::play(vec![stream(content_type, body)]).await;
    let settings = Some(ProxySettings { url: proxy.origin.clone(), except: None });
    let mut away = http(ModelConfig::parse("openai-chat:m@http://model.invalid/v1", |_| None).unwrap());
    away.proxy = settings.clone();
    complete(away, &request()).await.0.unwrap();
    assert_eq!(proxy.asked()[0].request_line(), "POST http://model.invalid/v1/chat/completions HTTP/1.1");

    let server = Server::play(vec![stream(content_type, body)]).await;
    let mut here = config("openai-chat", &server.origin);
    here.proxy = settings;
    complete(here, &request()).await.0.unwrap();
    assert_eq!(proxy.asked().len(), 1);
}
