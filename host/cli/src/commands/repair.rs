//! `toolcrib repair`: what is good of a damaged ledger, as a new one.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::{Ledger, Lost, Repaired};

use crate::args::{Common, RepairArgs};
use crate::render::{counted, errln, outln, plain};
use crate::setup;

pub(crate) fn repair(common: &Common, args: &RepairArgs) -> anyhow::Result<ExitCode> {
    let data = setup::settings(common)?.folders.data;
    let repaired = Ledger::repair(&data, &args.output).map_err(CribError::from)?;
    if args.json {
        outln!("{}", json!({ "repaired": repaired }));
        return Ok(ExitCode::SUCCESS);
    }
    for lost in &repaired.lost {
        errln!("{}", plain(&in_words(lost)));
    }
    let Repaired { report, values_lost, .. } = &repaired;
    outln!(
        "took over {}, {}, {}, {} into {}; {} lost, and {}",
        counted(report.runs, "run"),
        counted(report.events, "event"),
        counted(report.values, "value"),
        counted(report.heads, "head"),
        args.output.display(),
        counted(repaired.runs_lost, "run"),
        counted(*values_lost, "value")
    );
    outln!(
        "the damaged ledger is as it was; to go on with the new one, put its ledger.db in the place of {}",
        data.join("ledger.db").display()
    );
    Ok(ExitCode::SUCCESS)
}

fn in_words(lost: &Lost) -> String {
    match lost.run {
        Some(run) => format!("run {run}: lost from event {} on: {}", lost.from, lost.why),
        None => format!("the chain of heads: lost from head {} on: {}", lost.from, lost.why),
    }
}
