//! The questions that are asked at each effect.

use std::net::IpAddr;

use super::Authority;
use super::refusals::Missing;
use crate::address;
use crate::credential::CredentialGrant;
use crate::files::Access;
use crate::http::{Host, HttpGrant, HttpTarget, Rate};
use crate::keyvalue::KeyValueGrant;
use crate::names::{PluginName, ToolName};
use crate::refusal::Refusal;

impl Authority {
    /// Whether the request may be made, and by which grant. The address that its host resolves to is another question:
    /// [`Authority::address`].
    pub fn http(&self, target: &HttpTarget) -> Result<&HttpGrant, Refusal> {
        if let Some(class) = address::never_host(&target.host) {
            return Err(self.blocked(&target.shown(), class, None));
        }
        // Where several lines match, one that also opens a private range is the one that is meant, and then one that says
        // how a request is told from another.
        let matching = self.http.iter().filter(|grant| grant.pattern().matches(target));
        let grant = matching.min_by_key(|grant| (!grant.is_opening(), grant.key().is_none()));
        let missing = self.missing_for_http(target, grant.is_some());
        match grant {
            Some(grant) if missing.is_empty() => Ok(grant),
            _ => Err(self.http_refusal(target, &missing)),
        }
    }

    /// The lines with a rate that a request is counted under: the one that allows it, and the one of each caller that handed on
    /// its authority.
    pub fn rates(&self, target: &HttpTarget) -> Vec<(&PluginName, &HttpGrant, Rate)> {
        let own = self.http(target).ok().and_then(|grant| Some((&self.plugin, grant, grant.rate()?)));
        let callers = self.sides.delegated.iter().flat_map(|caller| caller.rates(target));
        own.into_iter().chain(callers).collect()
    }

    /// The credentials that a request gets, and the refusals of those that are granted and that some other side keeps from
    /// it. A request may be made whatever comes out here: [`Authority::http`] is the check of that. Where two would write to
    /// the same place, the first of the operator's file counts.
    pub fn credentials(&self, target: &HttpTarget) -> (Vec<&CredentialGrant>, Vec<Refusal>) {
        let (mut given, mut refused) = (Vec::<&CredentialGrant>::new(), Vec::new());
        for grant in self.sides.grants.credentials.iter().filter(|grant| grant.is_for(target)) {
            let missing = self.missing_for_credential(grant, target);
            if !missing.is_empty() {
                refused.push(self.credential_refusal(grant, target, &missing));
            } else if given.iter().all(|other| other.place() != grant.place()) {
                given.push(grant);
            }
        }
        (given, refused)
    }

    /// Whether `host`, which `grant` matched, may be connected at `ip`. Private ranges are closed unless the grant
    /// names the address itself, or opens the range with `via`; a caller that handed on its authority must have opened
    /// it too, for the same scheme, host and port.
    pub fn address(&self, grant: &HttpGrant, host: &str, ip: IpAddr) -> Result<(), Refusal> {
        let literal = host.parse::<IpAddr>().map(Host::Ip);
        let host = match literal.or_else(|_| Host::parse(host)) {
            Ok(host) => host,
            Err(error) => return Err(self.url_refusal(&error)),
        };
        // Lines that say the same and open different ranges count as one.
        let same = |own: &&HttpGrant| own.pattern() == grant.pattern();
        if !self.http.iter().filter(same).any(|own| own.opens(&host, ip)) {
            return Err(self.address_refusal(grant, &host, ip));
        }
        match &self.sides.delegated {
            Some(caller) if !caller.opens_door(grant, &host, ip) => Err(self.caller_refusal(caller, &host, ip)),
            _ => Ok(()),
        }
    }

    /// Whether the plugin may do this in its bucket `name`, and by which grant.
    pub fn keyvalue(&self, name: &str, access: Access) -> Result<&KeyValueGrant, Refusal> {
        let found = self.keyvalue.iter().find(|grant| grant.bucket == name && grant.access >= access);
        found.ok_or_else(|| self.keyvalue_refusal(name, access))
    }

    /// Whether the plugin may see the environment variable `name`.
    pub fn env(&self, name: &str) -> Result<(), Refusal> {
        if self.env.contains(name) { Ok(()) } else { Err(self.env_refusal(name)) }
    }

    /// The value of the configuration key `key`. A key that the plugin asks for and the operator has not set is `None`;
    /// one that the plugin does not ask for is refused.
    pub fn config(&self, key: &str) -> Result<Option<&str>, Refusal> {
        match self.config.get(key) {
            Some(value) => Ok(Some(value)),
            None if self.sides.requests.config.iter().any(|pattern| pattern.matches(key)) => Ok(None),
            None => Err(self.config_refusal(key)),
        }
    }

    /// Whether the plugin may ask a person.
    pub fn ask(&self) -> Result<(), Refusal> {
        if self.ask { Ok(()) } else { Err(self.ask_refusal()) }
    }

    /// Whether the plugin may use the language model.
    pub fn model(&self) -> Result<(), Refusal> {
        if self.model { Ok(()) } else { Err(self.model_refusal()) }
    }

    /// Whether the plugin may call `tool`.
    pub fn tool(&self, tool: &ToolName) -> Result<(), Refusal> {
        let granted = self.tools.iter().any(|pattern| pattern.matches(tool));
        let missing = self.missing_for_tool(tool, granted);
        if granted && missing.is_empty() { Ok(()) } else { Err(self.tool_refusal(tool, &missing)) }
    }

    /// Whether this authority and all that handed it on open `ip` to a host that `grant` also names.
    fn opens_door(&self, grant: &HttpGrant, host: &Host, ip: IpAddr) -> bool {
        let same = |own: &&HttpGrant| match (own.pattern().door(), grant.pattern().door()) {
            (Some(own), Some(door)) => own.scheme == door.scheme && own.port == door.port && own.host.matches(host),
            _ => false,
        };
        self.http.iter().filter(same).any(|own| own.opens(host, ip))
            && self.sides.delegated.as_ref().is_none_or(|caller| caller.opens_door(grant, host, ip))
    }

    fn missing_for_http(&self, target: &HttpTarget, granted: bool) -> Vec<Missing> {
        let sides = &self.sides;
        let asked = sides.requests.http.iter().any(|asked| asked.matches(target));
        let mut missing = Vec::new();
        missing.extend(sides.grants.denies_http(target).map(|line| Missing::Denied(line.to_string())));
        missing.extend((!asked).then_some(Missing::Requested));
        missing.extend((!granted && !sides.grants.grants_http(target)).then_some(Missing::Granted));
        missing.extend(sides.ceiling.above_http(target));
        let caller = sides.delegated.as_ref().filter(|caller| caller.http(target).is_err());
        missing.extend(caller.map(|caller| Missing::Delegated(caller.plugin.clone())));
        missing
    }

    /// A caller that hands on its authority must have been given the very same credential.
    fn missing_for_credential(&self, grant: &CredentialGrant, target: &HttpTarget) -> Vec<Missing> {
        let sides = &self.sides;
        let asked = sides.requests.credentials.iter().any(|asked| asked.matches(target));
        let has = |caller: &Authority| {
            caller.sides.grants.credentials.contains(grant) && caller.missing_for_credential(grant, target).is_empty()
        };
        let mut missing = Vec::new();
        missing.extend((!asked).then_some(Missing::Requested));
        missing.extend(sides.ceiling.above_credential(target));
        let caller = sides.delegated.as_ref().filter(|caller| !has(caller));
        missing.extend(caller.map(|caller| Missing::Delegated(caller.plugin.clone())));
        missing
    }

    fn missing_for_tool(&self, tool: &ToolName, granted: bool) -> Vec<Missing> {
        let sides = &self.sides;
        let asked = sides.requests.tools.iter().any(|asked| asked.matches(tool));
        let mut missing = Vec::new();
        missing.extend(sides.grants.denies_tool(tool).map(|line| Missing::Denied(line.to_string())));
        missing.extend((!asked).then_some(Missing::Requested));
        missing.extend((!granted && !sides.grants.grants_tool(tool)).then_some(Missing::Granted));
        missing.extend(sides.ceiling.above_tool(tool));
        let caller = sides.delegated.as_ref().filter(|caller| caller.tool(tool).is_err());
        missing.extend(caller.map(|caller| Missing::Delegated(caller.plugin.clone())));
        missing
    }
}
