//! `[critic]`: how results are judged, and what follows from it.

use crate::critic::{CriticMode, CriticSettings, ScoreRule, Ungrounded};
use crate::error::PolicyError;
use crate::reader::Table;

use super::OperatorFile;

/// The most lines of the table.
const LINES_MAX: usize = 32;

pub(crate) fn read(mut table: Table<'_>) -> Result<CriticSettings, PolicyError> {
    let mut settings = CriticSettings::default();
    if let Some(node) = table.take("judge") {
        let judge = node.text()?.trim();
        if judge.is_empty() {
            return Err(node.wrong(judge, "name a model, such as `openai:NAME` or `ollama:NAME`"));
        }
        settings.judge = Some(judge.to_owned());
        // Whoever names a judge wants it to judge.
        settings.mode = CriticMode::All;
    }
    if let Some(node) = table.take("mode") {
        settings.mode = match node.text()? {
            "off" => CriticMode::Off,
            "checks" => CriticMode::Checks,
            "all" => CriticMode::All,
            other => return Err(node.wrong(other, "write `off`, `checks` or `all`")),
        };
    }
    if let Some(node) = table.take("wait") {
        settings.wait = node.boolean()?;
    }
    if let Some(node) = table.take("ungrounded") {
        settings.ungrounded = match node.text()? {
            "re-plan" => Ungrounded::Replan,
            "ask" => Ungrounded::Ask,
            other => return Err(node.wrong(other, "write `re-plan` or `ask`")),
        };
    }
    if let Some(node) = table.take("table") {
        settings.table = node.lines(ScoreRule::parse)?;
        if settings.table.len() > LINES_MAX {
            return Err(node.wrong(&settings.table.len().to_string(), format!("at most {LINES_MAX} lines are read")));
        }
    }
    table.finish()?;
    Ok(settings)
}

impl OperatorFile {
    /// How results are judged.
    pub fn critic(&self) -> &CriticSettings {
        &self.critic
    }

    /// Has `judge` review what is accepted, whatever model the file names.
    pub fn set_judge(&mut self, judge: String) {
        self.critic = CriticSettings { mode: CriticMode::All, judge: Some(judge), ..self.critic.clone() };
    }
}
