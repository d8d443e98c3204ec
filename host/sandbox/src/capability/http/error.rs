//! Why an exchange failed, and what the guest gets to see of it.
//!
//! Where `wasi:http` has an error of its own for a cause, the guest gets that one, so that the retry logic of ordinary
//! libraries works. A refusal has no such place: `HTTP-request-denied` carries no text, and the author of a tool needs to
//! know which grant is missing. So a refusal is an `internal-error` whose text begins with the stable code:
//! `net-denied: plugin ...`.

use std::io;

use toolcrib_policy::{LimitName, Refusal};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The policy refuses it, or a count is used up.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Refusal),
    /// Something took longer than it may.
    #[error("{} took too long", .0.what())]
    Late(Stage),
    /// A size is above its limit of so many bytes.
    #[error("limit `{}` reached", .0.key())]
    TooLarge(LimitName, u64),
    /// The name has no address.
    #[error("`{host}` could not be resolved: {why}")]
    Name { host: String, why: String },
    /// No checked address took the connection.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// The other side is not who the request is for, or does not speak TLS.
    #[error("tls-failed: {0}")]
    Tls(io::Error),
    /// The answer to a request with a credential comes encoded in this way, and cannot be searched for it.
    #[error("the answer is encoded (`{0}`), which an answer to a request with a credential may not be")]
    Encoded(String),
    /// The exchange broke.
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
}

impl Failure {
    /// A stable code, for receipts.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Failure::Refused(refusal) => refusal.code.as_str(),
            Failure::Late(Stage::Queue) => "queue-timed-out",
            Failure::Late(Stage::Connect) => "connect-timed-out",
            Failure::Late(Stage::FirstByte | Stage::Between) => "answer-timed-out",
            Failure::Late(Stage::Total) => "exchange-timed-out",
            Failure::TooLarge(limit, _) => limit.code(),
            Failure::Name { .. } => "dns-failed",
            Failure::Connect(error) => match error.kind() {
                io::ErrorKind::TimedOut => "connect-timed-out",
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "unreachable",
                io::ErrorKind::ConnectionRefused => "connect-refused",
                _ => "connect-failed",
            },
            Failure::Tls(_) => "tls-failed",
            Failure::Encoded(_) => "answer-encoded",
            Failure::Exchange(error) if is_incomplete(error) => "answer-incomplete",
            Failure::Exchange(error) if error.is_parse() => "answer-invalid",
            Failure::Exchange(_) => "connection-broken",
        }
    }
}

/// A part of an exchange that has its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Waiting for another exchange to end.
    Queue,
    /// Resolving, connecting, TLS.
    Connect,
    /// From the sent request to the answer.
    FirstByte,
    /// Between two pieces of the body.
    Between,
    /// The whole.
    Total,
}

impl Stage {
    fn what(self) -> &'static str {
        match self {
            Stage::Queue => "waiting for another exchange to end",
            Stage::Connect => "connecting",
            Stage::FirstByte => "the first byte of the answer",
            Stage::Between => "the next part of the answer",
            Stage::Total => "the exchange",
        }
    }

    /// The limit that bounds the stage.
    pub(crate) fn limit(self) -> LimitName {
        match self {
            Stage::Queue => LimitName::ParallelRequests,
            Stage::Connect => LimitName::ConnectTime,
            Stage::FirstByte => LimitName::FirstByteTime,
            Stage::Between | Stage::Total => LimitName::ExchangeTime,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        match failure {
            Failure::Refused(_) => Error::InternalError(Some(failure.to_string())),
            Failure::Late(Stage::Queue) => Error::ConnectionLimitReached,
            Failure::Late(Stage::Connect) => Error::ConnectionTimeout,
            Failure::Late(Stage::FirstByte | Stage::Between) => Error::ConnectionReadTimeout,
            Failure::Late(Stage::Total) => Error::HttpResponseTimeout,
            Failure::TooLarge(LimitName::HttpOutBytes, most) => Error::HttpRequestBodySize(Some(most)),
            Failure::TooLarge(LimitName::HeaderBytes, most) => {
                Error::HttpResponseHeaderSectionSize(Some(u32::try_from(most).unwrap_or(u32::MAX)))
            }
            Failure::TooLarge(_, most) => Error::HttpResponseBodySize(Some(most)),
            Failure::Name { .. } => Error::DnsError { rcode: Some(failure.to_string()), info_code: None },
            Failure::Connect(error) => from_connect(&error),
            Failure::Tls(error) => from_tls(&error),
            Failure::Encoded(coding) => Error::HttpResponseContentCoding(Some(coding)),
            Failure::Exchange(error) => from_hyper(&error),
        }
    }
}

/// Whether the other side ended before its message did. Within a body hyper says so only in the cause.
fn is_incomplete(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    error.is_incomplete_message() || cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof)
}

fn from_connect(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Error::DestinationUnavailable,
        _ => Error::ConnectionRefused,
    }
}

fn from_tls(error: &io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some((*alert).into()), alert_message: Some(format!("{alert:?}")) }
        }
        _ => Error::TlsProtocolError,
    }
}

fn from_hyper(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if is_incomplete(error) {
        Error::HttpResponseIncomplete
    } else if error.is_parse() || error.is_user() {
        Error::HttpProtocolError
    } else {
        Error::ConnectionTerminated
    }
}

/// The error of `wasi:http` for what went wrong while a body was read. The engine looks for it in the wrong type and
/// finds none.
pub(super) fn of_body(error: &Error) -> Option<ErrorCode> {
    Some(match error {
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        Error::HttpRequestBodySize(most) => ErrorCode::HttpRequestBodySize(*most),
        Error::HttpResponseBodySize(most) => ErrorCode::HttpResponseBodySize(*most),
        Error::HttpResponseHeaderSectionSize(most) => ErrorCode::HttpResponseHeaderSectionSize(*most),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::InternalError(text) => ErrorCode::InternalError(text.clone()),
        _ => return None,
    })
}
