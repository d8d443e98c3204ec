//! Folders: which are shown to a plugin, where, and how much may be written.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::line::{LINE_MAX, LineError, sayable};
use crate::names::shortened;
use crate::units::{self, Unit};

/// What may be done in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// List and read.
    Read,
    /// List, read, write, create and remove.
    ReadWrite,
}

impl Access {
    /// The access as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::ReadWrite => "read-write",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An absolute, plain path inside the sandbox: `/docs`. `/` is the root.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GuestPath(String);

impl GuestPath {
    /// Reads a path. `.` and `..`, empty parts, control characters, backslashes and stars are refused; one slash at the
    /// end is dropped.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let wrong = || LineError::GuestPath(shortened(text));
        let rest = text.strip_prefix('/').ok_or_else(wrong)?;
        let rest = rest.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(rest);
        let part = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.len() <= 255
                && !part.chars().any(|c| c.is_control() || matches!(c, '\\' | '*' | ','))
        };
        if text.len() > LINE_MAX || !(rest.is_empty() || rest.split('/').all(part)) {
            return Err(wrong());
        }
        Ok(Self(format!("/{rest}")))
    }

    /// Reads a path that stands in a line. One that ends with a space, before a slash that is dropped, is one that no line can
    /// say.
    fn of_line(text: &str) -> Result<Self, LineError> {
        let path = Self::parse(text)?;
        if path.0.ends_with(char::is_whitespace) { Err(LineError::GuestPath(shortened(text))) } else { Ok(path) }
    }

    /// The root.
    pub(crate) fn root() -> Self {
        Self("/".to_owned())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left of `self` below `folder`, without a slash in front: empty where both are the same, `None` where
    /// `self` lies elsewhere.
    pub fn below(&self, folder: &GuestPath) -> Option<&str> {
        let rest = self.0.strip_prefix(folder.0.trim_end_matches('/'))?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(rest),
            None => rest.is_empty().then_some(rest),
        }
    }

    /// The folder that holds `self`; the root holds itself.
    pub(crate) fn parent(&self) -> GuestPath {
        match self.0.rsplit_once('/') {
            Some((parent, _)) if !parent.is_empty() => GuestPath(parent.to_owned()),
            _ => GuestPath("/".to_owned()),
        }
    }

    fn join(&self, rest: &str) -> GuestPath {
        match rest {
            "" => self.clone(),
            _ => GuestPath(format!("{}/{rest}", self.0.trim_end_matches('/'))),
        }
    }
}

impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for GuestPath {
    type Error = LineError;
    fn try_from(text: String) -> Result<Self, LineError> {
        Self::parse(&text)
    }
}

impl From<GuestPath> for String {
    fn from(path: GuestPath) -> String {
        path.0
    }
}

/// One folder that a plugin sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileGrant {
    /// What may be done there.
    pub access: Access,
    /// The folder on this machine, absolute if the operator's file has an absolute place.
    pub host: PathBuf,
    /// Where the plugin sees it.
    pub guest: GuestPath,
    /// Bytes that one call may write there. Absent: the limit of the call alone.
    pub max_bytes: Option<u64>,
    /// Files and folders that one call may create there. Absent: the limit of the call alone.
    pub max_files: Option<u64>,
    /// Whether the host keeps the states that the folder has between calls, so that it can be rolled back.
    #[serde(default)]
    pub versioned: bool,
}

/// What a line says of a folder whose states are kept.
const VERSIONED: &str = "versioned";

/// A line of the ceiling: below which folder of this machine which access can be granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileCeiling {
    access: Access,
    host: PathBuf,
    max_bytes: Option<u64>,
    max_files: Option<u64>,
}

/// A line of a manifest: where in the sandbox the plugin would like a folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileRequest {
    /// What it would like to do there.
    pub access: Access,
    /// The place, and everything below. A folder that is granted above it is not what was asked for: it shows more.
    pub guest: GuestPath,
}

/// What the files of a quota are called.
const FILES: [&str; 2] = ["files", "file"];

const GRANT_SHAPE: &str = "`read ./docs as /docs` or `read-write ./out as /out, 100 MiB, 1000 files`";
const CEILING_SHAPE: &str = "`read ./docs` or `read-write ./out, 100 MiB, 1000 files`";
const REQUEST_SHAPE: &str = "`read /docs`, or `read-write /**` for any";

impl FileGrant {
    /// Reads `read ./docs as /docs` or `read-write ./out as /out, 100 MiB, versioned`. A relative folder is taken from `base`; nothing is looked up on disk.
    pub fn parse(line: &str, base: &Path) -> Result<Self, LineError> {
        let (access, rest) = access_of(line, GRANT_SHAPE, "folders")?;
        let (host, rest) = rest.rsplit_once(" as ").ok_or(LineError::FileShape(GRANT_SHAPE))?;
        let (rest, versioned) = match rest.rsplit_once(',') {
            Some((rest, last)) if last.trim() == VERSIONED => (rest, true),
            _ => (rest, false),
        };
        let mut parts = rest.split(',');
        let guest = GuestPath::of_line(parts.next().unwrap_or_default().trim())?;
        if guest.as_str().split_whitespace().next_back() == Some(VERSIONED) && guest.as_str().contains(' ') {
            return Err(LineError::VersionedComma);
        }
        if versioned && access == Access::Read {
            return Err(LineError::VersionedOnRead);
        }
        let (max_bytes, max_files) = quotas_of(parts, access, FILES)?;
        sayable(Self { access, host: host_path(host.trim(), base)?, guest, max_bytes, max_files, versioned })
    }

    /// The part of the grant that lies under `ceiling`, seen where the plugin would see it.
    pub(crate) fn narrowed_under(&self, ceiling: &FileCeiling) -> Option<FileGrant> {
        let (host, guest) = if self.host.starts_with(&ceiling.host) {
            (self.host.clone(), self.guest.clone())
        } else {
            // A part of the path that is not text has no name inside the sandbox.
            let rest = ceiling.host.strip_prefix(&self.host).ok()?.to_str()?;
            (ceiling.host.clone(), GuestPath::parse(self.guest.join(rest).as_str()).ok()?)
        };
        Some(FileGrant {
            access: self.access.min(ceiling.access),
            host,
            guest,
            max_bytes: lower(self.max_bytes, ceiling.max_bytes),
            max_files: lower(self.max_files, ceiling.max_files),
            versioned: self.versioned,
        })
    }

    /// What a caller that has this grant can hand on.
    pub(crate) fn as_ceiling(&self) -> FileCeiling {
        FileCeiling {
            access: self.access,
            host: self.host.clone(),
            max_bytes: self.max_bytes,
            max_files: self.max_files,
        }
    }
}

impl FileCeiling {
    /// Reads `read ./docs` or `read-write ./out, 100 MiB, 1000 files`.
    pub fn parse(line: &str, base: &Path) -> Result<Self, LineError> {
        let (access, rest) = access_of(line, CEILING_SHAPE, "folders")?;
        let mut parts = rest.split(',');
        let host = parts.next().unwrap_or_default().trim();
        if host.contains(" as ") {
            return Err(LineError::FileShape(CEILING_SHAPE));
        }
        let (max_bytes, max_files) = quotas_of(parts, access, FILES)?;
        sayable(Self { access, host: host_path(host, base)?, max_bytes, max_files })
    }
}

impl FileRequest {
    /// Reads `read /docs`, `read /docs/**` (the same) or `read-write /**`.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let (access, rest) = access_of(line, REQUEST_SHAPE, "folders")?;
        let guest = match rest.strip_suffix("/**") {
            Some("") => GuestPath::parse("/")?,
            Some(folder) => GuestPath::of_line(folder)?,
            None => GuestPath::of_line(rest)?,
        };
        Ok(Self { access, guest })
    }

    /// Any access anywhere.
    pub fn everything() -> Self {
        Self { access: Access::ReadWrite, guest: GuestPath("/".to_owned()) }
    }
}

/// The access that a line begins with, and what follows it.
pub(crate) fn access_of<'a>(
    line: &'a str,
    shape: &'static str,
    what: &'static str,
) -> Result<(Access, &'a str), LineError> {
    if line.len() > LINE_MAX {
        return Err(LineError::TooLong);
    }
    let (word, rest) = line.trim().split_once(' ').ok_or(LineError::FileShape(shape))?;
    let access = match word {
        "read" => Access::Read,
        "read-write" => Access::ReadWrite,
        "deny" => return Err(LineError::NoDeny(what)),
        _ => return Err(LineError::FileShape(shape)),
    };
    Ok((access, rest.trim()))
}

/// Quotas of bytes and of things that are counted, which are called by `names` (many, one).
pub(crate) fn quotas_of<'a>(
    parts: impl Iterator<Item = &'a str>,
    access: Access,
    [many, one]: [&str; 2],
) -> Result<(Option<u64>, Option<u64>), LineError> {
    let (mut bytes, mut files) = (None, None);
    for part in parts {
        let part = part.trim();
        let wrong = || LineError::Quota(shortened(part));
        let count = part.strip_suffix(many).or_else(|| part.strip_suffix(one)).filter(|head| head.ends_with(' '));
        let (slot, value) = match count {
            Some(count) => (&mut files, units::parse(count, Unit::Count)),
            // A bare number could be either.
            None if part.ends_with('B') => (&mut bytes, units::parse(part, Unit::Bytes)),
            None => return Err(wrong()),
        };
        if slot.replace(value.map_err(|_| wrong())?).is_some() {
            return Err(wrong());
        }
    }
    if access == Access::Read && (bytes.is_some() || files.is_some()) {
        return Err(LineError::QuotaOnRead);
    }
    Ok((bytes, files))
}

/// The folder that is meant, without `.` and `..`: what is checked against the ceiling is what is opened.
fn host_path(text: &str, base: &Path) -> Result<PathBuf, LineError> {
    let wrong = |problem| LineError::HostPath { path: shortened(text), problem };
    if text.is_empty() {
        return Err(wrong("is empty: write `.` for the folder of the file"));
    }
    if text.starts_with('~') || text.contains('$') {
        return Err(wrong("has `~` or `$`, which are not expanded: write the whole path"));
    }
    if text.chars().any(|c| c.is_control() || c == '*') {
        return Err(wrong("has a star or a control character: name one folder"));
    }
    let mut path = PathBuf::new();
    for component in base.join(text).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match path.components().next_back() {
                Some(Component::Normal(_)) => {
                    path.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {
                    return Err(wrong("leads above the root of the file system"));
                }
                _ => path.push(component),
            },
            _ => path.push(component),
        }
    }
    if path.as_os_str().is_empty() {
        path.push(".");
    }
    if path.to_string_lossy().ends_with(char::is_whitespace) {
        return Err(wrong("ends with a space, which no line can say"));
    }
    Ok(path)
}

/// A folder below the one of the operator's file, as people write it: `./docs`, or `.` for that one itself.
pub(crate) fn beside(rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { PathBuf::from(".") } else { Path::new(".").join(rest) }
}

pub(crate) fn lower(one: Option<u64>, two: Option<u64>) -> Option<u64> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

pub(crate) fn write_quotas(
    f: &mut fmt::Formatter<'_>,
    bytes: Option<u64>,
    count: Option<u64>,
    [many, one]: [&str; 2],
) -> fmt::Result {
    if let Some(bytes) = bytes {
        write!(f, ", {}", units::print(bytes, Unit::Bytes))?;
    }
    match count {
        Some(1) => write!(f, ", 1 {one}"),
        Some(count) => write!(f, ", {count} {many}"),
        None => Ok(()),
    }
}

impl fmt::Display for FileGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} as {}", self.access, self.host.display(), self.guest)?;
        write_quotas(f, self.max_bytes, self.max_files, FILES)?;
        if self.versioned { write!(f, ", {VERSIONED}") } else { Ok(()) }
    }
}

impl fmt::Display for FileCeiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.access, self.host.display())?;
        write_quotas(f, self.max_bytes, self.max_files, FILES)
    }
}

impl fmt::Display for FileRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.access, self.guest)
    }
}
