//! Paths as people and models write them, made absolute and plain.

use std::fmt;
use std::path::Path;

use toolcrib_sdk::ToolError;

/// The longest path, in bytes. Linux takes no longer one.
const PATH_MAX: usize = 4096;

/// An absolute path without `.`, `..` and empty parts. `docs/a.md` and `./docs/a.md` are `/docs/a.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// Reads a path.
    pub(crate) fn parse(text: &str) -> Result<Self, ToolError> {
        let refused = |why: &str| {
            let shown: String = text.chars().take(200).collect();
            Err(ToolError::invalid_arguments(format!("`{}` is not a path: {why}", shown.escape_debug())))
        };
        if text.is_empty() {
            return refused("it is empty; the root is `/`");
        }
        if text.len() > PATH_MAX {
            return refused("it is longer than 4096 bytes");
        }
        if text.contains('\0') {
            return refused("it has a zero byte");
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => return refused("it leads above the root"),
                ".." => {}
                part => parts.push(part),
            }
        }
        Ok(Self(format!("/{}", parts.join("/"))))
    }

    /// The path of `name` in this folder.
    pub(crate) fn join(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0.trim_end_matches('/')))
    }

    /// The folder that holds this, if it is not the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (parent, name) = self.0.rsplit_once('/')?;
        match (parent, name) {
            (_, "") => None,
            ("", _) => Some(Self("/".to_owned())),
            _ => Some(Self(parent.to_owned())),
        }
    }

    /// The last part; empty for the root.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// What is left of the path below `folder`.
    pub(crate) fn below(&self, folder: &Self) -> &str {
        let rest = self.0.strip_prefix(&folder.0).unwrap_or(&self.0);
        rest.trim_start_matches('/')
    }

    /// The path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for Location {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Location;

    #[test]
    fn a_path_is_absolute_and_plain() {
        for (text, plain) in [
            ("/", "/"),
            (".", "/"),
            ("docs", "/docs"),
            ("./docs//a.md", "/docs/a.md"),
            ("/docs/./b/../a/", "/docs/a"),
            ("/a b/ü", "/a b/ü"),
            ("/docs/...", "/docs/..."),
        ] {
            assert_eq!(Location::parse(text).unwrap().as_str(), plain, "{text}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        for text in ["", "..", "/../etc", "a/../../b", "a\0b", &"x".repeat(5000)] {
            assert!(Location::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_path_comes_apart_and_together() {
        let path = Location::parse("/docs/a.md").unwrap();
        let folder = path.parent().unwrap();
        assert_eq!((folder.as_str(), path.name()), ("/docs", "a.md"));
        assert_eq!(folder.join("a.md"), path);
        assert_eq!(path.below(&folder), "a.md");
        assert_eq!(path.below(&folder.parent().unwrap()), "docs/a.md");
        assert_eq!(folder.parent().unwrap().parent(), None);
    }

    proptest! {
        #[test]
        fn what_was_plain_stays_as_it_is(text in "\\PC{1,60}") {
            if let Ok(path) = Location::parse(&text) {
                prop_assert_eq!(Location::parse(path.as_str()).unwrap(), path);
            }
        }
    }
}
