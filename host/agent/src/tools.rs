//! Tools as the agent sees them: cards, calls and reports. What runs them is behind the trait [`Tools`].

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolcrib_policy::{ApprovalId, Effect, IdempotencyKey, Label, Labels, Marks, RefusalCode, ToolName, ToolPattern};

use crate::{Cancel, InnerPath, Inside, NodeId, Program};

/// What a planner may know about a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCard {
    /// Its qualified name.
    pub name: ToolName,
    /// A short name for people.
    pub title: String,
    /// What it does, written by its author: data, not instructions.
    pub description: String,
    /// JSON Schema of the arguments.
    pub input_schema: Value,
    /// JSON Schema of the structured result, where it has a fixed shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// The effect class that counts, in the worst case.
    pub effect: Effect,
    /// Whether it talks to an open world.
    #[serde(default)]
    pub open_world: bool,
}

/// One call, ready to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The step that it belongs to.
    pub node: NodeId,
    /// Which try of the step, from 1.
    pub attempt: u32,
    /// The tool.
    pub tool: ToolName,
    /// The arguments, a JSON object without references.
    pub arguments: Value,
    /// The effect class of this call.
    pub effect: Effect,
    /// The labels of the arguments.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The label of what was read to decide whether, or how often, the call is made.
    #[serde(default, skip_serializing_if = "Label::is_trusted")]
    pub under: Label,
    /// The person's yes that it is made on the strength of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// The most time that it may take, in milliseconds, where the plan says less than the limits do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// The lists of tools of the agents that make it: a call inside this call is of a tool that is on each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<Vec<ToolPattern>>,
    /// The place of the call in its step's program, where it is one that the program makes.
    #[serde(default, skip_serializing_if = "InnerPath::is_root")]
    pub inside: InnerPath,
    /// Where it is a program: what its clock and its random numbers follow from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// What tells this call from every other, the same for each try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
}

/// The state of a folder, as the host keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderState {
    /// The folder on this machine.
    pub folder: String,
    /// The snapshot.
    pub snapshot: String,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolReport {
    /// The result or the failure.
    pub outcome: Result<ToolOutput, ToolFailure>,
    /// The receipt as JSON: `fuel`, `wall_us`, and whatever else the sandbox records.
    pub receipt: Value,
    /// The labels of the result, or of what the failure says, its arguments included. Where nothing is said, it may be
    /// anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Marks>,
}

/// A result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolOutput {
    /// The structured result, where the tool gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<Value>,
    /// Text for a reader; may be empty where `structured` is present.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl ToolOutput {
    /// What references see: the structured result, else the text under `text`.
    pub fn value(&self) -> Value {
        match &self.structured {
            // Null is what an absent result reads as once it was written down.
            None | Some(Value::Null) => serde_json::json!({ "text": self.text }),
            Some(value) => value.clone(),
        }
    }

    /// Whether there is nothing in it at all.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && matches!(&self.structured, None | Some(Value::Null))
    }
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFailure {
    /// A stable code: `invalid-arguments`, `denied`, `not-found`, `needs-auth`, `rate-limited`, `unavailable`,
    /// `failed`, or one of the sandbox's or the policy's own (`net-denied`, `cpu-deadline`).
    pub code: String,
    /// The cause for people.
    pub message: String,
    /// Whether the outside effect happened.
    pub effect: EffectState,
    /// Where policy refused: the smallest grant that would have allowed it, ready to paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// After how many seconds another try makes sense, where the service said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

impl ToolFailure {
    /// Whether policy refused the call, rather than the world.
    pub fn is_refusal(&self) -> bool {
        self.grant.is_some() || RefusalCode::is_denial(&self.code)
    }
}

/// Whether the outside effect of a call happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectState {
    /// It did not happen.
    None,
    /// It happened.
    Done,
    /// Nobody can tell.
    Unknown,
}

/// Where the agent's tools come from: the catalog, and whatever runs a call behind policy and sandbox.
#[async_trait]
pub trait Tools: Send + Sync {
    /// The tools that fit `query` best, best first, at most `limit`, only such as may be called at all.
    /// The order is deterministic.
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard>;

    /// All tools that may be called at all, by name, where they are at most `limit`; none where they are more, or where
    /// they can only be searched.
    fn list(&self, limit: usize) -> Option<Vec<ToolCard>> {
        let _ = limit;
        None
    }

    /// The tool of this name.
    fn get(&self, name: &ToolName) -> Option<ToolCard>;

    /// Whether policy refuses every call of it, whatever the arguments are. A language model is not shown such a tool.
    fn is_barred(&self, card: &ToolCard) -> bool {
        let _ = card;
        false
    }

    /// The effect class of one particular call: what the intent is recorded with, and what decides whether a
    /// call that was cut off may be made again.
    ///
    /// The default is the tool's class. Override it where arguments make the class lighter beyond doubt, such
    /// as the method of an HTTP request; an effect that is too light here breaks "never done twice".
    fn effect(&self, card: &ToolCard, arguments: &Value) -> Effect {
        let _ = arguments;
        card.effect.clone()
    }

    /// What tells this call from every other: the same for the same call of the same step, in whatever try, and for no
    /// other call of this or another run. It is recorded with the intent. None where calls have no keys.
    fn idempotency_key(&self, call: &ToolCall) -> Option<IdempotencyKey> {
        let _ = call;
        None
    }

    /// Keeps the states of the folders that the call may change and that can be put back; they are recorded with the
    /// intent. The states afterwards stand in the receipt, as `folders`.
    ///
    /// # Errors
    ///
    /// A state cannot be kept. The call is then not made.
    async fn keep_folders(&self, call: &ToolCall) -> Result<Vec<FolderState>, String> {
        let _ = call;
        Ok(Vec::new())
    }

    /// Whether all that a call of this tool may change is in folders that [`Tools::put_back`] puts back.
    fn can_put_back(&self, tool: &ToolName) -> bool {
        let _ = tool;
        false
    }

    /// Puts folders back to states that were kept, as the undo of a call: those that are recorded with its intent.
    ///
    /// # Errors
    ///
    /// Somebody else changed a folder since, or it cannot be written. What was put back by then stays so, and trying
    /// again goes on.
    async fn put_back(&self, folders: &[FolderState]) -> Result<(), String> {
        if folders.is_empty() { Ok(()) } else { Err("no states of folders are kept here".to_owned()) }
    }

    /// Makes the call. Policy is asked inside; a refusal is a [`ToolFailure`]. When `cancel` is raised it ends
    /// soon, with a report that says what is known of the effect.
    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport;

    /// Whether this call is a program: it may call other tools, and can be run again without doing anything twice as long as
    /// those calls, its clock and its random numbers come from the ledger. The default says that no call is.
    fn program(&self, card: &ToolCard, arguments: &Value) -> Option<Program> {
        let _ = (card, arguments);
        None
    }

    /// Makes the call of a program. It asks `inside` before each call that it makes, and tells it after. All of them are over
    /// when it returns.
    async fn run(&self, call: ToolCall, cancel: Cancel, inside: Inside) -> ToolReport {
        let _ = inside;
        self.call(call, cancel).await
    }
}
