//! Tokens, got from servers on this machine.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use toolcrib_sandbox::SystemNetwork;
use toolcrib_secrets::{SecretSource, StoreConfig};

use super::*;

/// A token endpoint that says one thing after the other, the last one again and again.
struct Endpoint {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn saying(answers: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, count) = (asked.clone(), AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = String::new();
                let mut buffer = [0; 4096];
                while !text.contains("grant_type=") {
                    let read = stream.read(&mut buffer).await.unwrap();
                    text.push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
                seen.lock().unwrap().push(text);
                let nth = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                let (status, body) = answers[nth];
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

/// A safe with a client of the endpoint.
fn safe(home: &Path, endpoint: &Endpoint, more: &str) -> (Safe, Arc<SecretStore>) {
    let text = format!("[oauth.c]\ntoken-url = \"{}\"\nclient-id = \"my id\"\n{more}\n", endpoint.url);
    let operator = OperatorFile::parse(&text, "toolcrib.toml", home).unwrap();
    let store = Arc::new(SecretStore::new(StoreConfig {
        sources: vec![SecretSource::File],
        file: home.join("secrets.age"),
        identity: home.join("key"),
        environment: Arc::new([]),
    }));
    store.set(&name("client"), &Secret::new("s3cr3t&+ 42".to_owned())).unwrap();
    store.set(&name("refresh"), &Secret::new("refresh-one".to_owned())).unwrap();
    let network: Arc<dyn Network> = Arc::new(SystemNetwork::new());
    (Safe::new(store.clone(), &operator, &network), store)
}

async fn token(safe: &Safe) -> Result<String, String> {
    let found = safe.reveal(&SecretReference::OAuth(name("c"))).await;
    found.map(|secret| secret.reveal().to_owned()).map_err(|error| error.to_string())
}

const SECRET: &str = "client-secret = \"{secret:client}\"";

#[tokio::test]
async fn a_token_is_got_once_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::saying(&[("200 OK", r#"{"access_token": "one", "expires_in": 3600}"#)]).await;
    let (safe, _) =
        safe(home.path(), &endpoint, &format!("{SECRET}\nscope = \"a b\"\nparameters = {{ audience = \"x\" }}"));
    let both = futures::future::join(token(&safe), token(&safe)).await;
    assert_eq!(both, (Ok("one".to_owned()), Ok("one".to_owned())));
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    // Base64 of `my+id:s3cr3t%26%2B+42`.
    assert!(asked[0].contains("authorization: Basic bXkraWQ6czNjcjN0JTI2JTJCKzQy\r\n"), "{}", asked[0]);
    assert!(asked[0].ends_with("grant_type=client_credentials&scope=a+b&audience=x"), "{}", asked[0]);
}

#[tokio::test]
async fn a_token_is_renewed_when_its_time_is_over() {
    let home = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::saying(&[
        ("200 OK", r#"{"access_token": "one", "expires_in": 0.05}"#),
        ("200 OK", r#"{"access_token": "two", "expires_in": 3600}"#),
    ])
    .await;
    let (safe, _) = safe(home.path(), &endpoint, SECRET);
    assert_eq!(token(&safe).await.unwrap(), "one");
    tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    assert_eq!(token(&safe).await.unwrap(), "two");
    assert_eq!(token(&safe).await.unwrap(), "two");
}

#[tokio::test]
async fn a_new_refresh_token_takes_the_place_of_the_old_one() {
    let home = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::saying(&[
        ("200 OK", r#"{"access_token": "one", "expires_in": 0.01, "refresh_token": "refresh-two"}"#),
        ("200 OK", r#"{"access_token": "two", "expires_in": 3600}"#),
    ])
    .await;
    let (safe, store) = safe(home.path(), &endpoint, "refresh-token = \"{secret:refresh}\"");
    assert_eq!(token(&safe).await.unwrap(), "one");
    assert_eq!(store.get(&name("refresh")).unwrap().unwrap().reveal(), "refresh-two");
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    assert_eq!(token(&safe).await.unwrap(), "two");
    let asked = endpoint.asked();
    assert!(asked[0].ends_with("refresh_token=refresh-one&client_id=my+id"), "{}", asked[0]);
    assert!(asked[1].contains("refresh_token=refresh-two"), "{}", asked[1]);
}

#[tokio::test]
async fn what_a_server_says_of_a_failure_is_told_without_its_own_words() {
    let home = tempfile::tempdir().unwrap();
    for (status, body, said) in [
        (
            "401 Unauthorized",
            r#"{"error": "invalid_client", "error_description": "s3cr3t&+ 42 is wrong"}"#,
            "the server answered 401 (invalid_client)",
        ),
        ("400 Bad Request", r#"{"error": "S3CR3T was sent"}"#, "the server answered 400"),
        ("200 OK", "not json s3cr3t", "the server's answer has no token"),
        ("200 OK", r#"{"access_token": ""}"#, "the server's answer has no token"),
        ("302 Found", "", "the server answered 302"),
    ] {
        let answers: &'static [(&'static str, &'static str)] = Vec::leak(vec![(status, body)]);
        let endpoint = Endpoint::saying(answers).await;
        let (safe, _) = safe(home.path(), &endpoint, SECRET);
        let error = token(&safe).await.unwrap_err();
        assert!(error.ends_with(said), "{error}");
        assert!(!error.to_lowercase().contains("s3cr3t"), "{error}");
    }
}

#[tokio::test]
async fn a_fresh_token_that_a_server_does_not_accept_is_not_asked_for_again_and_again() {
    let home = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::saying(&[("200 OK", r#"{"access_token": "one", "expires_in": 3600}"#)]).await;
    let (safe, _) = safe(home.path(), &endpoint, SECRET);
    for _ in 0..5 {
        assert_eq!(token(&safe).await.unwrap(), "one");
        safe.rejected(&SecretReference::OAuth(name("c"))).await;
    }
    assert_eq!(endpoint.asked().len(), 1);
}

#[tokio::test]
async fn a_secret_that_is_nowhere_is_named_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::saying(&[("200 OK", "{}")]).await;
    let (safe, _) = safe(home.path(), &endpoint, "client-secret = \"{secret:nowhere}\"");
    assert!(token(&safe).await.unwrap_err().ends_with("`toolcrib secret set nowhere`"));
    let missing = safe.reveal(&SecretReference::OAuth(name("other"))).await.err().unwrap();
    assert!(missing.to_string().contains("`[oauth.other]`"));
    assert!(endpoint.asked().is_empty());
}
