//! Approvals: a person's word on one call.
//!
//! ```text
//!  a rule says `ask` ─► ApprovalRequest ─► a person, or nobody in time ─► ApprovalAnswer ─► Approvals::covering
//! ```
//!
//! A yes binds to the plugin's bytes, the tool and its arguments, and reaches as far as the person said. What a person
//! reads is made here from the call alone: neither the tool nor a model has a say in it.

mod inbox;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::effect::Effect;
use crate::names::{ToolName, shortened};

pub use inbox::{Approvals, Asked, Standing};

/// Milliseconds since 1970 (UTC).
pub type UnixMillis = u64;

/// The name of a question, short enough to be typed: eight characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApprovalId(String);

/// The text is not the name of a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a question: it has eight letters and digits, as `toolcrib approvals` lists them")]
pub struct ApprovalIdError(String);

impl ApprovalId {
    const LEN: usize = 8;
    /// Crockford's base 32: no letter that is mistaken for a digit.
    const DIGITS: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// The name of the question whether `call` may be made at `place`, which names run, step and try. The same question
    /// has the same name after a restart.
    pub fn of(place: &str, call: &BoundCall) -> Self {
        let text = format!("{place}\n{}\n{}\n{}", call.plugin, call.tool, canonical(&call.arguments));
        let digest = Digest::of(text.as_bytes());
        let digit = |byte: &u8| char::from(Self::DIGITS[usize::from(byte & 31)]);
        Self(digest.as_bytes().iter().take(Self::LEN).map(digit).collect())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApprovalId {
    type Err = ApprovalIdError;

    fn from_str(text: &str) -> Result<Self, ApprovalIdError> {
        let text = text.trim().to_ascii_lowercase();
        let fits = text.len() == Self::LEN && text.bytes().all(|byte| Self::DIGITS.contains(&byte));
        if fits { Ok(Self(text)) } else { Err(ApprovalIdError(shortened(&text))) }
    }
}

impl TryFrom<String> for ApprovalId {
    type Error = ApprovalIdError;

    fn try_from(text: String) -> Result<Self, ApprovalIdError> {
        text.parse()
    }
}

impl From<ApprovalId> for String {
    fn from(id: ApprovalId) -> String {
        id.0
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A call, as a person is asked about it. Any difference makes it another call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundCall {
    /// The plugin's component, by its bytes.
    pub plugin: Digest,
    /// The tool.
    pub tool: ToolName,
    /// The arguments, a JSON object.
    pub arguments: Value,
}

/// A question about a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Its name.
    pub id: ApprovalId,
    /// The call.
    pub call: BoundCall,
    /// The effect class of the call.
    pub effect: Effect,
    /// The rule that asks.
    pub rule: String,
    /// The operator's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// When it stops waiting for a person.
    pub expires: UnixMillis,
    /// What counts then.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// What counts where nobody answered in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// The call is not made.
    #[default]
    Deny,
    /// The call is made.
    Allow,
}

/// How far a yes reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "for", content = "until")]
pub enum ApprovalScope {
    /// One call.
    Once,
    /// Every call like it in the same run.
    Run,
    /// Every call like it, in any run, before this time.
    Until(UnixMillis),
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum ApprovalAnswer {
    /// A person says yes.
    Approved {
        /// How far.
        #[serde(flatten)]
        scope: ApprovalScope,
        /// Arguments that may differ from those asked about, by name.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        any: BTreeSet<String>,
        /// Who, as far as the host knows: the user and the door, such as `ada at the terminal`.
        by: String,
    },
    /// A person says no.
    Denied {
        /// Who.
        by: String,
        /// The person's reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Nobody answered in time: the default counts.
    Expired {
        /// Which it is.
        otherwise: Otherwise,
    },
    /// Nobody is there, and the operator wants no waiting. The question stays open for the next run.
    Nobody,
    /// It is of no use any more: the run went another way, or ended.
    Withdrawn,
}

impl ApprovalAnswer {
    /// Whether the call may be made.
    pub fn allows(&self) -> bool {
        matches!(self, Self::Approved { .. } | Self::Expired { otherwise: Otherwise::Allow })
    }

    /// Whether the question is closed by it. Nobody's silence closes nothing.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Nobody)
    }
}

/// The value with the keys of every object in order, whatever the map type keeps: two spellings of one value are one.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), canonical(v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}
