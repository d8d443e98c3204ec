//! `toolcrib run`: a goal to its outcome.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use toolcrib_runtime::agent::{Budget, Cancel, Outcome, Person};
use toolcrib_runtime::ledger_store::RunId;
use toolcrib_runtime::{Crib, PlannerChoice, RunRequest};

use crate::args::{Common, RunArgs};
use crate::person::Terminal;
use crate::render::{Live, advise, errln, hint_approval, outln, plain, plain_lines};
use crate::{exit, setup};

pub(crate) async fn run(common: &Common, args: RunArgs) -> anyhow::Result<ExitCode> {
    if args.goal.trim().is_empty() {
        return Err(exit::BadInput("the goal is empty; say what is to be reached, in quotes".to_owned()).into());
    }
    let quiet = args.quiet || args.json;
    let crib = if quiet { setup::quiet_crib(common).await? } else { setup::crib(common).await? };
    let live = Live::new(quiet);
    let cancel = Cancel::new();
    let stop = cancel.clone();
    setup::on_interrupt(move || stop.cancel());
    let person = if args.unattended { None } else { Terminal::attended(live.clone()) };
    let request = RunRequest {
        goal: args.goal.clone(),
        planner: args.model.clone().map_or(PlannerChoice::Builtin, PlannerChoice::Model),
        budget: budget(&args),
        person: person.map(|person| Arc::new(person) as Arc<dyn Person>),
        observer: Arc::new(live.clone()),
        progress: live.progress(),
        cancel,
    };
    let begun = OnceLock::new();
    let result = crib.run(request, |run| began(&begun, run, quiet)).await;
    live.finish();
    let result = result.map_err(|error| match begun.get() {
        Some(run) => anyhow::Error::new(exit::MidRun { run: run.to_string(), error }),
        None => error.into(),
    })?;
    let run = result.run.to_string();
    if args.json {
        outln!("{}", json!({ "run": run, "result": result.outcome }));
    } else {
        show(common, &crib, &run, &result.outcome);
    }
    Ok(ExitCode::from(exit::of_run(&result.outcome)))
}

fn began(begun: &OnceLock<RunId>, run: RunId, quiet: bool) {
    let _ = begun.set(run);
    if !quiet {
        errln!("run {run}");
    }
}

fn budget(args: &RunArgs) -> Budget {
    let usual = Budget::default();
    Budget {
        steps: args.max_steps.unwrap_or(usual.steps),
        wall_ms: args.max_time.map_or(usual.wall_ms, |seconds| seconds.saturating_mul(1000)),
        tokens: args.max_tokens.unwrap_or(usual.tokens),
    }
}

/// The answer on standard output; why there is none, and what to do about it, on standard error.
fn show(common: &Common, crib: &Crib, run: &str, outcome: &Outcome) {
    if let Some(answer) = outcome.answer() {
        if !matches!(outcome, Outcome::Reached { .. }) {
            errln!("so far:");
        }
        outln!("{}", plain_lines(&answer.text));
    }
    match outcome {
        Outcome::Reached { .. } => {}
        Outcome::Failed { reason, .. } => {
            errln!("not reached: {}", plain_lines(reason));
            for (_, why) in crib.rejected() {
                errln!("not used: {}", plain(&why.to_string()));
            }
        }
        Outcome::Refused { reason, grants, .. } => {
            errln!("refused: {}", plain_lines(reason));
            advise(common, crib.operator(), grants.iter().map(|missing| (&missing.plugin, missing.grant.as_str())));
        }
        Outcome::Asked { question, .. } => {
            errln!("needs an answer: {}", plain_lines(&question.text));
            if !hint_approval(outcome, "run it again") {
                errln!("say it in the goal, or run it again at a terminal and answer there");
            }
        }
        Outcome::Budget { kind, .. } => {
            errln!("the budget of {kind} is spent; give more with --max-steps, --max-time or --max-tokens")
        }
        Outcome::Cancelled { .. } => errln!("cancelled; nothing is lost: `toolcrib show {run}`"),
    }
}
