//! The command as people use it: the real binary, the embedded plugins, real files, a server on loopback.

mod approvals;
mod bad_input;
mod bench;
mod change;
mod durable;
mod flows;
mod goals;
mod honest;
mod hosts;
mod keys;
mod kills;
mod labels;
mod learn;
mod ledger;
mod long;
mod models;
mod output;
mod plans;
mod plugins;
mod policy;
mod programs;
mod receipts;
mod rollback;
mod secrets;
mod transcript;
mod worker;
