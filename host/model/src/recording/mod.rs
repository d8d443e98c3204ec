//! What real models answered, kept and played again.
//!
//! ```text
//! Recorder ─► line (JSON, one per exchange) ─► file ─► line ─► ReplayModel ─► canonical request ─► answer
//! ```
//!
//! `docs/models.md` describes the format.

mod difference;
mod line;
mod recorder;
mod replay;

pub use line::RECORDING_VERSION;
pub use recorder::Recorder;
pub use replay::ReplayModel;
