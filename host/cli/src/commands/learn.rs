//! `toolcrib learn`: runs a tool or a goal to find out what it needs, and prints the policy. Applying it is a person's act.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use toolcrib_runtime::agent::{Budget, Cancel, Outcome, Person};
use toolcrib_runtime::ledger_store::RunId;
use toolcrib_runtime::policy::OperatorFile;
use toolcrib_runtime::{CallRequest, Crib, CribError, Missed, RunLog, RunRequest, missed};

use super::call::arguments;
use crate::answer::{self, Wanted};
use crate::args::{Common, LearnArgs, LearnWhat};
use crate::person::Terminal;
use crate::render::{Live, errln, outln, plain, plain_lines};
use crate::{exit, setup};

/// Rounds: each one finds what the one before did not get to. A tool that wants more than this is asked about by hand.
const ROUNDS_MAX: usize = 40;

pub(crate) async fn learn(common: &Common, args: LearnArgs) -> anyhow::Result<ExitCode> {
    let attended = !args.dry && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let base = std::env::current_dir()?;
    let before = setup::settings(common)?.operator;
    let mut operator = before.clone();
    let mut refused: Vec<Missed> = Vec::new();
    let mut ended = None;
    for round in 1..=ROUNDS_MAX {
        if round > 1 {
            errln!("again, with what you allowed (round {round})");
        }
        // Without a person's word nothing has an effect, not even what is granted.
        let world = if attended { operator.clone() } else { operator.dry() };
        let (found, outcome) = one_round(common, &args.what, world).await?;
        ended = why_not(&outcome);
        let new: Vec<Missed> = found.into_iter().filter(|missed| !refused.contains(missed)).collect();
        let mut widened = false;
        for missed in new {
            if attended && !allows(&missed) {
                if answer::is_interrupted() {
                    return Ok(ExitCode::from(exit::CANCELLED));
                }
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
    let policy = operator.added_since(&before);
    show(&args, attended, &policy, &refused, ended.as_deref());
    Ok(ExitCode::SUCCESS)
}

/// Why it did not come to its end.
fn why_not(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Reached { .. } => None,
        Outcome::Failed { reason, .. } | Outcome::Refused { reason, .. } => Some(reason.clone()),
        Outcome::Asked { question, .. } => Some(format!("it needs an answer: {}", question.text)),
        Outcome::Budget { .. } | Outcome::Held | Outcome::Cancelled { .. } => {
            Some(format!("it ended early ({})", outcome.name()))
        }
    }
}

fn show(args: &LearnArgs, attended: bool, policy: &str, refused: &[Missed], ended: Option<&str>) {
    if args.json {
        outln!("{}", json!({ "policy": policy, "dry": !attended, "not_allowed": refused, "ended": ended }));
        return;
    }
    if !attended && !args.dry {
        errln!("nobody is there to be asked: as with --dry, nothing had an effect");
    }
    if policy.is_empty() {
        match (refused, ended) {
            ([], None) => errln!("nothing is missing: it came to its end with what is granted"),
            ([], Some(why)) => {
                errln!("no grant is missing, or none would help; it ended so: {}", plain_lines(why));
                if !attended {
                    errln!("what is granted had no effect here either: without --dry, at a terminal, it has");
                }
            }
            _ => errln!("nothing was allowed, so there is no policy"),
        }
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
async fn one_round(
    common: &Common,
    what: &LearnWhat,
    operator: OperatorFile,
) -> anyhow::Result<(Vec<Missed>, Outcome)> {
    let crib = setup::crib_with(common, operator).await?;
    let (cancel, live) = (Cancel::new(), Live::new(false));
    let stop = cancel.clone();
    setup::on_interrupt(move || stop.cancel());
    let person = Terminal::attended(live.clone()).map(|person| Arc::new(person) as Arc<dyn Person>);
    let progress = live.progress();
    let (run, outcome) = match what {
        LearnWhat::Call { tool, arguments: text } => {
            let request = CallRequest { tool: tool.clone(), arguments: arguments(text)?, person, progress, cancel };
            let result = crib.call(request).await?;
            (result.run, result.outcome)
        }
        LearnWhat::Run { goal, model } => {
            let chosen = crib.chosen(model.as_deref(), &[]);
            let observer = Arc::new(live.clone());
            let budget = Budget::default();
            let request =
                RunRequest { goal: goal.clone(), chosen, budget, hold: false, person, observer, progress, cancel };
            let result = crib.run(request, |_| ()).await?;
            (result.run, result.outcome)
        }
    };
    live.finish();
    Ok((of_run(&crib, run)?, outcome))
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
    // Nobody else waits for it: only the person can end the question.
    let (_wants, wanted) = Wanted::pair();
    answer::line(&wanted).is_some_and(|line| matches!(line.trim(), "y" | "Y" | "yes"))
}
