//! A plan as a tree.

use std::collections::HashMap;
use std::time::Duration;

use toolcrib_runtime::agent::{Body, Event, EventKind, Goal, NodeId, Order, State, Status, Step};

use super::text::{count, duration, plain};

/// What single steps cost, read from their receipts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Costs(HashMap<NodeId, (u64, u64)>);

impl Costs {
    /// Takes note of an event, where it has a receipt.
    pub(crate) fn note(&mut self, event: &Event) {
        if let EventKind::StepFinished { node, receipt, .. } = &event.kind {
            let number = |key: &str| receipt.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
            self.0.insert(*node, (number("wall_us"), number("fuel")));
        }
    }

    fn shown(&self, node: NodeId) -> String {
        match self.0.get(&node) {
            Some((wall, fuel)) => {
                format!("  {}, fuel {}", duration(Duration::from_micros(*wall)), count(*fuel))
            }
            None => String::new(),
        }
    }
}

/// The tree, a line for each node. `spinner` stands for steps that are under way.
pub(crate) fn tree(state: &State, costs: &Costs, spinner: char) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(root) = state.plan().nodes().iter().find(|node| node.parent.is_none()) {
        lines.push(format!("{} {}{}", mark(&root.status, spinner), plain(state.goal()), by(state, root.id)));
        children(state, costs, spinner, root.id, "", &mut lines);
    }
    lines
}

fn children(state: &State, costs: &Costs, spinner: char, of: NodeId, indent: &str, lines: &mut Vec<String>) {
    let below: Vec<_> = state.plan().nodes().iter().filter(|node| node.parent == Some(of)).collect();
    for (at, node) in below.iter().enumerate() {
        let last = at + 1 == below.len();
        let (branch, inside) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let what = match &node.body {
            Body::Goal(goal) => {
                let by = by(state, node.id);
                format!("{}{}{}{by}", plain(&goal.text), order(goal.order), each(goal))
            }
            Body::Value(computed) => format!("{} = {}", computed.name, plain(&short(&computed.value))),
            Body::Step(step) => format!("{}{}", step_line(state, node.id, step), costs.shown(node.id)),
        };
        lines.push(format!("{indent}{branch}{} {what}{}", mark(&node.status, spinner), why(&node.status)));
        children(state, costs, spinner, node.id, &format!("{indent}{inside}"), lines);
    }
}

/// The model that answered last about a goal, where it is not the run's planner.
fn by(state: &State, goal: NodeId) -> String {
    let model = state.answered_by(goal).filter(|model| *model != state.planner());
    model.map(|model| format!(" [by {}]", plain(model))).unwrap_or_default()
}

/// The most of the arguments that a line shows.
const ARGUMENT_CHARS: usize = 60;

fn each(goal: &Goal) -> String {
    goal.each.as_ref().map_or_else(String::new, |each| format!(" (for each {} in {})", each.item, plain(&each.list)))
}

fn short(value: &serde_json::Value) -> String {
    let text = value.to_string();
    let mut shown: String = text.chars().take(ARGUMENT_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn step_line(state: &State, id: NodeId, step: &Step) -> String {
    let arguments = state.record(id).map_or(&step.arguments, |record| &record.arguments);
    format!("{} {}", step.tool, plain(&short(arguments)))
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Sequence => "",
        Order::Parallel => " (in parallel)",
        Order::Alternatives => " (the first that works)",
        Order::Rescue => " (or, where that fails)",
    }
}

fn mark(status: &Status, spinner: char) -> char {
    match status {
        Status::Open => '·',
        Status::Planning | Status::Active | Status::Running | Status::Finished => spinner,
        Status::Asking { .. } | Status::Waiting => '?',
        Status::Done => '✓',
        Status::Failed { .. } => '✗',
        Status::Skipped => '-',
    }
}

fn why(status: &Status) -> String {
    match status {
        Status::Failed { why, .. } => format!("\n      {}", plain(why)),
        _ => String::new(),
    }
}
