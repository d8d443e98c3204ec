//! The little of URLs that a client needs: taking one apart, and following a reference.

use std::fmt;
use std::fmt::Write;

use super::{Cause, Error};

/// An absolute `http` or `https` URL in normal form: no fragment, no dot segments, no character that does not belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub(crate) https: bool,
    pub(crate) authority: String,
    /// Path and query; begins with a slash.
    pub(crate) path: String,
}

impl Url {
    /// Takes a URL apart.
    ///
    /// # Errors
    ///
    /// [`Cause::Invalid`] for anything but `http` and `https`, for a missing or odd host, and for credentials in the
    /// URL: the host adds those.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| invalid(text, "it does not begin with http:// or https://"))?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid(text, "only http and https are spoken here")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        Ok(Self {
            https,
            authority: checked_authority(authority).map_err(|why| invalid(text, why))?,
            path: normal_path(rest),
        })
    }

    /// Follows a reference, absolute or relative, as a browser does.
    ///
    /// # Errors
    ///
    /// [`Cause::Invalid`], as [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Self, Error> {
        let reference = reference.trim();
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme()));
        }
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.path.as_str(), None),
        };
        let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        let joined = match reference.chars().next() {
            Some('/') => reference.to_owned(),
            Some('?') => format!("{path}{reference}"),
            None | Some('#') => query.map_or(path.to_owned(), |query| format!("{path}?{query}")),
            Some(_) => format!("{folder}{reference}"),
        };
        Ok(Self { path: normal_path(&joined), ..self.clone() })
    }

    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Host and port, as written.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.path
    }

    /// Whether scheme, host and port are the same.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.authority.eq_ignore_ascii_case(&other.authority)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

fn invalid(text: &str, why: &str) -> Error {
    let shown: String = text.chars().take(200).collect();
    Error::new(Cause::Invalid, format!("`{shown}` is not a URL to ask: {why}"))
}

/// A reference such as `mailto:a@b` or `https://c`: letters, then a colon, before anything else that separates.
fn has_scheme(reference: &str) -> bool {
    let end = reference.find([':', '/', '?', '#']).filter(|end| reference[*end..].starts_with(':'));
    end.is_some_and(|end| {
        reference.starts_with(|first: char| first.is_ascii_alphabetic())
            && reference[..end]
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    })
}

fn checked_authority(authority: &str) -> Result<String, &'static str> {
    if authority.contains('@') {
        return Err("it has credentials in it, which the host adds where the operator says so");
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err("it names no host");
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':' | '[' | ']');
    if !authority.chars().all(fits) {
        return Err("the host has a character that names do not have (write other scripts in Punycode)");
    }
    Ok(authority.to_ascii_lowercase())
}

/// Path and query without fragment and dot segments, with everything percent-encoded that has to be.
fn normal_path(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let mut normal = String::with_capacity(text.len() + 1);
    encode(&without_dots(path), &mut normal);
    if let Some(query) = query {
        normal.push('?');
        encode(query, &mut normal);
    }
    normal
}

/// RFC 3986, 5.2.4. The result begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
        if plain {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        Url::parse(text).unwrap().to_string()
    }

    #[test]
    fn a_url_comes_out_in_normal_form() {
        assert_eq!(normal("HTTPS://Example.ORG"), "https://example.org/");
        assert_eq!(normal("http://a:80/b/../c/./d?q=1#top"), "http://a:80/c/d?q=1");
        assert_eq!(normal("http://a?q"), "http://a/?q");
        assert_eq!(normal("http://a/ü b\"?ä"), "http://a/%C3%BC%20b%22?%C3%A4");
        assert_eq!(normal("http://a/%2e%2E/b"), "http://a/b");
        assert_eq!(normal("http://[::1]:8080/x"), "http://[::1]:8080/x");
    }

    #[test]
    fn what_is_not_a_url_is_refused_by_its_cause() {
        for text in [
            "",
            "example.org",
            "ftp://a/",
            "http://",
            "http:///x",
            "http://:80/",
            "http://u:p@a/",
            "http://a b/",
            "http://a\\@b/",
            "http://bücher.example/",
            "javascript:alert(1)",
        ] {
            assert_eq!(Url::parse(text).unwrap_err().cause(), Cause::Invalid, "{text}");
        }
    }

    #[test]
    fn references_are_followed_as_a_browser_does() {
        let base = Url::parse("https://a/b/c?q").unwrap();
        let joined = |reference: &str| base.join(reference).unwrap().to_string();
        assert_eq!(joined("d"), "https://a/b/d");
        assert_eq!(joined("../d/"), "https://a/d/");
        assert_eq!(joined("../../../d"), "https://a/d");
        assert_eq!(joined("/d?x"), "https://a/d?x");
        assert_eq!(joined("?x"), "https://a/b/c?x");
        assert_eq!(joined("#x"), "https://a/b/c?q");
        assert_eq!(joined("//other/x"), "https://other/x");
        assert_eq!(joined("http://other/x"), "http://other/x");
        assert_eq!(joined("./d:e/f"), "https://a/b/d:e/f");
        assert_eq!(base.join("mailto:a@b").unwrap_err().cause(), Cause::Invalid);
    }
}
