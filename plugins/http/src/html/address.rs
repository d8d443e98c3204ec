//! Where references lead.

use std::cell::Cell;

use toolcrib_sdk::http::Url;

use super::dom::{Dom, ROOT};

/// How many bytes of addresses one page may give. A long base, repeated by every link, would be much more than the page.
const BUDGET: usize = 8 * 1024 * 1024;
/// The longest address, in bytes. Longer ones carry data.
const ADDRESS_MAX: usize = 4096;

/// What the references of a page are relative to.
pub(super) struct Base {
    url: Option<Url>,
    left: Cell<usize>,
}

impl Base {
    /// The address of the page, or what its `<base>` says.
    pub(super) fn of(dom: &Dom, url: &str) -> Self {
        let page = Url::parse(url).ok();
        let mut elements = every_element(dom).filter(|&id| dom.name(id) == "base");
        let said = elements.find_map(|id| dom.attribute(id, "href"));
        let url = match (page, said) {
            (Some(page), Some(said)) => page.join(said).ok().or(Some(page)),
            (page, _) => page,
        };
        Self { url, left: Cell::new(BUDGET) }
    }

    /// The absolute address of a reference. Nothing for what leads nowhere outside the page: fragments, scripts, data.
    pub(super) fn resolve(&self, reference: &str) -> Option<String> {
        // Browsers drop line ends inside as well.
        let reference: String =
            reference.trim().chars().filter(|letter| !matches!(letter, '\n' | '\r' | '\t')).collect();
        if reference.is_empty() || reference.starts_with('#') || reference.len() > ADDRESS_MAX {
            return None;
        }
        let address = match scheme(&reference) {
            Some(scheme) if !matches!(scheme.as_str(), "http" | "https") => {
                matches!(scheme.as_str(), "mailto" | "tel" | "ftp").then_some(reference)?
            }
            _ => {
                let url = match &self.url {
                    Some(base) => base.join(&reference),
                    None => Url::parse(&reference),
                };
                let fragment = reference.split_once('#').map(|(_, fragment)| fragment).unwrap_or_default();
                let mut address = url.ok()?.to_string();
                if !fragment.is_empty() {
                    address.push('#');
                    address.push_str(&fragment.replace(' ', "%20"));
                }
                address
            }
        };
        if address.len() > ADDRESS_MAX {
            return None;
        }
        self.left.set(self.left.get().checked_sub(address.len())?);
        Some(address)
    }
}

/// All elements, those in the head included.
fn every_element(dom: &Dom) -> impl Iterator<Item = usize> {
    let head = dom.children(ROOT).flat_map(|html| dom.children(html)).find(|&id| dom.name(id) == "head");
    head.into_iter().flat_map(|head| dom.children(head))
}

fn scheme(reference: &str) -> Option<String> {
    let end = reference.find([':', '/', '?', '#'])?;
    let (scheme, rest) = reference.split_at(end);
    let fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    (rest.starts_with(':') && fits).then(|| scheme.to_ascii_lowercase())
}
