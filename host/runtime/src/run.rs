//! One run of the agent: from a goal to its outcome, every decision in the ledger.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use toolcrib_agent::plan::refs;
use toolcrib_agent::{
    Budget, BuiltinPlanner, Cancel, Caps, Chain, Draft, DraftStep, GivenPlanner, Judge, ModelJudge, ModelPlanner,
    ModelView, Observer, Outcome, Person, Planner, Ports, Run, Status, StepName, SystemClock, Till,
};
use toolcrib_ledger::{Ledger, RunId, RunMeta};
use toolcrib_policy::{CriticSettings, RunFacts};

use crate::approvals::{ApprovalLog, Desk, Spool, inbox};
use crate::call::{CallReport, Caller, Progress};
use crate::children::Children;
use crate::crib::Crib;
use crate::error::CribError;
use crate::gate::Known;
use crate::ledger::RunLog;
use crate::models::Chosen;
use crate::tools::CribTools;

/// The planner's name in a run that is a single call.
const SINGLE_CALL: &str = "call";

/// The planner's name in a run of a flow.
const FLOW: &str = "flow";

/// The most of a goal that stands in listings.
const TITLE_CHARS: usize = 200;

/// Who plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannerChoice {
    /// The embedded planner: no key, no network.
    Builtin,
    /// A language model, such as `openai:NAME` or `ollama:NAME`.
    Model(String),
    /// Nobody: the run is a single call.
    Call,
    /// Nobody: a person wrote the whole plan.
    Flow,
}

impl PlannerChoice {
    /// The choice as it stands in the ledger.
    pub(crate) fn spec(&self) -> &str {
        match self {
            Self::Builtin => "builtin",
            Self::Call => SINGLE_CALL,
            Self::Flow => FLOW,
            Self::Model(spec) => spec,
        }
    }

    /// The choice that was written down so.
    pub fn of_spec(spec: &str) -> Self {
        match spec {
            "builtin" => Self::Builtin,
            SINGLE_CALL => Self::Call,
            FLOW => Self::Flow,
            spec => Self::Model(spec.to_owned()),
        }
    }
}

/// What is to be run.
pub struct RunRequest {
    /// The goal, in words.
    pub goal: String,
    /// Who plans, who stands in, and who reviews.
    pub chosen: Chosen,
    /// What the run may spend.
    pub budget: Budget,
    /// Whether it stops before its first call, so that a person sees the plan.
    pub hold: bool,
    /// Who answers questions; nobody for a run that is not attended.
    pub person: Option<Arc<dyn Person>>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Who sees the progress of single calls.
    pub progress: Option<Progress>,
    /// Ends the run early.
    pub cancel: Cancel,
}

/// A single call that is to be made.
pub struct CallRequest {
    /// The tool, by its qualified name.
    pub tool: String,
    /// The arguments.
    pub arguments: Value,
    /// Who answers questions; nobody for a call that is not attended.
    pub person: Option<Arc<dyn Person>>,
    /// Who sees the progress.
    pub progress: Option<Progress>,
    /// Ends the call early.
    pub cancel: Cancel,
}

/// What a run came to.
#[derive(Debug)]
pub struct RunResult {
    /// The run, for `show`.
    pub run: RunId,
    /// Its outcome.
    pub outcome: Outcome,
}

/// What a call came to.
#[derive(Debug)]
pub struct CallResult {
    /// The run that it is in the ledger as.
    pub run: RunId,
    /// Result and receipt; none where the call was not made at all.
    pub report: Option<CallReport>,
    /// How the run ended.
    pub outcome: Outcome,
    /// Whether it is a program that was stopped, and goes on where it was when the run is resumed.
    pub parked: bool,
}

/// A planner, and its model where it has one.
pub(crate) type Planning = (Arc<dyn Planner>, Option<Arc<Chain>>);

/// What is the same for a run and for a single call.
pub(crate) struct Errand {
    pub(crate) goal: String,
    pub(crate) planner: Arc<dyn Planner>,
    pub(crate) models: Option<Arc<Chain>>,
    /// The model that reviews; none where nobody does.
    pub(crate) judge: Option<String>,
    pub(crate) person: Option<Arc<dyn Person>>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) progress: Option<Progress>,
    pub(crate) last: Option<Arc<Mutex<Option<CallReport>>>>,
}

impl Crib {
    /// Runs a goal. `began` is told the run's name before anything happens in it.
    ///
    /// # Errors
    ///
    /// The planner cannot be made, or the ledger cannot be written. A goal that is not reached is an outcome.
    pub async fn run(&self, request: RunRequest, began: impl FnOnce(RunId)) -> Result<RunResult, CribError> {
        let RunRequest { goal, chosen, budget, hold, person, observer, progress, cancel } = request;
        let (planner, models) = self.planner(&chosen)?;
        self.check_prices(&chosen, Some(&budget), None)?;
        let (details, judge) = (chosen.details(), chosen.judge.clone());
        let agents = Arc::new(Children::new(self.clone(), chosen, &planner));
        let errand = Errand { goal: goal.clone(), planner, models, judge, person, observer, progress, last: None };
        let (run, (ports, till)) = self.begin(errand, &goal, details).await?;
        began(run);
        let driven = Run::start(ports, goal, budget, Caps::default()).paying(till).with_agents(agents);
        let driven = if hold { driven.held() } else { driven };
        self.drive(run, driven, &cancel).await
    }

    /// Drives a run to its end. Another process may ask for it to be cancelled.
    pub(crate) async fn drive(&self, run: RunId, mut driven: Run, cancel: &Cancel) -> Result<RunResult, CribError> {
        let outcome = self.drive_on(run, &mut driven, cancel).await?;
        Ok(RunResult { run, outcome })
    }

    async fn drive_on(&self, run: RunId, driven: &mut Run, cancel: &Cancel) -> Result<Outcome, CribError> {
        let _watch = self.cancels().watch(run, cancel.clone());
        driven.drive(cancel).await.map_err(|error| run_error(run, error))
    }

    /// Calls one tool. It is a run of a single step, so that it is in the ledger as any other call is.
    ///
    /// # Errors
    ///
    /// There is no such tool, its plugin cannot be loaded, or the ledger cannot be written. A call that failed is a
    /// report.
    pub async fn call(&self, request: CallRequest) -> Result<CallResult, CribError> {
        let CallRequest { tool, arguments, person, progress, cancel } = request;
        let (plugin, found) = self.tool(&tool)?;
        // What cannot be loaded is an error of the command and no entry in the book.
        self.load(&plugin).await?;
        let title = format!("call {}", found.name());
        let last = Arc::new(Mutex::new(None));
        let errand = Errand {
            goal: String::new(),
            planner: Arc::new(GivenPlanner::new(SINGLE_CALL)),
            models: None,
            judge: None,
            person,
            observer: Arc::new(()),
            progress,
            last: Some(Arc::clone(&last)),
        };
        let step = Draft::Step(DraftStep {
            name: Some(StepName::nearest(found.name().tool())),
            effect: Some(self.effect_of_call(&plugin, &found, &arguments)),
            arguments: refs::escape(arguments),
            ..DraftStep::of(found.name().clone())
        });
        let (run, (ports, till)) = self.begin(errand, &title, json!({})).await?;
        // A person wrote the call, and a program that makes the same call twice means it.
        let caps = Caps { attempts: 1, replans: 0, twice: true, ..Caps::default() };
        let mut driven = Run::given(ports, title, Budget::default(), caps, vec![step]).paying(till);
        let outcome = self.drive_on(run, &mut driven, &cancel).await?;
        let parked = driven.state().plan().steps().any(|(node, _)| node.status == Status::Parked);
        // What came of a program that is to be run again is not known yet.
        let report = last.lock().unwrap_or_else(PoisonError::into_inner).take().filter(|_| !parked);
        Ok(CallResult { run, report, outcome, parked })
    }

    /// Begins a run in the ledger and connects it to the crib.
    pub(crate) async fn begin(
        &self,
        errand: Errand,
        title: &str,
        details: Value,
    ) -> Result<(RunId, (Ports, Till)), CribError> {
        let ledger = Arc::new(self.ledger_in_turn().await?);
        let run = begin_in(&ledger, title, details)?;
        Ok((run, self.ports(errand, ledger, run)?))
    }

    /// Connects a run that stands in the ledger to the crib.
    pub(crate) fn ports(&self, errand: Errand, ledger: Arc<Ledger>, run: RunId) -> Result<(Ports, Till), CribError> {
        let known: Known = Arc::new(Mutex::new(inbox::fold(&ledger)?));
        let facts = Arc::new(RunFacts {
            id: run.to_string(),
            goal: errand.goal,
            planner: errand.planner.name().to_owned(),
            attended: errand.person.as_ref().is_some_and(|person| person.is_there()),
            calls: 0,
        });
        let spool = Spool::in_data(&self.0.settings.folders.data);
        let caller = Caller {
            progress: errand.progress,
            person: errand.person.clone(),
            models: errand.models,
            meter: None,
            within: Vec::new(),
            run: Arc::clone(&facts),
            known: Arc::clone(&known),
            inside: None,
        };
        let desk = Desk {
            crib: self.clone(),
            run: facts,
            known: Arc::clone(&known),
            person: errand.person.clone(),
            spool: spool.clone(),
        };
        let till = Till::new(Arc::clone(self.operator().prices()));
        let log = RunLog::new(ledger, run);
        let log = if self.operator().planner().earlier_runs { log.with_earlier_runs() } else { log };
        let ports = Ports {
            tools: Arc::new(CribTools { crib: self.clone(), caller, meters: Some(till.meters()), last: errand.last }),
            planner: errand.planner,
            ledger: Arc::new(ApprovalLog { log, known, spool }),
            approver: Arc::new(desk),
            person: errand.person,
            observer: errand.observer,
            clock: Arc::new(SystemClock),
            critic: CriticSettings { judge: errand.judge.clone(), ..self.operator().critic().clone() },
            judge: errand.judge.as_deref().map(|spec| self.judge_of(spec)).transpose()?,
        };
        Ok((ports, till))
    }

    fn judge_of(&self, spec: &str) -> Result<Arc<dyn Judge>, CribError> {
        Ok(Arc::new(ModelJudge::new(self.model(spec)?)))
    }

    /// The planner of this choice, and its model where it has one.
    pub(crate) fn planner(&self, chosen: &Chosen) -> Result<Planning, CribError> {
        Ok(match &chosen.planner {
            PlannerChoice::Builtin => (Arc::new(BuiltinPlanner), None),
            PlannerChoice::Call => (Arc::new(GivenPlanner::new(SINGLE_CALL)), None),
            PlannerChoice::Flow => (Arc::new(GivenPlanner::new(FLOW)), None),
            PlannerChoice::Model(spec) => {
                let chain = self.chain(spec, &chosen.fallback)?;
                (Arc::new(ModelPlanner::over(Arc::clone(&chain), self.view(spec))), Some(chain))
            }
        })
    }

    /// How much the operator lets this model see at once.
    pub(crate) fn view(&self, spec: &str) -> ModelView {
        let settings = self.operator().planner();
        ModelView { context: settings.context(spec), tools: settings.tools, earlier: settings.earlier_runs }
    }
}

/// Begins a run in the ledger.
pub(crate) fn begin_in(ledger: &Ledger, title: &str, mut details: Value) -> Result<RunId, CribError> {
    let title: String = title.chars().take(TITLE_CHARS).collect();
    details["toolcrib"] = json!(env!("CARGO_PKG_VERSION"));
    Ok(ledger.begin_run(&RunMeta::new(title, "running").details(details))?)
}

/// What keeps a run that stands in the ledger from going on.
pub(crate) fn run_error(run: impl ToString, error: impl ToString) -> CribError {
    CribError::Run { run: run.to_string(), why: error.to_string() }
}
