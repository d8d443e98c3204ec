//! Where values come from and where they go: the labels of results, and what may leave.
//!
//! ```text
//!  grants ─┐
//!  manifest (may only raise) ─┼─► Source ─┐
//!  operator (anything) ───────┘           ├─ join ─► Marks of the result ─► [[relabel]] ─► Marks, in the ledger
//!                    labels of arguments ─┘
//!
//!  labels of arguments, Sink ─► outward ─► Allow, Ask, Deny
//! ```
//!
//! A label is a claim of the host about a value, never one of a tool. Only the operator lowers it, by a `source` or a
//! `[[relabel]]`; a person's yes lets one call pass as it is and changes no label.

mod marks;
mod outward;
mod part;
mod relabel;
mod source;

pub use marks::Marks;
pub use outward::{LabelSettings, NAMES as FLOW_RULES};
pub use part::{PartPath, PartPathError, PartStep};
pub use relabel::Relabel;
pub use source::{Sink, Source, ToolLabels};

pub(crate) use source::tool_labels;
