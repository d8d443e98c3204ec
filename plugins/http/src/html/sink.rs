//! What the parser builds becomes a [`Dom`].

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName, Namespace, QualName, TokenizerResult};

use super::dom::{Dom, Id, Kind, ROOT};

/// How deep elements nest. For every tag the parser looks at all elements that are open, so that a page of nothing but
/// opening tags would take time by the square of its length. Below this depth only text counts.
const DEPTH_MAX: u32 = 200;
/// How many nodes a page has. Misnested tags are repeated by the parser again and again; the page is read this far.
const NODES_MAX: usize = 500_000;

/// Parses a page.
pub(super) fn parse(html: &str) -> Dom {
    let sink = Sink { dom: RefCell::new(Dom::new()) };
    // Scripts do not run here, so what pages show without them counts.
    let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let tokenizer = Tokenizer::new(Bounded { builder: TreeBuilder::new(sink, options) }, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    // The parser stops after each script, and once more where the page says its character set.
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.builder.sink.finish()
}

/// Lets through what a reader could want to see.
struct Bounded {
    builder: TreeBuilder<Id, Sink>,
}

impl TokenSink for Bounded {
    type Handle = Id;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Id> {
        let (depth, nodes) = {
            let dom = self.builder.sink.dom.borrow();
            (dom.depth_of_last(), dom.len())
        };
        let too_deep = depth >= DEPTH_MAX && matches!(&token, Token::TagToken(tag) if opens(tag));
        let too_many = nodes >= NODES_MAX && !matches!(token, Token::EOFToken);
        if too_deep || too_many { TokenSinkResult::Continue } else { self.builder.process_token(token, line) }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Whether other elements can be in what the tag opens. What is in the others is read in a way of its own.
fn opens(tag: &Tag) -> bool {
    let closed = ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "br", "hr", "img"];
    tag.kind == TagKind::StartTag && !closed.contains(&&*tag.name)
}

struct Sink {
    dom: RefCell<Dom>,
}

impl Sink {
    fn add(&self, kind: Kind) -> Id {
        self.dom.borrow_mut().add(kind)
    }
}

/// The name of an element, on its own: the tree may change while the parser holds it.
#[derive(Debug)]
struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl TreeSink for Sink {
    type Handle = Id;
    type Output = Dom;
    type ElemName<'a> = Name;

    fn finish(self) -> Dom {
        self.dom.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        ROOT
    }

    fn elem_name(&self, target: &Id) -> Name {
        match &self.dom.borrow().node(*target).kind {
            Kind::Element { name, .. } => Name(name.clone()),
            _ => Name(QualName::new(None, Namespace::default(), LocalName::default())),
        }
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Id {
        let template = flags.template.then(|| self.add(Kind::Document));
        self.add(Kind::Element { name, attributes, template })
    }

    fn create_comment(&self, _: StrTendril) -> Id {
        self.add(Kind::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Id {
        self.add(Kind::Other)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        let mut dom = self.dom.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => dom.append(*parent, child),
            NodeOrText::AppendText(text) => {
                let last = dom.node(*parent).last;
                if !extended(&mut dom, last, &text) {
                    let child = dom.add(Kind::Text(text.to_string()));
                    dom.append(*parent, child);
                }
            }
        }
    }

    fn append_based_on_parent_node(&self, element: &Id, previous: &Id, child: NodeOrText<Id>) {
        let has_parent = self.dom.borrow().node(*element).parent.is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Id) -> Id {
        match &self.dom.borrow().node(*target).kind {
            Kind::Element { template: Some(content), .. } => *content,
            _ => *target,
        }
    }

    fn same_node(&self, one: &Id, other: &Id) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        let mut dom = self.dom.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => dom.insert_before(*sibling, child),
            NodeOrText::AppendText(text) => {
                let previous = dom.node(*sibling).previous;
                if !extended(&mut dom, previous, &text) {
                    let child = dom.add(Kind::Text(text.to_string()));
                    dom.insert_before(*sibling, child);
                }
            }
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, new: Vec<Attribute>) {
        if let Kind::Element { attributes, .. } = &mut self.dom.borrow_mut().node_mut(*target).kind {
            for attribute in new {
                if attributes.iter().all(|known| known.name != attribute.name) {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        self.dom.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &Id, new_parent: &Id) {
        let mut dom = self.dom.borrow_mut();
        while let Some(child) = dom.node(*node).first {
            dom.append(*new_parent, child);
        }
    }
}

/// Writes text behind the text that is there, so that one run of text is one node.
fn extended(dom: &mut Dom, id: Option<Id>, text: &str) -> bool {
    let Some(id) = id else {
        return false;
    };
    dom.saw(id);
    match &mut dom.node_mut(id).kind {
        Kind::Text(known) => {
            known.push_str(text);
            true
        }
        _ => false,
    }
}
