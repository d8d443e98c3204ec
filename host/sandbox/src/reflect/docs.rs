//! Documentation from a component's `package-docs` sections.
//!
//! The section is how WIT comments travel in a binary: one version byte, then JSON (as `wit-parser` defines it). It
//! may stand in the component itself or in components inside it. Nothing depends on it: a section that is broken,
//! too large or unknown gives no documentation and no error.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use wasmparser::{Chunk, Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::types::{self, ComponentItem, Type};

use super::limits::{DOCS_BYTES, DOCS_COMPONENTS, DOCS_SECTIONS, EXPORTS, MEMBERS};
use super::names::{ExportPath, Interface};
use super::shape::Shape;

const SECTION: &str = "package-docs";

/// The versions of the section that are understood: 0 writes functions as plain strings, 1 as objects.
const VERSIONS: [u8; 2] = [0, 1];

/// What the sections of one component say. Where several speak of the same item, the first one counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Docs {
    packages: Vec<Package>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Package {
    worlds: BTreeMap<String, World>,
    interfaces: BTreeMap<String, InterfaceDocs>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct World {
    interfaces: BTreeMap<String, InterfaceDocs>,
    interface_exports: BTreeMap<String, InterfaceDocs>,
    funcs: BTreeMap<String, FunctionDocs>,
    func_exports: BTreeMap<String, FunctionDocs>,
    types: BTreeMap<String, TypeDocs>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct InterfaceDocs {
    funcs: BTreeMap<String, FunctionDocs>,
    types: BTreeMap<String, TypeDocs>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum FunctionDocs {
    Text(Option<String>),
    Item {
        #[serde(default)]
        docs: Option<String>,
    },
}

/// The comments of one type and of its fields, cases or flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TypeDocs {
    pub(super) docs: Option<String>,
    pub(super) items: BTreeMap<String, String>,
}

impl Docs {
    /// Reads the documentation inside a component's bytes. Skips the code: the cost is that of a few sections.
    pub(crate) fn read(component: &[u8]) -> Docs {
        let mut packages = Vec::new();
        let mut left = DOCS_BYTES;
        for section in sections(component) {
            if section.len() > left || packages.len() == DOCS_SECTIONS {
                break;
            }
            left -= section.len();
            if let Some((version, json)) = section.split_first()
                && VERSIONS.contains(version)
                && let Ok(package) = serde_json::from_slice(json)
            {
                packages.push(package);
            }
        }
        Docs { packages }
    }

    fn worlds(&self) -> impl Iterator<Item = &World> {
        self.packages.iter().flat_map(|package| package.worlds.values())
    }

    fn interfaces(&self, full: &str) -> impl Iterator<Item = &InterfaceDocs> {
        let name = Interface::parse(full).name.to_owned();
        let inline = self.worlds().flat_map({
            let name = name.clone();
            move |world| [world.interface_exports.get(&name), world.interfaces.get(&name)]
        });
        let named = self.packages.iter().map(move |package| package.interfaces.get(&name));
        named.chain(inline).flatten()
    }

    /// The comment of an exported function.
    pub(crate) fn function(&self, path: &ExportPath) -> Option<&str> {
        let name = path.function.as_str();
        let found = match &path.interface {
            Some(interface) => self.interfaces(interface).find_map(|docs| docs.funcs.get(name)?.text()),
            None => self.worlds().find_map(|world| {
                let export = world.func_exports.get(name).and_then(FunctionDocs::text);
                export.or_else(|| world.funcs.get(name)?.text())
            }),
        };
        found.map(str::trim).filter(|text| !text.is_empty())
    }

    /// The comments of a type, by the interface that exports it. A type that an interface takes over from another
    /// one with `use` has its comments there.
    fn ty(&self, interface: Option<&str>, name: &str) -> Option<&TypeDocs> {
        let here = match interface {
            Some(interface) => self.interfaces(interface).find_map(|docs| docs.types.get(name)),
            None => self.worlds().find_map(|world| world.types.get(name)),
        };
        let anywhere = || {
            let mut all = self.packages.iter().flat_map(|package| package.interfaces.values());
            all.find_map(|docs| docs.types.get(name))
        };
        here.filter(|docs| !docs.is_empty()).or_else(anywhere)
    }
}

impl FunctionDocs {
    fn text(&self) -> Option<&str> {
        match self {
            FunctionDocs::Text(docs) | FunctionDocs::Item { docs } => docs.as_deref(),
        }
    }
}

impl TypeDocs {
    fn is_empty(&self) -> bool {
        self.docs.is_none() && self.items.is_empty()
    }
}

/// Comments of types, found by what a type looks like: its kind and the names of its members.
///
/// A signature does not say by which name it uses a type. Two types that look the same and are commented differently
/// have no comments.
#[derive(Debug, Default)]
pub(super) struct TypeIndex<'d> {
    by_look: HashMap<String, Option<&'d TypeDocs>>,
}

impl<'d> TypeIndex<'d> {
    pub(super) fn new(engine: &Engine, component: &types::Component, docs: &'d Docs) -> Self {
        let mut index = TypeIndex::default();
        if docs.packages.is_empty() {
            return index;
        }
        let mut left = EXPORTS * 2;
        for (name, item) in component.exports(engine).chain(component.imports(engine)) {
            match item.ty {
                ComponentItem::Type(ty) => index.add(docs, None, name, &ty),
                ComponentItem::ComponentInstance(instance) => {
                    for (inner, item) in instance.exports(engine).take(left) {
                        left -= 1;
                        if let ComponentItem::Type(ty) = item.ty {
                            index.add(docs, Some(name), inner, &ty);
                        }
                    }
                }
                _ => {}
            }
            left = left.saturating_sub(1);
            if left == 0 {
                break;
            }
        }
        index
    }

    fn add(&mut self, docs: &'d Docs, interface: Option<&str>, name: &str, ty: &Type) {
        let (Some(look), Some(docs)) = (look_of_type(ty), docs.ty(interface, name)) else {
            return;
        };
        let entry = self.by_look.entry(look).or_insert(Some(docs));
        if entry.is_some_and(|known| known != docs) {
            *entry = None;
        }
    }

    /// The comments of a type.
    pub(super) fn get(&self, shape: &Shape) -> Option<&'d TypeDocs> {
        if self.by_look.is_empty() {
            return None;
        }
        let look = match shape {
            Shape::Record(fields) => look("record", fields.iter().map(|field| &*field.name)),
            Shape::Variant(cases) => look("variant", cases.iter().map(|case| &*case.name)),
            Shape::Enum(names) => look("enum", names.iter().map(|name| &**name)),
            Shape::Flags(names) => look("flags", names.iter().map(|name| &**name)),
            _ => return None,
        };
        self.by_look.get(&look).copied().flatten()
    }
}

fn look_of_type(ty: &Type) -> Option<String> {
    Some(match ty {
        Type::Record(record) => look("record", record.fields().take(MEMBERS).map(|field| field.name)),
        Type::Variant(variant) => look("variant", variant.cases().take(MEMBERS).map(|case| case.name)),
        Type::Enum(names) => look("enum", names.names().take(MEMBERS)),
        Type::Flags(names) => look("flags", names.names().take(MEMBERS)),
        _ => return None,
    })
}

fn look<'n>(kind: &str, names: impl Iterator<Item = &'n str>) -> String {
    names.fold(kind.to_owned(), |look, name| look + "\n" + name)
}

/// The contents of the documentation sections in a component and in the components inside it, outermost first as far
/// as the bytes go. Core modules are stepped over unread.
fn sections(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let (mut parser, mut outer, mut at, mut components) = (Parser::new(0), Vec::new(), 0usize, 0usize);
    while let Some(rest) = bytes.get(at..) {
        let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(rest, true) else {
            break;
        };
        at += consumed;
        match payload {
            Payload::CustomSection(section) if section.name() == SECTION => {
                found.push(section.data());
            }
            Payload::ModuleSection { unchecked_range, .. } => at = unchecked_range.end.max(at),
            Payload::ComponentSection { parser: inner, .. } => {
                components += 1;
                if components > DOCS_COMPONENTS {
                    break;
                }
                outer.push(std::mem::replace(&mut parser, inner));
            }
            Payload::End(_) => match outer.pop() {
                Some(next) => parser = next,
                None => break,
            },
            _ => {}
        }
    }
    found
}
