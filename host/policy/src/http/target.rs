//! One request, as it is checked and as it is sent.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::host::Host;
use super::wire::{NormalPath, PathError, normal_path, normal_query, plain_path};
use crate::names::shortened;

/// Why a request has no target that could be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The method is not a token, or asks for a tunnel or an echo.
    #[error("`{0}` is not a method that a tool may use")]
    Method(String),
    /// The scheme is neither `http` nor `https`.
    #[error("the scheme `{0}` is neither `http` nor `https`")]
    Scheme(String),
    /// The text is not an absolute URL.
    #[error("`{0}` is not an absolute URL such as `https://example.com/path`")]
    NotAbsolute(String),
    /// The authority carries a user name or password.
    #[error("the address carries a user name or password before `@`, which hides the host")]
    UserInfo,
    /// The host cannot be read in exactly one way.
    #[error("`{0}` is not a host name or address")]
    Host(String),
    /// The port is not 1 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// The path or query cannot be sent as it is.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// A method of HTTP, in capital letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Method(String);

impl Method {
    /// Reads a method: 1 to 32 capital letters, digits, `-` and `_`. The protocol tells `get` and `GET` apart and some
    /// servers do not, so small letters are refused. `CONNECT` (a tunnel past every check) and `TRACE` (an echo of
    /// headers that the host added) are refused in any case.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let never = matches!(text, "CONNECT" | "TRACE" | "TRACK");
        if text.is_empty() || text.len() > 32 || !text.bytes().all(fits) || never {
            return Err(TargetError::Method(shortened(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// The method as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the protocol defines the method as changing nothing: `GET`, `HEAD`, `OPTIONS`.
    pub fn is_safe(&self) -> bool {
        matches!(self.0.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

impl TryFrom<String> for Method {
    type Error = TargetError;
    fn try_from(text: String) -> Result<Self, TargetError> {
        Self::parse(&text)
    }
}

impl From<Method> for String {
    fn from(method: Method) -> String {
        method.0
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// Reads a scheme in any case.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        match text {
            _ if text.eq_ignore_ascii_case("http") => Ok(Self::Http),
            _ if text.eq_ignore_ascii_case("https") => Ok(Self::Https),
            _ => Err(TargetError::Scheme(shortened(text))),
        }
    }

    /// The scheme as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port where none is written.
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a request asks for, in one spelling. Whoever sends it builds the request line, the `Host` header and the name for
/// TLS from here and from nothing else: what was checked is what is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpTarget {
    /// The method.
    pub method: Method,
    /// The scheme.
    pub scheme: Scheme,
    /// The host.
    pub host: Host,
    /// The port, also where the request left it out.
    pub port: u16,
    /// The path, normalised, beginning with `/`, without query.
    pub path: String,
    /// What follows `?`, without it.
    pub query: Option<String>,
}

impl HttpTarget {
    /// Reads a method and an absolute URL. A fragment is dropped, as it is never sent.
    pub fn parse(method: &str, url: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| TargetError::NotAbsolute(shortened(url)))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let tail = tail.split('#').next().unwrap_or_default();
        Self::from_parts(method, scheme, authority, tail)
    }

    /// Reads the parts of a request as a guest hands them over. An empty path is `/`.
    pub fn from_parts(method: &str, scheme: &str, authority: &str, path_with_query: &str) -> Result<Self, TargetError> {
        let method = Method::parse(method)?;
        let scheme = Scheme::parse(scheme)?;
        let (host, port) = split_authority(authority)?;
        let host = Host::parse(host)?;
        let port = port.map_or(Ok(scheme.default_port()), parse_port)?;
        let (path, query) = match path_with_query.split_once('?') {
            Some((path, query)) => (path, Some(normal_query(query)?)),
            None => (path_with_query, None),
        };
        let NormalPath { text: path, .. } = normal_path(if path.is_empty() { "/" } else { path })?;
        Ok(Self { method, scheme, host, port, path, query })
    }

    /// The path without escapes, so that two spellings of one path are one text. `None` where servers read it differently
    /// (`%2F`, `%252e`, `..;`).
    pub(crate) fn plain_path(&self) -> Option<String> {
        plain_path(&self.path)
    }

    /// The request target as it is sent: path and query.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The `Host` header as it is sent: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The address without the query, which may hold what no message should show.
    pub fn shown(&self) -> String {
        shortened(&format!("{}://{}{}", self.scheme, self.authority(), self.path))
    }
}

/// Splits `host[:port]`, refusing what stands before an `@`.
pub(crate) fn split_authority(authority: &str) -> Result<(&str, Option<&str>), TargetError> {
    if authority.contains('@') {
        return Err(TargetError::UserInfo);
    }
    let wrong = || TargetError::Host(shortened(authority));
    if let Some(rest) = authority.strip_prefix('[') {
        let close = rest.find(']').ok_or_else(wrong)?;
        let (host, rest) = authority.split_at(close + 2);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(wrong()),
        };
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(wrong()),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

/// Reads a port, 1 to 65535, in plain digits.
pub(crate) fn parse_port(text: &str) -> Result<u16, TargetError> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = if digits { text.parse().unwrap_or(0) } else { 0 };
    if port == 0 { Err(TargetError::Port(shortened(text))) } else { Ok(port) }
}
