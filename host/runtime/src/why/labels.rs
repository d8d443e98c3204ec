//! Which label a call was refused or asked about for: of which argument, from which step, and the least that would let it pass.

use serde::Serialize;
use toolcrib_agent::{NodeId, Origin, State, StepName};
use toolcrib_policy::{Label, Labels, PartPath, ToolName};

/// An argument with a label that is not that of what a person wrote.
#[derive(Clone, Debug, Serialize)]
pub struct LabelSaid {
    /// The argument.
    pub argument: String,
    /// Its label.
    #[serde(flatten)]
    pub label: Label,
    /// What it has that from.
    pub origins: Vec<Origin>,
    /// The same in words, one line each.
    pub said: Vec<String>,
}

/// What an operator could vouch for, as TOML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelabelOffer {
    /// The tool whose results are meant.
    pub tool: ToolName,
    /// The part of them; all where it is empty.
    #[serde(skip_serializing_if = "PartPath::is_whole")]
    pub part: PartPath,
    /// The new label.
    pub label: String,
}

impl RelabelOffer {
    /// The entry as it is written.
    pub fn toml(&self) -> String {
        let part = self.part.to_string();
        let part = if part.is_empty() { part } else { format!("part = {}\n", serde_json::Value::from(part)) };
        format!(
            "[[relabel]]\ntool = \"{}\"\n{part}label = \"{}\"\nreason = \"say why this may be believed\"",
            self.tool, self.label
        )
    }
}

/// The arguments of a step whose labels say more than that a person wrote them.
pub(super) fn said(state: &State, step: NodeId, labels: &Labels) -> Vec<LabelSaid> {
    let mut origins = state.origins(step);
    let doubtful = labels.iter().filter(|(_, label)| !label.is_trusted());
    doubtful
        .map(|(argument, label)| {
            let at = origins.iter().position(|(name, _)| name == argument);
            let origins = at.map(|at| origins.swap_remove(at).1).unwrap_or_default();
            let said = origins.iter().map(|origin| in_words(state, origin)).collect();
            LabelSaid { argument: argument.clone(), label: *label, origins, said }
        })
        .collect()
}

/// What would have to be vouched for, so that these arguments are what the rule wants them to be.
pub(super) fn offers(state: &State, said: &[LabelSaid], rule: Option<&str>) -> Vec<RelabelOffer> {
    let mut offers = Vec::new();
    for origin in said.iter().flat_map(|said| &said.origins) {
        let (steps, part, label) = match origin {
            Origin::Result { step, part, label } => (vec![step], part.clone(), label),
            Origin::Variable { from, label, .. } => (from.iter().collect(), PartPath::default(), label),
            Origin::Written { after, label } => (after.iter().collect(), PartPath::default(), label),
            Origin::Decided { .. } => continue,
        };
        let mut words = Vec::new();
        words.extend((label.is_untrusted() && rule != Some("private-outward")).then_some("trusted"));
        words.extend((label.is_closed() && rule != Some("untrusted-recipient")).then_some("public"));
        for step in steps {
            let Some(tool) = tool_of(state, step).filter(|_| !words.is_empty()) else { continue };
            let offer = RelabelOffer { tool: tool.clone(), part: part.clone(), label: words.join(" ") };
            if !offers.contains(&offer) {
                offers.push(offer);
            }
        }
    }
    offers
}

fn tool_of<'s>(state: &'s State, step: &StepName) -> Option<&'s ToolName> {
    state.plan().named(step).map(|(_, step)| &step.tool)
}

fn in_words(state: &State, origin: &Origin) -> String {
    let step = |step: &StepName| {
        let tool = tool_of(state, step).map(|tool| format!(" ({tool})")).unwrap_or_default();
        format!("`{step}`{tool}")
    };
    let steps = |names: &[StepName]| names.iter().map(step).collect::<Vec<_>>().join(", ");
    match origin {
        Origin::Result { step: name, part, label } => {
            let tool = tool_of(state, name).map(|tool| format!(" ({tool})")).unwrap_or_default();
            let way = PartPath::key("steps").then(&PartPath::key(name.as_str())).then(part);
            format!("`{way}`{tool} is {label}")
        }
        Origin::Variable { name, from, label } if from.is_empty() => format!("`{name}` is {label}"),
        Origin::Variable { name, from, label } => format!("`{name}`, which comes from {}, is {label}", steps(from)),
        Origin::Written { after, label } if after.is_empty() => format!("the planner had read what is {label}"),
        Origin::Written { after, label } => {
            format!("the planner wrote it after it had read {}, which is {label}", steps(after))
        }
        Origin::Decided { by, label } => format!("the call hangs on `{by}`, which is {label}"),
    }
}
