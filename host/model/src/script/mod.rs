//! A model that answers as a file says.
//!
//! ```text
//! file ─► format (YAML, keys, lines) ─► Script (checked) ─► ScriptedModel ─► choose an exchange ─► answer
//! ```
//!
//! `docs/models.md` describes the format.

mod answer;
mod expect;
mod format;
mod model;

pub use format::SCRIPT_VERSION;
pub use model::{ScriptedModel, Unused};
