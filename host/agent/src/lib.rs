//! The agent core: goal to plan to act to critique to answer.
//!
//! ```text
//!                 ┌────────────── Proposal ◄── Planner (builtin, model)
//!                 ▼                                ▲
//! goal ─► plan (tree of goals and steps) ─► decide ─┴► Tools ─► report
//!                 ▲                                               │
//!                 └─ apply ◄─ Event ◄─ Ledger ◄─ critic ◄─────────┘
//! ```
//!
//! [`State`] is a machine without I/O: a fold over [`Event`]s that decides [`Command`]s. The [`Run`] does what
//! it decides, through traits, and records every event before anything follows from it; so a run that was cut
//! off anywhere goes on from its events, and what has taken effect is not done again.
//!
//! Values keep the names of the steps that they came from ([`Record::from`]) and their labels, which follow references
//! exactly and what a planner has read conservatively (`state/labels.rs`).

pub mod agents;
pub mod approver;
pub mod budget;
pub mod cancel;
pub mod chain;
pub mod compare;
pub mod critic;
pub mod driver;
pub mod event;
pub mod flow;
pub mod fork;
pub mod inner;
pub mod look;
pub mod memory;
pub mod outcome;
pub mod plan;
pub mod planner;
pub mod state;
pub mod till;
pub mod tools;

pub use agents::{Agents, Scoped};
pub use approver::{Approver, Gate, Intent};
pub use budget::{Budget, BudgetKind, Caps, Millis, Share, Used};
pub use cancel::Cancel;
pub use chain::{Answered, Chain, Link, NoAnswer};
pub use compare::{Comparison, Difference, compare};
pub use critic::{Judge, Judgement, ModelJudge, Verdict};
pub use driver::{
    Clock, Durability, Ledger, LedgerError, Observer, Person, Ports, Run, RunError, SystemClock, failure_of,
};
pub use event::{Event, EventKind, Made, PlanReason, StepOutcome, Unfounded};
pub use flow::{Flow, FlowError, InputError};
pub use fork::{Fork, ForkError, fork};
pub use inner::{Begun, INNER_DEPTH_MAX, InnerPath, Inside, Program};
pub use look::{Ask, Excerpt, Look};
pub use memory::Memory;
pub use outcome::{Answer, MissingGrant, Outcome, Question};
pub use plan::{
    Anew, Body, Check, ChildAgent, Computed, Draft, DraftEach, DraftGoal, DraftStep, DraftValue, Each, Expectation,
    Goal, Node, NodeId, Order, Patch, Plan, PlanFault, Round, Serves, Service, Status, Step, StepName, Then, Trying,
};
pub use planner::builtin::BuiltinPlanner;
pub use planner::given::GivenPlanner;
pub use planner::model::{ModelPlanner, ModelView, tokens};
pub use planner::{PlanContext, Planned, Planner, PlannerError, Proposal, Writes};
pub use state::{
    Affordable, AgentSeen, Bill, Command, Detector, Foreseen, ForeseenCall, Inner, Journal, Origin, Purse, Record,
    Spent, State, StateError,
};
pub use till::{Meters, Till};
pub use tools::{EffectState, FolderState, ToolCall, ToolCard, ToolFailure, ToolOutput, ToolReport, Tools};
