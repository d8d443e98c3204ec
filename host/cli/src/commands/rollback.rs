//! `toolcrib rollback`: the folders of a run as they were.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::RollbackRequest;

use crate::args::{Common, RollbackArgs};
use crate::render::{counted, errln, outln, plain};
use crate::setup;

/// Changes of one folder that are listed for people.
const SHOWN: usize = 50;

pub(crate) fn rollback(common: &Common, args: RollbackArgs) -> anyhow::Result<ExitCode> {
    let RollbackArgs { run, to, before, force, dry_run, json: as_json } = args;
    let data = setup::settings(common)?.folders.data;
    let request = RollbackRequest { run, to, before, force, dry_run };
    let done = toolcrib_runtime::rollback(&data, &request)?;
    if as_json {
        let folder = |folder: &toolcrib_runtime::RolledFolder| {
            json!({
                "folder": folder.folder, "snapshot": folder.snapshot, "changes": folder.changes,
                "lost": folder.foreign,
            })
        };
        let folders: Vec<_> = done.folders.iter().map(folder).collect();
        outln!("{}", json!({ "run": done.run, "event": done.event, "done": !dry_run, "folders": folders }));
        return Ok(ExitCode::SUCCESS);
    }
    let said = if dry_run { "would be" } else { "is" };
    for folder in &done.folders {
        let changes = counted(folder.changes.len() as u64, "change");
        outln!("{} {said} as at event {} of run {}: {changes}", plain(&folder.folder), done.event, done.run);
        for change in folder.changes.iter().take(SHOWN) {
            outln!("  {:<6} {}", change.change.as_str(), plain(&change.path));
        }
        if folder.changes.len() > SHOWN {
            outln!("  and {} more", folder.changes.len() - SHOWN);
        }
        if !folder.foreign.is_empty() {
            errln!("of these, {} was somebody else's", counted(folder.foreign.len() as u64, "change"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
