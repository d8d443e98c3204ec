//! The cached index: what earlier inspections found, so that a start with a thousand unchanged plugins reads one file
//! per directory and asks the system for stamps, and neither opens, hashes, nor parses anything else.
//!
//! ```text
//! "tc-index" │ BLAKE3 of the rest │ length of the table │ table (postcard) │ texts: schemas, manifests, search documents
//! ```
//!
//! The table says where each text lies, and a text is looked at when somebody needs it. A file that is cut, altered by
//! accident, or of another version, engine or directory is ignored and written anew.
//!
//! Whoever can write the user's cache can write an index of their own. It holds what plugins say about themselves,
//! never code: the bytes of a component come from its own file and must have the digest that stands here, its manifest
//! must have the same text, and what a loaded component says must be what stands here
//! ([`Catalog::component`](crate::Catalog::component), [`Catalog::confirm`](crate::Catalog::confirm)).

mod stored;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::limits::MAX_INDEX_BYTES;
use crate::record::Records;
use crate::source::{Embedded, Rank};
use crate::stamp;
use stored::Table;

const MAGIC: &[u8] = b"tc-index";

/// Raised whenever the layout or the cleaning of texts changes.
const VERSION: u32 = 1;

/// How the names of files begin that are being written.
const UNFINISHED: &str = ".plugins-";

/// How long a file may be being written. Longer means that its writer died.
const KEEP_UNFINISHED: Duration = Duration::from_secs(60 * 60);

/// How long an index is kept after it was written: half a year.
const KEEP_INDEX: Duration = Duration::from_secs(182 * 24 * 60 * 60);

const CHECKSUM_BYTES: usize = 32;
const LENGTH_BYTES: usize = 4;

/// One cached index: the records of one directory, or of the embedded plugins.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    file: PathBuf,
    key: String,
}

impl Index {
    /// The index in `cache` for `place` (a directory, or `embedded`), valid for inspections by `engine`.
    pub(crate) fn new(cache: &Path, place: &Path, engine: &str) -> Self {
        let place = place.as_os_str().as_encoded_bytes();
        let id = blake3::hash(place).to_hex();
        let id = id.as_str().get(..24).unwrap_or_default();
        let key = format!("{VERSION}/{}/{engine}/{id}", env!("CARGO_PKG_VERSION"));
        Self { file: cache.join(format!("plugins-{id}.idx")), key }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// The records of plugins at `rank`. None at all if the file is missing or not to be used.
    pub(crate) fn load(&self, rank: Rank, embedded: &[Embedded]) -> Records {
        let Ok((bytes, _)) = stamp::read(&self.file, MAX_INDEX_BYTES) else { return Records::new() };
        self.decode(Bytes::from(bytes), rank, embedded).unwrap_or_else(|| {
            tracing::debug!(file = %self.file.display(), "the plugin index is stale or damaged and is made anew");
            Records::new()
        })
    }

    /// Writes the records. The file is there as a whole or not at all, also when the process dies.
    pub(crate) fn store(&self, records: &Records) -> std::io::Result<()> {
        let parent = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(parent)?;
        file.write_all(&self.encode(records)?)?;
        file.persist(&self.file)?;
        sweep(parent);
        Ok(())
    }

    fn encode(&self, records: &Records) -> std::io::Result<Vec<u8>> {
        let (table, texts) = Table::new(self.key.clone(), records);
        let table = postcard::to_allocvec(&table).map_err(std::io::Error::other)?;
        let length = u32::try_from(table.len()).map_err(std::io::Error::other)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&length.to_le_bytes()).update(&table).update(&texts);
        Ok([MAGIC, hasher.finalize().as_bytes(), &length.to_le_bytes(), &table, &texts].concat())
    }

    fn decode(&self, file: Bytes, rank: Rank, embedded: &[Embedded]) -> Option<Records> {
        let mut rest = file;
        let magic = take(&mut rest, MAGIC.len())?;
        let checksum = take(&mut rest, CHECKSUM_BYTES)?;
        if magic != MAGIC || checksum != blake3::hash(&rest).as_bytes().as_slice() {
            return None;
        }
        decoded(rest, Some(&self.key), rank, embedded)
    }
}

/// What stands behind the checksum, if it has the key that is wanted.
pub(crate) fn decoded(mut rest: Bytes, key: Option<&str>, rank: Rank, embedded: &[Embedded]) -> Option<Records> {
    let length = u32::from_le_bytes(take(&mut rest, LENGTH_BYTES)?.as_ref().try_into().ok()?);
    let table = take(&mut rest, usize::try_from(length).ok()?)?;
    let table: Table = postcard::from_bytes(&table).ok()?;
    if key.is_some_and(|key| table.key != key) {
        return None;
    }
    table.into_records(&rest, rank, embedded)
}

/// Removes what nobody needs: half-written files of processes that died, and indexes of directories that nobody has
/// changed for long. An index that was still wanted is made anew. What cannot be removed does no harm.
fn sweep(cache: &Path) {
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let keep = match name.to_str() {
            Some(name) if name.starts_with(UNFINISHED) => KEEP_UNFINISHED,
            Some(name) if name.starts_with("plugins-") && name.ends_with(".idx") => KEEP_INDEX,
            _ => continue,
        };
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > keep) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests;
