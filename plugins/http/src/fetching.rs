//! `fetch`: one exchange, its body made readable.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use toolcrib_sdk::http::Response;
use toolcrib_sdk::{ToolError, value};

use crate::html::Document;
use crate::media::Media;
use crate::{charset, exchange};

/// How much of a body is read, in bytes. Of a page most is markup.
const READ_MAX: usize = 4 * 1024 * 1024;
/// The most that a caller can have of a body, in bytes: a result has 4 MiB, written as JSON.
const BODY_MAX: usize = 2 * 1024 * 1024;

/// What to ask for.
pub(crate) struct Wanted<'a> {
    pub(crate) url: &'a str,
    pub(crate) method: &'a str,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
    pub(crate) format: Format,
    pub(crate) max_bytes: usize,
}

/// How the body comes.
#[value(input)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Markdown for HTML, other text as it is.
    #[default]
    Auto,
    /// The same, said aloud.
    Markdown,
    /// Plain text for HTML, other text as it is.
    Text,
    /// As it is.
    Raw,
}

/// What came back.
#[value(output)]
pub(crate) struct Fetched {
    /// The status code.
    status: u16,
    /// The address that answered, after redirects.
    url: String,
    /// The headers, their names in lower case. Where one came more than once, its values are joined by commas.
    headers: BTreeMap<String, String>,
    /// The media type, such as `text/html`, of what the server sent.
    media_type: String,
    /// The body, in the format that was asked for.
    body: String,
    /// `base64` where the body is bytes in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    /// Whether the body goes on.
    truncated: bool,
}

/// Sends the request.
pub(crate) fn fetch(wanted: Wanted<'_>) -> Result<Fetched, ToolError> {
    let safe = matches!(wanted.method.to_ascii_uppercase().as_str(), "GET" | "HEAD" | "OPTIONS");
    let most = wanted.max_bytes.min(BODY_MAX);
    let response = exchange::send(wanted.method, wanted.url, wanted.headers, wanted.body)?;
    let mut response = exchange::accept(response)?;
    let (bytes, cut) = response.read_up_to(READ_MAX)?;
    let media = Media::of(&response, &bytes);
    let mut fetched = Fetched {
        status: response.status(),
        url: response.url().to_owned(),
        headers: headers(&response),
        body: String::new(),
        encoding: None,
        truncated: cut,
        media_type: media.name.clone(),
    };
    match charset::text(&bytes, media.charset.as_deref(), media.is_html()) {
        Some(text) => {
            let body = readable(text, &media, wanted.format, &fetched.url);
            fetched.truncated |= body.len() > most;
            fetched.body = cut_at(body, most);
        }
        None if wanted.format == Format::Raw => {
            // Four letters for three bytes.
            let room = most / 4 * 3;
            fetched.truncated |= bytes.len() > room;
            fetched.body = STANDARD.encode(&bytes[..bytes.len().min(room)]);
            fetched.encoding = Some("base64");
        }
        None => {
            let size = if cut { format!("more than {READ_MAX}") } else { bytes.len().to_string() };
            let message = format!(
                "{} answered {} with {size} bytes of {}, which is not text: ask with `format` set to `raw` for Base64",
                fetched.url, fetched.status, media.name
            );
            let error = ToolError::failed(message);
            return Err(if safe { error } else { error.effect_done() });
        }
    }
    Ok(fetched)
}

fn readable(text: String, media: &Media, format: Format, url: &str) -> String {
    match format {
        Format::Auto | Format::Markdown if media.is_html() => Document::parse(&text, url).markdown(),
        Format::Text if media.is_html() => Document::parse(&text, url).plain_text(),
        _ => text,
    }
}

fn headers(response: &Response) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers() {
        let known = headers.entry(name.clone()).or_default();
        if !known.is_empty() {
            known.push_str(", ");
        }
        known.push_str(value);
    }
    headers
}

/// The beginning of a text, at most so many bytes, with whole characters.
fn cut_at(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}
