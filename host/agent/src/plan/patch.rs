//! Changes to the part of a plan that has not been executed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use toolcrib_policy::Effect;

use super::{
    Body, Computed, Draft, DraftEach, DraftStep, DraftValue, Each, NodeId, Order, Plan, Round, Service, Status, Step,
    StepName, Then,
};

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Patch {
    /// The goal gets these children; those of its children that nothing happened to yet are dropped.
    Expand {
        /// The goal.
        node: NodeId,
        /// How the new children are done.
        order: Order,
        /// What happens when they are reached.
        #[serde(default)]
        then: Then,
        /// The new children.
        children: Vec<Draft>,
    },
    /// The goal gets these children behind those that it has.
    Append {
        /// The goal.
        node: NodeId,
        /// The new children.
        children: Vec<Draft>,
    },
    /// A node that nothing happened to yet becomes this.
    Replace {
        /// The node.
        node: NodeId,
        /// What takes its place.
        with: Box<Draft>,
    },
    /// A node that nothing happened to yet is dropped.
    Remove {
        /// The node.
        node: NodeId,
    },
}

/// A patch that does not fit the plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatchError {
    /// There is no such node.
    #[error("there is no node {0}")]
    NoNode(NodeId),
    /// A step cannot have children.
    #[error("{0} is a step, and a step has no children")]
    NotAGoal(NodeId),
    /// It has begun or is over.
    #[error("{0} has begun or is over; only what has not begun can change")]
    Begun(NodeId),
    /// The goal of the run cannot be replaced.
    #[error("the goal of the run cannot be replaced or removed")]
    Root,
    /// There are no children to add.
    #[error("{0} gets no children")]
    Empty(NodeId),
    /// A recorded patch lacks what checking fills in.
    #[error("the step for `{0}` has no name or effect: the patch was not checked")]
    Unchecked(String),
}

impl Patch {
    /// The node that changes.
    pub fn node(&self) -> NodeId {
        match self {
            Self::Expand { node, .. }
            | Self::Append { node, .. }
            | Self::Replace { node, .. }
            | Self::Remove { node } => *node,
        }
    }

    /// The new nodes, at the top.
    pub fn drafts(&self) -> &[Draft] {
        match self {
            Self::Expand { children, .. } | Self::Append { children, .. } => children,
            Self::Replace { with, .. } => std::slice::from_ref(with),
            Self::Remove { .. } => &[],
        }
    }

    pub(crate) fn drafts_mut(&mut self) -> &mut [Draft] {
        match self {
            Self::Expand { children, .. } | Self::Append { children, .. } => children,
            Self::Replace { with, .. } => std::slice::from_mut(with),
            Self::Remove { .. } => &mut [],
        }
    }
}

impl Plan {
    /// Applies one checked patch.
    ///
    /// # Errors
    ///
    /// The patch does not fit; the plan may then be half changed, so callers work on a copy.
    pub(crate) fn apply(&mut self, patch: &Patch) -> Result<(), PatchError> {
        match patch {
            Patch::Expand { node, order, then, children } => self.expand(*node, *order, *then, children),
            Patch::Append { node, children } => {
                self.open_goal(*node)?;
                self.attach(*node, children)
            }
            Patch::Replace { node, with } => {
                let parent = self.untouched(*node)?;
                let new = self.insert(Some(parent), with)?;
                if let Some(goal) = self.goal_mut(parent) {
                    goal.children.iter_mut().filter(|child| **child == *node).for_each(|child| *child = new);
                }
                self.skip(*node);
                Ok(())
            }
            Patch::Remove { node } => {
                self.untouched(*node)?;
                self.skip(*node);
                Ok(())
            }
        }
    }

    fn expand(&mut self, node: NodeId, order: Order, then: Then, children: &[Draft]) -> Result<(), PatchError> {
        self.open_goal(node)?;
        let old = self.goal(node).map(|goal| goal.children.clone()).unwrap_or_default();
        for child in &old {
            if self.untouched(*child).is_ok() {
                self.skip(*child);
            }
        }
        let kept = old
            .iter()
            .any(|child| self.node(*child).is_some_and(|n| n.status != Status::Skipped && !n.status.is_failed()));
        let Some(goal) = self.goal_mut(node) else { return Err(PatchError::NotAGoal(node)) };
        let same = goal.order == order;
        goal.then = then;
        if !kept || same {
            goal.order = order;
            return self.attach(node, children);
        }
        // What was reached stays in its own order; the new children get a goal of their own behind it.
        goal.order = Order::Sequence;
        let text = goal.text.clone();
        let inner = self.add_goal(Some(node), text, order, Then::Close);
        if let Some(goal) = self.goal_mut(node) {
            goal.children.push(inner);
        }
        self.attach(inner, children)
    }

    fn attach(&mut self, parent: NodeId, children: &[Draft]) -> Result<(), PatchError> {
        if children.is_empty() {
            return Err(PatchError::Empty(parent));
        }
        for child in children {
            let id = self.insert(Some(parent), child)?;
            if let Some(goal) = self.goal_mut(parent) {
                goal.children.push(id);
            }
        }
        Ok(())
    }

    fn insert(&mut self, parent: Option<NodeId>, draft: &Draft) -> Result<NodeId, PatchError> {
        match draft {
            Draft::Step(DraftStep {
                name: Some(name),
                tool,
                arguments,
                expect,
                when,
                trying,
                check,
                effect: Some(effect),
            }) => {
                let step = Step {
                    name: name.clone(),
                    tool: tool.clone(),
                    arguments: arguments.clone(),
                    expect: expect.clone(),
                    trying: *trying,
                    effect: effect.clone(),
                    attempts: 0,
                    check: check.clone(),
                };
                let id = self.add(parent, Body::Step(step));
                if let Some(check) = check {
                    self.add_aside(id, Service::Check, (**check).clone(), Effect::Read);
                }
                Ok(self.only_when(id, when.as_ref()))
            }
            Draft::Value(DraftValue { name, value, when }) => {
                let id = self.add(parent, Body::Value(Computed { name: name.clone(), value: value.clone() }));
                Ok(self.only_when(id, when.as_ref()))
            }
            Draft::Step(step) => Err(PatchError::Unchecked(step.tool.to_string())),
            Draft::Goal(goal) => {
                let id = self.add_goal(parent, goal.goal.clone(), goal.order, goal.then);
                self.only_when(id, goal.when.as_ref());
                if let Some(made) = self.goal_mut(id) {
                    made.budget = goal.budget;
                    made.agent = goal.agent.clone().map(Box::new);
                }
                if let Some(DraftEach { list, item, name }) = &goal.each {
                    if goal.children.is_empty() {
                        return Err(PatchError::Empty(id));
                    }
                    let (list, item, name, body) = (list.clone(), item.clone(), name.clone(), goal.children.clone());
                    if let Some(goal) = self.goal_mut(id) {
                        goal.each = Some(Each { list, item, name, body });
                    }
                } else if !goal.children.is_empty() {
                    self.attach(id, &goal.children)?;
                    if let Some(node) = self.node_mut(id) {
                        // One that has a condition begins when that is asked.
                        node.status = if goal.when.is_some() { Status::Open } else { Status::Active };
                    }
                }
                Ok(id)
            }
        }
    }

    fn only_when(&mut self, id: NodeId, when: Option<&String>) -> NodeId {
        if let Some(node) = self.node_mut(id) {
            node.when = when.cloned();
        }
        id
    }

    /// Gives a loop so many rounds, each with a copy of its body.
    pub(crate) fn unroll(&mut self, id: NodeId, rounds: usize) -> Result<(), PatchError> {
        let each = self.goal(id).and_then(|goal| goal.each.clone()).ok_or(PatchError::NotAGoal(id))?;
        for index in 0..rounds {
            let round = self.add_goal(Some(id), format!("{} {}", each.item, index + 1), Order::Sequence, Then::Close);
            let mut body = each.body.clone();
            let mut names = BTreeMap::new();
            rename(&mut body, &mut |name| {
                let wish = StepName::nearest(&format!("{name}_{}", index + 1));
                let taken: Vec<StepName> = names.values().cloned().collect();
                let free = self.free_name(&wish, &taken);
                names.insert(name.clone(), free.clone());
                free
            });
            self.attach(round, &body)?;
            if let Some(node) = self.node_mut(round) {
                node.status = Status::Active;
                node.round = Some(Round { of: id, index, names });
            }
            if let Some(goal) = self.goal_mut(id) {
                goal.children.push(round);
            }
        }
        Ok(())
    }

    fn open_goal(&self, id: NodeId) -> Result<(), PatchError> {
        let node = self.node(id).ok_or(PatchError::NoNode(id))?;
        match (&node.body, &node.status) {
            (Body::Step(_) | Body::Value(_), _) => Err(PatchError::NotAGoal(id)),
            (_, Status::Done | Status::Failed { .. } | Status::Skipped) => Err(PatchError::Begun(id)),
            _ => Ok(()),
        }
    }

    /// The parent of a node that nothing happened to yet, neither to it nor below it.
    fn untouched(&self, id: NodeId) -> Result<NodeId, PatchError> {
        let node = self.node(id).ok_or(PatchError::NoNode(id))?;
        let parent = node.parent.ok_or(PatchError::Root)?;
        let fresh = self.subtree(id).into_iter().all(|id| {
            self.node(id).is_some_and(|node| match (&node.body, &node.status) {
                (Body::Step(step), Status::Open) => step.attempts == 0,
                (Body::Goal(_), Status::Open | Status::Active) | (Body::Value(_), Status::Open) => true,
                (_, Status::Skipped) => true,
                _ => false,
            })
        });
        if fresh { Ok(parent) } else { Err(PatchError::Begun(id)) }
    }

    /// Marks whatever is not over at and below `id` as no longer wanted.
    pub(crate) fn skip(&mut self, id: NodeId) {
        for id in self.subtree(id) {
            if let Some(node) = self.node_mut(id)
                && matches!(
                    node.status,
                    Status::Open
                        | Status::Active
                        | Status::Planning
                        | Status::Asking { .. }
                        | Status::Waiting
                        | Status::Parked
                )
            {
                node.status = Status::Skipped;
            }
        }
    }

    /// Marks what nothing happened to yet below `id` as no longer wanted, and frees its names for what takes its place.
    pub(crate) fn drop_open_below(&mut self, id: NodeId) {
        let children = self.goal(id).map(|goal| goal.children.clone()).unwrap_or_default();
        for child in children.into_iter().filter(|child| self.untouched(*child).is_ok()).collect::<Vec<_>>() {
            self.skip(child);
            for below in self.subtree(child) {
                let Some(name) = self.node(below).and_then(|node| node.body.name().cloned()) else { continue };
                let free = self.free_name(&StepName::nearest(&format!("dropped_{name}")), &[]);
                match self.node_mut(below).map(|node| &mut node.body) {
                    Some(Body::Step(step)) => step.name = free,
                    Some(Body::Value(computed)) => computed.name = free,
                    Some(Body::Goal(goal)) => {
                        if let Some(each) = &mut goal.each {
                            each.name = Some(free);
                        }
                    }
                    None => {}
                }
            }
        }
    }

    /// The names that `drafts` give to steps.
    pub(crate) fn draft_names(drafts: &[Draft]) -> Vec<StepName> {
        drafts
            .iter()
            .flat_map(|draft| match draft {
                Draft::Step(step) => step.name.clone().into_iter().collect(),
                Draft::Value(value) => vec![value.name.clone()],
                Draft::Goal(goal) => {
                    let own = goal.each.as_ref().and_then(|each| each.name.clone());
                    let agent = goal.agent.as_ref().and_then(|agent| agent.name.clone());
                    own.into_iter().chain(agent).chain(Self::draft_names(&goal.children)).collect::<Vec<_>>()
                }
            })
            .collect()
    }
}

/// Gives the results of these drafts other names. The body of a loop inside is left alone: its rounds name it.
fn rename(drafts: &mut [Draft], name: &mut dyn FnMut(&StepName) -> StepName) {
    for draft in drafts {
        match draft {
            Draft::Step(step) => step.name = step.name.as_ref().map(&mut *name),
            Draft::Value(value) => value.name = name(&value.name),
            Draft::Goal(goal) => {
                if let Some(agent) = &mut goal.agent {
                    agent.name = agent.name.as_ref().map(&mut *name);
                }
                match &mut goal.each {
                    Some(each) => each.name = each.name.as_ref().map(&mut *name),
                    None => rename(&mut goal.children, name),
                }
            }
        }
    }
}

impl Status {
    /// Whether it is a failure.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Whether nothing more happens to the node.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Failed { .. } | Self::Skipped)
    }
}
