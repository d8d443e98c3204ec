//! What one call may do: a value that is made once per plugin, passed along, and asked at each effect.

mod checks;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::effect::Effect;
use crate::files::{Access, FileCeiling, FileGrant};
use crate::flow::ToolLabels;
use crate::http::{HttpGrant, HttpPattern};
use crate::keyvalue::KeyValueGrant;
use crate::limits::Limits;
use crate::names::PluginName;
use crate::operator::{Ceiling, PluginGrants};
use crate::requests::Requests;
use crate::rule::Rule;
use crate::tools::ToolPattern;

pub(crate) use refusals::Missing;

/// What one call may do.
///
/// The public lists are what the operator granted, cut down to what can be cut down as a value: folders, names and
/// limits are already intersected. Requests on the network and calls of tools are checked against every side at
/// once, by [`Authority::http`] and [`Authority::tool`].
#[derive(Clone, Debug)]
pub struct Authority {
    /// Every limit of the call.
    pub limits: Limits,
    /// Granted requests. [`Authority::http`] is the check; a line alone allows nothing.
    pub http: Vec<HttpGrant>,
    /// Folders that the plugin sees.
    pub files: Vec<FileGrant>,
    /// Buckets that the plugin may open. [`Authority::keyvalue`] is the check.
    pub keyvalue: Vec<KeyValueGrant>,
    /// Names of environment variables that the plugin sees.
    pub env: BTreeSet<String>,
    /// Configuration that the plugin sees.
    pub config: BTreeMap<String, String>,
    /// Granted tools. [`Authority::tool`] is the check.
    pub tools: Vec<ToolPattern>,
    /// Whether the plugin may ask a person.
    pub ask: bool,
    /// Whether the plugin may use the language model.
    pub model: bool,
    pub(crate) effects: BTreeMap<String, Effect>,
    pub(crate) plugin_labels: ToolLabels,
    pub(crate) labels: BTreeMap<String, ToolLabels>,
    plugin: PluginName,
    sides: Sides,
}

/// What narrows the grants. Each side has to agree.
#[derive(Clone, Debug, Default)]
struct Sides {
    requests: Requests,
    grants: Arc<PluginGrants>,
    ceiling: Arc<Ceiling>,
    delegated: Option<Arc<Authority>>,
}

impl Authority {
    /// The authority to do nothing, with the default limits.
    pub fn nothing() -> Self {
        Self::nothing_for(PluginName::nobody())
    }

    /// The authority of `plugin` to do nothing, with the default limits.
    pub fn nothing_for(plugin: PluginName) -> Self {
        Self {
            limits: Limits::default(),
            http: Vec::new(),
            files: Vec::new(),
            keyvalue: Vec::new(),
            env: BTreeSet::new(),
            config: BTreeMap::new(),
            tools: Vec::new(),
            ask: false,
            model: false,
            effects: BTreeMap::new(),
            plugin_labels: ToolLabels::default(),
            labels: BTreeMap::new(),
            plugin,
            sides: Sides { requests: Requests::everything(), ..Sides::default() },
        }
    }

    /// The authority of the host itself to make the requests of one grant, and nothing else.
    pub(crate) fn of_host(grant: HttpGrant) -> Self {
        let grants = Arc::new(PluginGrants { http: vec![grant.clone()], ..PluginGrants::default() });
        let sides = Sides { requests: Requests::everything(), grants, ..Sides::default() };
        Self { http: vec![grant], sides, ..Self::nothing() }
    }

    /// Intersects what all sides say.
    pub(crate) fn intersect(
        plugin: &PluginName,
        requests: &Requests,
        grants: &Arc<PluginGrants>,
        ceiling: &Arc<Ceiling>,
        delegated: Option<&Authority>,
    ) -> Self {
        let sides = Sides {
            requests: requests.clone(),
            grants: Arc::clone(grants),
            ceiling: Arc::clone(ceiling),
            delegated: delegated.map(|caller| Arc::new(caller.clone())),
        };
        let caller = |switch: fn(&Authority) -> bool| delegated.is_none_or(switch);
        Self {
            limits: sides.limits(),
            http: grants.http.iter().filter(|grant| sides.meet_http(grant.pattern())).cloned().collect(),
            files: sides.files(),
            keyvalue: sides.keyvalue(),
            env: grants.env.iter().filter(|name| sides.missing_for_env(name).is_empty()).cloned().collect(),
            config: sides.config(),
            tools: grants.tools.iter().filter(|pattern| sides.meet_tool(pattern)).cloned().collect(),
            ask: requests.ask && grants.ask && ceiling.ask && caller(|caller| caller.ask),
            model: requests.model && grants.model && ceiling.model && caller(|caller| caller.model),
            effects: grants.effects.clone(),
            plugin_labels: grants.plugin_labels.clone(),
            labels: grants.labels.clone(),
            plugin: plugin.clone(),
            sides,
        }
    }

    /// The call's plugin, for messages.
    pub fn plugin(&self) -> &PluginName {
        &self.plugin
    }

    /// Whether nothing at all is granted.
    pub fn is_nothing(&self) -> bool {
        self.reaches_nothing() && self.env.is_empty() && self.config.is_empty()
    }

    /// Whether nothing is granted that leads out of the sandbox. Variables and configuration only lead in.
    pub(crate) fn reaches_nothing(&self) -> bool {
        self.http.is_empty()
            && self.files.is_empty()
            && self.keyvalue.is_empty()
            && self.tools.is_empty()
            && !self.ask
            && !self.model
    }

    /// The worst that the grants permit. A question to a person and a completion change nothing by themselves.
    pub(crate) fn worst_effect(&self) -> Effect {
        match self.http.iter().any(|grant| self.may_write(grant.pattern())) || self.changes_beside_http() {
            true if self.is_keyed() => Effect::Idempotent,
            true => Effect::Irreversible,
            false => Effect::Read,
        }
    }

    /// Whether something may be changed, and nothing but by requests that carry an idempotency key.
    pub(crate) fn is_keyed(&self) -> bool {
        let mut writing = self.http.iter().filter(|grant| self.may_write(grant.pattern())).peekable();
        writing.peek().is_some() && writing.all(|grant| grant.key().is_some()) && !self.changes_beside_http()
    }

    /// Folders that may be changed and whose states are kept.
    pub fn versioned(&self) -> impl Iterator<Item = &FileGrant> {
        self.files.iter().filter(|grant| grant.access == Access::ReadWrite && grant.versioned)
    }

    /// Whether something may be changed, and nothing but files in folders whose states are kept: the host can take back
    /// whatever a call does.
    pub fn changes_only_versioned(&self) -> bool {
        let writable = |grant: &&FileGrant| grant.access == Access::ReadWrite;
        self.versioned().next().is_some()
            && self.files.iter().filter(writable).all(|grant| grant.versioned)
            && !self.http.iter().any(|grant| self.may_write(grant.pattern()))
            && !self.keyvalue.iter().any(|grant| grant.access == Access::ReadWrite)
            && self.tools.is_empty()
    }

    fn changes_beside_http(&self) -> bool {
        self.files.iter().any(|grant| grant.access == Access::ReadWrite)
            || self.keyvalue.iter().any(|grant| grant.access == Access::ReadWrite)
            || !self.tools.is_empty()
    }

    /// Whether some request may get a credential.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.sides.grants.credentials.is_empty()
    }

    /// Whether every side leaves `pattern` a method that may change something.
    fn may_write(&self, pattern: &HttpPattern) -> bool {
        let left = |other: &HttpPattern| other.meets(pattern) && !other.is_safe();
        let sides = &self.sides;
        !pattern.is_safe()
            && sides.requests.http.iter().any(left)
            && sides.ceiling.http.as_ref().is_none_or(|rules| rules.iter().filter_map(Rule::allows).any(left))
            && sides.delegated.as_ref().is_none_or(|caller| caller.http.iter().any(|grant| left(grant.pattern())))
    }
}

impl Sides {
    fn limits(&self) -> Limits {
        let lowered = Limits::default().lowered(&self.ceiling.limits);
        let lowered = lowered.lowered(&self.grants.limits).lowered(&self.requests.limits);
        self.delegated.as_ref().map_or(lowered.clone(), |caller| lowered.lower_of(&caller.limits))
    }

    /// Whether every side could agree to some request that `pattern` matches. Where not, the grant is dropped.
    fn meet_http(&self, pattern: &HttpPattern) -> bool {
        let meets = |other: &HttpPattern| other.meets(pattern);
        self.requests.http.iter().any(meets)
            && self.ceiling.http.as_ref().is_none_or(|rules| rules.iter().filter_map(Rule::allows).any(meets))
            && self.delegated.as_ref().is_none_or(|caller| caller.http.iter().any(|grant| meets(grant.pattern())))
    }

    /// Whether every side could agree to some tool that `pattern` matches.
    fn meet_tool(&self, pattern: &ToolPattern) -> bool {
        let meets = |other: &ToolPattern| other.meets(pattern);
        self.requests.tools.iter().any(meets)
            && self.ceiling.tools.as_ref().is_none_or(|rules| rules.iter().filter_map(Rule::allows).any(meets))
            && self.delegated.as_ref().is_none_or(|caller| caller.tools.iter().any(meets))
    }

    /// Cuts the granted buckets to what the plugin asks for and to the ceiling. They are the plugin's own, so that a caller
    /// narrows only what may be done in them: no more than it may do itself in some bucket of its own.
    fn keyvalue(&self) -> Vec<KeyValueGrant> {
        let lent = self.delegated.as_ref().map(|caller| caller.keyvalue.iter().map(|grant| grant.access).max());
        let cut = |grant: &KeyValueGrant| {
            let asked = grant.under_any(&self.requests.keyvalue)?;
            let under = self.ceiling.keyvalue.as_ref().map_or(Some(asked.clone()), |rules| asked.under_any(rules))?;
            match lent {
                None => Some(under),
                Some(most) => Some(KeyValueGrant { access: under.access.min(most?), ..under }),
            }
        };
        self.grants.keyvalue.iter().filter_map(cut).collect()
    }

    fn config(&self) -> BTreeMap<String, String> {
        let asked = |key: &str| self.requests.config.iter().any(|pattern| pattern.matches(key));
        self.grants
            .config
            .iter()
            .filter(|(key, _)| asked(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Cuts the granted folders to what the plugin asks for (by place in the sandbox), to the ceiling and to the folders
    /// of the caller (both by folder of this machine: one place can show different folders to different plugins).
    fn files(&self) -> Vec<FileGrant> {
        let asked = |grant: &FileGrant| {
            // The widest access that the plugin asks for at this place.
            let here = self.requests.files.iter().filter(|request| grant.guest.below(&request.guest).is_some());
            let access = here.map(|request| request.access).max()?;
            Some(FileGrant { access: access.min(grant.access), ..grant.clone() })
        };
        let mut files: Vec<FileGrant> = self.grants.files.iter().filter_map(asked).collect();
        if let Some(ceilings) = &self.ceiling.files {
            files = narrowed(&files, ceilings);
        }
        if let Some(caller) = &self.delegated {
            let ceilings: Vec<FileCeiling> = caller.files.iter().map(FileGrant::as_ceiling).collect();
            files = narrowed(&files, &ceilings);
        }
        one_per_place(files)
    }
}

fn narrowed(grants: &[FileGrant], ceilings: &[FileCeiling]) -> Vec<FileGrant> {
    grants.iter().flat_map(|grant| ceilings.iter().filter_map(|under| grant.narrowed_under(under))).collect()
}

/// Where several lines overlap, a place shows the widest of them. Each was allowed by every side on its own.
pub(crate) fn one_per_place(mut files: Vec<FileGrant>) -> Vec<FileGrant> {
    let width = |grant: &FileGrant| {
        let room = |quota: Option<u64>| quota.unwrap_or(u64::MAX);
        (grant.access, room(grant.max_bytes), room(grant.max_files))
    };
    files.sort_by(|one, two| one.guest.cmp(&two.guest).then_with(|| width(two).cmp(&width(one))));
    files.dedup_by(|later, first| later.guest == first.guest);
    files
}
