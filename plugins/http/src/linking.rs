//! `links`: where a page leads.

use std::collections::BTreeMap;

use toolcrib_sdk::{ToolError, value};

use crate::html::{Document, Link};
use crate::media::Media;
use crate::{charset, exchange};

/// How much of a page is read, in bytes.
const READ_MAX: usize = 4 * 1024 * 1024;
/// The most links in one result.
const LINKS_MAX: usize = 5_000;

/// The links of a page.
#[value(output)]
pub(crate) struct Page {
    /// The address of the page, after redirects.
    url: String,
    /// The links, each address once, in the order of the page; at most 5,000.
    links: Vec<Link>,
}

/// Fetches a page and lists its links.
pub(crate) fn links(url: &str) -> Result<Page, ToolError> {
    let response = exchange::send("GET", url, BTreeMap::new(), None)?;
    let mut response = exchange::succeed(response)?;
    let (bytes, _) = response.read_up_to(READ_MAX)?;
    let media = Media::of(&response, &bytes);
    let url = response.url().to_owned();
    let text = charset::text(&bytes, media.charset.as_deref(), true);
    let Some(text) = text.filter(|_| media.is_html()) else {
        let message = format!("{url} is {}, not a web page: `fetch` gives what is there", media.name);
        return Err(ToolError::failed(message));
    };
    let mut links = Document::parse(&text, &url).links();
    links.truncate(LINKS_MAX);
    Ok(Page { url, links })
}
