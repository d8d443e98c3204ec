//! Names of tools, made from names of exports: short where that is clear, longer where two would be the same.

use std::collections::HashMap;
use std::fmt;

use wasmtime::component::{Component, ComponentExportIndex};

/// The longest name of a tool. Models and MCP clients refuse longer ones.
const TOOL_NAME_BYTES: usize = 64;

/// Where a function is among a component's exports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExportPath {
    /// The exported interface, such as `example:calc/ops@1.0.0`, or nothing for a function of the world itself.
    pub(crate) interface: Option<String>,
    /// The function, such as `add`.
    pub(crate) function: String,
}

impl ExportPath {
    /// The export's index in a component, for quick look-ups in its instances.
    pub(crate) fn index(&self, component: &Component) -> Option<ComponentExportIndex> {
        let interface = match &self.interface {
            Some(interface) => Some(component.get_export_index(None, interface)?),
            None => None,
        };
        component.get_export_index(interface.as_ref(), &self.function)
    }

    /// Whether this is the entry of a command: `run` of any `wasi:cli/run`.
    pub(super) fn is_command(&self) -> bool {
        let interface = self.interface.as_deref().map(Interface::parse);
        interface.is_some_and(|it| it.package == Some("wasi:cli") && it.name == "run") && self.function == "run"
    }

    /// Whether this is what a toolchain exports for itself, given the names of its parameters: `componentize-py` leaves
    /// the function there with which it initialised the interpreter. No name of WIT has a `#`.
    pub(super) fn is_of_toolchain<'p>(&self, params: impl Iterator<Item = &'p str>) -> bool {
        let interface = self.interface.as_deref();
        let initialises = interface == Some("exports") && self.function == "init";
        self.function.contains('#')
            || interface.is_some_and(|name| name.contains('#'))
            || (initialises && params.take(2).eq(["app-name", "symbols"]))
    }

    /// Names for the tool, the shortest first. Parts are joined by `_`, which no WIT name has.
    fn candidates(&self) -> Vec<String> {
        if self.is_command() {
            return vec!["run".to_owned(), "wasi_cli_run".to_owned()];
        }
        let function = plain(&self.function);
        let mut names = vec![fitted(function.clone())];
        let Some(interface) = self.interface.as_deref().map(Interface::parse) else {
            return names;
        };
        let mut prefix = plain(interface.name);
        names.push(fitted(format!("{prefix}_{function}")));
        if let Some(package) = interface.package {
            let mut parts: Vec<String> = package.split([':', '/']).map(plain).collect();
            while let Some(part) = parts.pop() {
                prefix = format!("{part}_{prefix}");
                names.push(fitted(format!("{prefix}_{function}")));
            }
        }
        if let Some(version) = interface.version {
            names.push(fitted(format!("{prefix}_v{}_{function}", plain(version))));
        }
        names
    }
}

impl fmt::Display for ExportPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{interface}#{}", self.function),
            None => f.write_str(&self.function),
        }
    }
}

/// The parts of an interface's name: `namespace:package/name@version`, or a plain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interface<'n> {
    /// `namespace:package`.
    pub(super) package: Option<&'n str>,
    pub(super) name: &'n str,
    pub(super) version: Option<&'n str>,
}

impl<'n> Interface<'n> {
    pub(super) fn parse(full: &'n str) -> Self {
        let (path, version) = match full.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (full, None),
        };
        match path.split_once('/') {
            Some((package, name)) => Interface { package: Some(package), name, version },
            None => Interface { package: None, name: path, version },
        }
    }

    /// Whether its exports are called by hosts and not by agents.
    pub(super) fn is_platform(&self) -> bool {
        self.package.is_some_and(|package| package.starts_with("wasi:") || package.starts_with("toolcrib:"))
    }
}

/// A name for each path, in their order; nothing where every name is taken. Depends on the set of paths alone, so
/// that a component keeps its names however its exports are ordered.
pub(super) fn assign(paths: &[ExportPath]) -> Vec<Option<String>> {
    let candidates: Vec<Vec<String>> = paths.iter().map(ExportPath::candidates).collect();
    let mut chosen = vec![0usize; paths.len()];
    loop {
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for (names, level) in candidates.iter().zip(&chosen) {
            *uses.entry(&names[*level]).or_default() += 1;
        }
        let mut raised = false;
        for (names, level) in candidates.iter().zip(&mut chosen) {
            if uses[names[*level].as_str()] > 1 && *level + 1 < names.len() {
                *level += 1;
                raised = true;
            }
        }
        if !raised {
            let name = |(names, level): (&Vec<String>, &usize)| names[*level].clone();
            let names: Vec<String> = candidates.iter().zip(&chosen).map(name).collect();
            return resolve(paths, names);
        }
    }
}

/// Of paths that still share a name, the first in alphabetical order keeps it.
fn resolve(paths: &[ExportPath], names: Vec<String>) -> Vec<Option<String>> {
    let mut keeper: HashMap<&str, &ExportPath> = HashMap::new();
    let order = |path: &ExportPath| (path.interface.clone(), path.function.clone());
    for (path, name) in paths.iter().zip(&names) {
        let entry = keeper.entry(name).or_insert(path);
        if order(path) < order(entry) {
            *entry = path;
        }
    }
    let kept: Vec<bool> = paths.iter().zip(&names).map(|(path, name)| keeper[name.as_str()] == path).collect();
    names.into_iter().zip(kept).map(|(name, kept)| kept.then_some(name)).collect()
}

/// Lower case letters, digits, `-` and `_`, beginning with a letter: `[static]counter.make` becomes `counter_make`.
fn plain(name: &str) -> String {
    let name = name.rsplit(']').next().unwrap_or(name);
    let plain: String = name
        .chars()
        .map(|char| match char.to_ascii_lowercase() {
            '.' => '_',
            lower if lower.is_ascii_alphanumeric() || lower == '-' || lower == '_' => lower,
            _ => '-',
        })
        .collect();
    plain
}

/// A name that begins with a letter and is not too long; the end of one that is becomes a digest of the whole.
fn fitted(name: String) -> String {
    let name = if name.starts_with(|char: char| char.is_ascii_lowercase()) { name } else { format!("tool-{name}") };
    if name.len() <= TOOL_NAME_BYTES {
        return name;
    }
    let digest = blake3::hash(name.as_bytes()).to_hex();
    format!("{}-{}", &name[..TOOL_NAME_BYTES - 9], &digest[..8])
}

/// A short name for people: `add-numbers` becomes `Add numbers`.
pub(super) fn title(tool: &str) -> String {
    let words = tool.replace(['-', '_'], " ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => words,
    }
}
