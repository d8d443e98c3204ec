//! Reading one place: whose it is, and the bytes, each read once.
//!
//! The name of a plugin and the path of its component are always derived here, from the file's name or the manifest as
//! it stands on disk, never taken from the index.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use toolcrib_policy::{Digest, PluginName};

use crate::limits::{MAX_COMPONENT_BYTES, MAX_MANIFEST_BYTES};
use crate::manifest::{self, MANIFEST_FILE, ManifestText};
use crate::names;
use crate::problem::Problem;
use crate::record::{Outcome, Record};
use crate::stamp::{self, ReadError, Stamp};

/// What a place holds, complete.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) name: PluginName,
    pub(crate) manifest: Option<ManifestText>,
    pub(crate) manifest_stamp: Option<Stamp>,
    pub(crate) component: PathBuf,
    pub(crate) component_stamp: Stamp,
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// Whose a place is.
struct Identity {
    name: PluginName,
    manifest: Option<(ManifestText, Stamp)>,
    component: PathBuf,
}

/// Reads the place at `path`. Blocks. What went wrong comes back as the record of a place without a plugin.
pub(crate) fn read(path: &Path, is_folder: bool) -> Result<Contents, Box<Record>> {
    let identity = if is_folder { folder(path)? } else { lone(path)? };
    let Identity { name, manifest, component } = identity;
    let (bytes, component_stamp) = match stamp::read(&component, MAX_COMPONENT_BYTES) {
        Ok(read) => read,
        Err(error) => {
            let stamp = manifest.as_ref().map(|(_, stamp)| *stamp);
            return Err(component_failed(path, is_folder, name, stamp, component, &error));
        }
    };
    let bytes = Bytes::from(bytes);
    let digest = Digest::of(&bytes);
    let (manifest, manifest_stamp) = manifest.unzip();
    Ok(Contents { name, manifest, manifest_stamp, component, component_stamp, bytes, digest })
}

fn lone(path: &Path) -> Result<Identity, Box<Record>> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match names::from_file_stem(&stem) {
        Ok(name) => Ok(Identity { name, manifest: None, component: path.to_owned() }),
        Err(message) => {
            let component = Some((path.to_owned(), Stamp::of(path).ok()));
            Err(bad(None, component, Problem::refused(path, "name-invalid", message), true))
        }
    }
}

fn folder(path: &Path) -> Result<Identity, Box<Record>> {
    let file = path.join(MANIFEST_FILE);
    let (bytes, stamp) = stamp::read(&file, MAX_MANIFEST_BYTES).map_err(|error| {
        let (message, lasting) = describe(&error, MAX_MANIFEST_BYTES);
        let problem = Problem::refused(path, "manifest-unreadable", format!("{MANIFEST_FILE}: {message}"));
        bad(Stamp::of(&file).ok(), None, problem, lasting)
    })?;
    let invalid = |message| bad(Some(stamp), None, Problem::refused(path, "manifest-invalid", message), true);
    let text = String::from_utf8(bytes).map_err(|_| invalid(format!("{MANIFEST_FILE}: the text is not UTF-8")))?;
    let text = ManifestText::parse(&text).map_err(invalid)?;
    let Some(parsed) = text.get() else { return Err(invalid(format!("{MANIFEST_FILE}: cannot be read"))) };
    let component = manifest::component_path(parsed, path).map_err(invalid)?;
    Ok(Identity { name: manifest::head(parsed).name.clone(), component, manifest: Some((text, stamp)) })
}

fn component_failed(
    path: &Path,
    is_folder: bool,
    name: PluginName,
    manifest: Option<Stamp>,
    component: PathBuf,
    error: &ReadError,
) -> Box<Record> {
    let shown = component.strip_prefix(path).ok().filter(|_| is_folder).map(|file| format!("`{}`: ", file.display()));
    let shown = shown.unwrap_or_default();
    let problem = match error {
        ReadError::Io(io) if is_folder && io.kind() == ErrorKind::NotFound => {
            let message = format!(
                "{shown}the component is missing; build it, or name another with `component` in {MANIFEST_FILE}"
            );
            Problem::refused(path, "component-missing", message)
        }
        ReadError::TooLarge(_) => {
            Problem::refused(path, "component-too-large", format!("{shown}{}", describe(error, MAX_COMPONENT_BYTES).0))
        }
        error => Problem::refused(path, "unreadable", format!("{shown}{}", describe(error, MAX_COMPONENT_BYTES).0)),
    };
    let lasting = describe(error, 0).1;
    let stamp = Stamp::of(&component).ok();
    bad(manifest, Some((component, stamp)), problem.of(&name), lasting)
}

/// The cause in words, and whether the same file would fail again.
fn describe(error: &ReadError, max: u64) -> (String, bool) {
    match error {
        ReadError::Io(io) => (io.to_string(), io.kind() == ErrorKind::NotFound),
        ReadError::TooLarge(bytes) => (format!("{bytes} bytes, and the most that is accepted is {max}"), true),
        ReadError::Changing => ("the file changed while it was read; it is looked at again".to_owned(), false),
    }
}

fn bad(
    manifest: Option<Stamp>,
    component: Option<(PathBuf, Option<Stamp>)>,
    problem: Problem,
    lasting: bool,
) -> Box<Record> {
    Box::new(Record { manifest, component, outcome: Outcome::Bad { problem, lasting }, last_good: None })
}
