//! What stands in a line: text with emphasis, code, links and pictures.

use super::dom::{Dom, Id};
use super::role::Role;
use super::{Base, Style, escape};

/// How deep elements are followed. Browsers stop at 512; text below is still read, without its markup.
pub(super) const DEPTH_MAX: usize = 100;
/// How many nodes tell whether something in a line holds whole blocks.
const LOOK: usize = 64;

/// A paragraph that is being written. White space is written when something follows it.
#[derive(Default)]
pub(super) struct Line {
    text: String,
    /// White space stands before the first letter.
    leading: bool,
    /// White space waits for the next letter.
    space: bool,
}

/// What the text is in already.
#[derive(Clone, Copy, Default)]
pub(super) struct Within {
    strong: bool,
    emphasis: bool,
    link: bool,
}

/// Renders what stands in lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub(super) dom: &'a Dom,
    pub(super) base: &'a Base,
    pub(super) style: Style,
}

impl Line {
    /// White space.
    pub(super) fn gap(&mut self) {
        if self.text.is_empty() { self.leading = true } else { self.space = true }
    }

    /// The paragraph, and an empty one in its place.
    pub(super) fn take(&mut self) -> String {
        let text = std::mem::take(self).text;
        let end = text.trim_end().len();
        let mut text = text;
        text.truncate(end);
        text
    }

    /// Markup, as it is.
    fn raw(&mut self, markup: &str) {
        if std::mem::take(&mut self.space) && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        self.text.push_str(markup);
    }

    fn line_break(&mut self, style: Style) {
        self.space = false;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push_str(if style == Style::Markdown { "  \n" } else { "\n" });
        }
    }

    fn text(&mut self, text: &str, style: Style, within: Within) {
        let blank = |letter: char| letter.is_ascii_whitespace() || letter == '\u{A0}';
        let mut first = true;
        for word in text.split(blank) {
            if !std::mem::take(&mut first) {
                self.gap();
            }
            // Hyphens and spaces that nobody sees.
            let seen: String =
                word.chars().filter(|letter| !matches!(letter, '\u{AD}' | '\u{200B}' | '\u{FEFF}')).collect();
            if seen.is_empty() {
                continue;
            }
            self.raw("");
            match style {
                Style::Markdown => escape::push(&mut self.text, &seen, within.link),
                Style::Plain => self.text.push_str(&seen),
            }
        }
    }

    /// Writes what was written elsewhere, between marks, with its white space outside of them.
    fn wrapped(&mut self, inner: Line, open: &str, close: &str) {
        if inner.leading || (inner.text.is_empty() && inner.space) {
            self.gap();
        }
        let text = inner.text.trim();
        if !text.is_empty() {
            self.raw(&format!("{open}{text}{close}"));
        }
        if inner.space {
            self.gap();
        }
    }
}

impl Lines<'_> {
    /// Everything in `parent`, in one paragraph.
    pub(super) fn paragraph(&self, parent: Id, depth: usize) -> String {
        let mut line = Line::default();
        self.children(parent, depth, Within::default(), &mut line);
        line.take()
    }

    /// A text node or an element, written behind `line`.
    pub(super) fn node(&self, id: Id, depth: usize, within: Within, line: &mut Line) {
        if let Some(text) = self.dom.text(id) {
            return line.text(text, self.style, within);
        }
        let markdown = self.style == Style::Markdown;
        match self.dom.role(id) {
            Role::Skipped => {}
            Role::Rule => line.gap(),
            Role::Break => line.line_break(self.style),
            Role::Strong if markdown && !within.strong => {
                self.marked(id, depth, Within { strong: true, ..within }, "**", line);
            }
            Role::Emphasis if markdown && !within.emphasis => {
                self.marked(id, depth, Within { emphasis: true, ..within }, "*", line);
            }
            Role::Struck if markdown => self.marked(id, depth, within, "~~", line),
            Role::Code if markdown => self.code(id, line),
            Role::Link if markdown && !within.link => self.link(id, depth, within, line),
            Role::Image => self.image(id, within, line),
            role if role.is_block() => {
                line.gap();
                self.children(id, depth, within, line);
                line.gap();
            }
            _ => self.children(id, depth, within, line),
        }
    }

    /// Whether something that belongs into a line holds whole blocks.
    pub(super) fn holds_blocks(&self, id: Id) -> bool {
        self.dom.shown_below(id).take(LOOK).any(|below| self.dom.role(below).is_block())
    }

    fn children(&self, parent: Id, depth: usize, within: Within, line: &mut Line) {
        if depth >= DEPTH_MAX {
            return line.text(&self.dom.text_below(parent), self.style, within);
        }
        for child in self.dom.children(parent) {
            self.node(child, depth + 1, within, line);
        }
    }

    fn marked(&self, id: Id, depth: usize, within: Within, mark: &str, line: &mut Line) {
        let mut inner = Line::default();
        self.children(id, depth, within, &mut inner);
        line.wrapped(inner, mark, mark);
    }

    fn code(&self, id: Id, line: &mut Line) {
        let text = self.dom.text_below(id);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            let fence = "`".repeat(longest_run(&text) + 1);
            let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
            line.raw(&format!("{fence}{pad}{text}{pad}{fence}"));
        }
    }

    fn link(&self, id: Id, depth: usize, within: Within, line: &mut Line) {
        let mut inner = Line::default();
        self.children(id, depth, Within { link: true, ..within }, &mut inner);
        if inner.text.trim().is_empty() {
            let label = self.dom.attribute(id, "aria-label").or_else(|| self.dom.attribute(id, "title"));
            inner.text(label.unwrap_or_default(), self.style, Within { link: true, ..within });
        }
        match self.dom.attribute(id, "href").and_then(|href| self.base.resolve(href)) {
            Some(address) => line.wrapped(inner, "[", &format!("]({})", target(&address))),
            None => line.wrapped(inner, "", ""),
        }
    }

    fn image(&self, id: Id, within: Within, line: &mut Line) {
        let alternative = self.dom.attribute(id, "alt").unwrap_or_default().trim();
        if alternative.is_empty() {
            return;
        }
        let mut inner = Line::default();
        inner.text(alternative, self.style, Within { link: true, ..within });
        let wanted = self.style == Style::Markdown && !within.link;
        let address = self.dom.attribute(id, "src").filter(|_| wanted).and_then(|src| self.base.resolve(src));
        match address {
            Some(address) => line.wrapped(inner, "![", &format!("]({})", target(&address))),
            None => line.wrapped(inner, "", ""),
        }
    }
}

/// The longest run of backticks.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// An address as Markdown can read it.
fn target(address: &str) -> String {
    if address.contains(['(', ')', ' ']) && !address.contains(['<', '>']) {
        return format!("<{address}>");
    }
    address.replace('<', "%3C").replace('>', "%3E").replace('(', "%28").replace(')', "%29").replace(' ', "%20")
}
