//! A back end behind HTTP: address, key, time-outs, proxy.
//!
//! A vendor's key goes to that vendor: an address that stands in the text gets `TOOLCRIB_MODEL_KEY` and never
//! `OPENAI_API_KEY`. An address from a variable such as `OPENAI_BASE_URL` belongs with the key beside it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

use crate::{ApiKey, ConfigError, RetryPolicy, Wire};

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Making the connection.
    pub connect: Duration,
    /// From the request to the head of the answer. A local server may load a model in this time.
    pub first_byte: Duration,
    /// Between two pieces of the answer. A model that reasons may be silent for long.
    pub idle: Duration,
    /// One whole exchange.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(180),
            idle: Duration::from_secs(180),
            total: Duration::from_secs(900),
        }
    }
}

/// A proxy for everything but local addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// Its address, which may hold a name and a password.
    pub url: String,
    /// Hosts to reach without it, separated by commas, as in `NO_PROXY`.
    pub except: Option<String>,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxySettings").field("except", &self.except).finish_non_exhaustive()
    }
}

/// Everything that a back end behind HTTP needs.
#[derive(Clone)]
pub struct HttpConfig {
    /// How the back end is spoken to.
    pub wire: Wire,
    /// Its address without the path of the wire.
    pub base_url: Url,
    /// The model's name.
    pub model: String,
    /// The key, where one is needed.
    pub key: Option<ApiKey>,
    /// Time-outs of one attempt.
    pub timeouts: Timeouts,
    /// When to try again.
    pub retry: RetryPolicy,
    /// The most bytes of one answer that are read.
    pub max_response_bytes: u64,
    /// A proxy.
    pub proxy: Option<ProxySettings>,
    /// Certificates, in PEM, that are trusted besides the bundled ones.
    pub extra_roots: Option<Vec<u8>>,
}

/// A long answer is some hundred kilobytes, and a stream repeats much around it.
const MAX_RESPONSE_BYTES: u64 = 16 * 1024 * 1024;

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("wire", &self.wire)
            .field("base_url", &self.base_url.as_str())
            .field("model", &self.model)
            .field("has_key", &self.key.is_some())
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

impl HttpConfig {
    /// Reads `spec`, which is `wire:model` or `wire:model@url`, and looks up what it leaves open.
    pub(super) fn parse(spec: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let (wire, rest) = spec.split_once(':').ok_or_else(|| ConfigError::Spec { spec: spec.to_owned() })?;
        let wire = Wire::from_str(wire)?;
        let facts = wire.facts();
        let (model, written_url) = match ["@http://", "@https://"].iter().find_map(|mark| rest.find(mark)) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        if model.is_empty() || model.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(ConfigError::Spec { spec: shown(spec) });
        }
        let from_variable = facts.base_urls.iter().find_map(|name| Some((*name, lookup(name)?)));
        let base_url = match (written_url, from_variable) {
            (Some(url), _) => base_url(url, "the model's text")?,
            (None, Some((name, url))) if wire == Wire::Ollama => base_url(&ollama_host(&url), name)?,
            (None, Some((name, url))) => base_url(&url, name)?,
            (None, None) => base_url(facts.base_url, "the vendor")?,
        };
        let key = match written_url {
            Some(_) => lookup(OWN_KEY),
            None => facts.keys.iter().find_map(|name| lookup(name)),
        };
        let proxy = proxy_variables(&base_url).iter().find_map(|name| lookup(name));
        let config = Self {
            wire,
            base_url,
            model: model.to_owned(),
            key: key.and_then(ApiKey::new),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            max_response_bytes: MAX_RESPONSE_BYTES,
            proxy: proxy.map(|url| ProxySettings { url, except: lookup("NO_PROXY").or_else(|| lookup("no_proxy")) }),
            extra_roots: None,
        };
        config.check()?;
        Ok(config)
    }

    /// The TCP ports that a request goes to: the model's, and the proxy's where there is one.
    pub fn ports(&self) -> Vec<u16> {
        let proxy = self.proxy.as_ref().and_then(|proxy| Url::parse(&proxy.url).ok());
        let urls = std::iter::once(&self.base_url).chain(&proxy);
        urls.filter_map(Url::port_or_known_default).collect()
    }

    /// The name that stands in the ledger: `wire:model`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.wire, self.model)
    }

    /// Whether a key is there where one is needed, and safe on its way.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let keyless = self.wire == Wire::Ollama || !self.is_official();
        if self.key.is_none() && !keyless {
            let variables = self.key_variables();
            return Err(ConfigError::MissingKey { wire: self.wire.to_string(), variables });
        }
        if self.key.is_some() && self.base_url.scheme() == "http" && !self.is_private() {
            let host = self.base_url.host_str().unwrap_or_default().to_owned();
            return Err(ConfigError::KeyInTheClear { host });
        }
        Ok(())
    }

    /// The full address of the wire.
    pub(crate) fn endpoint(&self) -> Result<Url, ConfigError> {
        let version = self.wire.facts().version;
        let mut url = self.base_url.clone();
        let bad = || ConfigError::BaseUrl { origin: "the settings".to_owned(), reason: "it has no path".to_owned() };
        {
            let already = url.path_segments().and_then(|mut segments| segments.rfind(|s| !s.is_empty()));
            let add_version = !version.is_empty() && already.is_none_or(|last| !is_version(last));
            let mut path = url.path_segments_mut().map_err(|()| bad())?;
            path.pop_if_empty();
            if add_version {
                path.push(version);
            }
            match self.wire {
                Wire::Responses => path.push("responses"),
                Wire::Chat => path.extend(["chat", "completions"]),
                Wire::Messages => path.push("messages"),
                // `push` escapes what a model's name may not bring into a path.
                Wire::Gemini => path.push("models").push(&format!("{}:streamGenerateContent", self.model)),
                Wire::Ollama => path.extend(["api", "chat"]),
            };
        }
        if self.wire == Wire::Gemini {
            url.set_query(Some("alt=sse"));
        }
        Ok(url)
    }

    /// Whether this is the vendor's own service.
    pub(crate) fn is_official(&self) -> bool {
        Url::parse(self.wire.facts().base_url).is_ok_and(|vendor| vendor.host() == self.base_url.host())
    }

    /// Whether the address is this machine.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.base_url)
    }

    /// Whether the address lies in a network of the operator's own.
    fn is_private(&self) -> bool {
        match self.base_url.host() {
            Some(Host::Domain(name)) => is_local(&self.base_url) || !name.trim_end_matches('.').contains('.'),
            Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
            Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
            None => false,
        }
    }

    /// The variables that hold this wire's key.
    fn key_variables(&self) -> String {
        self.wire.facts().keys.join(" or ")
    }

    /// What to do about a key that was refused.
    pub(crate) fn key_advice(&self) -> String {
        let names = match self.is_official() {
            true => self.key_variables(),
            false => format!("{OWN_KEY}, or {} for an address from a variable", self.key_variables()),
        };
        match self.key {
            Some(_) => format!("check {names}"),
            None => format!("set {names}"),
        }
    }
}

/// The variable that holds the key for an address in the text.
const OWN_KEY: &str = "TOOLCRIB_MODEL_KEY";

/// The text without what might be a password in a URL.
fn shown(spec: &str) -> String {
    spec.split('@').next().unwrap_or_default().to_owned()
}

fn base_url(text: &str, origin: &str) -> Result<Url, ConfigError> {
    let bad = |reason: &str| ConfigError::BaseUrl { origin: origin.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(bad("it must begin with http:// or https:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a name or a password; a key goes into TOOLCRIB_MODEL_KEY"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it must end with its path, without `?` or `#`"));
    }
    Ok(url)
}

/// `OLLAMA_HOST` may be a bare host, a host with a port, or a URL, and may be the address to listen on.
fn ollama_host(value: &str) -> String {
    let value = value.replace("0.0.0.0", "127.0.0.1");
    if value.contains("://") {
        return value;
    }
    let bare = Url::parse(&format!("http://{value}")).is_ok_and(|url| url.port().is_none() && !value.ends_with(":80"));
    let port = if bare { ":11434" } else { "" };
    format!("http://{}{port}", value.trim_end_matches('/'))
}

/// A path segment such as `v1` or `v1beta`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// Where a proxy for `url` may be written, first one first.
fn proxy_variables(url: &Url) -> &'static [&'static str] {
    match url.scheme() {
        "https" => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        // In capitals it could come from a request to a CGI program.
        _ => &["http_proxy", "ALL_PROXY", "all_proxy"],
    }
}
