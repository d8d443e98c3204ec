//! Labels of values: who may have written them, and who may read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether somebody whom the operator does not answer for may have written a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    /// The person, the operator or the host wrote it.
    #[default]
    Trusted,
    /// It came from a tool's result, or was written by a model that had read one.
    Untrusted,
}

impl Integrity {
    /// Both, from harmless to doubtful.
    pub const ALL: [Integrity; 2] = [Integrity::Trusted, Integrity::Untrusted];

    /// The word as rules and files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Integrity::Trusted => "trusted",
            Integrity::Untrusted => "untrusted",
        }
    }
}

/// Who may read a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidentiality {
    /// Anybody.
    #[default]
    Public,
    /// Whoever the operator's data is for.
    Private,
    /// Nobody outside the host.
    Secret,
}

impl Confidentiality {
    /// Each, from open to closed.
    pub const ALL: [Confidentiality; 3] = [Confidentiality::Public, Confidentiality::Private, Confidentiality::Secret];

    /// The word as rules and files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Confidentiality::Public => "public",
            Confidentiality::Private => "private",
            Confidentiality::Secret => "secret",
        }
    }
}

/// Both axes of one value. They join each on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Label {
    /// Who may have written it.
    pub integrity: Integrity,
    /// Who may read it.
    pub confidentiality: Confidentiality,
}

impl Label {
    /// What a person, the operator or the host wrote.
    pub const TRUSTED: Label = Label { integrity: Integrity::Trusted, confidentiality: Confidentiality::Public };

    /// The label of something that was made of both.
    #[must_use]
    pub fn join(self, other: Label) -> Label {
        Label {
            integrity: self.integrity.max(other.integrity),
            confidentiality: self.confidentiality.max(other.confidentiality),
        }
    }
}

/// The labels of a call's arguments, by the name of the argument. What is not listed is [`Label::TRUSTED`].
pub type Labels = BTreeMap<String, Label>;
