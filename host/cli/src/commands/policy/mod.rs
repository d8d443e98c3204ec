//! `toolcrib policy`: the operator's file, and what it comes to for the plugins that are there.

mod check;
mod diff;
mod explain;
mod test;

use std::process::ExitCode;

use toolcrib_runtime::policy::{OperatorFile, Outlook, Verdict};

use crate::args::{Common, PolicyCommand};

pub(crate) async fn policy(common: &Common, command: PolicyCommand) -> anyhow::Result<ExitCode> {
    match command {
        PolicyCommand::Check { json } => check::check(common, json).await,
        PolicyCommand::Test(args) => test::test(common, &args).await,
        PolicyCommand::Diff(args) => diff::diff(common, &args).await,
        PolicyCommand::Explain(args) => explain::explain(common, &args).await,
    }
}

/// What the rules say about calls of a tool whatever its arguments are, in one sentence.
fn outlook(operator: &OperatorFile, outlook: &Outlook) -> String {
    let words: Vec<&str> = outlook.verdicts.iter().map(|verdict| verdict.as_str()).collect();
    let rules: Vec<String> = outlook
        .always
        .iter()
        .map(|rule| format!("always `{rule}`"))
        .chain(outlook.sometimes.iter().map(|rule| format!("sometimes `{rule}`")))
        .collect();
    let mut text = words.join(" or ");
    if !rules.is_empty() {
        text.push_str(&format!(" ({})", rules.join(", ")));
    } else if operator.default_verdict() != Verdict::Allow {
        text.push_str(" (`default` in `[calls]`)");
    }
    text
}
