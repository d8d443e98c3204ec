//! Hosts, normalised so that two spellings of one host are equal, and patterns of hosts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::target::TargetError;
use crate::line::LineError;
use crate::names::shortened;

/// A host: a name in lower-case ASCII (IDNA) without a trailing dot, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Host {
    /// A name that still has to be resolved.
    Name(String),
    /// A literal address, in whatever form it was written: `0x7f.1` is `127.0.0.1`.
    Ip(IpAddr),
}

impl Host {
    /// Reads a host as it stands in a URL: a name, an IPv4 address in any spelling, an IPv6 address in brackets.
    ///
    /// Percent signs, white space, control characters and everything that separates parts of a URL are refused, not
    /// decoded: a host that two readers could read in two ways is nobody's honest intent.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::Host(shortened(text));
        if text.is_empty() || text.len() > 1000 {
            return Err(wrong());
        }
        let forbidden = |c: char| c.is_control() || c.is_whitespace() || "%@\\/?#<>^|\"`{}*,;!$&'()+=~".contains(c);
        if text.contains(forbidden) {
            return Err(wrong());
        }
        match url::Host::parse(text).map_err(|_| wrong())? {
            url::Host::Ipv4(ip) => Ok(Host::Ip(ip.into())),
            url::Host::Ipv6(ip) => Ok(Host::Ip(ip.into())),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                if is_name(name) { Ok(Host::Name(name.to_owned())) } else { Err(wrong()) }
            }
        }
    }

    /// Whether the host is the name of this machine itself.
    pub fn is_localhost(&self) -> bool {
        matches!(self, Host::Name(name) if name == "localhost")
    }
}

/// DNS limits: labels of 1 to 63 bytes, 253 in all. `_` occurs in service names.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    // A name whose last label is a number would be read as an address by some resolvers.
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && name.parse::<Ipv4Addr>().is_err() && !is_number(last)
}

fn is_number(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Host {
    /// As it stands in a URL: IPv6 addresses in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Which hosts a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostPattern {
    /// Exactly this host.
    Exactly(Host),
    /// Exactly one label, then a dot and this name.
    OneLabelBelow(String),
}

/// Names below which strangers register: a wildcard there would grant hosts of everybody. Not the whole public list,
/// which changes weekly; these are the ones that agents meet.
const SHARED_SUFFIXES: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "azurewebsites.net",
    "blogspot.com",
    "cloudfront.net",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "googleusercontent.com",
    "herokuapp.com",
    "netlify.app",
    "ngrok.io",
    "onrender.com",
    "pages.dev",
    "run.app",
    "s3.amazonaws.com",
    "trycloudflare.com",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
];

/// Second-level labels that countries use like `com`.
const COUNTRY_SECOND: &[&str] = &["ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"];

impl HostPattern {
    /// Reads `api.example.com`, `*.example.com`, `127.0.0.1` or `[::1]`.
    pub(crate) fn parse(text: &str) -> Result<Self, LineError> {
        let Some(below) = text.strip_prefix('*') else {
            if text.contains('*') {
                return Err(LineError::HostWildcard(shortened(text)));
            }
            return Ok(Self::Exactly(Host::parse(text).map_err(|_| LineError::Host(shortened(text)))?));
        };
        let Some(below) = below.strip_prefix('.') else {
            return Err(if below.is_empty() { LineError::EveryHost } else { LineError::HostWildcard(shortened(text)) });
        };
        match Host::parse(below) {
            Ok(Host::Name(name)) if is_shared(&name) => Err(LineError::SharedSuffix(name)),
            Ok(Host::Name(name)) => Ok(Self::OneLabelBelow(name)),
            _ => Err(LineError::HostWildcard(shortened(text))),
        }
    }

    /// Whether some host is matched by both patterns.
    pub(crate) fn meets(&self, other: &HostPattern) -> bool {
        match (self, other) {
            (Self::Exactly(host), pattern) | (pattern, Self::Exactly(host)) => pattern.matches(host),
            (Self::OneLabelBelow(one), Self::OneLabelBelow(two)) => one == two,
        }
    }

    /// Whether every host of `other` is matched by this pattern.
    pub(crate) fn covers(&self, other: &HostPattern) -> bool {
        match other {
            Self::Exactly(host) => self.matches(host),
            Self::OneLabelBelow(_) => self == other,
        }
    }

    /// Whether it names this machine and nothing else: `localhost` or a loopback address.
    pub(crate) fn is_this_machine(&self) -> bool {
        match self {
            Self::Exactly(Host::Ip(ip)) => ip.to_canonical().is_loopback(),
            Self::Exactly(host) => host.is_localhost(),
            Self::OneLabelBelow(_) => false,
        }
    }

    /// Whether the pattern matches `host`.
    pub(crate) fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exactly(wanted), host) => wanted == host,
            (Self::OneLabelBelow(below), Host::Name(name)) => name
                .strip_suffix(below.as_str())
                .and_then(|head| head.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
            (Self::OneLabelBelow(_), Host::Ip(_)) => false,
        }
    }
}

/// Whether names directly below `name` belong to many owners.
fn is_shared(name: &str) -> bool {
    let Some((first, rest)) = name.split_once('.') else {
        return true;
    };
    let country = rest.len() == 2 && COUNTRY_SECOND.contains(&first);
    country || SHARED_SUFFIXES.contains(&name)
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(host) => host.fmt(f),
            Self::OneLabelBelow(name) => write!(f, "*.{name}"),
        }
    }
}
