//! The links of a page.

use std::collections::BTreeMap;

use toolcrib_sdk::value;

use super::Base;
use super::dom::{Dom, Id, ROOT};
use super::role::Role;

/// How many characters of a text are shown.
const TEXT_MAX: usize = 200;

/// One link.
#[value(output)]
pub(crate) struct Link {
    /// The absolute address.
    pub(super) url: String,
    /// What a reader sees; empty where that is nothing.
    pub(super) text: String,
}

/// All links, each address once, in the order of the page.
pub(super) fn of(dom: &Dom, base: &Base) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for id in dom.shown_below(ROOT).filter(|&id| dom.role(id) == Role::Link) {
        let Some(url) = dom.attribute(id, "href").and_then(|href| base.resolve(href)) else {
            continue;
        };
        match known.get(&url) {
            // A picture and a text often lead to the same place.
            Some(&at) if links[at].text.is_empty() => links[at].text = text(dom, id),
            Some(_) => {}
            None => {
                known.insert(url.clone(), links.len());
                links.push(Link { url, text: text(dom, id) });
            }
        }
    }
    links
}

fn text(dom: &Dom, id: Id) -> String {
    let mut words = String::new();
    for node in dom.shown_below(id) {
        let seen = match dom.text(node) {
            Some(text) => text,
            None if dom.role(node) == Role::Image => dom.attribute(node, "alt").unwrap_or_default(),
            None if dom.role(node).is_block() || dom.role(node) == Role::Break => " ",
            None => continue,
        };
        words.push_str(seen);
        if words.len() > TEXT_MAX * 8 {
            break;
        }
    }
    let label = || dom.attribute(id, "aria-label").or_else(|| dom.attribute(id, "title")).unwrap_or_default();
    let words = if words.trim().is_empty() { label() } else { &words };
    let words: Vec<&str> = words.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_MAX).collect()
}
