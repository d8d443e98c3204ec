//! `toolcrib run`: a goal to its outcome.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use toolcrib_runtime::agent::{Budget, Cancel, Outcome, Person};
use toolcrib_runtime::ledger_store::RunId;
use toolcrib_runtime::{Crib, CribError, RunLog, RunRequest, RunResult};

use crate::args::{Common, DriveArgs, RunArgs};
use crate::person::Terminal;
use crate::render::{Live, advise, bills, bills_json, errln, hint_approval, outln, plain, plain_lines};
use crate::{exit, setup};

pub(crate) async fn run(common: &Common, args: RunArgs) -> anyhow::Result<ExitCode> {
    if args.goal.trim().is_empty() {
        return Err(exit::BadInput("the goal is empty; say what is to be reached, in quotes".to_owned()).into());
    }
    let RunArgs { goal, model, fallback, judge: _, plan, dry_run, drive } = args;
    let crib = crib(common, &drive).await?;
    let desk = Desk { dry_run, ..Desk::new(&drive) };
    let request = RunRequest {
        goal,
        chosen: crib.chosen(model.as_deref(), &fallback),
        budget: budget(&drive).unwrap_or_default(),
        hold: plan || dry_run,
        person: desk.person.clone(),
        observer: Arc::new(desk.live.clone()),
        progress: desk.live.progress(),
        cancel: desk.cancel.clone(),
    };
    let result = crib.run(request, |run| desk.began(run)).await;
    conclude(common, &crib, desk, result)
}

/// Opens the crib, with or without a word.
pub(crate) async fn crib(common: &Common, drive: &DriveArgs) -> anyhow::Result<Crib> {
    if drive.quiet || drive.json { setup::quiet_crib(common).await } else { setup::crib(common).await }
}

/// What stands around a run at the terminal.
pub(crate) struct Desk {
    pub(crate) live: Live,
    pub(crate) cancel: Cancel,
    pub(crate) person: Option<Arc<dyn Person>>,
    begun: OnceLock<RunId>,
    quiet: bool,
    json: bool,
    /// Whether what policy would say is shown with a plan that is held.
    dry_run: bool,
}

impl Desk {
    pub(crate) fn new(drive: &DriveArgs) -> Self {
        let quiet = drive.quiet || drive.json;
        let live = Live::new(quiet);
        let cancel = Cancel::new();
        let stop = cancel.clone();
        setup::on_interrupt(move || stop.cancel());
        let person = if drive.unattended { None } else { Terminal::attended(live.clone()) };
        let person = person.map(|person| Arc::new(person) as Arc<dyn Person>);
        Self { live, cancel, person, begun: OnceLock::new(), quiet, json: drive.json, dry_run: false }
    }

    pub(crate) fn began(&self, run: RunId) {
        let _ = self.begun.set(run);
        if !self.quiet {
            errln!("run {run}");
        }
    }
}

/// Shows what a run came to.
pub(crate) fn conclude(
    common: &Common,
    crib: &Crib,
    desk: Desk,
    result: Result<RunResult, CribError>,
) -> anyhow::Result<ExitCode> {
    desk.live.finish();
    let result = result.map_err(|error| match desk.begun.get() {
        Some(run) => anyhow::Error::new(exit::MidRun { run: run.to_string(), error }),
        None => error.into(),
    })?;
    let run = result.run.to_string();
    if result.outcome == Outcome::Held {
        super::plan::held(common, crib, result.run, desk.dry_run, desk.json)?;
    } else if desk.json {
        let mut shown = json!({ "run": run, "result": result.outcome });
        if let Some(spent) = spent(crib, result.run) {
            shown["spent"] = spent;
        }
        outln!("{shown}");
    } else {
        show(common, crib, &run, &result.outcome);
    }
    Ok(ExitCode::from(exit::of_run(&result.outcome)))
}

/// What the run has spent, where it asked a model or paid for a call.
fn spent(crib: &Crib, run: RunId) -> Option<Value> {
    let state = RunLog::state(&crib.ledger_read_only().ok()?, run).ok()?;
    (!bills(&state).is_empty()).then(|| bills_json(&state))
}

/// What the command line says of the budget; none where it says nothing.
pub(crate) fn budget(drive: &DriveArgs) -> Option<Budget> {
    let said =
        drive.max_steps.is_some() || drive.max_time.is_some() || drive.max_tokens.is_some() || drive.max_cost.is_some();
    said.then(|| budget_on(drive, Budget::default()))
}

/// A budget with what the command line says of it.
pub(crate) fn budget_on(drive: &DriveArgs, base: Budget) -> Budget {
    Budget {
        steps: drive.max_steps.unwrap_or(base.steps),
        wall_ms: drive.max_time.map_or(base.wall_ms, |seconds| seconds.saturating_mul(1000)),
        tokens: drive.max_tokens.unwrap_or(base.tokens),
        money: drive.max_cost.or(base.money),
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
        Outcome::Reached { .. } | Outcome::Held => {}
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
            if !hint_approval(outcome, &format!("`toolcrib resume {run}`")) {
                match question.choices.first() {
                    None => {
                        errln!("say it in the goal, or go on at a terminal and answer there: `toolcrib resume {run}`")
                    }
                    Some(first) => {
                        errln!("answers: {}", plain(&question.choices.join(" | ")));
                        errln!("go on with one of them: `toolcrib resume {run} --answer '{}'`", plain(first));
                    }
                }
            }
        }
        Outcome::Budget { kind, .. } => {
            errln!(
                "the budget of {kind} is spent; go on with more: `toolcrib resume {run}` (--max-steps, --max-time, --max-tokens, --max-cost)"
            )
        }
        Outcome::Cancelled { .. } => errln!("cancelled; nothing is lost: `toolcrib resume {run}` goes on"),
    }
}
