//! `toolcrib policy check`: what the operator's file says, seen beside the plugins that are there.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::Crib;
use toolcrib_runtime::policy::PluginName;

use crate::args::Common;
use crate::render::{errln, outln, plain};
use crate::setup;

pub(crate) async fn check(common: &Common, as_json: bool) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    let plugins: Vec<PluginName> = crib.operator().plugins().cloned().collect();
    let warnings: Vec<String> = plugins.iter().flat_map(|plugin| warnings(&crib, plugin)).collect();
    if as_json {
        let grants: Vec<Value> = plugins
            .iter()
            .map(|plugin| {
                let lines = crib.operator().grants(plugin);
                let lines: Vec<_> = lines.iter().map(|(c, line)| json!({ "capability": c, "line": line })).collect();
                json!({ "plugin": plugin, "grants": lines })
            })
            .collect();
        outln!("{}", json!({ "outcome": "ok", "plugins": grants, "warnings": warnings }));
        return Ok(ExitCode::SUCCESS);
    }
    for plugin in &plugins {
        outln!("{plugin}");
        for (capability, line) in crib.operator().grants(plugin) {
            outln!("  {capability} {}", plain(&line));
        }
    }
    if plugins.is_empty() {
        outln!("nothing is granted to any plugin");
    }
    for warning in &warnings {
        errln!("warning: {}", plain(warning));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is allowed by the file and will still not do what it seems to say.
fn warnings(crib: &Crib, name: &PluginName) -> Vec<String> {
    let Ok(plugin) = crib.plugin(name.as_str()) else {
        return vec![format!("there is no plugin `{name}`; its grants allow nothing")];
    };
    let authority = crib.authority(&plugin, None);
    let missing = |path: &Path| !path.is_dir();
    authority
        .files
        .iter()
        .filter(|grant| missing(&grant.host))
        .map(|grant| {
            format!("the folder `{}`, granted to `{name}` as `{}`, is not there", grant.host.display(), grant.guest)
        })
        .collect()
}
