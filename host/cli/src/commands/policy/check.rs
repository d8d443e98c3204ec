//! `toolcrib policy check`: what the operator's file says, seen beside the plugins that are there.

use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::Crib;
use toolcrib_runtime::policy::{CallRule, LabelSettings, OperatorFile, PluginName, Relabel, Verdict, nearest};
use toolcrib_runtime::sandbox::interfaces;

use crate::args::Common;
use crate::render::{errln, outln, plain};
use crate::setup;

pub(crate) async fn check(common: &Common, as_json: bool) -> anyhow::Result<ExitCode> {
    let crib = setup::crib_for_policy(common).await?;
    let operator = crib.operator();
    let plugins: Vec<PluginName> = operator.plugins().cloned().collect();
    let mut warnings: Vec<String> = plugins.iter().flat_map(|plugin| of_plugin(&crib, plugin)).collect();
    warnings.extend(crib.rejected().iter().map(|(_, why)| why.to_string()));
    warnings.extend(of_file(&crib));
    warnings.extend(crib.rule_warnings()?.iter().map(ToString::to_string));
    warnings.extend(operator.relabels().iter().filter_map(|relabel| without_part(&crib, relabel)));
    if as_json {
        let grants: Vec<Value> = plugins
            .iter()
            .map(|name| {
                let (grants, limits) = (lines(operator.grants(name)), operator.limits(name));
                json!({ "plugin": name, "grants": grants, "limits": limits, "labels": operator.labels(name) })
            })
            .collect();
        let ceiling = lines(operator.ceiling());
        let rules: Vec<Value> = operator.rules().iter().map(rule).collect();
        let relabel: Vec<Value> = operator.relabels().iter().map(relabel).collect();
        outln!(
            "{}",
            json!({
                "outcome": "ok", "ceiling": ceiling, "plugins": grants, "rules": rules,
                "default": operator.default_verdict(), "labels": labels(operator), "relabel": relabel,
                "warnings": warnings,
            })
        );
        return Ok(ExitCode::SUCCESS);
    }
    show(operator, &plugins);
    for warning in &warnings {
        errln!("warning: {}", plain(warning));
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(lines: Vec<(&'static str, String)>) -> Vec<Value> {
    lines.into_iter().map(|(capability, line)| json!({ "capability": capability, "line": line })).collect()
}

fn rule(rule: &CallRule) -> Value {
    let tools = rule.tools().map(|tools| tools.iter().map(ToString::to_string).collect::<Vec<_>>());
    json!({ "name": rule.name(), "tools": tools, "when": rule.when(), "then": rule.then(), "because": rule.because() })
}

fn relabel(relabel: &Relabel) -> Value {
    let (tool, part) = (relabel.tool().to_string(), relabel.part());
    let part = (!part.is_whole()).then_some(part);
    let label = relabel.label().to_string();
    json!({ "tool": tool, "part": part, "when": relabel.when(), "label": label, "reason": relabel.reason() })
}

fn labels(operator: &OperatorFile) -> Value {
    let LabelSettings { recipient, private, leak } = operator.label_settings();
    json!({ "recipient": recipient, "private": private, "leak": leak })
}

fn show(operator: &OperatorFile, plugins: &[PluginName]) {
    let ceiling = operator.ceiling();
    if !ceiling.is_empty() {
        outln!("ceiling");
    }
    for (key, line) in &ceiling {
        let line = if line.is_empty() { "nothing" } else { line };
        outln!("  {key} {}", plain(line));
    }
    for plugin in plugins {
        outln!("{plugin}");
        for (capability, line) in operator.grants(plugin) {
            outln!("  {capability} {}", plain(&line));
        }
        for limit in operator.limits(plugin) {
            outln!("  limits {limit}");
        }
        for line in operator.labels(plugin) {
            outln!("  {}", plain(&line));
        }
    }
    if plugins.is_empty() {
        outln!("nothing is granted to any plugin");
    }
    if !operator.rules().is_empty() || operator.default_verdict() != Verdict::Allow {
        outln!("calls");
        for rule in operator.rules() {
            outln!("  {}: {}", rule.name(), plain(&rule.to_string()));
        }
        outln!("  where no rule matches: {}", operator.default_verdict());
    }
    let settings = operator.label_settings();
    if !operator.relabels().is_empty() || *settings != LabelSettings::default() {
        outln!("labels");
        for relabel in operator.relabels() {
            outln!("  {} ({})", plain(&relabel.to_string()), plain(relabel.reason()));
        }
        let LabelSettings { recipient, private, leak } = settings;
        outln!("  an untrusted recipient: {recipient}; private values that leave: {private}; both: {leak}");
    }
}

/// What is allowed for a plugin and will still not do what it seems to say.
fn of_plugin(crib: &Crib, name: &PluginName) -> Vec<String> {
    let Ok(plugin) = crib.plugin(name.as_str()) else {
        let snapshot = crib.snapshot();
        let near = nearest(name.as_str(), snapshot.plugins().iter().map(|plugin| plugin.name().as_str()));
        let near = near.map(|near| format!("; did you mean `[plugin.{near}]`?")).unwrap_or_default();
        return vec![format!("there is no plugin `{name}`; its grants allow nothing{near}")];
    };
    let unasked = crib.operator().unasked(name, &Crib::requests(&plugin));
    let mut warnings: Vec<String> = unasked
        .into_iter()
        .map(|(capability, line)| {
            format!("`{name}` does not ask for what the line `{line}` of its `{capability}` gives: it allows nothing")
        })
        .collect();
    for line in crib.operator().idle_credentials(name) {
        warnings
            .push(format!("`{name}` may send no request that would get the credential `{line}`: grant it in `http`"));
    }
    for grant in crib.authority(&plugin, None).files.iter().filter(|grant| !grant.host.is_dir()) {
        let place = format!("`{}`, granted to `{name}` as `{}`,", grant.host.display(), grant.guest);
        warnings.push(match grant.host.exists() {
            true => format!("{place} is a file: name the folder that holds it"),
            false => format!("the folder {place} is not there"),
        });
    }
    warnings
}

/// A part that no result of the tools in question has, as far as their schemas tell.
fn without_part(crib: &Crib, relabel: &Relabel) -> Option<String> {
    let snapshot = crib.snapshot();
    let first = relabel.part().first_key()?;
    let schemas = snapshot.tools().iter().filter(|tool| relabel.tool().matches(tool.name()));
    let fields: Option<Vec<Vec<String>>> = schemas
        .map(|tool| {
            let schema = tool.output_schema()?.value();
            Some(schema.get("properties")?.as_object()?.keys().cloned().collect())
        })
        .collect();
    let known: Vec<String> = fields?.into_iter().flatten().collect();
    if known.is_empty() || known.iter().any(|name| name == first) {
        return None;
    }
    let near = nearest(first, known.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("`{relabel}` speaks of a part that no result of `{}` has{near}", relabel.tool()))
}

/// Lines that match nothing.
fn of_file(crib: &Crib) -> Vec<String> {
    let operator = crib.operator();
    let snapshot = crib.snapshot();
    let mut warnings = Vec::new();
    for line in operator.reject_imports().iter().filter(|line| !is_interface(line)) {
        let packages = interfaces().filter_map(|name| name.split('/').next());
        let near = nearest(line, packages.chain(interfaces()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        warnings.push(format!("`{line}` in `reject-imports` is no interface that this host has{near}"));
    }
    warnings.extend(operator.cut_by_ceiling());
    for pattern in operator.tool_patterns() {
        if !snapshot.tools().iter().any(|tool| pattern.matches(tool.name())) {
            let names: Vec<String> = snapshot.tools().iter().map(|tool| tool.name().to_string()).collect();
            let near = nearest(&pattern.to_string(), names.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            warnings.push(format!("`{pattern}` in `tools` matches no tool that is there{near}"));
        }
    }
    let store = crib.settings().secret_store();
    for name in operator.secrets() {
        match store.holder(&name) {
            Ok(Some(_)) => {}
            Ok(None) => warnings.push(format!(
                "the secret `{name}` is nowhere: requests that need it are refused until `toolcrib secret set {name}`"
            )),
            Err(error) => {
                warnings.push(format!("the secrets cannot be read: {error}"));
                break;
            }
        }
    }
    for (method, near) in operator.odd_methods() {
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        warnings.push(format!("`{method}` is no method that is in common use{near}"));
    }
    warnings
}

/// Whether a line of `reject-imports` names an interface of this host, or a package of them, in whatever version.
fn is_interface(line: &str) -> bool {
    let name = line.split('@').next().unwrap_or(line);
    interfaces().any(|known| known == name || known.split('/').next() == Some(name))
}
