//! Why a call was allowed or refused, from what the ledger holds of it.

mod labels;

use serde::Serialize;
use serde_json::Value;
use toolcrib_agent::{Event, EventKind, InnerPath, NodeId, State, StepOutcome, ToolFailure};
use toolcrib_policy::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, FLOW_RULES, GateKind, Labels, PluginName, RefusalCode, ToolName,
};

use crate::approvals::told;

pub use labels::{LabelSaid, RelabelOffer};

/// What is known of one call at the gates.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The step.
    pub step: String,
    /// The tool.
    pub tool: ToolName,
    /// Whether policy let it do all that it tried.
    pub allowed: bool,
    /// What each gate said, in the order in which they were passed.
    pub gates: Vec<GateSaid>,
    /// How the call failed for a reason that is none of policy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The smallest grant that would have allowed it, as TOML for the plugin's section of the operator's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Where the call gate stopped it: the arguments whose labels are more than those of what a person wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelSaid>,
    /// What would have to be vouched for to let it pass, where labels are the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relabel: Vec<RelabelOffer>,
    /// The built-in rule about labels that stopped it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_rule: Option<&'static str>,
    /// The question that a person could still answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<ApprovalId>,
}

/// What one gate said.
#[derive(Clone, Debug, Serialize)]
pub struct GateSaid {
    /// The gate.
    pub gate: GateKind,
    /// Whether it let the call pass.
    pub allowed: bool,
    /// What was asked of it, and by which rule it decided, in one sentence.
    pub said: String,
}

/// What the events of a run say about one step.
#[derive(Default)]
struct Found<'e> {
    tool: Option<&'e ToolName>,
    asked: Option<&'e ApprovalRequest>,
    answer: Option<&'e ApprovalAnswer>,
    used: Option<&'e ApprovalId>,
    started: bool,
    labels: Option<&'e Labels>,
    outcome: Option<&'e StepOutcome>,
    receipt: Option<&'e Value>,
    /// What is known of the calls that the step's program made.
    inner: Vec<(&'e InnerPath, Inside<'e>)>,
}

/// One thing that is known of an inner call.
enum Inside<'e> {
    Made(&'e ToolName),
    Asked(&'e ApprovalRequest),
    Refused(String),
}

impl Why {
    /// What the events of a run say about the step `node` of this name.
    pub fn of(events: &[Event], state: &State, node: NodeId, step: &str, tool: &ToolName) -> Self {
        let found = Found::of(events, node);
        let tool = found.tool.unwrap_or(tool).clone();
        let failure = match found.outcome {
            Some(StepOutcome::Failed { failure }) => Some(failure),
            _ => None,
        };
        let refused = failure.filter(|failure| failure.is_refusal() || gate_of(failure).is_some());
        let gates = found.gates(refused);
        let allowed = gates.iter().all(|gate| gate.allowed);
        let other = failure.filter(|_| refused.is_none());
        let failed = other.map(|failure| format!("{}: {}", failure.code, failure.message));
        let grant = refused.and_then(|failure| failure.grant.clone());
        let mut why = Self {
            step: step.to_owned(),
            tool,
            allowed,
            gates,
            failed,
            grant,
            labels: Vec::new(),
            relabel: Vec::new(),
            label_rule: None,
            question: found
                .asked
                .filter(|_| found.answer.is_none_or(|answer| !answer.is_final()))
                .map(|r| r.id.clone()),
        };
        why.note_labels(state, node, &found, refused);
        why
    }

    /// Labels matter where the call gate stopped the call.
    fn note_labels(&mut self, state: &State, node: NodeId, found: &Found<'_>, refused: Option<&ToolFailure>) {
        if !self.gates.iter().any(|gate| gate.gate == GateKind::Call && !gate.allowed) {
            return;
        }
        let asked = found.asked.map(|request| request.rule.as_str());
        let denied = refused.map(|failure| failure.message.as_str()).unwrap_or_default();
        let by_name = |rule: &&str| asked == Some(rule) || denied.ends_with(&format!("(`{rule}`)"));
        self.label_rule = FLOW_RULES.iter().copied().find(by_name);
        // A question stands before the call: its arguments have no entry of their own yet.
        let asking = || found.asked.map(|request| state.labels(node, &request.call.arguments));
        let labels = found.labels.cloned().or_else(asking).unwrap_or_default();
        self.labels = labels::said(state, node, &labels);
        self.relabel = labels::offers(state, &self.labels, self.label_rule);
    }

    /// The plugin whose section of the operator's file the grant belongs to.
    pub fn plugin(&self) -> &PluginName {
        self.tool.plugin()
    }
}

impl<'e> Found<'e> {
    /// The latest try counts.
    fn of(events: &'e [Event], wanted: NodeId) -> Self {
        let mut found = Self::default();
        for event in events {
            match &event.kind {
                EventKind::ApprovalAsked { node, request, inside, .. } if *node == wanted && !inside.is_root() => {
                    found.inner.push((inside, Inside::Asked(request)));
                }
                EventKind::InnerStarted { node, path, tool, .. } if *node == wanted => {
                    found.inner.push((path, Inside::Made(tool)));
                }
                EventKind::InnerFinished { node, path, outcome: StepOutcome::Failed { failure }, .. }
                    if *node == wanted && gate_of(failure).is_some() =>
                {
                    let made = found.inner.iter().rev().find_map(|(at, inside)| match inside {
                        Inside::Made(tool) if *at == path => Some(tool.to_string()),
                        _ => None,
                    });
                    let tool = made.unwrap_or_default();
                    found.inner.push((path, Inside::Refused(format!("{tool}: {}: {}", failure.code, failure.message))));
                }
                EventKind::InnerBlocked { node, path, tool, code, why, .. } if *node == wanted => {
                    found.inner.push((path, Inside::Refused(format!("{tool}: {code}: {why}"))));
                }
                EventKind::ApprovalAsked { node, request, .. } if *node == wanted => {
                    found = Self { asked: Some(request), tool: Some(&request.call.tool), ..Self::default() };
                }
                EventKind::ApprovalAnswered { node, answer, .. } if *node == wanted => found.answer = Some(answer),
                EventKind::ApprovalUsed { node, id, inside } if *node == wanted && inside.is_root() => {
                    found.used = Some(id);
                }
                EventKind::StepStarted { node, tool, labels, .. } if *node == wanted => {
                    (found.tool, found.started, found.labels) = (Some(tool), true, Some(labels));
                    (found.outcome, found.receipt) = (None, None);
                    found.inner.clear();
                }
                EventKind::StepFinished { node, outcome, receipt, .. } if *node == wanted => {
                    (found.outcome, found.receipt) = (Some(outcome), Some(receipt));
                }
                _ => {}
            }
        }
        found
    }

    fn gates(&self, refused: Option<&ToolFailure>) -> Vec<GateSaid> {
        let by_gate = refused.and_then(gate_of);
        let said = |failure: &ToolFailure| format!("{}: {}", failure.code, failure.message);
        let mut gates = Vec::new();
        match (refused, by_gate) {
            (Some(failure), Some(GateKind::Import)) => {
                return vec![GateSaid { gate: GateKind::Import, allowed: false, said: said(failure) }];
            }
            (Some(failure), Some(GateKind::Call)) => {
                gates.push(GateSaid { gate: GateKind::Call, allowed: false, said: said(failure) });
            }
            _ => gates.push(self.call_gate()),
        }
        gates.extend(self.inner.iter().map(|(path, inside)| inside.said(path)));
        let mut seen = false;
        for used in self.uses() {
            let refusal = used.get("refusal").and_then(Value::as_str);
            let matches_failure = refused.is_some_and(|failure| refusal == Some(failure.code.as_str()));
            seen |= matches_failure;
            let because = refused.filter(|_| matches_failure).map(said);
            gates.push(GateSaid {
                gate: if is_limit(refusal) { GateKind::Limit } else { GateKind::Effect },
                allowed: refusal.is_none(),
                said: said_of_use(used, refusal, because),
            });
        }
        if let Some(undeclared) = self.receipt.and_then(|receipt| receipt.get("undeclared")).and_then(Value::as_str) {
            gates.push(GateSaid { gate: GateKind::Effect, allowed: true, said: undeclared.to_owned() });
        }
        if let (Some(failure), Some(gate @ (GateKind::Effect | GateKind::Limit)), false) = (refused, by_gate, seen) {
            gates.push(GateSaid { gate, allowed: false, said: said(failure) });
        }
        gates
    }

    fn call_gate(&self) -> GateSaid {
        let (allowed, said) = match (self.asked, self.answer, self.used) {
            (Some(request), Some(answer), _) => (
                answer.allows(),
                format!("rule `{}` asks a person (question {}): {}", request.rule, request.id, told(answer)),
            ),
            (Some(request), None, _) => (
                false,
                format!("rule `{}` asks a person, and nobody has answered (question {})", request.rule, request.id),
            ),
            (None, _, Some(id)) => (true, format!("a person said yes to such calls before (question {id})")),
            (None, _, None) if self.started => (true, "no rule denies it or asks about it".to_owned()),
            (None, _, None) => (true, "it was never made".to_owned()),
        };
        GateSaid { gate: GateKind::Call, allowed, said }
    }

    fn uses(&self) -> impl Iterator<Item = &'e Value> {
        let listed = self.receipt.and_then(|receipt| receipt.pointer("/uses/listed")).and_then(Value::as_array);
        listed.into_iter().flatten()
    }
}

impl Inside<'_> {
    fn said(&self, path: &InnerPath) -> GateSaid {
        let (allowed, said) = match self {
            Self::Made(tool) => (true, format!("{tool}: it was made")),
            Self::Asked(request) => (
                true,
                format!("{}: rule `{}` asks a person (question {})", request.call.tool, request.rule, request.id),
            ),
            Self::Refused(why) => (false, why.clone()),
        };
        GateSaid { gate: GateKind::Call, allowed, said: format!("call {path} inside, of {said}") }
    }
}

fn said_of_use(used: &Value, refusal: Option<&str>, because: Option<String>) -> String {
    let text = |key: &str| used.get(key).and_then(Value::as_str).unwrap_or_default();
    let what = format!("{} {} {}", text("capability"), text("access"), text("target"));
    match (refusal, because, used.get("by").and_then(Value::as_str)) {
        (_, Some(because), _) => format!("{what}: {because}"),
        (Some(code), None, _) => format!("{what}: {code}"),
        (None, None, Some(by)) => format!("{what}: allowed by `{by}`"),
        (None, None, None) => what,
    }
}

fn is_limit(refusal: Option<&str>) -> bool {
    refusal.is_some_and(|code| RefusalCode::try_from(code.to_owned()).is_ok_and(|code| code.gate() == GateKind::Limit))
}

fn gate_of(failure: &ToolFailure) -> Option<GateKind> {
    Some(RefusalCode::try_from(failure.code.clone()).ok()?.gate())
}
