//! What can be wrong with one line of a manifest or of the operator's file.

use crate::names::NameError;

/// Why a line is not understood, or not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// An HTTP line without a method or an address.
    #[error("write a method and an address, such as `GET https://example.com/**`")]
    HttpShape,
    /// A line of the critic's table that is none.
    #[error(
        "`{0}` does not fit: write conditions and what follows, such as `coherence < 40 and risk < 50: retry` (scores: coherence, \
         grounding, progress, risk, from 0 to 100; what follows: accept, retry, alternative, re-plan, ask)"
    )]
    ScoreRule(String),
    /// The method part is not a list of methods.
    #[error("`{0}` is not a method: write `GET`, a list such as `GET,POST`, or `*` for any")]
    Method(String),
    /// The address has a scheme other than `http` and `https`.
    #[error("`{0}` is not an address that begins with `http://` or `https://`")]
    Scheme(String),
    /// The host is neither a name, an address, nor a wildcard.
    #[error("`{0}` is not a host name or address")]
    Host(String),
    /// A star that is not a whole first label.
    #[error("`{0}`: a star in a host stands for one whole first label, as in `*.example.com`")]
    HostWildcard(String),
    /// `*` as a host where hosts must be named.
    #[error(
        "`*` as a host would grant every host there is: name hosts, or one label below a name as in `*.example.com`"
    )]
    EveryHost,
    /// A wildcard below a name where everybody can register.
    #[error("`*.{0}` would grant hosts of everybody who registers below `{0}`: name at least one label more")]
    SharedSuffix(String),
    /// User name or password in the address.
    #[error("an address in a policy has no user name or password: credentials never stand in it")]
    UserInfo,
    /// The port is not 1 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// No path after the host.
    #[error("`{0}` has no path: write `{0}/**` for everything there, or `{0}/` for its root alone")]
    NoPath(String),
    /// The path cannot be a pattern.
    #[error("the path `{path}` {problem}")]
    Path {
        /// The path as it was written.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A request for any address in a place where addresses must be named.
    #[error("`{0}` grants every host: a grant names hosts (only a manifest and the ceiling can speak of all of them)")]
    TooWide(String),
    /// `via` outside a grant.
    #[error("`via` opens a private range and belongs to a grant, not here")]
    ViaHere,
    /// The range after `via` is not one.
    #[error("`{0}` is not a range such as `10.0.0.0/8`")]
    Range(String),
    /// The range after `via` is not private.
    #[error(
        "`via {0}`: only private ranges can be opened, such as `10.0.0.0/8`, `192.168.0.0/16`, `127.0.0.0/8` or `fd00::/8`"
    )]
    PublicRange(String),
    /// The rate is none.
    #[error(
        "`{0}` is not a rate: write a whole number and a time, such as `10 per minute` (`second`, `minute`, `hour`, `day`)"
    )]
    Rate(String),
    /// The rate is higher than can be counted.
    #[error("`{0}`: a rate allows at most {max} requests", max = u32::MAX)]
    RateTooHigh(String),
    /// A rate without the comma in front of it.
    #[error("a rate stands behind a comma: `GET https://example.com/**, 10 per minute`")]
    RateComma,
    /// The header of an idempotency key is none.
    #[error(
        "`{0}` is not a place for an idempotency key: write `idempotency-key`, or `idempotency-key in X-Request-Key` for \
         another header"
    )]
    KeyHeader(String),
    /// An idempotency key without the comma in front of it, or outside a grant.
    #[error(
        "`idempotency-key` belongs to a grant and stands behind a comma: `POST https://example.com/**, idempotency-key`"
    )]
    KeyHere,
    /// An idempotency key on requests that change nothing.
    #[error("an idempotency key is for requests that change something: `GET` and other safe methods carry none")]
    KeyOnRead,
    /// A rate outside a grant.
    #[error("a rate belongs to a grant, not here")]
    RateHere,
    /// `via` together with a literal address.
    #[error("`via` belongs to a name: a literal address or `localhost` opens exactly itself")]
    ViaLiteral,
    /// The address is never reachable.
    #[error("`{host}` can never be granted: {class}")]
    NeverReachable {
        /// The host of the line.
        host: String,
        /// Its class, as a sentence.
        class: &'static str,
    },
    /// `deny` in a place that only asks.
    #[error("`deny` belongs to the operator's file: a manifest asks, and what it does not ask for it does not get")]
    DenyHere,
    /// `deny` for what is granted one by one.
    #[error("`deny` works for `http` and `tools`; {0} are granted one by one: leave out what is not to be given")]
    NoDeny(&'static str),
    /// A file line without access or path.
    #[error("write an access and a place, such as {0}")]
    FileShape(&'static str),
    /// A guest path that is not absolute and plain.
    #[error("`{0}` is not a path inside the sandbox: begin with `/`, without `..`, `.`, stars or empty parts")]
    GuestPath(String),
    /// A host path that cannot be meant.
    #[error("`{path}` {problem}")]
    HostPath {
        /// The path as it was written.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A quota that cannot be read.
    #[error(
        "`{0}` is not a quota: write a size such as `100 MiB`, a count such as `1000 files` or `1000 keys`, each once"
    )]
    Quota(String),
    /// The bucket cannot have the name.
    #[error("`{0}` is not the name of a bucket: 1 to 64 letters, digits, `-`, `_` and `.`")]
    Bucket(String),
    /// Two lines for one bucket.
    #[error("the bucket `{0}` stands there twice")]
    SameBucket(String),
    /// A quota on a folder that is only read.
    #[error("a quota limits what is written: `read` has none")]
    QuotaOnRead,
    /// `versioned` for a folder that is only read.
    #[error("`versioned` is for a folder that is written: nothing changes where there is `read` alone")]
    VersionedOnRead,
    /// `versioned` without the comma in front of it.
    #[error("`versioned` stands behind a comma, at the end: `read-write ./out as /out, 100 MiB, versioned`")]
    VersionedComma,
    /// Two lines for one folder of the sandbox.
    #[error("`{0}` stands for a folder twice: each place in the sandbox shows one folder")]
    SameGuest(String),
    /// A folder that is only read, inside one that is written.
    #[error(
        "`{0}`: a folder that is only read cannot lie inside one that is written, where its files could be reached for writing"
    )]
    WeakerInside(String),
    /// The name of an environment variable or configuration key cannot be one.
    #[error("`{0}` is not a name: 1 to 128 printable characters without spaces, `=`, quotes or stars")]
    Name(String),
    /// The entry of `credentials` is none.
    #[error("{0}")]
    Credential(String),
    /// The variable holds a secret.
    #[error(
        "`{0}` holds a secret, which no plugin ever sees: grant `credentials` instead, and the host adds it to requests"
    )]
    SecretVariable(String),
    /// The tool pattern is none.
    #[error("{0}, or `plugin.*` for all tools of a plugin")]
    Tool(#[from] NameError),
    /// The name of an interface cannot be one.
    #[error("`{0}` is not an interface: write `namespace:package/interface`, with `@version` where one is meant")]
    Interface(String),
    /// A configuration line without a value.
    #[error("`{0}` is not a setting: write `key=value`")]
    Setting(String),
    /// A switch that is neither on nor off.
    #[error("`{0}` is neither `true` nor `false`")]
    Switch(String),
    /// Too long for a person to check.
    #[error("a line is at most 2000 bytes long")]
    TooLong,
}

/// The longest line in a policy file, in bytes. Nobody can review a longer one.
pub(crate) const LINE_MAX: usize = 2_000;

/// What was read, if it can be said again in one line: escapes, and the folder that a relative path is taken from, make it
/// longer than it was written.
pub(crate) fn sayable<T: std::fmt::Display>(read: T) -> Result<T, LineError> {
    if read.to_string().len() > LINE_MAX { Err(LineError::TooLong) } else { Ok(read) }
}
