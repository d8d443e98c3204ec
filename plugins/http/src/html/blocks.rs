//! Paragraphs, headings, lists, quotes and code.

use super::dom::{Dom, Id, ROOT};
use super::lines::{DEPTH_MAX, Line, Lines, Within, longest_run};
use super::role::Role;
use super::{Base, Style, escape, tables};

/// How many lists and quotes are shown one in another: each puts something before every line.
const NEST_MAX: usize = 16;
/// The most backticks or digits that a page can make this repeat.
const FENCE_MAX: usize = 64;

/// Renders a page.
pub(super) fn render(dom: &Dom, base: &Base, style: Style) -> String {
    let renderer = Renderer { lines: Lines { dom, base, style } };
    let mut out = Blocks::default();
    let has_heading = dom.shown_below(ROOT).any(|id| dom.role(id) == Role::Heading(1));
    if !has_heading && let Some(title) = title(dom) {
        let title = renderer.lines.paragraph(title, 0);
        out.push(if style == Style::Markdown && !title.is_empty() { format!("# {title}") } else { title });
    }
    renderer.flow(ROOT, Level::default(), &mut out);
    join(&out.finish(style))
}

/// The element with the title of the page.
fn title(dom: &Dom) -> Option<Id> {
    let html = dom.children(ROOT).find(|&id| dom.name(id) == "html")?;
    let head = dom.children(html).find(|&id| dom.name(id) == "head")?;
    dom.children(head).find(|&id| dom.name(id) == "title")
}

/// Something in lines of its own.
pub(super) struct Block {
    text: String,
    /// Lists follow what they belong to without an empty line.
    list: bool,
}

/// The blocks that are finished, and the paragraph that is not.
#[derive(Default)]
pub(super) struct Blocks {
    done: Vec<Block>,
    line: Line,
}

/// How deep in the page.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    depth: usize,
    nest: usize,
}

impl Level {
    const fn deeper(self) -> Self {
        Self { depth: self.depth + 1, nest: self.nest }
    }

    /// One element deeper, as for what stands in a table.
    pub(super) const fn nested_in_table(self) -> Self {
        self.deeper()
    }

    /// How many elements deep.
    pub(super) const fn depth(self) -> usize {
        self.depth
    }

    const fn nested(self) -> Self {
        Self { depth: self.depth + 1, nest: self.nest + 1 }
    }
}

impl Blocks {
    /// Puts a finished block behind the others.
    pub(super) fn push(&mut self, text: String) {
        if !text.is_empty() {
            self.done.push(Block { text, list: false });
        }
    }

    fn end_line(&mut self, style: Style) {
        let text = self.line.take();
        self.push(if style == Style::Markdown { escape::line_starts(&text) } else { text });
    }

    fn finish(mut self, style: Style) -> Vec<Block> {
        self.end_line(style);
        self.done
    }
}

/// Puts blocks one below the other.
fn join(blocks: &[Block]) -> String {
    let mut text = String::new();
    for (number, block) in blocks.iter().enumerate() {
        if number > 0 {
            text.push_str("\n\n");
        }
        text.push_str(&block.text);
    }
    text
}

/// Renders what stands in lines of its own.
pub(super) struct Renderer<'a> {
    pub(super) lines: Lines<'a>,
}

impl Renderer<'_> {
    /// Everything in `parent`, behind what is there.
    pub(super) fn flow(&self, parent: Id, level: Level, out: &mut Blocks) {
        let (dom, style) = (self.lines.dom, self.lines.style);
        for child in dom.children(parent) {
            let role = dom.role(child);
            if level.depth >= DEPTH_MAX {
                self.lines.node(child, level.depth, Within::default(), &mut out.line);
                continue;
            }
            let split = matches!(role, Role::Strong | Role::Emphasis | Role::Struck) && self.lines.holds_blocks(child);
            match role {
                Role::Transparent if dom.text(child).is_none() => self.flow(child, level.deeper(), out),
                _ if split => self.flow(child, level.deeper(), out),
                role if role.is_block() => {
                    out.end_line(style);
                    self.block(child, role, level, out);
                    out.end_line(style);
                }
                _ => self.lines.node(child, level.depth, Within::default(), &mut out.line),
            }
        }
    }

    fn block(&self, id: Id, role: Role, level: Level, out: &mut Blocks) {
        let markdown = self.lines.style == Style::Markdown;
        match role {
            Role::Heading(rank) => {
                let text = self.lines.paragraph(id, level.depth).replace("  \n", " ").replace('\n', " ");
                let mark = if markdown { "#".repeat(rank) + " " } else { String::new() };
                out.push(if text.is_empty() { text } else { mark + &text });
            }
            Role::Term => {
                let text = self.lines.paragraph(id, level.depth);
                out.push(if markdown && !text.is_empty() && !text.contains('*') {
                    format!("**{text}**")
                } else {
                    text
                });
            }
            Role::List { ordered } => self.list(id, ordered, level, out),
            Role::Quote => self.quote(id, level, out),
            Role::Preformatted => self.preformatted(id, out),
            Role::Table => tables::table(self, id, level, out),
            Role::Rule if markdown => out.push("---".to_owned()),
            _ => self.flow(id, level.deeper(), out),
        }
    }

    /// Everything in `parent`, on its own.
    fn inside(&self, parent: Id, level: Level) -> Vec<Block> {
        let mut inner = Blocks::default();
        self.flow(parent, level, &mut inner);
        inner.finish(self.lines.style)
    }

    fn list(&self, id: Id, ordered: bool, level: Level, out: &mut Blocks) {
        if level.nest >= NEST_MAX {
            return self.flow(id, level.deeper(), out);
        }
        let dom = self.lines.dom;
        let start = dom.attribute(id, "start").and_then(|start| start.trim().parse::<u32>().ok());
        let mut number = start.unwrap_or(1);
        let mut items = Vec::new();
        for child in dom.children(id).filter(|&child| !dom.name(child).is_empty() && dom.role(child) != Role::Skipped) {
            // A list right in a list, as many pages have it, belongs to the item before.
            let nested = matches!(dom.role(child), Role::List { .. });
            let blocks = if nested {
                let mut inner = Blocks::default();
                self.list(child, dom.name(child) == "ol", level.nested(), &mut inner);
                inner.done
            } else {
                self.inside(child, level.nested())
            };
            if blocks.is_empty() {
                continue;
            }
            let marker = if ordered { format!("{number}. ") } else { "- ".to_owned() };
            let indent = " ".repeat(marker.len());
            let text = indented(&item(&blocks), &indent);
            if nested {
                items.push(format!("{indent}{text}"));
            } else {
                items.push(format!("{marker}{text}"));
                number = number.saturating_add(1);
            }
        }
        if !items.is_empty() {
            out.done.push(Block { text: items.join("\n"), list: true });
        }
    }

    fn quote(&self, id: Id, level: Level, out: &mut Blocks) {
        if level.nest >= NEST_MAX || self.lines.style == Style::Plain {
            return self.flow(id, level.deeper(), out);
        }
        let text = join(&self.inside(id, level.nested()));
        if text.is_empty() {
            return;
        }
        let quoted = text.split('\n').map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") });
        out.push(quoted.collect::<Vec<_>>().join("\n"));
    }

    fn preformatted(&self, id: Id, out: &mut Blocks) {
        let dom = self.lines.dom;
        let text = dom.text_below(id).replace("\r\n", "\n");
        let text = text.trim_end().trim_start_matches('\n');
        if text.is_empty() {
            return;
        }
        if self.lines.style == Style::Plain {
            return out.push(text.to_owned());
        }
        let fence = "`".repeat((longest_run(text) + 1).clamp(3, FENCE_MAX));
        let language = std::iter::once(id).chain(dom.children(id)).find_map(|id| language(dom.attribute(id, "class")?));
        out.push(format!("{fence}{}\n{text}\n{fence}", language.unwrap_or_default()));
    }
}

/// The blocks of one item of a list.
fn item(blocks: &[Block]) -> String {
    let mut text = String::new();
    for (number, block) in blocks.iter().enumerate() {
        if number > 0 {
            text.push_str(if block.list { "\n" } else { "\n\n" });
        }
        text.push_str(&block.text);
    }
    text
}

/// The text with every line but the first pushed in.
fn indented(text: &str, indent: &str) -> String {
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(indent);
            out.push_str(line);
        }
    }
    out
}

/// The language of code, as highlighters write it into the class.
fn language(class: &str) -> Option<&str> {
    let found = class.split_ascii_whitespace().find_map(|class| {
        let prefixes = ["language-", "lang-", "highlight-source-", "brush:"];
        prefixes.iter().find_map(|prefix| class.strip_prefix(prefix))
    })?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '#' | '_' | '.');
    (found.len() <= 32 && found.chars().all(plain)).then_some(found)
}
