//! Hands an export to an OpenTelemetry collector on this machine, by OTLP/HTTP with JSON.
//!
//! Only this machine: what goes out is private, and nothing here could keep it so on a network. A collector there
//! forwards it, with whatever credentials and TLS its operator chose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use toolcrib_sandbox::Network;

/// The port of OTLP/HTTP.
const USUAL_PORT: u16 = 4318;
/// How long one batch may take: a collector that is there answers at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most of an answer that is read: it is empty, or says what was rejected.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// A collector on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// As it stands in the `Host` header.
    host: String,
    addresses: Vec<IpAddr>,
    port: u16,
    /// What stands before `/v1/traces`.
    prefix: String,
}

/// Which kind of batch is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

/// Why a collector cannot be used, or did not take a batch.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// The text is no endpoint on this machine.
    #[error(
        "`{0}` is no collector on this machine: write http://127.0.0.1:4318, http://[::1]:4318 or http://localhost:4318, and let a collector there forward what it gets"
    )]
    NotHere(String),
    /// Nobody answered.
    #[error("no collector at {host}: {why}")]
    Unreachable {
        /// The endpoint.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// It answered that it does not take the batch.
    #[error("the collector at {host} refused a batch: {why}")]
    Refused {
        /// The endpoint.
        host: String,
        /// What it said.
        why: String,
    },
}

impl FromStr for Collector {
    type Err = CollectorError;

    fn from_str(text: &str) -> Result<Self, CollectorError> {
        let wrong = || CollectorError::NotHere(text.chars().take(100).collect());
        let rest = text.trim().strip_prefix("http://").ok_or_else(wrong)?;
        let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        if !path.chars().all(plain) {
            return Err(wrong());
        }
        let (name, port) = match host.strip_prefix("localhost") {
            Some("") => (vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], USUAL_PORT),
            Some(port) => {
                let port = port.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or_else(wrong)?;
                (vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], port)
            }
            None => {
                let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
                let literal = host.parse::<SocketAddr>().map(|address| (address.ip(), address.port()));
                let literal = literal.or_else(|_| bare.parse::<IpAddr>().map(|ip| (ip, USUAL_PORT)));
                let (ip, port) = literal.map_err(|_| wrong())?;
                (vec![ip], port)
            }
        };
        if !name.iter().all(IpAddr::is_loopback) {
            return Err(wrong());
        }
        let prefix = format!("/{path}").trim_end_matches('/').to_owned();
        Ok(Collector { host: host.to_owned(), addresses: name, port, prefix })
    }
}

impl Collector {
    /// Sends one line of an export. Says how many of its spans or records the collector rejected.
    ///
    /// # Errors
    /// Nobody answered in time, or the collector refused the batch. It may be sent again: ids are derived, so that
    /// nothing counts twice.
    pub async fn post(&self, network: &dyn Network, signal: Signal, line: String) -> Result<u64, CollectorError> {
        let answered = tokio::time::timeout(PATIENCE, self.exchange(network, signal, line)).await;
        answered.unwrap_or_else(|_| Err(self.unreachable("it did not answer in time")))
    }

    async fn exchange(&self, network: &dyn Network, signal: Signal, line: String) -> Result<u64, CollectorError> {
        let failed = |error: hyper::Error| self.unreachable(&error.to_string());
        let connection = self.connect(network).await?;
        let (mut sender, driver) = http1::handshake(TokioIo::new(connection)).await.map_err(failed)?;
        let worker = tokio::spawn(driver);
        let request = self.request(signal, line)?;
        let answer = sender.send_request(request).await.map_err(failed)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        worker.abort();
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        self.judge(status, &body)
    }

    async fn connect(&self, network: &dyn Network) -> Result<Box<dyn toolcrib_sandbox::Connection>, CollectorError> {
        let mut last = String::new();
        for ip in &self.addresses {
            match network.connect(SocketAddr::new(*ip, self.port)).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error.to_string(),
            }
        }
        Err(self.unreachable(&last))
    }

    fn request(&self, signal: Signal, line: String) -> Result<Request<Full<Bytes>>, CollectorError> {
        let path = match signal {
            Signal::Traces => "/v1/traces",
            Signal::Logs => "/v1/logs",
        };
        let request = Request::post(format!("{}{path}", self.prefix))
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("toolcrib/", env!("CARGO_PKG_VERSION")));
        request.body(Full::new(Bytes::from(line))).map_err(|error| self.unreachable(&error.to_string()))
    }

    /// A success may still say that a part was rejected.
    fn judge(&self, status: StatusCode, body: &[u8]) -> Result<u64, CollectorError> {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        if !status.is_success() {
            let message = said.get("message").and_then(Value::as_str).unwrap_or_default();
            let message: String = message.chars().take(200).collect();
            return Err(CollectorError::Refused { host: self.host.clone(), why: format!("{status} {message}") });
        }
        let partial = said.get("partialSuccess");
        let count = |key| partial?.get(key).and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok()));
        Ok(count("rejectedSpans").or_else(|| count("rejectedLogRecords")).unwrap_or(0))
    }

    fn unreachable(&self, why: &str) -> CollectorError {
        CollectorError::Unreachable { host: self.host.clone(), why: why.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_collector() {
        for good in [
            "http://127.0.0.1:4318",
            "http://127.0.0.1",
            "http://[::1]:9/",
            "http://[::1]",
            "http://localhost",
            "http://localhost:4318/otlp/",
        ] {
            assert!(good.parse::<Collector>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:4318",
            "https://127.0.0.1:4318",
            "http://10.0.0.1:4318",
            "http://collector:4318",
            "http://localhost.example.com",
            "http://127.0.0.1:4318@example.com",
            "http://user@127.0.0.1:4318",
            "http://127.0.0.1:4318/a?b",
            "http://127.0.0.1:4318/\r\nx: y",
            "http://127.0.0.1:99999",
            "http://169.254.169.254/",
            "http://[::ffff:10.0.0.1]:4318",
        ] {
            assert!(bad.parse::<Collector>().is_err(), "{bad}");
        }
        let collector: Collector = "http://localhost:7/otlp/".parse().expect("one");
        assert_eq!((collector.port, collector.prefix.as_str(), collector.addresses.len()), (7, "/otlp", 2));
    }
}
