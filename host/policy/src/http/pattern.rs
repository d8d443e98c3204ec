//! Lines about requests: `GET,POST https://api.example.com/repos/*/issues`.

use std::fmt;

use super::host::HostPattern;
use super::path::PathPattern;
use super::rate::Rate;
use super::target::{HttpTarget, Method, Scheme, TargetError, parse_port, split_authority};
use crate::idempotency::KeyHeader;
use crate::line::{LINE_MAX, LineError, sayable};
use crate::names::shortened;
use crate::rule::Share;

/// Which requests a line speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpPattern {
    methods: Methods,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Methods {
    Any,
    Listed(Vec<Method>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// Any address: `*`.
    Anywhere,
    /// Any address of a scheme: `https://**`.
    Scheme(Scheme),
    /// A named place.
    At(Door, PathPattern),
}

/// What a connection is opened to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Door {
    pub(crate) scheme: Scheme,
    pub(crate) host: HostPattern,
    pub(crate) port: u16,
}

impl HttpPattern {
    /// Reads a line. `*` and `https://**` are understood here: a manifest and the ceiling may speak of every host, and
    /// [`HttpGrant`](super::HttpGrant) refuses it.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        if line.len() > LINE_MAX {
            return Err(LineError::TooLong);
        }
        let mut words = line.split_ascii_whitespace();
        let (methods, place) = match (words.next(), words.next(), words.next()) {
            (Some("*"), None, None) => ("*", "*"),
            (Some(_), Some("via"), _) | (Some(_), Some(_), Some("via")) => {
                return Err(LineError::ViaHere);
            }
            (Some("deny"), Some(_), _) => return Err(LineError::DenyHere),
            (Some(methods), Some(place), None) => (methods, place),
            _ if line.split([' ', ',']).any(KeyHeader::is_meant) => return Err(LineError::KeyHere),
            _ if Rate::is_meant(line) => return Err(LineError::RateHere),
            _ => return Err(LineError::HttpShape),
        };
        sayable(Self { methods: Methods::parse(methods)?, place: Place::parse(place)? })
    }

    /// The pattern that matches every request.
    pub fn everything() -> Self {
        Self { methods: Methods::Any, place: Place::Anywhere }
    }

    /// The smallest pattern that matches `target` and that a line can say. Its query plays no part.
    pub(crate) fn exactly(target: &HttpTarget) -> Self {
        let host = HostPattern::Exactly(target.host.clone());
        let door = Door { scheme: target.scheme, host, port: target.port };
        let path = PathPattern::exactly(&target.path);
        Self { methods: Methods::Listed(vec![target.method.clone()]), place: Place::At(door, path) }
    }

    /// Whether the pattern matches. A path that a server could read with another structure (`%2F`, `%252e`, `..;`) is
    /// matched only by `/**`, which it cannot escape.
    pub fn matches(&self, target: &HttpTarget) -> bool {
        self.methods.matches(&target.method)
            && match &self.place {
                Place::Anywhere => true,
                Place::Scheme(scheme) => *scheme == target.scheme,
                Place::At(door, path) => door.matches(target) && path.allows(&target.path),
            }
    }

    /// Whether the pattern denies: like [`matches`](Self::matches), but in doubt yes. Letter case, empty segments and
    /// paths that can be read in two ways are no way around it.
    pub fn denies(&self, target: &HttpTarget) -> bool {
        self.methods.matches(&target.method)
            && match &self.place {
                Place::Anywhere => true,
                Place::Scheme(scheme) => *scheme == target.scheme,
                Place::At(door, path) => door.matches(target) && path.denies(&target.path),
            }
    }

    /// Whether some request could be matched by both patterns. Paths are not compared: yes where only they differ.
    pub(crate) fn meets(&self, other: &HttpPattern) -> bool {
        let doors = match (&self.place, &other.place) {
            (Place::Anywhere, _) | (_, Place::Anywhere) => true,
            (Place::Scheme(one), Place::Scheme(two)) => one == two,
            (Place::Scheme(scheme), Place::At(door, _)) | (Place::At(door, _), Place::Scheme(scheme)) => {
                *scheme == door.scheme
            }
            (Place::At(one, _), Place::At(two, _)) => {
                one.scheme == two.scheme && one.port == two.port && one.host.meets(&two.host)
            }
        };
        doors && self.methods.meets(&other.methods)
    }

    /// The pattern once for each of its methods.
    pub(crate) fn by_method(&self) -> Vec<HttpPattern> {
        match &self.methods {
            Methods::Any => vec![self.clone()],
            Methods::Listed(methods) => {
                let one = |method: &Method| Methods::Listed(vec![method.clone()]);
                methods.iter().map(|method| Self { methods: one(method), place: self.place.clone() }).collect()
            }
        }
    }

    /// How much of what `other` matches this pattern matches.
    pub(crate) fn share_of(&self, other: &HttpPattern) -> Share {
        self.methods.share_of(&other.methods).min(self.place.share_of(&other.place, PathPattern::share_of))
    }

    /// How much of what `other` matches this pattern [denies](Self::denies).
    pub(crate) fn denied_share_of(&self, other: &HttpPattern) -> Share {
        self.methods.share_of(&other.methods).min(self.place.share_of(&other.place, PathPattern::denied_share_of))
    }

    /// In what the pattern and `target`, which it does not match, differ: the last of host, scheme, port, method and
    /// path that keeps them apart, with the way from far to near as a number.
    pub(crate) fn difference(&self, target: &HttpTarget) -> Option<(u8, String)> {
        let Place::At(door, _) = &self.place else {
            return None;
        };
        if !door.host.matches(&target.host) {
            None
        } else if door.scheme != target.scheme {
            Some((0, format!("the scheme `{}`", target.scheme)))
        } else if door.port != target.port {
            Some((1, format!("port {}", target.port)))
        } else if !self.methods.matches(&target.method) {
            Some((2, format!("the method `{}`", target.method)))
        } else {
            Some((3, "this path".to_owned()))
        }
    }

    /// Whether every method that the pattern allows changes nothing by its definition.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(&self.methods, Methods::Listed(methods) if methods.iter().all(Method::is_safe))
    }

    /// The door that the pattern names, or `None` where it speaks of many hosts.
    pub(crate) fn door(&self) -> Option<&Door> {
        match &self.place {
            Place::At(door, _) => Some(door),
            _ => None,
        }
    }
}

impl Methods {
    fn share_of(&self, other: &Methods) -> Share {
        let has = |method: &Method| self.matches(method);
        match (self, other) {
            (Self::Any, _) => Share::Whole,
            (Self::Listed(_), Self::Any) => Share::Part,
            (_, Self::Listed(others)) if others.iter().all(has) => Share::Whole,
            (_, Self::Listed(others)) if others.iter().any(has) => Share::Part,
            _ => Share::Nothing,
        }
    }

    fn meets(&self, other: &Methods) -> bool {
        match (self, other) {
            (Self::Listed(one), Self::Listed(two)) => one.iter().any(|method| two.contains(method)),
            _ => true,
        }
    }

    fn parse(text: &str) -> Result<Self, LineError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let method = |word: &str| Method::parse(word).map_err(|_| LineError::Method(shortened(word)));
        Ok(Self::Listed(text.split(',').map(method).collect::<Result<_, _>>()?))
    }

    fn matches(&self, method: &Method) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(methods) => methods.contains(method),
        }
    }
}

impl Place {
    fn share_of(&self, other: &Place, of_path: fn(&PathPattern, &PathPattern) -> Share) -> Share {
        let one_of = |same: bool, share: Share| if same { share } else { Share::Nothing };
        match (self, other) {
            (Place::Anywhere, _) => Share::Whole,
            (_, Place::Anywhere) => Share::Part,
            (Place::Scheme(one), Place::Scheme(two)) => one_of(one == two, Share::Whole),
            (Place::Scheme(scheme), Place::At(door, _)) => one_of(*scheme == door.scheme, Share::Whole),
            (Place::At(door, _), Place::Scheme(scheme)) => one_of(*scheme == door.scheme, Share::Part),
            (Place::At(one, path), Place::At(two, other)) => {
                let same = one.scheme == two.scheme && one.port == two.port && one.host.meets(&two.host);
                let host = if one.host.covers(&two.host) { Share::Whole } else { Share::Part };
                one_of(same, of_path(path, other).min(host))
            }
        }
    }

    fn parse(text: &str) -> Result<Self, LineError> {
        if text == "*" {
            return Ok(Self::Anywhere);
        }
        let wrong = || LineError::Scheme(shortened(text));
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let scheme = Scheme::parse(scheme).map_err(|_| wrong())?;
        if rest == "**" {
            return Ok(Self::Scheme(scheme));
        }
        let Some(slash) = rest.find('/') else {
            return Err(LineError::NoPath(shortened(text)));
        };
        let (authority, path) = rest.split_at(slash);
        let (host, port) = split_authority(authority).map_err(|error| match error {
            TargetError::UserInfo => LineError::UserInfo,
            _ => LineError::Host(shortened(authority)),
        })?;
        let port = port.map_or(Ok(scheme.default_port()), parse_port);
        let port = port.map_err(|_| LineError::Port(shortened(authority)))?;
        Ok(Self::At(Door { scheme, host: HostPattern::parse(host)?, port }, PathPattern::parse(path)?))
    }
}

impl Door {
    fn matches(&self, target: &HttpTarget) -> bool {
        self.scheme == target.scheme && self.port == target.port && self.host.matches(&target.host)
    }
}

impl fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.methods {
            Methods::Any => f.write_str("*")?,
            Methods::Listed(methods) => {
                for (nth, method) in methods.iter().enumerate() {
                    write!(f, "{}{method}", if nth == 0 { "" } else { "," })?;
                }
            }
        }
        match &self.place {
            Place::Anywhere => f.write_str(" *"),
            Place::Scheme(scheme) => write!(f, " {scheme}://**"),
            Place::At(door, path) => write!(f, " {door}{path}"),
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}
