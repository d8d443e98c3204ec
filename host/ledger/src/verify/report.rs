//! What a verification found.

use std::fmt;

use serde::Serialize;

use crate::id::{LedgerId, RunId, Seq};

/// Findings that a report lists; beyond, they are only counted.
const LISTED: usize = 1000;

/// The result of [`Ledger::verify`](crate::Ledger::verify).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The ledger.
    pub ledger: LedgerId,
    /// Runs that were checked.
    pub runs: u64,
    /// Events that were checked.
    pub events: u64,
    /// Values that were there and were checked.
    pub values: u64,
    /// Values that are gone and whose erasure is on record.
    pub erased: u64,
    /// Links of the chain of heads that were checked.
    pub heads: u64,
    /// How the ledger compares with the checkpoint, if one was given.
    pub checkpoint: Option<Verdict>,
    /// What is wrong, at most the first thousand findings.
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub findings_total: u64,
}

impl VerifyReport {
    pub(crate) fn new(ledger: LedgerId) -> Self {
        Self {
            ledger,
            runs: 0,
            events: 0,
            values: 0,
            erased: 0,
            heads: 0,
            checkpoint: None,
            findings: Vec::new(),
            findings_total: 0,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings_total == 0 && matches!(self.checkpoint, None | Some(Verdict::Holds))
    }

    pub(crate) fn find(&mut self, problem: Problem, field: Field, place: Place, detail: impl Into<String>) {
        self.findings_total += 1;
        if self.findings.len() < LISTED {
            self.findings.push(Finding { problem, field, place, detail: detail.into() });
        }
    }

    /// Whether something is already known to be wrong with this event or its chain.
    pub(crate) fn blames(&self, run: RunId, seq: Seq) -> bool {
        self.findings.iter().any(|finding| finding.place.run == Some(run) && finding.place.seq == Some(seq))
    }
}

/// How a ledger compares with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// The checkpoint is in the ledger's chain of heads.
    Holds,
    /// The checkpoint is of another ledger: the file was swapped.
    OtherLedger {
        /// The ledger of the checkpoint.
        expected: LedgerId,
    },
    /// The chain of heads ends before the checkpoint: the newest part of the ledger was cut off.
    Cut {
        /// Where the chain ends now.
        last: u64,
        /// Where the checkpoint is.
        expected: u64,
    },
    /// The chain of heads is another one at the checkpoint: the ledger was written anew.
    Rewritten {
        /// Where the checkpoint is.
        at: u64,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => {
                f.write_str("the checkpoint holds: up to it, nothing was changed, removed or put in since it was taken")
            }
            Self::OtherLedger { expected } => write!(
                f,
                "the checkpoint is of ledger {expected}, and this is another one: the file was swapped, or the ledger \
                 was removed and a new one made"
            ),
            Self::Cut { last, expected } => write!(
                f,
                "the ledger was cut: the checkpoint is of head {expected}, and the chain ends at head {last}, so what \
                 was recorded between them is gone; whether the rest is as it was, only an earlier checkpoint tells"
            ),
            Self::Rewritten { at } => write!(
                f,
                "the ledger was written anew: its chain is consistent and is not the one of the checkpoint at head \
                 {at}, so something up to there is not what was recorded; an earlier checkpoint that holds tells \
                 from where on"
            ),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What happened to it.
    pub problem: Problem,
    /// What it happened to.
    pub field: Field,
    /// Where.
    pub place: Place,
    /// More, for people; may be empty.
    pub detail: String,
}

/// `run r… event 3: the value was changed: …`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the {} {}", self.place, self.field, self.problem)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// It is not what was chained.
    Changed,
    /// It was chained, or must be there, and is gone.
    Missing,
    /// It was chained at another place of the same run.
    Moved {
        /// The place where it was chained.
        belongs_at: Seq,
    },
    /// It is there and was never chained.
    Unexpected,
    /// The summary says something else than the events.
    Disagrees,
    /// The file cannot be read there.
    Unreadable,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("was changed"),
            Self::Missing => f.write_str("is missing"),
            Self::Moved { belongs_at } => write!(f, "was moved here from place {belongs_at}"),
            Self::Unexpected => f.write_str("was put in"),
            Self::Disagrees => f.write_str("disagrees with the events"),
            Self::Unreadable => f.write_str("cannot be read"),
        }
    }
}

/// What it happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The payload of an event, or its salt: they do not match the digest.
    Value,
    /// The salted digest of an event.
    Digest,
    /// The chain of an event or of a head.
    Chain,
    /// What an event or a head says in clear text: time, kind, status; and its digest, where the value is erased.
    Content,
    /// A whole event.
    Event,
    /// A whole head.
    Head,
    /// The row of a run.
    Run,
    /// The title in the summary of a run.
    Title,
    /// The status in the summary of a run.
    Status,
    /// The time of the beginning in the summary of a run.
    StartedAt,
    /// The end in the summary of a run.
    End,
    /// The file itself.
    File,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "value",
            Self::Digest => "digest",
            Self::Chain => "chain",
            Self::Content => "content",
            Self::Event => "event",
            Self::Head => "head",
            Self::Run => "run",
            Self::Title => "title",
            Self::Status => "status",
            Self::StartedAt => "start time",
            Self::End => "end",
            Self::File => "file",
        })
    }
}

/// Where it happened, as exactly as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The place in the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// The place in the chain of heads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
    /// The page of the file, as SQLite counts them, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
}

impl Place {
    pub(crate) fn run(run: RunId) -> Self {
        Self { run: Some(run), ..Self::default() }
    }

    pub(crate) fn event(run: RunId, seq: Seq) -> Self {
        Self { run: Some(run), seq: Some(seq), ..Self::default() }
    }

    pub(crate) fn head(n: u64) -> Self {
        Self { head: Some(n), ..Self::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.head.map(|n| format!("head {n}")),
            self.run.map(|run| format!("run {run}")),
            self.seq.map(|seq| format!("event {seq}")),
            self.page.map(|page| format!("page {page}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "ledger" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Runs that are done.
    pub runs: u64,
    /// Runs that there are.
    pub runs_total: u64,
    /// Events that are done.
    pub events: u64,
}
