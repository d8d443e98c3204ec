//! What a call cost and what it did: written for every call, also a failed one.

use serde::{Deserialize, Serialize};
use toolcrib_policy::Refusal;

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
    /// Each use of a capability, allowed or refused.
    #[serde(default, skip_serializing_if = "Uses::is_empty")]
    pub uses: Uses,
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
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// One use of a capability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapabilityUse {
    /// The capability, such as `http` or `files`.
    pub capability: String,
    /// What was done, such as `GET`, `read`, `write`.
    pub access: String,
    /// On what: a URL without its query, a path as the guest sees it, a name.
    pub target: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// How often in a row.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: u64,
    /// Bytes moved, in either direction.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// The code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

impl CapabilityUse {
    /// An allowed use.
    pub(crate) fn allowed(capability: &str, access: &str, target: &str) -> Self {
        CapabilityUse {
            capability: capability.to_owned(),
            access: access.to_owned(),
            target: target.to_owned(),
            allowed: true,
            times: 1,
            bytes: 0,
            refusal: None,
        }
    }

    /// A refused use.
    pub(crate) fn refused(capability: &str, access: &str, target: &str, refusal: &Refusal) -> Self {
        let code = refusal.code.as_str().to_owned();
        CapabilityUse { allowed: false, refusal: Some(code), ..Self::allowed(capability, access, target) }
    }

    fn same_kind(&self, other: &Self) -> bool {
        self.capability == other.capability
            && self.access == other.access
            && self.target == other.target
            && self.refusal == other.refusal
    }
}

impl Uses {
    /// Whether nothing was used.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.more == 0
    }

    pub(crate) fn push(&mut self, used: CapabilityUse, most: usize) {
        if let Some(last) = self.listed.last_mut().filter(|last| last.same_kind(&used)) {
            last.times += used.times;
            last.bytes += used.bytes;
        } else if self.listed.len() < most {
            self.listed.push(used);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn add_bytes(&mut self, capability: &str, access: &str, target: &str, bytes: u64) {
        let used = self
            .listed
            .iter_mut()
            .rev()
            .find(|u| u.allowed && u.capability == capability && u.access == access && u.target == target);
        if let Some(used) = used {
            used.bytes += bytes;
        }
    }
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

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn one() -> u64 {
    1
}

fn is_one(value: &u64) -> bool {
    *value == 1
}
