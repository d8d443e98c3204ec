//! All questions and answers, read from the ledger; and answering from a process that drives no run.

use std::path::Path;
use std::time::{Duration, Instant};

use toolcrib_agent::{Event, EventKind, Millis, NodeId};
use toolcrib_ledger::{Durability, Ledger, LedgerError, NewEvent, RunId, UnixMicros};
use toolcrib_policy::{ApprovalAnswer, ApprovalId, ApprovalScope, Approvals, Asked, Otherwise, Standing, UnixMillis};

use super::spool::{Spool, Word};
use crate::gate::now;
use crate::ledger::to_ledger;

/// How long an answer is watched on its way to the process that has the ledger.
const DELIVERY: Duration = Duration::from_secs(3);
const DELIVERY_LOOK: Duration = Duration::from_millis(50);

/// The kinds of events that make the inbox, in the order in which they follow from each other.
const KINDS: [&str; 4] = ["approval-asked", "approval-answered", "approval-used", "approval-revoked"];

/// Everything that the ledger holds about questions. What was erased takes with it whatever it could have closed: no yes
/// comes back to life because its use, or its end, is not known any more.
pub(crate) fn fold(ledger: &Ledger) -> Result<Approvals, LedgerError> {
    let mut approvals = Approvals::default();
    let mut lost = Vec::new();
    for kind in KINDS {
        for event in ledger.events_of_kind(kind)? {
            match event.payload.map(serde_json::from_value::<Event>) {
                Some(Ok(read)) => note(&mut approvals, &event.run.to_string(), &read),
                _ if kind != KINDS[0] => lost.push((event.run.to_string(), event.at)),
                _ => {}
            }
        }
    }
    for (run, at) in lost {
        // The clock of the ledger ticks in microseconds: what was said in the same millisecond counts as before.
        approvals.lost(&run, u64::try_from(at.get() / 1000).unwrap_or(0).saturating_add(1));
    }
    Ok(approvals)
}

/// Takes note of one event.
pub(crate) fn note(approvals: &mut Approvals, run: &str, event: &Event) {
    match &event.kind {
        EventKind::ApprovalAsked { request, .. } => approvals.asked(run, event.at.0, request.clone()),
        EventKind::ApprovalAnswered { id, answer, .. } => {
            approvals.answered(id, event.at.0, answer.clone());
        }
        EventKind::ApprovalUsed { id, .. } => approvals.used(id),
        EventKind::ApprovalRevoked { id } => approvals.revoked(id),
        _ => {}
    }
}

/// Writes down what lies in the spool. Called by whoever has just got the ledger.
pub(crate) fn sweep(ledger: &Ledger, spool: &Spool) -> Result<(), LedgerError> {
    let waiting = spool.all();
    if waiting.is_empty() {
        return Ok(());
    }
    let mut approvals = fold(ledger)?;
    for (id, word) in waiting {
        if let Some(asked) = approvals.get(&id).cloned() {
            record(ledger, &asked, &word)?;
            approvals = fold(ledger)?;
        }
        spool.remove(&id, &word);
    }
    Ok(())
}

/// Appends a word to the run that asked, if it still changes something.
fn record(ledger: &Ledger, asked: &Asked, word: &Word) -> Result<(), LedgerError> {
    let (Ok(run), id) = (ledger.resolve(&asked.run), asked.request.id.clone()) else { return Ok(()) };
    let kind = match word {
        Word::Answer(answer) if asked.standing(now()) == Standing::Open => {
            let Some(node) = node_of(ledger, run, &id)? else { return Ok(()) };
            EventKind::ApprovalAnswered { node, id, answer: answer.clone() }
        }
        Word::Revoke if asked.answer.is_some() && !asked.revoked => EventKind::ApprovalRevoked { id },
        _ => return Ok(()),
    };
    let event: NewEvent = to_ledger(&kind.at(Millis(now())))
        .map_err(|error| LedgerError::PayloadNotJson { detail: error.to_string() })?;
    ledger.append(run, event, Durability::Power).map(drop)
}

/// The step that asked.
fn node_of(ledger: &Ledger, run: RunId, id: &ApprovalId) -> Result<Option<NodeId>, LedgerError> {
    let asked = ledger.events_of_kind(KINDS[0])?.into_iter().filter(|event| event.run == run);
    let mut nodes = asked.filter_map(|event| match serde_json::from_value::<Event>(event.payload?).ok()?.kind {
        EventKind::ApprovalAsked { node, request, .. } if request.id == *id => Some(node),
        _ => None,
    });
    Ok(nodes.next())
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It stands in the ledger.
    Recorded,
    /// It lies in the spool: the process that has the ledger, or the next one, writes it down.
    Left {
        /// The process.
        pid: Option<u32>,
    },
}

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// No question has that name.
    #[error("there is no question `{0}`; `toolcrib approvals` lists those that are open")]
    Unknown(String),
    /// Several questions begin so.
    #[error("`{given}` is the beginning of {count} questions: give more of the name")]
    Ambiguous {
        /// What was given.
        given: String,
        /// How many there are.
        count: usize,
    },
    /// The question is closed.
    #[error("question `{id}` is closed: {how}")]
    Closed {
        /// The question.
        id: ApprovalId,
        /// How it was closed.
        how: String,
    },
    /// An argument to leave open that the call does not have.
    #[error("the call has no argument `{0}` that could be left open")]
    NoArgument(String),
    /// The spool could not be written.
    #[error("the answer could not be left for the process that has the ledger: {0}")]
    Spool(#[from] std::io::Error),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The questions and answers of one data folder.
#[derive(Debug)]
pub struct Inbox {
    data: std::path::PathBuf,
    /// Everything that is known.
    pub approvals: Approvals,
}

impl Inbox {
    /// Reads the ledger below `data`, also while another process writes to it. Where there is none, nothing was asked.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub fn open(data: &Path) -> Result<Self, LedgerError> {
        let approvals = match Ledger::open_read_only(data) {
            Ok(ledger) => fold(&ledger)?,
            Err(LedgerError::NoLedger { .. }) => Approvals::default(),
            Err(error) => return Err(error),
        };
        Ok(Self { data: data.to_owned(), approvals })
    }

    /// The one question whose name begins with `text`.
    ///
    /// # Errors
    ///
    /// There is none, or there are several.
    pub fn find(&self, text: &str) -> Result<&Asked, InboxError> {
        match self.approvals.beginning_with(text).as_slice() {
            [] => Err(InboxError::Unknown(text.escape_debug().to_string())),
            [one] => Ok(*one),
            several => Err(InboxError::Ambiguous { given: text.to_owned(), count: several.len() }),
        }
    }

    /// Answers a question. The same answer once more is no error and changes nothing.
    ///
    /// # Errors
    ///
    /// The question is closed by another answer, or the answer could not be written anywhere.
    pub fn answer(&self, asked: &Asked, answer: ApprovalAnswer) -> Result<Delivered, InboxError> {
        let id = asked.request.id.clone();
        let closed = |how: String| InboxError::Closed { id: id.clone(), how };
        match (&asked.answer, asked.standing(now())) {
            (Some((given, _)), _) if same_word(given, &answer) => return Ok(Delivered::Recorded),
            (Some((given, _)), _) => return Err(closed(told(given))),
            (None, Standing::Open) => {}
            (None, _) => return Err(closed("nobody answered in time".to_owned())),
        }
        if let ApprovalAnswer::Approved { any, .. } = &answer
            && let Some(missing) = any.iter().find(|name| asked.request.call.arguments.get(*name).is_none())
        {
            return Err(InboxError::NoArgument(missing.escape_debug().to_string()));
        }
        self.deliver(asked, &Word::Answer(answer))
    }

    /// Takes a yes back. Calls that were made on its strength stay made.
    ///
    /// # Errors
    ///
    /// There is no yes to take back, or it could not be written anywhere.
    pub fn revoke(&self, asked: &Asked) -> Result<Delivered, InboxError> {
        let closed = |how: &str| InboxError::Closed { id: asked.request.id.clone(), how: how.to_owned() };
        match asked.standing(now()) {
            _ if asked.revoked => Ok(Delivered::Recorded),
            Standing::Valid => self.deliver(asked, &Word::Revoke),
            Standing::Open => Err(closed("nobody has answered it yet; `toolcrib approvals deny` does")),
            Standing::Over => Err(closed("nothing more follows from it")),
        }
    }

    fn deliver(&self, asked: &Asked, word: &Word) -> Result<Delivered, InboxError> {
        let spool = Spool::in_data(&self.data);
        let pid = match Ledger::open(&self.data) {
            Ok(ledger) => {
                record(&ledger, asked, word)?;
                return Ok(Delivered::Recorded);
            }
            Err(LedgerError::Locked { pid, .. }) => pid,
            Err(error) => return Err(error.into()),
        };
        let id = &asked.request.id;
        spool.put(id, word)?;
        let begun = Instant::now();
        while begun.elapsed() < DELIVERY {
            std::thread::sleep(DELIVERY_LOOK);
            let known = Inbox::open(&self.data)?.approvals;
            let written = known.get(id).is_some_and(|asked| match word {
                Word::Answer(_) => asked.answer.is_some(),
                Word::Revoke => asked.revoked,
            });
            if written {
                return Ok(Delivered::Recorded);
            }
        }
        Ok(Delivered::Left { pid })
    }
}

/// What came of a question, in words.
pub fn told(answer: &ApprovalAnswer) -> String {
    match answer {
        ApprovalAnswer::Approved { scope, any, by } => {
            let scope = match scope {
                ApprovalScope::Once => "once".to_owned(),
                ApprovalScope::Run => "for the run".to_owned(),
                ApprovalScope::Until(at) => format!("until {}", at_time(*at)),
            };
            let any: Vec<String> = any.iter().map(|name| format!(", with any `{name}`")).collect();
            format!("approved {scope}{} by {by}", any.concat())
        }
        ApprovalAnswer::Denied { by, reason: Some(reason) } => format!("denied by {by}: {reason}"),
        ApprovalAnswer::Denied { by, reason: None } => format!("denied by {by}"),
        ApprovalAnswer::Expired { otherwise: Otherwise::Allow } => {
            "nobody answered in time, and the default allows it".to_owned()
        }
        ApprovalAnswer::Expired { otherwise: Otherwise::Deny } => "nobody answered in time".to_owned(),
        ApprovalAnswer::Nobody => "nobody is there".to_owned(),
        ApprovalAnswer::Withdrawn => "the run did not need it any more".to_owned(),
    }
}

/// A time as people read it, in UTC.
pub fn at_time(at: UnixMillis) -> UnixMicros {
    UnixMicros::new(i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(1000))
}

/// Whether two answers say the same, whoever gave them.
fn same_word(one: &ApprovalAnswer, two: &ApprovalAnswer) -> bool {
    match (one, two) {
        (ApprovalAnswer::Approved { scope, any, .. }, ApprovalAnswer::Approved { scope: other, any: others, .. }) => {
            scope == other && any == others
        }
        (ApprovalAnswer::Denied { .. }, ApprovalAnswer::Denied { .. }) => true,
        _ => false,
    }
}
