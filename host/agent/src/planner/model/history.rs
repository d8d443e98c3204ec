//! What was done, in as much room as there is.
//!
//! Everything that is over is one entry, at one of three levels: *whole* (a call and its result, as the model made it), a
//! *line* (a digest with the name by which the rest is found), or *gone* (counted, and found by `recall`). A goal that was
//! reached with an answer is folded: it is a line, and its steps are names in it. Room goes, in this order, to
//!
//! 1. what was looked up for this goal, the latest first, up to half of it;
//! 2. the latest steps of this goal, whole, up to three quarters;
//! 3. lines for everything else, the latest first;
//! 4. what is left, to make whole what is a line, the latest first.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toolcrib_model::{Arguments, Message, ToolCall};

use super::functions::{RECALL, SEARCH_TOOLS};
use super::prompt::{fenced, message_bytes, visible};
use super::view::{bytes, cut, preview};
use crate::look::{Ask, Excerpt};
use crate::state::Looked;
use crate::{Body, Node, NodeId, PlanContext, State, Status, Step, StepOutcome, ToolOutput};

/// The bytes of one result that are shown. The whole of it stays in the ledger and can be referred to.
const RESULT_BYTES: u64 = 12_000;
/// The least bytes of a result for which a call and its result are shown rather than a line.
const RESULT_BYTES_MIN: u64 = 400;
/// The bytes of one text among the arguments of an earlier call.
const ARGUMENT_BYTES: u64 = 1_000;
/// The bytes of arguments in all.
const ARGUMENTS_BYTES: u64 = 4_000;
/// The bytes of a result in a line.
const LINE_BYTES: u64 = 300;
/// The bytes of the words of a goal in a line, and of arguments.
const ABOUT_BYTES: u64 = 160;
/// The names of steps in the line of a goal.
const NAMES: usize = 12;
/// What the words around the lines take.
const FRAME_BYTES: u64 = 400;

/// Something that is over.
struct Entry<'s> {
    what: What<'s>,
    /// Where it stands among the others.
    at: (NodeId, u8),
    /// Whether it is of the goal that is asked about.
    near: bool,
}

enum What<'s> {
    /// A step that no finished goal with an answer holds.
    Step(&'s Node, &'s Step),
    /// A goal that was reached with an answer, and the names of what is below it.
    Folded(&'s Node, Vec<&'s str>),
    /// What was looked up.
    Look(&'s Looked),
}

/// How an entry is shown.
enum Shown {
    Gone,
    Line(String),
    Whole(Vec<Message>),
}

impl Shown {
    fn bytes(&self) -> u64 {
        match self {
            Self::Gone => 0,
            Self::Line(line) => bytes(line),
            Self::Whole(messages) => messages.iter().map(message_bytes).sum(),
        }
    }
}

/// What was done, in at most `room` bytes.
pub(super) fn history(context: &PlanContext, room: u64, recalls: bool) -> Vec<Message> {
    let entries = entries(context);
    let mut layout = Layout {
        state: &context.state,
        shown: entries.iter().map(|_| Shown::Gone).collect(),
        entries: &entries,
        used: 0,
        room: room.saturating_sub(FRAME_BYTES),
    };
    layout.fill();
    layout.messages(recalls)
}

/// Everything that is over, in the order of the plan.
fn entries(context: &PlanContext) -> Vec<Entry<'_>> {
    let (state, plan) = (&*context.state, context.state.plan());
    // Of each node: the topmost goal above it, or itself, that was reached with an answer; and whether it is of this goal.
    let mut folds: Vec<Option<NodeId>> = Vec::with_capacity(plan.nodes().len());
    let mut near: Vec<bool> = Vec::with_capacity(plan.nodes().len());
    let mut folded: BTreeMap<NodeId, Vec<&str>> = BTreeMap::new();
    let mut entries = Vec::new();
    let scope = context.scope();
    for node in plan.nodes() {
        let parent = node.parent.map(|parent| parent.0 as usize);
        let above = parent.and_then(|parent| folds.get(parent).copied().flatten());
        let folds_here =
            node.status == Status::Done && state.answer(node.id).is_some() && plan.agent(node.id).is_none();
        let own = || folds_here.then_some(node.id);
        let fold = above.or_else(own);
        folds.push(fold);
        near.push(node.id == context.node || parent.is_some_and(|parent| near[parent]));
        // What another agent did is its own.
        if plan.seen_in(node.id) != scope {
            continue;
        }
        match (fold, &node.body) {
            // Calls that serve another step are told with that step's verdict.
            _ if node.serves.is_some() => {}
            (Some(goal), body) => {
                let names = folded.entry(goal).or_default();
                if node.status == Status::Done && state.result_of(node.id).is_some() {
                    names.extend(body.name().map(|name| name.as_str()));
                }
            }
            (None, Body::Step(step)) if matches!(node.status, Status::Done | Status::Failed { .. }) => {
                let near = near.last().copied().unwrap_or_default();
                entries.push(Entry { what: What::Step(node, step), at: (node.id, 1), near });
            }
            (None, _) => {}
        }
    }
    for (goal, names) in folded {
        if let Some(node) = plan.node(goal) {
            entries.push(Entry { what: What::Folded(node, names), at: (goal, 1), near: false });
        }
    }
    for looked in state.looked(context.node) {
        entries.push(Entry { what: What::Look(looked), at: (looked.before, 0), near: true });
    }
    // Stable: looks that were made one after the other stay so.
    entries.sort_by_key(|entry| entry.at);
    entries
}

struct Layout<'s> {
    state: &'s State,
    entries: &'s [Entry<'s>],
    shown: Vec<Shown>,
    used: u64,
    room: u64,
}

impl Layout<'_> {
    fn fill(&mut self) {
        let look = |entry: &Entry<'_>| matches!(entry.what, What::Look(_));
        let step = |entry: &Entry<'_>| matches!(entry.what, What::Step(..));
        self.widen(self.room / 2, look);
        self.widen(self.room / 4 * 3, |entry| entry.near && step(entry));
        self.lines();
        self.widen(self.room, step);
    }

    /// Shows as much as has room whole, the latest first.
    fn widen(&mut self, limit: u64, fits: impl Fn(&Entry<'_>) -> bool) {
        for at in (0..self.entries.len()).rev() {
            let now = &self.shown[at];
            if !fits(&self.entries[at]) || matches!(now, Shown::Whole(_)) {
                continue;
            }
            let free = limit.saturating_sub(self.used - now.bytes());
            if free < RESULT_BYTES_MIN {
                return;
            }
            // No single result takes more than a third of the room.
            let most = free.min(RESULT_BYTES).min(self.room / 3);
            let Some(whole) = [most, most / 2].into_iter().find_map(|most| {
                let whole = Shown::Whole(whole(self.state, &self.entries[at].what, most)?);
                (most >= RESULT_BYTES_MIN && whole.bytes() <= free).then_some(whole)
            }) else {
                continue;
            };
            self.put(at, whole);
        }
    }

    /// Shows a line of everything that is not shown yet, for as long as there is room, the latest first.
    fn lines(&mut self) {
        for at in (0..self.entries.len()).rev() {
            if !matches!(self.shown[at], Shown::Gone) {
                continue;
            }
            let Some(line) = line(self.state, &self.entries[at].what) else { continue };
            let line = Shown::Line(line);
            if self.used + line.bytes() > self.room {
                return;
            }
            self.put(at, line);
        }
    }

    fn put(&mut self, at: usize, shown: Shown) {
        self.used = self.used - self.shown[at].bytes() + shown.bytes();
        self.shown[at] = shown;
    }

    fn messages(self, recalls: bool) -> Vec<Message> {
        let (mut lines, mut turns, mut gone) = (Vec::new(), Vec::new(), 0);
        for (entry, shown) in self.entries.iter().zip(self.shown) {
            match shown {
                Shown::Gone if matches!(entry.what, What::Look(_)) => {}
                Shown::Gone => gone += 1,
                Shown::Line(line) => lines.push(line),
                Shown::Whole(messages) => turns.extend(messages),
            }
        }
        if lines.is_empty() && gone == 0 {
            return turns;
        }
        let how = if recalls { format!("; {RECALL} finds all of it") } else { String::new() };
        let mut text = format!("What was done before, in short{how}:");
        if gone > 0 {
            text.push_str(&format!("\n- … ({gone} earlier results that are not shown)"));
        }
        for line in lines {
            text.push('\n');
            text.push_str(&line);
        }
        let mut messages = vec![Message::user(text)];
        messages.append(&mut turns);
        messages
    }
}

fn whole(state: &State, what: &What<'_>, most: u64) -> Option<Vec<Message>> {
    let (call, (content, is_error)) = match what {
        What::Folded(..) => return None,
        What::Look(found) => looked(found, most),
        What::Step(node, step) => {
            let record = state.record(node.id);
            let outcome = record.and_then(|record| record.outcome.as_ref());
            let arguments = record.map_or(&step.arguments, |record| &*record.arguments);
            let arguments = Arguments::from(brief(arguments, most));
            let (id, name) = (step.name.to_string(), step.tool.to_string());
            (ToolCall { id, name, arguments }, tried(step, &node.status, outcome, most))
        }
    };
    let result = Message::tool(&call, content, is_error);
    Some(vec![Message::Assistant { text: None, tool_calls: vec![call], continuation: None }, result])
}

/// Arguments with long texts cut: what was written to a file need not be read again.
fn brief(arguments: &Value, most: u64) -> Map<String, Value> {
    let most = ARGUMENTS_BYTES.min(most);
    let cut = |value: &Value| match value {
        Value::String(text) => Value::from(cut(text, ARGUMENT_BYTES)),
        Value::Array(_) | Value::Object(_) if bytes(value) > ARGUMENT_BYTES => {
            Value::from(preview(value, ARGUMENT_BYTES))
        }
        other => other.clone(),
    };
    let shown: Map<_, _> =
        arguments.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), cut(value))).collect();
    if bytes(&shown) <= most {
        return shown;
    }
    Map::from_iter([("…".to_owned(), Value::from(preview(arguments, most / 4)))])
}

fn why(status: &Status) -> Option<&str> {
    match status {
        Status::Failed { why, .. } => Some(why),
        _ => None,
    }
}

fn tried(step: &Step, status: &Status, outcome: Option<&StepOutcome>, most: u64) -> (String, bool) {
    let why = why(status);
    let Some(outcome) = outcome else {
        return (format!("not called: {}", fenced(why.unwrap_or_default(), most)), true);
    };
    match (outcome, why) {
        (StepOutcome::Done { output }, None) => (format!("result of `{}`:\n{}", step.name, given(output, most)), false),
        // A check outranks what the tool says of itself; such a result cannot be referred to.
        (StepOutcome::Done { output }, Some(why)) => {
            let half = most / 2;
            (format!("not accepted: {}\nThe tool gave {}", fenced(why, half), given(output, half)), true)
        }
        (StepOutcome::Failed { failure }, _) => {
            let grant =
                failure.grant.as_ref().map(|grant| format!("; the grant that is missing: {}", cut(grant, most / 2)));
            let (message, grant) = (fenced(&failure.message, most / 2), grant.unwrap_or_default());
            (format!("{}: {message}{grant}", cut(&failure.code, ABOUT_BYTES)), true)
        }
        (StepOutcome::NotStarted { why }, _) => (format!("not started: {}", cut(why, most)), true),
        (StepOutcome::Unknown { why }, _) => (format!("nobody can tell whether it happened: {}", cut(why, most)), true),
    }
}

/// A result as far as it is shown.
fn given(output: &ToolOutput, most: u64) -> String {
    match &output.structured {
        Some(value) => fenced(&preview(value, most), most),
        None => fenced(&output.text, most),
    }
}

fn line(state: &State, what: &What<'_>) -> Option<String> {
    match what {
        What::Look(_) => None,
        What::Folded(node, names) => {
            let goal = state.plan().goal(node.id)?;
            let answer = state.answer(node.id).map(|answer| fenced(&answer.text, 2 * LINE_BYTES)).unwrap_or_default();
            let more = names.len().saturating_sub(NAMES);
            let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let steps = if names.is_empty() { String::new() } else { format!(" (steps {shown}{more})") };
            Some(format!("- {}: goal {} → {answer}{steps}", node.id, fenced(&goal.text, ABOUT_BYTES)))
        }
        What::Step(node, step) => {
            let arguments = state.record(node.id).map_or(&step.arguments, |record| &*record.arguments);
            let call = fenced(&preview(arguments, ABOUT_BYTES), ABOUT_BYTES);
            let result = match (why(&node.status), state.result_of(node.id)) {
                (Some(why), _) => format!("failed: {}", fenced(why, LINE_BYTES)),
                (None, Some(value)) => fenced(&preview(value, LINE_BYTES), LINE_BYTES),
                (None, None) => "done".to_owned(),
            };
            Some(format!("- step {}: {} {call} → {result}", step.name, step.tool))
        }
    }
}

/// What was looked up, as the call that the model made and what came back.
fn looked(found: &Looked, most: u64) -> (ToolCall, (String, bool)) {
    let look = &found.look;
    let text = |key: &str, text: &str| Map::from_iter([(key.to_owned(), Value::from(text))]);
    let (name, arguments) = match &look.ask {
        Ask::Tools { query } => (SEARCH_TOOLS, text("query", query)),
        Ask::Results { query } => (RECALL, text("query", query)),
        Ask::Result { of, from } => {
            let mut arguments = text("of", of);
            if *from > 0 {
                arguments.insert("from".to_owned(), Value::from(*from));
            }
            (RECALL, arguments)
        }
    };
    let call =
        ToolCall { id: format!("look-{}", found.number), name: name.to_owned(), arguments: Arguments::from(arguments) };
    let content = match (&look.ask, look.tools.as_slice(), look.results.as_slice()) {
        (Ask::Tools { .. }, [], _) => "no tool fits".to_owned(),
        (Ask::Tools { .. }, tools, _) => {
            let names: Vec<String> = tools.iter().map(ToString::to_string).collect();
            format!("found, and now among your functions: {}", names.join(", "))
        }
        (Ask::Result { .. }, _, []) => "there is no result of that name".to_owned(),
        (Ask::Results { .. }, _, []) => "nothing fits".to_owned(),
        (_, _, results) => {
            let fair = most / results.len() as u64;
            results.iter().map(|excerpt| excerpted(excerpt, fair)).collect::<Vec<_>>().join("\n")
        }
    };
    (call, (content, false))
}

fn excerpted(excerpt: &Excerpt, most: u64) -> String {
    let (about, most) = (ABOUT_BYTES.min(most / 4), most - ABOUT_BYTES.min(most / 4));
    let (shown, cut) = super::view::beginning(&excerpt.text, most);
    let behind = excerpt.behind + cut;
    let place = match (excerpt.before, behind) {
        (0, 0) => String::new(),
        (before, 0) => format!(", from character {before} on"),
        (before, behind) => {
            let next = before + shown.chars().count();
            format!(", from character {before} on; {behind} more from {next} on")
        }
    };
    let run = excerpt.run.as_ref().map(|run| format!(" of the earlier run {run}")).unwrap_or_default();
    let label = excerpt.label;
    let (integrity, confidentiality) = (label.integrity.as_str(), label.confidentiality.as_str());
    format!(
        "`{}`{run} ({integrity}, {confidentiality}{place}), about {}:\n{}",
        excerpt.of,
        fenced(&excerpt.about, about),
        fenced(&visible(shown), most)
    )
}
