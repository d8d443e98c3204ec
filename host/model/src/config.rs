//! Which model, where, with which key, and within which limits.
//!
//! A configuration is read once, at the edge, from a short text such as `anthropic:claude-sonnet-4-5` or
//! `openai-chat:qwen3@http://127.0.0.1:9000/v1`, and from the variables that people already have set. Reading
//! the environment is the caller's act: it passes a function that looks a variable up.
//!
//! A vendor's key goes to that vendor: an address that stands in the text gets `TOOLCRIB_MODEL_KEY` and never
//! `OPENAI_API_KEY`. An address from a variable such as `OPENAI_BASE_URL` belongs with the key beside it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

use crate::{ApiKey, RetryPolicy};

/// How a back end is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// `openai`: OpenAI Responses.
    Responses,
    /// `openai-chat`: OpenAI Chat Completions, which most compatible servers speak.
    Chat,
    /// `anthropic`: Anthropic Messages.
    Messages,
    /// `gemini`: Gemini `streamGenerateContent`.
    Gemini,
    /// `ollama`: Ollama's `/api/chat`.
    Ollama,
}

/// What is particular to a wire: its word, address, path and variables.
struct Facts {
    word: &'static str,
    base_url: &'static str,
    /// The version segment that people may or may not write at the end of a base URL.
    version: &'static str,
    keys: &'static [&'static str],
    base_urls: &'static [&'static str],
}

impl Wire {
    /// Every wire.
    pub const ALL: [Self; 5] = [Self::Responses, Self::Chat, Self::Messages, Self::Gemini, Self::Ollama];

    fn facts(self) -> Facts {
        let openai = |word| Facts {
            word,
            base_url: "https://api.openai.com/v1",
            // Compatible servers use any path: what is written is taken.
            version: "",
            keys: &["OPENAI_API_KEY"],
            base_urls: &["OPENAI_BASE_URL", "OPENAI_API_BASE"],
        };
        match self {
            Self::Responses => openai("openai"),
            Self::Chat => openai("openai-chat"),
            Self::Messages => Facts {
                word: "anthropic",
                base_url: "https://api.anthropic.com",
                version: "v1",
                keys: &["ANTHROPIC_API_KEY"],
                base_urls: &["ANTHROPIC_BASE_URL"],
            },
            Self::Gemini => Facts {
                word: "gemini",
                base_url: "https://generativelanguage.googleapis.com",
                version: "v1beta",
                keys: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
                base_urls: &[],
            },
            Self::Ollama => Facts {
                word: "ollama",
                base_url: "http://127.0.0.1:11434",
                version: "",
                keys: &["OLLAMA_API_KEY"],
                base_urls: &["OLLAMA_HOST"],
            },
        }
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().word)
    }
}

impl FromStr for Wire {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let found = Self::ALL.into_iter().find(|wire| wire.facts().word == text);
        found.ok_or_else(|| ConfigError::UnknownWire { word: text.to_owned() })
    }
}

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

/// Everything that [`connect`](crate::connect) needs.
#[derive(Clone)]
pub struct ModelConfig {
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

impl fmt::Debug for ModelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelConfig")
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

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not `wire:model` or `wire:model@url`.
    #[error("`{spec}` names no model: write `wire:model`, such as `openai:gpt-5`, or `wire:model@url`")]
    Spec {
        /// The text.
        spec: String,
    },
    /// There is no such wire.
    #[error("no wire is called `{word}`: use `openai`, `openai-chat`, `anthropic`, `gemini` or `ollama`")]
    UnknownWire {
        /// The word.
        word: String,
    },
    /// The base URL cannot be used.
    #[error("the base URL from {origin} cannot be used: {reason}")]
    BaseUrl {
        /// Where it came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The vendor's service needs a key.
    #[error("`{wire}` needs a key: set {variables}")]
    MissingKey {
        /// The wire.
        wire: String,
        /// The variables that are looked at.
        variables: String,
    },
    /// The key holds characters that no header can carry.
    #[error("the key holds characters that cannot be sent: copy it again")]
    Key,
    /// A key would travel unencrypted over a public network.
    #[error("the key would go to {host} unencrypted: use https, or leave the key out")]
    KeyInTheClear {
        /// The host.
        host: String,
    },
    /// The address of the proxy cannot be used.
    #[error("the address of the proxy cannot be used: write it as http://host:port")]
    Proxy,
    /// The additional certificates cannot be used.
    #[error("the additional root certificates cannot be used: {detail}; give them in PEM")]
    Roots {
        /// What is wrong with them.
        detail: String,
    },
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {detail}")]
    Client {
        /// What is wrong.
        detail: String,
    },
}

impl ModelConfig {
    /// Reads `spec`, which is `wire:model` or `wire:model@url`, and looks up what it leaves open.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the text or a variable cannot be used, or where a vendor's service lacks its key.
    pub fn parse(spec: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let (wire, rest) = spec.trim().split_once(':').ok_or_else(|| ConfigError::Spec { spec: spec.to_owned() })?;
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
