//! Checks a ledger against its own chains, and against a checkpoint.
//!
//! [`run`] walks the events of each run and leaves what does not link to [`suspects`], which finds out what was done to
//! it; [`heads`] walks the chain of heads and compares it with the runs. All of it reads one snapshot.

mod heads;
mod report;
mod run;
mod suspects;

use rusqlite::Connection;

pub use report::{Field, Finding, Place, Problem, Progress, Verdict, VerifyReport};

use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::id::RunId;
use crate::store::Ledger;

/// Damages of the file that are listed.
const FILE_FINDINGS: usize = 20;
/// Events between two calls of the progress callback.
const EVENTS_PER_REPORT: u64 = 4096;

impl Ledger {
    /// Checks every event, value and head, and tells `progress` now and then how far it is.
    ///
    /// What is wrong in the ledger is in the report and no error. Nothing but a [`Checkpoint`] that was kept elsewhere shows
    /// that the newest events were cut off, or that the whole ledger was written anew: see [`Ledger::verify_against`].
    ///
    /// # Errors
    /// Only if the ledger cannot be read at all.
    pub fn verify(&self, progress: impl FnMut(Progress)) -> Result<VerifyReport, LedgerError> {
        self.check(None, progress)
    }

    /// As [`Ledger::verify`], and checks that the ledger still holds `checkpoint`.
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub fn verify_against(
        &self,
        checkpoint: &Checkpoint,
        progress: impl FnMut(Progress),
    ) -> Result<VerifyReport, LedgerError> {
        self.check(Some(checkpoint), progress)
    }

    fn check(
        &self,
        checkpoint: Option<&Checkpoint>,
        mut progress: impl FnMut(Progress),
    ) -> Result<VerifyReport, LedgerError> {
        let mut report = VerifyReport::new(self.id());
        self.readers().with(|conn| {
            let done = conn.unchecked_transaction().and_then(|snapshot| {
                let mut check = Check { conn: &snapshot, identity: self.identity(), report: &mut report };
                check.file();
                check.runs(&mut progress)?;
                check.heads(checkpoint)?;
                snapshot.rollback()
            });
            done.map_err(|error| LedgerError::sqlite(self.db_path(), error))
        })?;
        Ok(report)
    }
}

/// The page that a line of the check of the file speaks of, such as `Tree 5 page 12 cell 3: ...`.
fn page_of(line: &str) -> Option<u64> {
    let rest = line.split_once("age ")?.1.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A verification that is going on.
struct Check<'a> {
    conn: &'a Connection,
    identity: crate::schema::Identity,
    report: &'a mut VerifyReport,
}

impl Check<'_> {
    /// Lets SQLite check the structure of its file. A damage that ends the check of the whole is looked for in one table
    /// after the other, so that it has a name.
    fn file(&mut self) {
        let error = match self.integrity(&FILE_FINDINGS.to_string()) {
            Ok(lines) => return self.damages(&lines),
            Err(error) => error,
        };
        let listed = self.report.findings.len();
        for table in self.tables() {
            match self.integrity(&format!("'{}'", table.replace('\'', "''"))) {
                Ok(lines) => self.damages(&lines),
                Err(error) => {
                    let detail = format!("table `{table}` or one of its indexes: {error}");
                    self.report.find(Problem::Unreadable, Field::File, Place::default(), detail);
                }
            }
        }
        if self.report.findings.len() == listed {
            self.report.find(Problem::Unreadable, Field::File, Place::default(), error.to_string());
        }
    }

    fn integrity(&self, what: &str) -> rusqlite::Result<Vec<String>> {
        let mut query = self.conn.prepare(&format!("PRAGMA integrity_check({what})"))?;
        let rows = query.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect()
    }

    /// What can be read of the names of the tables.
    fn tables(&self) -> Vec<String> {
        let names = self.conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").and_then(|mut query| {
            let rows = query.query_map([], |row| row.get::<_, String>(0))?;
            Ok(rows.map_while(Result::ok).collect())
        });
        names.unwrap_or_default()
    }

    fn damages(&mut self, lines: &[String]) {
        for line in lines.iter().filter(|line| *line != "ok").take(FILE_FINDINGS) {
            let line = line.strip_prefix("*** in database main ***\n").unwrap_or(line);
            let place = Place { page: page_of(line), ..Place::default() };
            self.report.find(Problem::Changed, Field::File, place, line);
        }
    }

    fn runs(&mut self, progress: &mut impl FnMut(Progress)) -> rusqlite::Result<()> {
        let numbers = self.numbers()?;
        let runs_total = numbers.len() as u64;
        let mut reported = 0;
        for (done, number) in (0..).zip(numbers) {
            match RunId::from_sql(number) {
                Some(run) => self.run(run),
                None => {
                    let detail = format!("the number {number} is no run");
                    self.report.find(Problem::Unexpected, Field::Run, Place::default(), detail);
                }
            }
            if self.report.events >= reported + EVENTS_PER_REPORT {
                reported = self.report.events;
                progress(Progress { runs: done, runs_total, events: self.report.events });
            }
        }
        progress(Progress { runs: runs_total, runs_total, events: self.report.events });
        Ok(())
    }

    /// Every run that a row of any table names.
    fn numbers(&self) -> rusqlite::Result<Vec<i64>> {
        let sql = "SELECT id FROM run UNION SELECT run FROM event UNION SELECT run FROM value ORDER BY 1";
        let mut query = self.conn.prepare(sql)?;
        let rows = query.query_map([], |row| row.get(0))?;
        rows.collect()
    }
}
