//! `toolcrib doctor`: what this installation is made of, and what of it works.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::Strength;
use toolcrib_runtime::catalog::Severity;
use toolcrib_runtime::ledger_store::{Ledger, LedgerError};
use toolcrib_runtime::policy::PluginName;

use crate::args::{Common, DoctorArgs};
use crate::render::{counted, outln, plain};
use crate::{exit, setup, wall};

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    well: bool,
    said: String,
}

pub(crate) async fn doctor(common: &Common, args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = setup::settings(common)?;
    let mut findings = vec![Finding { what: "version", well: true, said: env!("CARGO_PKG_VERSION").to_owned() }];
    findings.extend(places(&settings.folders));
    findings.push(ledger(&settings.folders.data));
    findings.extend(secrets(&settings));
    findings.extend(plugins(common).await);
    findings.extend(second_wall());
    let well = findings.iter().all(|finding| finding.well);
    if args.json {
        let object = |finding: &Finding| json!({ "what": finding.what, "well": finding.well, "said": finding.said });
        let findings: Vec<_> = findings.iter().map(object).collect();
        outln!("{}", json!({ "well": well, "findings": findings, "second_wall": wall::standing() }));
    } else {
        for finding in &findings {
            let mark = if finding.well { '✓' } else { '✗' };
            outln!("{mark} {:20} {}", finding.what, plain(&finding.said));
        }
    }
    Ok(ExitCode::from(if well { 0 } else { exit::FAILED }))
}

fn places(folders: &toolcrib_runtime::Folders) -> Vec<Finding> {
    let place = |what, path: &std::path::Path| {
        let probe = path.join(format!(".probe-{}", std::process::id()));
        let tried = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
        let said = match &tried {
            Ok(()) => path.display().to_string(),
            Err(error) => format!("{} cannot be written: {error}", path.display()),
        };
        Finding { what, well: tried.is_ok(), said }
    };
    vec![place("data", &folders.data), place("cache", &folders.cache)]
}

fn ledger(data: &std::path::Path) -> Finding {
    let (well, said) = match Ledger::open_read_only(data) {
        Ok(ledger) => match ledger.verify(|_| ()) {
            Ok(report) if report.is_sound() => (true, "sound".to_owned()),
            Ok(_) => (false, "not sound; `toolcrib verify` says where".to_owned()),
            Err(error) => (false, error.to_string()),
        },
        Err(LedgerError::NoLedger { .. }) => (true, "none yet; the first run makes it".to_owned()),
        Err(error) => (false, error.to_string()),
    };
    Finding { what: "ledger", well, said }
}

/// Whether the places of the secrets that grants name can be read.
fn secrets(settings: &toolcrib_runtime::Settings) -> Option<Finding> {
    let names = settings.operator.secrets();
    let store = settings.secret_store();
    let mut missing = Vec::new();
    for name in &names {
        match store.holder(name) {
            Ok(Some(_)) => {}
            Ok(None) => missing.push(name.to_string()),
            Err(error) => return Some(Finding { what: "secrets", well: false, said: error.to_string() }),
        }
    }
    let said = match missing.as_slice() {
        [] => format!("{} named in grants, all there", names.len()),
        missing => format!("missing: {}; `toolcrib secret set NAME` sets one", missing.join(", ")),
    };
    (!names.is_empty()).then_some(Finding { what: "secrets", well: missing.is_empty(), said })
}

/// Opening the crib compiles what is new in a child process: a worker that does not start shows here.
async fn plugins(common: &Common) -> Vec<Finding> {
    let crib = match setup::crib(common).await {
        Ok(crib) => crib,
        Err(error) => return vec![Finding { what: "plugins", well: false, said: error.to_string() }],
    };
    let snapshot = crib.snapshot();
    let out = crib.rejected();
    let let_in = |name: &PluginName| !out.iter().any(|(held, _)| held == name);
    let plugins = snapshot.plugins().iter().filter(|plugin| let_in(plugin.name())).count();
    let tools = snapshot.tools().iter().filter(|tool| let_in(tool.name().plugin())).count();
    let mut findings = vec![Finding {
        what: "plugins",
        well: plugins > 0,
        said: format!("{}, {}", counted(plugins as u64, "plugin"), counted(tools as u64, "tool")),
    }];
    findings.extend(out.iter().map(|(_, why)| Finding { what: "plugin", well: false, said: why.to_string() }));
    let refused = snapshot.problems().iter().filter(|problem| problem.severity == Severity::Refused);
    findings.extend(refused.map(|problem| Finding { what: "plugin", well: false, said: problem.to_string() }));
    findings
}

fn second_wall() -> Vec<Finding> {
    let Some(report) = wall::standing() else { return Vec::new() };
    let part = |(what, strength): (&'static str, &Strength)| Finding {
        what: "second wall",
        well: *strength == Strength::Full,
        said: format!("{what}: {strength}"),
    };
    report.parts().into_iter().map(part).collect()
}
