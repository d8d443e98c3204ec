//! A server on loopback that plays a script, byte by byte as written, and keeps what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use toolcrib_model::{Backend, Delta, HttpConfig, Model, ModelConfig, ModelError, Request, Response, RetryPolicy};

/// What to do on one connection, in order. The connection closes after the last step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

pub(crate) struct Server {
    pub(crate) origin: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves one script per connection, then refuses connections.
    pub(crate) async fn play(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            for script in scripts {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(serve(stream, script, Arc::clone(&log)));
            }
        });
        Self { origin, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, script: Vec<Step>, log: Arc<Mutex<Vec<Asked>>>) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer).await else {
            return;
        };
        seen.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let asked = Asked { head: head.to_owned(), body: Value::Null };
        let length: usize = asked.header("content-length").unwrap_or("0").parse().unwrap();
        if body.len() >= length {
            let body = serde_json::from_str(body).unwrap_or(Value::Null);
            log.lock().unwrap().push(Asked { body, ..asked });
            break;
        }
    }
    for step in script {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
                let _ = stream.flush().await;
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
        }
    }
}

/// A good answer with this body, which ends with the connection.
pub(crate) fn stream(content_type: &str, body: &str) -> Vec<Step> {
    vec![Step::Send(format!("{}{body}", head(200, &format!("content-type: {content_type}\r\n"))).into_bytes())]
}

/// An answer of one status with a JSON body.
pub(crate) fn status(status: u16, headers: &str, body: &str) -> Vec<Step> {
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n{headers}", body.len());
    vec![Step::Send(format!("{}{body}", head(status, &headers)).into_bytes())]
}

pub(crate) fn head(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}\r\n")
}

/// A configuration for `wire` at `origin`, without retries and with short time-outs.
pub(crate) fn config(wire: &str, origin: &str) -> HttpConfig {
    let version = if wire.starts_with("openai") { "/v1" } else { "" };
    let key = |name: &str| (name == "TOOLCRIB_MODEL_KEY").then(|| "sk-test-0123456789".to_owned());
    let mut config = http(ModelConfig::parse(&format!("{wire}:m@{origin}{version}"), key).unwrap());
    config.retry = RetryPolicy { max_retries: 0, ..RetryPolicy::default() };
    config.timeouts.first_byte = Duration::from_secs(20);
    config.timeouts.idle = Duration::from_secs(20);
    config
}

/// The HTTP back end of `config`.
pub(crate) fn http(config: ModelConfig) -> HttpConfig {
    let Backend::Http(config) = config.backend else { panic!("not HTTP: {config:?}") };
    *config
}

/// One exchange, with what was delivered on the way.
pub(crate) async fn complete(config: HttpConfig, request: &Request) -> (Result<Response, ModelError>, Vec<Delta>) {
    let model: Box<dyn Model> = toolcrib_model::connect(config.into()).unwrap();
    let mut deltas = Vec::new();
    let result = model.complete(request, &mut |delta| deltas.push(delta)).await;
    (result, deltas)
}
