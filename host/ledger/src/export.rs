//! A run as JSON Lines, complete enough to verify it elsewhere.

use rusqlite::types::ValueRef;
use rusqlite::{Row, params};
use serde::Serialize;

use crate::error::LedgerError;
use crate::id::{LedgerId, RunId, Seq};
use crate::proof::Digest;
use crate::read::seq;
use crate::stamp::UnixMicros;
use crate::store::Ledger;

/// Lines that are read at a time.
const PAGE: i64 = 256;

/// One line, but for the payload.
#[derive(Serialize)]
struct Line<'a> {
    ledger: LedgerId,
    run: RunId,
    seq: Seq,
    at: UnixMicros,
    kind: &'a str,
    status: Option<&'a str>,
    digest: Digest,
    chain: Digest,
    salt: Option<String>,
}

impl Ledger {
    /// The events of a run as lines of JSON, in order, without line ends.
    ///
    /// Each is an object with `ledger`, `run`, `seq`, `at`, `kind`, `status`, `digest`, `chain`, `salt` (hexadecimal, `null` once erased)
    /// and last `payload`, whose text is byte for byte the one that was digested (`null` without a salt: erased). It ends
    /// after its first error, so that of a damaged run the good part is exported.
    ///
    /// # Errors
    /// [`LedgerError::NoRun`] if there is no such run; each item as [`Ledger::tail`].
    pub fn export(&self, run: RunId) -> Result<Export<'_>, LedgerError> {
        self.run(run)?;
        Ok(Export { ledger: self, run, from: 0, page: Vec::new().into_iter(), done: false })
    }
}

/// The lines of a run; made by [`Ledger::export`].
#[derive(Debug)]
pub struct Export<'l> {
    ledger: &'l Ledger,
    run: RunId,
    from: i64,
    page: std::vec::IntoIter<Result<String, LedgerError>>,
    done: bool,
}

impl Export<'_> {
    /// Reads the next page; an event that cannot be read is its last line.
    fn read_page(&mut self) -> Result<(), LedgerError> {
        let sql = "SELECT e.seq, e.at, e.kind, e.status, e.digest, e.chain, v.salt, v.payload FROM event e
                   LEFT JOIN value v ON v.run = e.run AND v.seq = e.seq
                   WHERE e.run = ?1 AND e.seq >= ?2 ORDER BY e.seq LIMIT ?3";
        let path = self.ledger.db_path();
        let failed = |error| LedgerError::sqlite(path, error);
        let (ledger, run, from) = (self.ledger.id(), self.run, self.from);
        let (lines, next) = self.ledger.readers().with(|conn| {
            let mut query = conn.prepare_cached(sql).map_err(failed)?;
            let mut rows = query.query(params![run.sql(), from, PAGE]).map_err(failed)?;
            let (mut lines, mut next) = (Vec::new(), from);
            loop {
                match rows.next().and_then(|row| row.map(|row| line(row, ledger, run)).transpose()) {
                    Ok(None) => break,
                    // A damaged index can answer with rows that were not asked for, again and again.
                    Ok(Some((seq, _))) if seq.sql() < next => {
                        let detail = format!("the events of run {run} are not in their order");
                        lines.push(Err(LedgerError::Corrupt { path: path.to_owned(), detail }));
                        break;
                    }
                    Ok(Some((seq, text))) => {
                        next = seq.next().sql();
                        lines.push(Ok(text));
                    }
                    Err(error) => {
                        lines.push(Err(failed(error)));
                        break;
                    }
                }
            }
            Ok((lines, next))
        })?;
        self.from = next;
        self.page = lines.into_iter();
        Ok(())
    }
}

fn line(row: &Row<'_>, ledger: LedgerId, run: RunId) -> rusqlite::Result<(Seq, String)> {
    let seq = seq(row, 0)?;
    let salt = match row.get_ref(6)? {
        ValueRef::Null => None,
        salt => Some(salt.as_blob()?.iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    let payload = row.get_ref(7)?.as_str_or_null()?.unwrap_or("null");
    let line = Line {
        ledger,
        run,
        seq,
        at: UnixMicros::new(row.get(1)?),
        kind: row.get_ref(2)?.as_str()?,
        status: row.get_ref(3)?.as_str_or_null()?,
        digest: Digest(row.get(4)?),
        chain: Digest(row.get(5)?),
        salt,
    };
    let not_json = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let mut text = serde_json::to_string(&line).map_err(not_json)?;
    text.pop();
    text.push_str(",\"payload\":");
    text.push_str(payload);
    text.push('}');
    Ok((seq, text))
}

impl Iterator for Export<'_> {
    type Item = Result<String, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.page.next() {
                self.done |= line.is_err();
                return Some(line);
            }
            if self.done {
                return None;
            }
            if let Err(error) = self.read_page() {
                self.done = true;
                return Some(Err(error));
            }
            self.done = self.page.len() == 0;
        }
    }
}
