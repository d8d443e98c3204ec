//! One exchange over HTTP: request out, stream in, under time-outs and a cap on size.

use std::future::Future;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use url::Url;

use crate::config::{HttpConfig, Timeouts, Wire};
use crate::failure::{self, Failure};
use crate::framing::{Framer, Framing};
use crate::names::Names;
use crate::secret::ApiKey;
use crate::wires::{self, Target};
use crate::{ConfigError, Delta, Model, ModelError, Phase, Request, Response, tls};

/// The most of a failed response's body that is read: an explanation, not a download.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// A model behind HTTP.
pub(crate) struct HttpModel {
    name: String,
    wire: Wire,
    model: String,
    official: bool,
    url: Url,
    headers: HeaderMap,
    key: Option<ApiKey>,
    key_advice: String,
    timeouts: Timeouts,
    max_response: u64,
    client: reqwest::Client,
}

impl HttpModel {
    pub(crate) fn new(config: HttpConfig) -> Result<Self, ConfigError> {
        let url = config.endpoint()?;
        let mut headers = HeaderMap::new();
        if config.wire == Wire::Messages {
            headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        }
        if let Some(key) = &config.key {
            let (name, value) = key_header(config.wire, key)?;
            headers.insert(name, value);
        }
        Ok(Self {
            name: config.name(),
            wire: config.wire,
            official: config.is_official(),
            headers,
            key_advice: config.key_advice(),
            timeouts: config.timeouts,
            max_response: config.max_response_bytes,
            client: tls::client(&config, !config.is_local())?,
            model: config.model,
            key: config.key,
            url,
        })
    }

    async fn exchange(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        let names = Names::of(request);
        let target = Target { model: &self.model, official: self.official };
        let body = wires::encode(self.wire, request, target, &names).to_string();
        let framing = wires::framing(self.wire);
        let sent = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, if framing == Framing::Sse { "text/event-stream" } else { "application/x-ndjson" })
            .body(body)
            .send();
        let mut response =
            within(Phase::FirstByte, self.timeouts.first_byte, sent).await?.map_err(|error| self.unreachable(error))?;
        if !response.status().is_success() {
            return Err(self.failed(response).await);
        }
        // Some compatible servers give no type at all; a wrong one would only surface as a cut stream.
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if framing == Framing::Sse && !content_type.is_empty() && !content_type.starts_with("text/event-stream") {
            let detail =
                format!("it is of type `{}` where an event stream was asked for", failure::shorten(content_type));
            return Err(ModelError::Malformed { detail });
        }

        let mut decoder = wires::decoder(self.wire, names);
        let mut framer = Framer::new(framing);
        let (mut frames, mut received) = (Vec::new(), 0_u64);
        while let Some(chunk) = self.next(&mut response).await? {
            received = received.saturating_add(chunk.len() as u64);
            if received > self.max_response {
                return Err(ModelError::TooLarge { limit: self.max_response });
            }
            framer.push(&chunk, &mut frames)?;
            for frame in frames.drain(..) {
                if decoder.decode(&frame, events)? {
                    return decoder.finish();
                }
            }
        }
        if let Some(frame) = framer.finish() {
            decoder.decode(&frame, events)?;
        }
        decoder.finish()
    }

    /// The next piece of the body; nothing at its end.
    async fn next(
        &self,
        response: &mut reqwest::Response,
    ) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>, ModelError> {
        within(Phase::Idle, self.timeouts.idle, response.chunk())
            .await?
            .map_err(|error| ModelError::CutStream { detail: cause(error) })
    }

    async fn failed(&self, mut response: reqwest::Response) -> ModelError {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = failure::retry_after(header("retry-after-ms"), header("retry-after"), SystemTime::now());
        let location = header(LOCATION.as_str()).map(|to| format!("redirected to {to}"));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // An explanation that does not arrive whole is better than none.
        while let Ok(Some(chunk)) = self.next(&mut response).await {
            body.extend_from_slice(&chunk);
            if body.len() >= MAX_ERROR_BODY {
                body.truncate(MAX_ERROR_BODY);
                break;
            }
        }
        let body = location.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
        // A server may quote the key that it was given.
        let body = match &self.key {
            Some(key) => key.strike_from(&body),
            None => body,
        };
        Failure { status, body: &body, retry_after, key_advice: &self.key_advice }.classify()
    }

    fn unreachable(&self, error: reqwest::Error) -> ModelError {
        if error.is_timeout() && error.is_connect() {
            return ModelError::TimedOut { phase: Phase::Connect, after: self.timeouts.connect };
        }
        ModelError::Unreachable { address: self.url.origin().ascii_serialization(), detail: cause(error) }
    }
}

#[async_trait]
impl Model for HttpModel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn complete(
        &self,
        request: &Request,
        events: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Response, ModelError> {
        let exchange = self.exchange(request, events);
        let result = within(Phase::Total, self.timeouts.total, exchange).await.and_then(|result| result);
        match (result, &self.key) {
            (Err(error), Some(key)) => Err(error.without(key)),
            (result, _) => result,
        }
    }
}

/// Runs `work` for at most `limit`.
async fn within<T>(phase: Phase, limit: Duration, work: impl Future<Output = T>) -> Result<T, ModelError> {
    tokio::time::timeout(limit, work).await.map_err(|_| ModelError::TimedOut { phase, after: limit })
}

/// The innermost cause, which is the one that says something ("connection refused").
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    failure::shorten(&innermost.to_string())
}

fn key_header(wire: Wire, key: &ApiKey) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let (name, text) = match wire {
        Wire::Messages => (HeaderName::from_static("x-api-key"), key.reveal().to_owned()),
        Wire::Gemini => (HeaderName::from_static("x-goog-api-key"), key.reveal().to_owned()),
        Wire::Responses | Wire::Chat | Wire::Ollama => {
            (reqwest::header::AUTHORIZATION, format!("Bearer {}", key.reveal()))
        }
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| ConfigError::Key)?;
    value.set_sensitive(true);
    Ok((name, value))
}
