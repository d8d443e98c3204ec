//! The cases by what they attack.

mod advisories;
mod agent;
mod calls;
mod compile;
mod concurrency;
mod cpu;
mod durability;
mod files;
mod gullible;
mod handles;
mod keyvalue;
mod links;
mod memory;
mod network;
mod obeyed;
mod output;
mod supply;

pub(crate) use advisories::*;
pub(crate) use agent::*;
pub(crate) use calls::*;
pub(crate) use compile::*;
pub(crate) use concurrency::*;
pub(crate) use cpu::*;
pub(crate) use durability::*;
pub(crate) use files::*;
pub(crate) use gullible::*;
pub(crate) use handles::*;
pub(crate) use keyvalue::*;
pub(crate) use links::*;
pub(crate) use memory::*;
pub(crate) use network::*;
pub(crate) use obeyed::*;
pub(crate) use output::*;
pub(crate) use supply::*;
