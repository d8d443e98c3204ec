//! Requests by way of `wasi:http`.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::{InputStream, StreamError};

use super::{Cause, Error, Request, Response, Url};

/// The most that `blocking-write-and-flush` takes at once, in bytes.
const WRITE: usize = 4096;

/// A body that is still arriving. The stream is declared first: it has to go before the body that owns it.
#[derive(Debug)]
pub(crate) struct Body {
    stream: Option<InputStream>,
    _body: Option<IncomingBody>,
    _response: IncomingResponse,
}

impl Body {
    pub(crate) fn chunk(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let Some(stream) = &self.stream else {
            return Ok(Vec::new());
        };
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        loop {
            match stream.blocking_read(most) {
                // A host may wake up without data.
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(bytes),
                Err(StreamError::Closed) => {
                    self.stream = None;
                    return Ok(Vec::new());
                }
                Err(StreamError::LastOperationFailed(error)) => {
                    let code = http_error_code(&error);
                    return Err(
                        code.map_or_else(|| Error::new(Cause::Broken, error.to_debug_string()), |code| refused(&code))
                    );
                }
            }
        }
    }
}

pub(crate) fn send(request: &Request, url: &Url) -> Result<Response, Error> {
    let outgoing = outgoing(request, url)?;
    let body = outgoing.body().map_err(|()| invalid("the body was taken"))?;
    let future = outgoing_handler::handle(outgoing, options(request)).map_err(|code| refused(&code))?;
    // A server may answer before it has read everything, and a host may refuse: the answer tells, not the write.
    let written = write(body, &request.body);
    let response = match await_head(&future) {
        Ok(response) => response,
        Err(error) if error.cause() == Cause::Broken => return Err(written.err().unwrap_or(error)),
        Err(error) => return Err(error),
    };
    let status = response.status();
    let headers = response.headers().entries().into_iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(&value).into_owned();
        (name.to_ascii_lowercase(), value)
    });
    let headers = headers.collect();
    let body = response.consume().ok();
    let stream = body.as_ref().and_then(|body| body.stream().ok());
    let body = Body { stream, _body: body, _response: response };
    Ok(Response::new(request, url, status, headers, body))
}

fn outgoing(request: &Request, url: &Url) -> Result<OutgoingRequest, Error> {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::with_capacity(request.headers.len() + 1);
    for (name, value) in &request.headers {
        headers.push((name.to_ascii_lowercase(), value.clone().into_bytes()));
    }
    let has_length = headers.iter().any(|(name, _)| name == "content-length");
    let has_body = !request.body.is_empty() || matches!(request.method(), "POST" | "PUT" | "PATCH");
    if has_body && !has_length {
        let length = request.body.len().to_string();
        headers.push(("content-length".to_owned(), length.into_bytes()));
    }
    let fields = Fields::from_list(&headers).map_err(|_| invalid("the host does not send these headers"))?;
    let outgoing = OutgoingRequest::new(fields);
    let scheme = if url.https { Scheme::Https } else { Scheme::Http };
    outgoing
        .set_method(&method(request.method()))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(&url.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&url.path)))
        .map_err(|()| invalid("the host does not accept this method or URL"))?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn options(request: &Request) -> Option<RequestOptions> {
    let timeout = u64::try_from(request.timeout?.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    // A host that does not know one of them has limits of its own.
    let _ = options.set_connect_timeout(Some(timeout));
    let _ = options.set_first_byte_timeout(Some(timeout));
    let _ = options.set_between_bytes_timeout(Some(timeout));
    Some(options)
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| invalid("the body was taken"))?;
        for chunk in bytes.chunks(WRITE) {
            stream.blocking_write_and_flush(chunk).map_err(|error| match error {
                StreamError::Closed => Error::new(Cause::Broken, "the server closed the connection"),
                StreamError::LastOperationFailed(error) => http_error_code(&error)
                    .map_or_else(|| Error::new(Cause::Broken, error.to_debug_string()), |code| refused(&code)),
            })?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| refused(&code))
}

fn await_head(future: &FutureIncomingResponse) -> Result<IncomingResponse, Error> {
    loop {
        match future.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(refused(&code)),
            Some(Err(())) => return Err(Error::new(Cause::Broken, "the response was taken")),
            None => future.subscribe().block(),
        }
    }
}

fn invalid(message: &str) -> Error {
    Error::new(Cause::Invalid, message)
}

/// The host's code in words.
fn refused(code: &ErrorCode) -> Error {
    use ErrorCode as Code;
    let (cause, message) = match code {
        Code::InternalError(Some(message)) => return said(message),
        Code::DnsError(payload) => {
            let why = payload.rcode.as_deref().unwrap_or("there is no such host");
            return Error::new(Cause::Unreachable, why);
        }
        Code::HttpRequestBodySize(most) | Code::HttpResponseBodySize(most) => {
            return too_large("body", *most);
        }
        Code::HttpRequestHeaderSectionSize(most) | Code::HttpResponseHeaderSectionSize(most) => {
            return too_large("header", most.map(u64::from));
        }
        Code::HttpRequestHeaderSize(_) | Code::HttpResponseHeaderSize(_) => {
            return too_large("header", None);
        }
        Code::HttpRequestDenied => (Cause::Denied, "the host does not allow this request"),
        Code::DestinationIpProhibited => (Cause::Denied, "the host does not allow this address"),
        Code::DnsTimeout => (Cause::Timeout, "the name was not resolved in time"),
        Code::DestinationNotFound => (Cause::Unreachable, "there is no such host"),
        Code::DestinationUnavailable | Code::DestinationIpUnroutable | Code::ConnectionRefused => {
            (Cause::Unreachable, "nothing answers there")
        }
        Code::ConnectionLimitReached => (Cause::Unreachable, "too many connections"),
        Code::TlsProtocolError | Code::TlsCertificateError | Code::TlsAlertReceived(_) => {
            (Cause::Unreachable, "no secure connection: the server's certificate or TLS is not acceptable")
        }
        Code::ConnectionTimeout => (Cause::Timeout, "no connection in time"),
        Code::ConnectionReadTimeout | Code::ConnectionWriteTimeout | Code::HttpResponseTimeout => {
            (Cause::Timeout, "no answer in time")
        }
        Code::HttpRequestMethodInvalid | Code::HttpRequestUriInvalid | Code::HttpRequestUriTooLong => {
            (Cause::Invalid, "the host does not accept this method or URL")
        }
        Code::ConnectionTerminated | Code::HttpResponseIncomplete => (Cause::Broken, "the connection ended too early"),
        _ => (Cause::Broken, "the answer is not HTTP as the host speaks it"),
    };
    Error::new(cause, message)
}

fn too_large(what: &str, most: Option<u64>) -> Error {
    let limit = most.map_or_else(String::new, |most| format!(": the limit is {most} bytes"));
    Error::new(Cause::TooLarge, format!("the {what} is too long{limit}"))
}

/// The host's own words. A refusal of Toolcrib begins with its code, such as `net-denied`.
fn said(message: &str) -> Error {
    let cause = match message.split(':').next().unwrap_or_default() {
        "url-invalid" => Cause::Invalid,
        code if code.starts_with("net-") => Cause::Denied,
        code if code.starts_with("limit-") => Cause::TooLarge,
        _ => Cause::Broken,
    };
    Error::new(cause, message)
}
