//! How bad it could get: what a plugin could do with its powers taken together.
//!
//! A power alone is what the operator sees in the grants. What matters is the sum: to read something private is one thing,
//! to send something out is another, and both together are a leak.

use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::files::Access;
use crate::requests::Requests;

/// What a plugin could do, in kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Powers {
    reads_settings: bool,
    keeps_data: bool,
    reads_files: bool,
    changes_files: bool,
    sends: bool,
    calls_tools: bool,
    uses_model: bool,
}

/// How bad it could get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskLevel {
    /// Nothing outside the call is reached.
    None,
    /// It reads, and nothing leads out.
    Low,
    /// It changes files, or something leads out, and what it could take along is only what it is given.
    Medium,
    /// What it reads could leave, or other tools act for it.
    High,
}

/// A level with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Risk {
    /// The level.
    pub level: RiskLevel,
    /// The reason, as a plain sentence without a subject: "could send ...".
    pub because: &'static str,
}

impl Risk {
    /// With everything granted that the plugin asks for.
    pub fn of_requests(requests: &Requests) -> Self {
        Powers {
            reads_settings: !requests.env.is_empty() || !requests.config.is_empty(),
            keeps_data: !requests.keyvalue.is_empty(),
            reads_files: !requests.files.is_empty(),
            changes_files: requests.files.iter().any(|request| request.access == Access::ReadWrite),
            sends: !requests.http.is_empty(),
            calls_tools: !requests.tools.is_empty(),
            uses_model: requests.model,
        }
        .risk()
    }

    /// With what is granted.
    pub fn of_authority(authority: &Authority) -> Self {
        Powers {
            reads_settings: !authority.env.is_empty() || !authority.config.is_empty(),
            keeps_data: !authority.keyvalue.is_empty(),
            reads_files: !authority.files.is_empty(),
            changes_files: authority.files.iter().any(|grant| grant.access == Access::ReadWrite),
            sends: !authority.http.is_empty(),
            calls_tools: !authority.tools.is_empty(),
            uses_model: authority.model,
        }
        .risk()
    }
}

impl Powers {
    fn risk(self) -> Risk {
        use RiskLevel::{High, Low, Medium, None};
        // The model's vendor reads what it is asked.
        let leads_out = self.sends || self.uses_model;
        let (level, because) = match self {
            Self { calls_tools: true, sends: true, .. } => {
                (High, "could send over the network what other tools give it")
            }
            Self { calls_tools: true, .. } => (High, "could act through other tools"),
            Self { reads_files: true, .. } if self.sends => (High, "could send files over the network"),
            Self { reads_files: true, .. } if leads_out => (High, "could show files to the language model"),
            Self { reads_settings: true, .. } if self.sends => (High, "could send its settings over the network"),
            Self { keeps_data: true, .. } if self.sends => {
                (High, "could send over the network what it kept of earlier calls")
            }
            Self { changes_files: true, .. } => (Medium, "could change files, and nothing leads out"),
            Self { sends: true, .. } => {
                (Medium, "could send over the network what it is given, and reads nothing else")
            }
            Self { uses_model: true, .. } => (Medium, "could show the language model what it is given"),
            Self { reads_files: true, .. } => (Low, "could read files, and nothing leads out"),
            Self { reads_settings: true, .. } => (Low, "could read settings, and nothing leads out"),
            Self { keeps_data: true, .. } => (Low, "could keep data from one call to the next, and nothing leads out"),
            _ => (None, "reaches nothing outside its own call"),
        };
        Risk { level, because }
    }
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = match self.level {
            RiskLevel::None => "none",
            RiskLevel::Low => "low",
            RiskLevel::Medium => "medium",
            RiskLevel::High => "high",
        };
        write!(f, "{level}: {}", self.because)
    }
}
