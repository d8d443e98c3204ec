//! Typed failures: what kind, what happened, and whether the effect did.

use std::fmt;
use std::io;

/// Why a call failed, in terms that a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The arguments make no sense. The same ones fail again.
    InvalidArguments,
    /// The host, or the service behind the tool, does not allow it.
    Denied,
    /// What the arguments name does not exist.
    NotFound,
    /// The service behind the tool wants credentials, or other ones.
    NeedsAuth,
    /// Too many calls.
    RateLimited {
        /// The time to wait in seconds, where the service gave one.
        retry_after: Option<u32>,
    },
    /// The service behind the tool does not answer now.
    Unavailable,
    /// Anything else.
    Failed,
}

impl ErrorKind {
    /// The name in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArguments => "invalid-arguments",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::NeedsAuth => "needs-auth",
            Self::RateLimited { .. } => "rate-limited",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

/// Whether the outside effect of a failed call happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EffectState {
    /// It did not happen. The host checks this against its own receipt.
    #[default]
    None,
    /// It happened, although the call failed afterwards.
    Done,
    /// Nobody can tell.
    Unknown,
}

/// A failed call.
///
/// ```
/// use toolcrib_sdk::ToolError;
///
/// let error = ToolError::unavailable("the printer is off").effect_done();
/// assert_eq!(error.to_string(), "the printer is off");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolError {
    kind: ErrorKind,
    message: String,
    effect: EffectState,
}

impl ToolError {
    /// A failure of any kind. The message is for people: what was wrong, where, and what to do about it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), effect: EffectState::None }
    }

    /// The arguments make no sense.
    #[must_use]
    pub fn invalid_arguments(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArguments, message)
    }

    /// The host or the service does not allow it.
    #[must_use]
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }

    /// What the arguments name does not exist.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// The service wants credentials, or other ones.
    #[must_use]
    pub fn needs_auth(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NeedsAuth, message)
    }

    /// Too many calls. `retry_after` is in seconds.
    #[must_use]
    pub fn rate_limited(message: impl Into<String>, retry_after: Option<u32>) -> Self {
        Self::new(ErrorKind::RateLimited { retry_after }, message)
    }

    /// The service does not answer now; the same call may succeed later.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// Anything else.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Says that the effect happened although the call failed.
    #[must_use]
    pub const fn effect_done(self) -> Self {
        self.effect(EffectState::Done)
    }

    /// Says that nobody can tell whether the effect happened.
    #[must_use]
    pub const fn effect_unknown(self) -> Self {
        self.effect(EffectState::Unknown)
    }

    /// Says whether the effect happened.
    #[must_use]
    pub const fn effect(mut self, effect: EffectState) -> Self {
        self.effect = effect;
        self
    }

    /// Puts what was being done in front of the message: `context("`/a.txt`")` gives "`/a.txt`: not found".
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The cause, for programs.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The cause, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the effect happened.
    #[must_use]
    pub const fn effect_state(&self) -> EffectState {
        self.effect
    }

    /// Kind, message and effect.
    #[must_use]
    pub fn into_parts(self) -> (ErrorKind, String, EffectState) {
        (self.kind, self.message, self.effect)
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ToolError {}

/// `ENOTCAPABLE` of WASI: no granted directory contains the path.
const NOT_CAPABLE: i32 = 76;

impl From<io::Error> for ToolError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Io;
        let kind = match error.kind() {
            _ if error.raw_os_error() == Some(NOT_CAPABLE) && cfg!(target_family = "wasm") => ErrorKind::Denied,
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Denied,
            Io::InvalidInput
            | Io::InvalidFilename
            | Io::IsADirectory
            | Io::NotADirectory
            | Io::AlreadyExists
            | Io::DirectoryNotEmpty => ErrorKind::InvalidArguments,
            Io::TimedOut
            | Io::ConnectionRefused
            | Io::ConnectionReset
            | Io::ConnectionAborted
            | Io::ResourceBusy
            | Io::WouldBlock
            | Io::HostUnreachable
            | Io::NetworkUnreachable => ErrorKind::Unavailable,
            _ => ErrorKind::Failed,
        };
        Self::new(kind, in_words(&error))
    }
}

/// The system's text without its number, which means nothing to an agent.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => text.trim_end_matches(&format!(" (os error {code})")).to_lowercase(),
        None => text,
    }
}

impl From<serde_json::Error> for ToolError {
    fn from(error: serde_json::Error) -> Self {
        Self::failed(format!("JSON: {error}"))
    }
}

impl From<std::str::Utf8Error> for ToolError {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::failed(format!("text is not UTF-8: {error}"))
    }
}

impl From<std::string::FromUtf8Error> for ToolError {
    fn from(error: std::string::FromUtf8Error) -> Self {
        error.utf8_error().into()
    }
}
