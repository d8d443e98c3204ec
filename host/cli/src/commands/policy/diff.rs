//! `toolcrib policy diff`: what another version of the operator's file would change for the plugins that are there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use toolcrib_runtime::catalog::{Plugin, Tool};
use toolcrib_runtime::policy::{OperatorFile, Outlook, PluginName, Source};
use toolcrib_runtime::{Crib, CribError};

use super::outlook;
use crate::args::{Common, PolicyDiffArgs};
use crate::exit::{BadInput, FAILED};
use crate::render::{errln, outln, plain};
use crate::setup;

/// Lines that one file has and the other has not.
#[derive(Debug, Default, Serialize)]
struct Lines {
    gained: Vec<String>,
    lost: Vec<String>,
}

/// What changes for one plugin.
#[derive(Debug, Serialize)]
struct OfPlugin {
    plugin: PluginName,
    /// Whether it is there. Grants to one that is not wait for it.
    installed: bool,
    grants: Lines,
    tools: Vec<OfTool>,
}

/// What changes for one tool.
#[derive(Debug, Serialize)]
struct OfTool {
    tool: String,
    before: ToolState,
    after: ToolState,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ToolState {
    effect: String,
    source: Source,
    calls: Outlook,
    /// The same in a sentence.
    #[serde(skip)]
    said: String,
}

pub(crate) async fn diff(common: &Common, args: &PolicyDiffArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib_for_policy(common).await?;
    let other = read(&args.other, crib.operator())?;
    let warnings = crib.warnings_of_rules_in(&other)?;
    let now = crib.operator();
    let file = lines(of_file(now), of_file(&other));
    let rules = lines(rules(now), rules(&other));
    let plugins = plugins(&crib, now, &other);
    let changed = !(file.is_empty() && rules.is_empty() && plugins.is_empty());
    if args.json {
        let shown = json!({ "changed": changed, "file": file, "rules": rules, "plugins": plugins });
        outln!("{shown}");
    } else {
        show("the file as a whole", &file);
        show("rules", &rules);
        plugins.iter().for_each(show_plugin);
        if !changed {
            outln!("nothing changes");
        }
        warnings.iter().for_each(|warning| errln!("warning: {}", plain(&warning.to_string())));
    }
    Ok(if changed && args.exit_code { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Reads the other version. It would take the place of `now`: relative folders mean the same in both.
fn read(path: &Path, now: &OperatorFile) -> anyhow::Result<OperatorFile> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CribError::File { path: shown.clone(), why: error.to_string() })?;
    Ok(OperatorFile::parse(&text, &shown, now.base()).map_err(|error| BadInput(error.to_string()))?)
}

impl Lines {
    fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }
}

fn lines(before: Vec<String>, after: Vec<String>) -> Lines {
    let only = |these: &[String], those: &[String]| these.iter().filter(|l| !those.contains(l)).cloned().collect();
    Lines { gained: only(&after, &before), lost: only(&before, &after) }
}

/// What is no grant of one plugin and no rule: the ceiling, and what happens to plugins and questions.
fn of_file(operator: &OperatorFile) -> Vec<String> {
    let ceiling = operator.ceiling().into_iter().map(|(key, line)| match line.is_empty() {
        true => format!("ceiling {key} nothing"),
        false => format!("ceiling {key} {line}"),
    });
    let relabels = operator.relabels().iter().map(|relabel| format!("relabel {relabel}"));
    ceiling.chain(operator.settings()).chain(relabels).collect()
}

fn rules(operator: &OperatorFile) -> Vec<String> {
    operator.rules().iter().map(|rule| format!("{}: {rule}", rule.name())).collect()
}

fn plugins(crib: &Crib, now: &OperatorFile, other: &OperatorFile) -> Vec<OfPlugin> {
    let snapshot = crib.snapshot();
    let installed = snapshot.plugins().iter().map(|plugin| plugin.name());
    let names: BTreeSet<&PluginName> = now.plugins().chain(other.plugins()).chain(installed).collect();
    let found = names.into_iter().map(|name| {
        let plugin = snapshot.plugins().iter().find(|plugin| plugin.name() == name);
        OfPlugin {
            plugin: name.clone(),
            installed: plugin.is_some(),
            grants: lines(of_plugin(now, name), of_plugin(other, name)),
            tools: plugin.map(|plugin| tools(plugin, now, other)).unwrap_or_default(),
        }
    });
    found.filter(|found| !(found.grants.is_empty() && found.tools.is_empty())).collect()
}

fn of_plugin(operator: &OperatorFile, name: &PluginName) -> Vec<String> {
    let grants = operator.grants(name).into_iter().map(|(capability, line)| format!("{capability} {line}"));
    let grants = grants.chain(operator.labels(name));
    grants.chain(operator.limits(name).iter().map(|limit| format!("limits {limit}"))).collect()
}

fn tools(plugin: &Plugin, now: &OperatorFile, other: &OperatorFile) -> Vec<OfTool> {
    let changes = plugin.tools().iter().map(|tool| OfTool {
        tool: tool.name().to_string(),
        before: state(now, plugin, tool),
        after: state(other, plugin, tool),
    });
    changes.filter(|tool| tool.before != tool.after).collect()
}

fn state(operator: &OperatorFile, plugin: &Plugin, tool: &Tool) -> ToolState {
    let effect = Crib::effect_under(operator, plugin, tool);
    let calls = operator.outlook(tool.name(), &effect);
    let said = outlook(operator, &calls);
    let source = Crib::source_under(operator, plugin, tool);
    ToolState { effect: effect.as_str().to_owned(), source, calls, said }
}

fn show(what: &str, lines: &Lines) {
    if !lines.is_empty() {
        outln!("{what}");
        show_lines(lines);
    }
}

fn show_lines(lines: &Lines) {
    lines.lost.iter().for_each(|line| outln!("  - {}", plain(line)));
    lines.gained.iter().for_each(|line| outln!("  + {}", plain(line)));
}

fn show_plugin(found: &OfPlugin) {
    let note = if found.installed { "" } else { " (not installed)" };
    outln!("{}{note}", found.plugin);
    show_lines(&found.grants);
    for OfTool { tool, before, after } in &found.tools {
        if before.effect != after.effect {
            outln!("  {tool}: effect {} becomes {}", before.effect, after.effect);
        }
        if before.source.label != after.source.label {
            outln!("  {tool}: results, {} become {}", before.source.label, after.source.label);
        }
        if before.source.sink != after.source.sink {
            outln!("  {tool}: of its arguments, {} becomes {}", before.source.sink, after.source.sink);
        }
        if before.said != after.said {
            outln!("  {tool}: {} becomes {}", before.said, after.said);
        }
    }
}
