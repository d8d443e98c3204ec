//! Tools for the web: fetching, with pages as Markdown, and the links of a page.
//!
//! ```text
//! arguments ─► exchange ─► media (type, character set) ─► html ─┬─► markdown ─► fetch
//!                                                               └─► links ─► links
//! ```
//!
//! Each request, and each hop of a redirect, is checked by the host against the operator's grants.

use std::collections::BTreeMap;

use toolcrib_sdk::{ToolError, plugin, tool};

mod exchange;

mod charset;
mod media;

mod html;

mod fetching;
mod linking;

use fetching::{Fetched, Format, Wanted};
use linking::Page;

/// Sends an HTTP request and gives back status, headers and body. A web page comes as Markdown with absolute links.
///
/// GET and HEAD follow up to five redirects; `url` in the result is the one that answered. A status of 400 and above is
/// a result too, so look at `status`; only what credentials or waiting may mend is an error: 401 and 407 (needs-auth),
/// 429 (rate-limited), 408, 502, 503 and 504 (unavailable). A method other than GET and HEAD may change something at the
/// server.
#[tool(effect = irreversible, open_world, title = "Fetch from the web")]
fn fetch(
    /// The address: `https://…` or `http://…`.
    url: &str,
    /// The method.
    #[arg(default = "GET")]
    method: &str,
    /// Headers to send. Credentials are added by the host where the operator says so.
    #[arg(default)]
    headers: BTreeMap<String, String>,
    /// The body to send. Set the header `content-type` with it; text that is JSON is recognised.
    body: Option<String>,
    /// `auto` and `markdown` make Markdown of HTML, `text` plain text; `raw` leaves everything as it is. Bodies other
    /// than HTML are not changed, and `raw` gives those that are not text in Base64.
    #[arg(default)]
    format: Format,
    /// The most bytes of `body` to give back.
    #[arg(default = 1_048_576)]
    max_bytes: usize,
) -> Result<Fetched, ToolError> {
    fetching::fetch(Wanted { url, method, headers, body, format, max_bytes })
}

/// Fetches a web page and lists its links: absolute addresses with their texts, each once, in the order of the page.
#[tool(effect = read, open_world, title = "Links of a web page")]
fn links(
    /// The address: `https://…` or `http://…`.
    url: &str,
) -> Result<Page, ToolError> {
    linking::links(url)
}

plugin!(fetch, links);

#[cfg(test)]
mod tests;
