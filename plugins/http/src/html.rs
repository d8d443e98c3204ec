//! Web pages: parsed as browsers parse them, and rendered as Markdown, as plain text, or as a list of links.
//!
//! ```text
//! text ─► sink ─► dom ─┬─► blocks ─► lines (with address, escape) ─► text
//!                      └─► links
//! ```
//!
//! A page is anybody's: nothing here recurses deeper than a bound, and nothing grows much beyond the page.

mod dom;
mod sink;

mod address;
mod role;

mod blocks;
mod escape;
mod lines;
mod tables;

mod links;

use address::Base;
use dom::Dom;

pub(crate) use links::Link;

/// A page.
pub(crate) struct Document {
    dom: Dom,
    base: Base,
}

/// What a page is rendered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Markdown,
    Plain,
}

impl Document {
    /// Parses a page that was found at `url`. There is no page that cannot be parsed.
    pub(crate) fn parse(html: &str, url: &str) -> Self {
        let dom = sink::parse(html);
        let base = Base::of(&dom, url);
        Self { dom, base }
    }

    /// The page as Markdown, without scripts, styles and forms.
    pub(crate) fn markdown(&self) -> String {
        blocks::render(&self.dom, &self.base, Style::Markdown)
    }

    /// The text of the page.
    pub(crate) fn plain_text(&self) -> String {
        blocks::render(&self.dom, &self.base, Style::Plain)
    }

    /// Where the page leads.
    pub(crate) fn links(&self) -> Vec<Link> {
        links::of(&self.dom, &self.base)
    }
}
