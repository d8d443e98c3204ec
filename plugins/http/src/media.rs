//! What a body is: its media type, and the character set that goes with it.

use toolcrib_sdk::http::Response;

/// A media type without its parameters, and the character set, both in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Media {
    pub(crate) name: String,
    pub(crate) charset: Option<String>,
}

impl Media {
    /// What the server says, or else what the body looks like.
    pub(crate) fn of(response: &Response, body: &[u8]) -> Self {
        match response.header("content-type").map(Self::parse) {
            Some(media) if !media.name.is_empty() => media,
            _ => Self { name: guess(body).to_owned(), charset: None },
        }
    }

    /// Reads `text/html; charset="utf-8"`.
    fn parse(header: &str) -> Self {
        let mut parts = header.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        Self { name, charset }
    }

    /// Whether it is a web page.
    pub(crate) fn is_html(&self) -> bool {
        matches!(self.name.as_str(), "text/html" | "application/xhtml+xml")
    }
}

fn guess(body: &[u8]) -> &'static str {
    let start: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(14).collect();
    let start = start.to_ascii_lowercase();
    let is_html = [&b"<!doctypehtml"[..], b"<html", b"<head", b"<body"].iter().any(|tag| start.starts_with(tag));
    if body.is_empty() {
        ""
    } else if is_html {
        "text/html"
    } else if crate::charset::is_text(body) {
        "text/plain"
    } else {
        "application/octet-stream"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_taken_apart() {
        let media = Media::parse("Text/HTML ; foo=bar; Charset=\"ISO-8859-1\"");
        assert_eq!(media, Media { name: "text/html".into(), charset: Some("iso-8859-1".into()) });
        assert!(media.is_html());
        assert_eq!(Media::parse("application/json"), Media { name: "application/json".into(), charset: None });
        assert_eq!(Media::parse(";;").name, "");
    }

    #[test]
    fn a_body_without_a_type_is_looked_at() {
        assert_eq!(guess(b""), "");
        assert_eq!(guess(b"\n <!DOCTYPE  html>"), "text/html");
        assert_eq!(guess(b"{}"), "text/plain");
        assert_eq!(guess(b"\x89PNG\x00\xFF"), "application/octet-stream");
    }
}
