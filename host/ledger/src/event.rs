//! What goes in and what comes out, with its limits.

use serde::Serialize;
use serde_json::Value;

use crate::error::LedgerError;
use crate::id::{RunId, Seq, excerpt};
use crate::stamp::UnixMicros;

/// Longest kind of an event, in bytes. Kinds are chained in clear text and can never be erased: they are names, not data.
pub const MAX_KIND_LEN: usize = 64;
/// Longest status of a run, in bytes. Chained in clear text, like a kind.
pub const MAX_STATUS_LEN: usize = 64;
/// Longest title of a run, in bytes. A listing reads the titles of many runs.
pub const MAX_TITLE_BYTES: usize = 4096;
/// Largest payload of one event, in bytes of JSON. Results of tools are capped well below; this guards the file.
pub const MAX_PAYLOAD_BYTES: usize = 16 << 20;
/// Deepest nesting of a payload. JSON parsers stop at 128, and what was written must be readable.
pub const MAX_PAYLOAD_DEPTH: usize = 100;

/// Kinds that begin with this are the ledger's own.
pub(crate) const OWN_KINDS: &str = "ledger.";
/// The event that begins a run; its payload is `{"title": ..., "details": ...}`.
pub(crate) const KIND_BEGUN: &str = "ledger.begun";
/// The record of an erasure; its payload is `{"from": seq, "to": seq, "reason": text}`, both ends included.
pub(crate) const KIND_ERASED: &str = "ledger.erased";

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The death of the process, not the loss of power.
    Process,
    /// Also the loss of power: the call returns after the disk has confirmed a flush, of this and of all before it.
    Power,
}

/// What is known of a run when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct RunMeta {
    /// One line for listings, such as the goal.
    pub title: String,
    /// The first status of the run; same rule as [`NewEvent::status`].
    pub status: String,
    /// Whatever else the fold needs; the payload of event 0 holds it as `details`.
    pub details: Value,
}

impl RunMeta {
    /// A run with this title and status and no details.
    pub fn new(title: impl Into<String>, status: impl Into<String>) -> Self {
        Self { title: title.into(), status: status.into(), details: Value::Null }
    }

    /// With these details.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// An event that is to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) status: Option<String>,
    pub(crate) ends: bool,
}

impl NewEvent {
    /// An event of this kind: 1 to 64 of `a-z A-Z 0-9 . _ -`, not beginning with `ledger.`.
    ///
    /// The kind is chained in clear text and cannot be erased; data belongs in the payload.
    pub fn new(kind: impl Into<String>, payload: Value) -> Self {
        Self { kind: kind.into(), payload, status: None, ends: false }
    }

    /// From here on the run has this status: a word for listings, 1 to 64 of `a-z A-Z 0-9 . _ -`, in clear text.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// The run ends here: its head goes into the chain of heads. A later event opens the run again.
    #[must_use]
    pub fn ends_run(mut self) -> Self {
        self.ends = true;
        self
    }
}

/// The acknowledgement of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Its place in the run.
    pub seq: Seq,
    /// What the clock said when it was written.
    pub at: UnixMicros,
}

/// An event as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The run.
    pub run: RunId,
    /// Its place in the run; the only order that counts.
    pub seq: Seq,
    /// What the clock said when it was written.
    pub at: UnixMicros,
    /// The kind that its writer gave it.
    pub kind: String,
    /// The status that the run took with it, if it took one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The payload, or `None` if it was erased.
    pub payload: Option<Value>,
}

/// One line of a listing: a summary that is derived from the events and no part of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// What the clock said when it began.
    pub started_at: UnixMicros,
    /// Its title; empty if it was erased.
    pub title: String,
    /// The status of the last event that gave one.
    pub status: String,
    /// The place of its last event.
    pub last_seq: Seq,
    /// What the clock said at its last event.
    pub last_at: UnixMicros,
    /// Whether its last event ended it. A run that is open while no process drives it was interrupted.
    pub ended: bool,
}

/// Which runs a listing shows; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs with this status.
    pub status: Option<String>,
    /// Only runs that have (`true`) or have not (`false`) ended.
    pub ended: Option<bool>,
    /// Only runs that began before this one, for the next page of a listing.
    pub before: Option<RunId>,
}

/// An event whose payload was checked and written as JSON, ready for the writer.
pub(crate) struct Checked {
    pub(crate) kind: String,
    pub(crate) payload: String,
    pub(crate) status: Option<String>,
    pub(crate) ends: bool,
}

impl NewEvent {
    /// Checks what a caller gives.
    pub(crate) fn check(self) -> Result<Checked, LedgerError> {
        if !is_name(&self.kind, MAX_KIND_LEN) || self.kind.starts_with(OWN_KINDS) {
            return Err(LedgerError::BadKind { given: excerpt(&self.kind) });
        }
        self.check_own()
    }

    /// Checks an event of the ledger's own.
    pub(crate) fn check_own(self) -> Result<Checked, LedgerError> {
        if let Some(status) = self.status.as_deref()
            && !is_name(status, MAX_STATUS_LEN)
        {
            return Err(LedgerError::BadStatus { given: excerpt(status) });
        }
        let payload = write_json(&self.payload)?;
        Ok(Checked { kind: self.kind, payload, status: self.status, ends: self.ends })
    }
}

fn is_name(text: &str, limit: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=limit).contains(&text.len()) && text.bytes().all(allowed)
}

fn write_json(payload: &Value) -> Result<String, LedgerError> {
    if nests_deeper(payload, MAX_PAYLOAD_DEPTH) {
        return Err(LedgerError::PayloadTooDeep);
    }
    let text =
        serde_json::to_string(payload).map_err(|error| LedgerError::PayloadNotJson { detail: error.to_string() })?;
    if text.len() > MAX_PAYLOAD_BYTES {
        return Err(LedgerError::PayloadTooLarge { len: text.len() });
    }
    Ok(text)
}

/// Recursion ends at the limit, so that no payload exhausts the stack.
fn nests_deeper(value: &Value, limit: usize) -> bool {
    let Some(below) = limit.checked_sub(1) else {
        return matches!(value, Value::Array(_) | Value::Object(_));
    };
    match value {
        Value::Array(items) => items.iter().any(|item| nests_deeper(item, below)),
        Value::Object(map) => map.values().any(|item| nests_deeper(item, below)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| json!([inner]))
    }

    #[test]
    fn a_payload_of_the_greatest_depth_can_be_read_back() {
        let text = write_json(&nested(MAX_PAYLOAD_DEPTH)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), nested(MAX_PAYLOAD_DEPTH));
        let refused = write_json(&nested(MAX_PAYLOAD_DEPTH + 1));
        assert!(matches!(refused, Err(LedgerError::PayloadTooDeep)));
    }

    #[test]
    fn a_payload_above_the_limit_is_refused_with_its_size() {
        let refused = write_json(&Value::String("x".repeat(MAX_PAYLOAD_BYTES)));
        assert!(matches!(refused, Err(LedgerError::PayloadTooLarge { len }) if len == MAX_PAYLOAD_BYTES + 2));
    }

    #[test]
    fn kinds_and_statuses_are_short_names() {
        for bad in ["", "two words", "ledger.begun", "é", &"k".repeat(65)] {
            let refused = NewEvent::new(bad, Value::Null).check();
            assert!(matches!(refused, Err(LedgerError::BadKind { .. })), "{bad}");
        }
        let refused = NewEvent::new("step", Value::Null).status("not ok").check();
        assert!(matches!(refused, Err(LedgerError::BadStatus { .. })));
        assert!(NewEvent::new("step.begun", Value::Null).status("running").check().is_ok());
    }
}
