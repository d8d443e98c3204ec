//! The agent as a whole, over tools, ledgers and planners in memory: no network, no clock of the machine.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod agents;
mod approvals;
mod builtin;
mod catalog;
mod context;
mod critic;
mod driver;
mod flow;
mod holds;
mod keys;
mod labels;
mod looks;
mod loops;
mod machine;
mod models;
mod money;
mod programs;
mod reacting;
mod resume;
mod shares;
mod stored;
mod support;
mod world;
