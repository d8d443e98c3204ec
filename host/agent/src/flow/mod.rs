//! Flows: plans that a person wrote, in YAML.
//!
//! ```text
//! YAML ─► Flow (inputs, drafts, result) ─► check against the tools ─► Run::flow ─► the executor of every plan
//! a finished run ─► save ─► YAML
//! ```
//!
//! A flow is the tree of a plan: nothing in it is executed in another way than what a planner proposes.

mod inputs;
mod places;
mod read;
mod save;

use serde_json::{Map, Value};
use thiserror::Error;
use toolcrib_model::Usage;
use toolcrib_policy::Label;

use crate::event::EVENT_VERSION;
use crate::plan::{PlanFault, check, check_located, over_share};
use crate::{Budget, Caps, Draft, EventKind, NodeId, Order, Patch, Plan, PlanReason, State, Then, Tools};

use places::Places;

pub use inputs::InputError;
pub use places::Place;
pub use save::{Saved, save, written};

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

/// Reads the plan of a run as a person wrote it, and checks it as a planner's answer is checked: it takes the place of all that
/// is still to be done for the goal `node`.
///
/// # Errors
///
/// What is wrong, each with its place in the text.
pub fn plan(text: &str, state: &State, node: NodeId, tools: &dyn Tools) -> Result<Vec<Patch>, Vec<String>> {
    let children = read::plan(text).map_err(|error| vec![error.to_string()])?;
    let then = state.plan().goal(node).map_or(Then::Close, |goal| goal.then);
    let mut open = state.plan().clone();
    open.drop_open_below(node);
    let beyond = state.beyond(node, &children);
    if !beyond.is_empty() {
        return Err(beyond.iter().map(ToString::to_string).collect());
    }
    let patches = vec![Patch::Expand { node, order: Order::Sequence, then, children }];
    check_located(&open, node, patches, state.caps(), &|name| tools.get(name)).map_err(|faults| {
        let places = Places::of(text);
        faults.into_iter().map(|(name, fault)| places.told(name.as_ref(), &fault)).collect()
    })
}

/// Why a text is no flow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FlowError {
    /// It is no YAML. The text says where.
    #[error("it is no YAML: {0}")]
    Yaml(String),
    /// Something in it is wrong.
    #[error("{at}: {why}{}", .place.map(|place| format!(" ({place})")).unwrap_or_default())]
    Wrong {
        /// Where, such as `steps[2].retry`.
        at: String,
        /// What is wrong, and what to write.
        why: String,
        /// Where that is in the text.
        place: Option<Place>,
    },
}

impl FlowError {
    fn wrong(at: String, why: impl Into<String>) -> Self {
        Self::Wrong { at, why: why.into(), place: None }
    }

    /// The same with its place in the text.
    fn placed(self, text: &str) -> Self {
        match self {
            Self::Wrong { at, why, place: None } => {
                let place = Places::of(text).at(&at);
                Self::Wrong { at, why, place }
            }
            other => other,
        }
    }
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
        let mut beyond = Vec::new();
        over_share(&self.budget.into(), &self.steps, &mut beyond);
        if !beyond.is_empty() {
            return Err(beyond);
        }
        check(&Plan::new(&self.name), node, patches, &self.caps(), &|name| tools.get(name))
    }

    /// How a run of it begins: its first change, checked, with its inputs.
    pub fn opening(&self, planner: &str, budget: Budget, patches: Vec<Patch>, inputs: Value) -> Vec<EventKind> {
        let (version, goal, planner, caps) = (EVENT_VERSION, self.name.clone(), planner.to_owned(), self.caps());
        let (node, note, usage, label) = (NodeId::ROOT, String::new(), Usage::default(), Some(Label::TRUSTED));
        vec![
            EventKind::RunStarted {
                version,
                goal,
                planner,
                budget,
                caps,
                inputs,
                critic: Default::default(),
                hold: false,
            },
            EventKind::PlanAsked { node, reason: PlanReason::Open },
            EventKind::Expanded { node, patches, note, usage, label, given: true },
        ]
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
