//! Flows: plans that a person wrote, in YAML.
//!
//! ```text
//! YAML ─► Flow (inputs, drafts, result) ─► check against the tools ─► Run::flow ─► the executor of every plan
//! a finished run ─► save ─► YAML
//! ```
//!
//! A flow is the tree of a plan: nothing in it is executed in another way than what a planner proposes.

mod inputs;
mod read;
mod save;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::plan::{PlanFault, check};
use crate::{Budget, Caps, Draft, NodeId, Order, Patch, Plan, Then, Tools};

pub use inputs::InputError;
pub use save::{Saved, save};

/// The name of the step whose value is what a flow comes to.
pub const RESULT: &str = "result";

/// The version of the shape of a flow.
pub const FLOW_VERSION: u64 = 1;

/// A flow that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON Schemas of its inputs, by name; `default` is what counts where one is not given.
    pub inputs: Map<String, Value>,
    /// What it may spend.
    pub budget: Budget,
    /// What it does.
    pub steps: Vec<Draft>,
}

/// Why a text is no flow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FlowError {
    /// It is no YAML. The text says where.
    #[error("it is no YAML: {0}")]
    Yaml(String),
    /// Something in it is wrong.
    #[error("{at}: {why}")]
    Wrong {
        /// Where, such as `steps[2].retry`.
        at: String,
        /// What is wrong, and what to write.
        why: String,
    },
}

impl Flow {
    /// Reads a flow.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, FlowError> {
        read::flow(text)
    }

    /// What keeps a run of it from running in circles: a person wrote how often what is done.
    pub fn caps(&self) -> Caps {
        Caps { depth: 64, nodes: 20_000, repairs: 0, replans: 0, repeats: u32::MAX, twice: true, ..Caps::default() }
    }

    /// The first change of its plan, checked against the tools: each step has its name and its effect.
    ///
    /// # Errors
    ///
    /// What is wrong: tools that are not there, arguments that do not fit, references that lead nowhere.
    pub fn checked(&self, tools: &dyn Tools) -> Result<Vec<Patch>, Vec<PlanFault>> {
        let (node, order, then) = (NodeId::ROOT, Order::Sequence, Then::Review);
        let patches = vec![Patch::Expand { node, order, then, children: self.steps.clone() }];
        check(&Plan::new(&self.name), node, patches, &self.caps(), &|name| tools.get(name))
    }

    /// The inputs of a run: what is given, and the defaults. Texts from a command line are read by the type of their input.
    ///
    /// # Errors
    ///
    /// One is missing, unknown or of another type.
    pub fn with_inputs(&self, given: &Map<String, Value>) -> Result<Value, InputError> {
        inputs::complete(&self.inputs, given)
    }

    /// The value of one input as it stands on a command line.
    pub fn input_of_text(&self, name: &str, text: &str) -> Value {
        inputs::of_text(self.inputs.get(name), text)
    }
}
