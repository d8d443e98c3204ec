//! `toolcrib inspect`: what a plugin is, could reach, and may do.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::sandbox::{PluginInfo, Reach, reach};
use toolcrib_runtime::{Inspection, inspect_file};

use crate::args::{Common, InspectArgs};
use crate::render::{outln, plain};
use crate::setup;

pub(crate) async fn inspect(common: &Common, args: InspectArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    if setup::looks_like_file(&args.plugin) {
        let info = inspect_file(crib.sandbox(), Path::new(&args.plugin)).await?;
        if args.json {
            outln!("{}", json!({ "component": info, "reach": reach(&info.imports) }));
        } else {
            show_file(&args.plugin, &info);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let inspection = crib.inspect(&args.plugin)?;
    if args.json {
        outln!("{}", serde_json::to_string(&inspection)?);
    } else {
        show(&inspection);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(plugin: &Inspection) {
    let version = plugin.version.as_deref().unwrap_or("no version");
    outln!("{} {version}  {}", plain(&plugin.name), plain(&plugin.description));
    outln!("  from    {}", plain(&plugin.origin));
    outln!("  digest  {}", plugin.digest);
    outln!("tools");
    for tool in &plugin.tools {
        outln!("  {}  [{}]", plain(&tool.name), effect(&tool.effect));
    }
    show_reach(&plugin.reach);
    outln!("asks for");
    match plugin.requests.as_deref() {
        None => outln!("  no manifest: all that its imports could use, where it is granted"),
        Some([]) => outln!("  nothing"),
        Some(lines) => lines.iter().for_each(|l| outln!("  {} {}", plain(&l.capability), plain(&l.line))),
    }
    outln!("is granted");
    if plugin.grants.is_empty() {
        outln!("  nothing");
    }
    for grant in &plugin.grants {
        outln!("  {} {}", plain(&grant.capability), plain(&grant.line));
    }
    for line in plugin.rejected.iter().chain(&plugin.notes) {
        outln!("note: {}", plain(line));
    }
}

fn effect(effect: &toolcrib_runtime::policy::Effect) -> String {
    match serde_json::to_value(effect) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => plain(&other.to_string()),
        Err(_) => "irreversible".to_owned(),
    }
}

fn show_reach(reach: &[Reach]) {
    outln!("can ever reach");
    let sentences: Vec<_> = reach.iter().filter_map(|r| Some((r, r.sentence.as_ref()?))).collect();
    if sentences.is_empty() {
        outln!("  nothing outside its own call");
    }
    for (reach, sentence) in sentences {
        outln!("  {:8} {sentence}", reach.capability);
    }
}

fn show_file(path: &str, info: &PluginInfo) {
    outln!("{}", plain(path));
    outln!("  digest  {}", info.digest);
    outln!("tools");
    for tool in &info.tools {
        outln!("  {}  {}", plain(&tool.name), plain(tool.description.lines().next().unwrap_or_default()));
    }
    show_reach(&reach(&info.imports));
    outln!("imports");
    for import in &info.imports {
        outln!("  {}", plain(import));
    }
}
