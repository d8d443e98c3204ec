//! Labels of values, as far as the run knows where they came from.
//!
//! ```text
//! tool ─► label of its result ─┬─ by reference, exactly ──────────► arguments, values, conditions, loops
//! (in the event)               └─ seen by a planner ─► its answer ─► whatever stands in the nodes that it wrote
//! ```
//!
//! The book is a part of the fold: a label follows from events alone. What a tool's result has of its own, and how a planner
//! writes, stand in the events; the operator's settings of today play no part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{Label, Labels, Marks, PartPath, PartStep};

use super::State;
use crate::plan::refs::{self, Source};
use crate::planner::Writes;
use crate::{Body, Draft, NodeId, Patch, StepName, StepOutcome};

/// What is known of the labels of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Book {
    /// Whether it was kept from the run's first event on: states that older versions stored have none.
    #[serde(default)]
    whole: bool,
    /// Results of steps, values and loops.
    #[serde(default)]
    results: BTreeMap<NodeId, Marks>,
    /// The lists that loops go over.
    #[serde(default)]
    rounds: BTreeMap<NodeId, Marks>,
    /// What error branches are told.
    #[serde(default)]
    errors: BTreeMap<NodeId, Label>,
    /// What was read to decide whether, or how often, something is done.
    #[serde(default)]
    decided: BTreeMap<NodeId, Label>,
    /// Nodes that were written by somebody who had read more than the person's words.
    #[serde(default)]
    written: BTreeMap<NodeId, Written>,
    /// What could be read when the planner was asked about a goal.
    #[serde(default)]
    asked: BTreeMap<NodeId, Written>,
    /// What can be read by now.
    #[serde(default)]
    seen: Written,
    /// The labels of the arguments of the latest try, and of what it hangs on.
    #[serde(default)]
    given: BTreeMap<NodeId, Label>,
}

impl Book {
    /// The book of a run that begins.
    pub(super) fn begun() -> Self {
        Self { whole: true, ..Self::default() }
    }
}

/// How doubtful a text is, and the steps that made it so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Written {
    label: Label,
    /// The first step whose result raised the label to each height.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<StepName>,
}

/// Why an argument has its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum Origin {
    /// It is, or holds, a part of a result.
    Result {
        /// The step.
        step: StepName,
        /// The part of its result.
        part: PartPath,
        /// The label of that part.
        #[serde(flatten)]
        label: Label,
    },
    /// It is what a loop goes over, or what an error branch is told.
    Variable {
        /// Its name.
        name: String,
        /// The steps that it came from.
        from: Vec<StepName>,
        /// Its label.
        #[serde(flatten)]
        label: Label,
    },
    /// A planner wrote it after it had read results.
    Written {
        /// The first of them.
        after: Vec<StepName>,
        /// The label of all that it had read.
        #[serde(flatten)]
        label: Label,
    },
    /// The call hangs on a condition, or a list, that read something.
    Decided {
        /// The condition or the list.
        by: String,
        /// The label of what was read.
        #[serde(flatten)]
        label: Label,
    },
}

impl State {
    /// The labels of the arguments that a call of this step has now.
    pub fn labels(&self, step: NodeId, arguments: &Value) -> Labels {
        let Some(found) = self.plan.step(step) else { return Labels::default() };
        let marks = self.marks_of(step, &found.arguments);
        let names = arguments.as_object().into_iter().flat_map(|fields| fields.keys());
        names.map(|name| (name.clone(), marks.label_at(&PartPath::key(name)))).collect()
    }

    /// The label of what decides whether, or how often, this node is done.
    pub fn under(&self, node: NodeId) -> Label {
        let around = self.plan.path(node);
        around.iter().filter_map(|id| self.book.decided.get(id)).fold(Label::TRUSTED, |all, one| all.join(*one))
    }

    /// The labels of what the step, value or loop of this name came to.
    pub fn marks(&self, name: &StepName) -> Option<Marks> {
        Some(self.result_marks(self.plan.holder(name)?.id))
    }

    /// The label of a plan for this goal that the planner wrote `so`.
    pub fn label_of_plan(&self, goal: NodeId, so: Writes, patches: &[Patch]) -> Label {
        let path = self.plan.path(goal);
        let words = path.iter().fold(Label::TRUSTED, |label, id| label.join(self.written(*id).label));
        let read = || self.book.asked.get(&goal).map_or_else(|| self.seen().label, |asked| asked.label);
        match so {
            Writes::ByReference if !self.quotes(patches) => words,
            Writes::ByReference | Writes::Freely => words.join(read()),
        }
    }

    /// Why the arguments of a step have the labels that they have: each with what raised its label.
    pub fn origins(&self, step: NodeId) -> Vec<(String, Vec<Origin>)> {
        let Some(found) = self.plan.step(step) else { return Vec::new() };
        let names = found.arguments.as_object().into_iter().flatten();
        names.map(|(name, value)| (name.clone(), self.origins_of(step, value))).collect()
    }

    fn origins_of(&self, node: NodeId, value: &Value) -> Vec<Origin> {
        let mut origins = Vec::new();
        let written = self.written(node);
        if !written.label.is_trusted() {
            origins.push(Origin::Written { after: written.after, label: written.label });
        }
        let _ = refs::each_source(value, &self.plan.names_at(node), &mut |_, source| {
            for (name, path) in reads(source) {
                let label = self.read_marks(node, &name, &path).all();
                let origin = match name {
                    Name::Step(step) => {
                        let step =
                            self.plan.holder_at(node, &step).and_then(|n| n.body.name().cloned()).unwrap_or(step);
                        Origin::Result { step, part: path, label }
                    }
                    Name::Variable(name) => {
                        let from = refs::Scope::sources(&self.at(node), &name);
                        Origin::Variable { name, from, label }
                    }
                };
                if !label.is_trusted() && !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        });
        for id in self.plan.path(node) {
            let Some(label) = self.book.decided.get(&id).filter(|label| !label.is_trusted()) else { continue };
            let when = self.plan.node(id).and_then(|node| node.when.clone());
            let list = || Some(self.plan.goal(id)?.each.as_ref()?.list.clone());
            origins.push(Origin::Decided { by: when.or_else(list).unwrap_or_default(), label: *label });
        }
        origins
    }

    /// The labels of a value with expressions in it, as it stands at `node`.
    fn marks_of(&self, node: NodeId, value: &Value) -> Marks {
        let written = self.written(node).label;
        let mut marks = Marks::from(written);
        let read = refs::each_source(value, &self.plan.names_at(node), &mut |at, source| {
            marks.put(&PartPath::of_pointer(at), &self.source_marks(node, source).under(written));
        });
        // What cannot be read is not called either; should it be, nothing is known of it.
        if read.is_err() { Label::UNKNOWN.into() } else { marks }
    }

    /// The labels of what an expression comes to.
    fn source_marks(&self, node: NodeId, source: &Source) -> Marks {
        let found = reads(source);
        match (source, found.as_slice()) {
            (Source::Path(reference), [(name, path)]) if reference.form == refs::Form::Plain => {
                self.read_marks(node, name, path)
            }
            (_, found) => {
                let labels = found.iter().map(|(name, path)| self.read_marks(node, name, path).all());
                labels.fold(Label::TRUSTED, Label::join).into()
            }
        }
    }

    fn read_marks(&self, node: NodeId, name: &Name, path: &PartPath) -> Marks {
        let at = self.at(node);
        match name {
            Name::Step(step) => match self.plan.holder_at(node, step) {
                Some(holder) => self.result_marks(holder.id).at(path),
                None => Marks::default(),
            },
            Name::Variable(name) if name == "inputs" => Marks::default(),
            Name::Variable(name) if let Some((of, step)) = self.checked_by(node) => match name.as_str() {
                "arguments" => self.marks_of(of, &step.arguments).at(path),
                "result" => self.result_marks(of).at(path),
                _ => Label::UNKNOWN.into(),
            },
            Name::Variable(name) => match at.round(name) {
                Some((of, index)) => {
                    let item = PartPath::new([PartStep::Index(index)]).then(path);
                    self.book.rounds.get(&of).map_or_else(|| Label::UNKNOWN.into(), |marks| marks.at(&item))
                }
                None => {
                    let told = self.plan.path(node).into_iter().rev().find_map(|id| self.book.errors.get(&id));
                    told.copied().unwrap_or(Label::UNKNOWN).into()
                }
            },
        }
    }

    /// The labels of what a node came to. A result that nobody labelled may be anything.
    pub(super) fn result_marks(&self, node: NodeId) -> Marks {
        let nothing = || self.records.get(&node).is_none_or(|record| record.outcome.is_none());
        let computed = self.computed.contains_key(&node);
        match self.book.results.get(&node) {
            Some(marks) => marks.clone(),
            None if nothing() && !computed => Marks::default(),
            None => Label::UNKNOWN.into(),
        }
    }

    /// Who wrote what stands in this node.
    fn written(&self, node: NodeId) -> Written {
        // States that older versions stored know only from which node on a planner could have read something.
        let late = || self.informed_from.is_some_and(|from| node >= from);
        let old = || if late() { Written { label: Label::UNKNOWN, after: Vec::new() } } else { Written::default() };
        self.book.written.get(&node).cloned().unwrap_or_else(old)
    }

    /// Whether a text in these drafts has a word that a result has and nobody else said: then a planner that writes by
    /// reference has copied it after all, as the name of a field in a query.
    fn quotes(&self, patches: &[Patch]) -> bool {
        let results: Vec<&Value> =
            self.records.values().filter_map(|record| record.value.as_deref()).chain(self.computed_values()).collect();
        if results.is_empty() {
            return false;
        }
        let mut said = self.goal().to_lowercase();
        let told = self.plan.nodes().iter().filter_map(|node| self.plan.goal(node.id)).map(|goal| &goal.text);
        let answers = self.exchanges.iter().map(|exchange| &exchange.answer);
        told.chain(answers).for_each(|text| said.push_str(&text.to_lowercase()));
        let mut words = Vec::new();
        patches.iter().flat_map(Patch::drafts).for_each(|draft| literals(draft, &mut words));
        words.retain(|word| !said.contains(&word.to_lowercase()));
        words.sort_unstable();
        words.dedup();
        !words.is_empty() && results.iter().any(|value| words.iter().any(|word| holds(value, word)))
    }

    fn computed_values(&self) -> impl Iterator<Item = &Value> {
        self.computed.values().map(|(value, _)| &**value)
    }
}

/// What happened, as the book notes it.
impl State {
    pub(super) fn note_asked(&mut self, goal: NodeId) {
        let seen = self.seen();
        self.book.asked.insert(goal, seen);
    }

    /// Notes who wrote the nodes from `first` on. Without a label an older version recorded it: whatever could be read counts.
    pub(super) fn note_written(&mut self, goal: NodeId, first: usize, label: Option<Label>) {
        let asked = self.book.asked.remove(&goal).unwrap_or_else(|| self.seen());
        let label = label.unwrap_or_else(|| self.label_of_plan(goal, Writes::ByReference, &[]).join(asked.label));
        let mut written = Written { label, after: if asked.label.is_trusted() { Vec::new() } else { asked.after } };
        if written.after.is_empty() {
            written.after = self.written(goal).after;
        }
        self.note_nodes(first, &written);
    }

    fn note_nodes(&mut self, first: usize, written: &Written) {
        if !written.label.is_trusted() {
            let new = self.plan.nodes().iter().skip(first).map(|node| (node.id, written.clone()));
            self.book.written.extend(new.collect::<Vec<_>>());
        }
    }

    pub(super) fn note_given(&mut self, step: NodeId, labels: &Labels, under: Label) {
        self.book.given.insert(step, labels.values().fold(under, |all, one| all.join(*one)));
    }

    pub(super) fn note_result(&mut self, step: NodeId, outcome: &StepOutcome, marks: Option<&Marks>) {
        let of_host = matches!(outcome, StepOutcome::NotStarted { .. } | StepOutcome::Unknown { .. });
        let given = self.book.given.get(&step).copied();
        let marks = match marks {
            Some(marks) => marks.clone(),
            // The host's own words, which may quote the arguments.
            None if of_host => given.unwrap_or(Label::UNKNOWN).into(),
            None => Label::UNKNOWN.into(),
        };
        let name = self.plan.step(step).map(|step| step.name.clone());
        self.see(marks.all(), name);
        self.book.results.insert(step, marks);
    }

    pub(super) fn note_decided(&mut self, node: NodeId) {
        let when = self.plan.node(node).and_then(|node| node.when.clone()).unwrap_or_default();
        self.note_influence(node, &when);
    }

    /// Notes what `text` reads where it decides over `node`; gives the labels of what it comes to.
    fn note_influence(&mut self, node: NodeId, text: &str) -> Marks {
        let source = Source::parse(text, &self.plan.names_at(node));
        let marks = source.map_or_else(|_| Label::UNKNOWN.into(), |source| self.source_marks(node, &source));
        let marks = marks.under(self.written(node).label);
        let label = self.book.decided.get(&node).copied().unwrap_or_default().join(marks.all());
        if !label.is_trusted() {
            self.book.decided.insert(node, label);
        }
        marks
    }

    /// Notes a call that serves a step and has in it what that one was given, or what it gave.
    pub(super) fn note_aside(&mut self, of: NodeId, by: NodeId) {
        let given = self.book.given.get(&of).copied().unwrap_or(Label::UNKNOWN);
        let label = given.join(self.result_marks(of).all()).join(self.written(of).label);
        let after = self.plan.step(of).map(|step| step.name.clone()).into_iter().collect();
        if !label.is_trusted() {
            self.book.written.insert(by, Written { label, after });
        }
    }

    /// Notes that a result was replaced by that of another look at it.
    pub(super) fn note_replaced(&mut self, node: NodeId, by: NodeId) {
        let marks = self.result_marks(by);
        self.book.results.insert(node, marks);
    }

    /// Notes a loop whose nodes begin at `first`.
    pub(super) fn note_unrolled(&mut self, node: NodeId, first: usize) {
        let list = self.plan.goal(node).and_then(|goal| Some(goal.each.as_ref()?.list.clone())).unwrap_or_default();
        let marks = self.note_influence(node, &list);
        self.book.rounds.insert(node, marks);
        let written = self.written(node);
        self.note_nodes(first, &written);
    }

    pub(super) fn note_computed(&mut self, node: NodeId) {
        let Some(Body::Value(computed)) = self.plan.node(node).map(|node| &node.body) else { return };
        let marks = self.marks_of(node, &computed.value).under(self.under(node));
        self.book.results.insert(node, marks);
    }

    /// Notes what a loop came to.
    pub(super) fn note_rounds(&mut self, node: NodeId) {
        let Some(goal) = self.plan.goal(node) else { return };
        let mut marks = Marks::from(self.under(node));
        for (index, round) in goal.children.iter().enumerate() {
            let children = self.plan.goal(*round).map(|goal| goal.children.as_slice()).unwrap_or_default();
            if let Some(last) = children.iter().rev().find(|child| self.result_of(**child).is_some()) {
                marks.put(&PartPath::new([PartStep::Index(index)]), &self.result_marks(*last));
            }
        }
        self.book.results.insert(node, marks);
    }

    /// Notes what a child agent came to: whatever it was given, read or wrote may be in it.
    pub(super) fn note_agent(&mut self, goal: NodeId) {
        let Some(agent) = self.plan.agent(goal) else { return };
        let given = self.marks_of(goal, &agent.given).all().join(self.written(goal).label).join(self.under(goal));
        let within = self.plan.nodes().iter().map(|node| node.id).filter(|id| self.plan.path(*id).contains(&goal));
        let label = within
            .filter(|id| *id != goal)
            .fold(given, |label, id| label.join(self.result_marks(id).all()).join(self.written(id).label));
        self.book.results.insert(goal, label.into());
    }

    /// Notes what an error branch is told: whatever failed before it may have put words into it.
    pub(super) fn note_told(&mut self, from: NodeId, to: NodeId) {
        let below = self.plan.subtree(from);
        let label = below
            .iter()
            .fold(Label::TRUSTED, |label, id| label.join(self.result_marks(*id).all()).join(self.written(*id).label));
        self.book.errors.insert(to, label);
    }

    /// Notes a call that a person did not want: what the failure says is the person's and the host's.
    pub(super) fn note_denied(&mut self, step: NodeId, arguments: &Value) {
        let labels = self.labels(step, arguments);
        let label = labels.values().fold(self.under(step), |all, one| all.join(*one));
        self.book.results.insert(step, label.into());
    }

    /// What can be read by now.
    pub(super) fn seen_label(&self) -> Label {
        self.seen().label
    }

    fn seen(&self) -> Written {
        let read = self.records.values().any(|record| record.outcome.is_some());
        match self.book.whole || !read {
            true => self.book.seen.clone(),
            false => Written { label: Label::UNKNOWN.join(self.book.seen.label), after: self.book.seen.after.clone() },
        }
    }

    pub(super) fn see(&mut self, label: Label, step: Option<StepName>) {
        let seen = &mut self.book.seen;
        let raised = seen.label.join(label);
        if raised != seen.label {
            seen.label = raised;
            seen.after.extend(step);
        }
    }
}

/// What an expression reads, by its name where it stands.
enum Name {
    Step(StepName),
    Variable(String),
}

fn reads(source: &Source) -> Vec<(Name, PartPath)> {
    match source {
        Source::Path(reference) => vec![(Name::Step(reference.step.clone()), reference.path.to_part())],
        Source::Computed(expression) => expression.reads().into_iter().filter_map(|path| read(&path)).collect(),
    }
}

fn read(path: &[&str]) -> Option<(Name, PartPath)> {
    let keys = |rest: &[&str]| PartPath::new(rest.iter().map(|key| PartStep::Key((*key).to_owned())));
    match path {
        ["steps", step, rest @ ..] => Some((Name::Step(StepName::try_from((*step).to_owned()).ok()?), keys(rest))),
        ["steps"] | [] => None,
        [name, rest @ ..] => Some((Name::Variable((*name).to_owned()), keys(rest))),
    }
}

/// The words of three letters and more in the texts of a draft's arguments.
fn literals<'d>(draft: &'d Draft, words: &mut Vec<&'d str>) {
    match draft {
        Draft::Step(step) => texts(&step.arguments, words),
        Draft::Value(value) => texts(&value.value, words),
        Draft::Goal(goal) => goal.children.iter().for_each(|child| literals(child, words)),
    }
}

fn texts<'v>(value: &'v Value, words: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => {
            // What stands between braces refers to something, and is no copy of it.
            let outside = text.split("{{").map(|piece| piece.split_once("}}").map_or(piece, |(_, rest)| rest));
            let split = |piece: &'v str| piece.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.extend(outside.flat_map(split).filter(|word| word.chars().count() > 2));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, words)),
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("$ref") => {}
        Value::Object(fields) => fields.values().for_each(|field| texts(field, words)),
        _ => {}
    }
}

fn holds(value: &Value, word: &str) -> bool {
    match value {
        Value::String(text) => text.contains(word),
        Value::Array(items) => items.iter().any(|item| holds(item, word)),
        Value::Object(fields) => fields.iter().any(|(key, field)| key.contains(word) || holds(field, word)),
        Value::Number(number) => number.to_string() == word,
        _ => false,
    }
}
