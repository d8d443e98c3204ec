//! Which places of a directory may hold a plugin. Looks at names and stamps; opens nothing.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::limits::MAX_ENTRIES;
use crate::manifest::MANIFEST_FILE;
use crate::problem::Problem;
use crate::stamp::Stamp;

/// What a place looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// A single `.wasm` file, with its stamp.
    Lone(Stamp),
    /// A folder with a manifest, with the manifest's stamp.
    Folder(Stamp),
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) places: Vec<(PathBuf, Form)>,
    pub(crate) problems: Vec<Problem>,
}

/// Looks at a directory of plugins. A directory that is itself a plugin's folder holds that plugin alone; one that does
/// not exist holds none.
pub(crate) fn scan(directory: &Path) -> Scan {
    let mut scan = Scan::default();
    if let Ok(stamp) = Stamp::of(&directory.join(MANIFEST_FILE)) {
        scan.places.push((directory.to_owned(), Form::Folder(stamp)));
        return scan;
    }
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return scan,
        Err(error) => {
            let message = format!("the plugin directory cannot be read: {error}");
            scan.problems.push(Problem::refused(directory, "source-unreadable", message));
            return scan;
        }
    };
    for (count, entry) in entries.enumerate() {
        if count == MAX_ENTRIES {
            let message =
                format!("more than {MAX_ENTRIES} entries: the rest is not looked at; use a directory of its own");
            scan.problems.push(Problem::refused(directory, "too-many-entries", message));
            break;
        }
        match entry {
            Ok(entry) => scan.entry(&entry),
            Err(error) => {
                let message = format!("the plugin directory cannot be read to its end: {error}");
                scan.problems.push(Problem::refused(directory, "source-unreadable", message));
                break;
            }
        }
    }
    scan.places.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    scan
}

impl Scan {
    fn entry(&mut self, entry: &std::fs::DirEntry) {
        let path = entry.path();
        // Names that begin with a dot are hidden: editors and installers put unfinished things there.
        if entry.file_name().as_encoded_bytes().first() == Some(&b'.') {
            return;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("wasm") => match Stamp::of(&path) {
                Ok(stamp) => self.places.push((path, Form::Lone(stamp))),
                Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {}
                Err(error) => self.problems.push(Problem::refused(&path, "unreadable", error.to_string())),
            },
            Some("cwasm") => {
                let message = "compiled code is never loaded; put the component (`.wasm`) that it was made from here";
                self.problems.push(Problem::refused(&path, "component-invalid", message));
            }
            _ => {
                let known_file = entry.file_type().is_ok_and(|kind| kind.is_file());
                if let (false, Ok(stamp)) = (known_file, Stamp::of(&path.join(MANIFEST_FILE))) {
                    self.places.push((path, Form::Folder(stamp)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_nothing_else_are_places() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for file in ["b.wasm", ".hidden.wasm", "notes.txt", "old.cwasm"] {
            std::fs::write(at(file), "x").unwrap();
        }
        for folder in ["a", "empty", ".staging"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        std::fs::write(at("a/plugin.toml"), "x").unwrap();
        std::fs::write(at(".staging/plugin.toml"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere.wasm", at("dangling.wasm")).unwrap();

        let scan = scan(dir.path());
        let places: Vec<_> = scan.places.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(places, [at("a"), at("b.wasm")]);
        let mut problems: Vec<_> = scan.problems.iter().map(|problem| problem.path.clone()).collect();
        problems.sort();
        assert_eq!(problems, [at("dangling.wasm"), at("old.cwasm")]);
    }

    #[test]
    fn a_folder_with_a_manifest_is_its_own_only_place() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("plugin.toml"), "x").unwrap();
        std::fs::write(dir.path().join("x.wasm"), "x").unwrap();
        let places = scan(dir.path()).places;
        assert!(matches!(places.as_slice(), [(path, Form::Folder(_))] if path == dir.path()));
    }

    #[test]
    fn a_missing_directory_is_empty_and_a_file_in_its_place_is_a_problem() {
        let dir = tempfile::tempdir().unwrap();
        let nothing = scan(&dir.path().join("missing"));
        assert!(nothing.places.is_empty() && nothing.problems.is_empty());
        std::fs::write(dir.path().join("file"), "x").unwrap();
        assert_eq!(scan(&dir.path().join("file")).problems[0].code, "source-unreadable");
    }
}
