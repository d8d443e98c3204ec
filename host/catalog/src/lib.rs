//! Plugin directories become verified, searchable tools.
//!
//! ```text
//! sources ─► scan ─► stamp unchanged? ──yes──► record (from the index or the last look)
//!                         │no                        │
//!                         ▼                          ▼
//!                   place: read once, hash ─► inspect ─► admit: texts cleaned, schemas checked
//!                                                    │
//!                                                    ▼
//!                              resolve: who gets a name ─► snapshot ─► tools, search, problems
//!                                                    │
//!                         component: read once, hash, compare ─► the bytes to compile
//!                                    ▲
//!                 lock, signature ───┘ what a person has seen, and who vouches for it
//! ```
//!
//! - A [`Snapshot`] never changes. A reload puts another one in its place, and whoever holds the old one keeps it.
//! - The bytes that [`Catalog::component`] gives out are the bytes that were compared with the digest: no file is opened
//!   between the check and the use.
//! - A warm start opens one index file per source and asks for stamps. What the index says is checked before anything is
//!   run; see [`Catalog::confirm`].
//! - Names belong to the most trusted source that has them: what is embedded, then the user's, then a project's. Two of
//!   one rank that want the same name, or names that look the same, both go without.
//! - Everything that a plugin says about itself is untrusted text. What a person could not see is taken out where it
//!   comes in, and a [`Problem`] says that it was there.

mod scan;
mod source;
mod stamp;

mod inspect;
mod manifest;
mod names;
mod place;
mod sandboxed;
mod schema;
mod search;
mod text;

mod index;
mod kept;
mod plugin;
mod record;
mod refresh;
mod state;
mod tool;

mod assemble;
mod catalog;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod limits;
mod lock;
mod problem;
mod resolve;
mod signature;
mod snapshot;
mod watch;
pub use catalog::{Catalog, CatalogConfig, CatalogError};
pub use inspect::{Inspect, InspectError};
pub use lock::{Difference, Lock, LockError, Pinned, PinnedTool};
pub use manifest::MANIFEST_FILE;
pub use plugin::{Origin, Plugin};
pub use problem::{Problem, Severity};
pub use schema::Schema;
pub use signature::SignatureError;
pub use snapshot::{Change, Hit, Snapshot};
pub use source::{Embedded, Rank, Sources};
pub use tool::Tool;
pub use watch::{WatchOptions, Watcher};
