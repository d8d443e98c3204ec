//! One `[plugin.NAME]` table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toolcrib_secrets::{SecretName, VARIABLE_PREFIX};

use crate::credential::{CredentialGrant, OAuthClients, SecretReference};
use crate::effect::Effect;
use crate::error::PolicyError;
use crate::files::FileGrant;
use crate::flow::{ToolLabels, tool_labels};
use crate::http::{HttpGrant, HttpPattern, HttpTarget};
use crate::keyvalue::KeyValueGrant;
use crate::limits::LimitRequest;
use crate::line::LineError;
use crate::names::{PluginName, ToolName, shortened};
use crate::reader::{Node, Table, nearest};
use crate::rule::Rule;
use crate::sections;
use crate::tools::{ToolPattern, check_name};

/// What the operator grants to one plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct PluginGrants {
    pub(crate) http: Vec<HttpGrant>,
    pub(crate) http_denied: Vec<HttpPattern>,
    pub(crate) credentials: Vec<CredentialGrant>,
    pub(crate) files: Vec<FileGrant>,
    pub(crate) keyvalue: Vec<KeyValueGrant>,
    pub(crate) env: BTreeSet<String>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) tools: Vec<ToolPattern>,
    pub(crate) tools_denied: Vec<ToolPattern>,
    pub(crate) ask: bool,
    pub(crate) model: bool,
    pub(crate) limits: LimitRequest,
    pub(crate) effects: BTreeMap<String, Effect>,
    /// What the file says of the labels of all its tools, and of single ones.
    pub(crate) plugin_labels: ToolLabels,
    pub(crate) labels: BTreeMap<String, ToolLabels>,
    /// The keys that stand in the table.
    pub(crate) keys: BTreeSet<String>,
}

/// A line of `http`: a grant, or a pattern that is denied.
enum HttpLine {
    Grant(HttpGrant),
    Deny(HttpPattern),
}

impl PluginGrants {
    /// What [`PluginGrants::add`] knows.
    pub(crate) const CAPABILITIES: &'static [&'static str] =
        &["http", "credentials", "files", "keyvalue", "env", "config", "tools", "ask", "model"];

    pub(crate) fn read(
        mut table: Table<'_>,
        plugin: &PluginName,
        base: &Path,
        clients: &OAuthClients,
    ) -> Result<Self, PolicyError> {
        let mut grants = Self { keys: table.all().map(|node| node.key().to_owned()).collect(), ..Self::default() };
        for line in table.take("http").map_or(Ok(Vec::new()), |node| node.lines(HttpLine::parse))? {
            grants.push_http(line);
        }
        if let Some(node) = table.take("credentials") {
            let read = |node| credential(node, clients);
            grants.credentials = node.items()?.into_iter().map(read).collect::<Result<_, _>>()?;
        }
        if let Some(node) = table.take("files") {
            // Each line is checked against those above it, so that the later of two is complained about.
            let above = std::cell::RefCell::new(Vec::new());
            node.lines(|line| push_folder(&mut above.borrow_mut(), FileGrant::parse(line, base)?))?;
            grants.files = above.into_inner();
        }
        if let Some(node) = table.take("keyvalue") {
            let above = std::cell::RefCell::new(Vec::new());
            node.lines(|line| push_bucket(&mut above.borrow_mut(), KeyValueGrant::parse(line)?))?;
            grants.keyvalue = above.into_inner();
        }
        if let Some(node) = table.take("env") {
            grants.env = node.lines(variable)?.into_iter().collect();
        }
        if let Some(node) = table.take("config") {
            for node in node.table(format!("`[plugin.{plugin}.config]`"))?.all() {
                let key = check_name(node.key()).map_err(|error| node.wrong(node.key(), error))?;
                grants.config.insert(key, node.text()?.to_owned());
            }
        }
        for line in
            table.take("tools").map_or(Ok(Vec::new()), |node| node.lines(|l| Rule::parse(l, ToolPattern::parse)))?
        {
            grants.push_tool(line);
        }
        grants.ask = table.take("ask").map_or(Ok(false), |node| node.boolean())?;
        grants.model = table.take("model").map_or(Ok(false), |node| node.boolean())?;
        grants.limits = sections::limits(&mut table)?;
        let prefix = format!("plugin.{plugin}.");
        grants.plugin_labels = tool_labels(&mut table)?;
        let tools = sections::tools(&mut table, &prefix, |tool| {
            Ok((tool.take("effect").map(sections::effect).transpose()?, tool_labels(tool)?))
        })?;
        for (tool, (effect, labels)) in tools {
            grants.effects.extend(effect.map(|effect| (tool.clone(), effect)));
            grants.labels.insert(tool, labels);
        }
        table.finish()?;
        Ok(grants)
    }

    /// Adds one line. `false` where `capability` is none.
    pub(crate) fn add(&mut self, capability: &str, line: &str, base: &Path) -> Result<bool, LineError> {
        match capability {
            "http" => self.push_http(HttpLine::parse(line)?),
            "credentials" => {
                let read =
                    CredentialGrant::parse(line).map_err(|error| LineError::Credential(error.problem.to_string()))?;
                self.credentials.push(read);
            }
            "files" => push_folder(&mut self.files, FileGrant::parse(line, base)?)?,
            "keyvalue" => push_bucket(&mut self.keyvalue, KeyValueGrant::parse(line)?)?,
            "env" => {
                self.env.insert(variable(line.trim())?);
            }
            "config" => {
                let (key, value) = line.split_once('=').ok_or_else(|| LineError::Setting(shortened(line)))?;
                self.config.insert(check_name(key.trim())?, value.to_owned());
            }
            "tools" => self.push_tool(Rule::parse(line, ToolPattern::parse)?),
            "ask" => self.ask = switch(line)?,
            "model" => self.model = switch(line)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether `key` is a switch that stands there and is off.
    pub(crate) fn is_off(&self, key: &str) -> bool {
        let on = match key {
            "ask" => self.ask,
            "model" => self.model,
            _ => return false,
        };
        self.keys.contains(key) && !on
    }

    /// Every line with its capability, as it could be written.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        lines.extend(self.http.iter().map(|grant| ("http", grant.to_string())));
        lines.extend(self.http_denied.iter().map(|pattern| ("http", format!("deny {pattern}"))));
        lines.extend(self.credentials.iter().map(|grant| ("credentials", grant.to_string())));
        lines.extend(self.files.iter().map(|grant| ("files", grant.to_string())));
        lines.extend(self.keyvalue.iter().map(|grant| ("keyvalue", grant.to_string())));
        lines.extend(self.env.iter().map(|name| ("env", name.clone())));
        lines.extend(self.config.iter().map(|(key, value)| ("config", format!("{key}={value}"))));
        lines.extend(self.tools.iter().map(|pattern| ("tools", pattern.to_string())));
        lines.extend(self.tools_denied.iter().map(|pattern| ("tools", format!("deny {pattern}"))));
        lines.extend(self.ask.then(|| ("ask", true.to_string())));
        lines.extend(self.model.then(|| ("model", true.to_string())));
        lines
    }

    fn push_http(&mut self, line: HttpLine) {
        match line {
            HttpLine::Grant(grant) => self.http.push(grant),
            HttpLine::Deny(pattern) => self.http_denied.push(pattern),
        }
    }

    fn push_tool(&mut self, line: Rule<ToolPattern>) {
        match line {
            Rule::Allow(pattern) => self.tools.push(pattern),
            Rule::Deny(pattern) => self.tools_denied.push(pattern),
        }
    }

    pub(crate) fn grants_http(&self, target: &HttpTarget) -> bool {
        self.http.iter().any(|grant| grant.pattern().matches(target))
    }

    /// What denies the request.
    pub(crate) fn denies_http(&self, target: &HttpTarget) -> Option<&HttpPattern> {
        self.http_denied.iter().find(|deny| deny.denies(target))
    }

    pub(crate) fn grants_tool(&self, tool: &ToolName) -> bool {
        self.tools.iter().any(|pattern| pattern.matches(tool))
    }

    /// What denies the tool.
    pub(crate) fn denies_tool(&self, tool: &ToolName) -> Option<&ToolPattern> {
        self.tools_denied.iter().find(|deny| deny.matches(tool))
    }
}

impl HttpLine {
    fn parse(line: &str) -> Result<Self, LineError> {
        match line.trim_start().strip_prefix("deny ") {
            Some(rest) => Ok(Self::Deny(HttpPattern::parse(rest)?)),
            None => Ok(Self::Grant(HttpGrant::parse(line)?)),
        }
    }
}

/// An entry of `credentials`, whose tokens have a client in the same file.
fn credential(node: Node<'_>, clients: &OAuthClients) -> Result<CredentialGrant, PolicyError> {
    let grant = CredentialGrant::read(node)?;
    for reference in grant.references() {
        if let SecretReference::OAuth(name) = reference
            && !clients.contains_key(name)
        {
            let nearest = nearest(name.as_str(), clients.keys().map(SecretName::as_str));
            let near = nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(node.wrong(&reference.to_string(), format!("there is no `[oauth.{name}]` in the file{near}")));
        }
    }
    Ok(grant)
}

/// Reads the name of a variable that can be granted.
pub(crate) fn variable(line: &str) -> Result<String, LineError> {
    if line.trim_start().starts_with("deny ") {
        return Err(LineError::NoDeny("environment variables"));
    }
    let name = check_name(line)?;
    // On every system: Windows does not tell the cases of a variable's name apart.
    if name.to_ascii_uppercase().starts_with(VARIABLE_PREFIX) {
        return Err(LineError::SecretVariable(name));
    }
    Ok(name)
}

/// Adds a folder, unless its place is taken, or it would seem to take away what a folder around it gives.
fn push_folder(files: &mut Vec<FileGrant>, grant: FileGrant) -> Result<(), LineError> {
    if files.iter().any(|taken| taken.guest == grant.guest) {
        return Err(LineError::SameGuest(grant.guest.to_string()));
    }
    let weaker =
        |inner: &FileGrant, outer: &FileGrant| inner.guest.below(&outer.guest).is_some() && inner.access < outer.access;
    if files.iter().any(|other| weaker(&grant, other) || weaker(other, &grant)) {
        return Err(LineError::WeakerInside(grant.guest.to_string()));
    }
    files.push(grant);
    Ok(())
}

/// Adds a bucket, unless there is a line for it.
fn push_bucket(buckets: &mut Vec<KeyValueGrant>, grant: KeyValueGrant) -> Result<(), LineError> {
    if buckets.iter().any(|taken| taken.bucket == grant.bucket) {
        return Err(LineError::SameBucket(grant.bucket));
    }
    buckets.push(grant);
    Ok(())
}

fn switch(line: &str) -> Result<bool, LineError> {
    match line.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(LineError::Switch(shortened(other))),
    }
}
