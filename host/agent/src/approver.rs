//! Whether a call needs a person's word, and getting it. Who decides is behind the trait [`Approver`].

use async_trait::async_trait;
use toolcrib_policy::{ApprovalAnswer, ApprovalId, ApprovalRequest};

use crate::ToolCall;

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    /// The call.
    pub call: &'a ToolCall,
    /// How many calls the run has made before it.
    pub made: u64,
    /// How often a person was asked about this step already.
    pub asked: u32,
    /// Whether the plan itself wants a person's word, whatever the rules say.
    pub asks: bool,
}

/// What stands between a call and its effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Gate {
    /// Nothing that a person could lift. What policy refuses is refused when the call is made.
    Go {
        /// The yes that it is made on the strength of, where one was needed.
        approval: Option<ApprovalId>,
    },
    /// A person has to be asked first.
    Ask(Box<ApprovalRequest>),
}

/// Who knows whether a call needs a person's word, and gets it.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Whether this call may be made now. It must return at once.
    fn gate(&self, intent: &Intent<'_>) -> Gate;

    /// Waits for the answer to a question, which stands in the ledger already. Dropping the future leaves it open.
    async fn answer(&self, request: &ApprovalRequest) -> ApprovalAnswer;
}

/// Nothing needs a person's word.
#[async_trait]
impl Approver for () {
    fn gate(&self, _intent: &Intent<'_>) -> Gate {
        Gate::Go { approval: None }
    }

    async fn answer(&self, _request: &ApprovalRequest) -> ApprovalAnswer {
        ApprovalAnswer::Nobody
    }
}
