//! What came back.

use std::io::{self, Read};

use serde::de::DeserializeOwned;

use super::{Cause, Error, Request, Url, transport};
use crate::{ErrorKind, ToolError};

/// How much is asked of the body at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// The head of a response, and a body that is read on demand.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    method: String,
    safe: bool,
    url: String,
    body: transport::Body,
}

impl Response {
    pub(crate) fn new(
        request: &Request,
        url: &Url,
        status: u16,
        headers: Vec<(String, String)>,
        body: transport::Body,
    ) -> Self {
        Self {
            status,
            headers,
            method: request.method().to_owned(),
            safe: request.is_safe(),
            url: url.to_string(),
            body,
        }
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The URL that answered, which is the last one when redirects were followed.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers in order, their names in lower case.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first header of that name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Lets a response through whose status is below 400, and makes a typed error of any other.
    ///
    /// # Errors
    ///
    /// `needs-auth` for 401 and 407, `denied` for 403, `not-found` for 404 and 410, `rate-limited` for 429,
    /// `unavailable` for 408, 502, 503 and 504, else `failed`. After a server's error to a method that changes things
    /// the effect is unknown.
    pub fn ok(self) -> Result<Self, ToolError> {
        if self.status < 400 {
            return Ok(self);
        }
        let retry_after = self.header("retry-after").and_then(|value| value.trim().parse().ok());
        let kind = match self.status {
            401 | 407 => ErrorKind::NeedsAuth,
            403 => ErrorKind::Denied,
            404 | 410 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited { retry_after },
            408 | 502 | 503 | 504 => ErrorKind::Unavailable,
            _ => ErrorKind::Failed,
        };
        let message = format!("{} {} answered {}", self.method, self.url, self.status);
        let error = ToolError::new(kind, message);
        Err(if self.safe || self.status < 500 { error } else { error.effect_unknown() })
    }

    /// Reads the body up to `limit` bytes, and says whether there was more.
    ///
    /// # Errors
    ///
    /// When the body breaks off.
    pub fn read_up_to(&mut self, limit: usize) -> Result<(Vec<u8>, bool), Error> {
        let mut bytes = Vec::new();
        loop {
            // One byte more than fits tells a body that ends at the limit from one that goes on.
            let room = limit.saturating_add(1) - bytes.len();
            let chunk = self.chunk(room.min(CHUNK))?;
            if chunk.is_empty() {
                return Ok((bytes, false));
            }
            bytes.extend_from_slice(&chunk);
            if bytes.len() > limit {
                bytes.truncate(limit);
                return Ok((bytes, true));
            }
        }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// [`Cause::TooLarge`] when it is longer than `limit` bytes, or the cause why it broke off.
    pub fn bytes(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        match self.read_up_to(limit)? {
            (bytes, false) => Ok(bytes),
            (_, true) => {
                let message = format!("the body of {} is longer than {limit} bytes", self.url);
                Err(Error::new(Cause::TooLarge, message).maybe_sent(!self.safe))
            }
        }
    }

    /// Reads the whole body as text. What is not UTF-8 becomes replacement characters.
    ///
    /// # Errors
    ///
    /// As [`Response::bytes`].
    pub fn text(self, limit: usize) -> Result<String, Error> {
        let bytes = self.bytes(limit)?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// Reads the whole body as JSON.
    ///
    /// # Errors
    ///
    /// As [`Response::bytes`]; `failed` when it is not JSON, or not of that type.
    pub fn json<T: DeserializeOwned>(self, limit: usize) -> Result<T, ToolError> {
        let url = self.url.clone();
        let bytes = self.bytes(limit)?;
        serde_json::from_slice(&bytes).map_err(|error| ToolError::from(error).context(url))
    }

    /// The next bytes, at most `most`. Nothing at the end.
    fn chunk(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let result = self.body.chunk(most);
        result.map_err(|error| error.context(format_args!("{} {}", self.method, self.url)).maybe_sent(!self.safe))
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let chunk = self.chunk(buffer.len()).map_err(io::Error::other)?;
        buffer[..chunk.len()].copy_from_slice(&chunk);
        Ok(chunk.len())
    }
}
