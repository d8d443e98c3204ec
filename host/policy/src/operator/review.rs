//! What a person who reviews the operator's file wants to see and be told.

use super::{OperatorFile, SecondWall, Unattended};
use crate::approval::Otherwise;
use crate::files::FileGrant;
use crate::http::HttpPattern;
use crate::keyvalue::KeyValueGrant;
use crate::limits::LimitName;
use crate::names::PluginName;
use crate::requests::Requests;
use crate::rule::Rule;
use crate::tools::ToolPattern;

/// The methods that are registered for HTTP and that people use (RFC 9110, RFC 5789, RFC 4918 and its relatives).
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "MKCALENDAR",
    "ACL",
    "BIND",
    "LINK",
    "UNLINK",
    "PURGE",
];

impl OperatorFile {
    /// The ceiling, line by line, each with its key. A list that is there and empty leaves nothing and has one empty line.
    pub fn ceiling(&self) -> Vec<(&'static str, String)> {
        let ceiling = &self.ceiling;
        let mut lines = Vec::new();
        let mut list = |key: &'static str, list: Option<Vec<String>>| match list {
            Some(list) if list.is_empty() => lines.push((key, String::new())),
            list => lines.extend(list.into_iter().flatten().map(|line| (key, line))),
        };
        list("http", ceiling.http.as_ref().map(|rules| rules.iter().map(Rule::to_string).collect()));
        list("credentials", ceiling.credentials.as_ref().map(|rules| rules.iter().map(Rule::to_string).collect()));
        list("files", ceiling.files.as_ref().map(|folders| folders.iter().map(ToString::to_string).collect()));
        list("keyvalue", ceiling.keyvalue.as_ref().map(|rules| rules.iter().map(ToString::to_string).collect()));
        list("env", ceiling.env.as_ref().map(|names| names.iter().map(ToString::to_string).collect()));
        list("tools", ceiling.tools.as_ref().map(|rules| rules.iter().map(Rule::to_string).collect()));
        lines.extend((!ceiling.ask).then(|| ("ask", "false".to_owned())));
        lines.extend((!ceiling.model).then(|| ("model", "false".to_owned())));
        lines.extend(self.reject_imports().iter().map(|line| ("reject-imports", line.clone())));
        lines.extend(ceiling.limits.entries().into_iter().map(|(name, value)| ("limits", limit(name, &value))));
        lines
    }

    /// The limits that the file sets for `plugin`, as `key = value`.
    pub fn limits(&self, plugin: &PluginName) -> Vec<String> {
        let entries = self.plugins.get(plugin).map(|grants| grants.limits.entries()).unwrap_or_default();
        entries.into_iter().map(|(name, value)| limit(name, &value)).collect()
    }

    /// What the file says of calls without a matching rule, of questions, of plugins and of the host itself, with what
    /// counts where it says nothing: each as its table, its key and the value.
    pub fn settings(&self) -> Vec<String> {
        let (approval, plugins) = (&self.approval, &self.admission);
        let otherwise = if approval.otherwise == Otherwise::Allow { "allow" } else { "deny" };
        let unattended = if approval.unattended == Unattended::Wait { "wait" } else { "fail" };
        let wall = match self.second_wall {
            SecondWall::Auto => "auto",
            SecondWall::Require => "require",
            SecondWall::Off => "off",
        };
        let mut lines = vec![
            format!("calls default {}", self.default_verdict()),
            format!("labels recipient {}", self.label_settings.recipient),
            format!("labels private {}", self.label_settings.private),
            format!("labels leak {}", self.label_settings.leak),
            format!("approval expires {} s", approval.expires(0) / 1000),
            format!("approval default {otherwise}"),
            format!("approval unattended {unattended}"),
            format!("host second-wall {wall}"),
            format!("plugins require-signature {}", plugins.require_signature),
        ];
        let sources: Vec<String> = self.secret_settings.sources.iter().map(ToString::to_string).collect();
        lines.push(format!("secrets sources {}", sources.join(", ")));
        lines.extend(self.secret_settings.identity.iter().map(|path| format!("secrets identity {}", path.display())));
        lines.extend(self.oauth.iter().map(|(name, client)| format!("oauth {name} {}", client.shown())));
        lines.extend(plugins.lock.iter().map(|lock| format!("plugins lock {}", lock.display())));
        lines.extend(plugins.trusted_keys.iter().map(|key| format!("plugins trusted-keys {}", key.shown())));
        lines
    }

    /// What the file says of the labels of `plugin`'s tools, line by line.
    pub fn labels(&self, plugin: &PluginName) -> Vec<String> {
        let Some(grants) = self.plugins.get(plugin) else {
            return Vec::new();
        };
        let of_tools = grants
            .labels
            .iter()
            .flat_map(|(tool, labels)| labels.lines().into_iter().map(move |line| format!("tool.{tool} {line}")));
        grants.plugin_labels.lines().into_iter().chain(of_tools).collect()
    }

    /// The grants of `plugin` that allow nothing, because it does not ask for what they give.
    pub fn unasked(&self, plugin: &PluginName, requests: &Requests) -> Vec<(&'static str, String)> {
        let Some(grants) = self.plugins.get(plugin) else {
            return Vec::new();
        };
        let http = |pattern: &HttpPattern| requests.http.iter().any(|asked| asked.meets(pattern));
        let credentials = |pattern: &HttpPattern| requests.credentials.iter().any(|asked| asked.http().meets(pattern));
        let files = |grant: &FileGrant| requests.files.iter().any(|asked| grant.guest.below(&asked.guest).is_some());
        let tools = |pattern: &ToolPattern| requests.tools.iter().any(|asked| asked.meets(pattern));
        let env = |name: &str| requests.env.iter().any(|asked| asked.matches(name));
        let config = |key: &str| requests.config.iter().any(|asked| asked.matches(key));
        let mut unasked = Vec::new();
        unasked.extend(grants.http.iter().filter(|g| !http(g.pattern())).map(|g| ("http", g.to_string())));
        let unused = grants.credentials.iter().filter(|grant| !credentials(grant.pattern().http()));
        unasked.extend(unused.map(|grant| ("credentials", grant.to_string())));
        unasked.extend(grants.files.iter().filter(|grant| !files(grant)).map(|grant| ("files", grant.to_string())));
        let bucket = |grant: &KeyValueGrant| requests.keyvalue.iter().any(|asked| asked.bucket.matches(&grant.bucket));
        unasked
            .extend(grants.keyvalue.iter().filter(|grant| !bucket(grant)).map(|grant| ("keyvalue", grant.to_string())));
        unasked.extend(grants.env.iter().filter(|name| !env(name)).map(|name| ("env", name.clone())));
        unasked.extend(grants.config.keys().filter(|key| !config(key)).map(|key| ("config", key.clone())));
        unasked.extend(grants.tools.iter().filter(|p| !tools(p)).map(|p| ("tools", p.to_string())));
        unasked.extend((grants.ask && !requests.ask).then(|| ("ask", "true".to_owned())));
        unasked.extend((grants.model && !requests.model).then(|| ("model", "true".to_owned())));
        unasked
    }

    /// The credentials of `plugin` that no request of its `http` grants could get.
    pub fn idle_credentials(&self, plugin: &PluginName) -> Vec<String> {
        let Some(grants) = self.plugins.get(plugin) else {
            return Vec::new();
        };
        let used = |pattern: &HttpPattern| grants.http.iter().any(|grant| grant.pattern().meets(pattern));
        let idle = grants.credentials.iter().filter(|grant| !used(grant.pattern().http()));
        idle.map(ToString::to_string).collect()
    }

    /// Every line about tools, in the ceiling and under the plugins, with what it matches.
    pub fn tool_patterns(&self) -> Vec<&ToolPattern> {
        let ceiling = self.ceiling.tools.iter().flatten().filter_map(|rule| rule.allows().or(rule.denies()));
        let plugins = self.plugins.values().flat_map(|grants| grants.tools.iter().chain(&grants.tools_denied));
        ceiling.chain(plugins).collect()
    }

    /// The methods in the file that nobody has registered, each with the one that may be meant. They count all the same:
    /// a server can have methods of its own.
    pub fn odd_methods(&self) -> Vec<(String, Option<&'static str>)> {
        let ceiling = self.ceiling.http.iter().flatten().filter_map(|rule| rule.allows().or(rule.denies()));
        let granted = self.plugins.values().flat_map(|g| g.http.iter().map(|grant| grant.pattern()));
        let denied = self.plugins.values().flat_map(|grants| &grants.http_denied);
        let mut odd = Vec::new();
        for pattern in ceiling.chain(granted).chain(denied) {
            let shown = pattern.to_string();
            let methods = shown.split(' ').next().unwrap_or_default();
            for method in methods.split(',').filter(|method| *method != "*" && !METHODS.contains(method)) {
                // Two letters that changed places, or one that is wrong: no more, in a word this short.
                let near = METHODS.iter().find(|known| strsim::osa_distance(method, known) <= 1).copied();
                odd.push((method.to_owned(), near));
            }
        }
        odd.dedup();
        odd
    }
}

fn limit(name: LimitName, value: &str) -> String {
    format!("{} = {value}", name.key())
}
