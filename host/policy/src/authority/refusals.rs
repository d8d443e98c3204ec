//! The sentences of refusals, and the smallest grants that would have avoided them.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use super::{Authority, Sides, narrowed};
use crate::address::{AddressClass, classify};
use crate::credential::CredentialGrant;
use crate::files::{Access, FileCeiling, FileGrant, FileRequest, GuestPath};
use crate::http::{Host, HttpGrant, HttpPattern, HttpTarget, TargetError};
use crate::keyvalue::{KeyValueGrant, KeyValueRule};
use crate::limits::LimitName;
use crate::line::LineError;
use crate::names::{PluginName, ToolName, shortened};
use crate::operator::variable;
use crate::refusal::{Refusal, RefusalCode};
use crate::rule::KeptOut;
use crate::rules::listed;
use crate::tools::NamePattern;

/// A side that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A `deny` line of the plugin's section forbids it: what it denies.
    Denied(String),
    /// The plugin's manifest does not ask for it.
    Requested,
    /// The operator has not granted it.
    Granted,
    /// The ceiling of the host does not include it.
    Ceiling,
    /// A `deny` line of the ceiling forbids it: what it denies.
    CeilingDenied(String),
    /// The caller may not do it either.
    Delegated(PluginName),
    /// Every side agrees to something there, and no folder that is left covers it.
    Uncovered,
}

impl<P: fmt::Display> From<KeptOut<'_, P>> for Missing {
    fn from(kept_out: KeptOut<'_, P>) -> Self {
        match kept_out {
            KeptOut::Denied(line) => Self::CeilingDenied(line.to_string()),
            KeptOut::NotAllowed => Self::Ceiling,
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Denied(line) => write!(f, "the operator's line `deny {line}` forbids it"),
            Missing::Requested => f.write_str("its manifest does not request it"),
            Missing::Granted => f.write_str("the operator has not granted it"),
            Missing::Ceiling => f.write_str("it is above the ceiling of this host"),
            Missing::CeilingDenied(line) => write!(f, "the line `deny {line}` in the ceiling of this host forbids it"),
            Missing::Uncovered => f.write_str("no granted folder covers it"),
            Missing::Delegated(caller) => write!(f, "its caller `{caller}` may not do it either"),
        }
    }
}

fn sentence(missing: &[Missing]) -> String {
    // Nobody objects where a list of the value itself was shortened.
    let missing = if missing.is_empty() { &[Missing::Granted] } else { missing };
    let parts: Vec<String> = missing.iter().map(Missing::to_string).collect();
    parts.join(", and ")
}

/// Whether a grant alone would allow what was refused: a line that changes nothing is not worth pasting.
fn helps(missing: &[Missing]) -> bool {
    missing == [Missing::Granted]
}

/// The most folders that a refusal lists.
const PLACES_SHOWN: usize = 8;

/// `is `/docs``, or `are `/docs` and `/out``.
fn places_in_words(places: &[&str]) -> String {
    let verb = if places.len() == 1 { "is" } else { "are" };
    format!("{verb} {}", listed(places.iter().copied()))
}

/// One line of TOML with a list of one string.
fn list(key: &str, value: &str) -> String {
    format!("{key} = [{}]", toml::Value::from(value))
}

impl Authority {
    fn refusal(&self, code: RefusalCode, asked: &str, why: &str, grant: Option<String>) -> Refusal {
        Refusal { code, message: format!("plugin `{}` asked {asked}: {why}", self.plugin), grant }
    }

    fn refused_by(&self, code: RefusalCode, asked: &str, missing: &[Missing], grant: String) -> Refusal {
        let grant = Some(grant).filter(|_| helps(missing));
        self.refusal(code, asked, &sentence(missing), grant)
    }

    /// The refusal of a request whose target cannot be checked.
    pub fn url_refusal(&self, error: &TargetError) -> Refusal {
        self.refusal(RefusalCode::UrlInvalid, "for an address that cannot be checked", &error.to_string(), None)
    }

    pub(crate) fn blocked(&self, target: &str, class: AddressClass, grant: Option<String>) -> Refusal {
        self.refusal(RefusalCode::NetAddressBlocked, &format!("for `{target}`"), class.sentence(), grant)
    }

    pub(crate) fn http_refusal(&self, target: &HttpTarget, missing: &[Missing]) -> Refusal {
        let grant = list("http", &HttpPattern::exactly(target).to_string());
        let asked = format!("for `{} {}`", target.method, target.shown());
        let class = match &target.host {
            Host::Ip(ip) => Some(classify(*ip)).filter(|class| *class != AddressClass::Public),
            host => host.is_localhost().then_some(AddressClass::Loopback),
        };
        let near = self.nearest_grant(target).map(|(_, lacks)| lacks);
        // An address that a grant opens for something else is open: what is asked of it is not granted.
        let blocked = class.is_some() && near.is_none();
        let code = if blocked { RefusalCode::NetAddressBlocked } else { RefusalCode::NetDenied };
        let mut refusal = self.refused_by(code, &asked, missing, grant);
        if missing.contains(&Missing::Granted) {
            let closed = class.map(|class| format!(" ({})", class.sentence()));
            refusal.message.push_str(&near.or(closed).unwrap_or_default());
        }
        refusal
    }

    /// The grant that comes nearest to `target`, and what it lacks.
    fn nearest_grant(&self, target: &HttpTarget) -> Option<(u8, String)> {
        let near = |grant: &HttpGrant| {
            let (distance, what) = grant.pattern().difference(target)?;
            Some((distance, format!(" (`{grant}` does not cover {what})")))
        };
        self.http.iter().filter_map(near).max_by_key(|(distance, _)| *distance)
    }

    pub(crate) fn address_refusal(&self, grant: &HttpGrant, host: &Host, ip: IpAddr) -> Refusal {
        let class = classify(ip);
        let help = match host {
            Host::Name(_) if !class.is_never() && !host.is_localhost() => {
                Some(list("http", &grant.with_via(ip).to_string()))
            }
            _ => None,
        };
        self.blocked(&format!("{host}` at `{ip}"), class, help)
    }

    pub(crate) fn caller_refusal(&self, caller: &Authority, host: &Host, ip: IpAddr) -> Refusal {
        let missing = [Missing::Delegated(caller.plugin.clone())];
        let asked = format!("for `{host}` at `{ip}`");
        self.refusal(RefusalCode::NetAddressBlocked, &asked, &sentence(&missing), None)
    }

    /// The refusal of a request whose line of `plugin` was used as often as it may be.
    pub fn rate_refusal(&self, target: &HttpTarget, plugin: &PluginName, grant: &HttpGrant, why: &str) -> Refusal {
        let whose = if *plugin == self.plugin { String::new() } else { format!(" of its caller `{plugin}`") };
        let asked = format!("for `{} {}`", target.method, target.shown());
        let why = format!("the line `{grant}`{whose} allows no more now; {why}");
        self.refusal(RefusalCode::NetRate, &asked, &why, None)
    }

    pub(crate) fn credential_refusal(
        &self,
        grant: &CredentialGrant,
        target: &HttpTarget,
        missing: &[Missing],
    ) -> Refusal {
        let asked =
            format!("for `{} {}`, which goes without the granted `{}`", target.method, target.shown(), grant.access());
        self.refusal(RefusalCode::CredentialDenied, &asked, &sentence(missing), None)
    }

    /// The refusal of a request whose credential cannot be had. It does not go without.
    pub fn credential_unavailable(&self, grant: &CredentialGrant, target: &HttpTarget, why: &str) -> Refusal {
        let asked = format!("for `{} {}` with `{}`", target.method, target.shown(), grant.access());
        self.refusal(RefusalCode::CredentialUnavailable, &asked, why, None)
    }

    pub(crate) fn tool_refusal(&self, tool: &ToolName, missing: &[Missing]) -> Refusal {
        let asked = format!("to call `{tool}`");
        self.refused_by(RefusalCode::ToolDenied, &asked, missing, list("tools", &tool.to_string()))
    }

    /// The refusal of `access` to `path`, which no folder of [`Authority::files`] covers.
    pub fn file_refusal(&self, path: &str, access: Access) -> Refusal {
        let verb = if access == Access::Read { "read" } else { "write" };
        let asked = format!("to {verb} `{}`", shortened(path));
        let Ok(guest) = GuestPath::parse(path) else {
            let why = "it is not a plain path inside the sandbox";
            return self.refusal(RefusalCode::FileDenied, &asked, why, None);
        };
        let mut missing = self.sides.missing_for_file(&guest, access);
        let grant = self.sides.smallest_folder(&guest, access);
        if let Some((_, folder)) = grant.as_ref().filter(|_| helps(&missing)) {
            missing.extend(self.sides.narrowing(&guest, access, std::slice::from_ref(folder)));
        }
        let grant = grant.filter(|_| helps(&missing)).map(|(line, _)| list("files", &line));
        let mut refusal = self.refusal(RefusalCode::FileDenied, &asked, &sentence(&missing), grant);
        if missing.contains(&Missing::Granted) && guest.parent() == GuestPath::root() && !self.files.is_empty() {
            // Who asks for something beside the folders that are there has most likely left one out.
            let places: Vec<&str> = self.files.iter().take(PLACES_SHOWN).map(|grant| grant.guest.as_str()).collect();
            refusal.message.push_str(&format!(" (granted {})", places_in_words(&places)));
        }
        refusal
    }

    pub(crate) fn keyvalue_refusal(&self, bucket: &str, access: Access) -> Refusal {
        let verb = if access == Access::Read { "read" } else { "write" };
        let asked = format!("to {verb} its bucket `{}`", shortened(bucket));
        let missing = self.sides.missing_for_keyvalue(bucket, access);
        let line = format!("{access} {bucket}");
        let grant = KeyValueGrant::parse(&line).ok().filter(|_| helps(&missing)).map(|_| list("keyvalue", &line));
        self.refusal(RefusalCode::KeyValueDenied, &asked, &sentence(&missing), grant)
    }

    /// The refusal of what would make a bucket hold more than its grant allows.
    pub fn keyvalue_full(&self, grant: &KeyValueGrant) -> Refusal {
        let why = format!("it would hold more than its {} bytes or {} keys", grant.max_bytes(), grant.max_keys());
        let asked = format!("to write its bucket `{}`", grant.bucket);
        self.refusal(RefusalCode::KeyValueFull, &asked, &why, None)
    }

    /// The refusal of the environment variable `name`, which is not in [`Authority::env`].
    pub fn env_refusal(&self, name: &str) -> Refusal {
        let asked = format!("for the environment variable `{}`", shortened(name));
        let missing = self.sides.missing_for_env(name);
        let (why, grant) = match variable(name) {
            Ok(name) => (sentence(&missing), Some(list("env", &name)).filter(|_| helps(&missing))),
            Err(error @ LineError::SecretVariable(_)) => (error.to_string(), None),
            // A name that no line can say has no grant.
            Err(_) => (sentence(&missing), None),
        };
        self.refusal(RefusalCode::EnvDenied, &asked, &why, grant)
    }

    pub(crate) fn config_refusal(&self, key: &str) -> Refusal {
        let asked = format!("for the configuration key `{}`", shortened(key));
        self.refusal(RefusalCode::ConfigDenied, &asked, &sentence(&[Missing::Requested]), None)
    }

    pub(crate) fn ask_refusal(&self) -> Refusal {
        let missing = self.missing_switch(|s| s.requests.ask, |s| s.grants.ask, |s| s.ceiling.ask, |a| a.ask);
        self.refused_by(RefusalCode::AskDenied, "for an answer from a person", &missing, "ask = true".to_owned())
    }

    pub(crate) fn model_refusal(&self) -> Refusal {
        let missing = self.missing_switch(|s| s.requests.model, |s| s.grants.model, |s| s.ceiling.model, |a| a.model);
        self.refused_by(RefusalCode::ModelDenied, "for a completion by the model", &missing, "model = true".to_owned())
    }

    fn missing_switch(
        &self,
        requested: fn(&Sides) -> bool,
        granted: fn(&Sides) -> bool,
        ceiling: fn(&Sides) -> bool,
        delegated: fn(&Authority) -> bool,
    ) -> Vec<Missing> {
        let sides = &self.sides;
        let mut missing = Vec::new();
        missing.extend((!requested(sides)).then_some(Missing::Requested));
        missing.extend((!granted(sides)).then_some(Missing::Granted));
        missing.extend((!ceiling(sides)).then_some(Missing::Ceiling));
        let caller = sides.delegated.as_ref().filter(|caller| !delegated(caller));
        missing.extend(caller.map(|caller| Missing::Delegated(caller.plugin.clone())));
        missing
    }

    /// The refusal of what would go beyond the limit `name`.
    pub fn limit_refusal(&self, name: LimitName) -> Refusal {
        let message =
            format!("plugin `{}` has used up its limit `{}` of {}", self.plugin, name.key(), self.limits.shown(name));
        Refusal { code: RefusalCode::Limit(name), message, grant: None }
    }
}

impl Sides {
    fn missing_for_keyvalue(&self, bucket: &str, access: Access) -> Vec<Missing> {
        let allows =
            |rules: &[KeyValueRule]| rules.iter().any(|rule| rule.bucket.matches(bucket) && rule.access >= access);
        let granted = self.grants.keyvalue.iter().any(|grant| grant.bucket == bucket && grant.access >= access);
        let mut missing = Vec::new();
        missing.extend((!allows(&self.requests.keyvalue)).then_some(Missing::Requested));
        missing.extend((!granted).then_some(Missing::Granted));
        missing.extend((!self.ceiling.keyvalue.as_deref().is_none_or(allows)).then_some(Missing::Ceiling));
        let lends = |caller: &Authority| caller.keyvalue.iter().any(|grant| grant.access >= access);
        let caller = self.delegated.as_ref().filter(|caller| !lends(caller));
        missing.extend(caller.map(|caller| Missing::Delegated(caller.plugin.clone())));
        missing
    }

    pub(crate) fn missing_for_env(&self, name: &str) -> Vec<Missing> {
        let matches = |names: &[NamePattern]| names.iter().any(|pattern| pattern.matches(name));
        let mut missing = Vec::new();
        missing.extend((!matches(&self.requests.env)).then_some(Missing::Requested));
        missing.extend((!self.grants.env.contains(name)).then_some(Missing::Granted));
        missing.extend((!self.ceiling.env.as_deref().is_none_or(matches)).then_some(Missing::Ceiling));
        let caller = self.delegated.as_ref().filter(|caller| !caller.env.contains(name));
        missing.extend(caller.map(|caller| Missing::Delegated(caller.plugin.clone())));
        missing
    }

    /// Who does not agree to `access` to `path`. The ceiling and the caller narrow by folders of this machine, which can
    /// only be told of a folder: see [`Sides::narrowing`].
    fn missing_for_file(&self, path: &GuestPath, access: Access) -> Vec<Missing> {
        let asked = |request: &&FileRequest| request.access >= access && path.below(&request.guest).is_some();
        let requests: Vec<_> = self.requests.files.iter().filter(asked).collect();
        let granted = |grant: &&FileGrant| {
            grant.access >= access
                && path.below(&grant.guest).is_some()
                && (requests.is_empty() || requests.iter().any(|request| grant.guest.below(&request.guest).is_some()))
        };
        let mut missing = Vec::new();
        missing.extend(requests.is_empty().then_some(Missing::Requested));
        let grants: Vec<FileGrant> = self.grants.files.iter().filter(granted).cloned().collect();
        missing.extend(grants.is_empty().then_some(Missing::Granted));
        if missing.is_empty() {
            let narrowing = self.narrowing(path, access, &grants);
            missing.push(narrowing.unwrap_or(Missing::Uncovered));
        }
        missing
    }

    /// Who takes `access` to `path` out of these grants: the ceiling, or the caller.
    fn narrowing(&self, path: &GuestPath, access: Access, grants: &[FileGrant]) -> Option<Missing> {
        let covers = |grants: &[FileGrant]| {
            grants.iter().any(|grant| grant.access >= access && path.below(&grant.guest).is_some())
        };
        let ceilings = self.ceiling.files.as_deref();
        if ceilings.is_some_and(|ceilings| !covers(&narrowed(grants, ceilings))) {
            return Some(Missing::Ceiling);
        }
        let caller = self.delegated.as_ref()?;
        let ceilings: Vec<FileCeiling> = caller.files.iter().map(FileGrant::as_ceiling).collect();
        (!covers(&narrowed(grants, &ceilings))).then(|| Missing::Delegated(caller.plugin.clone()))
    }

    /// The smallest line that would allow `access` to `path`, and what it grants: a folder that is granted already, with
    /// more access or cut to what is asked for, else the folder that holds `path`, taken from beside the operator's file.
    fn smallest_folder(&self, path: &GuestPath, access: Access) -> Option<(String, FileGrant)> {
        let guest = self.folder_of(path);
        let around = self.grants.files.iter().find(|grant| path.below(&grant.guest).is_some());
        let asks_for = |grant: &FileGrant| {
            let asked = |request: &FileRequest| request.access >= access && grant.guest.below(&request.guest).is_some();
            self.requests.files.iter().any(asked)
        };
        let grant = match around {
            Some(grant) if grant.access < access && asks_for(grant) => FileGrant { access, ..grant.clone() },
            // With no less access than around it, where a weaker line would be an error.
            Some(grant) => {
                let host = grant.host.join(guest.below(&grant.guest)?);
                FileGrant { access: access.max(grant.access), host, guest, ..grant.clone() }
            }
            None => {
                // The whole folder of the operator's file is never what is meant, least of all for writing.
                let below = guest.below(&GuestPath::root()).filter(|below| !below.is_empty());
                let host = Path::new(".").join(below.unwrap_or("folder"));
                FileGrant { access, host, guest, max_bytes: None, max_files: None, versioned: false }
            }
        };
        // A place with ` as ` or a space at its end is one that no line can say.
        let line = grant.to_string();
        let read = FileGrant::parse(&line, &self.ceiling.base).ok().filter(|read| read.guest == grant.guest)?;
        Some((line, read))
    }

    /// The folder to grant for `path`: the one that holds it, unless that is the root and `path` looks like a folder, or
    /// the plugin asks for no more than `path` itself.
    fn folder_of(&self, path: &GuestPath) -> GuestPath {
        let parent = path.parent();
        let asked = |request: &FileRequest| parent.below(&request.guest).is_some();
        let looks_like_folder = parent == GuestPath::root() && !path.as_str().contains('.');
        if looks_like_folder || !self.requests.files.iter().any(asked) { path.clone() } else { parent }
    }
}
