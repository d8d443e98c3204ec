//! Where things stand in the text of a flow: what serde makes of it has forgotten.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::StepName;
use crate::plan::PlanFault;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The places of all that a text holds, by path, and the paths of what has a name.
#[derive(Default)]
pub(super) struct Places {
    by_path: BTreeMap<String, Place>,
    by_name: BTreeMap<String, String>,
    /// Calls without a name: it is made of the tool's.
    unnamed: Vec<(String, String)>,
}

impl Places {
    /// Those of a text that was read before: of one that is no YAML there are none.
    pub(super) fn of(text: &str) -> Self {
        let mut places = Self::default();
        if let Ok(tree) = serde_saphyr::from_str::<Spanned<Tree>>(text) {
            places.note("", &tree);
        }
        places
    }

    fn note(&mut self, path: &str, tree: &Spanned<Tree>) {
        let place = Place { line: tree.referenced.line(), column: tree.referenced.column() };
        self.by_path.insert(path.to_owned(), place);
        match &tree.value {
            Tree::Map(entries) => {
                let text = |key: &str| {
                    entries.iter().find_map(|(name, tree)| match &tree.value {
                        Tree::Text(text) if name == key => Some(text.clone()),
                        _ => None,
                    })
                };
                match (text("step"), text("tool")) {
                    (Some(name), _) => drop(self.by_name.entry(name).or_insert_with(|| path.to_owned())),
                    (None, Some(tool)) => self.unnamed.push((tool, path.to_owned())),
                    (None, None) => {}
                }
                for (key, below) in entries {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.note(&path, below);
                }
            }
            Tree::List(items) => {
                items.iter().enumerate().for_each(|(at, item)| self.note(&format!("{path}[{at}]"), item));
            }
            Tree::Text(_) | Tree::Other => {}
        }
    }

    /// The place of a path, or of what it is inside of.
    pub(super) fn at(&self, path: &str) -> Option<Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.by_path.get(path) {
                return Some(*place);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// A fault of a plan with the place of what has it.
    pub(super) fn told(&self, name: Option<&StepName>, fault: &PlanFault) -> String {
        let by_name = name.and_then(|name| self.by_name.get(name.as_str()));
        let tool = match fault {
            PlanFault::NoTool { tool }
            | PlanFault::Arguments { tool, .. }
            | PlanFault::Reference { tool, .. }
            | PlanFault::Expectation { tool, .. } => Some(tool),
            _ => None,
        };
        let by_tool = || Some(&self.unnamed.iter().find(|(called, _)| Some(called) == tool)?.1);
        match by_name.or_else(by_tool).and_then(|path| Some((path, self.at(path)?))) {
            Some((path, place)) => format!("{path}: {fault} ({place})"),
            None => fault.to_string(),
        }
    }
}

/// What a text holds, as far as its places matter.
enum Tree {
    Map(Vec<(String, Spanned<Tree>)>),
    List(Vec<Spanned<Tree>>),
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Tree, D::Error> {
        IgnoredAny::deserialize(inner).map(|_| Tree::Other)
    }
}
