//! Why the host ended a call before its guest did.

use toolcrib_policy::{LimitName, Limits};

/// What ended a call. Travels through the engine as the error of a trap, and stands in the call's record as well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// A limit was reached.
    #[error("{}", limit_sentence(*.0, .1))]
    Limit(LimitName, String),
    /// The caller cancelled.
    #[error("the call was cancelled")]
    Cancelled,
    /// What the operator granted is not there.
    #[error("{0}")]
    Broken(String),
    /// The guest ended itself through `wasi:cli/exit`.
    #[error("the tool ended itself with exit code {0}")]
    Exit(u8),
}

impl Stop {
    pub(crate) fn limit(name: LimitName, limits: &Limits) -> Self {
        Stop::Limit(name, limits.shown(name))
    }

    /// The stable code of the error.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Stop::Limit(name, _) => name.code(),
            Stop::Cancelled => "cancelled",
            Stop::Broken(_) => "grant-broken",
            Stop::Exit(_) => "exit",
        }
    }
}

/// One plain sentence that names the limit and its value.
fn limit_sentence(name: LimitName, value: &str) -> String {
    let what = match name {
        LimitName::Fuel => "the tool used up its fuel",
        LimitName::WallTime => "the tool took longer than its time",
        LimitName::MemoryBytes => "the tool needs more memory than it may have",
        LimitName::StackBytes => "the tool recursed deeper than its stack",
        LimitName::InstanceCount => "the component has more instances, memories or tables than it may have",
        LimitName::HandleCount => "the tool holds more handles than it may have",
        LimitName::HostCallCount => "the tool called the host more often than it may",
        LimitName::HostCallBytes => "the tool handed the host more bytes than it may",
        LimitName::ResultBytes => "the result is larger than it may be",
        LimitName::ArgumentBytes => "the arguments are larger than they may be",
        LimitName::ArgumentDepth => "the arguments are nested deeper than they may be",
        LimitName::ToolCallCount => "the tool called other tools more often than it may",
        LimitName::HttpRequestCount => "the tool made more requests than it may",
        LimitName::HttpOutBytes => "the tool sent more bytes than it may",
        LimitName::HttpInBytes => "the tool received more bytes than it may",
        LimitName::ConnectTime => "connecting took longer than it may",
        LimitName::FirstByteTime => "the server did not answer in time",
        LimitName::ExchangeTime => "the exchange with the server took longer than it may",
        LimitName::ParallelRequests => "the tool has more requests under way than it may",
        LimitName::HeaderBytes => "the headers are larger than they may be",
        LimitName::FileWriteBytes => "the tool wrote more bytes to files than it may",
        LimitName::FileReadBytes => "the tool read more bytes from files than it may",
        LimitName::OpenFiles => "the tool has more files open than it may",
        LimitName::CreatedFiles => "the tool created more files than it may",
        LimitName::OutputBytes | LimitName::OutputLines => "the tool printed more than it may",
        LimitName::LogBytes | LimitName::LogLines => "the tool logged more than it may",
    };
    format!("{what} (limit `{}` = {value})", name.key())
}
