//! Puts the boxes together: one crib that every door opens.
//!
//! ```text
//!  settings ─► Crib ── call ──► authority ─► sandbox ─► report
//!                │                 ▲
//!                ├── run ──► agent ┴─► ledger ─► outcome
//!                ├── approvals: questions about calls, and their answers
//!                └── inspect, tools, runs, verify
//! ```
//!
//! The agent knows tools, ledger and person only as traits; here they become the catalog with the sandbox, the event
//! log, and whoever sits at the door.

mod admission;
mod approvals;
mod call;
mod children;
mod credentials;
mod crib;
mod durable;
mod earlier;
mod error;
mod flow;
mod gate;
mod inspect;
mod labels;
mod learn;
mod ledger;
#[cfg(feature = "measure")]
pub mod measure;
mod models;
mod otlp;
mod plugins;
mod prepare;
mod preview;
mod program;
mod run;
mod services;
mod settings;
mod tools;
mod versions;
mod wall;
mod why;

pub use admission::{Held, Waiting};
pub use approvals::{Delivered, Inbox, InboxError, at_time, told};
pub use call::{CallReport, Progress};
pub use crib::Crib;
pub use durable::{Cancelled, ForkRequest, Forked, ResumeRequest, chosen_of};
pub use error::CribError;
pub use flow::{CheckedFlow, FlowRequest};
pub use inspect::{InspectedTool, Inspection, inspect_file};
pub use learn::{Missed, missed};
pub use ledger::RunLog;
pub use models::Chosen;
pub use otlp::{Collector, CollectorError, ExportError, LineSink, OtlpExport, Signal};
pub use prepare::Preparing;
pub use preview::{Foretold, Preview, PreviewedCall};
pub use run::{CallRequest, CallResult, PlannerChoice, RunRequest, RunResult};
pub use settings::{Folders, OPERATOR_FILE, Settings, SettingsError};
pub use versions::{
    Change, ChangeKind, RollbackReport, RollbackRequest, RolledFolder, VersionError, rollback, sweep_states,
};
pub use wall::{Needs, Strength, WallError, WallReport, raise};
pub use why::{GateSaid, LabelSaid, RelabelOffer, Why};

pub use toolcrib_agent as agent;
pub use toolcrib_catalog as catalog;
pub use toolcrib_ledger as ledger_store;
pub use toolcrib_model as model;
pub use toolcrib_policy as policy;
pub use toolcrib_sandbox as sandbox;
pub use toolcrib_secrets as secrets;
