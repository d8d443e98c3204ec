//! Questions about calls, and how answers come to them.
//!
//! ```text
//!  run ─► Desk::gate ─► a rule asks ─► approval-asked ─► Desk::answer ◄── the person at the terminal
//!                                       (ledger)             ▲
//!  toolcrib approvals ─► answer ─► the ledger is free? ──yes─┼─► approval-answered (ledger)
//!                                        └──no─► Spool ──────┘
//! ```
//!
//! What counts stands in the ledger, in the chain of the run that asked; [`inbox`] is a fold over it. One process at a time
//! has the ledger. An answer from another one lies in the spool until that process, or the next, writes it down.

mod desk;
pub(crate) mod inbox;
mod spool;

pub(crate) use desk::{ApprovalLog, Desk};
pub use inbox::{Delivered, Inbox, InboxError, at_time, told};
pub(crate) use spool::Spool;
