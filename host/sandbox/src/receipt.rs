//! What a call cost and what it did: written for every call, also a failed one.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use toolcrib_policy::{Effect, Refusal};

use crate::outcome::{CallError, EffectState, ToolOutput};

/// The receipt of one call. All sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Fuel used: about one unit per executed instruction, the same on every machine for the same work.
    pub fuel: u64,
    /// The most that all linear memories and tables had together.
    pub peak_memory_bytes: u64,
    /// Time from the start of the call to its end, in microseconds; time inside host calls included.
    pub wall_us: u64,
    /// The arguments as JSON.
    pub argument_bytes: u64,
    /// The result as JSON or text; 0 where there is none.
    pub result_bytes: u64,
    /// Calls from the guest into the host.
    pub host_calls: u64,
    /// Bytes that crossed between guest and host in those calls.
    pub host_call_bytes: u64,
    /// Whether something that was allowed may have changed the world: a request with a method that may, a write.
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_have_changed: bool,
    /// How the call went beyond what its tool declares of its effect; nothing where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeclared: Option<String>,
    /// Each use of a capability, allowed or refused.
    #[serde(default, skip_serializing_if = "Uses::is_empty")]
    pub uses: Uses,
    /// Each call of another tool, with its own receipt.
    #[serde(default, skip_serializing_if = "InnerCalls::is_empty")]
    pub inner: InnerCalls,
    /// Standard output.
    #[serde(default, skip_serializing_if = "Captured::is_empty")]
    pub stdout: Captured,
    /// Standard error.
    #[serde(default, skip_serializing_if = "Captured::is_empty")]
    pub stderr: Captured,
    /// The log, progress reports included.
    #[serde(default, skip_serializing_if = "Captured::is_empty")]
    pub log: Captured,
}

/// The uses of capabilities in one call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uses {
    /// The first uses, in order.
    pub listed: Vec<CapabilityUse>,
    /// How many more there were. What changes nothing and what may change something, or was refused, are cut off each on
    /// their own, so that no number of reads hides a write.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
    /// The bytes that these moved.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_bytes: u64,
}

/// One use of a capability, or several of the same in a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapabilityUse {
    /// The capability, such as `http` or `files`.
    pub capability: String,
    /// What was done, such as `GET`, `read`, `write`.
    pub access: String,
    /// On what: a URL without its query, a path as the guest sees it, a name.
    pub target: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// The operator's line that allowed it, as far as it reaches for this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it began, in microseconds from the start of the call; of several in a row, when the first did.
    #[serde(default)]
    pub at_us: u64,
    /// Time that the host spent on it, waiting for the outside included, in microseconds; of several in a row, the sum.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub took_us: u64,
    /// How often in a row.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: u64,
    /// Bytes moved, in either direction.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// The code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The smallest grant that would have allowed it, as TOML for the plugin's section of the operator's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// How many of them were allowed and failed all the same.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Why the last of these failed, as a stable code: `dns-failed`, `connect-refused`, `tls-failed`, `no-entry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A use as it is told to the record: nothing is copied unless it makes a new line.
#[derive(Clone, Copy)]
pub(crate) struct Used<'a> {
    pub(crate) capability: &'static str,
    pub(crate) access: &'a str,
    pub(crate) target: &'a str,
    /// The line that allows it.
    pub(crate) by: Option<&'a (dyn fmt::Display + Sync)>,
    pub(crate) began: Instant,
}

impl<'a> Used<'a> {
    /// A use that begins now.
    pub(crate) fn now(capability: &'static str, access: &'a str, target: &'a str) -> Self {
        Used { capability, access, target, by: None, began: Instant::now() }
    }

    pub(crate) fn by(self, line: &'a (dyn fmt::Display + Sync)) -> Self {
        Used { by: Some(line), ..self }
    }

    fn is(&self, listed: &CapabilityUse) -> bool {
        listed.capability == self.capability && listed.access == self.access && listed.target == self.target
    }
}

/// What came of a use that was listed before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) error: Option<&'static str>,
}

impl Receipt {
    /// Compares what the call did with the effect class that its tool declares. A tool that says that it only reads and
    /// may have changed something went beyond; what is undeclared promises nothing.
    pub fn check_declared(&mut self, declared: Option<&Effect>) {
        if declared == Some(&Effect::Read) && self.may_have_changed {
            self.undeclared =
                Some("the tool declares that it only reads, and it may have changed something".to_owned());
        }
    }
}

impl Uses {
    /// Whether nothing was used.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.more == 0
    }

    /// Lists a use, allowed unless there is a refusal. `started` is when the call did, `room` how many lines more there
    /// may be of its kind.
    pub(crate) fn list(&mut self, used: &Used<'_>, refusal: Option<&Refusal>, started: Instant, room: &mut usize) {
        let grant = refusal.and_then(|refusal| refusal.grant.as_ref());
        let refusal = refusal.map(|refusal| refusal.code.as_str());
        let again = |last: &&mut CapabilityUse| used.is(last) && last.refusal.as_deref() == refusal;
        if let Some(last) = self.listed.last_mut().filter(again) {
            last.times += 1;
        } else if *room > 0 {
            *room -= 1;
            self.listed.push(CapabilityUse {
                capability: used.capability.to_owned(),
                access: used.access.to_owned(),
                target: used.target.to_owned(),
                allowed: refusal.is_none(),
                by: used.by.map(ToString::to_string),
                at_us: micros(used.began.saturating_duration_since(started)),
                times: 1,
                refusal: refusal.map(str::to_owned),
                grant: grant.cloned(),
                ..CapabilityUse::default()
            });
        } else {
            self.more += 1;
        }
    }

    /// Adds what came of an allowed use to the line that was listed for it last.
    pub(crate) fn add(&mut self, used: &Used<'_>, came: Came) {
        let Some(line) = self.listed.iter_mut().rev().find(|line| line.allowed && used.is(line)) else {
            self.more_bytes += came.bytes;
            return;
        };
        line.bytes += came.bytes;
        line.took_us += micros(came.took);
        if let Some(error) = came.error {
            line.failed += 1;
            line.error = Some(error.to_owned());
        }
    }
}

/// The calls of other tools in one call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InnerCalls {
    /// The first calls, in order.
    pub listed: Vec<InnerCall>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// A call of another tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InnerCall {
    /// The tool.
    pub tool: String,
    /// When it began, in microseconds from the start of the outer call.
    pub at_us: u64,
    /// `ok`, or the code of the error.
    pub outcome: String,
    /// Of a failed call, whether its outside effect happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectState>,
    /// Its receipt; absent where the receipts of the inner calls together are larger than an outer one may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<Receipt>>,
}

/// Inner calls that a receipt lists; further ones are counted.
const MAX_INNER: usize = 64;
/// Bytes of JSON of all inner receipts in one receipt, those in them included: a small part of what an event of the
/// ledger may hold.
const MAX_INNER_BYTES: usize = 512 << 10;

/// The inner calls of a call that goes on.
#[derive(Debug, Default)]
pub(crate) struct InnerCallLog {
    calls: InnerCalls,
    bytes: usize,
}

impl InnerCallLog {
    /// Lists a call that is over. `at` is when it began, from the start of the outer call.
    pub(crate) fn push(&mut self, tool: &str, at: Duration, outcome: &Result<ToolOutput, CallError>, receipt: Receipt) {
        if self.calls.listed.len() >= MAX_INNER {
            self.calls.more += 1;
            return;
        }
        let size = serde_json::to_vec(&receipt).map_or(usize::MAX, |text| text.len());
        let fits = self.bytes.saturating_add(size) <= MAX_INNER_BYTES;
        if fits {
            self.bytes += size;
        }
        self.calls.listed.push(InnerCall {
            tool: tool.to_owned(),
            at_us: micros(at),
            outcome: outcome.as_ref().map_or_else(|error| error.code.clone(), |_| "ok".to_owned()),
            effect: outcome.as_ref().err().map(|error| error.effect),
            receipt: fits.then(|| Box::new(receipt)),
        });
    }

    pub(crate) fn take(&mut self) -> InnerCalls {
        self.bytes = 0;
        std::mem::take(&mut self.calls)
    }
}

impl InnerCalls {
    /// Whether no other tool was called.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.more == 0
    }
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Text that a guest wrote to one of its streams, as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    /// The first part. Bytes that are not UTF-8 stand as U+FFFD.
    pub text: String,
    /// Bytes that were dropped after it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_bytes: u64,
    /// Lines that were dropped after it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_lines: u64,
}

impl Captured {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.dropped_bytes == 0 && self.dropped_lines == 0
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn one() -> u64 {
    1
}

fn is_one(value: &u64) -> bool {
    *value == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Record;
    use toolcrib_policy::{Limits, RefusalCode};

    fn that_printed(bytes: usize) -> Receipt {
        let stdout = Captured { text: "x".repeat(bytes), ..Captured::default() };
        Receipt { stdout, ..Receipt::default() }
    }

    #[test]
    fn uses_of_the_same_in_a_row_are_one_line_with_their_sum() {
        let record = Record::new(&Limits::default());
        let line = "read-write ./out as /out";
        for bytes in [3, 4] {
            let used = Used::now("files", "write", "/out/a").by(&line);
            record.allowed(&used, true);
            record.add(&used, Came { bytes, took: Duration::from_micros(10), error: None });
        }
        record.came(&Used::now("files", "write", "/out/a"), Some("insufficient-space"));
        let uses = record.take_uses();
        let [used] = &uses.listed[..] else { panic!("{uses:?}") };
        assert_eq!((used.times, used.bytes, used.by.as_deref()), (2, 7, Some(line)));
        assert_eq!((used.failed, used.error.as_deref()), (1, Some("insufficient-space")));
        assert!(used.took_us >= 20);
    }

    #[test]
    fn no_number_of_reads_hides_a_write_or_a_refusal() {
        let record = Record::new(&Limits::default());
        for number in 0..1000 {
            let name = format!("/docs/{number}");
            let used = Used::now("files", "read", &name);
            record.allowed(&used, false);
            record.add(&used, Came { bytes: 1, ..Came::default() });
        }
        record.allowed(&Used::now("files", "write", "/out/late"), true);
        record.refused("http", "GET", "http://late/", &Refusal::new(RefusalCode::NetDenied, "no".to_owned()));
        let uses = record.take_uses();
        assert_eq!((uses.listed.len(), uses.more, uses.more_bytes), (258, 744, 744));
        assert_eq!(uses.listed[256].target, "/out/late");
        assert_eq!(uses.listed[257].refusal.as_deref(), Some("net-denied"));
    }

    #[test]
    fn the_receipts_of_inner_calls_are_bounded_in_number_and_in_bytes() {
        let mut log = InnerCallLog::default();
        for _ in 0..3 {
            log.push("text.stats", Duration::ZERO, &Ok(ToolOutput::default()), that_printed(200 << 10));
        }
        log.push("text.stats", Duration::ZERO, &Ok(ToolOutput::default()), that_printed(10));
        let calls = log.take();
        let kept: Vec<bool> = calls.listed.iter().map(|call| call.receipt.is_some()).collect();
        assert_eq!(kept, [true, true, false, true]);
        for _ in 0..70 {
            log.push("text.stats", Duration::ZERO, &Err(CallError::unavailable("no")), Receipt::default());
        }
        let calls = log.take();
        assert_eq!((calls.listed.len(), calls.more), (64, 6));
        assert_eq!(calls.listed[0].outcome, "unavailable");
        assert_eq!(calls.listed[0].effect, Some(EffectState::None));
    }

    #[test]
    fn a_receipt_of_an_older_version_can_be_read() {
        let old = r#"{"fuel":1,"peak_memory_bytes":2,"wall_us":3,"argument_bytes":4,"result_bytes":5,"host_calls":6,
            "host_call_bytes":7,"uses":{"listed":[{"capability":"http","access":"GET","target":"http://a/","allowed":true}]}}"#;
        let receipt: Receipt = serde_json::from_str(old).unwrap();
        assert_eq!((receipt.uses.listed[0].times, receipt.uses.listed[0].at_us), (1, 0));
        let text = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), receipt);
    }
}
