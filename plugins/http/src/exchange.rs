//! One request and the answer to it.

use std::collections::BTreeMap;

use toolcrib_sdk::http::{Request, Response};
use toolcrib_sdk::{ErrorKind, ToolError};

use crate::{charset, media};

/// How many redirects are followed. Browsers allow twenty; more than a few is a loop.
const REDIRECTS: u32 = 5;
/// Servers such as those of GitHub refuse requests without it.
const USER_AGENT: &str = concat!("toolcrib/", env!("CARGO_PKG_VERSION"));
/// What a request accepts unless its caller says otherwise.
const ACCEPT: &str = "text/html, application/json, text/*;q=0.9, */*;q=0.5";
/// How much of a refusal is read, in bytes, and shown, in characters.
const EXCERPT_READ: usize = 16 * 1024;
const EXCERPT_SHOWN: usize = 300;

/// Sends a request.
pub(crate) fn send(
    method: &str,
    url: &str,
    headers: BTreeMap<String, String>,
    body: Option<String>,
) -> Result<Response, ToolError> {
    let mut request = Request::new(method, url).redirects(REDIRECTS);
    if matches!(request.method(), "GET" | "HEAD") && body.is_some() {
        let message = format!("a {} request has no body: use `method` POST, PUT or PATCH", request.method());
        return Err(ToolError::invalid_arguments(message));
    }
    let has = |name: &str| headers.keys().any(|key| key.eq_ignore_ascii_case(name));
    let given = |name: &str, value: &'static str| (!has(name)).then_some((name.to_owned(), value.to_owned()));
    let json = body.as_deref().is_some_and(looks_like_json);
    let content_type = if json { "application/json" } else { "text/plain; charset=utf-8" };
    let content_type = body.as_ref().and_then(|_| given("content-type", content_type));
    // Nothing here unpacks a compressed body.
    let defaults = [given("user-agent", USER_AGENT), given("accept", ACCEPT), given("accept-encoding", "identity")];
    for (name, value) in defaults.into_iter().flatten().chain(content_type).chain(headers) {
        request = request.header(name, value);
    }
    let response = request.body(body.unwrap_or_default()).send()?;
    Ok(response)
}

/// Lets a response through unless its status is one that credentials or waiting may mend.
pub(crate) fn accept(mut response: Response) -> Result<Response, ToolError> {
    if !matches!(response.status(), 401 | 407 | 408 | 429 | 502 | 503 | 504) {
        return Ok(response);
    }
    let excerpt = excerpt(&mut response);
    response.ok().map_err(|error| told(&error, &excerpt))
}

/// Lets a response through whose status is below 400.
pub(crate) fn succeed(mut response: Response) -> Result<Response, ToolError> {
    if response.status() < 400 {
        return Ok(response);
    }
    let excerpt = excerpt(&mut response);
    response.ok().map_err(|error| told(&error, &excerpt))
}

/// The error with what the server says about it.
fn told(error: &ToolError, excerpt: &str) -> ToolError {
    let message = match (error.kind(), excerpt) {
        (ErrorKind::RateLimited { retry_after: Some(seconds) }, _) => {
            format!("{}: call again after {seconds} seconds", error.message())
        }
        (_, "") => error.message().to_owned(),
        (_, excerpt) => format!("{}: {excerpt}", error.message()),
    };
    ToolError::new(error.kind(), message).effect(error.effect_state())
}

/// The beginning of what a server says, in one line.
fn excerpt(response: &mut Response) -> String {
    let Ok((bytes, _)) = response.read_up_to(EXCERPT_READ) else {
        return String::new();
    };
    let media = media::Media::of(response, &bytes);
    let Some(text) = charset::text(&bytes, media.charset.as_deref(), media.is_html()) else {
        return String::new();
    };
    let text = if media.is_html() { crate::html::Document::parse(&text, response.url()).plain_text() } else { text };
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(EXCERPT_SHOWN).collect()
}

fn looks_like_json(body: &str) -> bool {
    let body = body.trim();
    let ends = |open: char, close: char| body.starts_with(open) && body.ends_with(close);
    ends('{', '}') || ends('[', ']')
}
