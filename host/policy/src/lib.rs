//! Manifests, grants and limits: what a tool may do, decided without I/O.
//!
//! ```text
//!  plugin.toml ──► Manifest ──► Requests ─┐
//!                                         ├─► OperatorFile::authority ──► Authority ──► http, address, tool …
//!  toolcrib.toml ──► OperatorFile ────────┘        ▲                                        │
//!  (ceiling, grants)                               └── delegated: a caller's Authority      ▼
//!                                                                                    allowed, or Refusal
//! ```
//!
//! Text becomes checked values once, at the edge (`reader`, `manifest`, `operator`); an [`Authority`] is made once per
//! plugin, passed along by whoever makes a call, and asked at the moment a socket or file is opened. An empty list is
//! nothing, deny wins, an unknown key is an error, and every key that is accepted is enforced.
//!
//! The call gate stands before that: [`OperatorFile::decide`] asks the rules (`rules`) about a tool, its arguments, its
//! effect, the labels of the arguments and the run, and answers with a [`Decision`]. Beside them stand the built-in rules
//! about what leaves ([`OperatorFile::decide_outward`]); where values come from is said by [`Authority::source_of`] (`flow`).
//!
//! Credentials (`credential`) are names of secrets with the requests that they go to: this crate never sees a value.

mod address;
mod approval;
mod authority;
mod credential;
mod critic;
mod digest;
mod effect;
mod error;
mod files;
mod flow;
mod gate;
mod http;
mod idempotency;
mod keyvalue;
mod label;
mod limits;
mod line;
mod manifest;
mod money;
mod names;
mod operator;
mod prices;
mod reader;
mod refusal;
mod requests;
mod risk;
mod rule;
mod rules;
mod sections;
mod tools;
mod units;
mod visible;

pub use address::{AddressClass, classify};
pub use approval::{
    ApprovalAnswer, ApprovalId, ApprovalIdError, ApprovalRequest, ApprovalScope, Approvals, Asked, BoundCall,
    Otherwise, Standing, UnixMillis, canonical,
};
pub use authority::Authority;
pub use credential::{
    ClientAuthentication, CredentialGrant, OAuthClient, OAuthFlow, Placement, SecretReference, Signature, Template,
    TemplateError, TemplatePart,
};
pub use critic::{Action, CriticMode, CriticSettings, Score, ScoreRule, Scores, Ungrounded};
pub use digest::{Digest, DigestError};
pub use effect::{Effect, Trust, effective_effect};
pub use error::{Place, PolicyError, PolicyProblem};
pub use files::{Access, FileCeiling, FileGrant, FileRequest, GuestPath};
pub use flow::{
    FLOW_RULES, LabelSettings, Marks, PartPath, PartPathError, PartStep, Relabel, Sink, Source, ToolLabels,
};
pub use gate::{CallFacts, Decision, RunFacts};
pub use http::{Host, HttpGrant, HttpPattern, HttpTarget, Method, PathError, Rate, Scheme, TargetError};
pub use idempotency::{IdempotencyKey, KeyHeader};
pub use keyvalue::{KeyValueGrant, KeyValueRule};
pub use label::{Confidentiality, Integrity, Label, LabelWords, Labels};
pub use limits::{
    ArgumentBytes, ArgumentDepth, ConnectTime, CreatedFiles, ExchangeTime, FileReadBytes, FileWriteBytes,
    FirstByteTime, Fuel, HandleCount, HeaderBytes, HostCallBytes, HostCallCount, HttpInBytes, HttpOutBytes,
    HttpRequestCount, InstanceCount, LimitError, LimitName, LimitRequest, Limits, LogBytes, LogLines, MemoryBytes,
    OpenFiles, OutputBytes, OutputLines, ParallelRequests, ResultBytes, StackBytes, WallTime,
};
pub use line::LineError;
pub use manifest::{Manifest, ToolManifest};
pub use money::{Money, MoneyError};
pub use names::{NAME_MAX, NameError, PluginName, ToolName};
pub use operator::{
    Advice, ApprovalSettings, ModelSettings, OperatorFile, PlannerSettings, PluginSettings, SecondWall, SecretSettings,
    TrustedKey, Unattended,
};
pub use prices::{ModelPrice, Prices};
pub use reader::nearest;
pub use refusal::{GateKind, Refusal, RefusalCode, RefusalCodeError};
pub use requests::Requests;
pub use risk::{Risk, RiskLevel};
pub use rules::{
    CallRule, DecisionCase, Expression, ExpressionError, Outlook, RuleProblem, RuleWarning, ToolShape, Verdict,
};
pub use toolcrib_secrets::{SecretName, SecretNameError, SecretSource};
pub use tools::{NamePattern, ToolPattern};
pub use units::{UnitError, parse_duration};
pub use visible::is_hidden;
