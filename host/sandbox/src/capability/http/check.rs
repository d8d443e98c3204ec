//! The gate: from the parts of a request, as the guest put them together, to a request that may be sent.
//!
//! What is sent is rebuilt from what was checked. Of the guest's own text only the headers stay, without those that say
//! where a message goes and where it ends.

use std::fmt;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri, request};
use toolcrib_policy::{Authority, HttpGrant, HttpTarget, LimitName, Refusal, RefusalCode, TargetError};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

/// A request that the policy allows, and all that is sent of it but its body.
pub(crate) struct Checked {
    /// The target that was checked.
    pub(super) target: HttpTarget,
    /// The line that allows it.
    pub(super) grant: HttpGrant,
    method: Method,
    /// What is sent of the target, credentials in its query included.
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// Credentials are added to the headers and to what is sent of the target: neither is shown.
impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checked({} {} by {})", self.target.method, self.target.shown(), self.grant)
    }
}

impl Checked {
    /// Bytes of the request line and the headers on the wire.
    pub(super) fn head_bytes(&self) -> u64 {
        let line = self.method.as_str().len() + self.target.path_and_query().len() + " HTTP/1.1\r\n".len() + 1;
        (line + wire_size(&self.headers) + "\r\n".len()) as u64
    }

    /// How long the guest says that its body is.
    pub(super) fn declared_length(&self) -> u64 {
        let length = self.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        length.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Whether the request may change something on the other side.
    pub(super) fn is_write(&self) -> bool {
        !self.target.method.is_safe()
    }

    /// Writes a header of the host's own; false where it cannot be written.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { return false };
        self.headers.insert(name, value);
        true
    }

    /// Whether the headers are more than one request may have.
    pub(super) fn is_too_large(&self, authority: &Authority) -> bool {
        wire_size(&self.headers) as u64 > authority.limits.http_header_bytes.get()
    }

    /// The request as it is sent.
    pub(super) fn into_request<B: http_body::Body>(mut self, body: B) -> http::Request<B> {
        if body.is_end_stream() && self.is_write() {
            // Some servers wait for a body otherwise.
            self.headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        let mut request = http::Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        request
    }
}

/// Headers that the host writes itself, or that speak to the next hop instead of the server. A guest can neither set nor
/// see them.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || *name == header::TE
        || *name == header::TRAILER
        || name.as_str().starts_with("proxy-")
}

/// Checks a request against the authority. The address behind its name is checked when it is resolved.
pub(super) fn check(authority: &Authority, parts: &request::Parts) -> Result<Checked, Refusal> {
    let target = target(parts).map_err(|error| authority.url_refusal(&error))?;
    let grant = authority.http(&target)?.clone();
    let sendable = Sendable::of(&target).ok_or_else(|| {
        let path = toolcrib_policy::PathError::Character(target.path.chars().take(100).collect());
        authority.url_refusal(&TargetError::Path(path))
    })?;
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, sendable.host);
    copy_headers(authority, &parts.headers, &mut headers)?;
    if wire_size(&headers) as u64 > authority.limits.http_header_bytes.get() {
        return Err(authority.limit_refusal(LimitName::HeaderBytes));
    }
    Ok(Checked { target, grant, method: sendable.method, uri: sendable.uri, headers })
}

fn target(parts: &request::Parts) -> Result<HttpTarget, TargetError> {
    let uri = &parts.uri;
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let path = uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    HttpTarget::from_parts(parts.method.as_str(), uri.scheme_str().unwrap_or_default(), authority, path)
}

/// The parts of the head that come from the checked target alone.
struct Sendable {
    method: Method,
    uri: Uri,
    host: HeaderValue,
}

impl Sendable {
    /// `None` where the text of a checked target cannot be written as HTTP/1.1, which both readers should rule out.
    fn of(target: &HttpTarget) -> Option<Self> {
        Some(Sendable {
            method: Method::from_bytes(target.method.as_str().as_bytes()).ok()?,
            uri: Uri::builder().path_and_query(target.path_and_query()).build().ok()?,
            host: HeaderValue::try_from(target.authority()).ok()?,
        })
    }
}

/// Copies the guest's headers. The engine keeps forbidden ones out of its tables; a way around that must not end here.
fn copy_headers(authority: &Authority, from: &HeaderMap, to: &mut HeaderMap) -> Result<(), Refusal> {
    for (name, value) in from {
        let twice = *name == header::CONTENT_LENGTH && to.contains_key(name);
        if is_forbidden(name) || twice {
            let message = format!(
                "plugin `{}` asked to set the header `{name}`{}, which the host writes itself; leave it out",
                authority.plugin(),
                if twice { " twice" } else { "" },
            );
            return Err(Refusal { code: RefusalCode::NetDenied, message, grant: None });
        }
        to.append(name, value.clone());
    }
    Ok(())
}

fn wire_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}

/// What a receipt shows of a request that has no checked target: no query, nothing before an `@`, one line.
pub(super) fn shown_unchecked(scheme: &str, authority: &str, path: &str) -> String {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let shown = format!("{scheme}://{host}{path}");
    shown.chars().take(200).flat_map(char::escape_debug).collect()
}
