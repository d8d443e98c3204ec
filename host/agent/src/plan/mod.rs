//! The plan: a tree of goals and steps.
//!
//! ```text
//! Draft (what a planner writes) ─► Patch ─► check ─► Plan (what the state holds)
//! ```
//!
//! A goal has children that are done in order, in parallel, or as alternatives (the next is tried when one
//! fails). A step is one tool call whose arguments may refer to results of earlier steps ([`refs`]) and whose
//! result may have to meet an [`Expectation`].

pub mod agent;
mod aside;
mod check;
mod control;
mod draft;
mod expect;
mod outline;
mod patch;
pub mod refs;
mod schema;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use toolcrib_policy::{Effect, ToolName};

pub use agent::ChildAgent;
pub use aside::{CHECK_NAMES, Check, Serves, Service};
pub use check::{Located, PlanFault, check, check_located, over_share};
pub use control::{Computed, Each, Round, Trying};
pub use draft::{Draft, DraftEach, DraftError, DraftGoal, DraftStep, DraftValue};
pub use expect::{Expectation, Unmet};
pub use patch::{Patch, PatchError};
pub(crate) use schema::join as faults_line;
pub use schema::{Fault, SchemaError, validate, validate_around};

use crate::{Question, Share, Used};

/// The version of the shape of a plan, stored with it.
pub const PLAN_VERSION: u32 = 1;

/// The longest step name, in bytes: names are for references, not for prose.
const STEP_NAME_MAX: usize = 48;

/// Identifies a node in one run's plan. Ids are given in order of creation and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The goal of the run.
    pub const ROOT: Self = Self(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// The name by which a step's result is referred to: `a-z`, `0-9` and `_`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepName(String);

/// A text that cannot name a step.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` cannot name a step: use 1 to {STEP_NAME_MAX} of a-z, 0-9 and _, beginning with a letter")]
pub struct StepNameError(String);

impl StepName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest legal name to `text`: other characters become `_`.
    pub fn nearest(text: &str) -> Self {
        let mut name: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .take(STEP_NAME_MAX - 8)
            .collect();
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            name.insert_str(0, "s_");
        }
        Self(name)
    }

    fn numbered(&self, number: u32) -> Self {
        Self(format!("{}{number}", self.0))
    }
}

impl TryFrom<String> for StepName {
    type Error = StepNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let legal = (1..=STEP_NAME_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if legal { Ok(Self(text)) } else { Err(StepNameError(text.chars().take(80).collect())) }
    }
}

impl From<StepName> for String {
    fn from(name: StepName) -> Self {
        name.0
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the children of a goal are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// One after the other; all must be reached.
    #[default]
    Sequence,
    /// Independent of each other; all must be reached.
    Parallel,
    /// The first that is reached counts; the next is tried when one fails.
    Alternatives,
    /// The same for an error branch: the next is done when one fails, also after an effect that cannot be taken back.
    Rescue,
}

/// What happens to a goal when its children are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The goal is reached as well. The run's own goal is always reviewed.
    #[default]
    Close,
    /// The planner sees the results and decides how to go on.
    Review,
}

/// Where a node is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Status {
    /// Nothing has happened yet, or it is to be tried again.
    Open,
    /// A goal: the planner is thinking about it.
    Planning,
    /// A goal: its children are being worked on.
    Active,
    /// A goal: a person was asked, and nothing goes on here before the answer.
    Asking {
        /// What was asked.
        question: Question,
        /// Where set, the answer decides about this step, whose effect is unknown.
        about: Option<NodeId>,
    },
    /// A step: a person is asked whether it may be made.
    Waiting,
    /// A step: the intent is recorded, the outcome is not.
    Running,
    /// A step: its program does not run any more, and is to be run again.
    Parked,
    /// A step: the outcome is recorded, the verdict is not.
    Finished,
    /// Reached.
    Done,
    /// Not reached.
    Failed {
        /// Why, for people and planners.
        why: String,
        /// Alternatives beside it must not be tried without the planner.
        replan: bool,
    },
    /// No longer wanted: replaced by a later plan, or an alternative to something reached.
    Skipped,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The goal that it is a child of; none for the run's own goal.
    pub parent: Option<NodeId>,
    /// How many goals are above it.
    pub depth: u16,
    /// Where it is on its way.
    pub status: Status,
    /// The failed sibling that this alternative replaced, once that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<NodeId>,
    /// The condition without which it is not needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether that holds, once it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// Of which loop it is a round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
    /// Whom it serves, where it is no step of the plan itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves: Option<Serves>,
    /// What it is.
    pub body: Body,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// Something to be reached, by children that a planner chooses.
    Goal(Goal),
    /// A tool call.
    Step(Step),
    /// A value that the host computes.
    Value(Computed),
}

impl Body {
    /// The name by which its result is referred to.
    pub fn name(&self) -> Option<&StepName> {
        match self {
            Self::Goal(goal) => {
                let of_loop = goal.each.as_ref().and_then(|each| each.name.as_ref());
                of_loop.or_else(|| goal.agent.as_ref()?.name.as_ref())
            }
            Self::Step(step) => Some(&step.name),
            Self::Value(computed) => Some(&computed.name),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Something to be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// The goal in words.
    pub text: String,
    /// How its children are done.
    pub order: Order,
    /// What happens when they are reached.
    pub then: Then,
    /// Where set, its children are the rounds of a loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    /// Its children, in order.
    pub children: Vec<NodeId>,
    /// Children that failed before the planner thought again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<NodeId>,
    /// Where its children were planned anew, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anew: Vec<Anew>,
    /// Why it is being planned anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// How often in a row the planner's answer was refused.
    pub rejected: u32,
    /// How often the planner was asked because the children failed.
    pub replans: u32,
    /// The events that asked the planner about it since the last call in it, by their numbers in the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub talks: Vec<u64>,
    /// How many circles were cut in it.
    #[serde(default)]
    pub cuts: u32,
    /// What it may spend of what its parent has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Share>,
    /// Who does it, where that is an agent of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Box<ChildAgent>>,
    /// What it has used of that.
    #[serde(default, skip_serializing_if = "Used::is_nothing")]
    pub used: Used,
    /// How often in a row the planner looked something up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looked: u32,
    /// What was wrong with the last refused answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// A plan that took the place of one that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anew {
    /// Its first node.
    pub from: NodeId,
    /// Why the one before failed.
    pub why: String,
    /// What the planner said of the new one, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The name by which its result is referred to; unique in the run.
    pub name: StepName,
    /// The tool.
    pub tool: ToolName,
    /// Its arguments, with references.
    pub arguments: Value,
    /// What its result must meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// How it is tried.
    #[serde(default, skip_serializing_if = "Trying::is_usual")]
    pub trying: Trying,
    /// The effect class of the tool when the plan was made.
    pub effect: Effect,
    /// How often it was started.
    pub attempts: u32,
    /// What is read back once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Box<Check>>,
}

/// The tree of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    version: u32,
    nodes: Vec<Node>,
}

impl Plan {
    /// A plan with nothing but the goal of the run.
    pub fn new(goal: &str) -> Self {
        let mut plan = Self { version: PLAN_VERSION, nodes: Vec::new() };
        plan.add_goal(None, goal.to_owned(), Order::Sequence, Then::Review);
        plan
    }

    /// Every node, in order of creation.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id.index())
    }

    /// The goal with this id, if it is one.
    pub fn goal(&self, id: NodeId) -> Option<&Goal> {
        match &self.node(id)?.body {
            Body::Goal(goal) => Some(goal),
            Body::Step(_) | Body::Value(_) => None,
        }
    }

    pub(crate) fn goal_mut(&mut self, id: NodeId) -> Option<&mut Goal> {
        match &mut self.node_mut(id)?.body {
            Body::Goal(goal) => Some(goal),
            Body::Step(_) | Body::Value(_) => None,
        }
    }

    /// The step with this id, if it is one.
    pub fn step(&self, id: NodeId) -> Option<&Step> {
        match &self.node(id)?.body {
            Body::Step(step) => Some(step),
            Body::Goal(_) | Body::Value(_) => None,
        }
    }

    pub(crate) fn step_mut(&mut self, id: NodeId) -> Option<&mut Step> {
        match &mut self.node_mut(id)?.body {
            Body::Step(step) => Some(step),
            Body::Goal(_) | Body::Value(_) => None,
        }
    }

    /// Every step, in order of creation.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (&Node, &Step)> {
        self.nodes.iter().filter_map(|node| match &node.body {
            Body::Step(step) => Some((node, step)),
            Body::Goal(_) | Body::Value(_) => None,
        })
    }

    /// The step of this name.
    pub fn named(&self, name: &StepName) -> Option<(&Node, &Step)> {
        self.steps().find(|(_, step)| step.name == *name)
    }

    /// The node whose result has this name: a step, a value or a loop.
    pub fn holder(&self, name: &StepName) -> Option<&Node> {
        self.nodes.iter().find(|node| node.body.name() == Some(name))
    }

    /// The node whose result is called so at `from`: in a loop, the steps of the same round come first.
    pub fn holder_at(&self, from: NodeId, name: &StepName) -> Option<&Node> {
        let rounds = self.path(from).into_iter().rev().filter_map(|id| self.node(id)?.round.as_ref());
        let inner = rounds.into_iter().find_map(|round| round.names.get(name));
        self.holder(inner.unwrap_or(name))
    }

    /// The names that expressions at `from` may speak of.
    pub fn names_at(&self, from: NodeId) -> Vec<&str> {
        let mut names = refs::NAMES.to_vec();
        if self.node(from).and_then(|node| node.serves).is_some_and(|serves| serves.service.is_check()) {
            names.extend(CHECK_NAMES);
        }
        let path = self.path(from);
        for (parent, child) in path.iter().zip(path.iter().skip(1)) {
            let Some(goal) = self.goal(*parent) else { continue };
            if let Some(each) = &goal.each {
                names.push(&each.item);
            }
            if goal.order == Order::Rescue && goal.children.first() != Some(child) {
                names.push("error");
            }
        }
        names
    }

    /// The nodes from the run's goal down to `id`, both included.
    pub fn path(&self, id: NodeId) -> Vec<NodeId> {
        let mut path: Vec<_> = std::iter::successors(Some(id), |id| self.node(*id)?.parent).collect();
        path.reverse();
        path
    }

    /// Whether `first` is always over before `second` begins: nearest their common goal they are in order, and
    /// `first` does not hang on an alternative that may not have been taken.
    pub fn precedes(&self, first: NodeId, second: NodeId) -> bool {
        let (one, two) = (self.path(first), self.path(second));
        let Some(split) = one.iter().zip(&two).position(|(a, b)| a != b) else { return false };
        let Some(goal) = split.checked_sub(1).and_then(|at| self.goal(one[at])) else { return false };
        let place = |id| goal.children.iter().position(|child| *child == id);
        let ordered = goal.order == Order::Sequence && place(one[split]) < place(two[split]);
        let taken =
            |id: &NodeId| self.goal(*id).is_some_and(|goal| !matches!(goal.order, Order::Alternatives | Order::Rescue));
        ordered
            && one[split..one.len() - 1].iter().all(taken)
            && one[split..].iter().all(|id| self.node(*id).is_some_and(|node| node.when.is_none()))
    }

    /// Whether `first` is over, or not needed, before `second` begins.
    pub fn comes_before(&self, first: NodeId, second: NodeId) -> bool {
        let (one, two) = (self.path(first), self.path(second));
        let Some(split) = one.iter().zip(&two).position(|(a, b)| a != b) else { return false };
        let Some(goal) = split.checked_sub(1).and_then(|at| self.goal(one[at])) else { return false };
        let place = |id| goal.children.iter().position(|child| *child == id);
        goal.order != Order::Parallel && place(one[split]) < place(two[split])
    }

    /// Every node below `id`, itself included.
    pub fn subtree(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = vec![id];
        let mut at = 0;
        while let Some(id) = found.get(at).copied() {
            if let Some(goal) = self.goal(id) {
                found.extend(&goal.children);
            }
            at += 1;
        }
        found
    }

    /// Puts the failed children of a goal aside: the planner knows of them and decides anew.
    pub(crate) fn set_failed_aside(&mut self, id: NodeId) {
        let Some(goal) = self.goal(id) else { return };
        let failed = |id: &NodeId| self.node(*id).is_some_and(|node| node.status.is_failed());
        let (failed, rest): (Vec<_>, Vec<_>) = goal.children.iter().copied().partition(failed);
        if let Some(goal) = self.goal_mut(id) {
            goal.children = rest;
            goal.former.extend(failed);
        }
    }

    fn add_goal(&mut self, parent: Option<NodeId>, text: String, order: Order, then: Then) -> NodeId {
        let goal = Goal {
            text,
            order,
            then,
            each: None,
            children: Vec::new(),
            former: Vec::new(),
            anew: Vec::new(),
            stuck: None,
            rejected: 0,
            replans: 0,
            talks: Vec::new(),
            cuts: 0,
            budget: None,
            agent: None,
            used: Used::default(),
            looked: 0,
            faults: Vec::new(),
        };
        self.add(parent, Body::Goal(goal))
    }

    /// The id of the node that is added next.
    pub(crate) fn next_id(&self) -> NodeId {
        // A plan is bounded far below 2^32 nodes by the caps of its run.
        NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }

    fn add(&mut self, parent: Option<NodeId>, body: Body) -> NodeId {
        let id = self.next_id();
        let depth = parent.and_then(|id| self.node(id)).map_or(0, |node| node.depth.saturating_add(1));
        let status = Status::Open;
        self.nodes.push(Node {
            id,
            parent,
            depth,
            status,
            instead_of: None,
            when: None,
            holds: None,
            round: None,
            serves: None,
            body,
        });
        id
    }

    /// A name for a new step that neither the plan nor `taken` has.
    pub(crate) fn free_name(&self, wish: &StepName, taken: &[StepName]) -> StepName {
        let free = |name: &StepName| self.holder(name).is_none() && !taken.contains(name);
        std::iter::once(wish.clone())
            .chain((2..).map(|number| wish.numbered(number)))
            .find(free)
            .unwrap_or_else(|| wish.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_name_is_checked_when_it_is_read() {
        assert!(StepName::try_from("fetch_2".to_owned()).is_ok());
        for bad in ["", "2fetch", "Fetch", "a.b", "a b", &"a".repeat(49)] {
            assert!(StepName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_nearest_name_is_always_legal() {
        for text in ["read-file", "9lives", "", "Ünïcode", &"x".repeat(200)] {
            let name = StepName::nearest(text);
            assert!(StepName::try_from(String::from(name.clone())).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_root_is_a_goal_that_is_reviewed() {
        let plan = Plan::new("be happy");
        assert_eq!(plan.goal(NodeId::ROOT).map(|goal| goal.then), Some(Then::Review));
        assert_eq!(plan.path(NodeId::ROOT), [NodeId::ROOT]);
        assert!(!plan.precedes(NodeId::ROOT, NodeId::ROOT));
    }
}
