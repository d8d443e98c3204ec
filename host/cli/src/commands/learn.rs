//! `toolcrib learn`: runs a tool or a goal to find out what it needs, and prints the policy. Applying it is a person's act.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use toolcrib_runtime::agent::{Budget, Cancel, Person};
use toolcrib_runtime::ledger_store::RunId;
use toolcrib_runtime::policy::OperatorFile;
use toolcrib_runtime::{CallRequest, Crib, CribError, Missed, PlannerChoice, RunLog, RunRequest, missed};

use super::call::arguments;
use crate::args::{Common, LearnArgs, LearnWhat};
use crate::person::Terminal;
use crate::render::{Live, errln, outln, plain};
use crate::setup;

/// Rounds: each one finds what the one before did not get to. A tool that wants more than this is asked about by hand.
const ROUNDS_MAX: usize = 40;

pub(crate) async fn learn(common: &Common, args: LearnArgs) -> anyhow::Result<ExitCode> {
    let attended = !args.dry && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let base = std::env::current_dir()?;
    let before = setup::settings(common)?.operator;
    let mut operator = before.clone();
    let mut refused: Vec<Missed> = Vec::new();
    for round in 1..=ROUNDS_MAX {
        if round > 1 {
            errln!("again, with what you allowed (round {round})");
        }
        let found = one_round(common, &args.what, operator.clone()).await?;
        let new: Vec<Missed> = found.into_iter().filter(|missed| !refused.contains(missed)).collect();
        let mut widened = false;
        for missed in new {
            if attended && !allows(&missed) {
                refused.push(missed);
                continue;
            }
            widened |= operator.extend(&base, &missed.plugin, &missed.grant)?;
        }
        // In a dry world what is allowed only on paper is not tried.
        if !widened || !attended {
            break;
        }
    }
    show(&args, attended, &before, &operator, &refused);
    Ok(ExitCode::SUCCESS)
}

fn show(args: &LearnArgs, attended: bool, before: &OperatorFile, operator: &OperatorFile, refused: &[Missed]) {
    let policy = operator.added_since(before);
    if args.json {
        outln!("{}", json!({ "policy": policy, "dry": !attended, "not_allowed": refused }));
        return;
    }
    if policy.is_empty() {
        errln!("nothing is missing: what was tried is granted, or no grant would help");
    } else {
        outln!("{}", policy.trim_end());
        errln!("this is what it took; add what you agree with to the operator's file");
    }
    if !attended && !policy.is_empty() {
        errln!("nothing of it was allowed: what comes after the first refusal may need more");
    }
    for missed in refused {
        errln!("you did not allow: {} ({})", plain(&missed.wanted), missed.plugin);
    }
}

/// Does it once with these grants, and says what was refused.
async fn one_round(common: &Common, what: &LearnWhat, operator: OperatorFile) -> anyhow::Result<Vec<Missed>> {
    let crib = setup::crib_with(common, operator).await?;
    let (cancel, live) = (Cancel::new(), Live::new(false));
    let stop = cancel.clone();
    setup::on_interrupt(move || stop.cancel());
    let person = Terminal::attended(live.clone()).map(|person| Arc::new(person) as Arc<dyn Person>);
    let progress = live.progress();
    let run = match what {
        LearnWhat::Call { tool, arguments: text } => {
            let request = CallRequest { tool: tool.clone(), arguments: arguments(text)?, person, progress, cancel };
            crib.call(request).await?.run
        }
        LearnWhat::Run { goal, model } => {
            let planner = model.clone().map_or(PlannerChoice::Builtin, PlannerChoice::Model);
            let observer = Arc::new(live.clone());
            let budget = Budget::default();
            let request = RunRequest { goal: goal.clone(), planner, budget, person, observer, progress, cancel };
            crib.run(request, |_| ()).await?.run
        }
    };
    live.finish();
    of_run(&crib, run)
}

fn of_run(crib: &Crib, run: RunId) -> anyhow::Result<Vec<Missed>> {
    let ledger = crib.ledger_read_only().map_err(anyhow::Error::from)?;
    Ok(missed(&RunLog::events(&ledger, run).map_err(|error: CribError| anyhow::Error::from(error))?))
}

/// Asks the person, on standard error.
fn allows(missed: &Missed) -> bool {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "\nplugin `{}` wants: {}", missed.plugin, plain(&missed.wanted));
    let _ = write!(out, "allow `{}` for this learning alone? [y/N] ", plain(&missed.grant)).and_then(|()| out.flush());
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}
