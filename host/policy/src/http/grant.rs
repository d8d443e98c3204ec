//! An operator's line that allows requests.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::host::{Host, HostPattern};
use super::pattern::HttpPattern;
use super::rate::Rate;
use crate::address::{self, AddressClass};
use crate::idempotency::KeyHeader;
use crate::line::LineError;
use crate::names::shortened;

/// One line of `http` under a plugin: which requests, which private ranges its name may resolve into, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpGrant {
    pattern: HttpPattern,
    via: Vec<IpNet>,
    rate: Option<Rate>,
    key: Option<KeyHeader>,
}

impl HttpGrant {
    /// Reads `POST https://intranet.example.com/** via 10.0.0.0/8, 192.168.0.0/16, 10 per minute, idempotency-key`.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let (line, key) = match line.trim_end().rsplit_once(',') {
            Some((rest, last)) if KeyHeader::is_meant(last) => (rest, Some(KeyHeader::parse(last)?)),
            _ if line.split_whitespace().any(KeyHeader::is_meant) => return Err(LineError::KeyHere),
            _ => (line, None),
        };
        let (line, rate) = match line.trim_end().rsplit_once(',') {
            // With a word more, the last comma is one of the line itself, and the one in front of the rate is missing.
            Some((rest, last)) if Rate::is_meant(last) && last.split_whitespace().count() <= 3 => {
                (rest, Some(Rate::parse(last)?))
            }
            _ if Rate::is_meant(line) => return Err(LineError::RateComma),
            _ => (line, None),
        };
        let mut words = line.splitn(2, " via ");
        let pattern = HttpPattern::parse(words.next().unwrap_or_default())?;
        let via = words.next().map_or(Ok(Vec::new()), |ranges| ranges.split(',').map(range).collect())?;
        let Some(door) = pattern.door() else {
            return Err(LineError::TooWide(shortened(line.trim())));
        };
        if let HostPattern::Exactly(host) = &door.host {
            if let Some(class) = address::never_host(host) {
                return Err(LineError::NeverReachable { host: host.to_string(), class: class.sentence() });
            }
            if !via.is_empty() && (matches!(host, Host::Ip(_)) || host.is_localhost()) {
                return Err(LineError::ViaLiteral);
            }
        }
        if key.is_some() && pattern.is_safe() {
            return Err(LineError::KeyOnRead);
        }
        Ok(Self { pattern, via, rate, key })
    }

    /// What the line matches.
    pub fn pattern(&self) -> &HttpPattern {
        &self.pattern
    }

    /// How often the line allows a request; as often as the limits do where it does not say.
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// The header in which the host sends the call's idempotency key with requests that may change something. A server
    /// behind such a line does the same request once, however often it comes: that is what the operator says by it.
    pub fn key(&self) -> Option<&KeyHeader> {
        self.key.as_ref()
    }

    /// The private ranges that the line opens for its name.
    pub fn via(&self) -> &[IpNet] {
        &self.via
    }

    /// Whether `host`, which this line matches and which resolved to `ip`, may be connected there. A literal address
    /// opens itself alone, `localhost` this machine alone, and any other name the open network and its `via` ranges.
    pub(crate) fn opens(&self, host: &Host, ip: IpAddr) -> bool {
        let class = address::classify(ip);
        match host {
            _ if class.is_never() => false,
            Host::Ip(literal) => *literal == ip,
            host if host.is_localhost() => class == AddressClass::Loopback,
            _ if class == AddressClass::Public => true,
            _ => {
                let ip = ip.to_canonical();
                self.via.iter().any(|range| range.contains(&ip))
            }
        }
    }

    /// The line with `ip` opened too, as it would have to stand in the operator's file.
    pub(crate) fn with_via(&self, ip: IpAddr) -> Self {
        let via = self.via.iter().copied().chain([IpNet::from(ip.to_canonical())]).collect();
        Self { via, ..self.clone() }
    }

    /// Whether `more` is this line with nothing but further ranges opened.
    pub(crate) fn widens_to(&self, more: &HttpGrant) -> bool {
        (&self.pattern, self.rate, &self.key) == (&more.pattern, more.rate, &more.key)
            && self.via.iter().all(|range| more.via.contains(range))
    }

    /// Whether the line opens private ranges.
    pub(crate) fn is_opening(&self) -> bool {
        !self.via.is_empty()
    }
}

fn range(text: &str) -> Result<IpNet, LineError> {
    let text = text.trim();
    let wrong = || LineError::Range(shortened(text));
    let range: IpNet = match text.parse::<IpAddr>() {
        Ok(ip) => ip.into(),
        Err(_) => text.parse().map_err(|_| wrong())?,
    };
    let range = range.trunc();
    if address::is_openable(&range) { Ok(range) } else { Err(LineError::PublicRange(range.to_string())) }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)?;
        for (nth, range) in self.via.iter().enumerate() {
            write!(f, "{}{range}", if nth == 0 { " via " } else { ", " })?;
        }
        self.rate.map_or(Ok(()), |rate| write!(f, ", {rate}"))?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, ", {key}"))
    }
}
