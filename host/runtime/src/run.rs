//! One run of the agent: from a goal to its outcome, every decision in the ledger.

use std::sync::Arc;

use serde_json::json;
use toolcrib_agent::{
    Budget, BuiltinPlanner, Cancel, Caps, ModelPlanner, Observer, Outcome, Person, Planner, Ports, Run, RunError,
    SystemClock,
};
use toolcrib_ledger::{Ledger, RunId, RunMeta};
use toolcrib_model::{Model, ModelConfig};

use crate::call::{Caller, Progress};
use crate::crib::Crib;
use crate::error::CribError;
use crate::ledger::RunLog;
use crate::tools::CribTools;

/// The most of a goal that stands in listings.
const TITLE_CHARS: usize = 200;

/// Who plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannerChoice {
    /// The embedded planner: no key, no network.
    Builtin,
    /// A language model, such as `openai:NAME` or `ollama:NAME`.
    Model(String),
}

/// What is to be run.
pub struct RunRequest {
    /// The goal, in words.
    pub goal: String,
    /// Who plans.
    pub planner: PlannerChoice,
    /// What the run may spend.
    pub budget: Budget,
    /// Who answers questions; nobody for a run that is not attended.
    pub person: Option<Arc<dyn Person>>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Who sees the progress of single calls.
    pub progress: Option<Progress>,
    /// Ends the run early.
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

impl Crib {
    /// Runs a goal. `began` is told the run's name before anything happens in it.
    ///
    /// # Errors
    ///
    /// The planner cannot be made, or the ledger cannot be written. A goal that is not reached is an outcome.
    pub async fn run(&self, request: RunRequest, began: impl FnOnce(RunId)) -> Result<RunResult, CribError> {
        let model = match &request.planner {
            PlannerChoice::Builtin => None,
            PlannerChoice::Model(spec) => Some(self.model(spec)?),
        };
        let planner: Arc<dyn Planner> = match &model {
            None => Arc::new(BuiltinPlanner),
            Some(model) => Arc::new(ModelPlanner::new(model.clone())),
        };
        let ledger = Arc::new(self.ledger_in_turn().await?);
        let title: String = request.goal.chars().take(TITLE_CHARS).collect();
        let details = json!({ "toolcrib": env!("CARGO_PKG_VERSION") });
        let run = ledger.begin_run(&RunMeta::new(title, "running").details(details))?;
        began(run);
        let ports = self.ports(&request, planner, model, ledger, run);
        let mut driven = Run::start(ports, request.goal.clone(), request.budget, Caps::default());
        let outcome = driven.drive(&request.cancel).await.map_err(|error| run_error(run, error))?;
        Ok(RunResult { run, outcome })
    }

    fn ports(
        &self,
        request: &RunRequest,
        planner: Arc<dyn Planner>,
        model: Option<Arc<dyn Model>>,
        ledger: Arc<Ledger>,
        run: RunId,
    ) -> Ports {
        let caller = Caller { progress: request.progress.clone(), person: request.person.clone(), model };
        Ports {
            tools: Arc::new(CribTools { crib: self.clone(), caller }),
            planner,
            ledger: Arc::new(RunLog::new(ledger, run)),
            person: request.person.clone(),
            observer: request.observer.clone(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Connects to a language model. Keys come from the environment variables of its vendor.
    ///
    /// # Errors
    ///
    /// The name cannot be read, or a key is missing.
    pub fn model(&self, spec: &str) -> Result<Arc<dyn Model>, CribError> {
        let environment = &self.0.settings.environment;
        let lookup = |name: &str| environment.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let config = ModelConfig::parse(spec, lookup).map_err(|e| CribError::Model(e.to_string()))?;
        let model = toolcrib_model::connect(config).map_err(|e| CribError::Model(e.to_string()))?;
        Ok(Arc::from(model))
    }
}

fn run_error(run: RunId, error: RunError) -> CribError {
    CribError::Run { run: run.to_string(), why: error.to_string() }
}
