//! From the events of the parser to values, without recursion.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use jaq_json::{Map, Num, Val};
use toolcrib_sdk::ToolError;

use super::scalar;
use crate::json;
use crate::limits::check_depth;

/// The key that merges other mappings into its own.
const MERGE: &str = "<<";

/// Reads the documents of a text.
pub(crate) fn read(text: &str) -> Result<Vec<Val>, ToolError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(&error))?;
        builder.take(event, &span.start)?;
    }
    Ok(builder.documents)
}

/// A value and how deep it goes: aliases make a deep one of shallow ones.
#[derive(Clone)]
struct Node {
    value: Val,
    height: usize,
}

/// A collection that is not yet complete.
enum Open {
    List { items: Vec<Val>, height: usize, anchor: usize },
    Map { members: Map, merged: Vec<Val>, key: Option<Key>, height: usize, anchor: usize },
}

/// A key that waits for its value.
struct Key {
    name: String,
    merges: bool,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Val>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: &Marker) -> Result<(), ToolError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag, at),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.add(node, false, at),
                None => Err(refused(at, "an alias stands inside what it names")),
            },
            Event::SequenceStart(_, anchor, _) => {
                check_depth(self.open.len() + 1)?;
                self.open.push(Open::List { items: Vec::new(), height: 0, anchor });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                check_depth(self.open.len() + 1)?;
                let (members, merged) = (Map::default(), Vec::new());
                self.open.push(Open::Map { members, merged, key: None, height: 0, anchor });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        at: &Marker,
    ) -> Result<(), ToolError> {
        let plain = matches!(style, ScalarStyle::Plain);
        let merges = plain && text == MERGE;
        let value = match tag.as_deref().and_then(Tag::core_suffix) {
            Some(kind) => tagged(text, kind).ok_or_else(|| refused(at, &format!("the scalar is no `!!{kind}`")))?,
            None if plain && tag.is_none() => scalar::resolve(text),
            None => Val::from(text.to_owned()),
        };
        let node = Node { value, height: 0 };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node, merges, at)
    }

    /// Puts a complete value where it belongs: into the innermost open collection.
    fn add(&mut self, node: Node, merges: bool, at: &Marker) -> Result<(), ToolError> {
        check_depth(self.open.len() + node.height)?;
        match self.open.last_mut() {
            None => self.documents.push(node.value),
            Some(Open::List { items, height, .. }) => {
                *height = (*height).max(node.height + 1);
                items.push(node.value);
            }
            Some(Open::Map { members, merged, key, height, .. }) => match key.take() {
                None => *key = Some(key_of(&node.value, merges, at)?),
                Some(waiting) => {
                    *height = (*height).max(node.height + 1);
                    if waiting.merges {
                        merged.push(node.value);
                    } else if members.insert(Val::from(waiting.name.clone()), node.value).is_some() {
                        let shown: String = waiting.name.chars().take(60).collect();
                        return Err(refused(at, &format!("the key `{shown}` is there twice")));
                    }
                }
            },
        }
        Ok(())
    }

    fn close(&mut self, at: &Marker) -> Result<(), ToolError> {
        let (value, height, anchor) = match self.open.pop() {
            Some(Open::List { items, height, anchor }) => (Val::from_iter(items), height, anchor),
            Some(Open::Map { mut members, merged, height, anchor, .. }) => {
                for source in &merged {
                    merge(&mut members, source, at)?;
                }
                (Val::obj(members), height, anchor)
            }
            None => return Err(refused(at, "a collection ends that never began")),
        };
        let node = Node { value, height };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node, false, at)
    }
}

/// Adds what the mapping does not say itself.
fn merge(members: &mut Map, source: &Val, at: &Marker) -> Result<(), ToolError> {
    match source {
        Val::Obj(others) => {
            for (key, value) in others.iter() {
                members.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Ok(())
        }
        Val::Arr(sources) => sources.iter().try_for_each(|source| match source {
            Val::Obj(_) => merge(members, source, at),
            _ => Err(refused(at, "`<<` takes mappings")),
        }),
        _ => Err(refused(at, "`<<` takes a mapping")),
    }
}

/// JSON has keys of text only.
fn key_of(value: &Val, merges: bool, at: &Marker) -> Result<Key, ToolError> {
    match value {
        Val::Arr(_) | Val::Obj(_) => Err(refused(at, "a key is a list or a mapping, which JSON does not have")),
        scalar => Ok(Key { name: json::text_of(scalar)?, merges }),
    }
}

/// A scalar with a tag of the core schema, if it fits.
fn tagged(text: &str, kind: &str) -> Option<Val> {
    let resolved = scalar::resolve(text);
    let number = || match &resolved {
        Val::Num(number) => Some(number.clone()),
        _ => None,
    };
    match kind {
        "null" => matches!(resolved, Val::Null).then_some(Val::Null),
        "bool" => matches!(resolved, Val::Bool(_)).then_some(resolved),
        "int" => number().filter(|number| matches!(number, Num::Int(_) | Num::BigInt(_))).map(Val::Num),
        "float" => number().map(Val::Num),
        _ => Some(Val::from(text.to_owned())),
    }
}

fn refused(at: &Marker, why: &str) -> ToolError {
    let (line, column) = (at.line(), at.col() + 1);
    ToolError::invalid_arguments(format!("not usable YAML: {why} at line {line} column {column}"))
}

fn not_yaml(error: &ScanError) -> ToolError {
    let at = error.marker();
    let (line, column) = (at.line(), at.col() + 1);
    ToolError::invalid_arguments(format!("not YAML: {} at line {line} column {column}", error.info()))
}
