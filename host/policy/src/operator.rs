//! `toolcrib.toml`: what the operator grants, and what nobody can be granted.

mod advice;
mod approval;
mod critic;
mod cut;
mod grants;
mod host;
mod learn;
mod models;
mod planner;
mod plugins;
mod review;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toolcrib_secrets::SecretName;

use crate::authority::{Authority, Missing};
use crate::credential::{self, CredentialPattern, OAuthClient, OAuthClients, SecretReference};
use crate::critic::CriticSettings;
use crate::effect::Effect;
use crate::error::{Place, PolicyError, PolicyProblem};
use crate::files::FileCeiling;
use crate::flow::{LabelSettings, Relabel};
use crate::gate::{CallFacts, Decision};
use crate::http::{HttpPattern, HttpTarget};
use crate::keyvalue::KeyValueRule;
use crate::limits::LimitRequest;
use crate::line::LineError;
use crate::names::{PluginName, ToolName, shortened};
use crate::prices::Prices;
use crate::reader::{Source, Table};
use crate::requests::Requests;
use crate::rule::Rule;
use crate::rules::{CallRule, Outlook, RuleWarning, Rules, ToolShape, Verdict};
use crate::sections;
use crate::tools::{NamePattern, ToolPattern};

pub use advice::Advice;
pub use approval::{ApprovalSettings, Unattended};
pub use host::SecondWall;
pub use models::ModelSettings;
pub use planner::PlannerSettings;
pub use plugins::{PluginSettings, TrustedKey};
pub use secrets::SecretSettings;

pub(crate) use grants::{PluginGrants, variable};

/// What stands in a `toolcrib.toml`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OperatorFile {
    base: PathBuf,
    ceiling: Arc<Ceiling>,
    approval: ApprovalSettings,
    planner: PlannerSettings,
    critic: CriticSettings,
    second_wall: SecondWall,
    secret_settings: SecretSettings,
    oauth: OAuthClients,
    admission: PluginSettings,
    models: ModelSettings,
    prices: Arc<Prices>,
    plugins: BTreeMap<PluginName, Arc<PluginGrants>>,
    /// What stands in the file itself, without grants that were added later.
    written: BTreeMap<PluginName, Arc<PluginGrants>>,
    rules: Arc<Rules>,
    pub(crate) label_settings: LabelSettings,
    pub(crate) relabels: Arc<Vec<Relabel>>,
}

/// What no plugin goes beyond. An absent list does not narrow; an empty one leaves nothing.
#[derive(Clone, Debug)]
pub(crate) struct Ceiling {
    /// What relative folders are taken from.
    pub(crate) base: PathBuf,
    pub(crate) http: Option<Vec<Rule<HttpPattern>>>,
    pub(crate) credentials: Option<Vec<Rule<CredentialPattern>>>,
    pub(crate) files: Option<Vec<FileCeiling>>,
    pub(crate) keyvalue: Option<Vec<KeyValueRule>>,
    pub(crate) env: Option<Vec<NamePattern>>,
    pub(crate) tools: Option<Vec<Rule<ToolPattern>>>,
    pub(crate) ask: bool,
    pub(crate) model: bool,
    pub(crate) limits: LimitRequest,
    pub(crate) reject_imports: Vec<String>,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self {
            base: PathBuf::new(),
            http: None,
            credentials: None,
            files: None,
            keyvalue: None,
            env: None,
            tools: None,
            ask: true,
            model: true,
            limits: LimitRequest::default(),
            reject_imports: Vec::new(),
        }
    }
}

impl OperatorFile {
    /// Reads an operator's file. `origin` is what messages call it; relative folders are taken from `base`.
    pub fn parse(text: &str, origin: &str, base: &Path) -> Result<Self, PolicyError> {
        let source = Source { text, origin };
        let root = source.parse()?;
        let mut table = Table::root(source, root.get_ref());
        let mut file = Self::empty(base);
        if let Some(node) = table.take("ceiling") {
            file.ceiling = Arc::new(ceiling(node.table("`[ceiling]`".to_owned())?, base)?);
        }
        if let Some(node) = table.take("approval") {
            file.approval = ApprovalSettings::read(node.table("`[approval]`".to_owned())?)?;
        }
        if let Some(node) = table.take("planner") {
            file.planner = PlannerSettings::read(node.table("`[planner]`".to_owned())?)?;
        }
        if let Some(node) = table.take("critic") {
            file.critic = critic::read(node.table("`[critic]`".to_owned())?)?;
        }
        if let Some(node) = table.take("host") {
            file.second_wall = host::read(node.table("`[host]`".to_owned())?)?;
        }
        if let Some(node) = table.take("plugins") {
            file.admission = PluginSettings::read(node.table("`[plugins]`".to_owned())?, base)?;
        }
        if let Some(node) = table.take("secrets") {
            file.secret_settings = SecretSettings::read(node.table("`[secrets]`".to_owned())?, base)?;
        }
        if let Some(node) = table.take("oauth") {
            file.oauth = credential::read_oauth(node)?;
        }
        if let Some(node) = table.take("models") {
            file.models = ModelSettings::read(node.table("`[models]`".to_owned())?)?;
        }
        if let Some(node) = table.take("prices") {
            file.prices = Arc::new(Prices::read(node.table("`[prices]`".to_owned())?, node)?);
        }
        if let Some(node) = table.take("plugin") {
            for node in node.table("`[plugin]`".to_owned())?.all() {
                let name = PluginName::try_from(node.key());
                let name = name.map_err(|error| PolicyProblem::from(error).at(node.place()))?;
                let table = node.table(format!("`[plugin.{name}]`"))?;
                file.plugins.insert(name.clone(), Arc::new(PluginGrants::read(table, &name, base, &file.oauth)?));
            }
        }
        file.rules = Arc::new(Rules::read(&mut table)?);
        if let Some(node) = table.take("labels") {
            file.label_settings = LabelSettings::read(node.table("`[labels]`".to_owned())?)?;
        }
        file.relabels = Arc::new(Relabel::read_all(&mut table)?);
        table.finish()?;
        file.written.clone_from(&file.plugins);
        Ok(file)
    }

    /// The file that grants nothing. Relative folders of later grants are taken from `base`.
    pub fn empty(base: &Path) -> Self {
        let ceiling = Ceiling { base: base.to_owned(), ..Ceiling::default() };
        Self {
            base: base.to_owned(),
            ceiling: Arc::new(ceiling),
            approval: ApprovalSettings::default(),
            planner: PlannerSettings::default(),
            critic: CriticSettings::default(),
            second_wall: SecondWall::Auto,
            secret_settings: SecretSettings::default(),
            oauth: OAuthClients::new(),
            admission: PluginSettings::default(),
            models: ModelSettings::default(),
            prices: Arc::default(),
            plugins: BTreeMap::new(),
            written: BTreeMap::new(),
            rules: Arc::default(),
            label_settings: LabelSettings::default(),
            relabels: Arc::default(),
        }
    }

    /// Adds one grant, as `--grant 'http=GET https://example.com/**'` on the command line: `capability` is `http`,
    /// `files`, `env`, `config` (with a line `key=value`), `tools`, `ask` or `model` (with a line `true`).
    pub fn add_grant(&mut self, plugin: &PluginName, capability: &str, line: &str) -> Result<(), PolicyError> {
        let base = self.base.clone();
        self.add_grant_from(&base, plugin, capability, line)
    }

    /// The same with relative folders taken from `base`, wherever the file lies.
    pub fn add_grant_from(
        &mut self,
        base: &Path,
        plugin: &PluginName,
        capability: &str,
        line: &str,
    ) -> Result<(), PolicyError> {
        let mut grants = self.plugins.get(plugin).map_or_else(PluginGrants::default, |grants| (**grants).clone());
        let at = Place { origin: "--grant".to_owned(), line: 0, column: 0 };
        let known = grants.add(capability, line, base).map_err(|source| {
            PolicyProblem::Line { key: shortened(capability), line: shortened(line), source }.at(at.clone())
        })?;
        if !known {
            let known = PluginGrants::CAPABILITIES.to_vec();
            return Err(PolicyProblem::Capability { given: shortened(capability), known }.at(at));
        }
        self.plugins.insert(plugin.clone(), Arc::new(grants));
        Ok(())
    }

    /// What `plugin` may do: what it asks for, and is granted, under the ceiling, and, where another plugin calls it,
    /// what that caller may do itself. Configuration is the plugin's own and not the caller's to narrow.
    pub fn authority(&self, plugin: &PluginName, requests: &Requests, delegated: Option<&Authority>) -> Authority {
        let nothing = Arc::default();
        let grants = self.plugins.get(plugin).unwrap_or(&nothing);
        Authority::intersect(plugin, requests, grants, &self.ceiling, delegated)
    }

    /// What the rules say about a call. The strictest rule that matches counts: deny before ask before allow. Where none
    /// matches, the `default` in `[calls]` counts; where one cannot be evaluated, the call is denied.
    pub fn decide(&self, facts: &CallFacts<'_>) -> Decision {
        self.rules.decide(facts)
    }

    /// What the rules say about calls of `tool`, whatever its arguments are.
    pub fn outlook(&self, tool: &ToolName, effect: &Effect) -> Outlook {
        self.rules.outlook(tool, effect)
    }

    /// Checks the rules against the tools that are there: whether the arguments that they speak of exist. What a rule says
    /// that will not do what it seems to is a warning.
    ///
    /// # Errors
    ///
    /// A rule, or a `[[relabel]]`, speaks of an argument that none of its tools has.
    pub fn check_rules(&self, tools: &[&dyn ToolShape]) -> Result<Vec<RuleWarning>, PolicyError> {
        let mut warnings = self.rules.check(tools)?;
        warnings.extend(self.relabel_rules().check(tools)?);
        Ok(warnings)
    }

    /// The client of `[oauth.NAME]`.
    pub fn oauth(&self, name: &SecretName) -> Option<&Arc<OAuthClient>> {
        self.oauth.get(name)
    }

    /// Every `[oauth.NAME]`.
    pub fn oauth_clients(&self) -> impl Iterator<Item = (&SecretName, &Arc<OAuthClient>)> {
        self.oauth.iter()
    }

    /// Where the values of credentials are kept.
    pub fn secret_settings(&self) -> &SecretSettings {
        &self.secret_settings
    }

    /// Every secret that the file refers to, for whatever purpose, each once.
    pub fn secrets(&self) -> BTreeSet<SecretName> {
        let granted = self.plugins.values().flat_map(|grants| &grants.credentials);
        let references = granted.flat_map(|grant| grant.references().into_iter().cloned());
        let references = references.chain(self.oauth.values().flat_map(|client| client.references()));
        let secrets = references.filter_map(|reference| match reference {
            SecretReference::Secret(name) => Some(name),
            SecretReference::OAuth(_) => None,
        });
        secrets.collect()
    }

    /// Where relative folders of the file are taken from.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> &[CallRule] {
        &self.rules.list
    }

    /// What counts where no rule matches.
    pub fn default_verdict(&self) -> Verdict {
        self.rules.default
    }

    /// The plugins that the file speaks of.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginName> {
        self.plugins.keys()
    }

    /// What the file grants and denies to `plugin`: each capability with its line, as [`OperatorFile::add_grant`] takes
    /// them. What counts is less, where the plugin asks for less or the ceiling is lower: see [`OperatorFile::authority`].
    pub fn grants(&self, plugin: &PluginName) -> Vec<(&'static str, String)> {
        self.plugins.get(plugin).map(|grants| grants.lines()).unwrap_or_default()
    }

    /// What happens to calls that a rule wants a person asked about.
    pub fn approval(&self) -> &ApprovalSettings {
        &self.approval
    }

    /// How much a language model that plans is shown at once.
    pub fn planner(&self) -> &PlannerSettings {
        &self.planner
    }

    /// Which plugins are let in at all.
    pub fn admission(&self) -> &PluginSettings {
        &self.admission
    }

    /// Which language models plan, and stand in for each other.
    pub fn models(&self) -> &ModelSettings {
        &self.models
    }

    /// What models and tools cost.
    pub fn prices(&self) -> &Arc<Prices> {
        &self.prices
    }

    /// The interfaces that no component may import.
    pub fn reject_imports(&self) -> &[String] {
        &self.ceiling.reject_imports
    }

    /// The line of `reject-imports` that rejects `import`, written `wasi:sockets/tcp@0.2.0`. A line names an interface
    /// (`wasi:sockets/tcp`) or a whole package (`wasi:sockets`), in every version or in one.
    pub fn rejects_import(&self, import: &str) -> Option<&str> {
        let (name, version) = import.split_once('@').unwrap_or((import, ""));
        let package = name.split('/').next().unwrap_or_default();
        let rejects = |line: &&String| {
            let (wanted, only) = line.split_once('@').unwrap_or((line, version));
            (wanted == name || wanted == package) && only == version
        };
        self.ceiling.reject_imports.iter().find(rejects).map(String::as_str)
    }
}

impl Ceiling {
    /// What the ceiling has against a credential for this request.
    pub(crate) fn above_credential(&self, target: &HttpTarget) -> Option<Missing> {
        let rules = self.credentials.as_ref()?;
        Rule::keeps_out(rules, |deny| deny.denies(target), |allow| allow.matches(target)).map(Missing::from)
    }

    /// What the ceiling has against a request.
    pub(crate) fn above_http(&self, target: &HttpTarget) -> Option<Missing> {
        let rules = self.http.as_ref()?;
        Rule::keeps_out(rules, |deny| deny.denies(target), |allow| allow.matches(target)).map(Missing::from)
    }

    /// What the ceiling has against a tool.
    pub(crate) fn above_tool(&self, tool: &ToolName) -> Option<Missing> {
        let rules = self.tools.as_ref()?;
        Rule::keeps_out(rules, |deny| deny.matches(tool), |allow| allow.matches(tool)).map(Missing::from)
    }
}

fn ceiling(mut table: Table<'_>, base: &Path) -> Result<Ceiling, PolicyError> {
    let ceiling = Ceiling {
        base: base.to_owned(),
        http: table.take("http").map(|node| node.lines(|line| Rule::parse(line, HttpPattern::parse))).transpose()?,
        credentials: table
            .take("credentials")
            .map(|node| node.lines(|line| Rule::parse(line, CredentialPattern::parse)))
            .transpose()?,
        files: table.take("files").map(|node| node.lines(|line| FileCeiling::parse(line, base))).transpose()?,
        keyvalue: table.take("keyvalue").map(|node| node.lines(KeyValueRule::parse)).transpose()?,
        env: table.take("env").map(|node| node.lines(NamePattern::parse)).transpose()?,
        tools: table.take("tools").map(|node| node.lines(|line| Rule::parse(line, ToolPattern::parse))).transpose()?,
        ask: table.take("ask").map_or(Ok(true), |node| node.boolean())?,
        model: table.take("model").map_or(Ok(true), |node| node.boolean())?,
        limits: sections::limits(&mut table)?,
        reject_imports: table.take("reject-imports").map_or(Ok(Vec::new()), |node| node.lines(interface))?,
    };
    table.finish()?;
    Ok(ceiling)
}

fn interface(line: &str) -> Result<String, LineError> {
    let line = line.trim();
    let (name, version) = line.split_once('@').unwrap_or((line, "0"));
    let (namespace, rest) = name.split_once(':').unwrap_or(("", ""));
    let (package, interface) = rest.split_once('/').unwrap_or((rest, "x"));
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+".contains(&b));
    let fits = line.len() <= 200 && [namespace, package, interface, version].into_iter().all(word);
    if fits { Ok(line.to_owned()) } else { Err(LineError::Interface(shortened(line))) }
}
