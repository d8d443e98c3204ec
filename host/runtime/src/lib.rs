//! Puts the boxes together: one crib that every door opens.
//!
//! ```text
//!  settings ─► Crib ── call ──► authority ─► sandbox ─► report
//!                │                 ▲
//!                ├── run ──► agent ┴─► ledger ─► outcome
//!                └── inspect, tools, runs, verify
//! ```
//!
//! The agent knows tools, ledger and person only as traits; here they become the catalog with the sandbox, the event
//! log, and whoever sits at the door.

mod call;
mod crib;
mod error;
mod inspect;
mod ledger;
mod otlp;
mod plugins;
mod prepare;
mod run;
mod services;
mod settings;
mod tools;

pub use call::{CallReport, Caller, Progress};
pub use crib::Crib;
pub use error::CribError;
pub use inspect::{Inspection, inspect_file};
pub use ledger::RunLog;
pub use otlp::{Collector, CollectorError, ExportError, LineSink, OtlpExport, Signal};
pub use prepare::Preparing;
pub use run::{PlannerChoice, RunRequest, RunResult};
pub use settings::{Folders, OPERATOR_FILE, Settings, SettingsError};

pub use toolcrib_agent as agent;
pub use toolcrib_catalog as catalog;
pub use toolcrib_ledger as ledger_store;
pub use toolcrib_model as model;
pub use toolcrib_policy as policy;
pub use toolcrib_sandbox as sandbox;
