//! A plan as a tree.

use std::collections::HashMap;
use std::time::Duration;

use toolcrib_runtime::agent::{
    Anew, Body, Event, EventKind, Goal, InnerPath, Node, NodeId, Order, Service, State, Status, Step,
};

use super::inner::inner_lines;
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

/// What stands below single nodes, in lines of their own.
pub(crate) type Notes = HashMap<NodeId, Vec<String>>;

/// The tree, a line for each node. `spinner` stands for steps that are under way.
pub(crate) fn tree(state: &State, costs: &Costs, spinner: char) -> Vec<String> {
    Drawing { state, costs, spinner, notes: &Notes::new(), open: false, lines: Vec::new() }.draw()
}

/// The same with notes.
pub(crate) fn noted_tree(state: &State, notes: &Notes) -> Vec<String> {
    Drawing { state, costs: &Costs::default(), spinner: '·', notes, open: true, lines: Vec::new() }.draw()
}

struct Drawing<'a> {
    state: &'a State,
    costs: &'a Costs,
    spinner: char,
    notes: &'a Notes,
    /// Whether what is no longer wanted is left out.
    open: bool,
    lines: Vec<String>,
}

impl Drawing<'_> {
    fn draw(mut self) -> Vec<String> {
        if let Some(root) = self.state.plan().node(NodeId::ROOT) {
            self.lines.push(format!(
                "{} {}{}",
                mark(&root.status, self.spinner),
                plain(self.state.goal()),
                by(self.state, root.id)
            ));
            self.below(NodeId::ROOT, "", "   ");
        }
        self.lines
    }

    /// What stands below a node: why it failed, its notes, and its children in the order in which they came to be. Where a
    /// planner thought again, a line says why.
    fn below(&mut self, of: NodeId, indent: &str, pad: &str) {
        let plan = self.state.plan();
        // What serves a step is shown once it has begun.
        let begun = |node: &Node| node.serves.is_none() || node.status != Status::Open;
        let wanted = |node: &&Node| begun(node) && (!self.open || node.status != Status::Skipped);
        let below: Vec<_> = plan.nodes().iter().filter(|node| node.parent == Some(of)).filter(wanted).collect();
        if let Some(why) = plan.node(of).and_then(|node| why(&node.status)).filter(|why| !says(&below, why)) {
            self.lines.push(format!("{indent}{pad}{}", plain(why)));
        }
        for note in self.notes.get(&of).into_iter().flatten() {
            self.lines.push(format!("{indent}{pad}{note}"));
        }
        for (at, node) in below.iter().enumerate() {
            let anew = plan.goal(of).and_then(|goal| goal.anew.iter().find(|anew| anew.from == node.id));
            if let Some(anew) = anew {
                let said = planned_anew(anew, says(&below[..at], &anew.why));
                self.lines.push(format!("{indent}├─ {said}"));
            }
            let last = at + 1 == below.len();
            let (branch, inside) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let what = match &node.body {
                Body::Goal(goal) => {
                    let by = by(self.state, node.id);
                    format!("{}{}{}{}{by}", agent(goal), plain(&goal.text), order(goal.order), each(goal))
                }
                Body::Value(computed) => format!("{} = {}", computed.name, plain(&short(&computed.value))),
                Body::Step(step) => {
                    let as_what = node.serves.map_or("", |serves| service(serves.service));
                    format!("{as_what}{}{}", step_line(self.state, node.id, step), self.costs.shown(node.id))
                }
            };
            let instead = if node.instead_of.is_some() { "↩ " } else { "" };
            self.lines.push(format!("{indent}{branch}{} {instead}{what}", mark(&node.status, self.spinner)));
            let has_children =
                plan.goal(node.id).is_some_and(|goal| !goal.children.is_empty() || !goal.former.is_empty());
            let pad = if has_children { "│  " } else { "   " };
            let inside = format!("{indent}{inside}");
            if let Some(journal) = self.state.journal(node.id) {
                inner_lines(journal, &InnerPath::ROOT, self.spinner, &inside, &mut self.lines);
            }
            self.below(node.id, &inside, pad);
        }
    }
}

/// One line for a plan that took the place of another: what its planner said of it, else why the other failed, unless that
/// stands there already.
pub(crate) fn planned_anew(anew: &Anew, told: bool) -> String {
    match (anew.note.as_str(), told) {
        ("", true) => "↻ planned anew".to_owned(),
        ("", false) => format!("↻ planned anew: {}", plain(&anew.why)),
        (note, _) => format!("↻ planned anew: {}", plain(note)),
    }
}

/// Whether one of these failed with these very words, which then stand there.
fn says(nodes: &[&Node], said: &str) -> bool {
    nodes.iter().any(|node| why(&node.status) == Some(said))
}

/// What is said of a goal that an agent of its own reaches.
fn agent(goal: &Goal) -> String {
    let Some(agent) = &goal.agent else { return String::new() };
    let tools: Vec<String> = agent.tools.iter().map(ToString::to_string).collect();
    format!("agent with {}: ", plain(&tools.join(", ")))
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

pub(super) fn short(value: &serde_json::Value) -> String {
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

fn service(service: Service) -> &'static str {
    match service {
        Service::Check => "check: ",
        Service::CheckAgain => "check again: ",
        Service::ReadAgain => "read again: ",
        Service::Undo => "undo: ",
    }
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
        Status::Asking { .. } | Status::Waiting | Status::Parked => '?',
        Status::Done => '✓',
        Status::Failed { .. } => '✗',
        Status::Skipped => '-',
    }
}

fn why(status: &Status) -> Option<&str> {
    match status {
        Status::Failed { why, .. } => Some(why),
        _ => None,
    }
}
