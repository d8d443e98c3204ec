//! `toolcrib policy test`: a table of calls, and what the rules should say about each.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::policy::{CallFacts, Decision, DecisionCase, Effect};
use toolcrib_runtime::{Crib, CribError};

use crate::args::{Common, PolicyTestArgs};
use crate::exit::{BadInput, FAILED};
use crate::render::{errln, outln, plain};
use crate::setup;

pub(crate) async fn test(common: &Common, args: &PolicyTestArgs) -> anyhow::Result<ExitCode> {
    let cases = read(&args.table)?;
    let crib = setup::crib_for_policy(common).await?;
    let results: Vec<(&DecisionCase, Decision)> = cases.iter().map(|case| (case, decide(&crib, case))).collect();
    let failed = results.iter().filter(|(case, decision)| !is_expected(case, decision)).count();
    if args.json {
        let shown: Vec<_> = results.iter().map(|(case, decision)| as_json(case, decision)).collect();
        outln!("{}", json!({ "outcome": if failed == 0 { "ok" } else { "failed" }, "failed": failed, "cases": shown }));
    } else {
        results.iter().for_each(|(case, decision)| show(case, decision));
        let total = results.len();
        match failed {
            0 => outln!("all {total} as expected"),
            _ => outln!("{failed} of {total} not as expected"),
        }
        warn_of_unknown_tools(&crib, &cases);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn read(path: &Path) -> anyhow::Result<Vec<DecisionCase>> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CribError::File { path: shown.clone(), why: error.to_string() })?;
    Ok(DecisionCase::parse_table(&text, &shown).map_err(|error| BadInput(error.to_string()))?)
}

/// Asks the rules alone, those that are built in with them: grants are another gate, which `policy check` and `inspect` show.
fn decide(crib: &Crib, case: &DecisionCase) -> Decision {
    let of_tool = || {
        let (plugin, tool) = crib.tool(&case.tool.to_string()).ok()?;
        Some(crib.effect_of_call(&plugin, &tool, &case.args))
    };
    // A tool that is not there counts as what does the most.
    let effect = case.effect.clone().or_else(of_tool).unwrap_or(Effect::Irreversible);
    let facts = CallFacts { tool: &case.tool, args: &case.args, effect: &effect, labels: &case.labels, run: &case.run };
    crib.decide_call(&facts)
}

fn is_expected(case: &DecisionCase, decision: &Decision) -> bool {
    let rule = case.rule.as_ref().is_none_or(|rule| decision.rule() == Some(rule));
    decision.verdict() == case.expect && rule
}

fn as_json(case: &DecisionCase, decision: &Decision) -> serde_json::Value {
    json!({
        "case": case.name, "at": case.at.to_string(), "tool": case.tool, "ok": is_expected(case, decision),
        "expected": { "decision": case.expect, "rule": case.rule },
        "found": { "decision": decision.verdict(), "rule": decision.rule() },
    })
}

fn show(case: &DecisionCase, decision: &Decision) {
    let by = |rule: Option<&str>| rule.map(|rule| format!(" by `{rule}`")).unwrap_or_default();
    let found = format!("{}{}", decision.verdict(), by(decision.rule()));
    if is_expected(case, decision) {
        outln!("ok      {}: {found}", plain(&case.name));
        return;
    }
    let expected = format!("{}{}", case.expect, by(case.rule.as_deref()));
    outln!("FAILED  {}: expected {}, found {found} ({})", plain(&case.name), plain(&expected), case.at);
    if let Decision::Deny { refusal, .. } = decision {
        outln!("        {}", plain(&refusal.message));
    }
}

fn warn_of_unknown_tools(crib: &Crib, cases: &[DecisionCase]) {
    for case in cases {
        if let Err(error) = crib.tool(&case.tool.to_string()) {
            errln!("warning: {}: {error}", case.at);
        }
    }
}
