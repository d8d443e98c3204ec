//! `[planner]`: how much a language model that plans is shown at once.

use std::collections::BTreeMap;

use crate::error::PolicyError;
use crate::reader::{Node, Table};
use crate::units::{self, Unit};

/// Tokens of one request: what every model of today takes.
const CONTEXT: u64 = 32_000;
/// The least in which instructions, functions and a goal have room.
const CONTEXT_MIN: u64 = 4_000;
/// Beyond it models begin to choose worse.
const TOOLS: u64 = 24;
/// What a person could still look over.
const TOOLS_MAX: u64 = 200;

/// How much a language model that plans is shown at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannerSettings {
    context: u64,
    models: BTreeMap<String, u64>,
    /// Up to how many tools are all shown. Where there are more, the model searches.
    pub tools: usize,
    /// Whether a run may look into what earlier runs came to.
    pub earlier_runs: bool,
}

impl Default for PlannerSettings {
    fn default() -> Self {
        Self { context: CONTEXT, models: BTreeMap::new(), tools: TOOLS as usize, earlier_runs: false }
    }
}

impl PlannerSettings {
    /// The most tokens of one request to this model.
    pub fn context(&self, model: &str) -> u64 {
        self.models.get(model).copied().unwrap_or(self.context)
    }

    pub(crate) fn read(mut table: Table<'_>) -> Result<Self, PolicyError> {
        let mut settings = Self::default();
        if let Some(node) = table.take("context") {
            settings.context = context(&node)?;
        }
        if let Some(node) = table.take("tools") {
            settings.tools = usize::try_from(count(&node, 0, TOOLS_MAX)?).unwrap_or_default();
        }
        if let Some(node) = table.take("earlier-runs") {
            settings.earlier_runs = node.boolean()?;
        }
        if let Some(node) = table.take("model") {
            for node in node.table("`[planner.model]`".to_owned())?.all() {
                let mut model = node.table(format!("`[planner.model.\"{}\"]`", node.key()))?;
                if let Some(context_of) = model.take("context") {
                    settings.models.insert(node.key().to_owned(), context(&context_of)?);
                }
                model.finish()?;
            }
        }
        table.finish()?;
        Ok(settings)
    }
}

fn context(node: &Node<'_>) -> Result<u64, PolicyError> {
    count(node, CONTEXT_MIN, u64::MAX)
}

fn count(node: &Node<'_>, least: u64, most: u64) -> Result<u64, PolicyError> {
    let text = node.quantity()?;
    // A limit of nothing is no quantity, but a number of tools.
    let found = if text == "0" { Ok(0) } else { units::parse(text, Unit::Count) };
    match found.map_err(|error| node.wrong(text, error))? {
        few if few < least => Err(node.wrong(text, format!("it is at least {least}"))),
        many if many > most => Err(node.wrong(text, format!("it is at most {most}"))),
        count => Ok(count),
    }
}
