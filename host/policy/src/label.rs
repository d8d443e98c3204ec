//! Labels of values: who may have written them, and who may read them.

use std::collections::BTreeMap;
use std::fmt;

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

    /// What counts where nobody said more: it came from somewhere, and may be anybody's.
    pub const UNKNOWN: Label = Label { integrity: Integrity::Untrusted, confidentiality: Confidentiality::Private };

    /// The label of something that was made of both.
    #[must_use]
    pub fn join(self, other: Label) -> Label {
        Label {
            integrity: self.integrity.max(other.integrity),
            confidentiality: self.confidentiality.max(other.confidentiality),
        }
    }

    /// Whether it is that of what a person wrote.
    pub fn is_trusted(&self) -> bool {
        *self == Self::TRUSTED
    }

    /// Whether somebody whom the operator does not answer for may have written the value.
    pub fn is_untrusted(self) -> bool {
        self.integrity == Integrity::Untrusted
    }

    /// Whether not everybody may read the value.
    pub fn is_closed(self) -> bool {
        self.confidentiality > Confidentiality::Public
    }
}

impl fmt::Display for Label {
    /// `untrusted private`, as files write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.integrity.as_str(), self.confidentiality.as_str())
    }
}

/// One or two words about a label. An axis that is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelWords {
    integrity: Option<Integrity>,
    confidentiality: Option<Confidentiality>,
}

impl LabelWords {
    /// How a label is written, for messages.
    pub(crate) const HOW: &'static str =
        "write `trusted` or `untrusted`, and `public`, `private` or `secret`, with a space between them";

    /// Reads `untrusted private`, or one of the words.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = Self::default();
        for word in text.split_whitespace() {
            let integrity = Integrity::ALL.into_iter().find(|known| known.as_str() == word);
            let confidentiality = Confidentiality::ALL.into_iter().find(|known| known.as_str() == word);
            match (integrity, confidentiality) {
                (Some(_), _) if words.integrity.is_none() => words.integrity = integrity,
                (_, Some(_)) if words.confidentiality.is_none() => words.confidentiality = confidentiality,
                _ => return None,
            }
        }
        (words != Self::default()).then_some(words)
    }

    /// The label that comes of it, where it was `label` before.
    #[must_use]
    pub fn over(self, label: Label) -> Label {
        Label {
            integrity: self.integrity.unwrap_or(label.integrity),
            confidentiality: self.confidentiality.unwrap_or(label.confidentiality),
        }
    }
}

impl fmt::Display for LabelWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (integrity, confidentiality) =
            (self.integrity.map(Integrity::as_str), self.confidentiality.map(Confidentiality::as_str));
        let words: Vec<&str> = integrity.into_iter().chain(confidentiality).collect();
        f.write_str(&words.join(" "))
    }
}

/// The labels of a call's arguments, by the name of the argument. What is not listed is [`Label::TRUSTED`].
pub type Labels = BTreeMap<String, Label>;
