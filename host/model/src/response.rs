//! What a model answers, at once and piece by piece.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Continuation, Message, ToolCall};

/// A complete answer: it holds text, or tool calls, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// What the model said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which tools it wants called, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it cost.
    pub usage: Usage,
    /// What the back end wants to see again when the conversation goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation: Option<Continuation>,
}

impl Response {
    /// The turn to append to the conversation.
    pub fn to_message(&self) -> Message {
        Message::Assistant {
            text: self.text.clone(),
            tool_calls: self.tool_calls.clone(),
            continuation: self.continuation.clone(),
        }
    }
}

/// Why the model stopped writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It had said everything.
    End,
    /// It wants tools called.
    ToolCalls,
    /// It reached the limit on tokens: the text, or the last call, may be unfinished.
    MaxTokens,
    /// Another reason, in the back end's word.
    Other(String),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "end",
            Self::ToolCalls => "tool calls",
            Self::MaxTokens => "token limit",
            Self::Other(word) => word,
        })
    }
}

/// Tokens spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read, those from a cache included.
    pub input: u64,
    /// Tokens written, reasoning included.
    pub output: u64,
    /// How many of `input` came from the back end's cache.
    pub cached: u64,
}

impl Usage {
    /// Tokens read and written.
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cached = self.cached.saturating_add(other.cached);
    }
}

/// A piece of an answer while it arrives. For display and metering: the [`Response`] is complete without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Delta {
    /// More text.
    Text {
        /// The text to append.
        text: String,
    },
    /// More of a tool call.
    ToolCall {
        /// Which call of this answer, from 0.
        index: usize,
        /// The qualified name of the tool.
        name: String,
        /// Arguments text to append; empty when the call only begins.
        fragment: String,
    },
    /// What this attempt cost so far. A later one replaces an earlier one of the same attempt.
    Usage {
        /// The tokens so far.
        usage: Usage,
    },
    /// The attempt failed and another begins after a wait: whatever came before is void.
    Retry {
        /// The number of the attempt that failed, from 1.
        attempt: u32,
        /// How long the wait is.
        #[serde(with = "crate::millis")]
        wait: Duration,
        /// What failed.
        reason: String,
    },
}
