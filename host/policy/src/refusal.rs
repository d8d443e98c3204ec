//! What a refusal says: what was refused, by which rule, and the smallest grant that would have allowed it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::LimitName;

/// The stable code of a refusal: one per cause, the same in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RefusalCode {
    /// No rule allows the request on the network.
    NetDenied,
    /// The address is of a class that is closed.
    NetAddressBlocked,
    /// The request has no target that could be checked.
    UrlInvalid,
    /// The line that allows the request has been used as often as it may.
    NetRate,
    /// A credential is granted, and some other side keeps it from the request.
    CredentialDenied,
    /// The credential of a request cannot be had: its secret is not in the store, or no token was given.
    CredentialUnavailable,
    /// No rule allows the folder, or not this access.
    FileDenied,
    /// No rule allows the bucket, or not this access.
    KeyValueDenied,
    /// The bucket is full.
    KeyValueFull,
    /// No rule allows the environment variable.
    EnvDenied,
    /// No rule allows the configuration key.
    ConfigDenied,
    /// No rule allows the tool.
    ToolDenied,
    /// No rule allows questions to a person.
    AskDenied,
    /// No rule allows the language model.
    ModelDenied,
    /// The ceiling rejects an import of the component.
    ImportDenied,
    /// A rule of the operator denies the call, or the rule itself failed.
    RuleDenied,
    /// The labels of the arguments do not fit where the call goes.
    FlowDenied,
    /// A person denied the call, or nobody answered in time.
    ApprovalDenied,
    /// A limit of the call is used up.
    Limit(LimitName),
}

impl RefusalCode {
    const PLAIN: &'static [RefusalCode] = &[
        Self::NetDenied,
        Self::NetAddressBlocked,
        Self::UrlInvalid,
        Self::NetRate,
        Self::CredentialDenied,
        Self::CredentialUnavailable,
        Self::FileDenied,
        Self::KeyValueDenied,
        Self::KeyValueFull,
        Self::EnvDenied,
        Self::ConfigDenied,
        Self::ToolDenied,
        Self::AskDenied,
        Self::ModelDenied,
        Self::ImportDenied,
        Self::RuleDenied,
        Self::FlowDenied,
        Self::ApprovalDenied,
    ];

    /// Whether the code of a failed call says that policy forbids what was asked for. A target that cannot be checked and
    /// a limit that ended are other causes; `denied` is what a tool says that refuses by a rule of its own.
    pub fn is_denial(code: &str) -> bool {
        code == "denied" || code == Self::NetAddressBlocked.as_str() || code.ends_with("-denied")
    }

    /// The code as text, such as `net-denied` or `limit-http-requests`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NetDenied => "net-denied",
            Self::NetAddressBlocked => "net-address-blocked",
            Self::UrlInvalid => "url-invalid",
            Self::NetRate => "net-rate",
            Self::CredentialDenied => "credential-denied",
            Self::CredentialUnavailable => "credential-unavailable",
            Self::FileDenied => "file-denied",
            Self::KeyValueDenied => "keyvalue-denied",
            Self::KeyValueFull => "keyvalue-full",
            Self::EnvDenied => "env-denied",
            Self::ConfigDenied => "config-denied",
            Self::ToolDenied => "tool-denied",
            Self::AskDenied => "ask-denied",
            Self::ModelDenied => "model-denied",
            Self::ImportDenied => "import-denied",
            Self::RuleDenied => "rule-denied",
            Self::FlowDenied => "flow-denied",
            Self::ApprovalDenied => "approval-denied",
            Self::Limit(name) => name.code(),
        }
    }
}

/// The place where a call is let through or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GateKind {
    /// When a plugin is added: what could it ever reach?
    Import,
    /// When a tool is called: may it be called with these arguments now?
    Call,
    /// When a file, a connection, or whatever else is opened.
    Effect,
    /// While the call goes on: how much of anything?
    Limit,
}

impl fmt::Display for GateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Import => "import",
            Self::Call => "call",
            Self::Effect => "effect",
            Self::Limit => "limit",
        })
    }
}

impl RefusalCode {
    /// The gate that refuses with this code.
    pub const fn gate(self) -> GateKind {
        match self {
            Self::ImportDenied => GateKind::Import,
            Self::RuleDenied | Self::FlowDenied | Self::ApprovalDenied => GateKind::Call,
            Self::Limit(_) | Self::NetRate | Self::KeyValueFull => GateKind::Limit,
            _ => GateKind::Effect,
        }
    }
}

/// The text is not the code of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the code of a refusal")]
pub struct RefusalCodeError(String);

impl TryFrom<String> for RefusalCode {
    type Error = RefusalCodeError;

    fn try_from(text: String) -> Result<Self, RefusalCodeError> {
        let limits = LimitName::ALL.iter().map(|name| Self::Limit(*name));
        let mut codes = Self::PLAIN.iter().copied().chain(limits);
        codes.find(|code| code.as_str() == text).ok_or_else(|| RefusalCodeError(crate::names::shortened(&text)))
    }
}

impl From<RefusalCode> for String {
    fn from(code: RefusalCode) -> String {
        code.as_str().to_owned()
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The cause, for programs.
    pub code: RefusalCode,
    /// The cause, for people: one sentence that names what was refused and by which rule.
    pub message: String,
    /// The smallest grant that would have allowed it, as TOML to paste under `[plugin.NAME]` of the operator's file.
    /// Absent where no grant would help.
    pub grant: Option<String>,
}

impl Refusal {
    /// A refusal that no grant would have avoided.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), grant: None }
    }
}
