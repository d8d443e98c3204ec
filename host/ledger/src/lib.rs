//! The ledger: the hash-chained event log that every run is made of.
//!
//! A run is a fold over its events, so whatever the host does it first writes here. The crate knows nothing of plans,
//! tools or models: an event is a kind and a JSON payload, and their meaning belongs to whoever appends and folds them.
//!
//! ```text
//!  NewEvent ──► Writer ──► salt, digest, link ──► SQLite (WAL) ──► page / events / tail / export
//!                 │                                   │
//!                 └── head of the run ──► chain of heads ──► Checkpoint ··· kept elsewhere ···► verify_against
//! ```
//!
//! # What is proved, and what is not
//!
//! Every run has a chain of its own, and the heads of the runs (at their begin, at their end, at each checkpoint) form
//! one chain for the whole ledger. A chained event holds a *salted digest* of its payload; payload and salt lie in a table
//! of their own and can be erased, after which the chain still verifies ([`Ledger::erase`], [`Ledger::prune`]). The exact
//! bytes that are hashed are written down in [`proof`], so that a third party can verify a ledger without this crate.
//!
//! [`Ledger::verify`] finds events that were changed, removed or reordered, and says where. Nothing in it is secret, so
//! whoever can write the file can also build a whole new consistent ledger, or cut the newest events off the end of an
//! open run: **that shows only against a [`Checkpoint`] that was kept elsewhere** ([`Ledger::verify_against`]).
//!
//! The row of a run (title, status, end) is a summary for listings. It is derived from the events and no part of the
//! proof; `verify` checks that it agrees with them.
//!
//! # What survives what
//!
//! An append that returned is in the operating system's hands: it survives the death of the process
//! ([`Durability::Process`]), or also the loss of power ([`Durability::Power`], one `fdatasync` of the log per commit, which
//! makes everything before it durable too).
//!
//! # One writer
//!
//! A folder has one writing host, held by a lock on `ledger.lock`; any number of processes may read meanwhile
//! ([`Ledger::open_read_only`]). All calls block, for tens of microseconds as a rule and for a disk flush with
//! `Power`: from async code, use a blocking task where that matters.

mod error;
mod event;
mod id;
mod stamp;

mod folder;
mod schema;
mod torn;
mod wal;

pub mod proof;
mod write;

mod erase;
mod export;
mod find;
mod read;

mod checkpoint;
mod sign;
mod verify;

mod repair;

mod store;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use erase::Erased;
pub use error::LedgerError;
pub use event::{
    Durability, Event, MAX_KIND_LEN, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, MAX_STATUS_LEN, MAX_TITLE_BYTES, NewEvent,
    Recorded, RunFilter, RunMeta, RunSummary,
};
pub use export::Export;
pub use find::{Found, MIN_NEEDLE_BYTES, Needle};
pub use id::{LedgerId, RunId, RunIdError, Seq};
pub use proof::Digest;
pub use read::Events;
pub use repair::{Lost, Repaired};
pub use sign::{KeptCheckpoint, PublicKey, PublicKeyError, SignedCheckpoint, SigningKey, Trust};
pub use stamp::UnixMicros;
pub use store::Ledger;
pub use torn::Recovery;
pub use verify::{Field, Finding, Place, Problem, Progress, Verdict, VerifyReport};
