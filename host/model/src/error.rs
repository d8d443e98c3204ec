//! What can go wrong in an exchange, and what to do about it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::StopReason;

/// Why there is no answer. No variant ever holds a key; `detail` is the back end's own explanation, shortened
/// and with the key struck out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum ModelError {
    /// The key is missing, wrong, or lacks a right.
    #[error("the back end refused the key: {detail}; {advice}")]
    Auth {
        /// The back end's explanation.
        detail: String,
        /// Where the key is set.
        advice: String,
    },
    /// Too many requests or tokens in too short a time.
    #[error("the back end is limiting requests: {detail}; {}", wait_advice(*.retry_after))]
    RateLimited {
        /// The back end's explanation.
        detail: String,
        /// How long the back end asks to wait.
        #[serde(default, with = "crate::millis::option", skip_serializing_if = "Option::is_none")]
        retry_after: Option<Duration>,
    },
    /// The account has no credit or quota left; waiting does not help.
    #[error("the account's quota is used up: {detail}; add credit or choose another model")]
    QuotaExhausted {
        /// The back end's explanation.
        detail: String,
    },
    /// The back end is overloaded or broken for now.
    #[error("the back end is unavailable: {detail}; {}", wait_advice(*.retry_after))]
    Unavailable {
        /// The back end's explanation.
        detail: String,
        /// How long the back end asks to wait.
        #[serde(default, with = "crate::millis::option", skip_serializing_if = "Option::is_none")]
        retry_after: Option<Duration>,
    },
    /// No connection could be made, or it broke before an answer began.
    #[error("cannot reach {address}: {detail}; check the base URL, the network and the proxy settings")]
    Unreachable {
        /// Scheme, host and port.
        address: String,
        /// What failed.
        detail: String,
    },
    /// There is no such model, or no such address at this base URL.
    #[error("the back end knows no such model or address: {detail}; check the model name and the base URL")]
    NotFound {
        /// The back end's explanation.
        detail: String,
    },
    /// The back end does not accept the request.
    #[error("the back end did not accept the request: {detail}; check the model's features and the tool schemas")]
    BadRequest {
        /// The back end's explanation.
        detail: String,
    },
    /// The conversation does not fit into the model.
    #[error("the conversation is too long for the model: {detail}; shorten it or choose a model with a larger context")]
    ContextTooLong {
        /// The back end's explanation.
        detail: String,
    },
    /// The model, or a filter around it, declined to answer.
    #[error("the model declined to answer: {detail}; rephrase the request")]
    Refused {
        /// The refusal in the back end's words.
        detail: String,
    },
    /// The answer does not follow the wire's format.
    #[error("the back end's answer cannot be read: {detail}; check that the base URL speaks this wire")]
    Malformed {
        /// What is wrong, and where.
        detail: String,
    },
    /// The answer ended without its end mark.
    #[error("the answer was cut off: {detail}; try again")]
    CutStream {
        /// How far it came.
        detail: String,
    },
    /// The answer was complete and held neither text nor a tool call.
    #[error("the model answered with nothing (it stopped with `{stop}`); try again or raise the token limit")]
    Empty {
        /// Why it stopped.
        stop: StopReason,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than {limit} bytes and was dropped; lower the token limit")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Something took too long.
    #[error("{phase} took longer than {} ms; try again or raise this time-out", .after.as_millis())]
    TimedOut {
        /// What took too long.
        phase: Phase,
        /// The time-out that ran out.
        #[serde(with = "crate::millis")]
        after: Duration,
    },
    /// A scripted or recorded model holds no answer to this request.
    #[error("{detail}; {advice}")]
    OffScript {
        /// Which file, what was expected, and what came.
        detail: String,
        /// The way out.
        advice: String,
    },
    /// Whoever counts what requests cost did not let it be sent.
    #[error("{detail}")]
    NotSent {
        /// Why not, and the way out.
        detail: String,
    },
    /// The answer came, but it could not be recorded as the operator asked.
    #[error("the exchange could not be recorded in `{file}`: {detail}; make room, or record into another file")]
    NotRecorded {
        /// The recording.
        file: String,
        /// What failed.
        detail: String,
    },
}

/// A part of an exchange that has a time-out of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Making the connection.
    Connect,
    /// Waiting for the first byte of the answer.
    FirstByte,
    /// Waiting for the next piece of the answer.
    Idle,
    /// The whole exchange.
    Total,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting to the back end",
            Self::FirstByte => "the first byte of the answer",
            Self::Idle => "the next piece of the answer",
            Self::Total => "the whole answer",
        })
    }
}

impl ModelError {
    /// Whether the same request may succeed later without a change.
    pub fn retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::CutStream { .. }
            | Self::TimedOut { phase: Phase::Connect | Phase::FirstByte | Phase::Idle, .. } => true,
            // A model that spent its limit on reasoning does so again.
            Self::Empty { stop } => *stop != StopReason::MaxTokens,
            // The total time-out is the caller's budget for the exchange: spending it twice would break it.
            Self::TimedOut { phase: Phase::Total, .. }
            | Self::Auth { .. }
            | Self::QuotaExhausted { .. }
            | Self::NotFound { .. }
            | Self::BadRequest { .. }
            | Self::ContextTooLong { .. }
            | Self::Refused { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::OffScript { .. }
            | Self::NotSent { .. }
            | Self::NotRecorded { .. } => false,
        }
    }

    /// Whether another model may well answer the same request. Where the operator's own files or budget stand in the way,
    /// it would only hide that.
    pub fn another_may_answer(&self) -> bool {
        !matches!(self, Self::OffScript { .. } | Self::NotSent { .. } | Self::NotRecorded { .. })
    }

    /// Whether the model will not answer any request until somebody has changed something.
    pub fn is_for_good(&self) -> bool {
        matches!(self, Self::Auth { .. } | Self::QuotaExhausted { .. } | Self::NotFound { .. })
    }

    /// Whether the request may have cost something all the same: the back end took it, and what it did with it is not
    /// surely known.
    pub fn may_have_cost(&self) -> bool {
        match self {
            Self::Auth { .. }
            | Self::RateLimited { .. }
            | Self::QuotaExhausted { .. }
            | Self::NotFound { .. }
            | Self::BadRequest { .. }
            | Self::ContextTooLong { .. }
            | Self::OffScript { .. }
            | Self::NotSent { .. }
            // No vendor charges for these two.
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { phase: Phase::Connect, .. } => false,
            Self::Refused { .. }
            | Self::Malformed { .. }
            | Self::CutStream { .. }
            | Self::Empty { .. }
            | Self::TooLarge { .. }
            | Self::TimedOut { .. }
            | Self::NotRecorded { .. } => true,
        }
    }

    /// How long the back end asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same error with `key` struck out of what the back end said.
    #[cfg(feature = "client")]
    pub(crate) fn without(mut self, key: &crate::ApiKey) -> Self {
        match &mut self {
            Self::Auth { detail, .. }
            | Self::RateLimited { detail, .. }
            | Self::QuotaExhausted { detail }
            | Self::Unavailable { detail, .. }
            | Self::Unreachable { detail, .. }
            | Self::NotFound { detail }
            | Self::BadRequest { detail }
            | Self::ContextTooLong { detail }
            | Self::Refused { detail }
            | Self::Malformed { detail }
            | Self::CutStream { detail } => *detail = key.strike_from(detail),
            Self::Empty { stop: StopReason::Other(word) } => *word = key.strike_from(word),
            // What these hold was written here, or by the operator.
            Self::Empty { .. }
            | Self::TooLarge { .. }
            | Self::TimedOut { .. }
            | Self::OffScript { .. }
            | Self::NotSent { .. }
            | Self::NotRecorded { .. } => {}
        }
        self
    }

    /// A stable word for the kind of error, for ledgers and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "auth",
            Self::RateLimited { .. } => "rate-limited",
            Self::QuotaExhausted { .. } => "quota-exhausted",
            Self::Unavailable { .. } => "unavailable",
            Self::Unreachable { .. } => "unreachable",
            Self::NotFound { .. } => "not-found",
            Self::BadRequest { .. } => "bad-request",
            Self::ContextTooLong { .. } => "context-too-long",
            Self::Refused { .. } => "refused",
            Self::Malformed { .. } => "malformed",
            Self::CutStream { .. } => "cut-stream",
            Self::Empty { .. } => "empty",
            Self::TooLarge { .. } => "too-large",
            Self::TimedOut { .. } => "timed-out",
            Self::OffScript { .. } => "off-script",
            Self::NotSent { .. } => "not-sent",
            Self::NotRecorded { .. } => "not-recorded",
        }
    }
}

fn wait_advice(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(wait) => format!("try again in {:.1} s", wait.as_secs_f64()),
        None => "try again later".to_owned(),
    }
}
