//! Why a request brought no response.

use std::fmt;

use crate::{EffectState, ErrorKind, ToolError};

/// What stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The URL, the method or a header is not one.
    Invalid,
    /// The host did not let the request out.
    Denied,
    /// There is no such name, or nothing answers there.
    Unreachable,
    /// It took longer than it may.
    Timeout,
    /// Something is longer than a limit.
    TooLarge,
    /// The exchange began and broke off, or was not HTTP.
    Broken,
}

/// A request that brought no response, or a response that broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    cause: Cause,
    message: String,
    sent: bool,
}

impl Error {
    /// An error before anything left the sandbox.
    #[must_use]
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into(), sent: false }
    }

    /// Says that the request may have reached a server, and that it was one that changes things.
    #[must_use]
    pub fn maybe_sent(mut self, unsafe_method: bool) -> Self {
        let on_the_way = !matches!(self.cause, Cause::Invalid | Cause::Denied | Cause::Unreachable);
        self.sent = unsafe_method && on_the_way;
        self
    }

    /// Puts what was being done in front of the message.
    pub(crate) fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// What stood in the way, for programs.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// What stood in the way, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for ToolError {
    fn from(error: Error) -> Self {
        let kind = match error.cause {
            Cause::Invalid => ErrorKind::InvalidArguments,
            Cause::Denied => ErrorKind::Denied,
            Cause::Unreachable | Cause::Timeout => ErrorKind::Unavailable,
            Cause::TooLarge | Cause::Broken => ErrorKind::Failed,
        };
        let effect = if error.sent { EffectState::Unknown } else { EffectState::None };
        Self::new(kind, error.message).effect(effect)
    }
}
