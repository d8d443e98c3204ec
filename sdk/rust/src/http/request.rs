//! What is asked.

use std::time::Duration;

use serde::Serialize;

use super::{Cause, Error, Response, Url, transport};
use crate::ToolError;

/// Headers that speak of one server only: they do not follow a redirect to another.
const BOUND_TO_ORIGIN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// A request, built step by step.
///
/// ```no_run
/// # fn f() -> Result<(), toolcrib_sdk::ToolError> {
/// use toolcrib_sdk::http::Request;
///
/// let issues: serde_json::Value = Request::get("https://api.github.com/repos/rust-lang/rust/issues")
///     .header("accept", "application/json")
///     .redirects(3)
///     .send()?
///     .ok()?
///     .json(1 << 20)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Option<Duration>,
    redirects: u32,
}

impl Request {
    /// A request with any method.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into().to_ascii_uppercase(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
            redirects: 0,
        }
    }

    /// Asks for what is there.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Hands something over.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to JSON, and the media type.
    ///
    /// # Errors
    ///
    /// `failed` when the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Self, ToolError> {
        let body = serde_json::to_vec(value)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// How long to wait for the connection, for the first byte, and between bytes, each. The host has limits of its
    /// own, and the shorter counts.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many redirects to follow; none where this is not called. Only GET and HEAD follow them.
    #[must_use]
    pub const fn redirects(mut self, most: u32) -> Self {
        self.redirects = most;
        self
    }

    /// The method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL, as given or as the last redirect made it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers that were added, as given.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// Whether the method promises to change nothing.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// Sends the request and waits for the head of the response.
    ///
    /// # Errors
    ///
    /// Why there is no response. A response of any status is not an error here: see [`Response::ok`].
    pub fn send(mut self) -> Result<Response, Error> {
        self.check()?;
        let mut url = Url::parse(&self.url)?;
        let mut left = self.redirects;
        loop {
            let response = self.exchange(&url)?;
            let Some(next) = self.redirect(&url, &response)? else {
                return Ok(response);
            };
            if left == 0 {
                let message = format!("more than {} redirects", self.redirects);
                return Err(Error::new(Cause::Broken, message).context(&self.url));
            }
            left -= 1;
            if !next.same_origin(&url) {
                let bound = |name: &str| BOUND_TO_ORIGIN.iter().any(|it| it.eq_ignore_ascii_case(name));
                self.headers.retain(|(name, _)| !bound(name));
            }
            self.url = next.to_string();
            url = next;
        }
    }

    fn check(&self) -> Result<(), Error> {
        let token = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
        if self.method.is_empty() || !self.method.chars().all(token) {
            let shown: String = self.method.chars().take(40).collect();
            return Err(Error::new(Cause::Invalid, format!("`{shown}` is not a method")));
        }
        for (name, value) in &self.headers {
            let printable = value.chars().all(|letter| letter == '\t' || !letter.is_control());
            if name.is_empty() || !name.chars().all(token) || !printable {
                let shown: String = name.chars().take(60).collect();
                return Err(Error::new(Cause::Invalid, format!("`{shown}` is not a header that can be sent")));
            }
        }
        Ok(())
    }

    fn exchange(&self, url: &Url) -> Result<Response, Error> {
        let unsafe_method = !self.is_safe();
        transport::send(self, url)
            .map_err(|error| error.context(format_args!("{} {url}", self.method)).maybe_sent(unsafe_method))
    }

    /// Where the response sends a client that wants to follow.
    fn redirect(&self, url: &Url, response: &Response) -> Result<Option<Url>, Error> {
        let follows = self.redirects > 0 && matches!(self.method.as_str(), "GET" | "HEAD");
        if !follows || !matches!(response.status(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        match response.header("location") {
            Some(location) => url.join(location).map(Some),
            None => Ok(None),
        }
    }
}
