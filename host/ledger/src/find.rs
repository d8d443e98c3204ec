//! Finding a text, such as a secret that leaked, wherever a value holds it: also encoded.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;
use rusqlite::params;
use serde::Serialize;

use crate::error::LedgerError;
use crate::id::{RunId, Seq};
use crate::read::{run_id, seq};
use crate::store::Ledger;

/// Shortest text that can be searched for, in bytes: a shorter one is in nearly every value.
pub const MIN_NEEDLE_BYTES: usize = toolcrib_secrets::MIN_SECRET_BYTES;
/// Values that are read at a time.
const PAGE: i64 = 256;
/// Bytes of a file that are read at a time.
const CHUNK: usize = 1 << 20;

/// A text in every form in which it is searched for: as it is, in JSON strings (also JSON inside JSON), in base64 at any
/// place of a longer text, in hexadecimal digits, and percent-encoded. It shows nothing of itself.
pub struct Needle {
    forms: Vec<Finder<'static>>,
    longest: usize,
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Needle({} forms)", self.forms.len())
    }
}

impl Needle {
    /// The forms of `text`; `None` if it is shorter than [`MIN_NEEDLE_BYTES`].
    pub fn new(text: &str) -> Option<Self> {
        if text.len() < MIN_NEEDLE_BYTES {
            return None;
        }
        let forms = toolcrib_secrets::forms(text);
        let longest = forms.iter().map(String::len).max().unwrap_or(0);
        let forms = forms.iter().map(|form| Finder::new(form).into_owned()).collect();
        Some(Self { forms, longest })
    }

    /// Whether the text is in there, in any of its forms.
    pub fn is_in(&self, hay: &[u8]) -> bool {
        self.forms.iter().any(|form| form.find(hay).is_some())
    }

    /// Whether the text is in a file. Reads it piece by piece, each with the end of the one before.
    fn is_in_file(&self, path: &Path) -> io::Result<bool> {
        let mut file = File::open(path)?;
        let mut buffer = Vec::with_capacity(CHUNK + self.longest);
        loop {
            let read = (&mut file).take(CHUNK as u64).read_to_end(&mut buffer)?;
            if self.is_in(&buffer) {
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
            let keep = buffer.len().saturating_sub(self.longest);
            buffer.drain(..keep);
        }
    }
}

/// A value that holds the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The run.
    pub run: RunId,
    /// The place in the run.
    pub seq: Seq,
    /// The kind of the event.
    pub kind: String,
}

impl Ledger {
    /// The values that hold the text, in the order of runs and places.
    ///
    /// # Errors
    /// What the database says.
    pub fn find(&self, needle: &Needle) -> Result<Vec<Found>, LedgerError> {
        let mut found = Vec::new();
        let mut after = (i64::MIN, i64::MIN);
        while let Some(last) = self.find_in_page(needle, after, &mut found)? {
            // A damaged index can answer with rows that were not asked for, again and again.
            if last <= after {
                let detail = "the values are not in their order".to_owned();
                return Err(LedgerError::Corrupt { path: self.db_path().to_owned(), detail });
            }
            after = last;
        }
        Ok(found)
    }

    /// Searches the values after a place, and says where the page ended, if there was one.
    fn find_in_page(
        &self,
        needle: &Needle,
        after: (i64, i64),
        found: &mut Vec<Found>,
    ) -> Result<Option<(i64, i64)>, LedgerError> {
        let sql = "SELECT v.run, v.seq, coalesce(e.kind, ''), v.payload FROM value v
                   LEFT JOIN event e ON e.run = v.run AND e.seq = v.seq
                   WHERE (v.run, v.seq) > (?1, ?2) ORDER BY v.run, v.seq LIMIT ?3";
        self.readers().with(|conn| {
            let read = conn.prepare_cached(sql).and_then(|mut query| {
                let mut rows = query.query(params![after.0, after.1, PAGE])?;
                let mut last = None;
                while let Some(row) = rows.next()? {
                    last = Some((row.get(0)?, row.get(1)?));
                    if needle.is_in(row.get_ref(3)?.as_bytes()?) {
                        found.push(Found { run: run_id(row, 0)?, seq: seq(row, 1)?, kind: row.get(2)? });
                    }
                }
                Ok(last)
            });
            read.map_err(|error| LedgerError::sqlite(self.db_path(), error))
        })
    }

    /// The files of the ledger that hold the text, as bytes: what a look at the disk would find. Nothing, once all values
    /// that hold it were erased and the log was emptied, but for copies that were kept of a damaged log.
    ///
    /// # Errors
    /// What the system says.
    pub fn files_with(&self, needle: &Needle) -> Result<Vec<PathBuf>, LedgerError> {
        let dir = self.dir();
        let failed = |path: &Path, error: io::Error| LedgerError::io(path, &error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(|error| failed(dir, error))? {
            let entry = entry.map_err(|error| failed(dir, error))?;
            let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with("ledger."));
            if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            if needle.is_in_file(&path).map_err(|error| failed(&path, error))? {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_every_form() {
        let secret = "pa\"ss wörd/+~42";
        let needle = Needle::new(secret).unwrap();
        let json = serde_json::json!({ "deep": [secret] }).to_string();
        let inside = serde_json::json!({ "text": json }).to_string();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        let url = "https://a/?q=pa%22ss%20w%C3%B6rd%2F%2B~42";
        let form = "q=pa%22ss+w%C3%B6rd%2F%2B~42";
        for hay in [&json, &inside, &hex, url, &url.to_lowercase(), form] {
            assert!(needle.is_in(hay.as_bytes()), "{hay}");
        }
        assert!(!needle.is_in(b"pa\"ss word/+~42"));
        assert!(!format!("{needle:?}").contains("42"));
    }

    #[test]
    fn what_is_too_short_is_no_needle() {
        assert!(Needle::new("abc").is_none());
        assert!(Needle::new("abcd").is_some());
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_found_across_the_pieces_of_a_file(at in (CHUNK - 20)..(CHUNK + 20)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file");
            let mut bytes = vec![b'x'; CHUNK * 2 + 7];
            bytes[at..at + 8].copy_from_slice(b"hunter22");
            std::fs::write(&path, &bytes).unwrap();
            proptest::prop_assert!(Needle::new("hunter22").unwrap().is_in_file(&path).unwrap());
            proptest::prop_assert!(!Needle::new("hunter23").unwrap().is_in_file(&path).unwrap());
        }
    }
}
