//! `toolcrib policy explain`: what a tool may do and which rules speak of it, and what they say about one call.

use std::process::ExitCode;

use serde_json::{Value, json};
use toolcrib_runtime::Crib;
use toolcrib_runtime::catalog::{Plugin, Tool};
use toolcrib_runtime::policy::{CallFacts, CallRule, Decision, Labels, RunFacts};

use super::outlook;
use crate::args::{Common, PolicyExplainArgs};
use crate::commands::call::arguments;
use crate::render::{outln, plain};
use crate::setup;

pub(crate) async fn explain(common: &Common, args: &PolicyExplainArgs) -> anyhow::Result<ExitCode> {
    let arguments = args.arguments.as_deref().map(arguments).transpose()?;
    let crib = setup::crib_for_policy(common).await?;
    let (plugin, tool) = crib.tool(&args.tool)?;
    let call = arguments.as_ref().map(|arguments| decide(&crib, &plugin, &tool, arguments));
    let operator = crib.operator();
    let effect = crib.effect(&plugin, &tool);
    let standing = operator.outlook(tool.name(), &effect);
    let rules: Vec<&CallRule> = operator.rules().iter().filter(|rule| rule.speaks_of(tool.name())).collect();
    if args.json {
        let rules: Vec<Value> = rules
            .iter()
            .map(|r| json!({ "name": r.name(), "then": r.then(), "when": r.when(), "because": r.because() }))
            .collect();
        let call = call.map(|decision| json!({ "decision": decision.verdict(), "rule": decision.rule() }));
        let grants: Vec<String> = operator.grants(plugin.name()).into_iter().map(|(c, l)| format!("{c} {l}")).collect();
        outln!(
            "{}",
            json!({
                "tool": tool.name(), "effect": effect, "source": crib.source(&plugin, &tool), "grants": grants, "calls": standing, "rules": rules,
                "default": operator.default_verdict(), "call": call,
            })
        );
        return Ok(ExitCode::SUCCESS);
    }
    outln!("{}  [{}]", tool.name(), effect.as_str());
    if let Some((_, why)) = crib.rejected().iter().find(|(name, _)| name == plugin.name()) {
        outln!("cannot be called: {}", plain(&why.to_string()));
    }
    show_grants(&crib, &plugin);
    let source = crib.source(&plugin, &tool);
    outln!("its results are {}; of its arguments, {}", source.label, plain(&source.sink.to_string()));
    outln!("rules, of which the strictest that matches counts");
    for rule in &rules {
        outln!("  {}: {}", rule.name(), plain(&rule.to_string()));
        if let Some(because) = rule.because() {
            outln!("      {}", plain(because));
        }
    }
    outln!("  where none matches: {}", operator.default_verdict());
    match call {
        None => outln!("calls: {}", outlook(operator, &standing)),
        Some(decision) => show_decision(&decision),
    }
    Ok(ExitCode::SUCCESS)
}

/// What the rules say about a call that a person makes at a terminal.
fn decide(crib: &Crib, plugin: &Plugin, tool: &Tool, arguments: &Value) -> Decision {
    let run = RunFacts { id: "r1".to_owned(), planner: "call".to_owned(), attended: true, ..RunFacts::default() };
    let effect = crib.effect_of_call(plugin, tool, arguments);
    let facts = CallFacts { tool: tool.name(), args: arguments, effect: &effect, labels: &Labels::new(), run: &run };
    crib.decide_call(&facts)
}

fn show_grants(crib: &Crib, plugin: &Plugin) {
    outln!("its plugin is granted");
    let grants = crib.operator().grants(plugin.name());
    if grants.is_empty() {
        outln!("  nothing");
    }
    for (capability, line) in grants {
        outln!("  {capability} {}", plain(&line));
    }
}

fn show_decision(decision: &Decision) {
    match decision {
        Decision::Allow { rule: None } => outln!("this call: allow (no rule matches)"),
        Decision::Allow { rule: Some(rule) } | Decision::Ask { rule, .. } => {
            outln!("this call: {} by `{rule}`", decision.verdict());
        }
        Decision::Deny { rule, refusal } => {
            outln!("this call: deny by `{rule}`");
            outln!("  {}", plain(&refusal.message));
        }
    }
}
