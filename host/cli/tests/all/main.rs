//! The command as people use it: the real binary, the embedded plugins, real files, a server on loopback.

mod bad_input;
mod bench;
mod goals;
mod honest;
mod ledger;
mod output;
mod plugins;
mod receipts;
mod transcript;
