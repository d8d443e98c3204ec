//! Where plugins come from, and whom a name belongs to when two places have it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Who put a plugin there. The order is the order of trust: a name belongs to the first that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// Part of the program.
    Embedded,
    /// The user's own directory.
    User,
    /// A project's directory, which may have come with a repository that somebody else wrote.
    Project,
}

impl Rank {
    /// The rank as it is written in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rank::Embedded => "embedded",
            Rank::User => "user",
            Rank::Project => "project",
        }
    }
}

/// A plugin that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// The plugin's name; its manifest says the same.
    pub name: &'static str,
    /// Its `plugin.toml`.
    pub manifest_toml: &'static str,
    /// The component.
    pub component: &'static [u8],
    /// The component's digest, `sha256:...`, computed when the program was built, so that a start hashes nothing.
    pub digest: &'static str,
}

/// The places that a catalog looks at. A directory that does not exist is empty.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Directories of the project, such as `./plugins`. Each is a directory of plugins, or is one plugin's folder.
    pub project: Vec<PathBuf>,
    /// The user's directory.
    pub user: Option<PathBuf>,
    /// The plugins that are part of the program.
    pub embedded: Vec<Embedded>,
}

impl Sources {
    /// The directories with their ranks. One that is named twice is listed once, at its more trusted rank.
    pub(crate) fn directories(&self) -> Vec<(PathBuf, Rank)> {
        let user = self.user.iter().map(|path| (path, Rank::User));
        let project = self.project.iter().map(|path| (path, Rank::Project));
        let mut directories: Vec<(PathBuf, Rank)> = Vec::new();
        for (path, rank) in user.chain(project) {
            // Links and relative spellings of one directory are one directory.
            let path = path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.clone());
            if !directories.iter().any(|(known, _)| *known == path) {
                directories.push((path, rank));
            }
        }
        directories
    }
}
