//! `toolcrib plan`: the plan of a held run, before anything of it is done.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::agent::State;
use toolcrib_runtime::agent::flow::written;
use toolcrib_runtime::ledger_store::RunId;
use toolcrib_runtime::{Crib, CribError, RunLog};

use crate::args::{Common, PlanArgs};
use crate::commands::flow::yaml;
use crate::exit::{self, BadInput};
use crate::person::who;
use crate::render::{errln, hint_held, outln, show_preview};
use crate::setup;

pub(crate) async fn plan(common: &Common, args: PlanArgs) -> anyhow::Result<ExitCode> {
    let ledger = setup::ledger(common)?.ok_or_else(|| exit::no_ledger(&args.run))?;
    let run = ledger.resolve(&args.run).map_err(CribError::from)?;
    let mut state = RunLog::state(&ledger, run)?;
    drop(ledger);
    if args.yaml {
        outln!("{}", yaml(&written(&state)).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let crib = if args.json { setup::quiet_crib(common).await? } else { setup::crib(common).await? };
    if let Some(file) = &args.edit {
        let before = yaml(&written(&state));
        let after = match file {
            Some(file) => text_of(file)?,
            None => in_editor(&before)?,
        };
        if after == before {
            errln!("nothing was changed");
        } else {
            (_, state) = crib.edit_plan(&run.to_string(), &after, &who("with `toolcrib plan`")).await?;
        }
    }
    show(common, &crib, run, &state, args.dry_run, args.json)
}

/// Shows the plan that a run was held with.
pub(crate) fn held(common: &Common, crib: &Crib, run: RunId, gates: bool, as_json: bool) -> anyhow::Result<()> {
    let state = RunLog::state(&crib.ledger_read_only()?, run)?;
    show(common, crib, run, &state, gates, as_json).map(drop)
}

fn show(
    common: &Common,
    crib: &Crib,
    run: RunId,
    state: &State,
    gates: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let preview = crib.preview(state, &run.to_string(), false)?;
    if as_json {
        let (plan, result) = (written(state), state.outcome());
        outln!("{}", json!({ "run": run, "result": result, "plan": plan, "preview": preview }));
        return Ok(ExitCode::SUCCESS);
    }
    show_preview(common, crib, &preview, gates);
    if state.outcome().is_some_and(|outcome| outcome.name() == "held") {
        hint_held(run);
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    Ok(text.map_err(|error| BadInput(format!("`{}`: {error}", file.display())))?)
}

/// Opens the text in the person's editor, and gives what it is then.
fn in_editor(text: &str) -> anyhow::Result<String> {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).ok_or_else(|| {
        BadInput(
            "no editor is named in $VISUAL or $EDITOR; `--yaml` prints the plan, `--edit FILE` reads it".to_owned(),
        )
    })?;
    let file = tempfile::Builder::new().prefix("plan-").suffix(".yaml").tempfile()?;
    std::fs::write(file.path(), text)?;
    // As others do: the variable may hold options, and the shell takes them apart.
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file.path());
    let status = command.status().map_err(|error| BadInput(format!("`{editor}`: {error}")))?;
    if !status.success() {
        return Err(BadInput(format!("the editor ended with {status}; nothing was changed")).into());
    }
    Ok(std::fs::read_to_string(file.path())?)
}
