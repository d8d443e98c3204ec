//! The agent as a whole, over tools, ledgers and planners in memory: no network, no clock of the machine.

mod builtin;
mod catalog;
mod driver;
mod machine;
mod resume;
mod support;
mod world;
