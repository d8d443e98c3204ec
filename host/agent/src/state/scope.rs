//! What an expression sees where it stands in the plan, and the values that follow from expressions.

use serde_json::Value;

use super::State;
use crate::plan::refs::{self, RefError, Scope, Source};
use crate::{Body, EventKind, NodeId, Order, StepName, StepOutcome};

/// The state as a node of the plan sees it.
pub(super) struct At<'s> {
    pub(super) state: &'s State,
    pub(super) node: NodeId,
}

impl At<'_> {
    /// The arguments without expressions, and the steps that they came from.
    pub(super) fn resolve(&self, value: &Value) -> Result<(Value, Vec<StepName>), RefError> {
        refs::resolve(value, &self.state.plan.names_at(self.node), self)
    }

    /// What one expression comes to, and the steps that it came from.
    fn value_of(&self, text: &str) -> Result<(Value, Vec<StepName>), RefError> {
        let source = Source::parse(text, &self.state.plan.names_at(self.node))?;
        let mut from = Vec::new();
        for read in source.reads() {
            match read {
                refs::Read::Step { name, .. } => from.extend(self.origin(&name)),
                refs::Read::Variable(name) => from.extend(self.sources(&name)),
            }
        }
        from.sort();
        from.dedup();
        Ok((source.evaluate(self)?, from))
    }

    /// The loop whose variable this is, and its round here.
    pub(super) fn round(&self, name: &str) -> Option<(NodeId, usize)> {
        let path = self.state.plan.path(self.node);
        path.into_iter().rev().find_map(|id| {
            let round = self.state.plan.node(id)?.round.as_ref()?;
            let each = self.state.plan.goal(round.of)?.each.as_ref()?;
            (each.item == name).then_some((round.of, round.index))
        })
    }

    /// What is known of the step that this one checks.
    fn checked(&self) -> Option<&super::Record> {
        let serves = self.state.plan.node(self.node)?.serves.filter(|serves| serves.service.is_check())?;
        self.state.records.get(&serves.of)
    }

    /// What failed before the error branch that this is in.
    fn error(&self) -> Option<&(Value, Vec<StepName>)> {
        self.state.plan.path(self.node).into_iter().rev().find_map(|id| self.state.errors.get(&id))
    }
}

impl Scope for At<'_> {
    fn step(&self, name: &StepName) -> Option<&Value> {
        self.state.result_of(self.state.plan.holder_at(self.node, name)?.id)
    }

    fn origin(&self, name: &StepName) -> Option<StepName> {
        self.state.plan.holder_at(self.node, name)?.body.name().cloned()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        match (name, self.round(name)) {
            (_, Some((of, index))) => self.state.rounds.get(&of)?.0.get(index),
            ("inputs", None) => Some(&self.state.inputs),
            ("error", None) => self.error().map(|(why, _)| why),
            ("arguments", None) => Some(&*self.checked()?.arguments),
            ("result", None) => match self.checked()?.outcome.as_ref()? {
                StepOutcome::Done { output } => output.structured.as_ref(),
                _ => None,
            },
            _ => None,
        }
    }

    fn sources(&self, name: &str) -> Vec<StepName> {
        match (name, self.round(name)) {
            (_, Some((of, _))) => self.state.rounds.get(&of).map(|(_, from)| from.clone()).unwrap_or_default(),
            ("error", None) => self.error().map(|(_, from)| from.clone()).unwrap_or_default(),
            ("arguments", None) => self.checked().map(|record| record.from.clone()).unwrap_or_default(),
            ("result", None) => {
                let of = self.state.plan.node(self.node).and_then(|node| node.serves).map(|serves| serves.of);
                of.and_then(|of| self.state.plan.step(of)).map(|step| step.name.clone()).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

impl State {
    /// The step that this one checks, where it is a check.
    pub(super) fn checked_by(&self, node: NodeId) -> Option<(NodeId, &crate::Step)> {
        let serves = self.plan.node(node)?.serves.filter(|serves| serves.service.is_check())?;
        Some((serves.of, self.plan.step(serves.of)?))
    }

    pub(super) fn at(&self, node: NodeId) -> At<'_> {
        At { state: self, node }
    }

    /// What follows for a node that has a condition which nobody asked yet.
    pub(super) fn decided(&self, node: NodeId) -> Option<EventKind> {
        let found = self.plan.node(node).filter(|found| found.holds.is_none())?;
        let text = found.when.as_deref()?;
        Some(match self.at(node).value_of(text) {
            Ok((Value::Bool(holds), _)) => EventKind::Decided { node, holds },
            Ok(_) => self.given_up(node, format!("its condition `{text}` is neither true nor false")),
            Err(error) => self.given_up(node, format!("its condition has no answer: {error}")),
        })
    }

    /// The value of a node that the host computes.
    pub(super) fn computed(&self, node: NodeId, value: &Value) -> EventKind {
        match self.at(node).resolve(value) {
            Ok((value, from)) => EventKind::Computed { node, value, from },
            Err(error) => self.given_up(node, error.to_string()),
        }
    }

    /// The rounds of a loop.
    pub(super) fn unrolled(&self, node: NodeId, list: &str, body: usize) -> EventKind {
        match self.at(node).value_of(list) {
            Ok((Value::Array(items), from)) => {
                let nodes = self.nodes_with(items.len(), body);
                if nodes > self.caps.nodes {
                    let (rounds, most) = (items.len(), self.caps.nodes);
                    return self.given_up(
                        node,
                        format!("with {rounds} rounds the plan would have {nodes} nodes, at most {most} are allowed"),
                    );
                }
                EventKind::Unrolled { node, items, from }
            }
            Ok(_) => self.given_up(node, format!("`{list}` is no list to go over")),
            Err(error) => self.given_up(node, error.to_string()),
        }
    }

    /// How many nodes the plan has once a loop has so many rounds.
    pub(super) fn nodes_with(&self, rounds: usize, body: usize) -> usize {
        rounds.saturating_mul(body + 1).saturating_add(self.plan.nodes().len())
    }

    fn given_up(&self, node: NodeId, why: String) -> EventKind {
        match self.plan.node(node).map(|node| &node.body) {
            Some(Body::Goal(_)) => EventKind::GoalFailed { node, why, usage: Default::default() },
            _ => EventKind::StepBlocked { node, why },
        }
    }

    /// What a loop came to: what each round's last step gave.
    pub(super) fn of_rounds(&self, node: NodeId) -> Option<(Value, Vec<StepName>)> {
        let goal = self.plan.goal(node)?;
        goal.each.as_ref()?.name.as_ref()?;
        let mut from = Vec::new();
        let last = |round: &NodeId| {
            let children = &self.plan.goal(*round)?.children;
            let (holder, value) = children.iter().rev().find_map(|child| Some((*child, self.result_of(*child)?)))?;
            Some((self.plan.node(holder)?.body.name().cloned(), value.clone()))
        };
        let values = goal.children.iter().map(|round| match last(round) {
            Some((name, value)) => {
                from.extend(name);
                value
            }
            None => Value::Null,
        });
        let values = values.collect();
        Some((Value::Array(values), from))
    }

    /// Keeps what an error branch is told: why the one before it failed, and whose words those may be.
    pub(super) fn note_error(&mut self, from: NodeId, to: NodeId, why: &str) {
        let rescue = |id: NodeId| self.plan.goal(id).is_some_and(|goal| goal.order == Order::Rescue);
        if self.plan.node(to).and_then(|node| node.parent).is_some_and(rescue) {
            let below = self.plan.subtree(from);
            let steps = below.iter().filter_map(|id| self.plan.step(*id).map(|step| step.name.clone()));
            let told = (Value::from(why), steps.collect());
            self.errors.insert(to, told);
            self.note_told(from, to);
        }
    }
}
