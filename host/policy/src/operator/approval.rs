//! `[approval]`: what happens to calls that a rule wants a person asked about.

use crate::approval::{Otherwise, UnixMillis};
use crate::error::PolicyError;
use crate::reader::Table;
use crate::units::{self, Unit, UnitError};

/// A day: long enough for a person to come by, short enough that nobody has forgotten the reason.
const EXPIRES_MS: u64 = 24 * 60 * 60 * 1000;

const NO_TIME: &str =
    "nobody can answer in no time: write one such as `24 h`; a rule that is never to ask says `then = \"deny\"`";

/// How questions about calls are handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSettings {
    expires_ms: u64,
    /// What counts when nobody answered in time.
    pub otherwise: Otherwise,
    /// What a run does that nobody attends.
    pub unattended: Unattended,
}

/// What a run does with a question when nobody is at the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unattended {
    /// It ends at once, with the question open for the next run.
    #[default]
    Fail,
    /// It waits for an answer from elsewhere, until the question expires.
    Wait,
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        Self { expires_ms: EXPIRES_MS, otherwise: Otherwise::Deny, unattended: Unattended::Fail }
    }
}

impl ApprovalSettings {
    /// When a question that is asked now stops waiting.
    pub fn expires(&self, now: UnixMillis) -> UnixMillis {
        now.saturating_add(self.expires_ms)
    }

    pub(crate) fn read(mut table: Table<'_>) -> Result<Self, PolicyError> {
        let mut settings = Self::default();
        if let Some(node) = table.take("expires") {
            let text = node.quantity()?;
            settings.expires_ms = units::parse(text, Unit::Time).map_err(|error| match error {
                UnitError::Zero { .. } => node.wrong(text, NO_TIME),
                error => node.wrong(text, error),
            })?;
        }
        if let Some(node) = table.take("default") {
            settings.otherwise = match node.text()? {
                "deny" => Otherwise::Deny,
                "allow" => Otherwise::Allow,
                other => return Err(node.wrong(other, "write `deny` or `allow`")),
            };
        }
        if let Some(node) = table.take("unattended") {
            settings.unattended = match node.text()? {
                "fail" => Unattended::Fail,
                "wait" => Unattended::Wait,
                other => return Err(node.wrong(other, "write `fail` or `wait`")),
            };
        }
        table.finish()?;
        Ok(settings)
    }
}
