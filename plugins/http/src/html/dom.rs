//! The tree of a page, in one list of nodes.

use html5ever::{Attribute, QualName, ns};

use super::role::{self, Role};

/// The place of a node in the list.
pub(super) type Id = usize;

/// The document itself.
pub(super) const ROOT: Id = 0;

/// A node and its neighbours.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) parent: Option<Id>,
    pub(super) previous: Option<Id>,
    pub(super) next: Option<Id>,
    pub(super) first: Option<Id>,
    pub(super) last: Option<Id>,
    /// How deep it was when it was hung in.
    depth: u32,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    /// The document, or the content of a template.
    Document,
    Element {
        name: QualName,
        attributes: Vec<Attribute>,
        template: Option<Id>,
    },
    Text(String),
    /// A comment and the like.
    Other,
}

/// The tree.
#[derive(Debug)]
pub(super) struct Dom {
    nodes: Vec<Node>,
    /// How deep the node was that was hung in last.
    last_depth: u32,
}

impl Dom {
    /// A tree with the document alone.
    pub(super) fn new() -> Self {
        let mut dom = Self { nodes: Vec::new(), last_depth: 0 };
        dom.add(Kind::Document);
        dom
    }

    /// A new node, nowhere yet.
    pub(super) fn add(&mut self, kind: Kind) -> Id {
        self.nodes.push(Node { parent: None, previous: None, next: None, first: None, last: None, depth: 0, kind });
        self.nodes.len() - 1
    }

    /// How many nodes there are, hung in or not.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The parser came to `id` once more.
    pub(super) fn saw(&mut self, id: Id) {
        self.last_depth = self.nodes[id].depth;
    }

    /// How deep the parser is, as far as the tree tells.
    pub(super) const fn depth_of_last(&self) -> u32 {
        self.last_depth
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id]
    }

    /// Hangs a node in as the last child.
    pub(super) fn append(&mut self, parent: Id, child: Id) {
        self.detach(child);
        self.place(child, parent);
        let last = self.nodes[parent].last.replace(child);
        self.nodes[child].parent = Some(parent);
        self.nodes[child].previous = last;
        match last {
            Some(last) => self.nodes[last].next = Some(child),
            None => self.nodes[parent].first = Some(child),
        }
    }

    /// Hangs a node in before another.
    pub(super) fn insert_before(&mut self, sibling: Id, child: Id) {
        self.detach(child);
        let Some(parent) = self.nodes[sibling].parent else {
            return;
        };
        self.place(child, parent);
        let previous = self.nodes[sibling].previous.replace(child);
        let node = &mut self.nodes[child];
        (node.parent, node.previous, node.next) = (Some(parent), previous, Some(sibling));
        match previous {
            Some(previous) => self.nodes[previous].next = Some(child),
            None => self.nodes[parent].first = Some(child),
        }
    }

    fn place(&mut self, child: Id, parent: Id) {
        let depth = self.nodes[parent].depth.saturating_add(1);
        self.nodes[child].depth = depth;
        self.last_depth = depth;
    }

    /// Takes a node, with all that hangs on it, out of the tree.
    pub(super) fn detach(&mut self, id: Id) {
        let node = &mut self.nodes[id];
        let (parent, previous, next) = (node.parent.take(), node.previous.take(), node.next.take());
        match (previous, parent) {
            (Some(previous), _) => self.nodes[previous].next = next,
            (None, Some(parent)) => self.nodes[parent].first = next,
            (None, None) => {}
        }
        match (next, parent) {
            (Some(next), _) => self.nodes[next].previous = previous,
            (None, Some(parent)) => self.nodes[parent].last = previous,
            (None, None) => {}
        }
    }

    /// The children, in order.
    pub(super) fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.nodes[id].first, |&child| self.nodes[child].next)
    }

    /// All nodes below, in the order of the page, without what is not shown. Does not recurse.
    pub(super) fn shown_below(&self, top: Id) -> impl Iterator<Item = Id> {
        let mut next = self.nodes[top].first;
        std::iter::from_fn(move || {
            loop {
                let id = next?;
                let hidden = self.role(id) == Role::Skipped;
                let down = if hidden { None } else { self.nodes[id].first };
                next = down.or_else(|| self.behind(id, top));
                if !hidden {
                    return Some(id);
                }
            }
        })
    }

    /// The next node that does not hang on `id`, below `top`.
    fn behind(&self, mut id: Id, top: Id) -> Option<Id> {
        loop {
            if let Some(next) = self.nodes[id].next {
                return Some(next);
            }
            id = self.nodes[id].parent.filter(|&parent| parent != top)?;
        }
    }

    /// The name of an element; empty for everything else.
    pub(super) fn name(&self, id: Id) -> &str {
        match &self.nodes[id].kind {
            Kind::Element { name, .. } if name.ns == ns!(html) => &name.local,
            // A drawing or a formula: its parts have names of their own.
            Kind::Element { name, .. } if &*name.local == "svg" => "svg",
            _ => "",
        }
    }

    /// How an element is rendered.
    pub(super) fn role(&self, id: Id) -> Role {
        match &self.nodes[id].kind {
            Kind::Element { .. } if self.is_hidden(id) => Role::Skipped,
            Kind::Element { .. } => role::of(self.name(id)),
            Kind::Text(_) | Kind::Document => Role::Transparent,
            Kind::Other => Role::Skipped,
        }
    }

    /// An attribute, where it is there.
    pub(super) fn attribute(&self, id: Id, key: &str) -> Option<&str> {
        let Kind::Element { attributes, .. } = &self.nodes[id].kind else {
            return None;
        };
        let found = attributes.iter().find(|attribute| &*attribute.name.local == key)?;
        Some(&found.value)
    }

    /// The text of a text node.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match &self.nodes[id].kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All text below, as it stands in the page; `<br>` is a line end.
    pub(super) fn text_below(&self, id: Id) -> String {
        let mut all = String::new();
        for node in self.shown_below(id) {
            match self.text(node) {
                Some(text) => all.push_str(text),
                None if self.name(node) == "br" => all.push('\n'),
                None => {}
            }
        }
        all
    }

    fn is_hidden(&self, id: Id) -> bool {
        let is = |key: &str, value: &str| self.attribute(id, key).is_some_and(|it| it.eq_ignore_ascii_case(value));
        let unseen = |style: &str| {
            let style: String = style.split_ascii_whitespace().collect();
            style.to_ascii_lowercase().contains("display:none")
        };
        self.attribute(id, "hidden").is_some()
            || is("aria-hidden", "true")
            || self.attribute(id, "style").is_some_and(unseen)
    }
}
