//! Planners: what turns a goal into children, an answer, a question, or an admission.
//!
//! One that always answers with one step makes a reason-act loop, one that answers with a tree is a
//! hierarchical planner; the executor does not know the difference.

pub mod builtin;
pub mod given;
pub mod model;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use toolcrib_model::{Meter, Usage};

use crate::look::Ask;
use crate::{Answer, Draft, NodeId, Order, Patch, PlanReason, Question, Record, State, Step, Then, Tools};

/// What a planner may see.
#[derive(Clone)]
pub struct PlanContext {
    /// The run so far, results and failures included.
    pub state: Arc<State>,
    /// The goal that the planner is asked about.
    pub node: NodeId,
    /// Why it is asked.
    pub reason: PlanReason,
    /// The tools, to search and to look up. A planner does not call them.
    pub tools: Arc<dyn Tools>,
    /// Who is told of each request to a model, before it is sent and after it.
    pub meter: Arc<dyn Meter>,
}

impl PlanContext {
    /// The goal of the agent that this planner plans for; the run's own where there is no other.
    pub fn scope(&self) -> NodeId {
        self.state.plan().scope_of(self.node)
    }

    /// The accepted steps with their results, as far as the agent sees them.
    pub fn results(&self) -> Vec<(&Step, &Record, &Value)> {
        self.state.results_in(self.scope())
    }

    /// The goal in words.
    pub fn goal(&self) -> &str {
        self.state.plan().goal(self.node).map_or("", |goal| &goal.text)
    }
}

/// What a planner answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proposal {
    /// The goal gets these children, in place of those that have not begun.
    Expand {
        /// How they are done.
        order: Order,
        /// What happens when they are reached.
        then: Then,
        /// The children.
        children: Vec<Draft>,
    },
    /// Other changes to the part of the plan that has not been executed.
    Change(Vec<Patch>),
    /// Something is to be looked up first; the planner is asked again with what was found.
    Look(Vec<Ask>),
    /// The goal is reached.
    Answer(Answer),
    /// A person must say something first.
    Ask(Question),
    /// The goal cannot be reached; the text says why.
    Fail(String),
}

/// A proposal, what it cost, and why it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The proposal.
    pub proposal: Proposal,
    /// What it cost.
    pub usage: Usage,
    /// The reason, for people; may be empty.
    pub note: String,
}

impl From<Proposal> for Planned {
    fn from(proposal: Proposal) -> Self {
        Self { proposal, usage: Usage::default(), note: String::new() }
    }
}

/// Why a planner gave no proposal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlannerError {
    /// Its answer could not be used. It is asked again, with the faults, a bounded number of times.
    #[error("the planner's answer cannot be used: {}", faults.join("; "))]
    Unusable {
        /// What is wrong.
        faults: Vec<String>,
        /// What the answer cost.
        usage: Usage,
    },
    /// It cannot answer at all.
    #[error("the planner is not available: {why}")]
    Unavailable {
        /// Why.
        why: String,
        /// What was spent all the same.
        usage: Usage,
    },
}

/// How a planner writes down what it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Anything of it may stand anywhere in what it writes.
    Freely,
    /// It refers to results, and copies nothing of them but the names of fields.
    ByReference,
}

/// Something that plans.
#[async_trait]
pub trait Planner: Send + Sync {
    /// Its name, as it stands in the first event of a run: `builtin`, or the model's.
    fn name(&self) -> &str;

    /// Whether it finds a way where nobody can say if a call took effect, such as reading back what was written. With
    /// one that does not, a run that nobody attends ends with the question and can be answered later.
    fn goes_around(&self) -> bool {
        true
    }

    /// How it writes down what it has read. What is said here is believed: a planner that copies must not say otherwise.
    fn writes(&self) -> Writes {
        Writes::Freely
    }

    /// Answers for one goal. Dropping the future cancels it. What it proposes is checked before it counts.
    ///
    /// # Errors
    ///
    /// Any [`PlannerError`].
    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError>;
}
