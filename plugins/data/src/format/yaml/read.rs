//! From the events of the parser to a value.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use jaq_json::{Map, Val};

use super::scalar::resolve;
use crate::limits::{MAX_DEPTH, MAX_NODES};
use crate::value::{as_text, text};

/// The value of a text; an array of their values where it has several documents.
pub(crate) fn read(source: &str) -> Result<Val, String> {
    let mut builder = Builder::default();
    for next in Parser::new_from_str(source) {
        let (event, span) = next.map_err(|error| {
            let (line, column) = (error.marker().line(), error.marker().col() + 1);
            format!("{} at line {line} column {column}", error.info())
        })?;
        builder.take(event).map_err(|reason| at(&reason, &span))?;
    }
    let mut documents = builder.documents;
    match documents.len() {
        0 => Ok(Val::Null),
        1 => Ok(documents.remove(0)),
        _ => Ok(documents.into_iter().collect()),
    }
}

fn at(reason: &str, span: &Span) -> String {
    format!("{reason} at line {} column {}", span.start.line(), span.start.col() + 1)
}

/// A value, the levels in it, and the values that it stands for with all aliases written out.
#[derive(Clone, Debug)]
struct Node {
    value: Val,
    depth: usize,
    nodes: usize,
}

/// A collection that has begun.
#[derive(Debug)]
struct Open {
    content: Content,
    anchor: usize,
    depth: usize,
    nodes: usize,
}

#[derive(Debug)]
enum Content {
    Items(Vec<Val>),
    Members {
        members: Map,
        /// The key whose value comes next.
        key: Option<Key>,
        /// What `<<` brings in: it yields to the keys that are written out.
        merged: Vec<Val>,
    },
}

#[derive(Debug)]
enum Key {
    Name(String),
    Merge,
}

#[derive(Debug, Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Val>,
    documents: Vec<Val>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::DocumentEnd => self.documents.push(self.root.take().unwrap_or_default()),
            Event::Scalar(scalar, style, anchor, tag) => {
                let value = value_of(&scalar, style, tag.as_deref());
                self.anchor(anchor, &Node { value: value.clone(), depth: 0, nodes: 1 });
                if self.wants_key() {
                    let merge = &*scalar == "<<" && style == ScalarStyle::Plain;
                    return self.key(if merge { Key::Merge } else { Key::Name(scalar.into_owned()) });
                }
                return self.add(Node { value, depth: 0, nodes: 1 });
            }
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    return Err("an alias stands inside of what it refers to".to_owned());
                };
                if self.wants_key() {
                    let name = as_text(&node.value).ok_or("only a text can be a key")?;
                    return self.key(Key::Name(name.into_owned()));
                }
                return self.add(node);
            }
            Event::SequenceStart(_, anchor, _) => return self.begin(Content::Items(Vec::new()), anchor),
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Members { members: Map::default(), key: None, merged: Vec::new() };
                return self.begin(content, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            _ => {}
        }
        Ok(())
    }

    fn anchor(&mut self, anchor: usize, node: &Node) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Members { key: None, .. }, .. }))
    }

    fn key(&mut self, name: Key) -> Result<(), String> {
        if let Some(Open { content: Content::Members { members, key, .. }, .. }) = self.open.last_mut() {
            if let Key::Name(name) = &name
                && members.contains_key(&text(name))
            {
                return Err(format!("the key `{}` occurs twice", name.escape_debug()));
            }
            *key = Some(name);
        }
        Ok(())
    }

    fn begin(&mut self, content: Content, anchor: usize) -> Result<(), String> {
        if self.wants_key() {
            return Err("a key is an array or an object, and only a text can be a key".to_owned());
        }
        self.open.push(Open { content, anchor, depth: 0, nodes: 1 });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(Open { content, anchor, depth, nodes }) = self.open.pop() else {
            return Ok(());
        };
        let value = match content {
            Content::Items(items) => items.into_iter().collect(),
            Content::Members { members, merged, .. } => Val::obj(merge(members, merged)?),
        };
        let node = Node { value, depth: depth + 1, nodes };
        self.anchor(anchor, &node);
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), String> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node.value);
            return Ok(());
        };
        parent.depth = parent.depth.max(node.depth);
        parent.nodes = parent.nodes.saturating_add(node.nodes);
        if parent.depth >= MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels of arrays and objects"));
        }
        if parent.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} values, with all aliases written out,"));
        }
        match &mut parent.content {
            Content::Items(items) => items.push(node.value),
            Content::Members { members, key, merged } => match key.take() {
                Some(Key::Name(name)) => {
                    members.insert(text(name), node.value);
                }
                Some(Key::Merge) => merged.push(node.value),
                None => {}
            },
        }
        Ok(())
    }
}

/// Adds the members of `<<`, an object or an array of objects, of which the first has the say.
fn merge(mut members: Map, merged: Vec<Val>) -> Result<Map, String> {
    for value in merged {
        let sources = match value {
            Val::Arr(items) => items.to_vec(),
            other => vec![other],
        };
        for source in sources {
            let Val::Obj(source) = source else {
                return Err("`<<` takes an object or an array of objects".to_owned());
            };
            for (key, member) in source.iter() {
                members.entry(key.clone()).or_insert_with(|| member.clone());
            }
        }
    }
    Ok(members)
}

/// Tags of the core schema count, others do not; what is quoted is text.
fn value_of(scalar: &str, style: ScalarStyle, tag: Option<&Tag>) -> Val {
    match tag.and_then(Tag::core_suffix) {
        Some("str") => text(scalar),
        Some("int" | "bool" | "null") => resolve(scalar),
        Some("float") => match resolve(scalar) {
            Val::Num(number) => match crate::value::Number::of(&number) {
                crate::value::Number::Float(float) => Val::from(float),
                crate::value::Number::Integer(integer) => {
                    integer.to_string().parse().map_or_else(|_| text(scalar), |float: f64| Val::from(float))
                }
            },
            other => other,
        },
        _ if style == ScalarStyle::Plain => resolve(scalar),
        _ => text(scalar),
    }
}
